"""In which lanes the open timeline's clips lie now: by what the list says they hold, and by what was heard."""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.roles import by_name
from ...plugin.jobs.laid import Laid
from .state import ClipRow


def laid_of(rows: Iterable[ClipRow]) -> Laid:
    """Lanes of clips that nobody has heard yet: those that are surely one stem, and online, are moved."""
    rows = [row for row in rows if row.certain]
    moved = (row.index for row in rows if row.online and _stem(row.kind))
    return Laid({row.index: row.kind for row in rows}, frozenset(moved))


def _stem(kind: str) -> str:
    role = by_name(kind)
    return role.stem if role is not None else ""
