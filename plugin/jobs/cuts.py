"""Finds the cuts of a plain media file with PySceneDetect, an optional package."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from ...engine.errors import MediaError, SettingsError
from ...engine.installation import line_for
from ...engine.media.reader import VideoStream, probe
from ...engine.progress import Progress


def find_cuts(path: Path, progress: Progress) -> tuple[Fraction, ...]:
    """Times of the cuts in seconds from the picture's first frame.

    Raises SettingsError for a file without moving picture or when PySceneDetect is not installed, MediaError
    for one it cannot read.
    """
    video = probe(path).video
    if video is None or video.still:
        raise SettingsError(f"--detect-cuts needs moving picture, and {path} has none; leave it out.")
    try:
        import scenedetect
        from scenedetect.backends import VideoStreamAv
    except ImportError as error:
        raise SettingsError(
            f"--detect-cuts needs PySceneDetect; install it with `{line_for('cuts')}`."
        ) from error
    manager = scenedetect.SceneManager()
    manager.add_detector(scenedetect.AdaptiveDetector())
    try:
        manager.detect_scenes(_watched(VideoStreamAv, path, video, progress))
    except (OSError, RuntimeError, ValueError) as error:
        raise MediaError(f"The cuts of {path} cannot be found: {error}.") from error
    return tuple(Fraction(start.frame_num) / video.rate for start, _ in manager.get_scene_list()[1:])


def _watched(stream: type[Any], path: Path, video: VideoStream, progress: Progress) -> Any:
    """A video stream that reports every frame it reads, and so can be stopped at every frame."""
    frames = max(1, round(video.duration * video.rate))

    class Watched(stream):  # type: ignore[misc]
        def read(self, decode: bool = True) -> Any:
            progress.report("cuts", path.name, self.frame_number, frames, "frames")
            return super().read(decode)

    return Watched(str(path))
