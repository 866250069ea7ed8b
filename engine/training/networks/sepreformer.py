"""A small SepReformer for film sound: the backbone of the paper's two audio baselines, in this project's own words.

The shape is that of Shin et al., "Separate and Reconstruct" (2024): a learned basis, an encoder of halving rates with
global and local blocks, an early split into streams, one decoder shared by all streams, masks on the basis. What
differs from it, for 44.1 kHz and two cores, is listed in docs/training.md.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import ModelError
from ...roles import STEMS

KINDS = ("learn2remix", "lce")
LAYER_SCALE = 0.1  # what a fresh block adds to its input, so that few steps are enough
FILM_WIDTH = 128


@dataclass(frozen=True)
class RemixerConfig:
    """Sizes of an audio baseline. `kind` "learn2remix" listens only; "lce" reads text vectors of `context_dim` values.

    `kernel` is the basis's length in samples, its hop half of it, its functions twice as many; `width` the features of
    a frame; every one of `stages` halves the rate; `depth` blocks run at the lowest; `reach` frames is the length of
    local convolutions and `span` the distance, in frames of the lowest rate, from which on attention no longer tells
    distances apart. Gains are bounded to ±`gain_bound_db`.
    """

    kind: str = "learn2remix"
    width: int = 96
    kernel: int = 256
    stages: int = 4
    depth: int = 2
    heads: int = 4
    expansion: int = 2
    reach: int = 33
    span: int = 256
    context_dim: int = 0
    gain_bound_db: float = 18.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ModelError(f"Network kind '{self.kind}' is unknown; use one of {', '.join(KINDS)}.")
        for name in ("width", "kernel", "stages", "depth", "heads", "expansion", "reach", "span"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ModelError(f"{self.kind}: {name} must be a whole number above 0, not {value!r}.")
        if self.width % self.heads or self.kernel % 2 or not self.reach % 2:
            raise ModelError(
                f"{self.kind}: width {self.width} must be a multiple of heads {self.heads}, kernel {self.kernel} even "
                f"and reach {self.reach} odd."
            )
        if (self.kind == "lce") != (self.context_dim > 0):
            raise ModelError(
                "lce reads text and needs a context_dim above 0; learn2remix reads none, and its context_dim is 0."
            )

    @property
    def hop(self) -> int:
        """Samples between frames of the basis."""
        return self.kernel // 2

    @property
    def basis(self) -> int:
        """Functions of the basis."""
        return 2 * self.kernel

    @property
    def streams(self) -> int:
        """Masks: one per stem, or one for the remix."""
        return len(STEMS) if self.kind == "learn2remix" else 1

    def to_dict(self) -> dict[str, object]:
        """Plain data for a configuration."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> RemixerConfig:
        """Read back what `to_dict` wrote; raises `ModelError` that names the nearest entry for an unknown one."""
        known = [f.name for f in fields(cls)]
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}."
                raise ModelError(f"A network of kind {data.get('kind')} has no entry '{key}'; {hint}")
        return cls(**data)  # type: ignore[arg-type]


