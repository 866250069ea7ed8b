"""The licences of the program and of its weights stand in the package, in the README and beside the weights."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sightmix.engine.weights.store import list_cards

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WEIGHTS = ROOT / "engine" / "weights" / "files"


def shipped() -> dict[str, str]:
    """File and licence of every weight that comes with the package."""
    return {card.file: card.licence for card in list_cards() if (WEIGHTS / card.file).is_file()}


def test_the_package_names_every_licence_that_it_is_under() -> None:
    assert set(PROJECT["license"].split(" AND ")) == {"Apache-2.0", *shipped().values()}
    assert "CC-BY-SA-4.0" in PROJECT["license"]


def test_every_licence_comes_with_its_text() -> None:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PROJECT["license-files"]}
    assert {"LICENSE", "NOTICE", "engine/weights/files/LICENSE"} <= set(texts)
    assert "Apache License" in texts["LICENSE"]
    own = texts["engine/weights/files/LICENSE"]
    assert "Attribution-ShareAlike 4.0 International" in own
    assert re.search(r"Section 8 -- Interpretation", own)
    head = own.partition("=====")[0]
    assert all(file in head and licence in head for file, licence in shipped().items())


def test_the_readme_names_both() -> None:
    told = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Licence")[2]
    assert all(licence in told for licence in PROJECT["license"].split(" AND "))
