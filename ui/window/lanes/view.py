"""All lanes over one another, with their heads, the tools of the axis, and a line that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QNativeGestureEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollBar,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from ....engine.legible import legible_line
from ....engine.roles import STEMS
from ...control.curves import Curves
from ...control.frames import Frames
from ...control.lanes import AFTER, BEFORE, LiveLanes, Plays
from ...control.state import Document
from .. import theme
from .axis import STEP
from .board import Board, Span
from .heads import NARROW, WIDE, Head
from .lane import Lane
from .pictures import Pictures
from .ruler import Ruler
from .sound import SoundLane, SpectrumLane
from .stems import StemLane

NARROW_BELOW = 500  # pixels of the whole view
NOTCH = 120.0  # of a wheel, in Qt's eighths of a degree
USUAL = 464  # pixels that all lanes are high where nobody says otherwise
_NO_LIMIT = 16_777_215  # Qt's QWIDGETSIZE_MAX
WHEEL = 64  # device-independent pixels that a notch scrolls


@dataclass(frozen=True)
class Height:
    """Pixels that a lane is high: at least, in a narrow view, and how much of what is left over it takes."""

    wide: int
    narrow: int
    share: int


HEIGHTS = {
    "ruler": Height(34, 34, 0),
    "pictures": Height(52, 44, 0),
    "before": Height(30, 44, 2),
    "after": Height(30, 0, 2),
    "spectrum": Height(44, 44, 2),
    **dict.fromkeys(STEMS, Height(52, 52, 3)),
}


class LanesView(QFrame):
    """The lanes of an open timeline.

    `solo_asked` and `mute_asked` tell a stem and whether; `seek_asked` a record second, `loop_asked` a span of them or
    None. With a deck all of them reach it without more ado.
    """

    solo_asked = Signal(str, bool)
    mute_asked = Signal(str, bool)
    seek_asked = Signal(float)
    loop_asked = Signal(object)

    def __init__(
        self,
        live: LiveLanes,
        curves: Curves,
        frames: Frames,
        deck: Plays | None = None,
        document: Document | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.live, self.curves, self.frames, self.deck = live, curves, frames, deck
        self.board = Board(live, curves, frames, self)
        self.axis = self.board.axis
        self.ruler = Ruler(self.board)
        self.pictures = Pictures(self.board)
        self.before = SoundLane(self.board, (BEFORE,))
        self.after = SoundLane(self.board, (AFTER,))
        self.spectrum = SpectrumLane(self.board)
        self.stems = {stem: StemLane(self.board, stem) for stem in STEMS}
        self.stems[STEMS[0]].hint = True
        self.lanes: dict[str, Lane] = {
            "ruler": self.ruler,
            "pictures": self.pictures,
            "before": self.before,
            "after": self.after,
            "spectrum": self.spectrum,
            **self.stems,
        }
        self.heads = {name: Head(name if name in STEMS else "") for name in self.lanes}
        self.narrow = False
        self._pointed: float | None = None
        self._telling = self._hint = ""
        self._leaves: list[Callable[[], None]] = []
        self._lay_out()
        self._wire()
        self.translate()
        self.open(document)

    # -------------------------------------------------------------------------------------------------- what it shows

    def open(self, document: Document | None) -> None:
        """Show another timeline, None for none."""
        self.curves.open(document)
        self.board.open(document)
        for lane in self.lanes.values():
            lane.forget()
        self.setEnabled(document is not None)
        self._narrowed()
        self._told()

    def select_clips(self, clips: Iterable[int]) -> None:
        """Mark the stretches of these clips, by number."""
        self.board.select(clips)

    def set_position(self, seconds: float, playing: bool = False) -> None:
        """The playhead is at a record second; kept in view, but while it plays not if somebody scrolled away."""
        before = self.board.playhead
        was_visible = self._is_visible(before)
        self.board.move(seconds)
        if not self.follow.isChecked() or seconds == before or self._is_visible(seconds):
            return
        if not playing:
            self.axis.reveal(seconds, 0.5)
        elif was_visible:
            self.axis.reveal(seconds, 0.05 if seconds > before else 0.95)

    def set_side(self, side: str) -> None:
        """The side that is heard: "before" or "after"."""
        self.board.hear(side)
        self._heard()

    def set_loop(self, loop: Span | None) -> None:
        """The stretch that is looped, in record seconds."""
        self.board.set_loop(loop)

    def set_heard(self, solo: Iterable[str], mutes: Iterable[str]) -> None:
        """Which stems are heard alone, and which are muted."""
        alone, muted = set(solo), set(mutes)
        for stem in STEMS:
            self.heads[stem].show_state(stem in alone, stem in muted)

    def close_view(self) -> None:
        """Listen to nothing any longer."""
        for leave in self._leaves:
            leave()
        self._leaves.clear()
        for lane in self.stems.values():
            lane.close_lane()

    def _is_visible(self, seconds: float) -> bool:
        first, last = self.axis.span
        return first <= seconds < last

    # --------------------------------------------------------------------------------------------------------- layout

    def _lay_out(self) -> None:
        self.tools = QHBoxLayout()
        self.tools.setContentsMargins(8, 4, 8, 4)
        self.tools.setSpacing(4)
        self.zoom_out, self.zoom_in, self.fit = (self._tool() for _ in range(3))
        self.follow, self.spectrum_shown = self._tool(True), self._tool(True)
        self.follow.setChecked(True)
        self.now = QLabel(self)
        self.now.setFont(theme.mono())
        self.tools.addWidget(self.now)
        self.tools.addStretch(1)
        for tool in (self.spectrum_shown, self.follow, self.fit, self.zoom_out, self.zoom_in):
            self.tools.addWidget(tool)
        self.grid = QGridLayout()
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(1)
        self.grid.setVerticalSpacing(1)
        self.grid.setColumnStretch(1, 1)
        for row, (name, lane) in enumerate(self.lanes.items()):
            lane.setParent(self)
            lane.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            lane.setMinimumWidth(120)
            lane.installEventFilter(self)
            self.grid.addWidget(self.heads[name], row, 0)
            self.grid.addWidget(lane, row, 1)
        self.bar = QScrollBar(Qt.Orientation.Horizontal, self)
        self.grid.addWidget(self.bar, len(self.lanes), 1)
        self.why = QLabel(self)
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        self.why.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.why.setMinimumHeight(20)
        self.why.setContentsMargins(8, 0, 8, 4)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        outer.addLayout(self.tools)
        outer.addLayout(self.grid, 1)
        outer.addWidget(self.why)
        self._order()
        self._narrowed()

    def _order(self) -> None:
        """Tab goes from the tools to each lane, with its head before it."""
        last: QWidget = self.zoom_in
        for name, lane in self.lanes.items():
            head = self.heads[name]
            for widget in (head.solo, head.mute, lane) if head.stem else (lane,):
                QWidget.setTabOrder(last, widget)
                last = widget

    def _tool(self, checkable: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setCheckable(checkable)
        button.setMinimumSize(24, 24)
        return button

    def _narrowed(self) -> None:
        """Lay out for the width there is: in a narrow view before and after are one lane."""
        narrow = self.narrow
        spectrum = self.spectrum_shown.isChecked()
        document = self.board.document
        pictures = document is None or document.has_picture
        for row, (name, lane) in enumerate(self.lanes.items()):
            height = HEIGHTS[name].narrow if narrow else HEIGHTS[name].wide
            if name == "pictures" and not pictures:
                height = 24
            shown = height > 0 and (name != "spectrum" or spectrum)
            lane.setVisible(shown)
            self.heads[name].setVisible(shown)
            self.heads[name].setFixedWidth(NARROW if narrow else WIDE)
            lane.setMinimumHeight(height)
            lane.setMaximumHeight(height if HEIGHTS[name].share == 0 else _NO_LIMIT)
            self.grid.setRowStretch(row, HEIGHTS[name].share if shown else 0)
        self.before.show_sides((BEFORE, AFTER) if narrow else (BEFORE,))
        self._name_heads()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Room for every lane to be read well."""
        hint = super().sizeHint()
        return QSize(hint.width(), max(hint.height(), USUAL))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Lay out for another width."""
        narrow = event.size().width() < NARROW_BELOW
        if narrow != self.narrow:
            self.narrow = narrow
            self._narrowed()
        super().resizeEvent(event)
        self._told()

    # ---------------------------------------------------------------------------------------------------------- words

    def translate(self) -> None:
        """All words, in the language of the moment."""
        self.setAccessibleName(self.tr("Lanes"))
        for button, text, told in (
            (self.zoom_out, "−", self.tr("Zoom out (−)")),
            (self.zoom_in, "+", self.tr("Zoom in (+)")),
            (self.fit, self.tr("Fit"), self.tr("Show all of the timeline (Shift+Z)")),
            (self.follow, self.tr("Follow"), self.tr("Keep the playhead in view while it plays")),
            (
                self.spectrum_shown,
                self.tr("Spectrum"),
                self.tr("Show the spectrum of the side that is heard"),
            ),
        ):
            button.setText(text)
            button.setToolTip(told)
            button.setAccessibleName(told)
        self.why.setAccessibleName(self.tr("Why"))
        self.bar.setAccessibleName(self.tr("Scroll the lanes"))
        for lane in self.lanes.values():
            lane.name()
        self._name_heads()
        self._told()

    def _name_heads(self) -> None:
        names = {
            "ruler": "",
            "pictures": self.tr("Pictures"),
            "before": self.tr("Before / after") if self.narrow else self.tr("Before"),
            "after": self.tr("After"),
            "spectrum": self.tr("Spectrum"),
        }
        for name, head in self.heads.items():
            if name in STEMS:
                title = self.stems[name].title()
                head.tell(title[:1] if self.narrow else title, title)
            else:
                head.tell(names[name])
        self._heard()

    def _heard(self) -> None:
        """The head of the side that is heard is bright, and says so."""
        for name in (BEFORE, AFTER):
            label = self.heads[name].label
            heard = self.board.side == name or self.narrow
            label.setProperty("role", "" if heard else "quiet")
            label.style().unpolish(label)
            label.style().polish(label)
            font = theme.body()
            font.setBold(heard and not self.narrow)
            label.setFont(font)
        if self.narrow:
            words = {BEFORE: self.tr("Before"), AFTER: self.tr("After")}
            told = self.tr("Before above, after below; heard: {side}").format(side=words[self.board.side])
            words[self.board.side] = f"<b>{words[self.board.side]}</b>"
            self.heads[BEFORE].tell("<br>".join(words.values()), told)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Another language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.translate()
        super().changeEvent(event)

    # --------------------------------------------------------------------------------------------------------- wiring

    def _wire(self) -> None:
        board = self.board
        self.axis.moved.connect(self._moved)
        board.seek_asked.connect(self.seek_asked)
        board.loop_asked.connect(self.loop_asked)
        board.pointed.connect(self._point)
        board.told.connect(self._tell)
        board.hinted.connect(self._hinted)
        board.playhead_moved.connect(self._told)
        self.bar.valueChanged.connect(self._scrolled)
        self.zoom_out.clicked.connect(lambda: self.zoom(1 / STEP**2))
        self.zoom_in.clicked.connect(lambda: self.zoom(STEP**2))
        self.fit.clicked.connect(self.axis.fit)
        self.spectrum_shown.toggled.connect(lambda _: self._narrowed())
        for stem in STEMS:
            self.heads[stem].solo_asked.connect(self._asking(self.solo_asked, stem))
            self.heads[stem].mute_asked.connect(self._asking(self.mute_asked, stem))
        self._leaves.append(self.live.changed.subscribe(self._changed))
        self._leaves.append(self.frames.changed.subscribe(self.pictures.arrived))
        self._leaves.append(theme.changed.subscribe(self._themed))
        if self.deck is not None:
            self._follow_deck(self.deck)

    @staticmethod
    def _asking(signal: object, stem: str) -> Callable[[bool], None]:
        return lambda on: signal.emit(stem, on)  # type: ignore[attr-defined]

    def _follow_deck(self, deck: Plays) -> None:
        def moved(_: int = 0) -> None:
            self.set_position(deck.position_heard() / deck.rate, deck.playing)

        def state() -> None:
            loop = deck.loop
            self.set_loop((loop[0] / deck.rate, loop[1] / deck.rate) if loop is not None else None)
            self.set_heard(deck.solo, deck.mutes)
            moved()

        def ask_loop(span: Span | None) -> None:
            deck.set_loop((round(span[0] * deck.rate), round(span[1] * deck.rate)) if span else None)

        self.seek_asked.connect(lambda seconds: deck.seek(round(seconds * deck.rate)))
        self.loop_asked.connect(ask_loop)
        self.solo_asked.connect(deck.set_solo)
        self.mute_asked.connect(deck.set_mute)
        self._leaves.append(deck.moved.subscribe(moved))
        self._leaves.append(deck.side_changed.subscribe(self.set_side))
        self._leaves.append(deck.state.subscribe(state))
        self.set_side(deck.side)
        state()

    def _changed(self) -> None:
        """The mix has changed."""
        for lane in self.lanes.values():
            if lane is not self.ruler:
                lane.stale()
        self._told()

    def _themed(self) -> None:
        for lane in self.lanes.values():
            lane.refresh()
        for head in self.heads.values():
            head.update()
        self.now.setFont(theme.mono())
        self._heard()

    # -------------------------------------------------------------------------------------------------------- the axis

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Zoom about a pixel of the lanes; about the playhead where it is visible, else about the middle."""
        if x is None:
            at = self.axis.x(self.board.playhead)
            x = at if 0 <= at < self.ruler.width() else self.ruler.width() / 2
        self.axis.zoom(factor, x)

    def _moved(self) -> None:
        blocked = self.bar.blockSignals(True)
        self.bar.setRange(0, self.axis.last_first)
        self.bar.setPageStep(self.axis.columns)
        self.bar.setSingleStep(max(1, self.axis.columns // 10))
        self.bar.setValue(self.axis.first)
        self.bar.blockSignals(blocked)

    def _scrolled(self, value: int) -> None:
        self.axis.show_from(value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Wheel, pinch and tooltips of every lane."""
        if event.type() == QEvent.Type.Wheel and isinstance(event, QWheelEvent):
            return self._wheel(event)
        if event.type() == QEvent.Type.NativeGesture and isinstance(event, QNativeGestureEvent):
            return self._pinched(event)
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tip(watched, event.globalPos(), event.pos())
            return True
        return super().eventFilter(watched, event)

    def _wheel(self, event: QWheelEvent) -> bool:
        """The wheel scrolls, or whatever is around where all is visible; with Ctrl, or Cmd, it zooms."""
        angle, pixels = event.angleDelta(), event.pixelDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if angle.y():
                self.axis.zoom(STEP ** (angle.y() / NOTCH), event.position().x())
        elif not self.axis.last_first:
            event.ignore()
            return False
        elif not pixels.isNull():
            by = pixels.x() if abs(pixels.x()) >= abs(pixels.y()) else pixels.y()
            self.axis.scroll(-by * self.axis.ratio)
        else:
            notches = (angle.x() or angle.y()) / NOTCH
            self.axis.scroll(-notches * WHEEL * self.axis.ratio)
        event.accept()
        return True

    def _pinched(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        self.axis.zoom(1 + event.value(), event.position().x())
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Keys of the axis."""
        key, held = event.key(), event.modifiers()
        if key in {Qt.Key.Key_Plus, Qt.Key.Key_Equal}:
            self.zoom(STEP)
        elif key in {Qt.Key.Key_Minus, Qt.Key.Key_Underscore}:
            self.zoom(1 / STEP)
        elif key == Qt.Key.Key_Z and held == Qt.KeyboardModifier.ShiftModifier:
            self.axis.fit()
        elif key in {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}:
            way = 1 if key == Qt.Key.Key_PageDown else -1
            self.axis.scroll(way * 0.9 * self.axis.columns)
        else:
            super().keyPressEvent(event)

    # ------------------------------------------------------------------------------------------------------------ why

    def _point(self, seconds: float | None) -> None:
        self._pointed = seconds
        self._told()

    def _tell(self, text: str) -> None:
        self._telling = text
        self._told()

    def _hinted(self, text: str) -> None:
        self._hint = text
        self._told()

    def sentence(self, seconds: float) -> str:
        """Why the mix is what it is at a record second, and what was seen there."""
        return legible_line(self.live.sentence_at(seconds))

    def _told(self, *_: float) -> None:
        """Say what is under the pointer, or what is being done."""
        at = self._pointed if self._pointed is not None else self.board.playhead
        self.now.setText(self.board.timecode(at) if self.board.document is not None else "")
        why = self.sentence(at) if self.board.document is not None else ""
        text = self._telling or why or self._hint
        if text != self.why.toolTip():
            self.why.setToolTip(text)
        metrics = self.why.fontMetrics()
        room = max(self.width() - 24, 40)
        self.why.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))

    def _tip(self, lane: QObject, where: QPoint, at: QPoint) -> None:
        """What a frame shows, where it was looked at, or why the mix is what it is."""
        seconds = self.axis.time(QPointF(at).x())
        seen = self.pictures.told_at(seconds) if lane is self.pictures else ""
        text = legible_line(seen) if seen else self.sentence(seconds)
        if text:
            QToolTip.showText(where, text, self)
        else:
            QToolTip.hideText()
