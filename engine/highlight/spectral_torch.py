"""The spectrogram front end in torch, for training and for VisAH's own rendering (spec: Hybrid Demucs front end)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .config import BINS, HOP, N_FFT, frames_of

PAD = HOP // 2 * 3


def stft(x: Tensor) -> Tensor:
    """Complex spectrogram (B, 2048, T) of (B, L) at 44.1 kHz; T = ceil(L/1024), frame k centred at 1024·k + 512."""
    L = x.shape[-1]
    right = PAD + frames_of(L) * HOP - L
    padded = F.pad(x[:, None], (PAD, right), mode="reflect")[:, 0]
    window = torch.hann_window(N_FFT, device=x.device, dtype=x.dtype)
    return torch.stft(padded, N_FFT, HOP, window=window, center=False, return_complex=True)[:, :BINS]


def istft(z: Tensor, length: int, *, edges: str = "exact") -> Tensor:
    """Signal (B, length) of a spectrogram (B, 2048, T) made by `stft`.

    `edges` "exact" divides by the windows that are really there, so that istft(stft(x)) is x to the ends. "demucs"
    counts two absent frames on either side as well, which fades the ends, as the Demucs family does.
    """
    T = z.shape[-1]
    full = F.pad(z, (0, 0, 0, 1))
    window = torch.hann_window(N_FFT, device=z.device, dtype=z.real.dtype)
    segments = torch.fft.irfft(full.transpose(1, 2), n=N_FFT) * window  # (B, T, n_fft)
    total = _overlap_add(segments)
    extra = 2 if edges == "demucs" else 0
    weight = _overlap_add((window**2).expand(1, T + 2 * extra, N_FFT))
    weight = weight[:, extra * HOP : extra * HOP + total.shape[-1]]
    return (total / weight.clamp_min(1e-8))[:, PAD : PAD + length]


def _overlap_add(segments: Tensor) -> Tensor:
    """Sum of (B, T, n_fft) segments laid 1024 samples apart: (B, (T - 1)·1024 + n_fft)."""
    B, T, _ = segments.shape
    parts = segments.reshape(B, T, N_FFT // HOP, HOP)
    total = segments.new_zeros(B, T + N_FFT // HOP - 1, HOP)
    for j in range(N_FFT // HOP):
        total[:, j : j + T] += parts[:, :, j]
    return total.flatten(1)


def apply_masks(spectrum: Tensor, masks: Tensor, length: int) -> Tensor:
    """Stems (B, S, length): `masks` (B, S, 2048, T) applied to a complex spectrogram (B, 2048, T)."""
    B, S, bins, T = masks.shape
    z = (masks * spectrum[:, None]).reshape(B * S, bins, T)
    return istft(z, length).reshape(B, S, length)


def gain_ramps(gains_db: Tensor, length: int) -> Tensor:
    """Linear gains per sample (B, S, length) of gains in dB per frame (B, S, T), drawn as straight lines in dB."""
    T = gains_db.shape[-1]
    # Frame k belongs to sample 1024·k + 512, which is what half-pixel interpolation by 1024 means.
    samples = F.interpolate(gains_db, size=T * HOP, mode="linear", align_corners=False)[..., :length]
    return torch.pow(10.0, samples / 20)


def render_visah(mask: Tensor, wave: Tensor, spectrum: Tensor, length: int) -> Tensor:
    """VisAH's output (B, length): iSTFT of mask (B, 1, 2048, T) times the spectrogram, plus the waveform branch."""
    return istft(mask[:, 0] * spectrum, length, edges="demucs") + wave[:, :length]
