"""Delivery specs: what a broadcaster or platform asks of a mix, how to meet it, and whether files do."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.errors import MediaError, SettingsError
from ..engine.media.layout import Layout
from ..engine.media.reader import AudioStream, probe, read_blocks
from ..engine.programme.loudness import Figures, Gauge, summed
from ..engine.programme.programme import SAMPLE_RATE, Programme
from ..engine.progress import Progress
from ..engine.roles import DIALOGUE, MIX
from . import naming

Array = NDArray[np.float32]

_FOLDER = Path(__file__).parent / "delivery_specs"
_STEPS = 8
_STEEPEST = 6.0  # dB of gain for a dB of loudness behind the limiter
_CLOSE = 0.02  # LU from the target that is near enough
_SHY = 0.05  # dB the limiter stays below the ceiling, since it holds it within so much
_PEAK_TOLERANCE = 0.005  # dB: what rounding to 24 bits and to print may add


@dataclass(frozen=True)
class Limits:
    """A stretch a figure has to lie in; None where it is open. `advice` is not enforced."""

    low: float | None = None
    high: float | None = None
    advice: bool = False

    def hold(self, value: float, slack: float = 0.0) -> bool:
        """Whether `value` lies inside, give or take `slack`; one that is not a number does not."""
        low = -math.inf if self.low is None else self.low - slack
        high = math.inf if self.high is None else self.high + slack
        return low <= value <= high

    @property
    def text(self) -> str:
        """The limits in words."""
        if self.low is None or self.high is None:
            return f"at most {self.high:g}" if self.low is None else f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Spec:
    """A delivery spec; all of it is data in `delivery_specs/`.

    `measure` is "programme" (BS.1770-4, both gates) or "dialogue" (the mean of the mix over the 400 ms blocks in
    which the dialogue stem is active). `target` and `tolerance` in LUFS and LU, `true_peak` the highest allowed in
    dBTP. Where speech fills no more than `least_speech` of a programme measured by its dialogue, `sparse_target`
    for the whole programme counts instead. `range` limits the loudness range (LU), `speech_ratio` the programme
    less the dialogue loudness (LU); both only for `range_channels` channels or more.
    """

    key: str
    title: str
    source: str
    measure: str
    target: float
    tolerance: float
    true_peak: float
    least_speech: float = 0.0
    sparse_target: float | None = None
    range: Limits | None = None
    range_channels: int = 1
    speech_ratio: Limits | None = None
    sample_rates: tuple[int, ...] = ()
    bits: tuple[int, ...] = ()


@cache
def specs() -> dict[str, Spec]:
    """Every delivery spec by its key."""
    found = [_spec(path) for path in sorted(_FOLDER.glob("*.json"), key=lambda path: path.stem)]
    return {spec.key: spec for spec in found}


def find_spec(key: str) -> Spec:
    """The spec called `key`; SettingsError naming those there are."""
    wanted = key.strip().lower()
    if wanted not in specs():
        raise SettingsError(f"There is no delivery spec '{key}'; choose among {', '.join(specs())}.")
    return specs()[wanted]


def _spec(path: Path) -> Spec:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    known = {f.name for f in fields(Spec)} - {"key"}
    given = {name: value for name, value in data.items() if name in known}
    for name in ("range", "speech_ratio"):
        if name in given:
            given[name] = Limits(**given[name])
    for name in ("sample_rates", "bits"):
        given[name] = tuple(given.get(name, ()))
    return Spec(key=path.stem, **given)


def level(figures: Figures, spec: Spec) -> tuple[float, float]:
    """The loudness of a mix that counts for `spec` and its target, LUFS; nan where it cannot be told."""
    if spec.measure != "dialogue":
        return figures.loudness.integrated, spec.target
    if figures.dialogue is None:
        return math.nan, spec.target
    if spec.sparse_target is not None and figures.speech <= spec.least_speech:
        return figures.loudness.integrated, spec.sparse_target
    return figures.dialogue, spec.target


@dataclass(frozen=True)
class Stage:
    """What is done to all parts alike: a gain in dB, and a true-peak ceiling (dBTP) on their sum if it is needed."""

    gain_db: float = 0.0
    ceiling_dbtp: float | None = None
    notes: tuple[str, ...] = field(default=())

    def apply(self, blocks: Iterator[Array], parts: int, channels: int) -> Iterator[Array]:
        """Blocks (parts, channels, n) with gain, and the mix's limiting on every part so that they still sum."""
        gain = np.float32(10 ** (self.gain_db / 20))
        if self.ceiling_dbtp is None:
            for block in blocks:
                yield block * gain if self.gain_db else block
            return
        from ..engine.media.limiter import Limiter

        limiter = Limiter(SAMPLE_RATE, channels * (parts + 1), self.ceiling_dbtp, steering=channels)
        empty = np.zeros((parts, channels, 0), np.float32)
        for block, last in _with_end(blocks, empty):
            louder = block * gain
            mix = louder.sum(axis=0, dtype=np.float64).astype(np.float32)
            rows = np.concatenate([mix[None], louder]).reshape(channels * (parts + 1), -1)
            made = limiter.process(rows, last=last)
            yield made.reshape(parts + 1, channels, -1)[1:]


