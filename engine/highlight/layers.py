"""Layers of the hybrid dual U-Net: one encoder and one decoder layer, for spectrograms and for waveforms."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNEL, STRIDE = 8, 4
NORM_GROUPS = 4
LSTM_CHUNK = 200  # steps a bidirectional LSTM sees at a time
LOG_FLOOR = 0.01  # magnitude, 100 dB below a full-scale tone; what is under it is not told apart


def log_magnitude(spectrogram: Tensor) -> Tensor:
    """Magnitudes as logarithms, about zero mean and unit variance for film sound."""
    return (torch.log(spectrogram + LOG_FLOOR) + 1.0) / 2.5


class ChunkedBLSTM(nn.Module):
    """Two bidirectional LSTM layers over half-overlapping chunks of 200 steps, with a skip. (B, C, T) in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, num_layers=2, bidirectional=True)
        self.linear = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        B, C, T = x.shape
        if T <= LSTM_CHUNK:
            return x + self._run(x)
        half = LSTM_CHUNK // 2
        count = math.ceil(T / half)
        padded = F.pad(x, (0, count * half + half - T))
        chunks = torch.stack([padded[..., i * half : i * half + LSTM_CHUNK] for i in range(count)], dim=1)
        y = self._run(chunks.reshape(B * count, C, LSTM_CHUNK)).reshape(B, count, C, LSTM_CHUNK)
        # Every step is taken from the chunk in whose middle half it lies; the ends have no second chunk.
        quarter = half // 2
        middle = y[:, :, :, quarter:-quarter]
        body = middle.permute(0, 2, 1, 3).reshape(B, C, count * half)
        y = torch.cat([y[:, 0, :, :quarter], body], dim=-1)[..., :T]
        return x + y

    def _run(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(x.permute(2, 0, 1))
        return self.linear(y).permute(1, 2, 0)


class LocalState(nn.Module):
    """Attention that favours near steps by learned decay slopes and never looks at itself. (B, C, T) in and out."""

    def __init__(self, channels: int, heads: int = 4, slopes: int = 4) -> None:
        super().__init__()
        self.heads, self.slopes = heads, slopes
        self.content = nn.Conv1d(channels, channels, 1)
        self.query = nn.Conv1d(channels, channels, 1)
        self.key = nn.Conv1d(channels, channels, 1)
        self.query_decay = nn.Conv1d(channels, heads * slopes, 1)
        with torch.no_grad():
            self.query_decay.weight *= 0.01
            bias = self.query_decay.bias
            assert bias is not None
            bias.fill_(-2.0)
        self.proj = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        B, C, T = x.shape
        H, D = self.heads, C // self.heads
        query = self.query(x).reshape(B, H, D, T)
        key = self.key(x).reshape(B, H, D, T)
        content = self.content(x).reshape(B, H, D, T)
        scores = query.transpose(2, 3) @ key / math.sqrt(D)  # (B, H, query step, key step)
        steps = torch.arange(T, device=x.device, dtype=x.dtype)
        distance = (steps[:, None] - steps[None, :]).abs()
        slope = torch.arange(1, self.slopes + 1, device=x.device, dtype=x.dtype)
        strength = torch.sigmoid(self.query_decay(x).reshape(B, H, self.slopes, T)) / 2
        # All slopes are proportional to distance, so they add up before the (T, T) product.
        steepness = (strength * slope[:, None]).sum(2) / math.sqrt(self.slopes)  # (B, H, T)
        scores = scores - steepness[..., None] * distance
        scores = scores.masked_fill(distance == 0, -100.0)
        out = content @ torch.softmax(scores, dim=-1).transpose(2, 3)
        return x + self.proj(out.reshape(B, C, T))


class LayerScale(nn.Module):
    """A learned gain per channel, small at first. (B, C, T) in and out."""

    def __init__(self, channels: int, init: float = 1e-4) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), init))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale[:, None] * x


class DilatedBranch(nn.Module):
    """Two residual dilated sub-layers inside an encoder layer, squeezed to a quarter of the channels. (B, C, T)."""

    def __init__(self, channels: int, recurrent: bool) -> None:
        super().__init__()
        hidden = channels // 4
        self.layers = nn.ModuleList()
        for depth in range(2):
            dilation = 2**depth
            parts: list[nn.Module] = [
                nn.Conv1d(channels, hidden, 3, dilation=dilation, padding=dilation),
                nn.GroupNorm(1, hidden),
                nn.GELU(),
            ]
            if recurrent:
                parts += [ChunkedBLSTM(hidden), LocalState(hidden)]
            parts += [
                nn.Conv1d(hidden, 2 * channels, 1),
                nn.GroupNorm(1, 2 * channels),
                nn.GLU(1),
                LayerScale(channels),
            ]
            self.layers.append(nn.Sequential(*parts))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + layer(x)
        return x


def _norm(groups: bool, channels: int) -> nn.Module:
    return nn.GroupNorm(NORM_GROUPS, channels) if groups else nn.Identity()


