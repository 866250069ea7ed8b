"""What a window is shown of the picture: frames planned inside shots, sampled, encoded and timed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..context.captions import TextEncoder, caption_track
from ..context.encoders import PictureEncoder
from ..context.sampling import PlannedFrame, plan_frames
from ..errors import MediaError
from ..media.picture import sample_frames
from ..passage import Passage, SeenFrame
from ..progress import Progress

SLOTS = 10  # context vectors of a ten-second window
# A frame this near to the planned one shows the same shot and may be much cheaper to decode.
TOLERANCE = Fraction(1, 2)
NEAR = Fraction(1, 125)  # s: less than half a frame at 60 fps
Bounds = tuple[Fraction, Fraction]


@dataclass
class WindowContext:
    """Context of one window: features (N, C), times (N) in seconds from its start, the frames they come from."""

    features: NDArray[np.float32]
    times: NDArray[np.float32]
    valid: NDArray[np.bool_]
    frames: tuple[SeenFrame, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


def empty_context(dim: int) -> WindowContext:
    """A window without any context."""
    return WindowContext(
        np.zeros((SLOTS, dim), np.float32), np.zeros(SLOTS, np.float32), np.zeros(SLOTS, np.bool_)
    )


class Glances:
    """Features of pictures that were looked at a moment ago, so that what is seen twice is read once."""

    def __init__(self) -> None:
        self._known: dict[Path, list[tuple[Fraction, Bounds, NDArray[np.float32]]]] = {}

    def find(self, path: Path, time: Fraction, shot: Bounds) -> NDArray[np.float32] | None:
        """Features of what a file shows within half a frame of a time in it, if they are of that shot."""
        for at, (first, last), features in self._known.get(path, ()):
            if abs(at - time) < NEAR and first >= shot[0] and last <= shot[1]:
                return features
        return None

    def keep(self, path: Path, time: Fraction, shot: Bounds, features: NDArray[np.float32]) -> None:
        """Remember what was seen."""
        self._known.setdefault(path, []).append((time, shot, features))


def frames_context(
    passage: Passage,
    start: Fraction,
    duration: Fraction,
    encoder: PictureEncoder,
    progress: Progress,
    glances: Glances | None = None,
) -> WindowContext:
    """Frames over time for the window [start, start + duration) of passage time.

    A picture that cannot be read costs its frames and gives a warning, never the clip. With `glances` what was seen
    a moment ago is not read again.
    """
    planned = plan_frames(passage.shots, start, duration, limit=SLOTS)
    began = time.perf_counter()
    glances = glances if glances is not None else Glances()
    bounds = {frame: _bounds(passage, frame) for frame in planned}
    seen = {frame: glances.find(frame.path, frame.media_time, bounds[frame]) for frame in planned}
    fresh = tuple(frame for frame in planned if seen[frame] is None)
    pictures, read, warnings = _read(passage, fresh, encoder.size, progress)
    decoded = time.perf_counter()
    out = empty_context(encoder.dim)
    if read:
        seen |= dict(zip(read, encoder.encode(pictures), strict=True))
    kept = [frame for frame in planned if seen[frame] is not None]
    n = len(kept)
    for row, frame in enumerate(kept):
        features = seen[frame]
        assert features is not None
        out.features[row] = features
        glances.keep(frame.path, frame.media_time, bounds[frame], features)
    if n:
        out.times[:n] = [float(p.time - start) for p in kept]
        out.valid[:n] = True
    out.frames = tuple(SeenFrame(float(p.time), p.path, p.media_time, p.shot) for p in kept)
    out.warnings = warnings
    out.seconds = {"decode": decoded - began, "context": time.perf_counter() - decoded}
    return out


def captions_context(
    passage: Passage, start: Fraction, duration: Fraction, encoder: TextEncoder
) -> WindowContext:
    """Text over time, from the editor's markers and notes seen in the window."""
    began = time.perf_counter()
    track = caption_track(passage.notes, start, duration, Fraction(1))[:SLOTS]
    out = empty_context(encoder.dim)
    n = len(track)
    if n:
        out.features[:n] = encoder.encode([text for _, text in track])
        out.times[:n] = [float(at - start) for at, _ in track]
        out.valid[:n] = True
    out.seconds = {"decode": 0.0, "context": time.perf_counter() - began}
    return out


def _read(
    passage: Passage, planned: tuple[PlannedFrame, ...], size: int, progress: Progress
) -> tuple[NDArray[np.uint8], list[PlannedFrame], tuple[str, ...]]:
    """Pictures (n, size, size, 3) of the frames that can be read, file by file but in the planned order."""
    pictures: dict[int, NDArray[np.uint8]] = {}
    warnings: list[str] = []
    by_file: dict[Path, list[int]] = {}
    for index, frame in enumerate(planned):
        by_file.setdefault(frame.path, []).append(index)
    for path, indices in by_file.items():
        times = [planned[i].media_time for i in indices]
        bounds = [_bounds(passage, planned[i]) for i in indices]
        try:
            read = sample_frames(path, times, size, size, progress, tolerance=TOLERANCE, bounds=bounds)
        except MediaError as error:
            warnings.append(f"No picture from {path.name}: {error}")
            continue
        pictures.update(zip(indices, read, strict=True))
    kept = sorted(pictures)
    stacked = np.stack([pictures[i] for i in kept]) if kept else np.zeros((0, size, size, 3), np.uint8)
    return stacked, [planned[i] for i in kept], tuple(warnings)


def _bounds(passage: Passage, frame: PlannedFrame) -> Bounds:
    """The stretch of the file that the frame's shot shows."""
    shot = passage.shots[frame.shot]
    ends = (shot.media_start, shot.media_start + shot.duration * shot.speed)
    return min(ends), max(ends)
