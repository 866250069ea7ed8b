"""What keeps the libraries under sightmix from reporting on their user; see docs/privacy.md for what was checked."""

from __future__ import annotations

import os

SILENCE = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime from 1.29: look-ups, uploads and a device id in ~/.cache/Microsoft
    "HF_HUB_DISABLE_TELEMETRY": "1",  # transformers, open_clip and faster-whisper by way of huggingface_hub
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
}


def keep_quiet() -> None:
    """Switch reporting off for this process and those it starts; works on libraries that are imported afterwards."""
    os.environ.update(SILENCE)
