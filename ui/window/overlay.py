"""Pages that lie over the window and are gone at a key press: all keys, and what the window itself can be set to."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from . import icons, theme
from .keys import Command, Keys, listed, native
from .theme import GRID

_COLUMN = 300  # px: what a column of a page wants


class Page(QWidget):
    """A panel in the middle of the dimmed window; Escape, its cross or a click beside it closes it."""

    def __init__(self, window: QWidget, title: str) -> None:
        super().__init__(window)
        self._before: QWidget | None = None
        self._frame = QFrame(self)
        self._frame.setProperty("role", "panel")
        heading = QLabel(title)
        heading.setProperty("role", "title")
        self._cross = QToolButton()
        self._cross.setProperty("role", "flat")
        self._cross.setIcon(icons.icon("close"))
        self._cross.setToolTip(self.tr("Close (Esc)"))
        self._cross.setAccessibleName(self.tr("Close"))
        self._cross.clicked.connect(self.close_)
        top = QHBoxLayout()
        top.addWidget(heading, 1)
        top.addWidget(self._cross)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self._frame)
        layout.setContentsMargins(2 * GRID, GRID, GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addLayout(top)
        layout.addWidget(self.area, 1)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it, with the keyboard."""
        self._before = QApplication.focusWidget()
        self.fill()
        self._fit()
        self.show()
        self.raise_()
        self.setFocus()

    def close_(self) -> None:
        """Close it, and give the keyboard back to where it was."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None:
            self._before.setFocus()
        self._before = None

    def toggle(self) -> None:
        """Open or close it."""
        (self.close_ if self.isVisible() else self.open)()

    def fill(self) -> None:
        """Put into it what it shows; called whenever it is opened, or gets another size."""

    @property
    def columns(self) -> int:
        """How many columns there is room for."""
        return max(1, min(3, (self.window().width() - 6 * GRID) // _COLUMN))

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Keep to the window's size."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self.fill()
            self._fit()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Dim the window."""
        painter = QPainter(self)
        ground = QColor(theme.current().ground)
        ground.setAlphaF(0.8)
        painter.fillRect(event.rect(), ground)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click beside it closes it."""
        if not self._frame.geometry().contains(event.position().toPoint()):
            self.close_()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Escape closes it; no other key goes through to the window."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_()
        event.accept()

    def _fit(self) -> None:
        window = self.window()
        self.setGeometry(0, 0, window.width(), window.height())
        inner = self.area.widget()
        wanted = inner.sizeHint() if inner is not None else window.size()
        width = min(window.width() - 4 * GRID, max(_COLUMN, wanted.width() + 6 * GRID))
        height = min(window.height() - 4 * GRID, wanted.height() + 9 * GRID)
        self._frame.setGeometry((window.width() - width) // 2, (window.height() - height) // 2, width, height)


class KeysPage(Page):
    """Every command that has a key, as the actions themselves have it."""

    def __init__(self, window: QWidget, keys: Keys) -> None:
        self._keys = keys
        super().__init__(window, self.tr("Keys"))

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What is listed: keys and title of each."""
        return [
            (_keys_of(c), c.title) for group in listed(self._keys.commands.values()).values() for c in group
        ]

    def fill(self) -> None:
        """List them in as many columns as there is room for, groups whole."""
        inner = QWidget()
        across = QHBoxLayout(inner)
        across.setContentsMargins(0, 0, GRID, 0)
        across.setSpacing(4 * GRID)
        for column in _dealt(listed(self._keys.commands.values()), self.columns):
            grid = QGridLayout()
            grid.setHorizontalSpacing(2 * GRID)
            grid.setVerticalSpacing(GRID // 2)
            for title, group in column:
                self._group(grid, title, group)
            grid.setRowStretch(grid.rowCount(), 1)
            grid.setColumnStretch(1, 1)
            across.addLayout(grid)
        self.area.setWidget(inner)

    def _group(self, grid: QGridLayout, title: str, group: list[Command]) -> None:
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        row = grid.rowCount()
        grid.setRowMinimumHeight(row, 3 * GRID)
        grid.addWidget(heading, row, 0, 1, 2, Qt.AlignmentFlag.AlignBottom)
        for i, command in enumerate(group, row + 1):
            keys = QLabel(_keys_of(command))
            keys.setFont(theme.mono(theme.BODY_PX))
            words = QLabel(command.title + (" " + self.tr("(hold)") if command.hold else ""))
            words.setWordWrap(True)
            grid.addWidget(keys, i, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(words, i, 1)


def _keys_of(command: Command) -> str:
    return "  ".join(native(key) for key in command.keys[:2])


def _dealt(groups: dict[str, list[Command]], columns: int) -> list[list[tuple[str, list[Command]]]]:
    """Groups in their order, over columns of about the same height."""
    total = sum(len(group) + 2 for group in groups.values())
    dealt: list[list[tuple[str, list[Command]]]] = [[]]
    height = 0
    for title, group in groups.items():
        if height and len(dealt) < columns and height + (len(group) + 2) / 2 > total / columns:
            dealt.append([])
            height = 0
        dealt[-1].append((title, group))
        height += len(group) + 2
    return dealt
