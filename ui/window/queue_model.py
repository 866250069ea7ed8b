"""The jobs of the queue and their clips as a tree, told row by row as they change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from ...engine.legible import legible_line
from ..control.queue import CANCELLED, DONE, FAILED, PAUSED, RUNNING, Entry, JobQueue, Row
from ..control.withdrawals import Withdrawals
from . import icons, queue_words, theme
from .fields import until_gone

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_ROLE = Qt.ItemDataRole
_MARKS = {
    RUNNING: ("play", "text"),
    PAUSED: ("pause", "quiet"),
    DONE: ("check", "good"),
    FAILED: ("fault", "fault"),
    CANCELLED: ("cancel", "quiet"),
    "working": ("play", "text"),
    "rendered": ("check", "good"),
    "cached": ("check", "good"),
    "left out": ("remove", "quiet"),
}
_TONES = {FAILED: "fault", CANCELLED: "quiet", "left out": "quiet", PAUSED: "warning"}


class QueueModel(QAbstractItemModel):
    """Jobs, and under each its clips: the name, and how it stands."""

    def __init__(self, queue: JobQueue, withdrawals: Withdrawals, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue, self._withdrawals = queue, withdrawals
        self._entries: list[Entry] = list(queue.entries)
        until_gone(
            self,
            queue.changed.subscribe(self._changed),
            queue.listed.subscribe(self._listed),
            withdrawals.changed.subscribe(self._taken),
            theme.changed.subscribe(self._painted),
        )

    def entry(self, index: Index) -> Entry | None:
        """The job that an index is of."""
        if not index.isValid():
            return None
        if index.internalId() == 0:
            return self._entries[index.row()] if index.row() < len(self._entries) else None
        return self._by_number(index.internalId())

    def clip(self, index: Index) -> Row | None:
        """The clip that an index is of; None for a job."""
        entry = self.entry(index)
        if entry is None or index.internalId() == 0 or index.row() >= len(entry.rows):
            return None
        return entry.rows[index.row()]

    def of(self, number: int) -> QModelIndex:
        """The index of a job."""
        place = self._place(number)
        return _NONE if place is None else self.createIndex(place, 0, 0)

    # What Qt asks.

    def index(self, row: int, column: int, parent: Index = _NONE) -> QModelIndex:
        """See Qt."""
        if row < 0 or not 0 <= column < 2 or row >= self.rowCount(parent):
            return _NONE
        number = self._entries[parent.row()].number if parent.isValid() else 0
        return self.createIndex(row, column, number)

    def parent(self, index: Index = _NONE) -> QModelIndex:  # type: ignore[override]
        """See Qt."""
        if not index.isValid() or index.internalId() == 0:
            return _NONE
        return self.of(index.internalId())

    def rowCount(self, parent: Index = _NONE) -> int:  # noqa: N802
        """See Qt."""
        if not parent.isValid():
            return len(self._entries)
        if parent.internalId() != 0 or parent.column() != 0 or parent.row() >= len(self._entries):
            return 0
        return len(self._entries[parent.row()].rows)

    def columnCount(self, parent: Index = _NONE) -> int:  # noqa: N802, ARG002
        """See Qt."""
        return 2

    def data(self, index: Index, role: int = _ROLE.DisplayRole) -> Any:
        """See Qt."""
        entry, row = self.entry(index), self.clip(index)
        if entry is None or (index.internalId() != 0 and row is None):
            return None
        status = entry.status if row is None else row.status
        left = index.column() == 0
        if role == _ROLE.DisplayRole:
            return self._text(entry, row, index.column())
        found: dict[int, Any] = {}
        if role == _ROLE.ToolTipRole:
            found[role] = queue_words.sentence(entry, row) or None
        elif role == _ROLE.AccessibleTextRole:
            found[role] = ", ".join(self._text(entry, row, column) for column in (0, 1))
        elif role == _ROLE.DecorationRole and left:
            found[role] = icons.icon(*_MARKS.get(status, ("recent", "quiet")))
        elif role == _ROLE.ForegroundRole and not left:
            found[role] = QColor(getattr(theme.current(), _TONES.get(status, "quiet")))
        elif role == _ROLE.TextAlignmentRole and not left:
            found[role] = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return found.get(role)

    def _text(self, entry: Entry, row: Row | None, column: int) -> str:
        if row is None:
            return legible_line(entry.title) if column == 0 else queue_words.standing(entry)
        if column == 0:
            return f"{legible_line(row.track)}  {legible_line(row.name)}"
        return queue_words.clip(row, taken=row.index in self._withdrawals.taken(entry.number))

    # What the queue tells.

    def _place(self, number: int) -> int | None:
        return next((i for i, entry in enumerate(self._entries) if entry.number == number), None)

    def _by_number(self, number: int) -> Entry | None:
        place = self._place(number)
        return None if place is None else self._entries[place]

    def _changed(self, entry: Entry) -> None:
        place = self._place(entry.number)
        if place is None:
            return
        before, job = self._entries[place], self.createIndex(place, 0, 0)
        if len(before.rows) != len(entry.rows):
            self._grow(place, job, entry)
        else:
            self._entries[place] = entry
            changed = [i for i, row in enumerate(entry.rows) if row != before.rows[i]]
            if changed:
                first, last = changed[0], changed[-1]
                number = entry.number
                self.dataChanged.emit(self.createIndex(first, 0, number), self.createIndex(last, 1, number))
        self.dataChanged.emit(job, self.createIndex(place, 1, 0))

    def _grow(self, place: int, job: QModelIndex, entry: Entry) -> None:
        """Another number of clips: all of them are others."""
        before = len(self._entries[place].rows)
        if before:
            self.beginRemoveRows(job, 0, before - 1)
            self._entries[place] = replace(self._entries[place], rows=())
            self.endRemoveRows()
        if entry.rows:
            self.beginInsertRows(job, 0, len(entry.rows) - 1)
            self._entries[place] = entry
            self.endInsertRows()
        self._entries[place] = entry

    def _listed(self) -> None:
        entries = list(self._queue.entries)
        before, after = [e.number for e in self._entries], [e.number for e in entries]
        if before == after:
            for entry in entries:
                if entry != self._by_number(entry.number):
                    self._changed(entry)
            return
        if after[: len(before)] == before:
            self.beginInsertRows(_NONE, len(before), len(after) - 1)
            self._entries += entries[len(before) :]
            self.endInsertRows()
            return
        self.beginResetModel()
        self._entries = entries
        self.endResetModel()

    def _taken(self, number: int) -> None:
        job = self.of(number)
        rows = self.rowCount(job)
        if rows:
            self.dataChanged.emit(self.createIndex(0, 0, number), self.createIndex(rows - 1, 1, number))

    def _painted(self) -> None:
        if self._entries:
            self.dataChanged.emit(self.createIndex(0, 0, 0), self.createIndex(len(self._entries) - 1, 1, 0))
