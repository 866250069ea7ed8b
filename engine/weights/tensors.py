"""Tensors in safetensors files, read and written without torch, and matched strictly."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..files import write_bytes


class Shaped(Protocol):
    """Anything with a shape: a NumPy array or a torch tensor."""

    @property
    def shape(self) -> Sequence[int]:
        """Lengths of the axes."""


def load_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """All tensors of a safetensors file by name, as float32, without torch.

    Half and bfloat16 storage is widened exactly. Raises `ModelError` if the file is missing, cut short, or
    not safetensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            plain = {
                n: file.get_tensor(n).astype(np.float32, copy=False) for n in kinds if kinds[n] != "BF16"
            }
        return plain if len(plain) == len(kinds) else plain | _bfloat16(path)
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read: {error}.") from error
    except SafetensorError as error:
        raise ModelError(f"The weights {path} are not a whole safetensors file: {error}.") from error


def _bfloat16(path: Path) -> dict[str, NDArray[np.float32]]:
    """The bfloat16 tensors of a file, which NumPy has no type for: their bits are a float32's upper half."""
    from safetensors import deserialize

    tensors: dict[str, NDArray[np.float32]] = {}
    for name, info in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call, unused-ignore]
        if info["dtype"] == "BF16":
            wide = np.frombuffer(info["data"], "<u2").astype(np.uint32) << 16
            tensors[name] = wide.view(np.float32).reshape(info["shape"])
    return tensors


def save_tensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays as safetensors at their own precision, whole or not at all. Raises `WriteError`."""
    from safetensors.numpy import save

    data = save(
        {n: np.ascontiguousarray(t) for n, t in tensors.items()}, metadata=dict(metadata or {}) or None
    )
    write_bytes(path, data, parents=True)


def strict_match(
    expected: Mapping[str, Sequence[int]],
    tensors: Mapping[str, Shaped],
    name: str = "These weights",
    shown: int = 3,
) -> None:
    """Raise `ModelError` unless `tensors` has exactly the names and shapes of `expected`.

    The sentence gives the first `shown` of each fault, and for a missing tensor the unexpected one that is
    nearest in name.
    """
    missing = [n for n in expected if n not in tensors]
    unexpected = [n for n in tensors if n not in expected]
    wrong = [n for n in expected if n in tensors and tuple(tensors[n].shape) != tuple(expected[n])]
    if not (missing or unexpected or wrong):
        return
    parts = []
    if missing:
        parts.append("missing " + _first(missing, shown, lambda n: _hint(n, unexpected)))
    if unexpected:
        parts.append("unexpected " + _first(unexpected, shown, lambda _: ""))
    if wrong:
        shapes = {n: f" is {tuple(tensors[n].shape)} and should be {tuple(expected[n])}" for n in wrong}
        parts.append("of another shape " + _first(wrong, shown, shapes.__getitem__))
    raise ModelError(f"{name} do not fit the model: {'; '.join(parts)}.")


def _first(names: Sequence[str], shown: int, remark: Callable[[str], str]) -> str:
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(f"'{n}'{remark(n)}" for n in names[:shown]) + rest


def _hint(name: str, unexpected: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, unexpected, n=1, cutoff=0.6)
    return f" (is it '{close[0]}'?)" if close else ""
