"""The demo's timeline is made once, by another process, and a failure says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.control.demo import EXAMPLES, TIMELINE, Demo

MAKES = f"""
import sys, pathlib
assert sys.argv[1] == "--prepare"
folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
(folder / "runs").write_text((folder / "runs").read_text() + "x" if (folder / "runs").exists() else "x")
(folder / "{TIMELINE}").write_text("whole")
"""
FAILS = "print('reading'); print('no space left'); raise SystemExit(3)"
WAITS = "import time; time.sleep(60)"


class Told:
    def __init__(self) -> None:
        self.made: list[Path] = []
        self.failed: list[Failure] = []

    @property
    def any(self) -> bool:
        return bool(self.made or self.failed)


def demo(tmp_path: Path, program: str) -> tuple[Demo, InlinePump]:
    examples = tmp_path / "examples"
    examples.mkdir()
    (examples / "demo.py").write_text(program)
    pump = InlinePump()
    return Demo(pump, tmp_path / "data" / "demo", examples), pump


def test_it_is_made_once(tmp_path: Path) -> None:
    made, pump = demo(tmp_path, MAKES)
    told = Told()
    assert made.there
    assert not made.made
    made.make(told.made.append, told.failed.append)
    made.make(told.made.append, told.failed.append)
    assert made.making
    pump.run_until(lambda: told.any, 30)
    made.make(told.made.append, told.failed.append)
    assert told.made == [made.timeline] * 2
    assert told.failed == []
    assert (tmp_path / "data" / "demo" / "runs").read_text() == "x"
    assert not made.making


def test_a_failure_says_the_last_line_and_keeps_the_rest(tmp_path: Path) -> None:
    made, pump = demo(tmp_path, FAILS)
    told = Told()
    made.make(told.made.append, told.failed.append)
    pump.run_until(lambda: told.any, 30)
    [failure] = told.failed
    assert failure.error.endswith(": no space left")
    assert failure.details == "reading\nno space left\n"
    assert not failure.cancelled
    assert not made.making


def test_it_can_be_stopped(tmp_path: Path) -> None:
    made, pump = demo(tmp_path, WAITS)
    told = Told()
    made.make(told.made.append, told.failed.append)
    made.stop()
    pump.run_until(lambda: told.any, 30)
    [failure] = told.failed
    assert failure.cancelled


def test_without_its_material_there_is_none(tmp_path: Path) -> None:
    assert not Demo(InlinePump(), tmp_path, tmp_path / "no examples").there


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="an installed package has no examples")
def test_the_examples_know_the_word() -> None:
    text = (EXAMPLES / "demo.py").read_text(encoding="utf-8")
    assert '"--prepare"' in text
    assert "_tracks" in text
