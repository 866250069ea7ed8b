"""Rows of the side pages' tables: as high as a finger or a mouse wants them, on the grid."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

ROW = 20  # px


class RowHeight(QStyledItemDelegate):
    """Draws rows as they are, none lower than ROW."""

    def sizeHint(  # noqa: N802  (Qt's name)
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """What a cell wants."""
        hint = super().sizeHint(option, index)
        return QSize(hint.width() + 4, max(ROW, hint.height()))
