"""Writes a timeline with sightmix: channels, links, track names and volume keyframes included."""

# OTIO loads this file by its path, once for every adapter of the manifest and under that adapter's name: hence no
# relative imports, and the format from the module's own name.

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from sightmix.exporters import formats

_FORMAT = __name__.rpartition("sightmix_")[2]


def write_to_file(input_otio: object, filepath: str, **options: Any) -> None:
    """Write `input_otio` to `filepath`; what the format cannot carry goes to the log as warnings.

    Media addresses without a folder count from the working folder. Raises sightmix's errors.
    """
    losses = formats.export(formats.as_timeline(input_otio), Path(filepath), _FORMAT, **options)
    for loss in losses:
        logging.getLogger("sightmix.exporters").warning(loss)
