"""Training scenes: soundtracks laid from recordings, mixed well, then muddied, and the gains that undo it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, sosfilt

from ...errors import TrainingError
from ..material.corpus import Corpus, Item
from ..material.levels import (
    HOP,
    SAMPLE_RATE,
    STEMS,
    Array,
    activity,
    apply_gain,
    decibels,
    frame_power,
    frames_of,
    loudness,
)
from .muddy import PEAK_CEILING, draw, peak_guard
from .settings import PRODUCT, SceneConfig
from .targets import (
    EffectsNature,
    Target,
    draw_presence,
    draw_target,
    flat_gain,
    spotlit,
)

GAIN_LIMIT_DB = 18.0


@dataclass(frozen=True)
class Drawn:
    """A recording a source handed out: `audio` (samples,) mono 44.1 kHz, and where it comes from.

    `picture` is the id of a picture that shows what sounds, where there is one.
    """

    audio: Array
    name: str
    package: str
    picture: str | None = None


class SoundSource(Protocol):
    """Where scenes take recordings from."""

    def draw(self, kind: str, rng: np.random.Generator, samples: int, near: Drawn | None = None) -> Drawn:
        """A recording of "speech", "music" or "effects", or an excerpt of it, at most `samples` long.

        `near` asks for a neighbour of an earlier one: the same package, most often the same voice.
        """
        ...

    def draw_picture(self, rng: np.random.Generator) -> str | None:
        """The id of any picture, or None when the source has no pictures."""
        ...

    def draw_subject(self, rng: np.random.Generator, kind: str) -> str | None:
        """The id of a picture of something that would be heard as `kind`, or None when there is none."""
        ...


Pictures = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Scene:
    """A muddy input and the way back to the good mix.

    `stems` (3, samples) float32 are the muddy stems, their sum the input; `gains_db` (3, frames) take them to
    the target, frame k belonging to sample 1024·k + 512; `active` (3, frames) says where each stem sounds,
    where alone its gain means something. `pictures` are (seconds, picture id), in order, or None.
    """

    stems: Array
    gains_db: Array
    active: NDArray[np.bool_]
    record: dict[str, Any]
    pictures: Pictures | None = None

    def mix(self) -> Array:
        """The muddy mix (samples,): the model's input."""
        return np.asarray(np.sum(self.stems, axis=0), np.float32)

    def target_stems(self) -> Array:
        """The well-mixed stems (3, samples)."""
        return apply_gain(self.stems, self.gains_db)

    def target(self) -> Array:
        """The good mix (samples,)."""
        return np.asarray(np.sum(self.target_stems(), axis=0), np.float32)


# Laying a stem -----------------------------------------------------------------------------------------


def _level(x: Array, wanted_db: float) -> Array:
    """A recording brought to a level: the mean square of its loud half-frames in dBFS."""
    power = frame_power(x)
    loud = power[power >= 0.1 * float(np.max(power, initial=0.0))]
    mean = float(np.mean(loud)) if loud.size else 0.0
    if mean < 1e-10:
        return np.zeros_like(x)
    return x * np.float32(10.0 ** (wanted_db / 20.0) / np.sqrt(mean))


def _faded(x: Array, fade_in: float, fade_out: float) -> Array:
    """Raised-cosine fades of the given seconds, at most half the recording each."""
    y = x.copy()
    for seconds, side in ((fade_in, slice(None)), (fade_out, slice(None, None, -1))):
        n = min(round(seconds * SAMPLE_RATE), x.size // 2)
        if n > 1:
            curve = (0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, n))).astype(np.float32)
            y[side][:n] *= curve
    return y


def _put(stem: Array, x: Array, start: int) -> None:
    """Add a recording to a stem at a sample, cut at the stem's edges."""
    skip = max(0, -start)
    start = max(0, start)
    count = min(x.size - skip, stem.size - start)
    if count > 0:
        stem[start : start + count] += x[skip : skip + count]


def _respeed(x: Array, factor: float) -> Array:
    """A recording played `factor` times as fast, pitch and all."""
    return np.asarray(soxr.resample(x, SAMPLE_RATE * factor, SAMPLE_RATE, quality="LQ"), np.float32)


