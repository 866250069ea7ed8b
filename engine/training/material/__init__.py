"""What is trained on: packages, recipes, sounds, subjects, films."""
