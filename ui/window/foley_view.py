"""The Foley page: silent pictures, what could be laid there, and what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...engine.legible import legible, legible_line
from ...plugin.session.foley import GAP, MUTED, OFFLINE, SILENT, Candidate, Place
from ..control.foley import Foley
from . import theme
from .row_height import RowHeight
from .theme import GRID

_NUMBER = Qt.ItemDataRole.UserRole


class FoleyView(QWidget):
    """Finding silent pictures works always; the rest says why it does not, as long as nothing can make sounds.

    `frame` gives the length of a frame in seconds, by which a sound is nudged. `went` tells to which place (s) to go.
    """

    went = Signal(float)

    def __init__(self, foley: Foley, frame: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._part, self._frame = foley, frame
        self.setAccessibleName(self.tr("Foley"))
        self._make_places()
        self._make_candidates()
        self._lay_out()
        self._leave = [foley.changed.subscribe(self.renew), theme.changed.subscribe(self.renew)]
        self.renew()

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        for leave in self._leave:
            leave()
        self._leave.clear()

    def take_keyboard(self) -> None:
        """Have the keyboard where there is something to do first."""
        (self.places if self._part.places else self.look).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _make_places(self) -> None:
        self.reason = _words("warning")
        self.look = QPushButton(self.tr("Find silent pictures"))
        self.look.setToolTip(self.tr("Listens to all that plays, and lists shots in which nothing is heard"))
        self.look.clicked.connect(self._part.find)
        self.cancel = QPushButton(self.tr("Stop"))
        self.cancel.setToolTip(self.tr("Stop looking; what has been found stays"))
        self.cancel.clicked.connect(self._part.stop)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName(self.tr("How far it is"))
        self.fault = _words("fault")
        self.found = _words("quiet")
        self.places = _Table(
            [self.tr("At"), self.tr("Length"), self.tr("Shot"), self.tr("Why"), self.tr("Picked")]
        )
        self.places.setAccessibleName(self.tr("Silent pictures"))
        self.places.setToolTip(self.tr("Shots in which nothing is heard (↑ ↓); Enter goes there"))
        self.places.header().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.places.currentItemChanged.connect(self._place_chosen)
        self.places.entered_.connect(self._go)

    def _make_candidates(self) -> None:
        self.make = QPushButton(self.tr("Make sounds"))
        self.make.clicked.connect(lambda _: self._part.list())
        self.candidates = _Table([self.tr("Sound"), self.tr("Fits"), self.tr("Length")])
        self.candidates.setAccessibleName(self.tr("Sounds for this place"))
        self.candidates.setToolTip(self.tr("Sounds that could go here (↑ ↓); Enter picks one"))
        self.candidates.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.candidates.currentItemChanged.connect(lambda *_: self._renew_buttons())
        self.candidates.entered_.connect(self._pick)
        self.hear = QPushButton(self.tr("Hear"))
        self.pick = QPushButton(self.tr("Pick"))
        self.drop = QPushButton(self.tr("Pick none"))
        self.earlier, self.later = QPushButton(self.tr("Earlier")), QPushButton(self.tr("Later"))
        for button, words, do in (
            (self.hear, self.tr("Hear it where it would lie"), self._hear),
            (self.pick, self.tr("Choose it for this place (Enter); undo takes it back"), self._pick),
            (self.drop, self.tr("Choose nothing for this place"), lambda: self._part.pick(None)),
            (self.earlier, self.tr("One frame earlier"), lambda: self._part.nudge(-self._frame())),
            (self.later, self.tr("One frame later"), lambda: self._part.nudge(self._frame())),
        ):
            button.setToolTip(words)
            button.setAccessibleName(f"{button.text()}: {words}")
            button.clicked.connect(lambda _=False, do=do: do())
        self.nudged = QLabel()
        self.nudged.setAccessibleName(self.tr("How far it was nudged"))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, 0, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.reason)
        layout.addLayout(_row(self.look, self.cancel))
        for part in (self.progress, self.fault, self.found):
            layout.addWidget(part)
        layout.addWidget(self.places, 2)
        layout.addLayout(_row(self.make))
        layout.addWidget(self.candidates, 1)
        layout.addLayout(_row(self.hear, self.pick, self.drop))
        layout.addLayout(_row(self.earlier, self.later, self.nudged))

    # What it shows

    def renew(self) -> None:
        """Show everything as it is now."""
        part = self._part
        _say(self.reason, "" if part.able else part.reason)
        _say(self.fault, part.failure.error if part.failure is not None else "")
        busy = part.finding or part.listing
        self.look.setEnabled(part.source is not None and not part.finding)
        self.cancel.setVisible(busy)
        self.progress.setVisible(busy)
        if busy and part.share is not None and part.finding:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(part.share * 1000))
        else:
            self.progress.setRange(0, 0)
        _say(self.found, self._counted())
        self._renew_places()
        self._renew_candidates()
        self._renew_buttons()

    def _counted(self) -> str:
        places = self._part.places
        if places is None:
            return self.tr("Nobody has looked yet.")
        if not places:
            return self.tr("Something is heard under every picture.")
        seconds = sum(place.last - place.first for place in places)
        return self.tr("Silent pictures: {count}, {seconds} s together").format(
            count=len(places), seconds=f"{seconds:.1f}"
        )

    def _renew_places(self) -> None:
        part = self._part
        rows = [
            (
                place.number,
                [
                    place.timecode_in,
                    f"{place.last - place.first:.1f} s",
                    legible_line(place.name),
                    self._why(place),
                    self._picked(place),
                ],
            )
            for place in part.places or ()
        ]
        self.places.show_rows(rows, part.chosen.number if part.chosen is not None else None)

    def _renew_candidates(self) -> None:
        part = self._part
        kept = self._current()
        shown = kept.key if kept is not None else (part.pick_here.candidate if part.pick_here else None)
        rows = [
            (one.key, [self._called(one), f"{one.fit:.0%}".replace("%", " %"), f"{one.seconds:.1f} s"])
            for one in part.candidates
        ]
        self.candidates.show_rows(rows, shown)
        for item in self.candidates.items():
            one = next(c for c in part.candidates if c.key == item.data(0, _NUMBER))
            item.setToolTip(0, legible(one.reason or one.title))

    def _renew_buttons(self) -> None:
        part, current = self._part, self._current()
        why = "" if part.able else part.reason
        can_make = part.able and part.chosen is not None and not part.listing
        self.make.setEnabled(can_make)
        self.make.setToolTip(why or self.tr("Make sounds for the chosen place"))
        self.make.setAccessibleDescription(why)
        self.hear.setEnabled(part.able and current is not None and not part.loading)
        self.pick.setEnabled(part.able and current is not None)
        for button in (self.drop, self.earlier, self.later):
            button.setEnabled(part.able and part.pick_here is not None)
        pick = part.pick_here
        self.nudged.setText(f"{pick.nudge:+.2f} s".replace("-", "−") if pick is not None else "")
        self.nudged.setFont(theme.mono(theme.BODY_PX))

    def _why(self, place: Place) -> str:
        return {
            GAP: self.tr("no clip"),
            MUTED: self.tr("muted"),
            OFFLINE: self.tr("offline"),
            SILENT: self.tr("silent"),
        }[place.reason]

    def _picked(self, place: Place) -> str:
        pick = self._part.picks.get(place.number)
        return "●" if pick is not None else ""

    def _called(self, one: Candidate) -> str:
        pick = self._part.pick_here
        mark = "● " if pick is not None and pick.candidate == one.key else ""
        return mark + legible_line(one.title)

    # What is done with it

    def _current(self) -> Candidate | None:
        item = self.candidates.currentItem()
        key = item.data(0, _NUMBER) if item is not None else None
        return next((one for one in self._part.candidates if one.key == key), None)

    def _place_chosen(self, item: QTreeWidgetItem | None, _: object = None) -> None:
        if item is not None:
            self._part.choose(item.data(0, _NUMBER))

    def _go(self) -> None:
        if self._part.chosen is not None:
            self.went.emit(self._part.chosen.first)

    def _hear(self) -> None:
        current = self._current()
        if current is not None:
            self._part.hear(current.key)

    def _pick(self) -> None:
        current = self._current()
        if current is not None and self._part.able:
            self._part.pick(current.key)


class _Table(QTreeWidget):
    """Rows that are told apart by what they stand for; Enter or a double click takes one (`entered_`)."""

    entered_ = Signal()

    def __init__(self, titles: list[str]) -> None:
        super().__init__()
        self.setHeaderLabels(titles)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setItemDelegate(RowHeight(self))
        self.setMinimumHeight(15 * GRID)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        for column in range(len(titles)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.itemDoubleClicked.connect(lambda *_: self.entered_.emit())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Enter takes the row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered_.emit()
            event.accept()
        else:
            super().keyPressEvent(event)

    def items(self) -> list[QTreeWidgetItem]:
        """All rows."""
        found = [self.topLevelItem(row) for row in range(self.topLevelItemCount())]
        return [item for item in found if item is not None]

    def show_rows(self, rows: Sequence[tuple[object, list[str]]], current: object) -> None:
        """Show rows by what they stand for, one of them as the current; those that are there are kept."""
        self.blockSignals(True)
        if [item.data(0, _NUMBER) for item in self.items()] != [key for key, _ in rows]:
            self.clear()
            for key, _ in rows:
                made = QTreeWidgetItem()
                made.setData(0, _NUMBER, key)
                self.addTopLevelItem(made)
        for item, (key, texts) in zip(self.items(), rows, strict=True):
            for column, text in enumerate(texts):
                if item.text(column) != text:
                    item.setText(column, text)
            if key == current and self.currentItem() is not item:
                self.setCurrentItem(item)
        self.blockSignals(False)
        self.viewport().update()


def _words(role: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("role", role)
    return label


def _say(label: QLabel, text: str) -> None:
    label.setText(legible(text))
    label.setVisible(bool(text))


def _row(*widgets: QWidget) -> QHBoxLayout:
    layout = QHBoxLayout()
    layout.setSpacing(GRID // 2)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(1)
    return layout