class Basis(nn.Module):
    """Learned analysis and synthesis filters; sound (B, L) to values (B, T, N) and back, T rounded up to `multiple`.

    They start as a windowed Fourier basis in pairs of either sign, of which gelu(a) - gelu(-a) = a makes an exact
    inverse: before training, `synthesis(analysis(x))` is x.
    """

    def __init__(self, kernel: int, multiple: int) -> None:
        super().__init__()
        self.kernel, self.hop, self.multiple = kernel, kernel // 2, multiple
        window = torch.sin(math.pi * (torch.arange(kernel) + 0.5) / kernel)
        filters = window[:, None] * _fourier(kernel)
        signed = torch.cat([filters, -filters], dim=1)
        self.filters_in = nn.Parameter(signed.clone())
        self.filters_out = nn.Parameter(signed.T.clone())

    def analysis(self, x: Tensor) -> Tensor:
        """(B, L) to (B, T, N)."""
        frames = -(-(x.shape[-1] + self.hop) // self.hop)
        frames = -(-frames // self.multiple) * self.multiple
        right = frames * self.hop - x.shape[-1]
        framed = F.pad(x, (self.hop, right)).unfold(-1, self.kernel, self.hop)
        return F.gelu(framed @ self.filters_in)

    def synthesis(self, values: Tensor, length: int) -> Tensor:
        """(…, T, N) to (…, length)."""
        segments = values @ self.filters_out
        early, late = segments[..., : self.hop], segments[..., self.hop :]
        hops = F.pad(early, (0, 0, 0, 1)) + F.pad(late, (0, 0, 1, 0))
        return hops.flatten(-2)[..., self.hop : self.hop + length]


def _fourier(size: int) -> Tensor:
    """Orthonormal real Fourier basis as columns (size, size)."""
    n = torch.arange(size, dtype=torch.float64)
    rows = [torch.full((size,), size**-0.5, dtype=torch.float64)]
    for k in range(1, size // 2):
        angle = 2 * math.pi * k * n / size
        rows += [angle.cos() * (2 / size) ** 0.5, angle.sin() * (2 / size) ** 0.5]
    rows.append((math.pi * n).cos() * size**-0.5)
    return torch.stack(rows, dim=1).float()


class DepthwiseConv(nn.Module):
    """Convolution along time of each feature by itself, (B, T, F) to (B, T / stride, F)."""

    def __init__(self, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            width, width, (kernel, 1), (stride, 1), padding=((kernel - 1) // 2, 0), groups=width
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, F) to (B, T / stride, F)."""
        # Seen as an image one pixel wide, features last, nothing has to be copied to be convolved.
        return self.conv(x.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)


class Scaled(nn.Module):
    """x + scale · part(norm(x)), a scale per feature that starts small."""

    def __init__(self, width: int, part: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.part = part
        self.scale = nn.Parameter(torch.full((width,), LAYER_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, F) to the same."""
        return x + self.scale * self.part(self.norm(x))


class SlowAttention(nn.Module):
    """Global attention at the lowest rate of all stages: pooled by `factor`, attended, held, and gated at full rate.

    Relative positions are a learned bias per head and distance, the same from `span` steps on.
    """

    def __init__(self, width: int, heads: int, factor: int, span: int) -> None:
        super().__init__()
        self.heads, self.factor, self.span = heads, factor, span
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)
        self.distance = nn.Embedding(2 * span + 1, heads)
        nn.init.zeros_(self.distance.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, F) to the same; T is a multiple of `factor`."""
        B, T, width = x.shape
        slow = x.reshape(B, T // self.factor, self.factor, width).mean(2)
        q, k, v = self.qkv(slow).reshape(B, -1, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        steps = torch.arange(q.shape[2], device=x.device)
        apart = (steps[None] - steps[:, None]).clamp(-self.span, self.span) + self.span
        bias = self.distance(apart).permute(2, 0, 1).to(q.dtype)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None])
        y = self.out(y.transpose(1, 2).reshape(B, -1, width))
        held = y[:, :, None].expand(-1, -1, self.factor, -1).reshape(B, T, width)
        return held * torch.sigmoid(self.gate(x))


class LocalAttention(nn.Module):
    """Gated convolution over `reach` frames: each frame weighs its neighbourhood."""

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 2 * width)
        self.conv = DepthwiseConv(width, reach)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, F) to the same."""
        return self.out(F.gelu(self.norm(self.conv(F.glu(self.up(x), dim=-1)))))


class GatedFeedForward(nn.Module):
    """Feed-forward layer with a convolution over three frames before its gate."""

    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 2 * expansion * width)
        self.conv = DepthwiseConv(2 * expansion * width, 3)
        self.down = nn.Linear(expansion * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, F) to the same."""
        return self.down(F.glu(self.conv(self.up(x)), dim=-1))


class CrossStem(nn.Module):
    """Attention between the streams of the same frame, (B·S, T, F) to the same."""

    def __init__(self, width: int, heads: int, streams: int) -> None:
        super().__init__()
        self.heads, self.streams = heads, streams
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B·S, T, F) to the same."""
        BS, T, width = x.shape
        shape = (BS // self.streams, self.streams, T, self.heads, width // self.heads)
        q, k, v = (part.reshape(shape) for part in self.qkv(x).chunk(3, dim=-1))
        scores = torch.einsum("bithd,bjthd->bthij", q, k) * (width // self.heads) ** -0.5
        y = torch.einsum("bthij,bjthd->bithd", torch.softmax(scores, dim=-1).to(v.dtype), v)
        return self.out(y.reshape(BS, T, width))


class Film(nn.Module):
    """Text (B, C) scales and shifts every feature of (B, T, F) for the whole clip; untrained it changes nothing."""

    def __init__(self, text: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(text, FILM_WIDTH), nn.GELU(), nn.Linear(FILM_WIDTH, 2 * width))
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """(B, T, F) steered by (B, C)."""
        gamma, beta = self.layers(text)[:, None].chunk(2, dim=-1)
        return x * (1 + gamma) + beta


class Block(nn.Module):
    """Global then local attention, each with its feed-forward layer, between streams if there are some; then FiLM."""

    def __init__(self, config: RemixerConfig, factor: int, streams: int = 1) -> None:
        super().__init__()
        width = config.width
        parts: list[nn.Module] = [
            SlowAttention(width, config.heads, factor, config.span),
            GatedFeedForward(width, config.expansion),
            LocalAttention(width, config.reach),
            GatedFeedForward(width, config.expansion),
        ]
        if streams > 1:
            parts.append(CrossStem(width, config.heads, streams))
        self.parts = nn.Sequential(*(Scaled(width, part) for part in parts))
        self.film = Film(config.context_dim, width) if config.context_dim else None

    def forward(self, x: Tensor, text: Tensor | None) -> Tensor:
        """(B, T, F) and, where the block reads text, (B, C)."""
        x = self.parts(x)
        if self.film is None:
            return x
        assert text is not None
        return self.film(x, text)


class Split(nn.Module):
    """One sequence into as many as there are streams, (B, T, F) to (B·S, T, F)."""

    def __init__(self, width: int, streams: int) -> None:
        super().__init__()
        self.streams = streams
        self.up = nn.Linear(width, 2 * streams * width)
        self.out = nn.Linear(streams * width, streams * width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, F) to (B·S, T, F)."""
        B, T, width = x.shape
        y = self.out(F.glu(self.up(x), dim=-1)).reshape(B, T, self.streams, width)
        return self.norm(y).transpose(1, 2).reshape(B * self.streams, T, width)


class SepReformer(nn.Module):
    """Basis values (B, T, N) to masks (B, S, T, N) from 0 up, and the features (B, S, T, F) they were read from.

    `level` (B, 1) is the clip's level, which the first norm hides: log10 of its standard deviation. Fresh masks are
    near 1 / S throughout, so that their sum lets the sound pass. T is a multiple of 2**stages.
    """

    def __init__(self, config: RemixerConfig) -> None:
        super().__init__()
        self.config = config
        self.mixed_precision = False  # for training: layers in bfloat16 under autocast, weights in float32
        width, stages, streams = config.width, config.stages, config.streams
        self.norm = nn.GroupNorm(1, config.basis)  # over time too: how loud a moment is beside others counts
        self.proj = nn.Linear(config.basis, width)
        self.level = nn.Linear(1, width)
        factors = [2 ** (stages - r) for r in range(stages)]
        self.encoder = nn.ModuleList(Block(config, factor) for factor in factors)
        self.down = nn.ModuleList(DepthwiseConv(width, 5, 2) for _ in range(stages))
        self.bottom = nn.ModuleList(Block(config, 1) for _ in range(config.depth))
        self.splits = nn.ModuleList(Split(width, streams) for _ in range(stages + 1))
        self.merge = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(stages))
        self.decoder = nn.ModuleList(Block(config, factor, streams) for factor in factors)
        self.gate = nn.Linear(width, 2 * width)
        self.mask = nn.Linear(width, config.basis)
        nn.init.normal_(self.mask.weight, std=0.01 / streams)
        nn.init.constant_(self.mask.bias, 1 / streams)

    def forward(self, values: Tensor, level: Tensor, text: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See the class."""
        if not self.mixed_precision:
            return self._run(values, level, text)
        with torch.autocast(values.device.type, torch.bfloat16):
            masks, features = self._run(values, level, text)
        return masks.float(), features.float()

    def _run(self, values: Tensor, level: Tensor, text: Tensor | None) -> tuple[Tensor, Tensor]:
        B, T, _ = values.shape
        streams = self.config.streams
        x = self.proj(self.norm(values.transpose(1, 2)).transpose(1, 2)) + self.level(level)[:, None]
        kept: list[Tensor] = []
        for block, down, split in zip(self.encoder, self.down, self.splits, strict=False):
            x = block(x, text)
            kept.append(split(x))
            x = F.gelu(down(x))
        for block in self.bottom:
            x = block(x, text)
        x = self.splits[-1](x)
        texts = None if text is None else text.repeat_interleave(streams, dim=0)
        for r in reversed(range(self.config.stages)):
            x = x[:, :, None].expand(-1, -1, 2, -1).reshape(B * streams, -1, x.shape[-1])
            x = self.decoder[r](self.merge[r](torch.cat([x, kept.pop()], dim=-1)), texts)
        masks = F.relu(self.mask(F.glu(self.gate(x), dim=-1)))
        return masks.reshape(B, streams, T, -1), x.reshape(B, streams, T, -1)
