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


FUNCTIONS = """
def known(a, b):
    return a - b

def unknown(a, b):
    return a * b

def forgotten(a):
    return a + 1

def fatal(a):
    return a - 2
"""
TESTS = """
import os, signal

from sightmix.engine.toy.sums import fatal, known, unknown

def test_known():
    assert known(5, 3) == 2

def test_unknown():
    assert unknown(1, 1) is not None

def test_fatal():
    if fatal(7) != 5:  # as a system ends what takes too much memory
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_tells_what_lives_from_what_is_killed_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """A package of four functions, and tests that know one's answer and only what kind another's is."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "engine" / "toy").mkdir(parents=True)
    (tmp_path / "plugin" / "front").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    for name in ("engine/__init__.py", "engine/toy/__init__.py", "plugin/front/__init__.py"):
        (tmp_path / name).touch()
    (tmp_path / "engine" / "toy" / "sums.py").write_text(FUNCTIONS)
    (tmp_path / "tests" / "test_sums.py").write_text(TESTS)
    out = tmp_path / "result.json"

    def run(count: int, *options: str) -> None:
        subprocess.run(
            [sys.executable, BENCHMARKS / "mutants.py", "engine/toy/sums.py", "--tree", tmp_path, "--sample",
             str(count), "--tests", "tests/test_*.py", "--out", out, "--reach", tmp_path / "reach.json", *options],
            check=True, capture_output=True,
        )  # fmt: skip

    run(4)
    before = json.loads(out.read_text())["results"]
    before[0]["seconds"] = 1234.5
    out.write_text(json.dumps({"results": before}))
    run(9, "--resume")
    results = json.loads(out.read_text())["results"]
    assert results[0] == before[0], "what is known is not tried again"
    fates = {}
    for row in results:
        fates.setdefault((row["line"], row["kind"] == "return"), set()).add(row["fate"])
    assert fates[3, False] == {"killed"}
    assert fates[6, False] == {"lived"}
    assert all(fate == {"killed"} for (line, whole), fate in fates.items() if whole and line < 9)
    assert all(fate == {"lived"} for (line, _), fate in fates.items() if line == 9)
    assert all(fate == {"undecided"} for (line, _), fate in fates.items() if line == 12)


def test_time_in_which_others_had_the_processor_is_not_its_own(tmp_path: Path) -> None:
    """Two threads of the group, one that is gone at the second look, and a process of another group."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "schedstat").touch()
    for process, group, stood in (("11", 7, {"11": 30, "12": 12}), ("21", 8, {"21": 500})):
        (tmp_path / process).mkdir()
        (tmp_path / process / "stat").write_text(f"{process} (a name) of) S 1 {group} {group} 0")
        for thread, seconds in stood.items():
            folder = tmp_path / process / "task" / thread
            folder.mkdir(parents=True)
            (folder / "schedstat").write_text(f"5000000000 {seconds * 10**9} 9")
    found = json.loads(
        script(
            "import json, shutil, time\n"
            "from pathlib import Path\n"
            "from patience import Patience, stood_ready\n"
            f"proc = Path({str(tmp_path)!r})\n"
            "now = [1000.0]\n"
            "time.monotonic = lambda: now[0]\n"
            "patience = Patience(7, 60.0, proc)\n"
            "said = [patience.knows, stood_ready(7, proc)]\n"
            "for seconds in (59, 101, 103):\n"
            "    now[0] = 1000.0 + seconds\n"
            "    said.append(patience.over())\n"
            "    shutil.rmtree(proc / '11' / 'task' / '12', ignore_errors=True)\n"
            "print(json.dumps(said))"
        )
    )
    assert found == [True, {"11": 30.0, "12": 12.0}, False, False, True]


def test_without_the_kernels_word_nobody_is_said_to_hang(tmp_path: Path) -> None:
    """What sleeps past its time is ended all the same."""
    code = (
        "import os, signal, time\n"
        "from pathlib import Path\n"
        "import mutants\n"
        "from patience import Patience\n"
        "for proc in (Path('/proc'), Path({!r})):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os.setsid()\n"
        "        time.sleep(60)\n"
        "    patience = Patience(child, 0.5, proc)\n"
        "    while (status := mutants.finished(child, patience)) is None:\n"
        "        time.sleep(0.02)\n"
        "    print(patience.knows, mutants.FATES[status])"
    )
    lines = script(code.replace("{!r}", repr(str(tmp_path)))).splitlines()
    knows = Path("/proc/self/schedstat").exists()
    assert lines == ["True hung" if knows else "False undecided", "False undecided"]
