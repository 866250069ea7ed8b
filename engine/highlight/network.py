"""The highlighting networks: VisAH as published, and the product model with three masks and three gain curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bands import BandTrunk
from .config import BINS, LATENT_SECONDS, LEVEL_BANDS, NetworkConfig
from .layers import DecoderLayer, EncoderLayer, FrequencyEmbedding, log_magnitude, rescale_convolutions
from .transformer import ContextLayer, LatentTransformer, latent_positions

POWER_FLOOR = 1e-5  # of mean power, about 80 dB below loud dialogue
SIGHT_SECONDS = 0.1  # how sharply a gain head turns from one picture to the next
DEPTH = 5  # layers of each branch before the shared one

# The fields of `told.Told` as tensors: power (B, 18, T), unsure (B, 3), heard (B,).
Telling: TypeAlias = tuple[Tensor, Tensor, Tensor]


class Trunk(nn.Module):
    """Hybrid dual U-Net with a latent transformer between its halves (VisAH paper, section 3.2.1).

    Takes a magnitude spectrogram (B, 2048, T) and the waveform (B, 1024·T) or shorter; gives the spectrogram decoder's
    output (B, masks, 2048, T), the waveform decoder's (B, L) where there is one, and the transformer's hidden
    sequence (B, L/2048, width). Items of a batch never see each other.
    """

    def __init__(self, config: NetworkConfig, *, wave_out: bool, null_context: bool) -> None:
        super().__init__()
        self.config = config
        self.mixed_precision = False  # for training: layers in bfloat16 under autocast, weights in float32
        widths = [config.channels * 2**i for i in range(DEPTH + 1)]
        ins = [1, *widths]
        top = DEPTH - 1
        self.encoder = nn.ModuleList(
            EncoderLayer(ins[i], widths[i], freq=True, pad=0 if i == top else None, norm=i == top)
            for i in range(DEPTH)
        )
        self.wave_encoder = nn.ModuleList(
            EncoderLayer(ins[i], widths[i], freq=False, empty=i == top) for i in range(DEPTH)
        )
        self.shared_encoder = EncoderLayer(
            widths[top], widths[DEPTH], freq=False, kernel=4, stride=2, norm=True
        )
        self.rows = FrequencyEmbedding(BINS // 4, config.channels)
        self.transformer = LatentTransformer(config, null_context)
        self.shared_decoder = DecoderLayer(
            widths[DEPTH], widths[top], freq=False, kernel=4, stride=2, norm=True
        )
        outs = [config.masks, *widths]
        self.decoder = nn.ModuleList(
            DecoderLayer(
                widths[i], outs[i], freq=True, pad=0 if i == top else None, norm=i == top, last=i == 0
            )
            for i in reversed(range(DEPTH))
        )
        outs[0] = 1
        self.wave_decoder = nn.ModuleList(
            DecoderLayer(widths[i], outs[i], freq=False, empty=i == top, norm=i == top, last=i == 0)
            for i in (reversed(range(DEPTH)) if wave_out else ())
        )
        # The published recipe rescales the U-Net's convolutions; the transformer keeps its own initialisation.
        for part in (self.encoder, self.wave_encoder, self.shared_encoder, self.shared_decoder, self.decoder):
            rescale_convolutions(part)
        rescale_convolutions(self.wave_decoder)

    def forward(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        if not self.mixed_precision:
            return self._run(spectrogram, waveform, context, times, valid)
        with torch.autocast(spectrogram.device.type, torch.bfloat16):
            y, wave, hidden = self._run(spectrogram, waveform, context, times, valid)
        return y.float(), None if wave is None else wave.float(), hidden.float()

    def hidden(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
    ) -> Tensor:
        """The hidden sequence alone, (B, L/2048, width)."""
        hidden: Tensor = self(spectrogram, waveform, context, times, valid)[2]
        return hidden

    def _run(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        x = spectrogram[:, None]
        if self.config.spectrogram == "log":
            x = log_magnitude(x)
        mean = waveform.mean(dim=-1, keepdim=True)
        std = waveform.std(dim=-1, keepdim=True)
        w = ((waveform - mean) / (1e-5 + std))[:, None]

        frames = x.shape[-1]
        skips: list[Tensor] = []
        wave_skips: list[Tensor] = []
        wave_lengths: list[int] = []
        for i in range(DEPTH):
            wave_lengths.append(w.shape[-1])
            w = self.wave_encoder[i](w)
            inject = None
            if i < DEPTH - 1:
                wave_skips.append(w)
            else:
                inject = w[..., :frames]
            x = self.encoder[i](x, inject)
            if i == 0:
                x = self.rows(x)
            skips.append(x)

        merged = x[:, :, 0]
        shared = self.shared_encoder(merged)
        latent, hidden = self.transformer(shared, context, times, valid)
        y, _ = self.shared_decoder(latent, None, frames)
        y = y[:, :, None]
        wave: Tensor | None = None
        for k, layer in enumerate(self.decoder):
            y, before = layer(y, skips.pop(), frames)
            if self.wave_decoder:
                length = wave_lengths.pop()
                if k == 0:
                    wave, _ = self.wave_decoder[0](before[:, :, 0], None, length)
                else:
                    wave, _ = self.wave_decoder[k](wave, wave_skips.pop(), length)
        if wave is not None:
            wave = wave[:, 0] * std + mean
        return y, wave, hidden


class VisAH(nn.Module):
    """VisAH: one raw mask for the spectrogram plus a waveform residual (paper, section 3.2).

    The sound is iSTFT(mask · X) + waveform, with the STFT of `spectral`. Without an activation the mask may be
    negative. `context` (B, N, C), `times` (B, N) seconds from the window's start, `valid` (B, N) booleans.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config, wave_out=True, null_context=False)

    def forward(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None = None,
        times: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        mask, wave, _ = self.trunk(spectrogram, waveform, context, times, valid)
        assert wave is not None
        return mask, wave


@dataclass(frozen=True)
class Beliefs:
    """What a gain head made up its mind about before the gains, for training to correct.

    `levels` (B, 3, N): log10 of each stem's mean power per latent step; `touched` (B,): log odds that the clip needs
    a change.
    """

    levels: Tensor
    touched: Tensor


class GainHead(nn.Module):
    """Gain curves (B, 3, T) in dB from the latent transformer's hidden sequence and how loud the stems are.

    A balance is a matter of levels, which the trunk's norms partly hide, so the levels of the mix and of the masked
    stems are handed over as they are: per latent step and for the whole window, as log10 of mean power.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.bound, self.width = config.gain_bound_db, config.width
        self.norm_in = nn.LayerNorm(config.width)
        self.levels_in = nn.Linear(2 * self.rows(config.masks), config.width)
        self.layers = nn.ModuleList(
            ContextLayer(config.width, config.heads, config.dropout) for _ in range(config.gain_layers)
        )
        self.norm_out = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, config.masks)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def rows(self, masks: int) -> int:
        """Levels per frame that `power` gives."""
        return masks + 1

    def parts_power(self, parts: Tensor) -> Tensor:
        """Mean power per frame of magnitude spectrograms (B, 4, 2048, T), the mix first: (B, rows, T)."""
        return parts.square().mean(2)

    def power(self, masks: Tensor, spectrogram: Tensor, told: Telling | None = None) -> Tensor:  # noqa: ARG002
        """Power per frame of the mix and of each stem, (B, rows, T): as masked, or as a head can be told of it."""
        # The masks answer for separation alone: what gains want of them must not bend them.
        parts = masks.detach() * spectrogram[:, None]
        return self.parts_power(torch.cat([spectrogram[:, None], parts], dim=1))

    def look(
        self,
        context: Tensor | None,  # noqa: ARG002
        times: Tensor | None,  # noqa: ARG002
        valid: Tensor | None,  # noqa: ARG002
        steps: int,  # noqa: ARG002
    ) -> Tensor | None:
        """What the head makes of the pictures itself, (B, `steps`, width); None: it leaves them to the trunk."""
        return None

    def forward(
        self, hidden: Tensor, power: Tensor, seen: Tensor | None = None, unsure: Tensor | None = None
    ) -> tuple[Tensor, Beliefs | None]:
        frames = power.shape[-1]
        power = F.avg_pool1d(F.pad(power, (0, 2 * hidden.shape[1] - frames)), 2)
        whole = power.mean(-1, keepdim=True).expand_as(power)
        levels = torch.log10(torch.cat([power, whole], dim=1) + POWER_FLOOR).transpose(1, 2)
        x = self.norm_in(hidden) + self.levels_in(levels)
        x, beliefs = self.think(x, power, seen, unsure)
        raw = self.out(self.norm_out(x)).transpose(1, 2)
        gains = self.bound * torch.tanh(raw / self.bound)
        if beliefs is not None:
            gains = gains * torch.sigmoid(beliefs.touched)[:, None, None]
        return F.interpolate(gains, scale_factor=2.0, mode="linear", align_corners=False)[
            ..., :frames
        ], beliefs

    def think(
        self,
        x: Tensor,
        power: Tensor,  # noqa: ARG002
        seen: Tensor | None,  # noqa: ARG002
        unsure: Tensor | None,  # noqa: ARG002
    ) -> tuple[Tensor, Beliefs | None]:
        """The sequence (B, N, width) after the head's layers.

        `power` (B, rows, N) is what it was told of levels, `seen` (B, N, width) what it saw, `unsure` (B, 3) how far
        it may correct the stems' levels (None: as far as it likes).
        """
        where = latent_positions(x, self.width)
        for layer in self.layers:
            x = layer(x, where, None)
        return x, None


def _sight(config: NetworkConfig) -> nn.Sequential:
    """From a picture's features (…, context_dim) to a head's width; says nothing before training."""
    last = nn.Linear(config.width, config.width)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        nn.LayerNorm(config.context_dim), nn.Linear(config.context_dim, config.width), nn.GELU(), last
    )


class LevelGainHead(GainHead):
    """A gain head that first corrects the masked stems' levels for what leaks, then sets gains by the true ones.

    It is told levels in bands, so that what a leak sounds like can be seen; a stem that is known comes without one, and
    is left as it is. It learns the true levels from the true
    stems, whose targets are exact where a mixer's gains are a matter of taste; and one gate over the whole window
    closes on mixes that are good as they are. It also looks for itself at the picture nearest in time, since what is
    seen has more to say about gains than about masks.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.masks = config.masks
        bank = torch.zeros(len(LEVEL_BANDS), BINS)
        for row, (low, high) in enumerate(LEVEL_BANDS):
            bank[row, low:high] = 1.0 / BINS
        self.register_buffer("bank", bank, persistent=False)
        self.true_levels = nn.Linear(config.width, config.masks)
        self.true_levels_in = nn.Linear(3 * config.masks, config.width)
        self.touched = nn.Linear(config.width, 1)
        self.seen_in = _sight(config) if config.context_dim else None
        nn.init.zeros_(self.true_levels.weight)
        nn.init.zeros_(self.true_levels.bias)
        nn.init.zeros_(self.touched.weight)
        nn.init.constant_(self.touched.bias, 2.0)

    def rows(self, masks: int) -> int:
        return len(LEVEL_BANDS) * (masks + 1)

    def parts_power(self, parts: Tensor) -> Tensor:
        return torch.matmul(self.get_buffer("bank"), parts.square()).flatten(1, 2)

    def power(self, masks: Tensor, spectrogram: Tensor, told: Telling | None = None) -> Tensor:
        """As of any head; stems that are known have the levels `told` of them."""
        power = super().power(masks, spectrogram)
        if told is None:
            return power
        known, _, heard = told
        mix, stems = power[:, : len(LEVEL_BANDS)], power[:, len(LEVEL_BANDS) :]
        return torch.cat([mix, heard[:, None, None] * stems + known], dim=1)

    def look(
        self, context: Tensor | None, times: Tensor | None, valid: Tensor | None, steps: int
    ) -> Tensor | None:
        if self.seen_in is None or context is None or times is None:
            return None
        where = (torch.arange(steps, device=times.device, dtype=times.dtype) + 0.5) * LATENT_SECONDS
        nearness = -(where[None, :, None] - times[:, None, :]).abs() / SIGHT_SECONDS
        if valid is None:
            return torch.matmul(torch.softmax(nearness, dim=-1), self.seen_in(context))
        nearness = nearness.masked_fill(~valid[:, None, :], -1e4)
        seen = torch.matmul(torch.softmax(nearness, dim=-1), self.seen_in(context))
        return seen * valid.any(1)[:, None, None].to(seen.dtype)

    def think(
        self, x: Tensor, power: Tensor, seen: Tensor | None, unsure: Tensor | None
    ) -> tuple[Tensor, Beliefs | None]:
        where = latent_positions(x, self.width)
        x = self.layers[0](x, where, None)
        masked = power.unflatten(1, (self.masks + 1, -1)).sum(2)[:, 1:]
        step = 3.0 * torch.tanh(self.true_levels(x).transpose(1, 2) / 3.0)
        if unsure is not None:
            step = unsure[:, :, None] * step
        levels = torch.log10(masked + POWER_FLOOR) + step
        linear = torch.pow(10.0, levels.detach())
        whole = torch.log10(linear.mean(-1, keepdim=True) + POWER_FLOOR).expand_as(levels)
        share = levels.detach() - torch.log10(linear.sum(1, keepdim=True) + POWER_FLOOR)
        x = x + self.true_levels_in(torch.cat([levels.detach(), whole, share], dim=1).transpose(1, 2))
        if seen is not None:
            x = x + seen
        for layer in self.layers[1:]:
            x = layer(x, where, None)
        return x, Beliefs(levels, self.touched(x.mean(1))[:, 0])


class ProductModel(nn.Module):
    """VisAH's trunk with another mouth: masks (B, 3, 2048, T) that sum to one and gains (B, 3, T) in dB.

    Stems are in the order speech, music, effects. Gains are bounded to ±`gain_bound_db` and 0 before training, so
    that an untrained model changes nothing. Of stems that are known the gain head is `told` how loud they are.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk: Trunk | BandTrunk = (
            BandTrunk(config) if config.trunk == "bands" else Trunk(config, wave_out=False, null_context=True)
        )
        self.gain = LevelGainHead(config) if config.gain_head == "levels" else GainHead(config)

    def forward(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None = None,
        times: Tensor | None = None,
        valid: Tensor | None = None,
        told: Telling | None = None,
    ) -> tuple[Tensor, Tensor]:
        logits, gains, _ = self.logits(spectrogram, waveform, context, times, valid, told)
        return torch.softmax(logits, dim=1), gains

    def told_gains(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
        power: Tensor,
        unsure: Tensor,
    ) -> Tensor:
        """The gains of `forward` alone, where the levels of all stems are told: what only masks need is left out.

        `power` (B, 18, T) and `unsure` (B, 3) as of `Told`, for a gain head that can be told.
        """
        hidden = self.trunk.hidden(spectrogram, waveform, context, times, valid)
        seen = self.gain.look(context, times, valid, hidden.shape[1])
        mix = self.gain.parts_power(spectrogram[:, None])
        gains: Tensor = self.gain(hidden, torch.cat([mix, power], dim=1), seen, unsure)[0]
        return gains

    def mask_logits(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
    ) -> Tensor:
        """What the masks are the softmax of, (B, 3, 2048, T), without a thought for gains."""
        logits: Tensor = self.trunk(spectrogram, waveform, context, times, valid)[0]
        return logits

    def logits(
        self,
        spectrogram: Tensor,
        waveform: Tensor,
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
        told: Telling | None = None,
    ) -> tuple[Tensor, Tensor, Beliefs | None]:
        """What the masks are the softmax of, (B, 3, 2048, T), for losses that must not saturate; gains; beliefs."""
        logits, _, hidden = self.trunk(spectrogram, waveform, context, times, valid)
        masks = torch.softmax(logits, dim=1)
        seen = self.gain.look(context, times, valid, hidden.shape[1])
        power = self.gain.power(masks, spectrogram, told)
        gains, beliefs = self.gain(hidden, power, seen, None if told is None else told[1])
        return logits, gains, beliefs


def build(config: NetworkConfig) -> VisAH | ProductModel:
    """The network a configuration describes, freshly initialised."""
    return VisAH(config) if config.kind == "visah" else ProductModel(config)


def parameter_count(module: nn.Module) -> int:
    """Learned values in `module`."""
    return sum(p.numel() for p in module.parameters())
