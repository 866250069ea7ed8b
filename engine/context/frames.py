"""Pictures as encoders take them: uint8 RGB squares, (n, size, size, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import MediaError, ModelError

BACKDROP = (255, 255, 255)


def check_frames(frames: NDArray[Any], size: int) -> None:
    """Raise `ModelError` unless `frames` is uint8 of shape (n, size, size, 3)."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != (size, size, 3):
        raise ModelError(
            f"A picture encoder takes uint8 pictures of shape (n, {size}, {size}, 3), "
            f"not {frames.dtype} of shape {frames.shape}."
        )


def load_picture(path: Path, size: int) -> NDArray[np.uint8]:
    """One picture file as (size, size, 3) RGB; raises `MediaError` if it cannot be read.

    The whole picture is stretched onto the square, as frames of a film are, so that nothing at the sides is
    lost. Transparent parts become white; the camera's orientation mark is honoured.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            picture = _opaque(upright).resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    except FileNotFoundError as error:
        raise MediaError(f"The picture {path} does not exist.") from error
    except UnidentifiedImageError as error:
        raise MediaError(f"The file {path} is not a picture that can be read.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError(f"The picture {path} cannot be read: {error}.") from error
    return np.asarray(picture, dtype=np.uint8)


def load_pictures(paths: Sequence[Path], size: int) -> NDArray[np.uint8]:
    """Picture files as (n, size, size, 3) RGB; raises `MediaError` for the first that cannot be read."""
    frames = np.zeros((len(paths), size, size, 3), np.uint8)
    for i, path in enumerate(paths):
        frames[i] = load_picture(path, size)
    return frames


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    backdrop = Image.new("RGBA", layer.size, (*BACKDROP, 255))
    return Image.alpha_composite(backdrop, layer).convert("RGB")