def _with_end(blocks: Iterator[Array], empty: Array) -> Iterator[tuple[Array, bool]]:
    for block in blocks:
        yield block, False
    yield empty, True


def find_stage(source: Programme, spec: Spec, progress: Progress) -> Stage:
    """The gain and ceiling that bring `source` to `spec`.

    What the limiter takes away is made up for, within a few steps. Raises SettingsError where the spec counts
    dialogue and there is no dialogue part.
    """
    if spec.measure == "dialogue" and DIALOGUE.short not in source.parts:
        raise SettingsError(
            f"{spec.title} is measured on the dialogue, and this timeline has no dialogue stem; rebalance it with "
            "--stems or --as keyframes."
        )
    figures = _measured(source, Stage(), progress)
    counted, target = level(figures, spec)
    if not math.isfinite(counted):
        return Stage(notes=(f"There is no loudness to bring to {target:g} LUFS; levels are as they were.",))
    stage = Stage(gain_db=target - counted)
    if figures.loudness.true_peak + stage.gain_db > spec.true_peak - _SHY:
        stage = _made_up(source, spec, replace(stage, ceiling_dbtp=spec.true_peak - _SHY), progress)
        over = figures.loudness.true_peak + stage.gain_db - spec.true_peak
        stage = replace(
            stage, notes=(f"The limiter lowered the highest peak by up to {over:.1f} dB on all stems alike.",)
        )
    return replace(stage, gain_db=round(stage.gain_db, 6))


def _made_up(source: Programme, spec: Spec, stage: Stage, progress: Progress) -> Stage:
    """The stage with enough gain to meet the target behind its limiter, by secants."""
    slope, before = 1.0, (math.nan, math.nan)
    for _ in range(_STEPS):
        counted, target = level(_measured(source, stage, progress), spec)
        if abs(target - counted) < _CLOSE:
            break
        if abs(counted - before[1]) > 1e-3:
            # The deeper the limiter works the less of a gain comes through.
            slope = min(max((stage.gain_db - before[0]) / (counted - before[1]), 1.0), _STEEPEST)
        before = (stage.gain_db, counted)
        stage = replace(stage, gain_db=stage.gain_db + slope * (target - counted))
    return stage


def _measured(source: Programme, stage: Stage, progress: Progress) -> Figures:
    gauge = Gauge(SAMPLE_RATE, source.layout, source.layout if DIALOGUE.short in source.parts else None)
    blocks = stage.apply(source.blocks(), len(source.parts), source.channels)
    return gauge.take(summed(blocks, source.parts), source.samples, SAMPLE_RATE, source.name, progress)


@dataclass(frozen=True)
class Row:
    """One line of a check: what was measured of which file, in which unit, and what the spec wants."""

    file: str
    figure: str
    measured: float
    wanted: str
    unit: str
    passed: bool
    advice: bool = False

    @property
    def out(self) -> bool:
        """Whether it misses what the spec enforces."""
        return not self.passed and not self.advice


def judge(name: str, figures: Figures, spec: Spec, channels: int) -> list[Row]:
    """A mix's figures held against a spec."""
    counted, target = level(figures, spec)
    gated = spec.measure == "dialogue" and target == spec.target
    label = "dialogue loudness" if gated else "programme loudness"
    wanted = f"{target:g} ± {spec.tolerance:g}"
    inside = Limits(target - spec.tolerance, target + spec.tolerance).hold(_shown(counted))
    peak = figures.loudness.true_peak
    ceiling = Limits(high=spec.true_peak)
    rows = [
        Row(name, label, counted, wanted, "LUFS", inside),
        Row(name, "true peak", peak, ceiling.text, "dBTP", ceiling.hold(peak, _PEAK_TOLERANCE)),
    ]
    if spec.range is not None and channels >= spec.range_channels:
        lra = figures.loudness.range
        rows.append(Row(name, "loudness range", lra, spec.range.text, "LU", *_within(spec.range, lra)))
    if spec.speech_ratio is not None and figures.dialogue != -math.inf:
        ratio = math.nan if figures.dialogue is None else figures.loudness.integrated - figures.dialogue
        rows.append(
            Row(name, "loudness to dialogue", ratio, spec.speech_ratio.text, "LU",
                *_within(spec.speech_ratio, ratio))
        )  # fmt: skip
    return rows


def _within(limits: Limits, value: float) -> tuple[bool, bool]:
    return limits.hold(_shown(value)), limits.advice


def _shown(value: float) -> float:
    """A figure as it is printed, so that what reads like the limit is inside it."""
    return round(value, 2) if math.isfinite(value) else value


