"""Pictures of the panel for docs/panel, and the contrast of the text in them: `python benchmarks/screens.py`.

The real window over the real engine, on timelines of 14, 200 and 2,000 clips made of the demo's material, in both
widths and both themes, in every state there is. Contrast (WCAG 2.2) is measured on the pixels: of every label and
button, the commonest colour is what it stands on, and the one farthest from that is the text.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import opentimelineio as otio
from panel import Silent
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from sightmix.ui.base.source import Source
from sightmix.ui.control.demo import TIMELINE, Demo
from sightmix.ui.control.panel import Keep
from sightmix.ui.control.preferences import Preferences
from sightmix.ui.remote.client import EngineClient
from sightmix.ui.window import app, theme
from sightmix.ui.window.assembly import Assembled
from sightmix.ui.window.qt_pump import QtPump
from sightmix.ui.window.sound import SoundOut

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "panel"
SIZES = {"wide": (1280, 800), "narrow": (420, 900)}
THEMES: tuple[theme.Name, ...] = ("dark", "light")
TRACKS = ("Dialogue", "Music", "SFX")
RATE, LENGTH = 24, 120  # of the demo: frames a second, seconds
MOST_BYTES = 3_600_000
AA = 4.5


def made(folder: Path, demo: Path, clips: int, lost: int = 0) -> Path:
    """A timeline of so many clips over the demo's film, the first `lost` of them with media that are not there."""
    timeline = otio.schema.Timeline(f"{clips} clips")
    timeline.global_start_time = otio.opentime.RationalTime(3600 * RATE, RATE)
    seconds = max(LENGTH, clips * 2 // len(TRACKS))
    picture = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    film = ROOT / "examples" / "bbb" / "excerpt.mp4"
    for at in range(0, seconds, 10):
        picture.append(_clip(f"shot {at // 10 + 1}", film, at % LENGTH, 10))
    timeline.tracks.append(picture)
    for number, name in enumerate(TRACKS):
        track = otio.schema.Track(name, kind=otio.schema.TrackKind.Audio)
        count = len(range(number, clips, len(TRACKS)))
        each = seconds / count
        for n in range(count):
            missing = n * len(TRACKS) + number < lost
            path = demo / (f"lost {n}.wav" if missing else f"{name.lower()}.wav")
            track.append(_clip(f"{name.lower()} {n + 1}", path, n * each % (LENGTH - each), each))
        timeline.tracks.append(track)
    path = folder / f"{clips}{' lost' if lost else ''}.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def _clip(name: str, media: Path, start: float, seconds: float) -> otio.schema.Clip:
    def span(first: float, length: float) -> otio.opentime.TimeRange:
        first_, length_ = (otio.opentime.RationalTime(round(value * RATE), RATE) for value in (first, length))
        return otio.opentime.TimeRange(first_, length_)

    reference = otio.schema.ExternalReference(media.absolute().as_uri(), span(0, LENGTH))
    return otio.schema.Clip(name, reference, span(start, seconds))


@dataclass
class Measured:
    """The contrast of one text in one picture."""

    picture: str
    text: str
    ratio: float


@dataclass
class Studio:
    """A window that pictures are taken of."""

    application: QApplication
    out: Path
    demo: Path
    only: str = ""
    measured: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pump = QtPump()
        self.engine = EngineClient(self.pump)
        wanted = Preferences()
        wanted.set(toured=True)
        self.whole = Assembled(
            self.engine, self.pump, keep=Keep(), states=self.engine.state, preferences=wanted,
            demo=Demo(self.pump, self.demo), sound=False,
        )  # fmt: skip
        self.window, self.panel = self.whole.window, self.whole.panel
        self.sound = SoundOut(self.panel.deck, Silent())
        self.window.resize(*SIZES["wide"])
        self.window.show()

    def run(self, seconds: float, until: Callable[[], object] = lambda: False) -> None:
        """Let it work until something is so, or for that long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self.application.processEvents()
            time.sleep(0.005)

    def open(self, path: Path, settle: float) -> None:
        """Open a timeline and let its pictures and sound come in."""
        self.panel.clips.open(Source(path))
        self.run(60, lambda: self.panel.clips.state == "open" and self.panel.clips.opening is None)
        self.run(settle)

    def known(self, seconds: float) -> None:
        """Wait until all of the timeline was looked over and measured, or for so long."""
        self.run(seconds, lambda: self.panel.live.figures.complete and not self.panel.clips.measuring)

    def listen(self, seconds: float) -> None:
        """Play a little, so that the meters have something to show."""
        self.panel.deck.play()
        self.run(seconds)
        self.panel.deck.pause()

    def shoot(
        self, scene: str, sizes: tuple[str, ...] = tuple(SIZES), themes: tuple[theme.Name, ...] = THEMES
    ) -> None:
        """Take it in both widths and both themes."""
        if self.only and self.only not in scene:
            return
        for size in sizes:
            self.window.resize(*SIZES[size])
            for name in themes:
                theme.use(name)
                self.run(0.6)
                if self.window.tour is not None and self.window.tour.running:
                    self.window.tour.place()
                self._take(f"{size}-{name}-{scene}")
        theme.use("dark")
        self.window.resize(*SIZES["wide"])
        self.run(0.2)

    def close(self) -> None:
        """Leave nothing running."""
        self.panel.queue.close()
        self.sound.close()
        self.window.hide()
        self.whole.close()
        self.engine.close()
        self.pump.stop()

    def _take(self, name: str) -> None:
        image = self.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
        self.measured += [Measured(name, text, ratio) for text, ratio in contrasts(self.window, pixels)]
        self.out.mkdir(parents=True, exist_ok=True)
        thinned(Image.fromarray(pixels)).save(self.out / f"{name}.png", optimize=True)


def thinned(picture: Image.Image) -> Image.Image:
    """A picture in 200 colours, among them all of the theme's: small marks keep theirs beside pictures of film."""
    shown = theme.current()
    own = [
        bytes.fromhex(colour[1:]) for colour in (*shown.grounds, *shown.texts, shown.line, shown.separator)
    ]
    common = (
        picture.quantize(200 - len(own), Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette()
        or []
    )
    palette = Image.new("P", (1, 1))
    palette.putpalette([*b"".join(own), *common[: 3 * (200 - len(own))]])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def contrasts(window: QWidget, pixels: Any) -> Iterator[tuple[str, float]]:
    """Text and contrast of every label and button that is seen, can be used, and lies under nothing."""
    shown: list[QLabel | QAbstractButton] = [
        *window.findChildren(QLabel),
        *window.findChildren(QAbstractButton),
    ]
    for widget in shown:
        text = widget.text().strip()
        if not text or not widget.isVisible() or not widget.isEnabled():
            continue
        inside = widget.visibleRegion().boundingRect()
        points = (
            inside.center(),
            inside.topLeft(),
            inside.topRight(),
            inside.bottomLeft(),
            inside.bottomRight(),
        )
        if inside.isEmpty() or any(window.childAt(widget.mapTo(window, p)) is not widget for p in points):
            continue
        where = inside.translated(widget.mapTo(window, widget.rect().topLeft()))
        part = pixels[where.top() : where.bottom() + 1, where.left() : where.right() + 1].reshape(-1, 3)
        colours, counts = np.unique(part, axis=0, return_counts=True)
        named = ["#" + bytes(colour).hex() for colour in colours]
        ground = named[int(counts.argmax())]
        yield text, max(theme.contrast(ground, colour) for colour in named)


def scenes(studio: Studio, folder: Path) -> None:
    """Everything that is to be seen, in English."""
    studio.run(1)
    studio.shoot("empty")
    _previewed(studio, folder)
    _pages(studio)
    _done(studio)
    _broken(studio, folder)
    for count in (200, 2000):
        studio.open(made(folder, studio.demo, count), 5)
        studio.known(60)
        studio.shoot(str(count))


def _previewed(studio: Studio, folder: Path) -> None:
    panel = studio.panel
    studio.engine.start()
    panel.clips.open(Source(made(folder, studio.demo, 14)))
    studio.shoot("loading")
    studio.run(60, lambda: panel.clips.state == "open")
    studio.known(240)
    panel.preview(at=35.0)
    studio.run(240, lambda: panel.hearing is None)
    studio.listen(4)
    studio.run(2)
    studio.shoot("14")
    panel.transport.mark((30.0, 50.0))
    studio.whole.lanes.axis.show(30.0, 50.0)
    panel.curves.add("music", 40.0, -9.0)
    panel.curves.add("music", 42.0, -9.0)
    studio.shoot("curves", ("wide",))
    panel.history.undo()
    panel.history.undo()
    studio.whole.lanes.axis.fit()


def _pages(studio: Studio) -> None:
    keys = studio.window.keys
    keys.trigger("keys")
    studio.shoot("keys")
    keys.trigger("keys")
    keys.trigger("tour")
    assert studio.window.tour is not None
    studio.window.tour.go(3)
    studio.shoot("tour")
    studio.window.tour.end()
    keys.trigger("export")
    studio.run(1)
    studio.shoot("export")
    keys.trigger("export")
    keys.trigger("foley")
    studio.run(4)
    studio.shoot("foley", ("wide",), ("dark",))
    keys.trigger("foley")


def _done(studio: Studio) -> None:
    panel = studio.panel
    studio.run(5, lambda: not panel.why_not_rebalance)
    panel.rebalance()
    studio.run(240, lambda: panel.queue.running is not None and (panel.queue.running.share or 0.0) > 0.3)
    studio.shoot("queue")
    studio.run(600, lambda: not panel.queue.unfinished and panel.live.heard_whole)
    studio.run(3)
    studio.shoot("result", ("wide",))


def _broken(studio: Studio, folder: Path) -> None:
    panel = studio.panel
    broken = folder / "broken.otio"
    broken.write_text("no timeline")
    studio.open(made(folder, studio.demo, 12, lost=7), 4)
    panel.clips.open(Source(broken))
    studio.run(20, lambda: panel.clips.failure is not None)
    studio.run(1)
    studio.shoot("errors")
    studio.window.notices.close_all()


def main() -> int:
    """Take the pictures, and say what their contrast is; 1 where a text falls short of WCAG AA."""
    parser = argparse.ArgumentParser(description="Take pictures of the panel and measure their contrast.")
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument(
        "--demo", type=Path, default=ROOT / "demo", help="where the demo's sound lies, or is made"
    )
    parser.add_argument("--only", default="", help="only scenes with this in their name")
    parser.add_argument("--german", action="store_true", help="only the German ones")
    given = parser.parse_args()
    if not (given.demo / TIMELINE).is_file():
        subprocess.run([sys.executable, ROOT / "examples" / "demo.py", "--prepare", given.demo], check=True)
    application = app._application()
    theme.use("dark")
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "show"
        folder.mkdir()
        if not given.german:
            studio = Studio(application, given.out, given.demo, given.only)
            try:
                scenes(studio, folder)
            finally:
                studio.close()
            measured += studio.measured
        app.speak(application, "de")
        studio = Studio(application, given.out, given.demo, given.only)
        try:
            studio.engine.start()
            studio.open(made(folder, studio.demo, 14), 6)
            studio.known(120)
            studio.shoot("german")
        finally:
            studio.close()
        measured += studio.measured
    return told(measured, given.out)


def told(measured: list[Measured], out: Path) -> int:
    """Print the least contrast of every picture, and every text that falls short."""
    print("| picture | texts | least contrast |\n|---|---:|---:|")
    for name in dict.fromkeys(found.picture for found in measured):
        ratios = [found.ratio for found in measured if found.picture == name]
        print(f"| {name} | {len(ratios)} | {min(ratios):.2f} |")
    short = [found for found in measured if found.ratio < AA]
    for found in short:
        print(f"{found.picture}: {found.text!r} has {found.ratio:.2f}")
    size = sum(path.stat().st_size for path in out.glob("*.png"))
    print(f"{len(list(out.glob('*.png')))} pictures, {size / 1e6:.1f} MB")
    return int(bool(short) or size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
