"""The one place that imports ONNX Runtime, so that none is ever at work that reports on its user."""

from __future__ import annotations

from typing import Any

from .privacy import keep_quiet


def onnx_runtime() -> Any:
    """The module `onnxruntime`, with its reporting off. Raises `ImportError` where it is not installed.

    The environment is what counts on Linux and macOS, and has to be set before the import; Windows' events are
    switched off by the call.
    """
    keep_quiet()
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
