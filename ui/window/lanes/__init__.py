"""The lanes: ruler, frames, sound before and after, and the gain of every stem, over one axis of time."""