def _tilt(x: Array, gain_db: float, corner: float) -> Array:
    """A first-order high shelf: `gain_db` above `corner` Hz, nothing below."""
    k = np.tan(np.pi * corner / SAMPLE_RATE)
    v = 10.0 ** (gain_db / 20.0)
    sos = np.array([[(v + k) / (1 + k), (k - v) / (1 + k), 0.0, 1.0, (k - 1) / (1 + k), 0.0]])
    return np.asarray(sosfilt(sos, x), np.float32)


def _low_pass(x: Array, corner: float) -> Array:
    return np.asarray(sosfilt(butter(6, corner, fs=SAMPLE_RATE, output="sos"), x), np.float32)


def _reverb(x: Array, seconds: float, wet_db: float, rng: np.random.Generator) -> Array:
    """A room: the recording plus its convolution with noise that decays by 60 dB in `seconds`."""
    n = round(seconds * SAMPLE_RATE)
    room = rng.standard_normal(n, dtype=np.float32)
    room *= np.exp(-6.9 * np.arange(n, dtype=np.float32) / n)
    room[: round(rng.uniform(0.004, 0.03) * SAMPLE_RATE)] = 0.0
    room *= np.float32(10.0 ** (wet_db / 20.0) / np.sqrt(np.sum(room * room)))
    size = next_fast_len(x.size + n, real=True)
    wet = irfft(rfft(x, size) * rfft(room, size), size)[: x.size]
    return np.asarray(x + wet, np.float32)


def _coloured(stem: Array, kind: str, config: SceneConfig, rng: np.random.Generator) -> Array:
    """A laid stem through a room, a band limit or a tilt; narrow bands fall on every class."""
    if not config.augment:
        return stem
    if rng.random() < config.reverb * (1.0 if kind != "music" else 0.3):
        stem = _reverb(stem, float(rng.uniform(0.15, 0.7)), float(rng.uniform(-14.0, -3.0)), rng)
    if rng.random() < (config.low_pass if kind != "speech" else 0.3 * config.low_pass):
        return _low_pass(stem, float(rng.uniform(4000.0, 8000.0)))
    if rng.random() < 0.4:
        stem = _tilt(
            stem, float(rng.uniform(-7.0, 7.0)), float(np.exp(rng.uniform(np.log(300), np.log(4000))))
        )
    return stem


def _lay_speech(source: SoundSource, n: int, rng: np.random.Generator) -> Array:
    """One or two speakers in turns, with pauses, from dense talk to a sentence or two."""
    stem = np.zeros(n, np.float32)
    speakers = [source.draw("speech", rng, 6 * SAMPLE_RATE) for _ in range(1 + int(rng.random() < 0.35))]
    pause = float(rng.choice([0.35, 0.9, 2.5], p=[0.4, 0.4, 0.2]))
    offsets = [float(rng.uniform(-2.0, 2.0)) for _ in speakers]
    place = round(min(rng.exponential(0.8), 5.0) * SAMPLE_RATE) - (SAMPLE_RATE if rng.random() < 0.3 else 0)
    who, spoken = 0, speakers[0]
    while place < n - SAMPLE_RATE // 4:
        said = _level(spoken.audio, -23.0 + offsets[who] + float(rng.normal(0.0, 1.2)))
        _put(stem, _faded(said, 0.005, 0.02), place)
        place += said.size + round(float(rng.exponential(pause) + 0.08) * SAMPLE_RATE)
        if rng.random() < 0.5:
            who = (who + 1) % len(speakers)
        spoken = source.draw("speech", rng, 6 * SAMPLE_RATE, near=speakers[who])
    return stem


