"""Makes a training checkpoint small enough to travel: half precision, without the optimizer's moments. FULL SLIM"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch


def slim(full: Path, out: Path) -> None:
    """A checkpoint a quarter of the size that the loop resumes from and the exporter reads.

    Adam's moments start anew after it; they settle within some hundred steps.
    """
    state: dict[str, Any] = torch.load(full, map_location="cpu", weights_only=True)
    for part in ("model", "average"):
        state[part] = {
            name: value.half() if value.is_floating_point() else value for name, value in state[part].items()
        }
    state["optimizer"] = {**state["optimizer"], "state": {}}
    torch.save(state, out)


if __name__ == "__main__":
    slim(Path(sys.argv[1]), Path(sys.argv[2]))
