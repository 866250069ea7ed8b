"""A programme balanced: the network listens to all that sounds, and every clip gets its part of one curve per stem."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.edit import keyframes
from ...engine.edit.nodes import Pointer
from ...engine.errors import MediaError
from ...engine.highlight.bounce import Bounce, Make, Source, bounce, grid_times
from ...engine.highlight.levelling import level
from ...engine.highlight.spectral import GainRamps
from ...engine.media.container import layout_of
from ...engine.media.layout import Layout
from ...engine.media.reader import probe
from ...engine.media.time import to_samples
from ...engine.media.writer import Bext, Ixml, Subtype, WavWriter, time_reference
from ...engine.passage import Channel, GainCurves, Passage, Rendition
from ...engine.roles import STEMS
from ...engine.version import engine_version
from .applied import Applied, aim_of
from .balance import Balance, Stretch
from .desk import Desk, Seat, desk_of, record_times, rendered_first, stems_of
from .heard import in_styles, leave_newest, listened, listening_file, mix_of
from .keys import delivery_key, digest_of
from .mix import tell, write_mix
from .results import FAILED, RENDERED, ClipResult, Riding
from .settings import AUTO, KEYFRAMES
from .spectrogram import Spectrogram

if TYPE_CHECKING:
    from .bench import Bench
    from .plan import Plan, Task

Array = NDArray[np.float32]
Curve = NDArray[np.float64]

_KEPT = 4  # of what the network said of earlier states of a timeline
_ROW_SECONDS, _MOST_ROWS = 60, 24  # of the report's pictures of a programme
_NONE: Mapping[Pointer, MediaError] = {}
_MARGIN = 2.0  # s of curve kept before and after a clip: what dissolves play of it


def balance(
    bench: Bench, rendered: Sequence[tuple[Task, ClipResult]], broken: Mapping[Pointer, MediaError] = _NONE
) -> tuple[list[Seat], Balance | None]:
    """Decide on the gains of a whole programme; None where nothing can be moved. Raises MediaError and Cancelled.

    Clips at `broken` cannot be read and are taken for silent.
    """
    plan = bench.plan
    seats = [_seat(bench, task, result) for task, result in rendered]
    if not any(seat.ridden for seat in seats):
        return seats, None
    chosen = {seat.clip.index for seat in seats}
    still = [
        Seat(clip, plan.categories[clip.index], ridden=False)
        for clip in plan.timeline.clips
        if clip.index not in chosen and clip.index in plan.categories
    ]
    desk = desk_of(plan.timeline, [*seats, *still], broken)
    bench.begin("listen")
    settings, folder = plan.job.settings, bench.cache.folder
    kept = listening_file(desk, bench.stage, folder)
    if not settings.cache:
        kept.unlink(missing_ok=True)
    heard = listened(desk, bench.stage, kept, bench.progress)
    leave_newest(folder, "listening-*.npz", _KEPT)
    styles = in_styles(desk, heard)
    made, mix = styles[settings.style], mix_of(desk, heard, styles)
    applied = Applied.of(settings, plan.job.drawn)
    gains = applied.gains(made.gains, mix.times)
    bench.begin("level")
    levelled = level(desk.sum(), gains, aim_of(settings), bench.progress)
    gains = (gains + levelled.added).astype(np.float32)
    bench.begin("measure")
    null_dbfs, stretches = _looked_at(bench, desk, gains, broken)
    found = Balance(
        gains,
        applied.moves(made.moves, mix.times),
        made.doubt,
        levelled,
        replace(mix, null_dbfs=null_dbfs),
        heard.frames,
        heard.subjects,
        heard.warnings,
        dict(heard.seconds or {}),
        null_dbfs,
        any(seat.parted for seat in desk.seats),
        stretches,
        tuple(float(shot.start) for shot in plan.timeline.picture()[1:]),
        kept.with_name(kept.name.replace("listening", "mix")),
        plan.job.drawn,
    )
    write_mix(found.mix_file, found.mix)
    leave_newest(folder, "mix-*.npz", _KEPT)
    return seats, found


def _seat(bench: Bench, task: Task, result: ClipResult) -> Seat:
    clip = bench.plan.timeline.clip(task.facts.index)
    ridden = result.status != FAILED and (task.known or result.rendition is not None)
    made = result.rendition
    stems = None if made is None else stems_of(task.passage, made)
    return Seat(clip, task.category, ridden, stems, made)


def said_of(found: Balance, plan: Plan) -> tuple[str, ...]:
    """What was done to the programme and why: a sentence for the whole, then one for each stretch."""
    from ...engine.highlight.words import summary

    timeline = plan.timeline

    def timecode(seconds: float) -> str:
        return timeline.timecode(min(Fraction(seconds), timeline.duration))[:8]

    told = tell(found.mix, found.moves, found.doubt, timecode)
    null = found.null_dbfs if found.separated else None
    whole = summary(found.moves, found.gains.shape[1], doubt=found.doubt, null_dbfs=null)
    return (whole, *(one.text for one in told))


def _looked_at(
    bench: Bench, desk: Desk, gains: Array, broken: Collection[Pointer]
) -> tuple[float, tuple[Stretch, ...]]:
    """How far the lanes are from the sum of the originals (dBFS), and spectrograms of the sum, row by row."""
    what, originals = desk.sum(), None
    if any(seat.parted for seat in desk.seats):
        plain = [replace(seat, ridden=False, stems=None, parted=None) for seat in desk.seats]
        originals = desk_of(bench.plan.timeline, plain, broken).programme
        originals = originals if originals.channels == desk.programme.channels else None
    ramps = GainRamps(what.rate, len(STEMS))
    ramps.extend(gains)
    rows, highest, at = _Rows(what.rate, what.samples), 0.0, 0
    weights = desk.programme.layout.mono
    for block, whole in zip(what.blocks(), originals.blocks() if originals else repeat(None), strict=False):
        factors = ramps.pull(block.shape[2])
        dry = block.sum(axis=0, dtype=np.float64)
        wet = np.einsum("scn,sn->cn", block[: len(STEMS)], factors) + block[len(STEMS)]
        if whole is not None:
            highest = max(highest, float(np.abs(dry - whole.sum(axis=0, dtype=np.float64)).max(initial=0.0)))
        rows.push((weights @ dry).astype(np.float32), (weights @ wet).astype(np.float32))
        at += block.shape[2]
        bench.progress.report("measure", what.name, at / what.rate, what.samples / what.rate)
    return 20 * math.log10(highest) if highest > 0 else -math.inf, rows.result()


class _Rows:
    """Spectrograms of a programme before and after, in stretches that fit a row of the report."""

    def __init__(self, rate: int, samples: int) -> None:
        self._rate, self._left, self._at = rate, samples, 0
        self._length = max(_ROW_SECONDS * rate, -(-samples // _MOST_ROWS))
        self._made: list[Stretch] = []
        self._open: tuple[Spectrogram, Spectrogram] | None = None
        self._inside = 0

    def push(self, before: Array, after: Array) -> None:
        """Take in mono sound (n,) and (n,)."""
        while before.size:
            if self._open is None:
                self._inside = min(self._length, self._left)
                self._open = (Spectrogram(self._rate, self._inside), Spectrogram(self._rate, self._inside))
            count = min(before.size, self._inside)
            for gathered, sound in zip(self._open, (before, after), strict=True):
                gathered.push(sound[None, :count])
            before, after = before[count:], after[count:]
            self._inside, self._left, self._at = self._inside - count, self._left - count, self._at + count
            if not self._inside:
                self._close()

    def _close(self) -> None:
        assert self._open is not None
        first = self._made[-1].last if self._made else 0.0
        was, now = (gathered.png() for gathered in self._open)
        self._made.append(Stretch(first, self._at / self._rate, was, now, self._rate))
        self._open = None

    def result(self) -> tuple[Stretch, ...]:
        """The stretches in order."""
        return tuple(self._made)


# ---- clips


def finished(bench: Bench, seat: Seat, task: Task, result: ClipResult, found: Balance) -> ClipResult:
    """A clip with its part of the programme's curves, and its files written as the settings ask."""
    form = bench.plan.job.settings.as_
    if seat.known:  # its curve is worked out anew every time; it is a matter of moments
        result = replace(result, status=RENDERED)
    if seat.known and form in (AUTO, KEYFRAMES):
        return replace(result, rendition=None, riding=_riding(bench, seat, task, found))
    return replace(
        result, rendition=_delivered(bench, seat, task, found), riding=_muted_riding(bench, seat, task, found)
    )


