"""The sum of what is heard, as a stream."""
