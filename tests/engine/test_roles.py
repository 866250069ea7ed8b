"""One table of roles: what follows from it, and that nobody lists roles beside it."""

import re
from pathlib import Path

import pytest
from sightmix.engine import roles
from sightmix.engine.passage import GainCurves

ROOT = Path(__file__).parent.parent.parent
# A tuple or list of all three in a row is a second table.
SECOND = re.compile(
    r"""["'](speech|dialogue|DX)["'],\s*["'](music|MX)["'],\s*["'](effects|FX)["']""", re.IGNORECASE
)


def test_the_order_is_the_tables() -> None:
    assert roles.STEMS == ("speech", "music", "effects")
    assert roles.TRACK_NAMES == ("rebalanced", "dialogue", "music", "effects")
    assert roles.DELIVERED == ("DX", "MX", "FX", "ME", "MIX")
    assert roles.in_order(["foley", "effects", "rebalanced", "dialogue", "effects"]) == [
        "rebalanced", "dialogue", "effects", "foley",
    ]  # fmt: skip


def test_names_find_their_role() -> None:
    assert roles.by_name("dialogue") is roles.DIALOGUE
    assert roles.by_name("Production sound") is None
    assert roles.by_short("MX") is roles.MUSIC
    with pytest.raises(KeyError):
        roles.by_short("ME")


def test_delivered_stems_are_named_as_somebody_writes_them() -> None:
    assert [roles.delivered(word) for word in ("dx", " MX ", "M&E", "m&e", "me", "vx")] == [
        "DX", "MX", "ME", "ME", "ME", "VX",
    ]  # fmt: skip


def test_curves_keep_the_tables_order_and_a_level_for_every_time() -> None:
    curves = GainCurves((0.0, 1.0), {"effects": (1.0, 2.0), "speech": (3.0, 4.0)})
    assert list(curves.levels) == ["speech", "effects"]
    with pytest.raises(ValueError, match="a level for every time"):
        GainCurves((0.0, 1.0), {"speech": (1.0,)})


def test_no_second_table() -> None:
    rooms = [ROOT / room for room in ("engine", "exporters", "plugin", "ui")]
    lists = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in room.rglob("*.py")
        if SECOND.search(path.read_text(encoding="utf-8"))
    }
    assert not lists, f"roles are listed beside engine/roles.py: {sorted(lists)}"
