"""A stretch of a timeline tried out: only what sounds there is separated and heard, and nothing of it is delivered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from ...engine.edit.categories import SILENT, Category, said
from ...engine.edit.nodes import Pointer
from ...engine.errors import MediaError
from ...engine.highlight.config import HOP, MODEL_RATE
from ...engine.highlight.listening import Listening
from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.passage import Passage, Shot
from ...engine.programme.programme import SAMPLE_RATE
from ...engine.progress import Progress
from ..jobs.cache import Shelf
from ..jobs.desk import MARGIN, Desk, Seat, desk_of, passage_times, stems_of, unreadable
from ..jobs.heard import in_styles, leave_newest, listened, listening_file, mix_of
from ..jobs.keys import Identities, rendition_key, span_key
from ..jobs.mix import Mix
from ..jobs.stage import Stage
from ..timeline import AudioClip, Timeline
from ..timeline.categories import held

SECONDS = 10.0  # one window of the network: what a preview costs least by the second
_SHORTEST = 0.5  # s
_HANDLES = Fraction(1, 100)  # s, of which no more than `MARGIN` is separated
_KEPT = 50  # listenings in the folder


def around(duration: float, playhead: float, seconds: float = SECONDS) -> tuple[float, float]:
    """Start and length of a stretch around the playhead, inside `duration` seconds of record."""
    length = min(seconds, duration)
    return min(max(0.0, playhead - length / 2), duration - length), length


def preview(
    timeline: Timeline,
    told: Sequence[str],
    start: float,
    seconds: float,
    folder: Path,
    progress: Progress,
    stage: Stage,
) -> Mix:
    """What the network says of `seconds` of the record from `start` on, at the nearest frame of its grid.

    `told` is what the user says of tracks ("A1=dialogue"); what nothing tells of is taken for a mix. Stems lie in
    `folder` afterwards, which is the caller's to keep and to clear; what was heard before is not heard again. `stage`
    keeps its model loaded. A clip that cannot be separated stays as it is, and the mix warns of it. Raises
    SettingsError, MediaError, ModelError, WriteError, Cancelled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stage.glance()
    span = _span(timeline, start, seconds)
    categories = held(timeline, said(told)).clips
    seats, warnings = [], []
    for clip in timeline.clips:
        if clip.online and _sounds(clip, span):
            try:
                seats.append(_seat(clip, categories[clip.index], span, folder, progress, stage))
            except MediaError as error:
                warnings.append(f"A clip that cannot be separated stays as it is: {error}")
    desk, heard = _heard(
        timeline, [seat for seat in seats if seat is not None], span, folder, progress, stage
    )
    leave_newest(folder, "listening-*.npz", _KEPT)
    mix = mix_of(desk, heard, in_styles(desk, heard))
    return replace(mix, warnings=(*warnings, *mix.warnings), null_dbfs=float("nan"))


def _span(timeline: Timeline, start: float, seconds: float) -> tuple[int, int]:
    """The stretch in the record's samples, first and after the last."""
    total = to_samples(timeline.edit.duration, SAMPLE_RATE)
    frame = max(0, round(min(start, float(timeline.edit.duration) - _SHORTEST) * MODEL_RATE / HOP))
    first = round(frame * HOP * SAMPLE_RATE / MODEL_RATE)
    return first, min(total, first + round(max(seconds, _SHORTEST) * SAMPLE_RATE))


def _sounds(clip: AudioClip, span: tuple[int, int]) -> bool:
    """Whether a clip sounds in a stretch, by itself or in a dissolve at its ends."""
    before = clip.leaf.before.into if clip.leaf.before else Fraction(0)
    after = clip.leaf.after.out_of if clip.leaf.after else Fraction(0)
    first, last = (Fraction(sample, SAMPLE_RATE) for sample in span)
    return clip.record_in - before < last and clip.record_out + after > first


def _seat(
    clip: AudioClip,
    category: Category,
    span: tuple[int, int],
    folder: Path,
    progress: Progress,
    stage: Stage,
) -> Seat | None:
    """A clip's place, separated over the stretch if it is not known what it holds; None for one that is silent."""
    if category.certain and category.stem:
        return Seat(clip, category, ridden=True)
    if category.kind == SILENT:
        return None
    passage = _part(clip, span)
    if passage is None:
        return None
    key = rendition_key(passage, stage.identity, Identities())
    shelf, name = Shelf(folder), key[:32]
    made = shelf.find(name, key, stems=True, raw=True)
    if made is None:
        made = stage.render(passage, folder, name, progress)
        shelf.store(key, span_key(passage), made)
    return Seat(clip, category, True, stems_of(passage, made), made)


def _part(clip: AudioClip, span: tuple[int, int]) -> Passage | None:
    """A clip's passage over a stretch of the record, with no handles; None where nothing of it sounds there."""
    whole = clip.passage(_HANDLES)
    ends = passage_times(clip.timeline, clip, np.array(span) / SAMPLE_RATE)
    rate = _rate(whole)
    lowest, highest = -whole.head, whole.sound.duration + whole.tail
    samples = (to_samples(Fraction(end), rate) for end in sorted(ends.tolist()))
    first, last = (
        min(max(Fraction(sample + beyond, rate), lowest), highest)
        for sample, beyond in zip(samples, (-MARGIN, MARGIN), strict=True)
    )
    if last <= first:
        return None
    sound = replace(whole.sound, start=whole.sound.start + first, duration=last - first)
    return replace(
        whole,
        sound=sound,
        head=Fraction(0),
        tail=Fraction(0),
        shots=_shown(whole.shots, first, last),
        notes=tuple(replace(note, start=note.start - first) for note in whole.notes),
    )


def _rate(passage: Passage) -> int:
    channels = passage.sound.channels
    return probe(passage.sound.path).audio[channels[0].stream if channels else 0].sample_rate


def _shown(shots: Sequence[Shot], first: Fraction, last: Fraction) -> tuple[Shot, ...]:
    """The shots seen between two passage times, in seconds from the first."""
    return tuple(
        replace(shot, start=shot.start - first)
        for shot in shots
        if shot.start < last and shot.start + shot.duration > first
    )


def _heard(
    timeline: Timeline,
    seats: list[Seat],
    span: tuple[int, int],
    folder: Path,
    progress: Progress,
    stage: Stage,
) -> tuple[Desk, Listening]:
    """All that sounds in the stretch, and what the network says; a clip that cannot be read there is silent."""

    def heard(broken: Collection[Pointer]) -> tuple[Desk, Listening]:
        desk = desk_of(timeline, seats, broken).over(span[0], span[1] - span[0])
        return desk, listened(desk, stage, listening_file(desk, stage, folder), progress)

    try:
        return heard(())
    except MediaError:
        broken = unreadable(timeline, progress, span)
        if not broken:
            raise
        return heard(broken)
