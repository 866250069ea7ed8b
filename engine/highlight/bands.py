"""A trunk over bands of the spectrogram: narrow ones low, wide ones high, each a vector per latent step.

A U-Net spends most of its time moving feature maps about; here nearly all of it goes into matrix products, so that a
processor learns more in the same time. Splitting by bands follows Luo & Yu, "Music Source Separation with Band-split
RNN" (2022), and Watcharasupat et al., "A Generalized Bandsplit Neural Network" (2023), for speech, music and effects;
the layers between are depthwise convolutions over time and bands with pointwise ones (Liu et al., "A ConvNet for the
2020s", 2022), and mixing across all bands.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import BINS, NetworkConfig
from .layers import log_magnitude
from .transformer import LatentTransformer

# (bands, bins in each): 130 Hz wide up to 2 kHz, an octave's fraction above.
BANDS = ((16, 12), (8, 24), (6, 64), (6, 128), (2, 256))
PAIR = 2  # frames in a latent step
REACH = (11, 3)  # of a convolution, in latent steps and bands


class PerBand(nn.Module):
    """A linear layer per band, for `groups` of (bands, values in, values out)."""

    def __init__(self, groups: tuple[tuple[int, int, int], ...]) -> None:
        super().__init__()
        self.sizes = [bands * inputs for bands, inputs, _ in groups]
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(k, i, o)) for k, i, o in groups)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(k, o)) for k, _, o in groups)
        for weight in self.weights:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(M, values in) to one (M, bands, values out) per group."""
        out = []
        for part, weight, bias in zip(x.split(self.sizes, dim=1), self.weights, self.biases, strict=True):
            bands = part.reshape(part.shape[0], weight.shape[0], -1).transpose(0, 1)
            out.append((torch.matmul(bands, weight) + bias[:, None]).transpose(0, 1))
        return out


class Block(nn.Module):
    """Neighbouring steps and bands, then each vector by itself, then all bands with each other; (B, N, K, D)."""

    def __init__(self, width: int, bands: int, depth: int) -> None:
        super().__init__()
        steps, rows = REACH
        # Without dilation: with it, or with five bands, the gradient takes ten times as long on a processor.
        self.near = nn.Conv2d(width, width, REACH, padding=(steps // 2, rows // 2), groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.norm_bands = nn.LayerNorm(width)
        self.bands_up = nn.Linear(bands, 2 * bands)
        self.bands_down = nn.Linear(2 * bands, bands)
        with torch.no_grad():
            for last in (self.down, self.bands_down):
                last.weight *= depth**-0.5

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, K, D) to the same."""
        y = self.near(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = x + self.down(F.gelu(self.up(self.norm(y))))
        y = self.norm_bands(x).transpose(2, 3)
        return x + self.bands_down(F.gelu(self.bands_up(y))).transpose(2, 3)


class BandTrunk(nn.Module):
    """As `Trunk` without a waveform: spectrogram (B, 2048, T) to logits (B, masks, 2048, T) and (B, N, width).

    In the middle of its layers the whole frame passes through the latent transformer, where context over time and
    the pictures come in.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.mixed_precision = False  # for training: layers in bfloat16 under autocast, weights in float32
        D, depth, masks = config.band_width, config.band_layers, config.masks
        self.count = sum(bands for bands, _ in BANDS)
        assert sum(bands * bins for bands, bins in BANDS) == BINS
        self.read = PerBand(tuple((bands, PAIR * bins, D) for bands, bins in BANDS))
        self.place = nn.Parameter(0.1 * torch.randn(self.count, D))
        self.early = nn.ModuleList(Block(D, self.count, depth) for _ in range(depth // 2))
        self.late = nn.ModuleList(Block(D, self.count, depth) for _ in range(depth // 2, depth))
        self.norm_whole = nn.LayerNorm(D)
        self.whole_in = nn.Linear(self.count * D, config.latent_channels)
        self.transformer = LatentTransformer(config, null_context=True)
        self.whole_out = nn.Linear(config.latent_channels, self.count * D)
        nn.init.zeros_(self.whole_out.weight)
        nn.init.zeros_(self.whole_out.bias)
        self.norm_out = nn.LayerNorm(D)
        self.answer = nn.Linear(D, 2 * D)
        self.write = PerBand(tuple((bands, D, masks * PAIR * bins) for bands, bins in BANDS))
        with torch.no_grad():
            for weight in self.write.weights:
                weight.mul_(0.1)

    def forward(
        self,
        spectrogram: Tensor,
        waveform: Tensor,  # noqa: ARG002
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
    ) -> tuple[Tensor, None, Tensor]:
        """See the class."""
        if not self.mixed_precision:
            y, hidden = self._run(spectrogram, context, times, valid)
            return y, None, hidden
        with torch.autocast(spectrogram.device.type, torch.bfloat16):
            y, hidden = self._run(spectrogram, context, times, valid)
        return y.float(), None, hidden.float()

    def hidden(
        self,
        spectrogram: Tensor,
        waveform: Tensor,  # noqa: ARG002
        context: Tensor | None,
        times: Tensor | None,
        valid: Tensor | None,
    ) -> Tensor:
        """The hidden sequence alone, (B, N, width): the first half of the layers."""
        return self._early(spectrogram, context, times, valid)[2]

    def _early(
        self, spectrogram: Tensor, context: Tensor | None, times: Tensor | None, valid: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Bands (B, N, bands, D) as far as the middle, the whole frame (B, latent, N) after it, and what is hidden."""
        B, bins, T = spectrogram.shape
        N = self.config.latent_steps(T)
        D = self.config.band_width
        x = log_magnitude(spectrogram)
        # Both frames of a step lie side by side within each bin, and so within each band.
        x = F.pad(x, (0, PAIR * N - T)).reshape(B, bins, N, PAIR).permute(0, 2, 1, 3).reshape(B * N, -1)
        x = torch.cat(self.read(x), dim=1).reshape(B, N, self.count, D) + self.place
        for block in self.early:
            x = block(x)
        whole = self.whole_in(self.norm_whole(x).flatten(2)).transpose(1, 2)
        latent, hidden = self.transformer(whole, context, times, valid)
        return x, latent, hidden

    def _run(
        self, spectrogram: Tensor, context: Tensor | None, times: Tensor | None, valid: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        x, latent, hidden = self._early(spectrogram, context, times, valid)
        B, N, _, D = x.shape
        T = spectrogram.shape[-1]
        x = x + self.whole_out(latent.transpose(1, 2)).reshape(B, N, self.count, D)
        for block in self.late:
            x = block(x)
        y = F.glu(self.answer(self.norm_out(x)), dim=-1).reshape(B * N, -1)
        masks = self.config.masks
        rows = [
            part.reshape(B, N, -1, masks, part.shape[-1] // masks // PAIR, PAIR)
            .permute(0, 3, 2, 4, 1, 5)
            .reshape(B, masks, -1, N * PAIR)
            for part in self.write(y)
        ]
        return torch.cat(rows, dim=2)[..., :T], hidden
