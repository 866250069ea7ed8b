"""Where Qt cannot be loaded the panel's tests are left out, that is said, and all others run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def test_tests_of_the_panel_are_left_out_where_qt_cannot_be_loaded(tmp_path: Path) -> None:
    broken = tmp_path / "PySide6"
    broken.mkdir()
    (broken / "__init__.py").write_text('raise ImportError("libEGL.so.1: cannot open shared object file")')
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-v", "-p", "no:xdist", "-p", "no:cacheprovider",
         str(TESTS / "ui"), str(TESTS / "plugin" / "test_cli_ranges.py")],
        cwd=TESTS.parent, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "tests/ui is left out: libEGL.so.1" in ran.stdout
    assert "test_cli_ranges" in ran.stdout
    assert "test_panel" not in ran.stdout
