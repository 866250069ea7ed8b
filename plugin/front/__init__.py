"""sightmix mixes by sight: it rebalances a timeline's soundtrack by looking at the picture.

The functions below are all of the public interface; `docs/api.md` describes them with examples. What they need is
imported when they are first asked for.
"""

# Installed as the package `sightmix` itself (see setup.py), hence the absolute imports; the rooms lie beside it.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightmix.engine.errors import Cancelled, SightmixError
    from sightmix.plugin.api import export, inspect, open_timeline, rebalance
    from sightmix.plugin.jobs.service import Request, Service

    __version__: str

__all__ = [
    "Cancelled",
    "Request",
    "Service",
    "SightmixError",
    "__version__",
    "export",
    "inspect",
    "open_timeline",
    "rebalance",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from sightmix.engine.version import engine_version

        return engine_version()
    if name in ("Cancelled", "SightmixError"):
        from sightmix.engine import errors

        return getattr(errors, name)
    if name in ("Request", "Service"):
        from sightmix.plugin.jobs import service

        return getattr(service, name)
    if name in __all__:
        from sightmix.plugin import api

        return getattr(api, name)
    raise AttributeError(f"module 'sightmix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
