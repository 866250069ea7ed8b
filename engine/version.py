"""Which sightmix this is."""

from __future__ import annotations

from importlib import metadata


def engine_version() -> str:
    """The installed version of sightmix."""
    try:
        return metadata.version("sightmix")
    except metadata.PackageNotFoundError:
        return "0+unknown"
