"""Networks that learn, what they are asked, and how far off they are."""
