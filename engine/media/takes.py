"""Files in 24 bits where that is enough, and in floats where a sample passes full scale, in a single pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..passage import Loudness
from .writer import Subtype, WavWriter


class Takes:
    """Writes sounds to `paths`, all of them in 24 bits, or all in 32-bit floats once any passes full scale.

    Which it is shows at the end only, so both are written side by side under temporary names and one is dropped:
    nothing has to be made a second time. `make` gives the writer of a path in a subtype. Use it as a context
    manager; leaving it by an exception leaves no file. Raises WriteError as the writers do.
    """

    def __init__(self, paths: Sequence[Path], make: Callable[[Path, Subtype], WavWriter]) -> None:
        self._paths, self._make = tuple(paths), make
        self._whole: list[WavWriter] = []
        self._floats: list[WavWriter] = []
        self.passed = False

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._abort)
            for path in self._paths:
                self._whole.append(self._make(path, "PCM_24"))
                self._floats.append(self._make(path, "FLOAT"))
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for writer in self._floats if self.passed else self._whole:
                    writer.close()
        finally:
            self._abort()

    def write(self, blocks: Sequence[NDArray[np.float32]]) -> None:
        """Append a block (channels, n) to every file, in the order of `paths`."""
        for writer, block in zip(self._floats, blocks, strict=True):
            writer.write(block)
        if self.passed:
            return
        for writer, block in zip(self._whole, blocks, strict=True):
            writer.write(block)
        self.passed = any(writer.clipped for writer in self._whole)
        if self.passed:
            for writer in self._whole:
                writer.abort()

    def set_loudness(self, index: int, loudness: Loudness) -> None:
        """Put measured figures into the file at `index` of `paths`, whichever of the two stays."""
        for writers in (self._whole, self._floats):
            writers[index].set_loudness(loudness)

    def _abort(self) -> None:
        """Drop what is not closed by now."""
        for writer in (*self._whole, *self._floats):
            writer.abort()
