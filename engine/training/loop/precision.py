"""Which numbers a trunk's layers are reckoned in."""

from __future__ import annotations

import torch

PRECISIONS = ("float32", "bf16", "auto")


def halved(precision: str, device: torch.device) -> bool:
    """Whether layers run in bfloat16 under autocast: as told, or for "auto" where `device` has such arithmetic.

    A processor without it (AVX-512 BF16, AMX) only imitates it, at more than twice the time of float32.
    """
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.backends.mkldnn.is_available() and _native()


def _native() -> bool:
    capable = (torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported)
    return any(known() for known in capable)
