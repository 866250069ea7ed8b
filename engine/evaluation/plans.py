"""Experiments as data: which systems are compared on which scenes, one JSON file each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from ..errors import SettingsError
from ..highlight.style import STYLES
from ..training.loop.config import TrainConfig
from ..training.scenes.muddy import POLICIES
from ..training.scenes.priors import PRIORS
from ..training.scenes.settings import PRESETS, SceneConfig
from ..weights.card import names_of, nearest

FOLDER = Path(__file__).parent / "experiments"
MEASURES = ("distances", "stems", "restraint")
SPLITS = ("train", "validation", "test")
PICTURES = ("right", "none", "permuted", "wrong")
TARGETS = ("", "well_mixed", "random", "spotlit")
ORACLES = ("levelled_stems", "ideal_masks")
LOUDNESS = ("keep", "model")
TRUE_STEMS = "true"
# What a row of each kind has to say besides its name.
KINDS: Mapping[str, tuple[str, ...]] = {
    "input": (),
    "loudness": (),
    "gain": (),
    "relevel": ("prior",),
    "checkpoint": ("run", "config"),
    "card": (),
    "tracks": (),
    "oracle": ("oracle",),
    "published": ("paper", "source"),
}

T = TypeVar("T")


@dataclass(frozen=True)
class SceneSet:
    """Scenes to compare on: the first `clips` of a split, drawn by a preset with some of its entries changed.

    `only` names the kind of target that counts ("": any): scenes that could not have it fall back to another, and are
    counted and left out. With `joined` so many scenes, cut to whole frames, follow each other in each clip, as a
    programme with cuts does; `seconds` is then that of a scene.
    """

    name: str
    scenes: str = "well_mixed"
    scene_options: dict[str, Any] = field(default_factory=dict)
    split: str = "test"
    clips: int = 100
    seconds: float = 10.0
    only: str = ""
    joined: int = 1

    @property
    def length(self) -> str:
        """How long a clip is, in words."""
        return f"{self.joined} × {self.seconds:g} s" if self.joined > 1 else f"{self.seconds:g} s"


@dataclass(frozen=True)
class Row:
    """One system of a table.

    `kind` "input" is the muddy mix; "loudness" and "gain" are the baselines fitted on training scenes; "relevel" draws
    every stem's level from `prior`, its stems by the separator `stems` ("" the product model's, "true" the true ones);
    "checkpoint" is a run in the folder of runs, made from the training configuration `config` with `overrides`, and
    beginning, where `start` names one, with the weights of another run or of a model card, and learning from the scenes
    of the training configuration `policy` where it is named, so that rows differ in nothing but the system; at each of
    the `stages` (steps) the learning rate has come down to 0 and a checkpoint is kept, which `step` asks for; "card" is
    a model, "" the product model; "tracks" is a model (`card`) on a timeline whose muddy stems lie on tracks of their
    own: it is told their levels, and they are heard as they are under its gains, in the manner of `style`, the mix as
    loud as before or, with `loudness` "model", as the gains leave it; "oracle" knows the answer; "published" are
    figures of others on their own data, from `source`.
    `picture` says what a network sees: the right pictures, none, those of another scene (permuted), or those of a scene
    with another subject (wrong).
    `paper` holds the VisAH paper's own distances, times 100, to set beside, all sets alike or by set.
    """

    name: str
    kind: str
    run: str = ""
    config: str = ""
    overrides: dict[str, Any] = field(default_factory=dict)
    start: str = ""
    policy: str = ""
    stages: list[int] = field(default_factory=list)
    step: int = 0
    card: str = ""
    style: str = "full"
    loudness: str = "keep"
    prior: str = ""
    stems: str = ""
    oracle: str = ""
    picture: str = "right"
    paper: dict[str, Any] = field(default_factory=dict)
    source: str = ""

    def quoted(self, chosen: str) -> dict[str, float]:
        """The paper's figures for the set called `chosen`."""
        by_set = any(isinstance(value, dict) for value in self.paper.values())
        return dict(self.paper.get(chosen, {}) if by_set else self.paper)


@dataclass(frozen=True)
class Experiment:
    """A comparison: every row on every set.

    `against` names rows from which every other row is taken, with paired intervals. `guess_clips` is the number of
    training scenes that a guesser is fitted on which sees levels alone (0: none).
    """

    name: str
    title: str
    sets: tuple[SceneSet, ...]
    rows: tuple[Row, ...]
    about: str = ""
    measure: str = "distances"
    against: tuple[str, ...] = ()
    guess_clips: int = 0

    def row(self, name: str) -> Row:
        """The row of that name; raises KeyError."""
        return {row.name: row for row in self.rows}[name]


