"""A panel of plain stand-ins with the components' topics, for tests of the window round them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QPushButton, QSlider, QVBoxLayout, QWidget
from sightmix.ui.base.source import Source
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.history import History
from sightmix.ui.control.options import Options
from sightmix.ui.control.preferences import Preferences
from sightmix.ui.control.state import ClipRow, Document, TrackRow
from sightmix.ui.control.transport import Transport
from sightmix.ui.window.body import Parts

RATE = 48000


def rows(count: int) -> tuple[ClipRow, ...]:
    return tuple(
        ClipRow(i, f"clip {i}", "Dialogue", 1, 2.0 * i, 2.0 * i + 1.5, f"01:00:{2 * i % 60:02d}:00", "",
                needs=("buried",) if i % 5 == 0 else ())
        for i in range(1, count + 1)
    )  # fmt: skip


def document(clips: int = 14, path: Path = Path("/show/episode 3.otio")) -> Document:
    listed = rows(clips)
    return Document(
        Source(path), "Episode 3", Fraction(25), False, Fraction(3600), Fraction(2530), "resolve", True,
        ("Episode 3", "Trailer"), (TrackRow(1, "Dialogue", tuple(row.index for row in listed)),), listed,
    )  # fmt: skip


@dataclass
class FakeChoice:
    clips: FakeClips
    chosen: tuple[int, ...] = ()
    asked: list[Any] = field(default_factory=list)

    def choose(self, indices: Iterable[int]) -> None:
        self.chosen = tuple(indices)
        self.clips.selection.emit()

    def choose_all(self) -> None:
        self.choose(row.index for row in self.clips.rows)

    def choose_needy(self) -> None:
        self.choose(row.index for row in self.clips.rows if row.needs)

    def choose_offline(self) -> None:
        self.choose(row.index for row in self.clips.rows if row.state == "offline")

    def choose_track(self, number: int) -> None:
        self.choose(row.index for row in self.clips.rows if row.track_number == number)

    def step(self, rows: int) -> None:
        self.asked.append(rows)


class FakeRecent:
    def __init__(self) -> None:
        self.changed: Topic[[]] = Topic()
        self.entries: tuple[Any, ...] = ()


class FakeClips:
    def __init__(self) -> None:
        self.opened: Topic[[Any]] = Topic()
        self.state_changed: Topic[[]] = Topic()
        self.kinds_changed: Topic[[]] = Topic()
        self.selection: Topic[[]] = Topic()
        self.failed: Topic[[Any]] = Topic()
        self.recent, self.choice = FakeRecent(), FakeChoice(self)
        self.document: Document | None = None
        self.opening: Source | None = None
        self.asked: list[tuple[str, Any]] = []

    @property
    def state(self) -> str:
        return "opening" if self.opening else "open" if self.document else "empty"

    @property
    def source(self) -> Source | None:
        return self.document.source if self.document else None

    @property
    def rows(self) -> tuple[ClipRow, ...]:
        return self.document.clips if self.document else ()

    @property
    def tracks(self) -> tuple[TrackRow, ...]:
        return self.document.tracks if self.document else ()

    def row(self, index: int) -> ClipRow:
        return next(row for row in self.rows if row.index == index)

    def show(self, document: Document | None) -> None:
        self.document, self.opening = document, None
        self.state_changed.emit()

    def judge(self, paths: list[Path]) -> Any:
        good = any(path.suffix == ".otio" for path in paths)
        return type("Drop", (), {"do": "open" if good else ""})

    def drop(self, paths: list[Path]) -> None:
        self.asked.append(("drop", paths))

    def open(self, source: Source) -> None:
        self.asked.append(("open", source))

    def choose_timeline(self, number: int) -> None:
        self.asked.append(("timeline", number))

    def look_in(self, folder: Path) -> None:
        self.asked.append(("look", folder))

    def reopen(self) -> None:
        self.asked.append(("reopen", None))

    def close(self) -> None:
        self.show(None)


class FakeDeck:
    def __init__(self) -> None:
        self.state: Topic[[]] = Topic()
        self.failed: Topic[[Any]] = Topic()
        self.side_changed: Topic[[str]] = Topic()
        self.rate, self.samples, self.position = RATE, 2530 * RATE, 0
        self.playing = self.matched = self.residual = False
        self.side, self.loop, self.speed = "before", None, 0
        self.solo: set[str] = set()

    def toggle(self) -> None:
        self.playing = not self.playing
        self.state.emit()

    def pause(self) -> None:
        self.playing = False

    def shuttle(self, way: int) -> None:
        self.speed = way

    def seek(self, sample: int) -> None:
        self.position = max(0, min(sample, self.samples))

    def set_loop(self, loop: Any) -> None:
        self.loop = loop
        self.state.emit()

    def ab(self) -> None:
        self.side = "after" if self.side == "before" else "before"

    def set_matched(self, on: bool) -> None:
        self.matched = on

    def set_residual(self, on: bool) -> None:
        self.residual = on

    def set_solo(self, lane: str, on: bool) -> None:
        (self.solo.add if on else self.solo.discard)(lane)


class FakeQueue:
    def __init__(self) -> None:
        self.listed: Topic[[]] = Topic()
        self.changed: Topic[[Any]] = Topic()
        self.unfinished: tuple[Any, ...] = ()
        self.running: Any = None
        self.paused = False
        self.cancelled: list[int] = []

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)


class FakeHost:
    owned = False

    def owns(self, source: Any) -> bool:
        return self.owned


class FakePanel:
    def __init__(self) -> None:
        self.history = History()
        self.clips, self.deck, self.queue = FakeClips(), FakeDeck(), FakeQueue()
        self.options = Options(self.history)
        self.transport = Transport(self.deck, self.clips)  # type: ignore[arg-type]
        self.curves = type("Curves", (), {"reset_all": lambda self: None})()
        self.live = type("Live", (), {"drawn": ()})()
        self.changed: Topic[[]] = Topic()
        self.failed: Topic[[Any]] = Topic()
        self.done: Topic[[Any]] = Topic()
        self.host, self.hearing, self.result = FakeHost(), None, None
        self.asked: list[str] = []
        self.why_not_preview = self.why_not_rebalance = ""

    def preview(self) -> None:
        self.asked.append("preview")

    def rebalance(self) -> None:
        self.asked.append("rebalance")

    def cancel_preview(self) -> None:
        self.asked.append("cancel preview")


class Part(QWidget):
    """A stand-in for a view, with something that takes the keyboard in it."""

    def __init__(self, name: str, inner: QWidget | None = None) -> None:
        super().__init__()
        self.setObjectName(name)
        self.inner = inner if inner is not None else QLabel(name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.inner)


class ClipsPart(Part):
    def __init__(self) -> None:
        listed = QListWidget()
        listed.addItems([f"clip {i}" for i in range(200)])
        super().__init__("clips", listed)
        self.filter = QLineEdit()
        self.layout().addWidget(self.filter)  # type: ignore[union-attr]

    def look_for(self) -> None:
        self.filter.setFocus()


class InspectorPart(Part):
    def __init__(self) -> None:
        super().__init__("inspector", QSlider(Qt.Orientation.Horizontal))
        self.button = QPushButton("Rebalance audio")
        self.button.setToolTip("Rebalance audio (Enter)")
        self.layout().addWidget(self.button)  # type: ignore[union-attr]
        self.narrow = False

    def set_narrow(self, narrow: bool) -> None:
        self.narrow = narrow


def make_parts(window: Any) -> Parts:
    return Parts(
        clips=ClipsPart(), picture=Part("picture"), transport=Part("transport"), lanes=Part("lanes"),
        meters=Part("meters"), inspector=InspectorPart(), queue=Part("queue"),
    )  # fmt: skip


def toured() -> Preferences:
    """Wishes of somebody who has seen the tour."""
    wanted = Preferences()
    wanted.set(toured=True)
    return wanted


def offline(shown: Document, *indices: int) -> Document:
    clips = tuple(
        replace(c, state="offline", reason="gone") if c.index in indices else c for c in shown.clips
    )
    return replace(shown, clips=clips)
