"""The VisAH paper's two audio baselines, adapted: Learn2Remix, which only listens, and LCE, which also reads captions.

Both were published for other tasks: Learn2Remix (Yang et al., 2022) applies gains that a user gives to masked latents,
LCE ("Listen, Chat, and Edit", Jiang et al., 2024) follows instructions. The paper trains both, with SepReformer as the
network, to highlight without gains or instructions; these are our own implementations of that setting, with weights of
their own, and no port of anyone's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...highlight.config import MODEL_RATE
from ...highlight.spectral_torch import gain_ramps
from .sepreformer import Basis, RemixerConfig, SepReformer
from .step import Batch

GAIN_WIDTH = 128
LEVEL_FLOOR = 1e-5  # of mean power of latents, whose mean over a clip is about 1
NOISE_FLOOR_DB = -30.0  # of the clip's energy: errors below earn nothing more


class Remix(NamedTuple):
    """What Learn2Remix gives: `sound` (B, L), `stems` (B, 3, L), `gains_db` (B, 3, seconds)."""

    sound: Tensor
    stems: Tensor
    gains_db: Tensor


class StemGains(nn.Module):
    """A gain in dB per stem and second, (B, 3, seconds), from what the decoder heard and how loud the stems are.

    Takes features (B, 3, T, F), powers (B, 4, T) of the latents of mix and stems, and the clip's level (B, 1). Each
    second is described beside the whole clip. Untrained, every gain is 0 dB.
    """

    def __init__(self, config: RemixerConfig) -> None:
        super().__init__()
        self.bound = config.gain_bound_db
        self.norm = nn.LayerNorm(config.width)
        described = config.streams * config.width + config.streams + 1
        self.layers = nn.Sequential(
            nn.Linear(2 * described + 1, GAIN_WIDTH), nn.GELU(), nn.Linear(GAIN_WIDTH, GAIN_WIDTH), nn.GELU()
        )
        self.out = nn.Linear(GAIN_WIDTH, config.streams)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor, power: Tensor, level: Tensor, seconds: int) -> Tensor:
        """See the class."""
        heard = self.norm(features).transpose(2, 3).flatten(1, 2)
        per_second = torch.cat([_pooled(heard, seconds), _levels(_pooled(power, seconds))], dim=1)
        whole = torch.cat([heard.mean(-1), _levels(power.mean(-1)), level], dim=1)
        described = torch.cat([per_second, whole[..., None].expand(-1, -1, seconds)], dim=1)
        raw = self.out(self.layers(described.transpose(1, 2))).transpose(1, 2)
        return self.bound * torch.tanh(raw / self.bound)


def _pooled(x: Tensor, seconds: int) -> Tensor:
    return F.adaptive_avg_pool1d(x, seconds)


def _levels(power: Tensor) -> Tensor:
    return torch.log10(power + LEVEL_FLOOR)


def _unit_level(waveform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sound (B, L) brought to unit deviation, by what (B, 1), and log10 of that."""
    scale = waveform.std(-1, correction=0, keepdim=True) + 1e-5
    return waveform / scale, scale, torch.log10(scale)


class Learn2Remix(nn.Module):
    """Learn2Remix without a user: masks of three stems on a learned basis, gains for them, and their decoded sum.

    Takes a waveform (B, L) at 44.1 kHz and nothing else. The gains act on the masked latents before one decoding of
    their sum, as in the original's second model; they are predicted, because here nobody gives them.
    """

    def __init__(self, config: RemixerConfig) -> None:
        super().__init__()
        self.config = config
        self.basis = Basis(config.kernel, 2**config.stages)
        self.trunk = SepReformer(config)
        self.gain = StemGains(config)

    def forward(self, waveform: Tensor) -> Remix:
        """See the class and `Remix`."""
        x, scale, level = _unit_level(waveform)
        length = x.shape[-1]
        values = self.basis.analysis(x)
        masks, features = self.trunk(values, level)
        latents = masks * values[:, None]
        with torch.no_grad():  # masks answer for separation; what gains want of them must not bend them
            power = torch.cat([values[:, None], latents], dim=1).square().mean(-1)
        gains = self.gain(features, power, level, max(1, round(length / MODEL_RATE)))
        frames = F.interpolate(gains, size=values.shape[1], mode="linear", align_corners=False)
        remix = (latents * torch.pow(10.0, frames / 20)[..., None]).sum(1, keepdim=True)
        sounds = self.basis.synthesis(torch.cat([latents, remix], dim=1), length) * scale[..., None]
        return Remix(sounds[:, 3], sounds[:, :3], gains)


