"""Whether a disk has room for what a job will write."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from ...engine.errors import WriteError
from ...engine.files import DISK_FULL

_FULL = DISK_FULL | {errno.EFBIG}


def is_disk_full(error: BaseException | None) -> bool:
    """True when `error`, or one it was raised from, says that the disk or the quota is used up."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def check_room(folder: Path, needed: int) -> None:
    """Raise WriteError when the disk that holds `folder` has less than `needed` bytes free."""
    existing = next((p for p in (folder, *folder.parents) if p.exists()), None)
    if existing is None:
        return
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise WriteError(
            f"The job needs about {size_text(needed)} in {folder} and the disk has {size_text(free)} free; "
            "free some space or choose another disk with -o."
        )


def size_text(count: int) -> str:
    """Bytes as people read them, in decimal units."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB" if value < 1000 else f"{value / 1000:.1f} TB"
