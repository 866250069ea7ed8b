"""The mix while one works on it: what the network said, the options, what was drawn by hand, and what comes of it.

Nothing here asks the network: strength, trims, style, loudness and curves act at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...engine.highlight.config import HOP, MODEL_RATE, frames_of
from ...engine.highlight.levelling import Aim
from ...engine.media.loudness import gated, lufs_of
from ...engine.media.time import to_samples
from ...engine.passage import Loudness
from ...engine.programme.loudness import Figures, activity
from ...engine.programme.rate import SAMPLE_RATE
from ...engine.roles import DIALOGUE, STEMS
from ...plugin.jobs.applied import Applied, aim_of
from ...plugin.jobs.hand import Drawn
from ...plugin.jobs.laid import LANES, Laid
from ...plugin.jobs.mix import Look, Mix, Said, tell
from ...plugin.jobs.settings import JobSettings
from ...plugin.session.surveyed import CELL_RATE, Surveyed
from ..base.topics import Topic
from .state import Document
from .surveyed import SurveyedLanes, averaged

Array = NDArray[np.float32]
Values = NDArray[np.float64]
Table = tuple[Values, Array]

BEFORE, AFTER = "before", "after"
_FADE = 0.2  # s over which a preview's curves begin and end
_MOMENTARY, _SHORT_TERM = 4, 30  # cells
_STEPS, _CLOSE, _LEAST_YIELD = 24, 0.005, 0.1
_SUM = len(LANES)
_MOVED = np.array([[1.0]] * len(STEMS) + [[0.0]])
_SPEECH = np.array([[float(lane == DIALOGUE.stem)] for lane in LANES])


@dataclass(frozen=True)
class LiveFigures:
    """Integrated loudness of the programme before and after in LUFS (-inf: silence), and the level's gain in dB.

    `complete` is False as long as not all of it was looked over.
    """

    before: float = -math.inf
    after: float = -math.inf
    gain_db: float = 0.0
    complete: bool = False

    @property
    def match_db(self) -> float:
        """What brings the mix after to the loudness of the one before."""
        difference = self.before - self.after
        return difference if math.isfinite(difference) else 0.0


@dataclass(frozen=True)
class _Reckoned:
    """All that hangs on the options: gains (3, T) dB before and with the level, factors (4, m) by cell, and figures."""

    plain: Array
    gains: Array
    factors: Values
    energies: Values
    figures: LiveFigures


class LiveMix:
    """A timeline's mix; `changed` whenever anything of it does, on the thread that all state belongs to."""

    def __init__(self) -> None:
        self.changed: Topic[[]] = Topic()
        self._settings = JobSettings()
        self._drawn: tuple[Drawn, ...] = ()
        self._known: _Reckoned | None = None
        self._plain: tuple[Values, float] | None = None
        self._said: tuple[Said, ...] | None = None
        self.open(None)

    def open(self, document: Document | None) -> None:
        """Another timeline, of which nothing is known yet; the options stay, what was drawn goes."""
        self._document = document
        self._timecodes: dict[float, str] = {}  # of sentences, which are said again and again
        self._seconds = float(document.duration) if document is not None else 0.0
        samples = to_samples(document.duration, SAMPLE_RATE) if document is not None else 0
        self._frames = frames_of(samples * MODEL_RATE // SAMPLE_RATE)
        self._times = (np.arange(self._frames) * HOP + HOP / 2) / MODEL_RATE
        self._lanes = SurveyedLanes(samples / SAMPLE_RATE)
        self._plain = None
        self._laid = Laid()
        self._whole: Mix | None = None
        self._previews: list[Mix] = []
        self._drawn = ()
        self._forget()

    # ------------------------------------------------------------------------------------------------ what comes in

    def survey(self, stretch: Surveyed) -> None:
        """Take in a stretch of the survey, in the place of what was known of it."""
        self._lanes.take(stretch)
        self._plain = None
        self._forget()

    def lie(self, laid: Laid) -> None:
        """Where clips lie as long as nothing was heard."""
        self._laid = laid
        self.changed.emit()

    def hear(self, mix: Mix, stretches: Iterable[Surveyed] = ()) -> None:
        """Take in what the network says: of the whole programme, or of a stretch, which then lies over what was known.

        `stretches` are a survey of clips as they lie with it (`lying`).
        """
        self._laid = self.lying(mix)
        for stretch in stretches:
            self._lanes.take(stretch)
        self._plain = None
        if self._is_whole(mix):
            self._whole, self._previews = mix, []
        else:
            end = mix.start + mix.duration
            kept = (
                p
                for p in self._previews
                # A clip has stems over one stretch: where it is heard as it is again, no curves act on it.
                if (p.start < mix.start or p.start + p.duration > end)
                and not (p.laid.parted.keys() & self._laid_anew(mix))
            )
            self._previews = [*kept, mix]
        self._forget()

    def unhear(self) -> None:
        """Forget what the network said: categories or media are others now."""
        self._whole, self._previews = None, []
        self._forget()

    @property
    def settings(self) -> JobSettings:
        """The options: style, strength, trims, loudness."""
        return self._settings

    @settings.setter
    def settings(self, settings: JobSettings) -> None:
        if settings != self._settings:
            self._settings = settings
            self._forget()

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """The stretches drawn by hand."""
        return self._drawn

    @drawn.setter
    def drawn(self, drawn: tuple[Drawn, ...]) -> None:
        if drawn != self._drawn:
            self._drawn = tuple(drawn)
            self._forget()

    # --------------------------------------------------------------------------------------------------- what it is

    @property
    def laid(self) -> Laid:
        """Where clips lie now: what the sound has to be asked for with, and surveyed."""
        return self._laid

    def lying(self, mix: Mix) -> Laid:
        """Where clips will lie with what a mix says; stems of a whole clip stay before those of a stretch of it."""
        if self._is_whole(mix):
            return mix.laid
        known = self._laid
        new = {clip: stems for clip, stems in mix.laid.parted.items() if clip in self._laid_anew(mix)}
        return Laid({**known.kinds, **mix.laid.kinds}, known.moved | mix.laid.moved, {**known.parted, **new})

    def _laid_anew(self, mix: Mix) -> set[int]:
        """The clips that lie as the stems of a mix from then on."""
        whole = self._whole.laid.parted.keys() if self._whole is not None else set[int]()
        return mix.laid.parted.keys() - whole

    def _is_whole(self, mix: Mix) -> bool:
        return mix.start <= 0 and mix.duration >= self._seconds - 2 * HOP / MODEL_RATE

    @property
    def heard(self) -> bool:
        """Whether the network has said anything yet."""
        return self._whole is not None or bool(self._previews)

    @property
    def heard_whole(self) -> bool:
        """Whether it has of the whole programme."""
        return self._whole is not None

    @property
    def heard_spans(self) -> tuple[tuple[float, float], ...]:
        """The stretches of the record, in seconds, that the network has said anything of, in order."""
        if self._whole is not None:
            return ((0.0, self._seconds),)
        return tuple(sorted((mix.start, mix.start + mix.duration) for mix in self._previews))

    def table(self) -> Table:
        """Record seconds (T,) of the model's frames and the gains (3, T) in dB that act there, the level included.

        A full run's gains but for the dips that its peaks ask for. Nothing at all as long as nothing acts.
        """
        return self._acting(lambda: self._reckoned.gains)

    def plain_table(self) -> Table:
        """As `table`, before the level: what points drawn by hand are of, which the level would move from the hand."""
        return self._acting(lambda: self._reckoned.plain)

    def _acting(self, gains: Callable[[], Array]) -> Table:
        if not self.heard and not self._drawn and not any(self._applied.trims):
            return np.zeros(0), np.zeros((len(STEMS), 0), np.float32)
        return self._times, gains()

    @property
    def figures(self) -> LiveFigures:
        """How loud the programme is before and after, reckoned from what was surveyed."""
        return self._reckoned.figures

    @property
    def match_db(self) -> float:
        """What brings the mix after to the loudness of the one before, dB."""
        return self.figures.match_db

    def loudness_at(self, side: str, time: float) -> tuple[float, float]:
        """Momentary and short-term loudness in LUFS at a record second, of the 400 ms and the 3 s before it."""
        energies = self._reckoned.energies if side == AFTER else self._before[0]
        last = min(max(0, math.floor(time * CELL_RATE)), energies.size)
        return _lufs(energies[max(0, last - _MOMENTARY) : last]), _lufs(
            energies[max(0, last - _SHORT_TERM) : last]
        )

    def sentence_at(self, time: float) -> str:
        """Why the mix is what it is at a record second, "" for no reason; of several that of the shortest stretch."""
        found = [said for said in self.sentences if said.first <= time < said.last]
        return min(found, key=lambda said: said.last - said.first).text if found else ""

    @property
    def sentences(self) -> tuple[Said, ...]:
        """All that is done, in order of time, in the report's words."""
        if self._said is None:
            self._said = tuple(sorted(self._told(), key=lambda said: (said.first, said.last)))
        return self._said

    @property
    def looks(self) -> tuple[Look, ...]:
        """The frames that the network looked at, in order of time."""
        found = [
            look
            for mix, covers in self._layers()
            for look in mix.looks
            if not any(first <= look.time < last for first, last in covers)
        ]
        return tuple(sorted(found, key=lambda look: look.time))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the network's listening warns of."""
        return tuple(dict.fromkeys(text for mix, _ in self._layers() for text in mix.warnings))

    # ------------------------------------------------------------------------------------------------ what is drawn

    def waveform(self, side: str, first: float, last: float, columns: int) -> Array:
        """Lowest and highest sample (2, columns) of a side between two record seconds, NaN where nobody has looked.

        After is an estimate: the sum before, as much louder as its lanes' peaks are under their gains.
        """
        peaks = self._lanes.peaks(first, last, columns)
        if side == BEFORE:
            return np.asarray(peaks[_SUM])
        squares = np.square(np.abs(peaks[:_SUM]).max(axis=1))
        louder = (squares * self._factors_at(first, last, columns)).sum(axis=0)
        whole = squares.sum(axis=0)
        factor = np.sqrt(np.divide(louder, whole, out=np.ones_like(whole), where=whole > 0))
        return np.asarray(peaks[_SUM] * factor, np.float32)

    def spectrogram(self, side: str, first: float, last: float, columns: int) -> Array:
        """Levels (bands, columns) of a side in dBFS, the lowest band first, NaN where nobody has looked.

        An estimate: the powers of the lanes, after under their gains, added up.
        """
        tones = self._lanes.tones(first, last, columns)
        if side == AFTER:
            tones = tones * self._factors_at(first, last, columns)[:, None].astype(np.float32)
        return np.asarray(10 * np.log10(np.maximum(tones.sum(axis=0), 1e-12)), np.float32)

    def level(self, stem: str, first: float, last: float, columns: int) -> Array:
        """The K-weighted level (columns,) of a stem before its gains in dBFS, NaN where nobody has looked."""
        power = self._lanes.powers(first, last, columns)[STEMS.index(stem)]
        return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), np.float32)

    # ------------------------------------------------------------------------------------------------------ reckoning

    @property
    def _applied(self) -> Applied:
        return Applied.of(self._settings, self._drawn)

    @property
    def _before(self) -> tuple[Values, float]:
        """The programme's energy (m,) cell by cell before anything, and its integrated loudness."""
        if self._plain is None:
            energies = self._lanes.power.sum(axis=(1, 2), dtype=np.float64)
            self._plain = energies, _gated(energies)
        return self._plain

    @property
    def _reckoned(self) -> _Reckoned:
        if self._known is None:
            self._known = self._reckon()
        return self._known

    def _reckon(self) -> _Reckoned:
        gains = self._applied.gains(self._styled(), self._times)
        power = self._lanes.power
        curves = np.asarray(gains, np.float32)
        plain = self._factors(gains)
        before, integrated = self._before
        mask = self._mask()
        gain_db = self._level(power, plain, before, mask)
        if gain_db:
            shown = np.interp(self._cell_times, self._times, mask) if mask is not None else 1.0
            plain[: len(STEMS)] *= 10 ** (gain_db * shown / 20)
            gains = gains + np.float32(gain_db) * (mask if mask is not None else np.float32(1))
        after = _energies(power, plain)
        figures = LiveFigures(integrated, _gated(after), gain_db, self._lanes.complete)
        return _Reckoned(curves, np.asarray(gains, np.float32), plain, after, figures)

    def _styled(self) -> Array:
        """The model's gains (3, T) in the style that was chosen."""
        style = self._settings.style
        whole = self._whole.styles.get(style) if self._whole is not None else None
        gains = np.zeros((len(STEMS), self._frames), np.float32)
        if whole is not None:
            count = min(whole.shape[1], self._frames)
            gains[:, :count] = whole[:, :count]
        for mix in self._previews:
            first, share, found = self._pasted(mix, style)
            there = gains[:, first : first + share.size]
            there += share * (found - there)
        return gains

    def _pasted(self, mix: Mix, style: str) -> tuple[int, Array, Array]:
        """Where a preview's frames lie on the programme's grid, how much they count there, and their gains."""
        first = max(0, round(mix.start * MODEL_RATE / HOP))
        found = mix.styles.get(style, np.zeros((len(STEMS), 0), np.float32))[:, : self._frames - first]
        edge = np.arange(found.shape[1]) * HOP / MODEL_RATE
        share = np.ones(edge.size)
        if first > 0:
            share = np.minimum(share, edge / _FADE)
        if first + edge.size < self._frames and edge.size:
            share = np.minimum(share, (edge[-1] - edge) / _FADE)
        return first, share.astype(np.float32), found

    def _mask(self) -> Array | None:
        """Where the level acts (T,), 0 … 1: everywhere, but with nothing heard but previews only there."""
        if self._whole is not None or not self._previews:
            return None
        mask = np.zeros(self._frames, np.float32)
        for mix in self._previews:
            first, share, _ = self._pasted(mix, self._settings.style)
            there = mask[first : first + share.size]
            np.maximum(there, share, out=there)
        return mask

    def _level(self, power: Array, factors: Values, before: Values, mask: Array | None) -> float:
        """The gain in dB that brings what gains move to the level that is asked for, as a full run finds it.

        Of a preview it is what keeps its loudness, and what the whole programme lacks of a figure.
        """
        if not self.heard and not self._drawn and not any(self._applied.trims):
            return 0.0
        aim, was = aim_of(self._settings), _loudness(self._before[1])
        if mask is None:
            return _missing_gain(power, factors, aim, was)
        lacks = 0.0 if aim.keep else aim.missing(Figures(was), was)
        if aim.lufs is None and not aim.keep:
            return 0.0
        inside = np.interp(self._cell_times, self._times, mask) > 0.5
        kept = replace(aim, lufs=None, keep=True, dialogue=False)
        here = _loudness(_gated(before[inside]))
        return lacks + _missing_gain(power[inside], factors[:, inside], kept, here)

    @property
    def _cell_times(self) -> Values:
        return (np.arange(self._lanes.cells) + 0.5) / CELL_RATE

    def _factors(self, gains: Array) -> Values:
        """Linear gains (4, m) of the lanes, cell by cell, of gains (3, T) in dB."""
        place = np.clip(self._cell_times * (MODEL_RATE / HOP) - 0.5, 0, max(0, self._frames - 1))
        low = place.astype(np.intp)
        high = np.minimum(low + 1, max(0, self._frames - 1))
        factors = np.ones((len(LANES), self._lanes.cells))
        if self._frames:
            rows = gains[:, low] + (place - low) * (gains[:, high] - gains[:, low])
            factors[: len(STEMS)] = 10 ** (rows / 20)
        return factors

    def _factors_at(self, first: float, last: float, columns: int) -> Values:
        """Squared linear gains (4, columns) of the lanes between two record seconds."""
        reckoned = self._reckoned
        if (last - first) / max(columns, 1) >= 1 / CELL_RATE or not self._frames:
            return np.square(averaged(reckoned.factors, first, last, columns))
        at = first + (last - first) * (np.arange(columns) + 0.5) / columns
        found = np.ones((len(LANES), columns))
        for lane, row in enumerate(reckoned.gains):
            found[lane] = 10 ** (np.interp(at, self._times, row) / 10)
        return found

    # ---------------------------------------------------------------------------------------------------------- words

    def _layers(self) -> Iterator[tuple[Mix, list[tuple[float, float]]]]:
        """What was heard, from the bottom up, and the stretches over which something lies above each."""
        heard = [*([self._whole] if self._whole is not None else []), *self._previews]
        for index, mix in enumerate(heard):
            yield mix, [(above.start, above.start + above.duration) for above in heard[index + 1 :]]

    def _told(self) -> Iterator[Said]:
        style, applied = self._settings.style, self._applied
        for mix, covers in self._layers():
            moves = applied.moves(mix.moves.get(style, ()), mix.times)
            for said in tell(mix, moves, mix.doubt.get(style), self._timecode):
                middle = (said.first + said.last) / 2
                if not any(first <= middle < last for first, last in covers):
                    yield said
        if self._whole is None:
            bare = Mix(0.0, self._seconds, Laid(), {})
            spans = [(mix.start, mix.start + mix.duration) for mix in self._previews]
            for said in tell(bare, applied.moves((), self._times), None, self._timecode):
                if not any(first <= (said.first + said.last) / 2 < last for first, last in spans):
                    yield said

    def _timecode(self, seconds: float) -> str:
        if self._document is None:
            return ""
        if seconds not in self._timecodes:
            self._timecodes[seconds] = self._document.timecode(seconds)[:8]
        return self._timecodes[seconds]

    def _forget(self) -> None:
        self._known = None
        self._said = None
        self.changed.emit()


