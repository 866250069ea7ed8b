"""Losses on magnitude spectrograms, stems and gain curves (torch)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import TrainingError

MODES = ("linear", "log", "mixed")
_FLOOR = 1e-7


@dataclass(frozen=True)
class SpectralSettings:
    """Multi-resolution STFT: `sizes` in samples, hop = size / `overlap` (2 in the released code).

    `mode`: "linear" is the paper's l1 of magnitudes (equation 5), "log" the released code's l1 of their
    logarithms, "mixed" half of each. `factor` scales the result; the released code has 0.1.
    """

    sizes: tuple[int, ...] = (2048, 1024, 512)
    overlap: int = 4
    mode: str = "log"
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise TrainingError(f"Unknown spectral loss mode '{self.mode}': use one of {', '.join(MODES)}.")


PAPER = SpectralSettings(overlap=2, mode="linear")
RELEASED = SpectralSettings(overlap=2, mode="log", factor=0.1)


class SpectralLoss(nn.Module):
    """l1 distance of amplitude spectrograms, mean over resolutions, of signals (…, samples)."""

    def __init__(self, settings: SpectralSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or SpectralSettings()
        for size in self.settings.sizes:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def magnitude(self, x: Tensor, size: int) -> Tensor:
        """Amplitudes sqrt(max(re² + im², 1e-7)) of (…, samples) -> (items, bins, frames), float32."""
        spectrum = torch.stft(
            x.float().reshape(-1, x.shape[-1]),
            size,
            hop_length=size // self.settings.overlap,
            window=self.get_buffer(f"window_{size}"),
            center=True,
            return_complex=True,
        )
        power = torch.view_as_real(spectrum).square().sum(-1)
        return power.clamp(min=_FLOOR).sqrt()

    def _distance(self, predicted: Tensor, target: Tensor) -> Tensor:
        mode = self.settings.mode
        loss = predicted.new_zeros(())
        if mode != "log":
            loss = loss + functional.l1_loss(predicted, target)
        if mode != "linear":
            loss = loss + functional.l1_loss(predicted.log(), target.log())
        return loss * (0.5 if mode == "mixed" else 1.0)

    def forward(self, predicted: Tensor, target: Tensor) -> Tensor:
        """Scalar distance of two signals of the same shape (…, samples)."""
        losses = []
        for size in self.settings.sizes:
            with torch.no_grad():
                wanted = self.magnitude(target, size)
            losses.append(self._distance(self.magnitude(predicted, size), wanted))
        return torch.stack(losses).mean() * self.settings.factor


def noise_to_signal(predicted: Tensor, target: Tensor, floor_db: float = -30.0) -> Tensor:
    """Error against signal in dB, mean over stems (B, 3, samples): 0 for silence, lower is better.

    Both energies are raised by the mix's energy at `floor_db`, so a silent stem is judged by how far
    under the mix its estimate stays instead of dividing by nothing.
    """
    mix = target.sum(-2, keepdim=True).square().sum(-1) + target.square().sum(-1).mean(-1, keepdim=True)
    floor = mix * 10.0 ** (floor_db / 10.0) + 1e-6
    error = (predicted - target).square().sum(-1)
    ratio = (error + floor) / (target.square().sum(-1) + floor)
    return (10.0 * torch.log10(ratio)).mean()


def gain_loss(predicted_db: Tensor, target_db: Tensor, active: Tensor, beta: float = 1.0) -> Tensor:
    """Smooth l1 in dB of gain curves (B, 3, frames), weighed by `active` (B, 3, frames)."""
    weight = active.to(predicted_db.dtype)
    distance = functional.smooth_l1_loss(predicted_db, target_db, beta=beta, reduction="none")
    return (distance * weight).sum() / weight.sum().clamp(min=1.0)


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term of the product model's loss; a term of weight 0 is not computed."""

    remix: float = 1.0
    stem: float = 1.0
    noise: float = 0.05
    gain: float = 0.1


class ProductLoss(nn.Module):
    """Loss of the product model: its remix, its muddy stems, and its gain curves.

    `remix` settings judge the rebalanced mix, `stem` settings the stems; stems are compared in linear
    amplitudes divided by the clip's mean amplitude, so that quiet clips count as much as loud ones.
    """

    def __init__(
        self,
        weights: LossWeights | None = None,
        remix: SpectralSettings | None = None,
        stem: SpectralSettings | None = None,
    ) -> None:
        super().__init__()
        self.weights = weights or LossWeights()
        self.remix = SpectralLoss(remix or SpectralSettings(mode="mixed"))
        self.stem = SpectralLoss(stem or SpectralSettings(mode="linear"))

    def _stem_distance(self, estimate: Tensor, stems: Tensor) -> Tensor:
        """Relative l1 of stem amplitudes (B, 3, samples)."""
        losses = []
        for size in self.stem.settings.sizes:
            with torch.no_grad():
                wanted = self.stem.magnitude(stems, size)
                scale = wanted.mean((-2, -1)).view(stems.shape[0], -1).sum(1, keepdim=True).clamp(min=1e-4)
            error = (self.stem.magnitude(estimate, size) - wanted).abs().mean((-2, -1))
            losses.append((error.view(stems.shape[0], -1) / scale).mean())
        return torch.stack(losses).mean()

    def forward(
        self,
        estimate: Tensor,
        predicted_db: Tensor,
        remix: Tensor,
        stems: Tensor,
        gains_db: Tensor,
        active: Tensor,
        target: Tensor,
    ) -> dict[str, Tensor]:
        """Terms by name and their weighted sum under "total".

        `estimate` and `stems` are muddy stems (B, 3, samples), `remix` and `target` the rebalanced mix
        (B, samples); `predicted_db`, `gains_db` and `active` are (B, 3, frames).
        """
        terms: dict[str, Tensor] = {}
        if self.weights.remix:
            terms["remix"] = self.remix(remix, target)
        if self.weights.stem:
            terms["stem"] = self._stem_distance(estimate, stems)
        if self.weights.noise:
            terms["noise"] = noise_to_signal(estimate, stems)
        if self.weights.gain:
            terms["gain"] = gain_loss(predicted_db, gains_db, active)
        total = remix.new_zeros(())
        for name, value in terms.items():
            total = total + getattr(self.weights, name) * value
        return {**terms, "total": total}
