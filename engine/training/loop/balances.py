"""Gains learned apart from sound: scenes heard once by a finished network, then balanced many times over.

How near a balance comes to the good mix follows from inner products of the stems that the masks give and of the true
ones, band by band and step by step. They are small and need no network, so that a gain head sees in minutes what
would take hours of sound; and the same sound may be looked at with ever other pictures, each asking for another stem.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from ...highlight.config import BINS, MODEL_RATE, N_FFT
from ...highlight.network import POWER_FLOOR, ProductModel
from ...highlight.spectral_torch import stft
from ..networks.losses import gain_loss, level_loss, touched_loss
from ..networks.step import ProductWeights, modulus
from ..scenes.dice import Dice
from ..scenes.levels import decibels, frame_power, loudness
from ..scenes.mixing import respotlit
from ..scenes.pictures import PictureTable
from ..scenes.scene import GAIN_LIMIT_DB, Pictures, Scene
from ..scenes.targets import Sounding
from .batches import Shown

# Edges of bands about as wide as the ear's (Bark), in Hz.
EDGES_HZ = (
    *(100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000),
    *(2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700, 9500, 12000, 15500),
)
PAIRS = tuple((i, j) for i in range(3) for j in range(i, 3))
STEP = 2  # frames in a latent step
QUIET = 1e-6  # of a band's power in an orthonormal transform, under which amplitudes are not told apart


@dataclass(frozen=True)
class Sound:
    """What a network makes of a scene's sound: all that its gain head is told, and what any gains would lead to.

    `hidden` (N, width) and `power` (rows, T) as the head gets them; `true` (3, T) the stems' mean power, `active`
    (3, T) where they sound; inner products per band and step: `own` (6, bands, N) of masked stems, `cross`
    (9, bands, N) of masked with true ones, `wanted` (6, bands, N) of true ones. In a batch all have one more
    dimension in front.
    """

    hidden: Tensor
    power: Tensor
    true: Tensor
    active: Tensor
    own: Tensor
    cross: Tensor
    wanted: Tensor


@dataclass(frozen=True)
class Heard:
    """One scene as a network hears it, its true gains (3, T) in dB and its pictures.

    `loudness` (3,) LUFS and `energy` (3, T) of the muddy stems serve to draw another good mix where `free`.
    """

    sound: Sound
    gains_db: Tensor
    pictures: Pictures | None
    loudness: Tensor
    energy: Tensor
    free: bool


@torch.inference_mode()
def hear(model: ProductModel, scene: Scene, shown: Shown) -> Heard:
    """Run a scene through a network's masks, once."""
    batch = shown.batch([scene])
    mix = batch.stems.sum(1)
    spectrum, true = stft(mix), stft(batch.stems[0])
    magnitude = modulus(spectrum)
    logits, _, hidden = model.trunk(magnitude, mix, batch.context, batch.times, batch.valid)
    masks = torch.softmax(logits, dim=1)
    (re, im), (true_re, true_im) = _halves(spectrum[0]), _halves(true)
    parts, wanted = (masks[0] * re, masks[0] * im), (true_re, true_im)
    bank = _bank()
    sound = Sound(
        hidden[0].half(),
        model.gain.power(masks, magnitude)[0],
        (true_re.square() + true_im.square()).mean(1),
        batch.active[0],
        _products(parts, parts, bank, PAIRS),
        _products(parts, wanted, bank, tuple((i, j) for i in range(3) for j in range(3))),
        _products(wanted, wanted, bank, PAIRS),
    )
    return Heard(
        sound,
        batch.gains_db[0],
        scene.pictures,
        loudness(batch.stems[0]),
        frame_power(batch.stems[0]),
        scene.record.get("degradation", {}).get("policy") == "paper",
    )


def _bank() -> Tensor:
    edges = [0, *(round(hz * N_FFT / MODEL_RATE) for hz in EDGES_HZ), BINS]
    bank = torch.zeros(len(edges) - 1, BINS)
    for row, (low, high) in enumerate(pairwise(edges)):
        bank[row, low:high] = 1.0
    return bank


def _halves(spectra: Tensor) -> tuple[Tensor, Tensor]:
    """Real and imaginary parts of complex spectrograms, each in a piece."""
    return spectra.real.contiguous(), spectra.imag.contiguous()


def _products(
    a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor], bank: Tensor, pairs: tuple[tuple[int, int], ...]
) -> Tensor:
    """Real inner products of spectrograms as `_halves` (3, 2048, T) per band and step: (pairs, bands, N)."""
    (re, im), (other_re, other_im) = a, b
    bands = torch.stack([bank @ (re[i] * other_re[j]).addcmul_(im[i], other_im[j]) for i, j in pairs])
    return (F.avg_pool1d(F.pad(bands, (0, bands.shape[-1] % STEP)), STEP) / N_FFT).bfloat16()