def _missing_gain(power: Array, factors: Values, aim: Aim, before: Loudness) -> float:
    """The gain in dB for moved lanes, under factors (4, m) already, that meets an aim as `highlight.levelling` does."""
    moved, still = factors * _MOVED, factors * (1 - _MOVED)
    own, rest = _energies(power, moved), _energies(power, still)
    shared = _energies(power, factors) - own - rest
    speech = _energies(power, factors * _SPEECH) if aim.dialogue else None
    gain, yields, last = 0.0, 1.0, (0.0, 0.0)
    for _ in range(_STEPS):
        k = 10 ** (gain / 20)
        spoken = None if speech is None else k * k * speech
        missing = aim.missing(_figures(k * k * own + k * shared + rest, spoken), before)
        if abs(missing) < _CLOSE:
            break
        step, was_missing = last
        yields = min(max((was_missing - missing) / step, _LEAST_YIELD), 1.0) if step else yields
        step = missing / yields
        last = step, missing
        gain += step
    return gain


def _figures(mix: Values, speech: Values | None) -> Figures:
    """The figures that a level is found by, of energies (m,) cell by cell of the mix and of its dialogue."""
    blocks = _blocks(mix)
    if speech is None:
        return Figures(_loudness(gated(blocks[~np.isnan(blocks)])))
    spoken = _blocks(speech)
    known = ~np.isnan(blocks)
    blocks, active = blocks[known], activity(spoken[known])
    dialogue = lufs_of(float(blocks[active].mean())) if active.any() else -math.inf
    share = float(active.mean()) if active.size else 0.0
    return Figures(_loudness(gated(blocks)), dialogue, share)


def _energies(power: Array, factors: Values) -> Values:
    """The mix's energy (m,) cell by cell, of powers (m, 4, 4) under factors (4, m)."""
    rows = factors.T
    return np.asarray(np.einsum("ti,ti->t", rows, np.matmul(power, rows[:, :, None])[:, :, 0]), np.float64)


def _blocks(energies: Values) -> Values:
    """Mean squares of the 400 ms blocks that were looked over whole."""
    if energies.size < _MOMENTARY:
        return np.zeros(0)
    sums = sum(energies[i : energies.size - _MOMENTARY + 1 + i] for i in range(_MOMENTARY)) / _MOMENTARY
    return np.asarray(sums, np.float64)


def _gated(energies: Values) -> float:
    blocks = _blocks(energies)
    return gated(blocks[~np.isnan(blocks)])


def _lufs(energies: Values) -> float:
    known = energies[~np.isnan(energies)]
    return lufs_of(float(known.mean()) if known.size else 0.0)


def _loudness(integrated: float) -> Loudness:
    return Loudness(integrated, 0.0, -math.inf, -math.inf, -math.inf)
