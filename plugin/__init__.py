"""Hosts and timelines: reading, resolving, jobs, the command line."""
