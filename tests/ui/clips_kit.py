"""Timelines as the engine's process tells them, for tests of the clip list."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from fakes import Asked, FakeEngine
from sightmix.engine.media.time import timecode
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.control.clips import Clips
from sightmix.ui.control.history import History
from sightmix.ui.control.recent import Recent

RATE = Fraction(25)
START = 3600
TRACKS = (("DX", "dialogue"), ("MX", "music"), ("FX", "effects"))
SCENE = Source(Path("/show/scene.otio").absolute())


def category(kind: str, by: str = "name", confidence: float = 0.95) -> dict[str, Any]:
    """A category as the engine tells it; "" for none."""
    known = kind != ""
    return {
        "kind": kind or None,
        "by": by if known else None,
        "confidence": confidence if known else 0.0,
        "certain": known and confidence >= 0.75,
        "reason": f"its name says “{kind}”" if known else "nothing tells what it holds",
    }


def clip_data(index: int, start: float, end: float, track: int = 1, **more: Any) -> dict[str, Any]:
    """A clip of a document; track n is called and holds as `TRACKS` says."""
    name, kind = TRACKS[track - 1] if track <= len(TRACKS) else (f"Audio {track}", "")
    times = [timecode(Fraction(START) + Fraction(t).limit_denominator(1000), RATE) for t in (start, end)]
    facts = {
        "index": index,
        "name": f"clip {index}",
        "track": name,
        "track_number": track,
        "record_in": start,
        "record_out": end,
        "record_in_tc": times[0],
        "record_out_tc": times[1],
        "media": f"/show/media/take{index}.wav",
        "state": "online",
        "reason": "",
        "category": category(kind),
        "volume": 0.0,
        "channels": "all",
        "layout": "stereo",
        "shots": 1,
        "speed": 1.0,
    }
    return {**facts, **more}


def document_data(clips: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What "open" answers for these clips."""
    tracks: dict[int, list[dict[str, Any]]] = {}
    for clip in clips:
        tracks.setdefault(clip["track_number"], []).append(clip)
    length = max((clip["record_out"] for clip in clips), default=1.0)
    facts = {
        "source": SCENE.to_dict(),
        "name": "Scene 4",
        "rate_exact": str(RATE),
        "drop_frame": False,
        "start": str(START),
        "length": str(Fraction(length).limit_denominator(1000)),
        "dialect": "otio",
        "has_picture": True,
        "timelines": ["Scene 4"],
        "chosen": 0,
        "cuts": [],
        "doubts": [],
        "notes": [],
        "tracks": [
            {
                "number": number,
                "name": held[0]["track"],
                "clips": [clip["index"] for clip in held],
                "category": held[0]["category"],
            }
            for number, held in sorted(tracks.items())
        ],
        "clips": list(clips),
    }
    return {**facts, **more}


def many(count: int, tracks: int = 3, offline: int = 0) -> dict[str, Any]:
    """A document of `count` clips of two seconds in a row, dealt out over tracks; every `offline`th is offline."""
    return document_data(
        [
            clip_data(
                i,
                2.0 * (i - 1),
                2.0 * i,
                1 + (i - 1) % tracks,
                **(
                    {"state": "offline", "reason": "Its media is offline: it moved."}
                    if offline and i % offline == 0
                    else {}
                ),
            )
            for i in range(1, count + 1)
        ]
    )


class Stage:
    """A clip list over an engine that the test answers for."""

    def __init__(self, recent: Recent | None = None) -> None:
        self.engine = FakeEngine()
        self.pump = InlinePump()
        self.history = History()
        self.clips = Clips(self.engine, self.pump, self.history, recent)

    def ask(self, do: str) -> Asked:
        """The one open request of a kind."""
        (asked,) = self.engine.open(do)
        return asked

    def open(self, data: dict[str, Any], source: Source = SCENE) -> None:
        """Open a document at once; nothing is heard or measured yet."""
        self.clips.open(source)
        self.ask("open").finish(data)

    def tell_loudness(self, **lufs: float | None) -> None:
        """Answer requests for loudness, as "c3" = -23.0, until none of them is asked for; peaks are at -6 dBTP."""
        while asked := self.engine.open("loudness"):
            for index in asked[0].data["clips"]:
                level = lufs.get(f"c{index}", -23.0)
                asked[0].tell({"clip": index, "lufs": level, "range": 3.0, "true_peak": -6.0})
            asked[0].finish()
            self.pump.run()
