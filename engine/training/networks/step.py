"""One training step: batches of scenes, what the networks are asked, how far off they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...highlight.network import POWER_FLOOR, ProductModel, VisAH
from ...highlight.spectral_torch import apply_masks, gain_ramps, istft, render_visah, stft
from ..scenes.scene import Pictures, Scene, SceneBatch
from .losses import SpectralLoss, envelope_loss, gain_loss, level_loss, sample_loss, touched_loss

CONTEXT_FRAMES = 10


@dataclass(frozen=True)
class Batch:
    """Scenes as tensors: `stems` (B, 3, L) muddy, `gains_db` and `active` (B, 3, T), context (B, N, C)."""

    stems: Tensor
    gains_db: Tensor
    active: Tensor
    context: Tensor
    times: Tensor
    valid: Tensor


def look(
    pictures: Pictures | None,
    features: Mapping[str, NDArray[np.float32]],
    dim: int,
    seconds: Sequence[int] = range(CONTEXT_FRAMES),
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """A scene's pictures as context (N, `dim`) at times (N,) in seconds, and which of it is valid (N,)."""
    context = np.zeros((CONTEXT_FRAMES, max(dim, 1)), np.float32)
    valid = np.zeros(CONTEXT_FRAMES, bool)
    times = np.arange(CONTEXT_FRAMES, dtype=np.float32) + 0.5
    for n in seconds:
        shown = [name for start, name in pictures or () if start <= times[n]]
        if shown and shown[-1] in features and dim:
            context[n] = features[shown[-1]]
            valid[n] = True
    return context, times, valid


def collate(
    scenes: Sequence[Scene],
    features: Mapping[str, NDArray[np.float32]],
    dim: int,
    seconds: Sequence[int] = range(CONTEXT_FRAMES),
) -> Batch:
    """A batch of scenes; `features` maps picture ids to vectors (C,). A scene without pictures has no valid context.

    Of the pictures a second apart those of `seconds` are shown.
    """
    seen = [look(scene.pictures, features, dim, seconds) for scene in scenes]
    context, times, valid = (np.stack(parts) for parts in zip(*seen, strict=True))
    return Batch(
        torch.from_numpy(np.stack([s.stems for s in scenes])),
        torch.from_numpy(np.stack([s.gains_db for s in scenes])),
        torch.from_numpy(np.stack([s.active for s in scenes]).astype(np.float32)),
        torch.from_numpy(context),
        torch.from_numpy(times),
        torch.from_numpy(valid),
    )


