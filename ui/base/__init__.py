"""What all of the panel stands on: topics, the pump between threads, and what asking the engine means."""
