"""What the picture says: encoders, captions and cut-aware sampling."""