def read_experiment(path: Path) -> Experiment:
    """An experiment from a JSON file.

    Raises `SettingsError` in one sentence; a name that is not known is answered with the nearest one.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"The experiment {path} cannot be read: {error}.") from error
    return experiment_from(data, path)


def experiment_from(data: object, path: Path) -> Experiment:
    """An experiment from parsed JSON; `path` is what errors (`SettingsError`) call it by."""
    where = f"The experiment {path}"
    entries = _entries(data, Experiment, where)
    sets = tuple(_scene_set(entry, f"{where}, sets[{k}]") for k, entry in enumerate(entries["sets"]))
    rows = tuple(_row(entry, f"{where}, rows[{k}]") for k, entry in enumerate(entries["rows"]))
    for what, found in (("set", sets), ("row", rows)):
        names = [one.name for one in found]
        if not names:
            raise SettingsError(f"{where} has no {what}s.")
        if len(set(names)) < len(names):
            raise SettingsError(f"{where} has two {what}s of one name.")
    _one_of(entries.get("measure", MEASURES[0]), MEASURES, f"{where}: 'measure'")
    against = entries.get("against", [])
    names = [row.name for row in rows]
    for name in against:
        if not isinstance(name, str):
            raise SettingsError(f"{where}: 'against' lists names of rows, not {name!r}.")
        _one_of(name, names, f"{where}: 'against'")
    return Experiment(**{**entries, "sets": sets, "rows": rows, "against": tuple(against)})


def shipped() -> dict[str, Path]:
    """The experiments that come with sightmix, by name, the paper's tables first."""
    paths = sorted(FOLDER.glob("*.json"), key=lambda path: (not path.stem.startswith("table"), path.stem))
    return {path.stem: path for path in paths}


def choose(names: Sequence[str]) -> list[Experiment]:
    """Experiments by name or file, all shipped ones if none is named. Raises `SettingsError` with the nearest name."""
    known = shipped()
    chosen = []
    for name in names or known:
        path = known.get(name, Path(name))
        if not path.is_file():
            raise SettingsError(f"There is no experiment called '{name}'{nearest(name, known)}.")
        chosen.append(read_experiment(path))
    return chosen


def _scene_set(data: object, where: str) -> SceneSet:
    entries = _entries(data, SceneSet, where)
    found = SceneSet(**entries)
    _one_of(found.scenes, PRESETS, f"{where}: 'scenes'")
    _one_of(found.split, SPLITS, f"{where}: 'split'")
    _one_of(found.only, TARGETS, f"{where}: 'only'")
    known = [f.name for f in fields(SceneConfig)]
    for option in found.scene_options:
        _one_of(option, known, f"{where}: 'scene_options'")
    for policy in found.scene_options.get("policies", {}):
        _one_of(policy, POLICIES, f"{where}: 'policies'")
    if found.clips < 1 or found.seconds <= 0 or found.joined < 1:
        raise SettingsError(f"{where} needs at least one clip, longer than no time.")
    return found


def _row(data: object, where: str) -> Row:
    entries = _entries(data, Row, where)
    row = Row(**entries)
    _one_of(row.kind, KINDS, f"{where}: 'kind'")
    lacking = [name for name in KINDS[row.kind] if not entries.get(name)]
    if lacking:
        raise SettingsError(f"{where}: a row of the kind '{row.kind}' needs {names_of(lacking)}.")
    for value, known, entry in (
        (row.picture, PICTURES, "picture"),
        (row.prior or "films", PRIORS, "prior"),
        (row.oracle or ORACLES[0], ORACLES, "oracle"),
        (row.style, STYLES, "style"),
        (row.loudness, LOUDNESS, "loudness"),
    ):
        _one_of(value, known, f"{where}: '{entry}'")
    if row.run != Path(row.run).name:
        raise SettingsError(
            f"{where}: 'run' is the name of a folder inside the folder of runs, not {row.run!r}."
        )
    known_entries = [f.name for f in fields(TrainConfig)]
    for entry in row.overrides:
        _one_of(entry, known_entries, f"{where}: 'overrides'")
    steps = [0, *row.stages, row.overrides.get("steps", 0)]
    if row.stages and any(not isinstance(b, int) or b <= a for a, b in pairwise(steps)):
        raise SettingsError(f"{where}: 'stages' are steps in order, below the 'steps' that 'overrides' give.")
    return row


def _entries(data: object, kind: type[T], where: str) -> dict[str, Any]:
    """Entries of a JSON object for the fields of `kind`, each of the JSON type that its field has."""
    if not isinstance(data, dict):
        raise SettingsError(f"{where} must be one JSON object.")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for key in data:
        if key not in known:
            raise SettingsError(f"{where} has an unknown entry '{key}'{nearest(key, known)}.")
    for name, entry in known.items():
        if entry.default is MISSING and entry.default_factory is MISSING and name not in data:
            raise SettingsError(f"{where} lacks '{name}'.")
        if name in data and not _fits(data[name], str(entry.type)):
            raise SettingsError(f"{where}: '{name}' cannot be {data[name]!r}.")
    return dict(data)


def _fits(value: object, annotation: str) -> bool:
    """Whether a JSON value can stand for a field annotated so."""
    if isinstance(value, bool):
        return False
    kinds: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
    if annotation.startswith("dict"):
        return isinstance(value, dict)
    return isinstance(value, kinds.get(annotation, (list,)))


def _one_of(name: object, known: Sequence[str] | Mapping[str, Any], where: str) -> None:
    if name not in known:
        raise SettingsError(f"{where} does not know '{name}'{nearest(str(name), known)}.")
