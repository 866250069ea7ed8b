"""Training scenes: muddy mixes and the gains that undo them, one by one and many at once on a device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..material.levels import HOP, SAMPLE_RATE, STEMS, Array, apply_gain, frames_of
from .dice import Dice
from .muddy import POLICIES
from .targets import Style

GAIN_LIMIT_DB = 18.0
_TRIES = 3  # of a stem of a piece, silence being passed over

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


TARGETS = ("well_mixed", "random", "spotlit")


@dataclass(frozen=True)
class Notes:
    """How scenes were made, as numbers by scene.

    `kind` is one of `TARGETS`, `lead` the stem that leads a good mix, `leads` (B, S) those of the shots of a spotlit
    one, `decoys` (B, S) those of the mix that was muddied where the levels are to tell nothing (-2 elsewhere), `style`
    (B, habits), `levels` (B, 3) LUFS of random targets, `transient` the share of hits, `policy` one of `POLICIES`,
    `loudest` the stem it took for the loudest (-1: none), `changes_db` (B, 3) its mean changes, `packages` (B, 3)
    numbers of packages, -1: none.
    """

    kind: Tensor
    lead: Tensor
    leads: Tensor
    decoys: Tensor
    fell_back: Tensor
    style: Tensor
    levels: Tensor
    transient: Tensor
    flat: Tensor
    guard_db: Tensor
    trim_db: Tensor
    hard: Tensor
    policy: Tensor
    loudest: Tensor
    changes_db: Tensor
    present: Tensor
    packages: Tensor


@dataclass(frozen=True)
class Names:
    """What numbers in a batch stand for: pictures by row, packages by number, the prior of random targets."""

    pictures: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    prior: str = ""


@dataclass(frozen=True)
class SceneBatch:
    """Scenes on a device; see `Scene`.

    `stems` (B, 3, samples) float32, `gains_db` (B, 3, frames), `active` bool (B, 3, frames). `starts` (B, S) are the
    seconds at which shots begin, inf where there are fewer, `rows` (B, S) the pictures they show (-1: none).
    """

    stems: Tensor
    gains_db: Tensor
    active: Tensor
    starts: Tensor
    rows: Tensor
    notes: Notes | None = None
    names: Names = field(default_factory=Names)

    def __len__(self) -> int:
        return self.stems.shape[0]

    @property
    def seconds(self) -> float:
        """Length of a scene."""
        return self.stems.shape[-1] / SAMPLE_RATE

    @property
    def picture(self) -> Tensor:
        """The picture in the middle of each second: rows (B, N) int64, -1: none."""
        return self.pictures_at(torch.arange(math.ceil(self.seconds), device=self.stems.device) + 0.5)

    def pictures_at(self, times: Tensor) -> Tensor:
        """Rows (B, N) of the pictures shown at `times` (N,) s, -1: none; the last one stays to the end."""
        shot = (self.starts[:, None] <= times[:, None]).sum(-1) - 1
        return torch.where(shot >= 0, self.rows.gather(1, shot.clamp_min(0)), -1)

    def mix(self) -> Tensor:
        """The muddy mixes (B, samples)."""
        return self.stems.sum(1)

    def scene(self, index: int) -> Scene:
        """One of the scenes, on the host."""
        return Scene(
            self.stems[index].cpu().numpy(),
            self.gains_db[index].cpu().numpy(),
            self.active[index].cpu().numpy(),
            self._record(index),
            self._pictures(index),
        )

    def records(self) -> list[dict[str, Any]]:
        """How each scene was made."""
        return [self._record(index) for index in range(len(self))]

    def _pictures(self, index: int) -> Pictures | None:
        """Pictures from the scene's beginning on, in order."""
        starts, rows = self.starts[index].tolist(), self.rows[index].tolist()
        shown = [
            (max(0.0, start), self.names.pictures[row])
            for start, after, row in zip(starts, [*starts[1:], math.inf], rows, strict=True)
            if row >= 0 and start < self.seconds and after > 0.0
        ]
        return tuple(shown) or None

    def _record(self, index: int) -> dict[str, Any]:
        if self.notes is None:
            return {}
        notes = {name: value[index].tolist() for name, value in vars(self.notes).items()}
        names = self.names.packages
        record = {
            "target": _target_record(notes, self.names.prior),
            "flat": notes["flat"],
            "guard_db": round(notes["guard_db"], 3),
            "degradation": {
                "policy": POLICIES[notes["policy"]],
                "loudest": None if notes["loudest"] < 0 else STEMS[notes["loudest"]],
                "changes_db": [round(value, 3) for value in notes["changes_db"]],
            },
            "present": notes["present"],
            "packages": [names[number] if number >= 0 else None for number in notes["packages"]],
            "hard_speech": notes["hard"],
        }
        if notes["fell_back"]:
            record["fell_back"] = True
        return record

    # Cutting -------------------------------------------------------------------------------------------

    def windows(self, seconds: float) -> SceneBatch:
        """Consecutive windows of long scenes (B·W, …), those of a scene one after another.

        Each begins at the last whole frame before it should, so that all are as long as scenes of `seconds` are.
        """
        samples = round(seconds * SAMPLE_RATE)
        count = self.stems.shape[-1] // samples
        firsts = [number * samples // HOP for number in range(count)]
        frames = frames_of(samples)

        def cut(x: Tensor, unit: int, length: int) -> Tensor:
            return torch.stack([x[..., first * unit : first * unit + length] for first in firsts], 1).flatten(
                0, 1
            )

        begin = torch.tensor(firsts, device=self.stems.device) * (HOP / SAMPLE_RATE)
        return replace(
            self,
            stems=cut(self.stems, HOP, samples),
            gains_db=cut(self.gains_db, 1, frames),
            active=cut(self.active, 1, frames),
            starts=(self.starts[:, None] - begin[:, None]).flatten(0, 1),
            rows=self.rows.repeat_interleave(count, 0),
            notes=None if self.notes is None else _repeated(self.notes, count),
        )

    def pieces(self, dice: Dice, seconds: float, each: int) -> SceneBatch:
        """Pieces of `seconds` of long scenes, their stems brought together anew: `each` for every scene (B·each, …).

        Every stem of a piece comes from any scene of the batch; silence, which teaches little, is passed over twice.
        What the gains lead to is no mix anybody meant: pieces are for learning masks, and show nothing.
        """
        samples = round(seconds * SAMPLE_RATE)
        frames = frames_of(samples)
        numbers = (dice.indices[:, None] * each + torch.arange(each, device=dice.device)).flatten()
        own = Dice(f"{dice.split} pieces", numbers, dice.seed, dice.device)
        scene = own.below("piece.scene", len(self), 3, _TRIES)
        first = own.below("piece.first", (self.stems.shape[-1] - samples) // HOP + 1, 3, _TRIES)
        stem = torch.arange(3, device=dice.device)[:, None]
        sounded = torch.nn.functional.pad(self.active.cumsum(-1), (1, 0))
        ends = (first + frames).clamp_max(self.active.shape[-1])
        heard = sounded[scene, stem, ends] > sounded[scene, stem, first]
        heard[..., -1] = True
        chosen = heard.to(torch.uint8).argmax(-1, keepdim=True)
        scene, first = (values.gather(-1, chosen) for values in (scene, first))

        def cut(x: Tensor, unit: int, length: int) -> Tensor:
            return x[scene, stem, first * unit + torch.arange(length, device=x.device)]

        stems = cut(self.stems, HOP, samples)
        loudest = stems.sum(1).abs().amax(-1).clamp_min(1.0)
        unseen = torch.full((len(own), 1), -1, dtype=torch.int64, device=dice.device)
        return SceneBatch(
            stems / loudest[:, None, None],
            cut(self.gains_db, 1, frames),
            cut(self.active, 1, frames),
            torch.zeros_like(unseen, dtype=torch.float32),
            unseen,
            names=self.names,
        )


def _repeated(notes: Notes, count: int) -> Notes:
    return Notes(**{name: value.repeat_interleave(count, 0) for name, value in vars(notes).items()})


def _target_record(notes: Mapping[str, Any], prior: str) -> dict[str, Any]:
    kind = TARGETS[notes["kind"]]
    style = dict(zip(Style.__dataclass_fields__, (round(value, 3) for value in notes["style"]), strict=True))
    if kind == "random":
        return {"kind": kind, "prior": prior, "levels": _rounded(notes["levels"])}
    if kind == "spotlit":
        record: dict[str, Any] = {
            "kind": kind,
            "leads": sorted({lead for lead in notes["leads"] if lead > -2}),
        }
        if any(lead > -2 for lead in notes["decoys"]):
            record["level_blind"] = True
        return {**record, "style": style}
    return {
        "kind": kind,
        "lead": STEMS[notes["lead"]],
        "transient": round(notes["transient"], 3),
        "style": style,
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]
