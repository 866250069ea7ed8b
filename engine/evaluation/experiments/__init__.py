"""The tables of models as data, a JSON file each, and what fills them in."""
