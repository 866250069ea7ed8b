"""Makes a training checkpoint small enough to travel, whole, and as the loop has it again.

slim FULL SLIM [--most MIB]    weights in 24 bits, the average as what it differs by, moments in bfloat16
widen SLIM FULL                the checkpoint that the loop resumes from and the exporter reads

Weights lose less than a part in 2^16, which is far below one step; moments are means over many gradients, of which
eight bits are enough. With --most, a network whose moments would not fit leaves without them; they settle within some
hundred steps. The tests hold a run that goes on from this beside one that goes on from the whole.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

State = dict[str, Any]
PACKED = "packed"  # marks a slim checkpoint


def to_24(x: Tensor) -> Tensor:
    """float32 (…) as its upper three bytes, rounded: uint8 (…, 3)."""
    whole = x.float().contiguous().view(torch.int32)
    # Rounding up the largest finite number would make it infinite; no weight is near it.
    raised = (whole + 0x80) >> 8
    return torch.stack([(raised >> shift) & 0xFF for shift in (0, 8, 16)], dim=-1).to(torch.uint8)


def from_24(x: Tensor) -> Tensor:
    """What `to_24` was given, to a part in 2^16."""
    parts = x.to(torch.int32)
    return ((parts[..., 0] << 8) | (parts[..., 1] << 16) | (parts[..., 2] << 24)).view(torch.float32)


def slim(state: State) -> State:
    """A checkpoint in less than half the size, nothing left out."""
    model = {
        name: to_24(value) if value.dtype == torch.float32 else value
        for name, value in state["model"].items()
    }
    average = {
        name: (value - from_24(model[name])).half() if value.dtype == torch.float32 else value
        for name, value in state["average"].items()
    }
    moments = {
        number: {
            name: value.bfloat16()
            if isinstance(value, Tensor) and value.is_floating_point() and value.ndim
            else value
            for name, value in entry.items()
        }
        for number, entry in state["optimizer"]["state"].items()
    }
    optimizer = {**state["optimizer"], "state": moments}
    return {**state, "model": model, "average": average, "optimizer": optimizer, PACKED: 1}


def widen(state: State) -> State:
    """The checkpoint that `slim` was given, but for what it rounded."""
    if PACKED not in state:
        return state
    model = {name: from_24(v) if v.dtype == torch.uint8 else v for name, v in state["model"].items()}
    average = {
        name: model[name] + value.float() if value.dtype == torch.float16 else value
        for name, value in state["average"].items()
    }
    moments = {
        number: {
            name: value.float() if isinstance(value, Tensor) and value.dtype == torch.bfloat16 else value
            for name, value in entry.items()
        }
        for number, entry in state["optimizer"]["state"].items()
    }
    optimizer = {**state["optimizer"], "state": moments}
    whole = {**state, "model": model, "average": average, "optimizer": optimizer}
    del whole[PACKED]
    return whole


def _read(path: Path) -> State:
    state: State = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _travel(full: Path, out: Path, most: float) -> None:
    state = slim(_read(full))
    torch.save(state, out)
    if out.stat().st_size > most * 2**20:
        print(f"{out.stat().st_size / 2**20:.0f} MiB with moments are more than {most:g}: they stay behind.")
        torch.save({**state, "optimizer": {**state["optimizer"], "state": {}}}, out)


def main() -> None:
    """Slim or widen."""
    parser = argparse.ArgumentParser(description="Make a training checkpoint small enough to travel.")
    parser.add_argument("what", choices=("slim", "widen"))
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--most", type=float, default=float("inf"), help="MiB from which on moments stay behind"
    )
    options = parser.parse_args()
    if options.what == "slim":
        _travel(options.source, options.out, options.most)
    else:
        torch.save(widen(_read(options.source)), options.out)


if __name__ == "__main__":
    main()
