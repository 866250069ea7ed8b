"""What is seen of the panel; nothing else here knows Qt, and nothing in here decides."""
