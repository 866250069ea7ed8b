"""What the panel knows of a timeline: plain values, as the engine's process tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ...engine.media.time import timecode
from ..base.source import Source

_FACTS = ("channels", "layout", "shots", "speed")  # what a document's `extra` keeps of a clip


@dataclass(frozen=True)
class ClipRow:
    """An audio clip as the list shows it; times in record seconds from the timeline's first frame.

    `kind` is what it holds (dialogue, music, effects, mix, silent, or "" for not known), `certain` whether that is sure
    and `told` whether the user said so. `state` is online, offline, disabled or unsupported, with its `reason`.
    `lufs` is its integrated loudness as its volume line leaves it, once measured (-inf: silent), `true_peak` its
    highest likewise (dBTP), `trouble` why it cannot be measured; `volume` is what that line does on the mean (dB).
    `needs` is why it needs work, in keys of `needs.NEEDS`.
    """

    index: int
    name: str
    track: str
    track_number: int
    record_in: float
    record_out: float
    timecode_in: str
    timecode_out: str
    state: str = "online"
    reason: str = ""
    media: str = ""
    kind: str = ""
    certain: bool = False
    told: bool = False
    lufs: float | None = None
    needs: tuple[str, ...] = ()
    true_peak: float | None = None
    trouble: str = ""
    volume: float = 0.0

    @property
    def online(self) -> bool:
        """Whether it can be rebalanced."""
        return self.state == "online"


@dataclass(frozen=True)
class TrackRow:
    """An audio track: its number as hosts count (A1 is 1), name, clips by index, and what it holds."""

    number: int
    name: str
    clips: tuple[int, ...]
    kind: str = ""
    certain: bool = False
    told: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Document:
    """An open timeline; `start` is the time of day of its first frame, `cuts` the picture's, in record seconds."""

    source: Source
    name: str
    rate: Fraction
    drop_frame: bool
    start: Fraction
    duration: Fraction
    dialect: str
    has_picture: bool
    timelines: tuple[str, ...]
    tracks: tuple[TrackRow, ...]
    clips: tuple[ClipRow, ...]
    cuts: tuple[float, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def timecode(self, seconds: float) -> str:
        """Record seconds as timecode in the timeline's own format."""
        frame = (
            Fraction(max(0, round(Fraction(seconds).limit_denominator(1_000_000) * self.rate))) / self.rate
        )
        return timecode(self.start + frame, self.rate, self.drop_frame)


def document_of(data: Mapping[str, Any]) -> Document:
    """What the engine's process answers to "open" (`plugin.session.opening.document_data`).

    `extra` of the document holds the answer's further facts of every clip by its index, and the number of the open
    timeline among those of the file.
    """
    return Document(
        source=Source.from_dict(data["source"]),
        name=data["name"],
        rate=Fraction(data["rate_exact"]),
        drop_frame=data["drop_frame"],
        start=Fraction(data["start"]),
        duration=Fraction(data["length"]),
        dialect=data["dialect"],
        has_picture=data["has_picture"],
        timelines=tuple(data["timelines"]),
        tracks=tuple(_track_of(track) for track in data["tracks"]),
        clips=tuple(_clip_of(clip) for clip in data["clips"]),
        cuts=tuple(data["cuts"]),
        doubts=tuple(data["doubts"]),
        notes=tuple(data["notes"]),
        extra={
            "chosen": data.get("chosen", 0),
            "clips": {clip["index"]: {name: clip.get(name) for name in _FACTS} for clip in data["clips"]},
        },
    )


def held_by(category: Mapping[str, Any]) -> dict[str, Any]:
    """A category as the engine tells it, as the fields of a row: its kind, and by whose word."""
    return {
        "kind": category["kind"] or "",
        "certain": bool(category["certain"]),
        "told": category.get("by") == "user",
    }


def _track_of(track: Mapping[str, Any]) -> TrackRow:
    held = track["category"]
    return TrackRow(
        track["number"], track["name"], tuple(track["clips"]), reason=held["reason"], **held_by(held)
    )


def _clip_of(clip: Mapping[str, Any]) -> ClipRow:
    return ClipRow(
        index=clip["index"],
        name=clip["name"],
        track=clip["track"],
        track_number=clip["track_number"],
        record_in=clip["record_in"],
        record_out=clip["record_out"],
        timecode_in=clip["record_in_tc"],
        timecode_out=clip["record_out_tc"],
        state=clip["state"],
        reason=clip["reason"],
        media=clip["media"] or "",
        volume=clip.get("volume", 0.0),
        **held_by(clip["category"]),
    )
