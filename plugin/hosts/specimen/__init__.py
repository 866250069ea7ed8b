"""A small project with known contents, to be opened in editors, and the values that are to be seen there."""