class LCE(nn.Module):
    """LCE with captions for instructions: one remix mask on a learned basis, text scaling and shifting every block.

    Takes a waveform (B, L) at 44.1 kHz, text vectors (B, N, C) and which of them are `valid` (B, N); their mean is the
    clip's text, and a learned vector stands for none at all. Gives the sound (B, L).
    """

    def __init__(self, config: RemixerConfig) -> None:
        super().__init__()
        self.config = config
        self.basis = Basis(config.kernel, 2**config.stages)
        self.trunk = SepReformer(config)
        self.no_text = nn.Parameter(torch.zeros(config.context_dim))

    def text(self, context: Tensor, valid: Tensor) -> Tensor:
        """One text vector (B, C) per clip."""
        weight = valid.to(context.dtype)[..., None]
        mean = (context * weight).sum(1) / weight.sum(1).clamp_min(1.0)
        return torch.where(valid.any(1)[:, None], mean, self.no_text)

    def forward(self, waveform: Tensor, context: Tensor, valid: Tensor) -> Tensor:
        """See the class."""
        x, scale, level = _unit_level(waveform)
        values = self.basis.analysis(x)
        masks, _ = self.trunk(values, level, self.text(context, valid))
        return self.basis.synthesis(masks[:, 0] * values, x.shape[-1]) * scale


@dataclass(frozen=True)
class RemixerWeights:
    """Weight of each term of the baselines' loss; LCE has no `separation`."""

    remix: float = 1.0
    separation: float = 1.0


def error_db(estimate: Tensor, wanted: Tensor, energy: Tensor) -> Tensor:
    """Mean of the negative signal-to-noise ratio in dB of sounds (…, L), -30 at best.

    Error and signal are both raised by 1/1000 of `energy` (…), so that silent stems count by what leaks into them.
    """
    floor = energy * 10 ** (NOISE_FLOOR_DB / 10) + 1e-6
    error = (estimate - wanted).square().sum(-1)
    return (10 * torch.log10((error + floor) / (wanted.square().sum(-1) + floor))).mean()


class Learn2RemixObjective:
    """Error of the remix against the good mix, and of the stems against the muddy ones, both in dB (`error_db`).

    Not scale-invariant, unlike SI-SNR: how loud things come out is the task.
    """

    def __init__(self, weights: RemixerWeights) -> None:
        self.weights = weights

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The terms "remix" and "separation", and their weighted sum "total"."""
        mix, target = mix_and_target(batch)
        output: Remix = model(mix)
        energy = mix.square().sum(-1)
        terms = {
            "remix": error_db(output.sound, target, target.square().sum(-1)),
            "separation": error_db(output.stems, batch.stems, energy[:, None]),
        }
        total = self.weights.remix * terms["remix"] + self.weights.separation * terms["separation"]
        return {**terms, "total": total}


class LCEObjective:
    """Error of the output against the good mix in dB (`error_db`)."""

    def __init__(self, weights: RemixerWeights) -> None:
        self.weights = weights

    def __call__(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The term "remix", and weighted as "total"."""
        mix, target = mix_and_target(batch)
        loss = error_db(model(mix, batch.context, batch.valid), target, target.square().sum(-1))
        return {"remix": loss, "total": self.weights.remix * loss}


def mix_and_target(batch: Batch) -> tuple[Tensor, Tensor]:
    """A batch's muddy mixes and its good ones, both (B, L)."""
    with torch.no_grad():
        ramps = gain_ramps(batch.gains_db, batch.stems.shape[-1])
        return batch.stems.sum(1), (batch.stems * ramps).sum(1)