@dataclass(frozen=True)
class Balances:
    """A batch of `Heard`: gains (B, 3, T) in dB, perhaps drawn anew, and context (B, N, C) at `times` (B, N)."""

    sound: Sound
    gains_db: Tensor
    context: Tensor
    times: Tensor
    valid: Tensor


def assemble(
    heard: list[Heard], shown: Shown, table: PictureTable | None, redrawn: float, dice: Dice
) -> Balances:
    """A batch of scenes, `redrawn` of those that may be so under other pictures that ask for another balance.

    Without a `table` of pictures all stay as they were. The `dice` are as many as the scenes.
    """
    stacks: dict[str, list[Tensor]] = {name: [] for name in ("gains_db", "context", "times", "valid")}
    drawn = dice.chance("redrawn", redrawn).tolist()
    if table is not None:
        level_db = decibels(torch.stack([scene.energy for scene in heard]))
        lufs = torch.stack([scene.loudness for scene in heard])
        again, shows = respotlit(dice, Sounding(lufs, level_db, torch.ones(len(heard))), table)
    for number, scene in enumerate(heard):
        gains, pictures = scene.gains_db, scene.pictures
        if table is not None and scene.free and drawn[number] and shows[number] is not None:
            pictures, gains = shows[number], again[number].clamp(-GAIN_LIMIT_DB, GAIN_LIMIT_DB)
        context, times, valid = shown.look(pictures)
        values = (gains, torch.from_numpy(context), torch.from_numpy(times), torch.from_numpy(valid))
        for name, value in zip(stacks, values, strict=True):
            stacks[name].append(value)
    sounds = [scene.sound for scene in heard]
    sound = Sound(*(torch.stack([getattr(s, f.name) for s in sounds]).float() for f in fields(Sound)))
    return Balances(sound, **{name: torch.stack(rows) for name, rows in stacks.items()})


class BalanceObjective:
    """Loss of a gain head on scenes heard: `gain`, `level`, `touched` as in training; `remix`: distance of amplitudes.

    Per band and step it is half the difference of amplitudes and half the amplitude of the difference, between which
    the distance of finer spectrograms lies; `env` is that of levels over time.
    """

    def __init__(self, weights: ProductWeights) -> None:
        self.weights = weights

    def __call__(self, model: ProductModel, batch: Balances) -> dict[str, Tensor]:
        """Terms by name and their weighted sum "total"."""
        sound = batch.sound
        seen = model.gain.look(batch.context, batch.times, batch.valid, sound.hidden.shape[1])
        gains, beliefs = model.gain(sound.hidden, sound.power, seen)
        terms = {"gain": gain_loss(gains, batch.gains_db, sound.active)}
        if beliefs is not None:
            terms["level"] = level_loss(beliefs.levels, sound.true, POWER_FLOOR)
            terms["touched"] = touched_loss(beliefs.touched, batch.gains_db, sound.active)
        found, good = _linear(gains), _linear(batch.gains_db)
        own, wanted = _quadratic(sound.own, found), _quadratic(sound.wanted, good)
        cross = torch.einsum("bijkn,bin,bjn->bkn", sound.cross.unflatten(1, (3, 3)), found, good)
        apart = (own + wanted - 2 * cross).clamp_min(0.0)
        distance = (own + QUIET).sqrt() - (wanted + QUIET).sqrt()
        terms["remix"] = 0.5 * (distance.abs().mean() + ((apart + QUIET).sqrt() - QUIET**0.5).mean())
        loud = (own.sum(1) + QUIET).sqrt() - (wanted.sum(1) + QUIET).sqrt()
        terms["env"] = (loud.square().mean(-1) + QUIET).sqrt().mean()
        return self.weights.weighed(terms)


def _linear(gains_db: Tensor) -> Tensor:
    """Gains (B, 3, T) in dB as factors per latent step (B, 3, N)."""
    padded = F.pad(gains_db, (0, gains_db.shape[-1] % STEP), mode="replicate")
    return torch.pow(10.0, F.avg_pool1d(padded, STEP) / 20)


def _quadratic(products: Tensor, gains: Tensor) -> Tensor:
    """Power per band (B, bands, N) of stems with inner `products` (B, 6, bands, N) under `gains` (B, 3, N)."""
    total = torch.zeros_like(products[:, 0])
    for row, (i, j) in enumerate(PAIRS):
        factor = (1.0 if i == j else 2.0) * gains[:, i] * gains[:, j]
        total = total + factor[:, None] * products[:, row]
    return total.clamp_min(0.0)
