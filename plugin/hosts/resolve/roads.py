"""Which roads into Resolve are sure on which edition, version and system, and who says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PYTHON, SCRIPT, FILES = "python", "script", "files"
ROADS = (PYTHON, SCRIPT, FILES)
STUDIO, FREE = "Studio", "Free"
YES, NO, MAYBE = "yes", "no", "nobody knows"
# How good the word is: by Blackmagic's scripting documentation, by others in the program, by a user's account.
DOCUMENTED, MEASURED, REPORTED, UNTRIED = "documented", "measured by others", "reported", "not tried"

Version = tuple[int, ...]


@dataclass(frozen=True)
class Word:
    """What is known of a road: on an edition, from `first` on and before `before`, on `systems` (all where none)."""

    edition: str
    road: str
    works: str
    grade: str
    note: str = ""
    first: Version = ()
    before: Version = ()
    systems: tuple[str, ...] = ()

    def holds(self, system: str, edition: str, version: Version) -> bool:
        """Whether it is about this system (as `sys.platform`), edition ("" for any) and version (() for any)."""
        return (
            (not self.systems or system in self.systems)
            and edition in ("", self.edition)
            and (not version or (version >= self.first and (not self.before or version < self.before)))
        )

    @property
    def span(self) -> str:
        """The versions, in words."""
        since, until = ".".join(map(str, self.first)), ".".join(map(str, self.before))
        if since and until:
            return f"{since} to before {until}"
        return f"from {since}" if since else f"before {until}" if until else "all versions"

    def sentence(self) -> str:
        """The word as a line."""
        told = f"{self.edition}, {self.span}, {self.road}: {self.works} ({self.grade})."
        return f"{told} {self.note}" if self.note else told

    def to_dict(self) -> dict[str, Any]:
        """The word as JSON values."""
        return {**asdict(self), "span": self.span}


_NEW = (21, 1)
SURETIES = (
    Word(STUDIO, PYTHON, YES, DOCUMENTED, "External scripting has to be set to Local."),
    Word(STUDIO, SCRIPT, YES, DOCUMENTED),
    Word(STUDIO, FILES, YES, MEASURED, first=(18, 5)),
    Word(FREE, PYTHON, NO, REPORTED, "No version lets programs in."),
    Word(FREE, SCRIPT, YES, REPORTED, before=_NEW),
    Word(
        FREE,
        SCRIPT,
        MAYBE,
        REPORTED,
        "Lua scripts were seen listed on Windows, but they have neither files nor sockets; take the road of files.",
        first=_NEW,
    ),
    Word(FREE, FILES, YES, MEASURED, first=(18, 5), before=_NEW),
    Word(
        FREE,
        FILES,
        YES,
        MEASURED,
        "Cuts, dissolves, tracks and stills came in to the frame, in 21.1.0.",
        first=_NEW,
        systems=("linux", "win32"),
    ),
    Word(
        FREE, FILES, YES, UNTRIED, "Measured on Linux and Windows, not here.", first=_NEW, systems=("darwin",)
    ),
)
# What comes in by the road of files, whatever the edition.
ARRIVES = (
    "By files, volume curves on clips were measured by others to sound as they are written; whether muted tracks and "
    "clips come in muted nobody has measured: look at them after the import."
)
CODECS = (
    "The free edition on Linux decodes neither H.264, H.265 nor AAC (measured by others): such clips come in as sound "
    "alone, or silent. New sound is always PCM; for your own clips under curves choose --as baked, or have their media "
    "in DNxHR with PCM."
)


def words(system: str, edition: str = "", version: str = "") -> tuple[Word, ...]:
    """What is known for a system; of one edition and version where these are given."""
    return tuple(word for word in SURETIES if word.holds(system, edition, parsed(version)))


def parsed(version: str) -> Version:
    """A version's numbers, () for none."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def lines(system: str, edition: str = "", version: str = "") -> tuple[str, ...]:
    """The same in lines, with what comes in by files and what Linux leaves out."""
    codecs = system.startswith("linux") and edition in ("", FREE)
    told = tuple(word.sentence() for word in words(system, edition, version))
    return (*told, ARRIVES, *([CODECS] if codecs else []))
