"""What can be asked of the engine, and where it is done: in which process, on which thread, and what goes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WORK, MEDIA = "work", "media"
PROCESSES = (WORK, MEDIA)
_HANDLERS = "sightmix.ui.remote.handlers"
_OUTSIDE = "sightmix.ui.remote.host_handlers"


@dataclass(frozen=True)
class Kind:
    """A kind of request: the `process` and the `thread` in it that do it, one at a time.

    Of those that wait the lowest `turn` goes first, and what is at work makes way for it at its next step, to go on
    afterwards; with `short` among its data a request's turn is 0. `module` has the `function` that does it, under
    the request's own name if none is given.
    """

    process: str
    thread: str
    turn: int = 0
    module: str = _HANDLERS
    short: str = ""
    function: str = ""

    def turn_of(self, data: Mapping[str, object]) -> int:
        """When it is the turn of a request with these data."""
        return 0 if self.short and data.get(self.short) is not None else self.turn


# Modules that a process loads as soon as it is there, on this thread and behind all that is asked of it.
AHEAD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    WORK: (
        "work",
        (
            "scipy.signal",
            "sightmix.plugin.timeline",
            "sightmix.plugin.jobs.service",
            "sightmix.engine.highlight.rebalance",
            "sightmix.plugin.session.preview",
            "sightmix.engine.onnx_runtime",
        ),
    ),
    MEDIA: (
        "facts",
        (
            "sightmix.plugin.session.opening",
            "sightmix.engine.media.reel",
            "sightmix.plugin.session.sound",
            "scipy.signal",
            "sightmix.plugin.session.survey",
        ),
    ),
}

TABLE: Mapping[str, Kind] = {
    "load_ahead": Kind(WORK, "work", 9),
    "warm": Kind(WORK, "work", 1),
    "preview": Kind(WORK, "work", 0),
    "plan": Kind(WORK, "work", 1),
    "check": Kind(WORK, "work", 1),
    "devices": Kind(WORK, "work", 0),
    "export": Kind(WORK, "work", 2),
    "rebalance": Kind(WORK, "work", 3),
    "foley": Kind(WORK, "host", 0, _OUTSIDE),
    "foley_candidates": Kind(WORK, "work", 1, _OUTSIDE),
    "foley_hear": Kind(WORK, "work", 0, _OUTSIDE),
    "withdraw": Kind(WORK, "work", 0, _OUTSIDE),
    "put_back": Kind(WORK, "work", 0, _OUTSIDE),
    # Somebody may have to do something in Resolve first: no other work waits for that.
    "resolve_open": Kind(WORK, "host", 1, _OUTSIDE),
    "resolve_write": Kind(WORK, "host", 1, _OUTSIDE),
    "sound": Kind(MEDIA, "sound"),
    "picture": Kind(MEDIA, "picture", 0),
    "thumbnails": Kind(MEDIA, "picture", 1),
    "open": Kind(MEDIA, "facts", 0),
    "listen": Kind(MEDIA, "facts", 2),
    "loudness": Kind(MEDIA, "facts", 3),
    "survey": Kind(MEDIA, "facts", 1, short="seconds"),
    "uncarried": Kind(MEDIA, "facts", 1, _OUTSIDE, function="left_behind"),
    "foley_find": Kind(MEDIA, "facts", 2, _OUTSIDE),
}
