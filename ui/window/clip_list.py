"""The clips as a list: what Qt asks of a model, and how rows are painted. Thousands of them, and no widget in any."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ...engine.legible import legible_line
from ..control.clips import Clips
from ..control.needs import OFFLINE, UNSURE
from ..control.state import ClipRow, TrackRow
from ..control.stills import THUMB_HEIGHT, Still, Thumbs
from . import clip_words, icons, theme
from .theme import GRID

Index = QModelIndex | QPersistentModelIndex
Zone = Literal["", "kind", "find"]
CLIP = Qt.ItemDataRole.UserRole
_PIXMAPS = 120  # pictures as the screen takes them; more rows are in no window
_SETTLED_MS = 80  # how long a list lies still before what is seen in it is asked for
_NO_INDEX = QModelIndex()
_COMMANDS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)

# How far a clip is in the queue, by what the window asks: glyph and colour.
_GLYPHS = {
    "waiting": ("recent", "quiet"),
    "running": ("play", "text"),
    "done": ("check", "good"),
    "failed": ("fault", "fault"),
    "cancelled": ("cancel", "quiet"),
    "undone": ("undo", "quiet"),
}


class ClipModel(QAbstractListModel):
    """The clips that the filter shows, in order."""

    def __init__(self, clips: Clips, state: Callable[[int], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clips, self._state = clips, state
        self._shown = clips.choice.shown

    def rowCount(self, parent: Index = _NO_INDEX) -> int:  # noqa: N802  (Qt's name)
        """How many there are."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A clip's name, its number, and what is said and shown of it."""
        clip = self.clip(index)
        if clip == 0:
            return None
        row = self._clips.row(clip)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == CLIP:
            return clip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return clip_words.spoken(row, self._clips.target, self._state(clip))
        if role == Qt.ItemDataRole.ToolTipRole:
            words = clip_words.tip(row, self._track(row), self._clips.target, self._state(clip))
            return clip_words.plain_tip(words)
        return None

    def clip(self, index: Index) -> int:
        """The number of the clip in a row, 0 for none."""
        return self._shown[index.row()] if index.isValid() and index.row() < len(self._shown) else 0

    def place(self, clip: int) -> QModelIndex:
        """The row that a clip is shown in."""
        place = self._clips.choice.place(clip)
        return self.index(place) if 0 <= place < len(self._shown) else QModelIndex()

    def reset(self) -> None:
        """Another filter, or another timeline."""
        self.beginResetModel()
        self._shown = self._clips.choice.shown
        self.endResetModel()

    def _track(self, row: ClipRow) -> TrackRow | None:
        return next((track for track in self._clips.tracks if track.number == row.track_number), None)