def _muted_riding(bench: Bench, seat: Seat, task: Task, found: Balance) -> Riding | None:
    """A clip's curve where it lies muted beside its new sound."""
    if seat.known and bench.plan.job.settings.keyframed:
        return _riding(bench, seat, task, found)
    return None


def _riding(bench: Bench, seat: Seat, task: Task, found: Balance) -> Riding:
    what = _bounce_of(bench, seat, task, found)
    figures = bounce(what, _never, None, {}, bench.progress)
    start, end = float(seat.clip.record_in), float(seat.clip.record_out)
    times = found.times
    first, last = np.searchsorted(times, [start - _MARGIN, end + _MARGIN])
    first, last = max(0, int(first) - 1), min(times.size, int(last) + 1)
    row = found.gains[STEMS.index(seat.category.stem), first:last]
    line = keyframes.simplify((times[first:last] - start).round(6).tolist(), row.astype(float).tolist())
    return Riding(line, seat.category.stem, figures.before, figures.after)


def _never(path: Path, subtype: Subtype) -> WavWriter:
    raise AssertionError((path, subtype))


def _bounce_of(bench: Bench, seat: Seat, task: Task, found: Balance) -> Bounce:
    """A clip's sound, whole or in stems, and the programme's gains as it plays."""
    passage, parted = task.passage, seat.parted
    rate, samples, layout, picks = _media(passage)
    first = rendered_first(passage, rate)
    if parted is not None:
        sources = tuple(Source(stem, parted.stems[stem], 0) for stem in STEMS[:-1])
        sources += (Source(STEMS[-1], passage.sound.path, first, picks, passage.sound.stamp),)
    else:
        sources = (Source(seat.category.stem, passage.sound.path, first, picks, passage.sound.stamp),)
    times = grid_times(samples, rate) - float(passage.head)
    record = record_times(bench.plan.timeline, seat.clip, times)
    gains = np.stack([np.interp(record, found.times, row) for row in found.gains]).astype(np.float32)
    return Bounce(passage.name, sources, gains, rate, samples, layout, whole=parted is not None)


