"""The Qt binding that is installed can be relied upon, and the one that cannot is not installed.

PySide6 6.12.0 drops a reference to None on Python 3.11 with every call that returns None, a setter as well as a getter
that finds nothing, and takes the process with it after some thousand of them. From 3.12 on None has no count.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CALLS = 25_000

CALL = f"""
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QSortFilterProxyModel, Signal

class Nothing(QAbstractListModel):
    asked = Signal(int)
    def rowCount(self, parent=QModelIndex()):
        return 1
    def data(self, index, role=0):
        return None

model = Nothing()
proxy = QSortFilterProxyModel()
proxy.setSourceModel(model)
index = proxy.index(0, 0)
model.asked.connect(lambda number: None)
calls = {{
    "a setter": lambda: model.setObjectName("model"),
    "a getter that finds nothing": lambda: model.parent(),
    "a property that is not set": lambda: model.property("none"),
    "an override that returns None, called by Qt": lambda: proxy.data(index, 0),
    "a slot": lambda: model.asked.emit(1),
}}
for name, call in calls.items():
    before = sys.getrefcount(None)
    for _ in range({CALLS}):
        call()
    print(name, sys.getrefcount(None) - before, flush=True)
"""


def test_calls_that_return_none_leave_it_its_references() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALL], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lost = [line for line in done.stdout.splitlines() if int(line.rsplit(" ", 1)[1]) < -CALLS // 100]
    assert len(done.stdout.splitlines()) == 5
    assert not lost


@pytest.mark.parametrize(
    ("python", "version", "taken"),
    [
        ("3.11", "6.12.0", False),
        ("3.11", "6.12.9", False),
        ("3.11", "6.11.3", True),
        ("3.12", "6.12.0", True),
    ],
)
def test_the_panel_is_not_installed_with_the_one_that_does(python: str, version: str, taken: bool) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [Requirement(line) for line in extras["optional-dependencies"]["panel"]]
    bindings = [
        line
        for line in lines
        if line.name.startswith("PySide6")
        and (line.marker is None or line.marker.evaluate({"python_version": python}))
    ]
    assert {line.name for line in bindings} >= {"PySide6-Essentials", "PySide6-Addons"}
    assert all(line.specifier.contains(version) == taken for line in bindings)