def _lay_music(source: SoundSource, n: int, config: SceneConfig, rng: np.random.Generator) -> Array:
    """One cue, or two that cross-fade; it may begin late or end early, with a fade."""
    speed = float(np.exp(rng.uniform(-0.12, 0.12))) if config.augment and rng.random() < 0.4 else 1.0

    def cue(samples: int) -> Array:
        drawn = source.draw("music", rng, int(samples * speed) + HOP).audio
        return _level(drawn if speed == 1.0 else _respeed(drawn, speed), -23.0)[:samples]

    stem = np.zeros(n, np.float32)
    fades = rng.uniform(0.05, 2.5, 2)
    if rng.random() < 0.15:
        turn = round(float(rng.uniform(0.25, 0.75)) * n)
        cross = round(float(rng.uniform(0.2, 1.5)) * SAMPLE_RATE)
        _put(stem, _faded(cue(min(n, turn + cross)), 0.01, cross / SAMPLE_RATE), 0)
        _put(stem, _faded(cue(n - turn), cross / SAMPLE_RATE, 0.01), turn)
        return stem
    late = round(float(rng.uniform(0.5, 5.0)) * SAMPLE_RATE) if rng.random() < 0.15 else 0
    early = round(float(rng.uniform(0.5, 4.0)) * SAMPLE_RATE) if rng.random() < 0.15 else 0
    length = max(n - late - early, 2 * SAMPLE_RATE)
    music = cue(length)
    while music.size < min(length, SAMPLE_RATE) + length // 2:
        more = cue(length)
        if not more.size:
            raise TrainingError("A music recording of the training corpus is empty: rebuild the corpus.")
        music = np.concatenate([music, more])
    music = _faded(music[:length], fades[0] if late else 0.01, fades[1] if early else 0.01)
    _put(stem, music, late)
    return stem


