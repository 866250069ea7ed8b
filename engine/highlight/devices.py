"""Where a model can run on this computer: the processor, and the graphics cards that work when they are tried."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from . import backends

CPU, FIRST_GPU = "cpu", "cuda:0"


@dataclass(frozen=True)
class Device:
    """A device by its `key` as settings have it ("cpu", "cuda:1"), its name, and why it cannot be used ("")."""

    key: str
    name: str
    reason: str = ""


def devices() -> tuple[Device, ...]:
    """The CPU, and every CUDA device; each is asked to add two numbers, which shows whether it works."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cpu = Device(CPU, f"CPU, {cores} core{'s' if cores != 1 else ''}")
    if backends._torch_has_cuda():
        return (cpu, *_of_torch())
    if backends._onnx_has_cuda():
        return (cpu, Device(FIRST_GPU, "NVIDIA graphics card, by ONNX Runtime"))
    return (cpu,)


def devices_data() -> dict[str, Any]:
    """The devices as JSON values, and which of them "auto" comes to."""
    found = devices()
    works = backends._torch_has_cuda() and any(d.key == FIRST_GPU and not d.reason for d in found)
    return {"devices": [asdict(device) for device in found], "auto": FIRST_GPU if works else CPU}


def _of_torch() -> list[Device]:
    import torch

    found = []
    for number in range(torch.cuda.device_count()):
        key, name, reason = f"cuda:{number}", f"GPU {number}", ""
        try:
            name = torch.cuda.get_device_name(number)
            (torch.ones(1, device=key) + 1).item()
        except (RuntimeError, AssertionError) as error:  # torch's own, out of memory among them
            why = (
                str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "it gives no reason"
            )
            reason = f"{name} cannot be used: {why}."
        found.append(Device(key, name, reason))
    return found