def _media(passage: Passage) -> tuple[int, int, Layout, tuple[Channel, ...] | None]:
    """Rate, samples with handles, layout as written, and channels in that order, of a passage's media."""
    sound = passage.sound
    info = probe(sound.path)
    layout = layout_of(info, sound.channels)
    rate = info.audio[sound.channels[0].stream if sound.channels else 0].sample_rate
    last = to_samples(sound.start + sound.duration, rate) + to_samples(passage.tail, rate)
    picks = sound.channels and tuple(sound.channels[channel] for channel in layout.wav_order)
    return rate, last - rendered_first(passage, rate), layout.in_wav_order(), picks


def _delivered(bench: Bench, seat: Seat, task: Task, found: Balance) -> Rendition:
    """A clip's new sound under its part of the curves, written, or as an earlier run has left it."""
    settings, passage, parted = bench.plan.job.settings, task.passage, seat.parted
    what = _bounce_of(bench, seat, task, found)
    raw = settings.keyframed and parted is not None
    wanted = _wanted(seat, settings, raw)
    curve = digest_of([what.gains.shape[1], what.gains.round(4).tobytes().hex()])
    start = passage.record_offset + passage.record_start - passage.head
    stamp = time_reference(start, what.rate)
    key = delivery_key(task.key, [curve, wanted, raw, stamp])
    name = bench.name_for(task.facts.index, key)
    there = bench.top.find(name, key, bool(wanted or raw), raw) if settings.cache else None
    if there is not None:
        return there
    folder = bench.top.folder
    bext = Bext(description=f"{passage.name} rebalanced by sightmix", time_reference=stamp)
    ixml = Ixml(note=bext.description, timecode_rate=passage.timecode_rate, drop_frame=passage.drop_frame)

    def make(path: Path, subtype: Subtype) -> WavWriter:
        channels = what.layout.channels
        return WavWriter(path, what.rate, channels, subtype=subtype, bext=bext, ixml=ixml, layout=what.layout)

    path = folder / f"{name}.wav"
    stems = {stem: folder / f"{name}.{stem}.wav" for stem in wanted}
    figures = bounce(what, make, path, stems, bench.progress)
    made = Rendition(
        identifier=passage.identifier,
        path=path,
        start=-passage.head,
        samples=what.samples,
        sample_rate=what.rate,
        channels=what.layout.channels,
        before=figures.before,
        after=figures.after,
        gains=_curves(what, passage, raw),
        stems=stems,
        stem_levels=dict(figures.stem_levels),
        frames=parted.frames if parted is not None else (),
        provenance=_provenance(bench, parted),
        warnings=parted.warnings if parted is not None else (),
    )
    if raw:
        made = replace(made, stems=_raw_stems(bench, seat, what, make, path), raw_stems=True)
    bench.top.store(key, task.span, made)
    return made


def _wanted(seat: Seat, settings: Any, raw: bool) -> tuple[str, ...]:
    """The stems whose files are written with their gains in them."""
    if raw or not settings.with_stems:
        return ()
    return STEMS if seat.parted is not None else (seat.category.stem,)


def _raw_stems(bench: Bench, seat: Seat, what: Bounce, make: Make, path: Path) -> dict[str, Path]:
    """A separated clip's stems as they are, beside its mix, each for its curve."""
    assert seat.parted is not None
    stems = {stem: path.with_name(f"{path.stem}.{stem}.wav") for stem in seat.parted.stems}
    # The cache knows them from another place on the timeline: their time stamps may be others.
    bounce(replace(what, gains=np.zeros_like(what.gains)), make, None, stems, bench.progress)
    return stems


def _curves(what: Bounce, passage: Passage, raw: bool) -> GainCurves:
    """The gains in passage time: every point where somebody applies them, every fourth to look at."""
    from ...engine.highlight.rebalance import CURVE_STEP

    step = 1 if raw else CURVE_STEP
    times = grid_times(what.samples, what.rate)[::step] - float(passage.head)
    present = {source.stem for source in what.sources}
    lines = {
        stem: tuple(round(float(v), 6) for v in row[::step])
        for stem, row in zip(STEMS, what.gains, strict=True)
        if stem in present
    }
    return GainCurves(tuple(round(float(t), 9) for t in times), lines)


def _provenance(bench: Bench, parted: Rendition | None) -> dict[str, object]:
    if parted is not None:
        return dict(parted.provenance)
    identity = bench.stage.identity
    return {"model": identity.model, "weights_sha256": identity.weights_sha256, "version": engine_version()}
