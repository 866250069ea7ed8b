"""``python -m sightmix.plugin.cli``."""

from .start import main

main()