class ClipDelegate(QStyledItemDelegate):
    """Paints a row: picture, timecode and name above track, category and loudness, or why it is offline."""

    def __init__(self, clips: Clips, thumbs: Thumbs, state: Callable[[int], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._clips, self._thumbs, self._state = clips, thumbs, state
        self._pixmaps: OrderedDict[tuple[float, float], QPixmap] = OrderedDict()
        self.measure()

    def measure(self) -> None:
        """Take fonts and sizes from the theme as it is now."""
        self._body, self._small, self._mono = theme.body(), theme.small(), theme.mono()
        self._body_metrics, self._small_metrics = QFontMetrics(self._body), QFontMetrics(self._small)
        self._mono_metrics = QFontMetrics(self._mono)
        self._colours: dict[str, QColor] = {}
        self._widths: dict[str, int] = {}
        lines = self._body_metrics.height() + self._small_metrics.height()
        self._height = max(THUMB_HEIGHT + GRID, lines + 2 * GRID)
        self._height = -(-self._height // GRID) * GRID

    @property
    def height(self) -> int:
        """Of every row, in px."""
        return self._height

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002, N802  (Qt's name)
        """The same for every row."""
        return QSize(160, self._height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a row."""
        clip = index.data(CLIP)
        if not clip:
            return
        shown, row = theme.current(), self._clips.row(clip)
        rect, state = option.rect, option.state
        painter.save()
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, self._colour(shown.selected))
        painter.setPen(self._colour(shown.separator))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        if chosen:
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), self._colour(shown.text))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self._colour(shown.text))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        self._paint_thumb(painter, self._thumb(rect), row)
        self._paint_first(painter, self._lines(rect)[0], row, clip)
        self._paint_second(painter, rect, row)
        painter.restore()

    def zone(self, rect: QRect, clip: int, at: QPoint) -> Zone:
        """What of a row lies under the pointer."""
        row = self._clips.row(clip)
        if row.state == OFFLINE:
            return "find" if self._find(rect).contains(at) else ""
        return "kind" if row.online and self._kind(rect, row).contains(at) else ""

    def kind_rect(self, rect: QRect, clip: int) -> QRect:
        """Where a row's category is."""
        return self._kind(rect, self._clips.row(clip))

    def find_rect(self, rect: QRect) -> QRect:
        """Where "Find…" is in a row that is offline."""
        return self._find(rect)

    def forget(self) -> None:
        """Another timeline."""
        self._pixmaps.clear()

    # Where things are

    def _thumb(self, rect: QRect) -> QRect:
        width = THUMB_HEIGHT * 16 // 9
        return QRect(
            rect.left() + GRID, rect.top() + (rect.height() - THUMB_HEIGHT) // 2, width, THUMB_HEIGHT
        )

    def _lines(self, rect: QRect) -> tuple[QRect, QRect]:
        left, right = self._thumb(rect).right() + 1 + GRID, rect.right() - GRID
        first, second = self._body_metrics.height(), self._small_metrics.height()
        top = rect.top() + (rect.height() - first - second - 4) // 2
        width = max(0, right - left)
        return QRect(left, top, width, first), QRect(left, top + first + 4, width, second)

    def _kind(self, rect: QRect, row: ClipRow) -> QRect:
        line = self._lines(rect)[1]
        left = line.left() + self._track_width(row) + GRID
        width = self._width(clip_words.held(row)) + 2 * GRID
        return QRect(left, line.top() - 1, min(width, max(0, line.right() - left)), line.height() + 2)

    def _find(self, rect: QRect) -> QRect:
        line = self._lines(rect)[1]
        width = self._width(self._find_text()) + 2 * GRID
        return QRect(line.right() - width + 1, line.top() - 1, width, line.height() + 2)

    def _track_width(self, row: ClipRow) -> int:
        return self._width(f"A{row.track_number}")

    def _colour(self, name: str) -> QColor:
        return self._colours.setdefault(name, QColor(name))

    def _width(self, text: str) -> int:
        """Of a short text that many rows have, in the small font."""
        if text not in self._widths:
            self._widths[text] = self._small_metrics.horizontalAdvance(text)
        return self._widths[text]

    def _find_text(self) -> str:
        return self.tr("Find…")

    # How it is painted

    def _paint_thumb(self, painter: QPainter, rect: QRect, row: ClipRow) -> None:
        painter.fillRect(rect, self._colour(theme.current().raised))
        still, document = self._thumbs.still(row.index), self._clips.document
        if still is None or still.black:
            if still is not None or (document is not None and not document.has_picture):
                centre = QRect(0, 0, 16, 16)
                centre.moveCenter(rect.center())
                icons.icon("offline" if row.state == OFFLINE else "sound", "quiet").paint(painter, centre)
            return
        pixmap = self._pixmap(still, painter.device().devicePixelRatioF())
        size = pixmap.size().scaled(rect.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(QPoint(0, 0), size)
        target.moveCenter(rect.center())
        painter.setOpacity(1.0 if row.online else 0.5)
        painter.drawPixmap(target, pixmap)
        painter.setOpacity(1.0)

    def _pixmap(self, still: Still, ratio: float) -> QPixmap:
        key = (still.time, ratio)
        found = self._pixmaps.get(key)
        if found is None:
            image = QImage(still.rgb, still.width, still.height, 3 * still.width, QImage.Format.Format_RGB888)
            found = self._pixmaps[key] = QPixmap.fromImage(image)
            while len(self._pixmaps) > _PIXMAPS:
                self._pixmaps.popitem(last=False)
        else:
            self._pixmaps.move_to_end(key)
        return found

    def _paint_first(self, painter: QPainter, line: QRect, row: ClipRow, clip: int) -> None:
        """Timecode, name, and how far the clip is in the queue."""
        shown = theme.current()
        line = QRect(line)
        glyph = _GLYPHS.get(self._state(clip))
        if glyph is not None:
            size = min(14, line.height())
            icons.icon(*glyph).paint(painter, QRect(line.right() - size, line.top(), size, line.height()))
            line.setRight(line.right() - size - GRID // 2)
        painter.setFont(self._mono)
        painter.setPen(self._colour(shown.quiet))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, row.timecode_in)
        line.setLeft(line.left() + self._mono_metrics.horizontalAdvance(row.timecode_in) + GRID)
        painter.setFont(self._body)
        painter.setPen(self._colour(shown.text if row.online else shown.quiet))
        name = self._body_metrics.elidedText(
            legible_line(row.name), Qt.TextElideMode.ElideMiddle, line.width()
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, name)

    def _paint_second(self, painter: QPainter, rect: QRect, row: ClipRow) -> None:
        """Track, category and loudness; or why it is offline, and where to look."""
        shown, line = theme.current(), QRect(self._lines(rect)[1])
        painter.setFont(self._small)
        painter.setPen(self._colour(shown.quiet))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, f"A{row.track_number}")
        if not row.online:
            left = line.left() + self._track_width(row) + GRID
            self._paint_reason(
                painter, rect, QRect(left, line.top(), line.right() - left, line.height()), row
            )
            return
        chip = self._kind(rect, row)
        self._paint_kind(painter, chip, row)
        line.setLeft(chip.right() + GRID)
        painter.setFont(self._mono)
        painter.setPen(self._colour(shown.text))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(line, right, clip_words.level(row.lufs))
        line.setRight(line.right() - self._mono_metrics.horizontalAdvance("−00.0") - GRID)
        self._paint_needs(painter, line, row)

    def _paint_kind(self, painter: QPainter, chip: QRect, row: ClipRow) -> None:
        shown = theme.current()
        painter.setPen(self._colour(shown.stem(row.kind) if row.certain else shown.quiet))
        _outline(painter, chip)
        inner = chip.adjusted(GRID, 0, -GRID // 2, 0)
        room = inner.width() + GRID // 2
        text = self._small_metrics.elidedText(clip_words.held(row), Qt.TextElideMode.ElideRight, room)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_needs(self, painter: QPainter, line: QRect, row: ClipRow) -> None:
        """Why it needs work; of what the chip says already, nothing."""
        needs = [key for key in row.needs if key != UNSURE]
        size = min(14, line.height())
        if not needs or line.width() < size:
            return
        icons.icon("warning", "warning").paint(painter, QRect(line.left(), line.top(), size, line.height()))
        line = line.adjusted(size + GRID // 2, 0, 0, 0)
        painter.setFont(self._small)
        painter.setPen(self._colour(theme.current().warning))
        words = " · ".join(clip_words.short_need(key) for key in needs)
        if self._width(words) > line.width():
            words = clip_words.short_need(needs[0])
        if self._width(words[:3]) < line.width():
            text = self._small_metrics.elidedText(words, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_reason(self, painter: QPainter, rect: QRect, line: QRect, row: ClipRow) -> None:
        shown = theme.current()
        if row.state == OFFLINE:
            button = self._find(rect)
            painter.setPen(self._colour(shown.line))
            _outline(painter, button)
            painter.setPen(self._colour(shown.text))
            painter.drawText(button, Qt.AlignmentFlag.AlignCenter, self._find_text())
            line.setRight(button.left() - GRID)
        painter.setPen(self._colour(shown.fault if row.state == OFFLINE else shown.quiet))
        reason = legible_line(clip_words.why_not(row))
        text = self._small_metrics.elidedText(reason, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)


def _outline(painter: QPainter, rect: QRect) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(0, 0, -1, -1), theme.RADIUS, theme.RADIUS)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


class ClipList(QListView):
    """The list: rows are chosen in it as in any other; what is seen is asked for once it lies still.

    `find_wanted` asks to look for media, `named` for the category of a clip's track (and where on the screen that is
    shown), `menu` for the menu of what is chosen, `went` that a clip was gone to.
    """

    find_wanted = Signal()
    named = Signal(int, QPoint)
    menu = Signal(QPoint)
    went = Signal(int)

    def __init__(
        self, clips: Clips, thumbs: Thumbs, state: Callable[[int], str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._clips, self._thumbs = clips, thumbs
        self._syncing = False
        self.rows = ClipModel(clips, state, self)
        self.painted = ClipDelegate(clips, thumbs, state, self)
        self.setModel(self.rows)
        self.setItemDelegate(self.painted)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        # What was painted is moved when it is scrolled, and only what comes in is painted.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Clips"))
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(_SETTLED_MS)
        self._still.timeout.connect(self._ask)
        self.verticalScrollBar().valueChanged.connect(self._settle)
        self.verticalScrollBar().setSingleStep(3 * GRID)
        self.selectionModel().selectionChanged.connect(self._push)
        self.selectionModel().currentChanged.connect(self._push)
        self._leave = [
            clips.rows_changed.subscribe(self.renew),
            clips.filter.subscribe(self._reset),
            clips.opened.subscribe(lambda _: self._begin()),
            clips.selection.subscribe(self.pull),
            thumbs.came.subscribe(self.renew),
            theme.changed.subscribe(self._themed),
        ]
        self.pull()

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        self._still.stop()
        for leave in self._leave:
            leave()
        self._leave.clear()

    def renew(self, clips: tuple[int, ...]) -> None:
        """These clips are not what they were: paint those in view.

        The model says nothing of it: Qt would lay out all rows anew at every figure that comes in.
        """
        for clip in set(clips).intersection(self.seen()):
            self.update(self.rows.place(clip))

    def seen(self) -> list[int]:
        """The clips whose rows are in view, from the top down."""
        count, height = self.rows.rowCount(), self.painted.height
        if not count or self.viewport().height() <= 0:
            return []
        top = -self.visualRect(self.rows.index(0)).top()
        first, last = top // height, (top + self.viewport().height() - 1) // height
        return [
            self.rows.clip(self.rows.index(place)) for place in range(max(0, first), min(count, last + 1))
        ]

    def pull(self) -> None:
        """Show as chosen what is chosen."""
        if self._syncing:
            return
        self._syncing = True
        selection = QItemSelection()
        for first, last in _runs([self._clips.choice.place(clip) for clip in self._clips.choice.chosen]):
            selection.select(self.rows.index(first), self.rows.index(last))
        model, current = self.selectionModel(), self.rows.place(self._clips.choice.current)
        model.setCurrentIndex(current, QItemSelectionModel.SelectionFlag.NoUpdate)
        model.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._syncing = False
        if current.isValid():
            self.scrollTo(current)

    # What Qt calls

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """The ground, and the rows on it."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(theme.current().panel))
        painter.end()
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """More or fewer rows are in view."""
        super().resizeEvent(event)
        self._settle()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  (Qt's name)
        """What is in view is asked for."""
        super().showEvent(event)
        self._settle()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """A press on a row's category or on "Find…" is for that; any other chooses."""
        index = self.indexAt(event.position().toPoint())
        zone = self._zone(index, event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not zone:
            super().mousePressEvent(event)
            return
        clip = self.rows.clip(index)
        if not self._clips.choice.is_chosen(clip):
            self._clips.choice.choose([clip])
        if zone == "find":
            self.find_wanted.emit()
        else:
            self.name(clip)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """Go to a clip."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and not self._zone(index, event.position().toPoint()):
            self.went.emit(self.rows.clip(index))
        super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (Qt's name)
        """A hand over what can be pressed."""
        at = event.position().toPoint()
        hand = bool(self._zone(self.indexAt(at), at))
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802  (Qt's name)
        """The menu of what is chosen, by the mouse or the menu key."""
        at = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self.currentIndex().isValid():
            at = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).bottomLeft())
        if self._clips.choice.chosen:
            self.menu.emit(at)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """1 to 5 say what chosen clips hold, 0 leaves it to the engine; F2 asks; the rest is Qt's."""
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        chosen, key = self._clips.choice.chosen, event.key()
        if plain and chosen and Qt.Key.Key_0 <= key <= Qt.Key.Key_0 + len(clip_words.KINDS):
            number = key - Qt.Key.Key_0
            self._clips.set_category(chosen, clip_words.KINDS[number - 1] if number else "")
        elif plain and chosen and key == Qt.Key.Key_F2:
            self.name(self._clips.choice.current or chosen[0])
        elif event.text().isprintable() and event.text() and not event.modifiers() & _COMMANDS:
            event.ignore()  # letters are the window's commands, not a search among names: the filter is for that
        else:
            super().keyPressEvent(event)

    def name(self, clip: int) -> None:
        """Ask what a clip holds, beneath its category."""
        index = self.rows.place(clip)
        if index.isValid():
            self.scrollTo(index)
            rect = self.painted.kind_rect(self.visualRect(index), clip)
            self.named.emit(clip, self.viewport().mapToGlobal(rect.bottomLeft()))

    # Inside

    def _zone(self, index: QModelIndex, at: QPoint) -> Zone:
        clip = self.rows.clip(index)
        return self.painted.zone(self.visualRect(index), clip, at) if clip else ""

    def _push(self) -> None:
        """What was chosen here is chosen."""
        if self._syncing:
            return
        self._syncing = True
        selection = self.selectionModel().selection()
        parts = [selection.at(i) for i in range(selection.count())]
        places = sorted(place for part in parts for place in range(part.top(), part.bottom() + 1))
        chosen = [self.rows.clip(self.rows.index(place)) for place in places]
        self._clips.choice.mark(chosen, self.rows.clip(self.currentIndex()))
        self._syncing = False

    def _reset(self) -> None:
        self._syncing = True  # a model that is reset has nothing chosen
        self.rows.reset()
        self._syncing = False
        self.pull()
        self._settle()

    def _begin(self) -> None:
        self.painted.forget()
        self._reset()
        if not self._clips.choice.chosen:
            self.scrollToTop()

    def _themed(self) -> None:
        self.painted.measure()
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def _settle(self) -> None:
        if self.isVisible():
            self._still.start()

    def _ask(self) -> None:
        seen = self.seen()
        self._clips.look_at(seen)
        self._thumbs.height = round(THUMB_HEIGHT * self.devicePixelRatioF())
        self._thumbs.want(seen)


def _runs(places: list[int]) -> list[tuple[int, int]]:
    """Rising numbers as runs, first and last."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs
