"""Whether a media file is still the one that was looked at when the timeline was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .errors import MediaError


@dataclass(frozen=True)
class Stamp:
    """Which file it is that was looked at: bytes, modification time in ns, and the file system's own number for it."""

    size: int
    modified: int
    number: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The stamp of the file at `path` as it is now. Raises MediaError where there is none."""
        try:
            stat = path.stat()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise MediaError(f"{path} cannot be read any more ({reason}); relink the clip.") from error
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)

    def check(self, path: Path) -> None:
        """Raise MediaError unless the file at `path` is still this one, or has only grown, as a recording does."""
        now = Stamp.of(path)
        grown = now.size > self.size and now.number == self.number
        if grown or (now.size, now.modified) == (self.size, self.modified):
            return
        what = f"{self.size:,} bytes then, {now.size:,} now" if now.size != self.size else "written anew"
        raise MediaError(
            f"{path} is not what it was when the timeline was read ({what}); run again once nothing writes to it."
        )
