"""The embedded picture encoder: a small ONNX network that ships with sightmix and needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..installation import line_for
from ..onnx_runtime import onnx_runtime
from ..weights.store import Card, weights_path
from .frames import check_frames

# One at a time is fastest on the CPU, where a picture's activations then stay in the cache.
BATCHES = {"cpu": 1, "cuda": 32}


class EmbeddedEncoder:
    """EfficientNet-Lite0 up to its pooled 1280-d feature, run by ONNX Runtime.

    `device` is "cpu" or "cuda"; with "cuda" the GPU build of ONNX Runtime is used where it is installed and
    finds a device, and the CPU otherwise: `warnings` then says so. `threads` is the number of cores one
    picture is computed on (None: the runtime decides). Raises `ModelError` if ONNX Runtime or the weights
    are missing or damaged.
    """

    def __init__(self, card: Card, device: str = "cpu", threads: int | None = None) -> None:
        self.card = card
        self.name = self.card.name
        self.size = int(self.card.config["size"])
        self.dim = int(self.card.config["dim"])
        self.warnings: tuple[str, ...] = ()
        self._session = self._open(weights_path(self.card), device, threads)
        self._input: str = self._session.get_inputs()[0].name

    @property
    def device(self) -> str:
        """Where the network runs: "cuda" or "cpu"."""
        return "cuda" if self._session.get_providers()[0] == "CUDAExecutionProvider" else "cpu"

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features (n, dim) of uint8 RGB pictures (n, size, size, 3), each computed from its own alone."""
        check_frames(frames, self.size)
        batch = BATCHES[self.device]
        parts = [self._run(frames[i : i + batch]) for i in range(0, len(frames), batch)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def _run(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            output: NDArray[np.float32] = self._session.run(
                None, {self._input: np.ascontiguousarray(frames)}
            )[0]
        except Exception as error:  # the runtime raises its own classes, without a public base
            raise ModelError(f"The picture encoder '{self.name}' failed in ONNX Runtime: {error}.") from error
        return output

    def _open(self, path: Path, device: str, threads: int | None) -> Any:
        runtime = _runtime()
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        # Waiting threads that spin take the cores that decoding and the network need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
        try:
            session = runtime.InferenceSession(str(path), options, providers=self._providers(runtime, device))
        except Exception as error:
            raise ModelError(
                f"The picture encoder {path} cannot be opened by ONNX Runtime: {error}."
            ) from error
        if device == "cuda" and not self.warnings and session.get_providers()[0] != "CUDAExecutionProvider":
            self.warnings = (
                f"The picture encoder '{self.name}' runs on the CPU: no CUDA device could be opened.",
            )
        return session

    def _providers(self, runtime: Any, device: str) -> list[str]:
        if device != "cuda":
            return ["CPUExecutionProvider"]
        if "CUDAExecutionProvider" in runtime.get_available_providers():
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]
        self.warnings = (
            f"The picture encoder '{self.name}' runs on the CPU: this ONNX Runtime has no CUDA support; "
            f"remove the package onnxruntime, then type `{line_for('gpu')}`.",
        )
        return ["CPUExecutionProvider"]


def _runtime() -> Any:
    try:
        return onnx_runtime()
    except ImportError as error:
        raise ModelError(
            f"The picture encoder needs ONNX Runtime ({error}); install it with `{line_for('cpu')}` "
            f"or, for an NVIDIA GPU, `{line_for('gpu')}`."
        ) from error
