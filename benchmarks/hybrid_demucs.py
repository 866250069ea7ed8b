"""Time of a hybrid Demucs forward pass with random weights, for comparison. WINDOWS"""

from __future__ import annotations

import json
import sys
import time

import torch
from sightmix.engine.compat import ensure_torchaudio
from sightmix.engine.highlight.network import parameter_count

RATE = 44_100
WINDOW = 10.0  # s, stereo
OVERLAP = 0.25


def main(windows: int) -> None:
    """Print seconds per minute of sound and the number of parameters as JSON."""
    torchaudio = ensure_torchaudio()
    torch.manual_seed(0)
    model = torchaudio.models.hdemucs_high(["speech", "music", "effects"]).eval()
    sound = 0.1 * torch.randn(1, 2, round(WINDOW * RATE))
    spent = []
    with torch.inference_mode():
        for _ in range(windows + 1):  # the first one warms up
            began = time.perf_counter()
            model(sound)
            spent.append(time.perf_counter() - began)
    hops = 60.0 / (WINDOW * (1.0 - OVERLAP))
    per_minute = hops * sum(spent[1:]) / windows
    print(json.dumps({"seconds_per_minute": per_minute, "parameters": parameter_count(model)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
