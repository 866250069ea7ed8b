"""DaVinci Resolve: reading its timeline, and laying results on a copy of it."""
