"""Editors with windows, run on a display of their own (Xvfb) and driven by keys (xdotool); pictures by ImageMagick."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TOOLS = ("Xvfb", "xdotool", "dbus-run-session")
SIZE = (1400, 900)
PATIENCE = 90.0  # seconds for a program to open a project on a slow machine


def missing(*programs: str) -> list[str]:
    """Which of the programs and of the tools that drive them are not installed."""
    return [name for name in (*TOOLS, *programs) if shutil.which(name) is None]


def until(ready: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until `ready` says so. Raises AssertionError with `what` after `patience` seconds."""
    end = time.monotonic() + patience
    while not ready():
        assert time.monotonic() < end, f"{what}: not within {patience:g} s"
        time.sleep(0.5)


class Screen:
    """A display and what runs on it, with a home folder of its own."""

    def __init__(self, number: str, folder: Path) -> None:
        for name in ("home", "run"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        drop = (
            "DBUS_SESSION_BUS_ADDRESS",
            "WAYLAND_DISPLAY",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_CACHE_HOME",
        )
        self.environment = {k: v for k, v in os.environ.items() if k not in drop} | {
            "DISPLAY": f":{number}",
            "QT_QPA_PLATFORM": "xcb",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "SDL_AUDIODRIVER": "dummy",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }
        self.log = folder / "program.log"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> None:
        """Start a program in a session bus and a process group of its own."""
        with self.log.open("ab") as log:
            self.running.append(
                subprocess.Popen(
                    ["dbus-run-session", *command], env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, start_new_session=True,
                )
            )  # fmt: skip

    def tell(self, *words: str) -> str:
        """What xdotool answers."""
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout.strip()

    def window(self, title: str) -> str:
        """The number of the window whose title matches, once there is one; it is made to fill the display."""
        until(lambda: self.tell("search", "--name", title), f"a window {title!r}")
        number = self.tell("search", "--name", title).splitlines()[-1]
        self.tell("windowsize", number, *map(str, SIZE))
        time.sleep(3)  # until what it shows is loaded and drawn
        self.tell("windowfocus", number)
        return number

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Move something from one place to another with the mouse."""
        self.tell("mousemove", *map(str, start), "mousedown", "1")
        for place in ((start[0], (start[1] + end[1]) // 2), end):
            time.sleep(0.5)
            self.tell("mousemove", *map(str, place))
        time.sleep(0.5)
        self.tell("mouseup", "1")

    def shot(self, out: Path, colors: int = 48) -> None:
        """A picture of the display, small enough for a repository."""
        subprocess.run(
            ["import", "-window", "root", "+dither", "-colors", str(colors), "-strip", f"png8:{out}"],
            env=self.environment, check=True, timeout=60,
        )  # fmt: skip

    def close(self) -> None:
        """End what runs, without its questions."""
        for process in self.running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()


@contextmanager
def screen(folder: Path) -> Iterator[Screen]:
    """A display that nobody sees, gone with everything on it at the end."""
    read, write = os.pipe()
    size = f"{SIZE[0]}x{SIZE[1]}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(
        command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    shown = Screen(number, folder)
    try:
        yield shown
    finally:
        shown.close()
        server.terminate()
        server.wait()


def save_in_shotcut(shown: Screen, project: Path) -> None:
    """Open a project in Shotcut and let it save it in its place."""
    before = project.read_bytes()
    shown.start("shotcut", "--noupgrade", str(project))
    shown.window(f"{project.name} - Shotcut")
    shown.tell("key", "ctrl+s")
    until(lambda: project.read_bytes() != before and b"</mlt>" in project.read_bytes(), "Shotcut saves", 30)


def save_in_kdenlive(shown: Screen, project: Path, out: Path) -> None:
    """Open a project in Kdenlive and let it save it as `out`."""
    shown.start("kdenlive", str(project))
    shown.window(f"^{project.stem} / ")
    shown.tell("key", "ctrl+shift+s")
    time.sleep(4)
    shown.tell("key", "ctrl+a")
    shown.tell("type", str(out))
    shown.tell("key", "Return")
    until(lambda: out.exists() and b"</mlt>" in out.read_bytes(), "Kdenlive saves", 30)
