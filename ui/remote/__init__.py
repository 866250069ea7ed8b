"""The engine in a process of its own: messages over its standard streams, what it does with them, and who starts it."""
