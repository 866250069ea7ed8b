"""What watches over the other tests does so: each kind of leak and noise fails, and a tidy test does not."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CASES = """
import logging, subprocess, threading, time
import pytest
from PySide6.QtCore import QTimer, qWarning

kept = []

def test_a_thread(): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
def test_a_timer(qapp): kept.append(QTimer()); kept[-1].start(50)
def test_a_process(): kept.append(subprocess.Popen(["sleep", "1"]))
def test_a_record(): logging.getLogger("sightmix.x").warning("careless")
def test_a_message(): qWarning("a slip of Qt")
def test_a_silence(noise): noise.expect("never said")
def test_nothing(qapp): pass
def test_what_is_expected(noise): noise.expect("care"); logging.getLogger("x").warning("careless")
def test_the_end(): kept[0].stop(); kept[1].wait()
"""
SAID = {
    "a_thread": "threads were left",
    "a_timer": "timers or threads",
    "a_process": "processes were left",
    "a_record": "careless",
    "a_message": "a slip of Qt",
    "a_silence": "never said",
}


def test_what_leaves_something_behind_fails(pytester: pytest.Pytester) -> None:
    conftest = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest.replace("_PATIENCE = 5.0", "_PATIENCE = 0.05"))
    pytester.makepyfile(test_cases=CASES)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", timeout=120)
    said = result.stdout.str()
    result.assert_outcomes(passed=9, errors=len(SAID))
    assert [name for name, part in SAID.items() if part not in said] == []
    assert [name for name in SAID if f"ERROR test_cases.py::test_{name}" not in said] == []