class EncoderLayer(nn.Module):
    """One encoder layer of either branch.

    Spectrogram branch (`freq`): (B, C, F, T) to (B, C', F/4, T), the last one without padding so that 8 rows become 1.
    Waveform branch: (B, C, T) to (B, C', T/4). `empty` layers are the bare convolution whose output is injected into
    the spectrogram branch.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        freq: bool,
        kernel: int = KERNEL,
        stride: int = STRIDE,
        pad: int | None = None,
        norm: bool = False,
        empty: bool = False,
    ) -> None:
        super().__init__()
        self.freq, self.stride, self.empty = freq, stride, empty
        pad = kernel // 4 if pad is None else pad
        self.conv: nn.Conv1d | nn.Conv2d
        if freq:
            self.conv = nn.Conv2d(inputs, outputs, (kernel, 1), (stride, 1), (pad, 0))
        else:
            self.conv = nn.Conv1d(inputs, outputs, kernel, stride, pad)
        if empty:
            return
        self.norm1 = _norm(norm, outputs)
        self.dconv = DilatedBranch(outputs, recurrent=norm)
        self.rewrite = (nn.Conv2d if freq else nn.Conv1d)(outputs, 2 * outputs, 1)
        self.norm2 = _norm(norm, 2 * outputs)

    def forward(self, x: Tensor, inject: Tensor | None = None) -> Tensor:
        if not self.freq and x.shape[-1] % self.stride:
            x = F.pad(x, (0, self.stride - x.shape[-1] % self.stride))
        y = self.conv(x)
        if self.empty:
            return y
        if inject is not None:
            y = y + (inject[:, :, None] if self.freq else inject)
        y = F.gelu(self.norm1(y))
        if self.freq:
            B, C, R, T = y.shape
            rows = y.permute(0, 2, 1, 3).reshape(B * R, C, T)
            y = self.dconv(rows).reshape(B, R, C, T).permute(0, 2, 1, 3)
        else:
            y = self.dconv(y)
        return F.glu(self.norm2(self.rewrite(y)), dim=1)


class DecoderLayer(nn.Module):
    """One decoder layer of either branch: skip, rewrite, transposed convolution; mirrors `EncoderLayer`.

    Returns the upsampled signal and what went into the transposed convolution (the waveform branch starts from it).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        freq: bool,
        kernel: int = KERNEL,
        stride: int = STRIDE,
        pad: int | None = None,
        norm: bool = False,
        empty: bool = False,
        last: bool = False,
    ) -> None:
        super().__init__()
        self.freq, self.last, self.empty = freq, last, empty
        self.pad = kernel // 4 if pad is None else pad
        self.conv_tr: nn.ConvTranspose1d | nn.ConvTranspose2d
        self.rewrite: nn.Conv1d | nn.Conv2d
        if freq:
            self.conv_tr = nn.ConvTranspose2d(inputs, outputs, (kernel, 1), (stride, 1))
        else:
            self.conv_tr = nn.ConvTranspose1d(inputs, outputs, kernel, stride)
        self.norm2 = _norm(norm, outputs)
        if empty:
            return
        if freq:
            self.rewrite = nn.Conv2d(inputs, 2 * inputs, 3, 1, 1)
        else:
            self.rewrite = nn.Conv1d(inputs, 2 * inputs, 3, 1, 1)
        self.norm1 = _norm(norm, 2 * inputs)

    def forward(self, x: Tensor, skip: Tensor | None, length: int) -> tuple[Tensor, Tensor]:
        if self.empty:
            y = x
        else:
            x = x if skip is None else x + skip
            y = F.glu(self.norm1(self.rewrite(x)), dim=1)
        z = self.norm2(self.conv_tr(y))
        if not self.freq:
            z = z[..., self.pad : self.pad + length]
        elif self.pad:
            z = z[..., self.pad : -self.pad, :]
        return (z if self.last else F.gelu(z)), y


class FrequencyEmbedding(nn.Module):
    """A smooth learned vector per frequency row, added after the first layer. (B, C, F, T) in and out."""

    def __init__(self, rows: int, channels: int, weight: float = 0.2, scale: float = 10.0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(rows, channels)
        self.weight, self.scale = weight, scale
        with torch.no_grad():
            walk = torch.cumsum(self.embedding.weight, dim=0)
            walk = walk / torch.arange(1, rows + 1, dtype=walk.dtype).sqrt()[:, None]
            self.embedding.weight.copy_(walk / scale)

    def forward(self, x: Tensor) -> Tensor:
        table = self.embedding.weight.t() * self.scale  # (C, F)
        return x + self.weight * table[None, :, :, None]


def rescale_convolutions(module: nn.Module, reference: float = 0.1) -> None:
    """Bring every convolution's weights nearer a common spread: weight and bias divided by sqrt(std / `reference`)."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, kinds):
                scale = float((part.weight.std().detach() / reference) ** 0.5)
                part.weight /= scale
                if part.bias is not None:
                    part.bias /= scale