def _bed(source: SoundSource, n: int, rng: np.random.Generator) -> Array:
    """An ambience under everything: the longest of three recordings, looped with cross-fades."""
    drawn = max((source.draw("effects", rng, n).audio for _ in range(3)), key=lambda audio: audio.size)
    stem = np.zeros(n, np.float32)
    if drawn.size < HOP:
        return stem
    cross = min(drawn.size // 3, SAMPLE_RATE // 2)
    piece = drawn if drawn.size >= n else _faded(drawn, cross / SAMPLE_RATE, cross / SAMPLE_RATE)
    place = 0 if drawn.size >= n else -int(rng.integers(0, drawn.size - cross))
    while place < n:
        _put(stem, piece, place)
        place += max(piece.size - cross, HOP)
    return _level(stem, -23.0)


@dataclass(frozen=True)
class _Effects:
    """A laid effects stem, its share of hits (0…1), its events as (start s, end s, picture id or None)."""

    stem: Array
    transient: float
    events: tuple[tuple[float, float, str | None], ...]


def _event(source: SoundSource, config: SceneConfig, rng: np.random.Generator) -> tuple[Array, Drawn]:
    """One recording, sometimes faster or slower, at a level that lies within ±5 dB of the others'."""
    drawn = source.draw("effects", rng, round(float(rng.uniform(1.0, 6.0)) * SAMPLE_RATE))
    audio = drawn.audio
    if config.augment and rng.random() < 0.5:
        audio = _respeed(audio, float(np.exp(rng.uniform(-0.45, 0.35))))
    return _faded(_level(audio, -23.0 + float(rng.uniform(-5.0, 5.0))), 0.002, 0.05), drawn


def _lay_effects(source: SoundSource, n: int, config: SceneConfig, rng: np.random.Generator) -> _Effects:
    """One to six events, some repeated, over an ambience bed or none; or a bed alone."""
    stem = np.zeros(n, np.float32)
    events: list[tuple[float, float, str | None]] = []
    shape = rng.random()
    if shape > 0.12:
        for _ in range(int(rng.integers(1, 7))):
            audio, drawn = _event(source, config, rng)
            repeats = int(rng.integers(2, 6)) if rng.random() < 0.3 and audio.size < 1.5 * SAMPLE_RATE else 1
            place = int(rng.integers(-audio.size // 4, max(1, n - audio.size // 2)))
            step = audio.size + round(float(rng.exponential(0.3)) * SAMPLE_RATE)
            for i in range(repeats):
                _put(stem, audio, place + i * step)
                start = (place + i * step) / SAMPLE_RATE
                events.append((max(0.0, start), start + audio.size / SAMPLE_RATE, drawn.picture))
    transient = 1.0
    if shape <= 0.12 or rng.random() < 0.45:
        below = 0.0 if shape <= 0.12 else float(rng.uniform(6.0, 18.0))
        stem += _bed(source, n, rng) * np.float32(10.0 ** (-below / 20.0))
        transient = min(1.0, below / 14.0)
    seconds = n / SAMPLE_RATE
    return _Effects(stem, transient, tuple(e for e in events if e[0] < seconds))


# Pictures ----------------------------------------------------------------------------------------------


def _show(
    effects: _Effects | None, source: SoundSource, frames: int, config: SceneConfig, rng: np.random.Generator
) -> tuple[Pictures | None, NDArray[np.float64] | None]:
    """Pictures of a scene, one to three shots of two seconds or more, and where what sounds is seen."""
    if rng.random() >= config.picture or (elsewhere := source.draw_picture(rng)) is None:
        return None, None
    seconds = frames * HOP / SAMPLE_RATE
    shots = max(1, min(int(rng.integers(1, 4)), int(seconds // 2)))
    starts = np.arange(shots) * seconds / shots
    seen = np.zeros(frames)
    pictures: list[tuple[float, str]] = []
    for i, start in enumerate(starts):
        end = start + seconds / shots
        here = [e for e in (effects.events if effects else ()) if e[2] and e[0] < end and e[1] > start]
        picture = elsewhere if i == 0 else (source.draw_picture(rng) or elsewhere)
        if here and rng.random() < 0.6:
            picture = str(here[int(rng.integers(len(here)))][2])
        pictures.append((float(start), picture))
        for event in here:
            if event[2] == picture:
                first, last = max(event[0], start), min(event[1], end)
                seen[int(first * SAMPLE_RATE / HOP) : int(last * SAMPLE_RATE / HOP) + 1] = 1.0
    smooth = np.convolve(
        np.pad(seen, 6, mode="edge"), np.hanning(15)[1:-1] / np.hanning(15).sum(), mode="valid"
    )
    return tuple(pictures), smooth


@dataclass(frozen=True)
class _Spotlight:
    """Shots that show whose sound to bring out: pictures as in `Scene`, and the stem that leads (frames,), -1: none."""

    pictures: Pictures
    leads: NDArray[np.int64]


def _compose(
    power: NDArray[np.float64], present: NDArray[np.bool_], source: SoundSource, rng: np.random.Generator
) -> _Spotlight | None:
    """One to three shots, each of something that sounds in it, or of nothing that does; None without such pictures."""
    frames = power.shape[1]
    seconds = frames * HOP / SAMPLE_RATE
    shots = max(1, min(int(rng.integers(1, 4)), int(seconds // 2)))
    edges = [round(i * frames / shots) for i in range(shots + 1)]
    leads = np.full(frames, -1, np.int64)
    pictures: list[tuple[float, str]] = []
    heard = np.stack([activity(row) for row in decibels(power)]) & present[:, None]
    for i, (first, last) in enumerate(pairwise(edges)):
        sounding = [k for k in range(3) if np.mean(heard[k, first:last]) > 0.3]
        # A picture of nothing that sounds is rarer where there is a choice to make.
        lead = int(rng.choice(sounding)) if sounding and rng.random() < 0.9 else -1
        picture = source.draw_picture(rng) if lead < 0 else source.draw_subject(rng, STEMS[lead])
        if picture is None:
            return None
        pictures.append((i * seconds / shots, picture))
        leads[first:last] = lead
    return _Spotlight(tuple(pictures), leads)


def respotlit(
    levels: NDArray[np.float64],
    level_db: NDArray[np.float64],
    source: SoundSource,
    rng: np.random.Generator,
) -> tuple[Pictures, Array] | None:
    """Other pictures for a scene and the gains (3, frames) in dB that bring out whose sound they show.

    `levels` (3,) LUFS (-inf: silent) and frame levels (3, frames) dBFS are those of its stems as they are. None where
    the source has no pictures for it.
    """
    spotlight = _compose(10.0 ** (level_db / 10.0), np.isfinite(levels), source, rng)
    if spotlight is None:
        return None
    return spotlight.pictures, spotlit(levels, spotlight.leads, rng).gains_db


# Mixing and muddying -----------------------------------------------------------------------------------


def _clean_stems(
    source: SoundSource, n: int, config: SceneConfig, rng: np.random.Generator
) -> tuple[Array, _Effects | None]:
    """Stems (3, samples) laid at about the same level, silent where the draw says so."""
    speech, music, effects = draw_presence(rng, config.presence)
    stems = np.zeros((3, n), np.float32)
    laid: _Effects | None = None
    if speech:
        stems[0] = _coloured(_lay_speech(source, n, rng), "speech", config, rng)
    if music:
        stems[1] = _coloured(_lay_music(source, n, config, rng), "music", config, rng)
    if effects:
        laid = _lay_effects(source, n, config, rng)
        stems[2] = _coloured(laid.stem, "effects", config, rng)
    return stems, laid


def _policy(config: SceneConfig, rng: np.random.Generator) -> str:
    if rng.random() < config.untouched:
        return "none"
    names = list(config.policies)
    shares = np.array([config.policies[name] for name in names], float)
    return str(rng.choice(names, p=shares / shares.sum()))


def _target_guard(stems: Array, gains_db: Array) -> float:
    """Common gain in dB (0 or less) that keeps the good mix under the ceiling."""
    frames = gains_db.shape[1]
    padded = np.zeros((3, frames * HOP), np.float32)
    padded[:, : stems.shape[1]] = np.abs(stems)
    peaks = padded.reshape(3, frames, HOP).max(axis=2)
    bound = np.sum(peaks * 10.0 ** (gains_db / 20.0), axis=0).max()
    return 0.0 if bound < PEAK_CEILING else peak_guard(apply_gain(stems, gains_db))


def _aim(
    effects: _Effects | None,
    source: SoundSource,
    levels: NDArray[np.float64],
    power: NDArray[np.float64],
    config: SceneConfig,
    rng: np.random.Generator,
) -> tuple[Pictures | None, Target]:
    """What a scene shows, and the good mix for it."""
    # Presets without composed scenes keep their sequence of draws, and with it the scenes they have always had.
    if config.composed and rng.random() < config.composed:
        spotlight = _compose(power, np.isfinite(levels), source, rng)
        if spotlight is not None:
            target = spotlit(levels, spotlight.leads, rng)
            return _unless_blind(spotlight.pictures, config, rng), target
    pictures, seen = _show(effects, source, power.shape[1], config, rng)
    nature = EffectsNature(effects.transient if effects else 1.0, seen)
    kind = "random" if config.random and rng.random() < config.random else config.target
    target = draw_target(kind, levels, decibels(power), rng, nature)
    return _unless_blind(pictures, config, rng), target


def _unless_blind(
    pictures: Pictures | None, config: SceneConfig, rng: np.random.Generator
) -> Pictures | None:
    return None if config.blind and rng.random() < config.blind else pictures


def draw_scene(
    source: SoundSource,
    seed: int | Sequence[int],
    seconds: float = 10.0,
    config: SceneConfig = PRODUCT,
) -> Scene:
    """Lay, mix and muddy one scene of `seconds`; the same seed gives the same scene.

    The good mix stays under -0.5 dBFS by a common gain on everything. Where the muddy sum would pass that
    ceiling its stems are turned down together, and `gains_db` include the way back up. Gains lie
    within ±18 dB.
    """
    rng = np.random.default_rng(seed)
    n = round(seconds * SAMPLE_RATE)
    frames = frames_of(n)
    stems, effects = _clean_stems(source, n, config, rng)
    levels = np.array([loudness(stem) for stem in stems])
    stems[~np.isfinite(levels)] = 0.0
    power = frame_power(stems)
    pictures, target = _aim(effects, source, levels, power, config, rng)
    policy = _policy(config, rng)
    trim = config.trim_sd * float(np.clip(rng.standard_normal(), -2.0, 2.0))
    good_db = target.gains_db + np.float32(trim)
    good_db += np.float32(_target_guard(stems, good_db))
    flat_db = flat_gain(power, good_db)
    flat = policy != "none" and bool(rng.random() < config.flat)
    base_db = np.repeat(flat_db[:, None], frames, axis=1) if flat else good_db
    spoilt = draw(policy, levels + flat_db, frames, rng, decibels(power) + flat_db[:, None])
    muddy_db = (base_db + spoilt.curve_db).astype(np.float32)
    muddy = apply_gain(stems, muddy_db)
    guard = np.float32(peak_guard(muddy))
    if guard < 0.0:
        muddy *= np.float32(10.0 ** (guard / 20.0))
    gains_db = np.clip(good_db - muddy_db - guard, -GAIN_LIMIT_DB, GAIN_LIMIT_DB)
    sounding = np.stack([activity(row) for row in decibels(power) + muddy_db + guard])
    gains_db[~np.isfinite(levels)] = 0.0
    record = {
        **_record(target, flat, float(guard)),
        "degradation": spoilt.record,
        "present": np.isfinite(levels).tolist(),
    }
    return Scene(muddy, gains_db.astype(np.float32), sounding, record, pictures)


def _record(target: Target, flat: bool, guard: float) -> dict[str, Any]:
    return {"target": target.record, "flat": flat, "guard_db": round(guard, 3)}


def scene_seed(split: str, index: int, seed: int = 0) -> tuple[int, ...]:
    """The seed of scene `index` of a split: no two splits share a scene. A run's own `seed` gives it others."""
    return (zlib.crc32(split.encode()), index) + ((seed,) if seed else ())


@dataclass(frozen=True)
class RandomScenes:
    """An endless, repeatable sequence of scenes: `scenes[i]` of a `seed` is always the same; validation takes 0…N-1."""

    source: SoundSource
    split: str
    seconds: float = 10.0
    config: SceneConfig = PRODUCT
    seed: int = 0

    def __getitem__(self, index: int) -> Scene:
        return draw_scene(self.source, scene_seed(self.split, index, self.seed), self.seconds, self.config)

    def first(self, count: int) -> list[Scene]:
        """The first `count` scenes: a fixed set to validate on."""
        return [self[i] for i in range(count)]


# Recordings of a corpus --------------------------------------------------------------------------------


class CorpusSource:
    """Draws recordings from a corpus: packages by the square root of their length, music by length."""

    def __init__(
        self, corpus: Corpus, split: str, pictures: Callable[[Item], str | None] | None = None
    ) -> None:
        self._corpus = corpus
        self._pictures = pictures
        self._groups: dict[str, list[list[Item]]] = {}
        self._shares: dict[str, NDArray[np.float64]] = {}
        for kind in STEMS:
            self._group(kind, corpus.items(kind, split), split)
        items = [item for group in self._groups["effects"] for item in group]
        self._shown = [p for item in items if (p := self._picture(item))]

    def _group(self, kind: str, items: Sequence[Item], split: str) -> None:
        packages: dict[str, list[Item]] = {}
        for item in items:
            packages.setdefault(item.package, []).append(item)
        if not packages:
            raise TrainingError(
                f"The training corpus has no {kind} in its {split} split: build the corpus again."
            )
        self._groups[kind] = [packages[name] for name in sorted(packages)]
        total = np.array([float(sum(i.samples for i in group)) for group in self._groups[kind]])
        self._shares[kind] = np.sqrt(total) / np.sqrt(total).sum()

    def draw(self, kind: str, rng: np.random.Generator, samples: int, near: Drawn | None = None) -> Drawn:
        """A recording or an excerpt of at most `samples`; `near` takes one at most ten away."""
        group, index = self._pick(kind, rng, near)
        item = self._groups[kind][group][index]
        part = item
        if item.samples > samples:
            skip = int(rng.integers(0, item.samples - samples + 1))
            part = replace(item, start=item.start + skip, samples=samples)
        audio = self._corpus.audio(part)
        name = f"{kind}:{group}:{index}"
        return Drawn(np.asarray(audio, np.float32), name, item.package, self._picture(item))

    def _picture(self, item: Item) -> str | None:
        return self._pictures(item) if self._pictures else None

    def _pick(self, kind: str, rng: np.random.Generator, near: Drawn | None) -> tuple[int, int]:
        groups = self._groups[kind]
        if near is not None:
            group, index = (int(part) for part in near.name.split(":")[1:])
            low, high = max(0, index - 10), min(len(groups[group]), index + 11)
            return group, int(rng.integers(low, high))
        group = int(rng.choice(len(groups), p=self._shares[kind]))
        if kind != "music":
            return group, int(rng.integers(len(groups[group])))
        lengths = np.array([float(item.samples) for item in groups[group]])
        return group, int(rng.choice(lengths.size, p=lengths / lengths.sum()))

    def draw_picture(self, rng: np.random.Generator) -> str | None:
        """A picture that shows the subject of some effect, or None where the corpus has none."""
        return self._shown[int(rng.integers(len(self._shown)))] if self._shown else None

    def draw_subject(self, rng: np.random.Generator, kind: str) -> str | None:
        """A picture of some effect's subject; recordings alone show no other."""
        return CorpusSource.draw_picture(self, rng) if kind == "effects" else None