def gather(
    scenes: SceneBatch, features: Tensor, known: Tensor, seconds: Sequence[int] = range(CONTEXT_FRAMES)
) -> Batch:
    """A batch of scenes where they are; their pictures' rows have `features` (P, C), if `known` (P,).

    Of the pictures a second apart those of `seconds` are shown.
    """
    device = scenes.stems.device
    times = torch.arange(CONTEXT_FRAMES, dtype=torch.float32, device=device) + 0.5
    # What is shown last stays; what begins after the end is of another window.
    rows = scenes.pictures_at(times.clamp_max(scenes.seconds - 1e-3))
    asked = torch.zeros(CONTEXT_FRAMES, dtype=torch.bool, device=device)
    asked[list(seconds)] = True
    valid = (rows >= 0) & known[rows.clamp_min(0)] & asked
    context = features[rows.clamp_min(0)] * valid[..., None]
    active = scenes.active.to(torch.float32)
    return Batch(scenes.stems, scenes.gains_db, active, context, times.expand(len(scenes), -1), valid)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on another device."""
    return Batch(*(getattr(batch, name).to(device) for name in Batch.__dataclass_fields__))


@dataclass(frozen=True)
class ProductWeights:
    """Weight of each term of the product model's loss; a term of weight 0 is not computed."""

    mask: float = 1.0
    stem: float = 0.0
    noise: float = 0.0
    gain: float = 0.1
    remix: float = 0.0
    env: float = 0.0
    w: float = 0.0
    level: float = 0.0
    touched: float = 0.0

    @property
    def needs_gains(self) -> bool:
        """Whether any term asks for more than masks."""
        return self.needs_sound or any((self.stem, self.noise, self.gain, self.level, self.touched))

    @property
    def needs_sound(self) -> bool:
        """Whether any term listens to the rebalanced sound."""
        return any((self.remix, self.env, self.w))

    def weighed(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """Scalar terms by name, and their weighted sum as "total" beside them."""
        total = sum((getattr(self, name) * value for name, value in terms.items()), torch.zeros(()))
        return {**terms, "total": total}


class ProductObjective:
    """Loss of the product model.

    `mask`: cross-entropy between the masks and each stem's share of magnitude, which, unlike distances of masked
    spectrograms, keeps its gradient when a mask is sure and wrong. `stem`, `noise`: distance and error in dB of the
    masked spectrograms. `gain`: dB, where a stem is active. `remix`, `env`, `w`: MR-STFT distance, distance of
    envelopes and of sample values of the rebalanced sound. `level`, `touched`: what the gain head believes of the true
    levels and of the need for a change.
    """

    def __init__(self, weights: ProductWeights, remix: SpectralLoss) -> None:
        self.weights, self.remix = weights, remix

    def __call__(self, model: ProductModel, batch: Batch) -> dict[str, Tensor]:
        """Terms by name and their weighted sum "total"."""
        B, L = batch.stems.shape[0], batch.stems.shape[-1]
        mix = batch.stems.sum(1)
        with torch.no_grad():
            spectrum = stft(mix)
            wanted = stft(batch.stems.flatten(0, 1)).unflatten(0, (B, 3))
            magnitude, sizes = modulus(spectrum), modulus(wanted)
        seen = (magnitude, mix, batch.context, batch.times, batch.valid)
        if not self.weights.needs_gains:
            loss = _share_entropy(model.mask_logits(*seen), sizes, magnitude)
            return self.weights.weighed({"mask": loss})
        logits, gains, beliefs = model.logits(*seen)
        terms = {"mask": _share_entropy(logits, sizes, magnitude)}
        if self.weights.gain:
            terms["gain"] = gain_loss(gains, batch.gains_db, batch.active)
        if beliefs is not None:
            power = sizes.square().mean(2)
            terms["level"] = level_loss(beliefs.levels, power, POWER_FLOOR)
            terms["touched"] = touched_loss(beliefs.touched, batch.gains_db, batch.active)
        if self.weights.stem or self.weights.noise or self.weights.needs_sound:
            estimate = torch.softmax(logits, dim=1) * spectrum[:, None]
            if self.weights.stem:
                terms["stem"] = _relative_distance(estimate, wanted)
            if self.weights.noise:
                terms["noise"] = _noise(estimate, wanted)
            if self.weights.needs_sound:
                sound, target = _rebalanced(estimate, gains, batch, L)
                if self.weights.remix:
                    terms["remix"] = self.remix(sound, target)
                if self.weights.env:
                    terms["env"] = envelope_loss(sound, target)
                if self.weights.w:
                    terms["w"] = sample_loss(sound, target)
        return self.weights.weighed(terms)


def _rebalanced(estimate: Tensor, gains: Tensor, batch: Batch, length: int) -> tuple[Tensor, Tensor]:
    """The rebalanced sound (B, L) of masked spectrograms under gains, and the good mix."""
    with torch.no_grad():
        target = (batch.stems * gain_ramps(batch.gains_db, length)).sum(1)
    # Gains change slowly, so applying them per frame stands in for the ramps that rendering draws.
    linear = torch.pow(10.0, gains / 20)[:, :, None]
    return istft((estimate * linear).sum(1), length), target


class VisAHObjective:
    """VisAH's own loss: MR-STFT distance of its output to the good mix (paper, equation 5)."""

    def __init__(self, remix: SpectralLoss) -> None:
        self.remix = remix

    def __call__(self, model: VisAH, batch: Batch) -> dict[str, Tensor]:
        """The one term under "remix" and "total"."""
        L = batch.stems.shape[-1]
        mix = batch.stems.sum(1)
        with torch.no_grad():
            target = (batch.stems * gain_ramps(batch.gains_db, L)).sum(1)
        loss = self.remix(visah_output(model, mix, batch), target)
        return {"remix": loss, "total": loss}


def visah_output(model: VisAH, mix: Tensor, batch: Batch) -> Tensor:
    """VisAH's sound (B, L) for mixes (B, L)."""
    spectrum = stft(mix)
    mask, wave = model(spectrum.abs(), mix, batch.context, batch.times, batch.valid)
    return render_visah(mask, wave, spectrum, mix.shape[-1])


def product_output(model: ProductModel, mix: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Rebalanced sound (B, L), stems (B, 3, L) that sum to the mix, and gains (B, 3, T) dB."""
    L = mix.shape[-1]
    spectrum = stft(mix)
    masks, gains = model(spectrum.abs(), mix, batch.context, batch.times, batch.valid)
    stems = apply_masks(spectrum, masks[:, :2], L)
    stems = torch.cat([stems, (mix - stems.sum(1))[:, None]], dim=1)
    return (stems * gain_ramps(gains, L)).sum(1), stems, gains


def modulus(spectrum: Tensor) -> Tensor:
    """|z| of a complex spectrogram, several times faster than `abs`, which guards against overflow."""
    return (spectrum.real.square() + spectrum.imag.square()).sqrt()


def _share_entropy(logits: Tensor, stems: Tensor, mix: Tensor) -> Tensor:
    """Cross-entropy of masks (as logits) and stems' shares of magnitude, weighed by the mix's root magnitude."""
    with torch.no_grad():
        weight = mix.sqrt()
        weight = weight / weight.mean((-2, -1), keepdim=True).clamp_min(1e-6)
        wanted = stems * (weight / stems.sum(1).clamp_min(1e-6))[:, None]
    return -(wanted * F.log_softmax(logits, dim=1)).sum() / mix.numel()


def _relative_distance(estimate: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute error of stems' complex spectrograms over the mix's mean magnitude, so quiet clips count."""
    scale = wanted.abs().sum(1).mean((-2, -1)).clamp_min(1e-3)
    error = torch.view_as_real(estimate - wanted).square().sum(-1).add(1e-9).sqrt()
    return (error.mean((1, 2, 3)) / scale).mean()


def _noise(estimate: Tensor, wanted: Tensor, floor_db: float = -30.0) -> Tensor:
    """Error against signal of each stem in dB, both raised by the mix's energy at `floor_db`."""
    energy = torch.view_as_real(wanted).square().sum((-3, -2, -1))
    error = torch.view_as_real(estimate - wanted).square().sum((-3, -2, -1))
    floor = energy.sum(1, keepdim=True) * 10 ** (floor_db / 10) + 1e-3
    return (10 * torch.log10((error + floor) / (energy + floor))).mean()
