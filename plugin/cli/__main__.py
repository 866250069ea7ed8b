"""``python -m sightmix.plugin.cli``."""

from .app import main

main()
