"""The demo's timeline: made once, in another process, from the examples that come with the source."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ..base.asking import Failure
from ..base.pump import Pump

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TIMELINE = "timeline_tracks.otio"


def demo_folder() -> Path:
    """Where the demo's sound and timeline are put, some 200 MB: the user's own data."""
    from platformdirs import user_data_path

    return user_data_path("sightmix", appauthor=False) / "demo"


class Demo:
    """Makes the demo's timeline in another process, and tells where it lies.

    `folder` is where it goes, `examples` what it is made from.
    """

    def __init__(self, pump: Pump, folder: Path | None = None, examples: Path = EXAMPLES) -> None:
        self.making = False
        self._pump, self._examples = pump, examples
        self._folder = folder if folder is not None else demo_folder()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    @property
    def timeline(self) -> Path:
        """Where the timeline lies, or will."""
        return self._folder / TIMELINE

    @property
    def made(self) -> bool:
        """Whether it is there already; it is written last."""
        return self.timeline.is_file()

    @property
    def there(self) -> bool:
        """Whether there is a demo to be opened: its material comes with the source and not with a wheel."""
        return self.made or (self._examples / "demo.py").is_file()

    def make(self, done: Callable[[Path], object], failed: Callable[[Failure], object]) -> None:
        """Make it, unless it is there or being made; one of the two is called on the pump's thread."""
        if self.made:
            done(self.timeline)
        elif not self.making:
            self.making, self._stopped = True, False
            threading.Thread(target=self._make, args=(done, failed), name="demo", daemon=True).start()

    def stop(self) -> None:
        """Make it no longer."""
        self._stopped = True
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _make(self, done: Callable[[Path], object], failed: Callable[[Failure], object]) -> None:
        command = [sys.executable, str(self._examples / "demo.py"), "--prepare", str(self._folder)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                encoding="utf-8", errors="replace",
            )  # fmt: skip
            if self._stopped:
                self._process.terminate()
            said, _ = self._process.communicate()
            good = self._process.returncode == 0 and self.made
        except OSError as error:
            said, good = str(error), False
        self._process = None
        self._pump.post(lambda: self._end(good, said, done, failed))

    def _end(
        self, good: bool, said: str, done: Callable[[Path], object], failed: Callable[[Failure], object]
    ) -> None:
        self.making = False
        if good:
            done(self.timeline)
        elif self._stopped:
            failed(Failure("Stopped on request.", "Cancelled", cancelled=True))
        else:
            lines = said.strip().splitlines()
            why = f": {lines[-1]}" if lines else ""
            failed(
                Failure(
                    f"The demo could not be made in {self._folder}{why}", "DemoError", details=said[-8000:]
                )
            )
