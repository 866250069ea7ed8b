"""Systems scored clip by clip, every figure kept: what is already known is not worked out again."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import WriteError
from ..progress import Progress
from ..roles import STEMS
from ..training.loop.metrics import mag, measure, si_sdr
from ..training.material.levels import HOP, SAMPLE_RATE
from ..training.scenes.scene import Pictures, Scene

Sound = NDArray[np.float32]
Values = dict[str, float]
Heard = Callable[[Scene], Sound]  # a system under test: a scene in, its sound (samples,) out
SCHEMA = 2  # raised when a measure or what is kept changes, so that older figures are not taken for its own
_AHEAD = 8  # scenes looked through for one with another subject
_CYCLE = 8  # scenes that exchange their pictures when these are permuted
_KEPT = _CYCLE + _AHEAD + 1


class Scenes(Protocol):
    """A repeatable sequence of scenes."""

    def __getitem__(self, index: int) -> Scene:
        """Scene number `index`."""
        ...


# Measures ----------------------------------------------------------------------------------------------


def distances(system: Heard, scene: Scene) -> Values:
    """MAG, ENV and W of a system's sound from the good mix, and "…_matched" at equal loudness."""
    return measure(system(scene), scene.target())


def stem_ratios(system: Heard, scene: Scene) -> Values:
    """SI-SDR in dB of each stem and, as "…_before", of the mix taken for it; nan for a stem that is not there.

    Clips with only one stem have nothing to separate. Empty where the system makes no stems.
    """
    estimate = stems_of(system, scene)
    if estimate is None:
        return {}
    spoilt = scene.record.get("degradation", {})
    known: list[bool] | None = scene.record.get("present") or spoilt.get("present")
    present = known or [bool(stem.any()) for stem in scene.stems]
    values = {}
    for k, name in enumerate(STEMS):
        pair = (math.nan, math.nan)
        if present[k] and sum(present) > 1:
            pair = (si_sdr(estimate[k], scene.stems[k]), si_sdr(scene.mix(), scene.stems[k]))
        whole = all(math.isfinite(x) for x in pair)
        values[name], values[f"{name}_before"] = pair if whole else (math.nan, math.nan)
    return values


def restraint(system: Heard, scene: Scene) -> Values:
    """How much a mix that was already good is changed, "change", or how far off a muddy one was and is: MAG.

    "error" is the muddy mix's distance from the good one, "after" that of what the system made of it.
    """
    if scene.record.get("degradation", {}).get("policy") == "none":
        return {"change": mag(system(scene), scene.mix()), "error": math.nan, "after": math.nan}
    good = scene.target()
    return {"change": math.nan, "error": mag(scene.mix(), good), "after": mag(system(scene), good)}


def guesses(system: Heard, scene: Scene) -> Values:
    """How often a guesser names the stem that a shot's picture brings out, "right", and how often by chance, "chance".

    The guesser gives both for every shot (shots, 2) that leaves a choice; nan for a scene without any.
    """
    told = system(scene)
    right, chance = told.mean(axis=0) if len(told) else (math.nan, math.nan)
    return {"right": float(right), "chance": float(chance)}


MEASURES: Mapping[str, Callable[[Heard, Scene], Values]] = {
    "distances": distances,
    "stems": stem_ratios,
    "restraint": restraint,
    "guesses": guesses,
}


def stems_of(system: Heard, scene: Scene) -> Sound | None:
    """A system's muddy stems (3, samples), if it makes any."""
    make = getattr(system, "stems", None)
    return None if make is None else make(scene)


# Scenes ------------------------------------------------------------------------------------------------


