"""Which sightmix this is, and which model comes with it."""

from __future__ import annotations

from functools import cache
from importlib import metadata

SHIPPED_MODEL = "sightmix-4"  # the product model that comes with this version


@cache
def engine_version() -> str:
    """The installed version of sightmix."""
    try:
        return metadata.version("sightmix")
    except metadata.PackageNotFoundError:
        return "0+unknown"
