"""Losses on magnitude spectrograms and gain curves (torch)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import TrainingError

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


def envelope_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Root mean square difference of Hilbert envelopes of (B, samples), as ENV has it; the mean over clips."""
    difference = _envelope(predicted) - _envelope(target)
    return difference.square().mean(-1).add(1e-10).sqrt().mean()


def sample_loss(predicted: Tensor, target: Tensor, every: int = 8) -> Tensor:
    """Wasserstein distance of the sample values of (B, samples), as W-dis has it; the mean over clips.

    It knows how loud the whole is, which distances of magnitude underrate: they are least on the quiet side where a
    gain is in doubt. One sample in `every` is sorted.
    """
    found, wanted = (x[..., ::every].float().sort(-1).values for x in (predicted, target))
    return (found - wanted).abs().mean()


def _envelope(x: Tensor) -> Tensor:
    """Magnitude of the analytic signal of (…, samples)."""
    n = x.shape[-1]
    # As scipy's hilbert: positive frequencies count twice, zero and the highest of an even length once.
    weight = torch.zeros(n, device=x.device)
    weight[1 : (n + 1) // 2] = 2.0
    weight[0] = 1.0
    if n % 2 == 0:
        weight[n // 2] = 1.0
    whole = torch.fft.fft(x.float()) * weight
    return torch.view_as_real(torch.fft.ifft(whole)).square().sum(-1).add(1e-10).sqrt()


def gain_loss(predicted_db: Tensor, target_db: Tensor, active: Tensor, beta: float = 1.0) -> Tensor:
    """Smooth l1 in dB of gain curves (B, 3, frames): the mean over all of the batch's `active` frames (B, 3, frames).

    Every second in which a stem sounds counts the same, whichever scene it is in: a wrong gain is heard as long as its
    stem sounds, and the distances that clips are judged by (MAG, ENV, W-dis) grow with that time. A mean of scenes'
    own means would give a single short hit as much say as speech all through. So a sparse scene counts less, one in
    which nothing sounds counts nothing, and how much depends a little on its company: accumulated batches are not
    quite one large batch. The paper has no such loss; its gains follow from the sound alone (equation 5).
    """
    weight = active.to(predicted_db.dtype)
    distance = functional.smooth_l1_loss(predicted_db, target_db, beta=beta, reduction="none")
    return (distance * weight).sum() / weight.sum().clamp(min=1.0)


def level_loss(predicted: Tensor, power: Tensor, floor: float) -> Tensor:
    """Smooth l1 of log10 levels per latent step (B, 3, N) against stems' mean power per frame (B, 3, T)."""
    steps = predicted.shape[-1]
    padded = functional.pad(power, (0, 2 * steps - power.shape[-1]))
    true = torch.log10(functional.avg_pool1d(padded, 2) + floor)
    return functional.smooth_l1_loss(predicted, true, beta=0.2)


def touched_loss(log_odds: Tensor, gains_db: Tensor, active: Tensor, least_db: float = 0.5) -> Tensor:
    """Binary cross-entropy of "this clip needs a change" (B,): whether any gain that counts passes `least_db`."""
    wanted = (gains_db.abs() * active).flatten(1).amax(1) > least_db
    return functional.binary_cross_entropy_with_logits(log_odds, wanted.to(log_odds.dtype))
