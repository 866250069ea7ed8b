"""Reading timelines, resolving their media and writing results back; each is imported when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results import ResultClip, ResultTrack, Ridden, result_tracks
    from .timeline import AudioClip, Timeline, list_timelines, open_timeline
    from .write import write_result

__all__ = [
    "AudioClip",
    "ResultClip",
    "ResultTrack",
    "Ridden",
    "Timeline",
    "list_timelines",
    "open_timeline",
    "result_tracks",
    "write_result",
]

_RESULTS = ("ResultClip", "ResultTrack", "Ridden", "result_tracks")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = "results" if name in _RESULTS else "write" if name == "write_result" else "timeline"
    return getattr(import_module(f".{home}", __name__), name)
