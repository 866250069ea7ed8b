"""The window on a real X11 screen, in a process of its own: it comes up, shows a timeline and leaves cleanly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from film_kit import make_film
from PIL import Image
from sightmix.ui.window import theme

SCRIPT = Path(__file__).with_name("on_screen.py")

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="there is no Xvfb")


@pytest.fixture
def display() -> Iterator[str]:
    """A screen of our own."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    try:
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(20)


def test_the_window_comes_up_on_a_screen_and_leaves_cleanly(display: str, tmp_path: Path) -> None:
    film = make_film(tmp_path)
    picture = tmp_path / "screen.png"
    environment = {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(film), str(picture)],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    shown = Image.open(picture).convert("RGB")
    assert shown.size == (1200, 760)
    colours = shown.getcolors(1 << 24)
    assert colours is not None
    ground = theme.DARK.ground.lstrip("#")
    most = max(colours)[1]
    dark = tuple(int(ground[i : i + 2], 16) for i in (0, 2, 4))
    assert (
        sum(abs(a - b) for a, b in zip(most, dark, strict=True)) < 60
    )  # the theme's ground, or a panel on it
    assert len(colours) > 100  # and a timeline on that
    assert "Traceback" not in ran.stderr
