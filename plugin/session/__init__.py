"""A timeline somebody works on: heard in lanes at any place, surveyed, and tried out before anything is written."""