class Joined:
    """Scenes one after the other, `count` at a time, each cut to whole frames: programmes that cut between them."""

    def __init__(self, scenes: Scenes, count: int) -> None:
        self._scenes, self._count = scenes, count

    def __getitem__(self, index: int) -> Scene:
        parts = [self._scenes[index * self._count + k] for k in range(self._count)]
        frames = [part.stems.shape[1] // HOP for part in parts]
        pictures: list[tuple[float, str]] = []
        for number, part in enumerate(parts):
            start = sum(frames[:number]) * HOP / SAMPLE_RATE
            # A part that shows nothing begins with a picture that nobody knows, or the last one's would stay.
            pictures += [(start + time, name) for time, name in part.pictures or ((0.0, ""),)]
        each = list(zip(parts, frames, strict=True))
        return Scene(
            np.concatenate([part.stems[:, : count * HOP] for part, count in each], axis=1),
            np.concatenate([part.gains_db[:, :count] for part, count in each], axis=1),
            np.concatenate([part.active[:, :count] for part, count in each], axis=1),
            {"joined": [part.record for part in parts]},
            tuple(pictures),
        )


class SceneWindow:
    """Scenes of a set, some kept so that each is drawn once, and pictures of other scenes for them."""

    def __init__(self, scenes: Scenes) -> None:
        self._scenes = scenes
        self._kept: OrderedDict[int, Scene] = OrderedDict()

    def __getitem__(self, index: int) -> Scene:
        if index not in self._kept:
            self._kept[index] = self._scenes[index]
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[index]

    def shown(self, index: int, picture: str) -> Scene:
        """A scene with its "right" pictures, with "none", or with those of another scene.

        "permuted" ones are a random other scene's of the same eight, whatever they show: a fixed derangement, so that
        every picture is shown as often as it should be. "wrong" ones are the next scene's that shows another subject.
        """
        scene = self[index]
        others = {"permuted": self._permuted, "wrong": self._others}
        if picture == "right":
            return scene
        return replace(scene, pictures=others[picture](index) if picture in others else None)

    def _permuted(self, index: int) -> Pictures | None:
        first, place = index - index % _CYCLE, index % _CYCLE
        cycle = np.random.default_rng((_CYCLE, first)).permutation(_CYCLE).tolist()
        at = cycle.index(place)
        for there in cycle[at + 1 :] + cycle[:at]:
            if pictures := self[first + there].pictures:
                return pictures
        return None

    def _others(self, index: int) -> Pictures | None:
        own = self[index].pictures
        subjects, names = subjects_of(own), {name for _, name in own or ()}
        for ahead in range(index + 1, index + 1 + _AHEAD):
            theirs = self[ahead].pictures
            if theirs and subjects_of(theirs) != subjects and names.isdisjoint(n for _, n in theirs):
                return theirs
        return None

    def fingerprint(self) -> str:
        """What tells these scenes from any others, by the first two."""
        digest = hashlib.sha256()
        for scene in (self[0], self[1]):
            for array in (scene.stems, scene.gains_db):
                digest.update(np.ascontiguousarray(array).tobytes())
            digest.update(repr(scene.pictures).encode())
        return digest.hexdigest()


def subjects_of(pictures: Pictures | None) -> frozenset[str]:
    """What pictures show, by their ids: classes of sound, "" for something that does not sound."""
    return frozenset(subject_of(name) for _, name in pictures or ())


def subject_of(picture: str) -> str:
    """The class of sound that what a picture shows would be heard as, "" for none, by the picture's id."""
    kind, _, rest = picture.partition(":")
    return rest.partition(":")[0] if kind == "subject" else "" if kind == "other" else "effects"


# What is known already ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a clip is, whatever a system makes of it.

    `packages` says where the main recording of each stem comes from, None for a stem that is silent, or which film the
    clip is from; empty where that is not known. `target` is the kind of good mix it asks for.
    """

    packages: tuple[str | None, ...] = ()
    target: str = ""

    @classmethod
    def of(cls, scene: Scene) -> Facts:
        """What a scene's record says of it."""
        film = scene.record.get("film")
        packages = scene.record.get("packages") or ([film] if film else [])
        return cls(tuple(packages), str(scene.record.get("target", {}).get("kind", "")))


@dataclass
class Stored:
    """Figures of one system on one set by clip, with what the clip is: a line each in a file, if `path` is given."""

    path: Path | None = None
    values: dict[int, Values] = field(default_factory=dict)
    facts: dict[int, Facts] = field(default_factory=dict)

    def add(self, clip: int, values: Values, facts: Facts = Facts()) -> None:
        """Take in a clip's figures; they are in the file when this returns. Raises `WriteError`."""
        self.values[clip], self.facts[clip] = values, facts
        if self.path is not None:
            _append(self.path, {"clip": clip, **asdict(facts), **values})

    def column(self, name: str, clips: Iterable[int]) -> list[float]:
        """One figure over the clips of these numbers."""
        return [self.values[clip].get(name, math.nan) for clip in clips]

    def has(self, clips: int) -> bool:
        """Whether the first `clips` clips are all there."""
        return all(clip in self.values for clip in range(clips))


class Cache:
    """Figures of earlier runs in a folder; None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def open(self, about: Mapping[str, Any]) -> Stored:
        """The figures for exactly what `about` (JSON) says; a half-written last line is dropped."""
        if self.folder is None:
            return Stored()
        text = json.dumps({"schema": SCHEMA, **about}, sort_keys=True)
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.jsonl"
        if not path.exists():
            _append(path, {"about": json.loads(text)})
            return Stored(path)
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)
        return Stored(path, *_read_lines(data[:whole]))


def _read_lines(data: bytes) -> tuple[dict[int, Values], dict[int, Facts]]:
    found: dict[int, Values] = {}
    facts: dict[int, Facts] = {}
    for line in data.splitlines():
        try:
            entry = json.loads(line)
            if "clip" in entry:
                clip = int(entry.pop("clip"))
                about = Facts(tuple(entry.pop("packages")), str(entry.pop("target")))
                found[clip] = {str(k): float(v) for k, v in entry.items()}
                facts[clip] = about
        except (ValueError, TypeError, AttributeError, KeyError):
            continue  # a damaged line costs its clip, which is worked out again
    return found, facts


def _append(path: Path, entry: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise WriteError(f"Figures cannot be kept in {path}: {error.strerror or error}.") from error


# Scoring -----------------------------------------------------------------------------------------------


@dataclass
class Job:
    """A system to be scored by one of `MEASURES` on `clips` scenes: `build` makes it when figures are missing."""

    build: Callable[[], Heard]
    stored: Stored
    clips: int
    measure: str = "distances"
    picture: str = "right"

    def lacks(self, clip: int) -> bool:
        """Whether the figures of a clip are still to be worked out."""
        return clip < self.clips and clip not in self.stored.values


def score(
    window: SceneWindow, jobs: Sequence[Job], progress: Progress | None = None, title: str = ""
) -> None:
    """Fill in every job's figures, each scene drawn once for all that lack it.

    `progress` hears of every clip and may stop the work; what was done by then is kept.
    """
    clips = max((job.clips for job in jobs), default=0)
    systems: dict[int, Heard] = {}
    for clip in range(clips):
        if progress is not None:
            progress.report("evaluate", title, clip, clips, "clips")
        for number, job in enumerate(jobs):
            if job.lacks(clip):
                if number not in systems:
                    systems[number] = job.build()
                scene = window.shown(clip, job.picture)
                job.stored.add(clip, MEASURES[job.measure](systems[number], scene), Facts.of(scene))
