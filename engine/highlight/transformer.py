"""The latent highlighting transformer: context over time steers the latent sound (VisAH paper, section 3.2.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import LATENT_SECONDS, NetworkConfig


def positions(seconds: Tensor, width: int) -> Tensor:
    """Sinusoidal positions of times in seconds, counted in latent steps of 46.4 ms. (..., N) to (..., N, width)."""
    half = width // 2
    rates = torch.exp(
        torch.arange(half, device=seconds.device, dtype=seconds.dtype) * (-math.log(1e4) / half)
    )
    angles = (seconds / LATENT_SECONDS)[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def latent_positions(x: Tensor, width: int) -> Tensor:
    """Positions (N, width) of a latent sequence (B, N, …): every step at its middle."""
    steps = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
    return positions((steps + 0.5) * LATENT_SECONDS, width)


class Attention(nn.Module):
    """Multi-head attention: (B, N, width) queries over (B, M, width) keys, of which (B, M) may be valid."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, valid: Tensor | None = None) -> Tensor:
        mask = None if valid is None else valid[:, None, None, :]
        y = F.scaled_dot_product_attention(
            self._split(self.query(q)), self._split(self.key(k)), self._split(self.value(v)), attn_mask=mask
        )
        B, _, N, _ = y.shape
        return self.out(y.transpose(1, 2).reshape(B, N, -1))

    def _split(self, x: Tensor) -> Tensor:
        B, N, W = x.shape
        return x.reshape(B, N, self.heads, W // self.heads).transpose(1, 2)


class ContextLayer(nn.Module):
    """Pre-norm encoder layer over the context's time axis; positions go to queries and keys only."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, where: Tensor, valid: Tensor | None) -> Tensor:
        h = self.norm1(x)
        hidden = None if valid is None else ~valid
        y, _ = self.attention(h + where, h + where, h, key_padding_mask=hidden, need_weights=False)
        x = x + self.dropout(y)
        return x + self.dropout(self.down(self.dropout(F.gelu(self.up(self.norm2(x))))))


class HighlightLayer(nn.Module):
    """Pre-norm decoder block: self-attention over the latents, cross-attention to the context, gated feed-forward."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.self_attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.cross_attention = Attention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 8 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, where: Tensor, context: tuple[Tensor, Tensor, Tensor | None] | None
    ) -> Tensor:
        h = self.norm1(x)
        x = x + self.self_attention(h + where, h + where, h)
        h = self.norm2(x)
        if context is None:
            x = x + self.cross_attention(h + where, h + where, h)
        else:
            c, c_where, valid = context
            x = x + self.cross_attention(h + where, c + c_where, c, valid)
        value, gate = self.up(self.norm3(x)).chunk(2, dim=-1)
        return x + self.down(self.dropout(value * F.gelu(gate)))


class LatentTransformer(nn.Module):
    """Turns latent sound (B, C_a, L) into highlighted latent sound, given context (B, N, C) at times (B, N) seconds.

    `null_context` adds a learned token that is always there, so that a clip without picture is a case the network
    knows; without that token such a clip's vectors are attended to as they are. Without a context at all
    (`context_dim` 0) cross-attention looks at the latents themselves. Also returns the last hidden sequence
    (B, L, width), from which gain curves are read.
    """

    def __init__(self, config: NetworkConfig, null_context: bool) -> None:
        super().__init__()
        channels, width = config.latent_channels, config.width
        self.width = width
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.proj_in = nn.Conv1d(channels, width, 1)
        self.context_in = nn.Linear(config.context_dim, width) if config.context_dim else None
        self.null = nn.Parameter(torch.zeros(1, 1, width)) if null_context and config.context_dim else None
        self.context_layers = nn.ModuleList(
            ContextLayer(width, config.heads, config.dropout)
            for _ in range(config.encoder_layers if config.context_dim else 0)
        )
        self.layers = nn.ModuleList(
            HighlightLayer(width, config.heads, config.dropout) for _ in range(config.decoder_layers)
        )
        self.proj_out = nn.Conv1d(width, channels, 1)
        nn.init.zeros_(self.proj_out.weight)
        assert self.proj_out.bias is not None
        nn.init.zeros_(self.proj_out.bias)

    def forward(
        self, latent: Tensor, context: Tensor | None, times: Tensor | None, valid: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        x = self.proj_in(self.norm(latent)).transpose(1, 2)
        where = latent_positions(x, self.width)
        attended = self._context(context, times, valid)
        for layer in self.layers:
            x = layer(x, where, attended)
        return latent + self.proj_out(x.transpose(1, 2)), x

    def _context(
        self, context: Tensor | None, times: Tensor | None, valid: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None] | None:
        if self.context_in is None:
            return None
        if context is None or times is None:
            raise ValueError("this network needs a context of shape (B, N, C) with times (B, N)")
        c = self.context_in(context)
        where = positions(times, self.width)
        if self.null is not None:
            B = c.shape[0]
            c = torch.cat([self.null.expand(B, 1, self.width), c], dim=1)
            where = torch.cat([torch.zeros_like(where[:, :1]), where], dim=1)
            if valid is not None:
                valid = torch.cat([torch.ones_like(valid[:, :1]), valid], dim=1)
        elif valid is not None:
            valid = valid | ~valid.any(1, keepdim=True)  # attention to nothing at all would be no number
        for layer in self.context_layers:
            c = layer(c, where, valid)
        return c, where, valid
