"""Every fact of the trade has the home that docs/architecture.md names and no second one; its picture is true."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_architecture import ROOMS, ROOT, copy_rooms

TABLE = re.compile(r"\| fact of the trade \|.*?\n\n", re.S)
HOME = re.compile(r"`([a-z_0-9.]+)\.(\w+)`")
# What went by these names before there was one home for it.
FORMER = {"_place", "_save_whole", "Ear", "Eye", "_LAYOUT_MASKS", "_MASKS", "atomic"}


def homes() -> list[tuple[str, str]]:
    [table] = TABLE.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    return [(match[1], match[2]) for match in HOME.finditer(table)]


def defined() -> Iterator[tuple[str, str]]:
    """(module, name) of every function, class and constant of the rooms' modules, overloads once."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = (
                path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
            )
            names = set()
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    names.add(node.name)
                targets = node.targets if isinstance(node, ast.Assign) else []
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            yield from ((module, name) for name in sorted(names))


def test_every_fact_has_its_home_and_no_other() -> None:
    where: dict[str, set[str]] = {}
    for module, name in defined():
        where.setdefault(name.lstrip("_"), set()).add(module)
    wrong = {f"{home}.{name}": where.get(name) for home, name in homes() if where.get(name) != {home}}
    assert wrong == {}
    assert len(homes()) > 30


@pytest.mark.parametrize("name", sorted(FORMER))
def test_no_second_home_comes_back(name: str) -> None:
    assert [module for module, known in defined() if known == name] == []


@pytest.mark.parametrize("word", ["LinearTimeWarp", "FreezeFrame", "time_scalar", "TimeEffect"])
def test_only_the_edit_reads_time_effects(word: str) -> None:
    files = [path for room in ("exporters", "plugin", "ui") for path in sorted((ROOT / room).rglob("*.py"))]
    assert [str(path) for path in files if word in path.read_text(encoding="utf-8")] == []


def test_the_picture_is_drawn_from_the_imports_that_are_there(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "picture.py"),
        "--check",
        "--tree",
        str(copy_rooms(tmp_path)),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
