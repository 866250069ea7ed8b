"""Model cards as data, the weights store and strict loading."""
