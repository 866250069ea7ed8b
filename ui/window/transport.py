"""Below the picture: where the playhead is, what moves it, and which side is heard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QMenu,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from ...engine.errors import SettingsError
from ..control.transport import Transport
from . import clip_words, icons, theme
from .theme import GRID

_SHUT, _FULL = -60, 12  # dB of the monitor; at its lowest it is shut
_ROOMY = 560  # px from which the monitor's fader has room, and sides have their names


class TransportView(QWidget):
    """Timecode, transport, loop, the sides A and B, and the monitor, over a `Transport`."""

    def __init__(self, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._transport, self._deck = transport, transport.deck
        self._error = ""
        self.monitor_extras: list[Callable[[QMenu], object]] = []  # what else the monitor's menu has
        self.setAccessibleName(self.tr("Transport"))
        self.timecode = TimecodeEdit(self)
        self.timecode.meant.connect(self._go)
        self.timecode.left.connect(self._moved)
        deck = self._deck
        self.back = self._button("back", self.tr("One frame back (←)"), lambda: transport.step(-1))
        self.play = self._button("play", "", deck.toggle)
        self.on = self._button("forward", self.tr("One frame on (→)"), lambda: transport.step(1))
        self.loop = self._button("loop", "", lambda: transport.set_loop(deck.loop is None))
        self.loop.setCheckable(True)
        self.back.setAutoRepeat(True)
        self.on.setAutoRepeat(True)
        self.sides = Sides(self)
        self.sides.chosen.connect(deck.set_side)
        self.residual = self._button("residual", "", lambda: deck.set_residual(not deck.residual))
        self.residual.setCheckable(True)
        self.monitor = self._button("sound", "", self._open_monitor)
        self.fader = Fader(self)
        self.fader.moved.connect(self._set_volume)
        self.heard = QLabel(self)
        self.heard.setTextFormat(Qt.TextFormat.PlainText)
        self.heard.setAccessibleName(self.tr("What is heard"))
        self._lay_out()
        self._leave = [
            deck.moved.subscribe(lambda _: self._moved()),
            deck.side_changed.subscribe(lambda _: self.renew()),
            deck.starving_changed.subscribe(lambda _: self.renew()),
            deck.state.subscribe(self.renew),
            transport.changed.subscribe(self._begin),
            theme.changed.subscribe(self._themed),
        ]
        self._begin()

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        for leave in self._leave:
            leave()
        self._leave.clear()

    def edit_timecode(self) -> None:
        """Have the keyboard write a timecode."""
        self.timecode.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def renew(self) -> None:
        """The deck plays or not, another side is heard, or the monitor is another."""
        deck = self._deck
        self.play.setIcon(icons.icon("pause" if deck.playing else "play"))
        _tell(self.play, self.tr("Stop (Space)") if deck.playing else self.tr("Play (Space)"))
        self.loop.setChecked(deck.loop is not None)
        _tell(self.loop, self.tr("Play everywhere (Shift+L)") if deck.loop else self.tr("Loop (Shift+L)"))
        self.residual.setChecked(deck.residual)
        _tell(
            self.residual,
            self.tr("Hear the mix again (R)") if deck.residual else self.tr("Hear what was taken away (R)"),
        )
        self.sides.show_side(deck.side, dim=deck.residual)
        self.monitor.setIcon(icons.icon("mute" if deck.silent else "sound"))
        level = self.tr("muted") if deck.silent else _decibels(deck.volume_db)
        _tell(self.monitor, self.tr("Monitor: {0}").format(level))
        self.fader.show_level(deck.volume_db)
        self._say()

    # What Qt calls

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Without the fader, and with letters for the sides."""
        small = (self.back, self.play, self.on, self.loop, self.residual, self.monitor)
        wide = self.timecode.width() + self.sides.narrowest + sum(one.sizeHint().width() for one in small)
        return QSize(wide + (len(small) + 4) * GRID // 2 + 2 * GRID, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Names and the fader are shown where there is room for them."""
        super().resizeEvent(event)
        self._fit()

    # Inside

    def _fit(self) -> None:
        roomy = self.width() >= _ROOMY
        self.fader.setVisible(roomy)
        self.sides.name(roomy)

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(GRID // 2)
        line.addWidget(self.timecode)
        line.addStretch(1)
        for widget in (self.back, self.play, self.on, self.loop):
            line.addWidget(widget)
        line.addStretch(1)
        line.addWidget(self.sides)
        for widget in (self.residual, self.monitor):
            line.addWidget(widget)
        line.addWidget(self.fader)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        layout.setSpacing(GRID // 2)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # what it shows depends on its width
        layout.addLayout(line)
        layout.addWidget(self.heard)

    def _button(self, icon: str, words: str, run: Callable[[], object]) -> QToolButton:
        made = QToolButton(self)
        made.setIcon(icons.icon(icon))
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        _tell(made, words)
        made.clicked.connect(lambda _=False: run())
        return made

    def _begin(self) -> None:
        """Another timeline, or none: then there is nothing to move."""
        there = self._transport.document is not None
        for widget in (self.timecode, self.back, self.play, self.on, self.loop, self.sides, self.residual):
            widget.setEnabled(there)
        self._error = ""
        self.timecode.show_time(self._transport.timecode, anyway=True)
        self._fit()
        self.renew()

    def _moved(self) -> None:
        self.timecode.show_time(self._transport.timecode)
        if self._error:
            self._error = ""
            self._say()

    def _go(self, text: str) -> None:
        try:
            self._transport.go_to(text)
        except SettingsError as error:
            self._error = str(error)
            self._say()
            return
        self._error = ""
        self.timecode.show_time(self._transport.timecode, anyway=True)
        self.timecode.clearFocus()
        self._say()

    def _say(self) -> None:
        """Which side is heard, and how; or what is wrong with a timecode that was typed."""
        self.heard.setText(self._error or self._words())
        self.heard.setToolTip(clip_words.plain_tip(self.heard.text()))
        self.heard.setProperty("role", "fault" if self._error else "quiet")
        style = self.heard.style()
        style.unpolish(self.heard)
        style.polish(self.heard)

    def _words(self) -> str:
        deck = self._deck
        if self._transport.document is None:
            return ""
        if deck.residual:
            parts = [self.tr("What was taken away")]
        elif deck.side == "after":
            parts = [self.tr("B · after"), self._matched()]
        else:
            parts = [self.tr("A · before")]
            parts += [self.tr("level-matched")] if deck.matched else []
        if deck.playing and deck.speed != 1:
            parts.append(f"{deck.speed:+g}×".replace("-", "−").replace("+", ""))
        if deck.silent:
            parts.append(self.tr("monitor muted"))
        if deck.starving:
            parts.append(self.tr("waiting for sound…"))
        return ", ".join(parts)

    def _matched(self) -> str:
        deck = self._deck
        if not deck.matched:
            return self.tr("as loud as it will be")
        db = round(deck.match_db, 1)
        return (
            self.tr("level-matched by {0}").format(_decibels(db, signed=True))
            if db
            else self.tr("level-matched")
        )

    def _set_volume(self, db: float) -> None:
        self._deck.set_silent(db <= _SHUT)
        self._deck.set_volume(db)

    def _open_monitor(self) -> None:
        self.monitor_menu().popup(self.monitor.mapToGlobal(self.monitor.rect().bottomLeft()))

    def monitor_menu(self) -> QMenu:
        """The monitor's fader and what else changes what is heard, and nothing that is written."""
        menu, page, deck = QMenu(self), QWidget(self), self._deck
        fader = Fader(page)
        fader.show_level(deck.volume_db)
        fader.moved.connect(self._set_volume)
        muted = QCheckBox(self.tr("Mute the monitor"), page)
        muted.setChecked(deck.silent)
        muted.toggled.connect(deck.set_silent)
        matched = QCheckBox(self.tr("Both sides equally loud (Shift+A)"), page)
        matched.setChecked(deck.matched)
        matched.toggled.connect(deck.set_matched)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        for widget in (fader, muted, matched):
            layout.addWidget(widget)
        action = QWidgetAction(menu)
        action.setDefaultWidget(page)
        menu.addAction(action)
        for extend in self.monitor_extras:
            extend(menu)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _themed(self) -> None:
        self.timecode.measure()
        self.renew()


class TimecodeEdit(QLineEdit):
    """The playhead's timecode; what is typed over it is where to go.

    `meant` is what was typed, on Return; Escape, and leaving it, put back where it is (`left`).
    """

    meant = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Timecode of the playhead"))
        self.setToolTip(self.tr("Type a timecode to go there: 01:00:10:00, 10:00, +12 or -1:00"))
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setMaxLength(24)
        self.returnPressed.connect(lambda: self.meant.emit(self.text()))
        self.measure()

    def measure(self) -> None:
        """Take the font from the theme as it is now."""
        font = theme.mono(theme.BODY_PX)
        self.setFont(font)
        self.setFixedWidth(QFontMetrics(font).horizontalAdvance("00:00:00:00") + 3 * GRID)

    def show_time(self, text: str, anyway: bool = False) -> None:
        """Show where the playhead is, unless somebody is typing."""
        if (anyway or not self.isModified()) and text != self.text():
            whole = self.hasSelectedText()
            self.setText(text)
            if whole and self.hasFocus():
                self.selectAll()
        if anyway:
            self.setModified(False)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802  (Qt's name)
        """All of it is chosen, to be typed over."""
        super().focusInEvent(event)
        self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  (Qt's name)
        """What was typed and not meant is forgotten."""
        super().focusOutEvent(event)
        self._leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Escape goes nowhere."""
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()
            self._leave()
        else:
            super().keyPressEvent(event)

    def _leave(self) -> None:
        self.setModified(False)
        self.deselect()
        self.left.emit()


class Sides(QWidget):
    """A | B: which side is heard."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Side that is heard"))
        self._group = QButtonGroup(self)
        self.before, self.after = QToolButton(self), QToolButton(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        told = (
            (self.before, "before", self.tr("Hear before (A)")),
            (self.after, "after", self.tr("Hear after (A)")),
        )
        for button, side, words in told:
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            _tell(button, words)
            button.clicked.connect(lambda _=False, name=side: self.chosen.emit(name))
            self._group.addButton(button)
            layout.addWidget(button)
        self.name(whole=False)

    def name(self, whole: bool) -> None:
        """Have the sides bear their names, or their letters alone."""
        self.before.setText(self.tr("A before") if whole else "A")
        self.after.setText(self.tr("B after") if whole else "B")
        for button in (self.before, self.after):
            button.setMinimumWidth(0 if whole else self.narrowest // 2)

    @property
    def narrowest(self) -> int:
        """How wide it is with letters alone, in px."""
        return 2 * max(4 * GRID, QFontMetrics(self.font()).horizontalAdvance("B") + 2 * GRID)

    def show_side(self, side: str, dim: bool) -> None:
        """Show which side is heard; `dim` where neither is, but their difference."""
        self._group.setExclusive(not dim)
        self.before.setChecked(side == "before" and not dim)
        self.after.setChecked(side == "after" and not dim)


class Fader(QSlider):
    """The monitor's fader, in dB; a double click puts it to 0."""

    moved = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(_SHUT, _FULL)
        self.setPageStep(6)
        self.setFixedWidth(96)
        self.setAccessibleName(self.tr("Monitor volume"))
        self.valueChanged.connect(self._tell)

    def show_level(self, db: float) -> None:
        """Show a level without saying that it was moved."""
        blocked = self.blockSignals(True)
        self.setValue(round(db))
        self.blockSignals(blocked)
        self.setToolTip(self.tr("Monitor volume: {0}").format(_decibels(db)))

    def mouseDoubleClickEvent(self, event: object) -> None:  # noqa: ARG002, N802  (Qt's name)
        """Back to 0 dB."""
        self.setValue(0)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (Qt's name)
        """A decibel a notch."""
        self.setValue(self.value() + (1 if event.angleDelta().y() > 0 else -1))
        event.accept()

    def _tell(self, value: int) -> None:
        self.moved.emit(float(value))


def _decibels(db: float, signed: bool = False) -> str:
    if db <= _SHUT:
        return "−∞ dB"
    return f"{db:{'+' if signed else ''}.1f} dB".replace("-", "−")


def _tell(button: QToolButton, words: str) -> None:
    """A button's tooltip with its key, and its name without it."""
    button.setToolTip(words)
    button.setAccessibleName(words.partition(" (")[0])