def check_files(paths: Sequence[Path], spec: Spec, progress: Progress | None = None) -> tuple[Row, ...]:
    """Measure delivered files against a spec, a mix at a time.

    Stems beside a mix (by name, given or in its folder) tell where dialogue is, and must be as long and begin as
    early. Multi-mono files count together. Raises MediaError for files that cannot be read, SettingsError where
    there is no mix among them.
    """
    progress = progress or Progress()
    mixes = _mixes(paths)
    if not mixes:
        raise SettingsError(
            "There is no mix among these files; give the MIX, or any file that is not a stem."
        )
    rows: list[Row] = []
    for name, mix, stems in mixes:
        rows += _format_rows(name, mix, spec)
        rows += _aligned_rows(name, mix, stems)
        figures = _measure_files(name, mix, stems.get(DIALOGUE.short), progress)
        rows += judge(name, figures, spec, sum(probe(path).audio[0].channels for path in mix))
    return tuple(rows)


Files = tuple[Path, ...]


def _mixes(paths: Sequence[Path]) -> list[tuple[str, Files, dict[str, Files]]]:
    """Name, files and stems of every mix among `paths`, in order."""
    found: dict[str, tuple[str, Files, dict[str, Files]]] = {}
    for path in paths:
        if not path.is_file():
            raise MediaError(f"{path} does not exist; check the path.")
        name = naming.parse(path)
        if name is None:
            found.setdefault(str(path), (path.name, (path,), {}))
        elif name.stem == MIX.short:
            stems = {stem: _set_of(path.parent, replace(name, stem=stem)) for stem in naming.STEMS}
            present = {stem: files for stem, files in stems.items() if files and stem != MIX.short}
            whole = replace(name, speaker="").file
            found.setdefault(str(path.parent / whole), (whole, stems[MIX.short], present))
    return list(found.values())


def _set_of(folder: Path, name: naming.StemName) -> Files:
    """A stem's files: the interleaved one, or all of its channels in order; none where one is missing."""
    if not name.speaker:
        path = folder / name.file
        return (path,) if path.is_file() else ()
    for layout in Layout.called(name.layout):
        files = tuple(folder / replace(name, speaker=label).file for label in layout.labels)
        if all(path.is_file() for path in files):
            return files
    return ()


def _format_rows(name: str, files: Files, spec: Spec) -> list[Row]:
    rows = []
    stream = _sound_of(files[0])
    if spec.sample_rates:
        wanted = " or ".join(str(rate) for rate in spec.sample_rates)
        rate = stream.sample_rate
        rows.append(Row(name, "sample rate", rate, wanted, "Hz", rate in spec.sample_rates))
    bits = _bits_of(files[0])
    if spec.bits and bits:
        wanted = " or ".join(str(depth) for depth in spec.bits)
        rows.append(Row(name, "bit depth", bits, wanted, "bits", bits in spec.bits))
    return rows


def _sound_of(path: Path) -> AudioStream:
    streams = probe(path).audio
    if not streams:
        raise MediaError(f"{path} has no sound; give files with sound.")
    return streams[0]


def _bits_of(path: Path) -> int:
    """Bits per sample of a file that libsndfile knows; 0 where it does not, or where they are not integers."""
    import soundfile

    try:
        subtype = soundfile.info(str(path)).subtype
    except (soundfile.SoundFileError, OSError):
        return 0
    return int(subtype.removeprefix("PCM_")) if subtype in ("PCM_16", "PCM_24", "PCM_32") else 0


def _aligned_rows(name: str, mix: Files, stems: dict[str, Files]) -> list[Row]:
    """Whether stems begin and end where their mix does."""
    rows = []
    own = _sound_of(mix[0])
    start = probe(mix[0]).timecode or 0
    for stem, files in stems.items():
        for path in files:
            other = _sound_of(path)
            late = float((probe(path).timecode or 0) - start) * own.sample_rate
            longer = (other.samples or 0) - (own.samples or 0)
            if late or longer:
                off = late or float(longer)
                rows.append(Row(name, f"{stem} in line", off, "0", "samples", passed=False))
                break
        else:
            rows.append(Row(name, f"{stem} in line", 0.0, "0", "samples", passed=True))
    return rows


def _measure_files(name: str, mix: Files, dialogue: Files | None, progress: Progress) -> Figures:
    stream = _sound_of(mix[0])
    rate = stream.sample_rate
    usable = dialogue is not None and _sound_of(dialogue[0]).sample_rate == rate
    spoken = dialogue if usable else None
    gauge = Gauge(rate, _layout(mix), _layout(spoken) if spoken else None)
    samples = stream.samples if stream.samples is not None else math.ceil(stream.duration * rate)
    others = _joined(spoken, samples) if spoken else itertools.repeat(None)
    return gauge.take(zip(_joined(mix, samples), others, strict=False), samples, rate, name, progress)


def _layout(files: Files) -> Layout:
    """What the files of one stem are for together: one layout, or a channel each."""
    return Layout.joined([_sound_of(path).layout for path in files])


def _joined(files: Files, samples: int) -> Iterator[Array]:
    """The channels of several files side by side."""
    for blocks in zip(*(read_blocks(path, 0, samples) for path in files), strict=True):
        yield np.concatenate(blocks)
