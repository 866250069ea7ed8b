"""The tour: two minutes along the window's parts, on the demo's timeline; nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from . import theme
from .theme import GRID

_WIDTH = 320  # px: what a bubble is wide, where there is room


@dataclass(frozen=True)
class Step:
    """What is shown: the part, or None for the window as a whole, a heading, and some sentences."""

    part: Callable[[], QWidget | None]
    title: str
    text: str


class Tour(QObject):
    """Goes along its steps; the window can be used meanwhile. `ended` tells that it is over, or was left."""

    ended = Signal()

    def __init__(self, window: QWidget, steps: Sequence[Step]) -> None:
        super().__init__(window)
        self._window, self._steps = window, tuple(steps)
        self._at = 0
        self._mark, self.bubble = _Mark(window), _Bubble(window)
        self.bubble.next.clicked.connect(lambda: self.go(self._at + 1))
        self.bubble.back.clicked.connect(lambda: self.go(self._at - 1))
        self.bubble.leave.clicked.connect(self.end)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.activated.connect(self.end)
        self._escape.setEnabled(False)
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def running(self) -> bool:
        """Whether it is being shown."""
        return self.bubble.isVisible()

    @property
    def at(self) -> int:
        """The step that is shown, from 0."""
        return self._at

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of its steps."""
        return self._steps

    def start(self) -> None:
        """Show the first step."""
        if not self.running:
            self._window.installEventFilter(self)
            self._escape.setEnabled(True)
            self._unsubscribe = theme.changed.subscribe(self._mark.update)
        self.go(0)

    def go(self, step: int) -> None:
        """Show a step; after the last one it is over."""
        if step >= len(self._steps):
            self.end()
            return
        self._at = max(0, step)
        shown = self._steps[self._at]
        self.bubble.say(shown.title, shown.text, self._at + 1, len(self._steps))
        self.place()

    def place(self) -> None:
        """Put bubble and frame where the part lies now."""
        part = self._steps[self._at].part()
        where = _rect(part, self._window) if part is not None and part.isVisible() else QRect()
        self._mark.frame(where)
        self.bubble.fit(self._window.width())
        self.bubble.move(_beside(where, self.bubble.size(), self._window.rect()))
        self.bubble.show()
        self.bubble.raise_()

    def end(self) -> None:
        """Leave it."""
        if not self.running:
            return
        self._window.removeEventFilter(self)
        self._escape.setEnabled(False)
        if self._unsubscribe is not None:
            self._unsubscribe()
        self.bubble.hide()
        self._mark.hide()
        self.ended.emit()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Follow the window's size."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.LayoutRequest} and self.running:
            self.place()
        return False


class _Bubble(QFrame):
    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setProperty("role", "panel")
        self.setObjectName("bubble")
        self._title, self._text, self._count = QLabel(), QLabel(), QLabel()
        self._title.setProperty("role", "title")
        self._count.setProperty("role", "quiet")
        for label in (self._title, self._text):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.leave = QPushButton(self.tr("&End the tour"))
        self.leave.setToolTip(self.tr("End the tour (Esc); Help > The tour begins it again"))
        self.back = QPushButton(self.tr("&Back"))
        self.back.setToolTip(self.tr("One step back (Alt+B)"))
        self.next = QPushButton()
        self.next.setProperty("role", "primary")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.leave)
        buttons.addWidget(self._count, 1, Qt.AlignmentFlag.AlignCenter)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        for button in (self.leave, self.back, self.next):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = self._layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self._title)
        layout.addWidget(self._text)
        layout.addSpacing(GRID)
        layout.addLayout(buttons)
        self.hide()

    def say(self, title: str, text: str, number: int, of: int) -> None:
        """Show a step's words."""
        self._title.setText(title)
        self._text.setText(text)
        self._count.setText(f"{number}/{of}")
        self.back.setEnabled(number > 1)
        last = number == of
        self.next.setText(self.tr("&Done") if last else self.tr("&Next"))
        self.next.setToolTip(self.tr("The tour is over") if last else self.tr("The next step (Alt+N)"))
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)

    def fit(self, room: int) -> None:
        """Be as wide as is good to read, and as high as that makes it."""
        width = min(max(_WIDTH, self._layout.minimumSize().width()), room - 2 * GRID)
        self.resize(width, self._layout.totalHeightForWidth(width))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """A line round it that stands out from the panels below."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.current().line))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), theme.RADIUS, theme.RADIUS)


class _Mark(QWidget):
    """A frame round the part that is spoken of; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def frame(self, where: QRect) -> None:
        """Lie round a part; an empty place for nowhere."""
        self.setVisible(not where.isEmpty())
        if not where.isEmpty():
            self.setGeometry(where.adjusted(-3, -3, 3, 3))
            self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Draw the frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.current().text), 2))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), theme.RADIUS + 2, theme.RADIUS + 2)


def _rect(part: QWidget, window: QWidget) -> QRect:
    return QRect(part.mapTo(window, QPoint(0, 0)), part.size()).intersected(window.rect())


def _beside(part: QRect, bubble: object, room: QRect) -> QPoint:
    """Where a bubble stands: right of the part, left, below or above it, else in the middle of it."""
    width, height = bubble.width(), bubble.height()  # type: ignore[attr-defined]
    gap = 2 * GRID
    inner = room.adjusted(GRID, GRID, -GRID, -GRID)
    if part.isEmpty():
        return QPoint(room.center().x() - width // 2, room.center().y() - height // 2)
    top = min(max(part.top(), inner.top()), inner.bottom() - height)
    left = min(max(part.left(), inner.left()), inner.right() - width)
    if part.right() + gap + width <= inner.right():
        return QPoint(part.right() + gap, top)
    if part.left() - gap - width >= inner.left():
        return QPoint(part.left() - gap - width, top)
    if part.bottom() + gap + height <= inner.bottom():
        return QPoint(left, part.bottom() + gap)
    if part.top() - gap - height >= inner.top():
        return QPoint(left, part.top() - gap - height)
    middle = part.center()
    return QPoint(
        min(max(middle.x() - width // 2, inner.left()), inner.right() - width),
        min(max(middle.y() - height // 2, inner.top()), inner.bottom() - height),
    )
