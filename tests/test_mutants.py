"""The faults that mutation runs put into files: what is tried, what is left out, and that a run tells apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SOURCE = '''
"""A docstring with 1 in it."""
__all__ = ["f"]
LIMIT: int = 4


def f(a: "int | None", b=2):
    if a is None:
        raise ValueError(f"give {1 + 1}")
    assert b > 0
    c = a - b
    c = c * 0.5
    return max(c, LIMIT)
'''


def script(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_faults_go_where_tests_should_notice_them_and_nowhere_else() -> None:
    found = json.loads(
        script(
            "import json, mutations as m\n"
            f"source = {SOURCE!r}\n"
            "print(json.dumps([[x.line, x.applied(source).splitlines()[x.line - 1].strip()]"
            " for site in m.sites_of(source) for x in site if m.runs(x, source)]))"
        )
    )
    lines = {tuple(pair) for pair in found}
    assert {(4, f"LIMIT: int = {n}") for n in (5, 3, 8, 0)} <= lines
    assert (7, 'def f(a: "int | None", b=3):') in lines
    assert (8, "if (not a is None):") in lines or (8, "if not a is None:") in lines
    assert (8, "if (a is not None):") in lines
    assert {(11, "c = (a + b)"), (11, "c = (b - a)")} <= lines
    assert {(12, "pass"), (12, "c = (c / 0.5)"), (12, "c = c * 1.0")} <= lines
    assert {(13, "return min(c, LIMIT)"), (13, "return None")} <= lines
    assert {line for line, _ in lines} == {4, 7, 8, 11, 12, 13}
    assert (11, "pass") not in lines, "nothing that cannot run at all"


def test_a_seed_draws_the_same_and_a_larger_sample_begins_with_the_smaller() -> None:
    code = (
        "import mutations as m\n"
        f"files = {{'a.py': {SOURCE!r}, 'b.py': {SOURCE!r}}}\n"
        "small, sites = m.draw(files, 5, 3)\n"
        "large, _ = m.draw(files, 9, 3)\n"
        "assert large[:5] == small and len(large) == 9 < sites\n"
        "assert m.draw(files, 5, 4)[0] != small\n"
        "print('fine')"
    )
    assert script(code).strip() == "fine"


def test_a_run_tells_what_lives_from_what_is_killed(tmp_path: Path) -> None:
    """A package of one function, and a test that knows one of its two answers."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "engine" / "toy").mkdir(parents=True)
    (tmp_path / "plugin" / "front").mkdir(parents=True)
    for name in ("engine/__init__.py", "engine/toy/__init__.py", "plugin/front/__init__.py"):
        (tmp_path / name).touch()
    (tmp_path / "engine" / "toy" / "sums.py").write_text(
        "def known(a, b):\n    return a - b\n\n\ndef unknown(a, b):\n    return a * b\n\n\n"
        "def forgotten(a):\n    return a + 1\n"
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_sums.py").write_text(
        "from sightmix.engine.toy.sums import known, unknown\n\n\n"
        "def test_known():\n    assert known(5, 3) == 2\n\n\n"
        "def test_unknown():\n    assert unknown(1, 1) is not None\n"
    )
    out = tmp_path / "result.json"
    subprocess.run(
        [sys.executable, BENCHMARKS / "mutants.py", "engine/toy/sums.py", "--tree", tmp_path, "--sample", "9",
         "--tests", "tests/test_*.py", "--out", out, "--reach", tmp_path / "reach.json"],
        check=True, capture_output=True,
    )  # fmt: skip
    fates = {}
    for row in json.loads(out.read_text())["results"]:
        fates.setdefault((row["line"], row["kind"] == "return"), set()).add(row["fate"])
    assert fates[2, False] == {"killed"}
    assert fates[6, False] == {"lived"}
    assert all(fate == {"killed"} for (line, whole), fate in fates.items() if whole and line < 10)
    assert all(fate == {"lived"} for (line, _), fate in fates.items() if line == 10)
