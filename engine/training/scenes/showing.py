"""What scenes show: pictures shot by shot, where what sounds is seen, and whose sound a picture brings out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import TrainingError
from ..material.levels import HOP, SAMPLE_RATE, STEMS
from .dice import Dice
from .levels import activity, smoothed
from .pictures import PictureTable
from .targets import Sounding

MOST_SHOTS = 3
SHORTEST_SHOT = 2.0  # s
_AS_HEARD = 0.6  # chance that a shot shows one of the effects that sound in it
_OF_SOUND = 0.9  # chance that a composed shot shows something that sounds; a picture of nothing is rarer
_SOUNDS = 0.3  # share of a shot in which a stem has to sound to be brought out
_SOFT = torch.hann_window(15, periodic=False)[1:-1] / torch.hann_window(15, periodic=False).sum()


@dataclass(frozen=True)
class Shots:
    """Shots of scenes (B, S), of which some may be unused.

    `first` is each one's first frame, the number of frames where it is unused, `start` the same in s, inf where it is
    unused; `of` (B, frames) is each frame's shot.
    """

    first: Tensor
    start: Tensor
    of: Tensor
    seconds: float

    @property
    def used(self) -> Tensor:
        """Which shots there are, bool (B, S)."""
        return self.start.isfinite()

    @property
    def end(self) -> Tensor:
        """Where each shot ends, s (B, S)."""
        after = torch.cat([self.start[:, 1:], torch.full_like(self.start[:, :1], self.seconds)], 1)
        return after.clamp_max(self.seconds)

    def at_frames(self, values: Tensor) -> Tensor:
        """Values by shot (B, S) frame by frame (B, frames)."""
        return values.gather(1, self.of)


def draw_shots(dice: Dice, frames: int, cuts: Tensor) -> Shots:
    """One to three shots of two seconds or more each, or those that begin at `cuts` (B, S - 1) s, if there are any."""
    seconds = frames * HOP / SAMPLE_RATE
    if cuts.shape[1]:
        begin = torch.cat([torch.zeros_like(cuts[:, :1]), cuts], 1).double() * (SAMPLE_RATE / HOP)
    else:
        number = torch.arange(MOST_SHOTS, dtype=torch.float64, device=dice.device)
        most = max(1, int(seconds // SHORTEST_SHOT))
        count = (dice.below("shots", MOST_SHOTS) + 1).clamp_max(most)[:, None]
        begin = torch.where(number < count, number * frames / count, torch.inf)
    first = torch.where(begin.isfinite(), begin, frames).round().long().clamp_max(frames)
    of = (torch.arange(frames, device=dice.device)[:, None] >= first[:, None]).sum(-1) - 1
    return Shots(first, (begin * (HOP / SAMPLE_RATE)).float(), of, seconds)


@dataclass(frozen=True)
class Events:
    """Effects that sound: `times` (B, E, 2) s, start and end, and rows (B, E) of the pictures that show them, or -1.

    Unused ones have a row of -1 too.
    """

    times: Tensor
    picture: Tensor

    def within(self, shots: Shots) -> Tensor:
        """Which of those that have a picture sound in which shot, bool (B, S, E)."""
        start, end = self.times[:, None, :, 0], self.times[:, None, :, 1]
        sounds = (start < shots.end[..., None]) & (end > shots.start[..., None])
        return sounds & (self.picture >= 0)[:, None]


def one_of(mask: Tensor, chance: Tensor) -> Tensor:
    """The place in the last dimension of one that is True, all alike, by numbers 0…1 (…); 0 where none is."""
    count = mask.sum(-1)
    wanted = torch.minimum((chance * count).long(), count - 1)
    return (mask.cumsum(-1) <= wanted[..., None]).sum(-1).clamp_max(mask.shape[-1] - 1)


def show(dice: Dice, shots: Shots, events: Events, table: PictureTable) -> Tensor:
    """Rows (B, S) of pictures for shots: of an effect that sounds there, or of nothing that does."""
    count = shots.start.shape[1]
    here = events.within(shots)
    place = one_of(here, dice.uniform("show.which", count))
    shown = events.picture.gather(1, place)
    heard = here.any(-1) & dice.chance("show.heard", _AS_HEARD, count)
    return torch.where(heard, shown, table.neutral(dice, "show.elsewhere", count))


def seen(shots: Shots, events: Events, rows: Tensor) -> Tensor:
    """Where an effect that sounds is in the picture, 0…1 (B, frames), softly: `rows` (B, S) are what is shown."""
    frames = shots.of.shape[1]
    match = events.within(shots) & (events.picture[:, None] == rows[..., None])
    start = torch.maximum(events.times[:, None, :, 0], shots.start[..., None])
    end = torch.minimum(events.times[:, None, :, 1], shots.end[..., None])
    first, last = ((t * (SAMPLE_RATE / HOP)).nan_to_num(0.0, 0.0).long() for t in (start, end))
    change = torch.zeros(len(rows), frames + 1, device=rows.device)
    for place, step in ((first, 1.0), (last + 1, -1.0)):
        change.scatter_add_(1, place.clamp(0, frames).flatten(1), (step * match).flatten(1))
    return smoothed((change.cumsum(1)[:, :-1] > 0.5).float(), _SOFT)


@dataclass(frozen=True)
class Composed:
    """Shots that show whose sound to bring out.

    `leads` (B, S) are numbers of stems, -1 for shots of nothing that sounds, `rows` (B, S) pictures, and `missing` (B,)
    says where there was none for a shot.
    """

    leads: Tensor
    rows: Tensor
    missing: Tensor


def sounding_in(shots: Shots, sounding: Sounding) -> Tensor:
    """Which stems sound in which shots, so that they may be brought out there: bool (B, S, 3)."""
    heard = (activity(sounding.level_db) & sounding.present[..., None]).float()
    index = shots.of[:, None].expand_as(heard)
    total = torch.zeros(*heard.shape[:2], shots.first.shape[1], device=heard.device)
    frames = total.scatter_add(2, index, torch.ones_like(heard)).clamp_min(1.0)
    share = total.scatter_add(2, index, heard) / frames
    return (share > _SOUNDS).transpose(1, 2)


def draw_leads(dice: Dice, name: str, sounding: Tensor) -> Tensor:
    """Whose sound each shot brings out (B, S), of those that sound there (B, S, 3), or -1."""
    count = sounding.shape[1]
    lead = one_of(sounding, dice.uniform(f"{name}.lead", count))
    return torch.where(sounding.any(-1) & dice.chance(f"{name}.some", _OF_SOUND, count), lead, -1)


def picture_leads(dice: Dice, shots: Shots, leads: Tensor, table: PictureTable) -> Composed:
    """Pictures of what leads in each shot, any of its class, or of nothing that sounds."""
    count = leads.shape[1]
    rows = table.neutral(dice, "compose.nothing", count)
    for stem, kind in enumerate(STEMS):
        rows = torch.where(leads == stem, table.subject(dice, f"compose.{kind}", kind, count), rows)
    return Composed(leads, rows, ((rows < 0) & shots.used).any(1))


def check_subjects(table: PictureTable) -> None:
    """Raise `TrainingError` where no picture shows something of one of the classes, or nothing that sounds."""
    lacking = [kind for kind in STEMS if not table.has(kind)] or ([] if table else ["nothing that sounds"])
    if lacking:
        raise TrainingError(
            f"Composed scenes whose levels tell nothing need pictures of {', '.join(lacking)}, and the corpus has none "
            "in this split: add some to the recipe and compute their features."
        )
