"""The queue: one line under the window, and above it, when it is opened, every job and what became of its clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from ..base.asking import Failure
from ..control.queue import CANCELLED, DONE, FAILED, PAUSED, RUNNING, WAITING, Entry, JobQueue, Row
from ..control.withdrawals import Withdrawals
from . import icons, queue_words, theme
from .body import Elided
from .fields import Wrapped, until_gone
from .queue_model import QueueModel

_SHOWN = 3  # buttons beside each other; the rest is in a menu
_LIST_HEIGHT = 176  # px
CANCEL_KEY = "Ctrl+."


def reveal(path: Path) -> bool:
    """Open a file or a folder with what this system opens it with."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


@dataclass(frozen=True)
class Act:
    """Something that can be done with a job or a clip; `why_not` is the reason where it cannot be done now."""

    title: str
    run: Callable[[], object]
    why_not: str = ""


class QueueView(QFrame):
    """The strip, and the list that it opens. `opened` asks for a result to be opened in the panel: its path."""

    opened = Signal(str)

    def __init__(
        self, queue: JobQueue, withdrawals: Withdrawals, show: Callable[[Path], bool] = reveal
    ) -> None:
        super().__init__()
        self._queue, self._withdrawals, self._show = queue, withdrawals, show
        self.setProperty("role", "panel")
        self.setObjectName("queue")
        self.setAccessibleName(self.tr("Queue"))
        self.line = Elided()
        self.mark = QLabel()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the job that runs"))
        self.fold = _button("up", self.tr("All jobs"))
        self.fold.setCheckable(True)
        self.fold.clicked.connect(self._folded)
        self.pause = QPushButton()
        self.pause.clicked.connect(self._pause)
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.clicked.connect(self._cancel)
        self.offer = self._made_offer()
        self.model = QueueModel(queue, withdrawals, self)
        self.tree = self._made_tree()
        self.sentence = Wrapped("quiet")
        self.acts = QHBoxLayout()
        self.acts.setSpacing(theme.GRID // 2)
        self._inside = self._made_inside()
        self._lay()
        until_gone(
            self,
            queue.changed.subscribe(self._changed),
            queue.listed.subscribe(self._listed),
            withdrawals.changed.subscribe(lambda _: self._chosen()),
            withdrawals.failed.subscribe(self._failed),
            theme.changed.subscribe(self._renew),
        )
        self._listed()

    # What is shown.

    def open_list(self, wanted: bool = True) -> None:
        """Show every job, or the line alone."""
        self.fold.setChecked(wanted)
        self._folded()

    def choose(self, number: int) -> None:
        """Show a job in the list."""
        self.open_list()
        self.tree.setCurrentIndex(self.model.of(number))

    @property
    def shown_acts(self) -> tuple[Act, ...]:
        """What can be done with what is chosen in the list."""
        index = self.tree.currentIndex()
        entry, row = self.model.entry(index), self.model.clip(index)
        if entry is None:
            return ()
        return self._of_clip(entry, row) if row is not None else self._of_job(entry)

    def _lay(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID // 2, theme.GRID // 2)
        line.setSpacing(theme.GRID // 2)
        line.addWidget(self.mark)
        line.addWidget(self.line, 1)
        for button in (self.pause, self.cancel, self.fold):
            line.addWidget(button)
        top = QVBoxLayout(self)
        top.setContentsMargins(1, 1, 1, 1)
        top.setSpacing(0)
        top.addWidget(self._inside)
        top.addWidget(self.offer)
        top.addWidget(self.bar)
        top.addLayout(line)

    def _made_offer(self) -> QWidget:
        offer = QWidget()
        line = QHBoxLayout(offer)
        line.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID // 2, theme.GRID // 2)
        line.setSpacing(theme.GRID // 2)
        self.offered = Elided()
        go, drop = QPushButton(self.tr("Go on")), QPushButton(self.tr("Drop"))
        go.setToolTip(self.tr("Do them now; what is complete is not done again"))
        drop.setToolTip(self.tr("Take them off the list; what was rendered stays where it is"))
        go.clicked.connect(self._queue.take_up)
        drop.clicked.connect(self._queue.drop_offer)
        line.addWidget(self.offered, 1)
        line.addWidget(go)
        line.addWidget(drop)
        return offer

    def _made_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setModel(self.model)
        tree.setHeaderHidden(True)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        tree.setIndentation(2 * theme.GRID)
        tree.setMinimumHeight(_LIST_HEIGHT)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setAccessibleName(self.tr("Jobs and their clips"))
        header = tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(6 * theme.GRID)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(1, 19 * theme.GRID)
        tree.customContextMenuRequested.connect(self._menu)
        tree.selectionModel().currentChanged.connect(lambda *_: self._chosen())
        self.model.modelReset.connect(self._chosen)
        return tree

    def _made_inside(self) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, theme.GRID // 2)
        column.setSpacing(theme.GRID // 2)
        column.addWidget(self.tree, 1)
        below = QVBoxLayout()
        below.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        below.setSpacing(theme.GRID // 2)
        below.addWidget(self.sentence)
        below.addLayout(self.acts)
        column.addLayout(below)
        return inside

    # What the queue tells.

    def _changed(self, entry: Entry) -> None:
        self._renew()
        if entry.status == RUNNING and entry.rows:
            self.tree.expand(self.model.of(entry.number))
        current = self.model.entry(self.tree.currentIndex())
        if current is not None and current.number == entry.number:
            self._chosen()

    def _listed(self) -> None:
        self._renew()
        if not self.tree.currentIndex().isValid() and self.model.rowCount():
            self.tree.setCurrentIndex(self.model.index(0, 0))
        self._chosen()

    def _failed(self, failure: Failure) -> None:
        self.sentence.say(failure.error, "fault")

    def _renew(self) -> None:
        """The line: what runs, or what has come of it; nothing where there is nothing."""
        queue, running = self._queue, self._queue.running
        waiting = sum(entry.status != RUNNING for entry in queue.unfinished)
        told = queue_words.strip(running, waiting, queue.paused)
        last = queue.entries[-1] if queue.entries else None
        if not told and last is not None:
            told = queue_words.joined(last.title, queue_words.standing(last), queue_words.sentence(last))
        self.line.setText(" ".join(told.split()))
        self.line.setProperty("role", "fault" if running is None and _is_bad(last) else "")
        name, colour = _MARK.get(
            "" if running is not None or last is None else last.status, ("queue", "text")
        )
        self.mark.setPixmap(icons.pixmap(name, 14, colour, self.devicePixelRatioF()))
        share = (running.share or 0.0) if running is not None else 0.0
        self.bar.setVisible(share > 0)
        self.bar.setValue(round(1000 * share))
        self._renew_buttons()
        offer = queue.resume_offer
        self.offer.setVisible(bool(offer))
        if offer:
            titles = ", ".join(entry.title for entry in offer)
            self.offered.setText(self.tr("Not finished last time: {titles}").format(titles=titles))
        self.setVisible(bool(queue.entries or offer))
        self.setToolTip(queue.trouble)

    def _renew_buttons(self) -> None:
        queue = self._queue
        busy = bool(queue.unfinished)
        self.pause.setVisible(busy)
        self.pause.setText(self.tr("Go on") if queue.paused else self.tr("Pause"))
        self.pause.setToolTip(
            self.tr("Go on from what is complete")
            if queue.paused
            else self.tr("Stop at the next step; what is complete is kept")
        )
        self.cancel.setVisible(self._stoppable() is not None)
        self.cancel.setToolTip(
            self.tr("Stop this job; what is complete is kept ({key})").format(key=CANCEL_KEY)
        )
        self.fold.setIcon(icons.icon("down" if self.fold.isChecked() else "up"))
        self._inside.setVisible(self.fold.isChecked())

    def _folded(self) -> None:
        self._renew()
        if self.fold.isChecked():
            running = self._queue.running
            if running is not None:
                self.tree.expand(self.model.of(running.number))
            self.tree.setFocus(Qt.FocusReason.OtherFocusReason)

    # What is chosen in the list, and what can be done with it.

    def _chosen(self) -> None:
        index = self.tree.currentIndex()
        entry, row = self.model.entry(index), self.model.clip(index)
        told = "" if entry is None else queue_words.sentence(entry, row)
        bad = entry is not None and (entry.status if row is None else row.status) == FAILED
        self.sentence.say(told, "fault" if bad else "quiet")
        acts = self.shown_acts
        titles = [act.title for act in acts]
        if titles == self._titles():
            self._bind(acts)
            return
        self._empty()
        for act in acts[:_SHOWN]:
            self.acts.addWidget(QPushButton(act.title))
        if len(acts) > _SHOWN:
            more = _button("right", self.tr("More"))
            more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            more.setText(self.tr("More …"))
            more.clicked.connect(lambda: self._popup(more.mapToGlobal(QPoint(0, more.height()))))
            self.acts.addWidget(more)
        self.acts.addStretch(1)
        self._made = titles
        self._bind(acts)

    _made: list[str] | None = None

    def _titles(self) -> list[str] | None:
        return self._made

    def _bind(self, acts: tuple[Act, ...]) -> None:
        """Have the buttons do what can be done now, which may be another job's."""
        for button, act in zip(self.buttons, acts, strict=False):
            button.setEnabled(not act.why_not)
            button.setToolTip(act.why_not or act.title)
            button.setAccessibleDescription(act.why_not)
            if button.property("bound"):
                button.clicked.disconnect()
            button.setProperty("bound", True)
            button.clicked.connect(lambda _=False, run=act.run: run())

    @property
    def buttons(self) -> list[QPushButton]:
        """The buttons of what is chosen."""
        found = (self.acts.itemAt(place) for place in range(self.acts.count()))
        return [w for item in found if item is not None and isinstance(w := item.widget(), QPushButton)]

    def _empty(self) -> None:
        while (item := self.acts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _menu(self, place: QPoint) -> None:
        self._popup(self.tree.viewport().mapToGlobal(place))

    def _popup(self, place: QPoint) -> None:
        menu = self.made_menu()
        if not menu.isEmpty():
            menu.popup(place)

    def made_menu(self) -> QMenu:
        """All that can be done with what is chosen, as a menu."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for act in self.shown_acts:
            action = menu.addAction(act.title)
            action.setEnabled(not act.why_not)
            action.setToolTip(act.why_not or act.title)
            action.triggered.connect(lambda _=False, run=act.run: run())
        return menu

    def _of_job(self, entry: Entry) -> tuple[Act, ...]:
        queue, number = self._queue, entry.number
        acts: list[Act] = []
        if entry.unfinished:
            acts.append(Act(self.tr("Cancel"), lambda: queue.cancel(number)))
        if entry.status == WAITING:
            place = [one.number for one in queue.entries].index(number)
            acts.append(Act(self.tr("Sooner"), lambda: queue.move(number, place - 1), self._first(entry)))
        if entry.status == DONE:
            acts += self._of_result(entry)
        if not entry.unfinished:
            acts.append(Act(self.tr("Do it again"), lambda: queue.retry(number)))
        if entry.status == FAILED or entry.failed_rows:
            acts.append(self._copying(entry))
        if entry.status != RUNNING:
            acts.append(Act(self.tr("Take off the list"), lambda: queue.remove(number)))
        if sum(not one.unfinished for one in queue.entries) > 1:
            acts.append(Act(self.tr("Take all off that have ended"), queue.clear))
        return tuple(acts)

    def _first(self, entry: Entry) -> str:
        waiting = [one for one in self._queue.entries if one.status == WAITING]
        return self.tr("It is the next one.") if waiting and waiting[0].number == entry.number else ""

    def _of_result(self, entry: Entry) -> list[Act]:
        out, report = _result(entry), _report(entry)
        acts = []
        if report is not None:
            acts.append(self._opening(self.tr("Report"), report))
        if out is not None:
            acts.append(self._opening(self.tr("Show in folder"), out.parent))
            gone = "" if out.exists() else self.tr("{path} is no longer there.").format(path=out)
            acts.append(Act(self.tr("Open the result"), lambda: self.opened.emit(str(out)), gone))
        return acts

    def _opening(self, title: str, path: Path) -> Act:
        gone = "" if path.exists() else self.tr("{path} is no longer there.").format(path=path)
        return Act(title, lambda: self._show(path), gone)

    def _of_clip(self, entry: Entry, row: Row) -> tuple[Act, ...]:
        acts = []
        if row.status in ("rendered", "cached"):
            why = self._withdrawals.why_not(entry, row.index)
            take = Act(
                self.tr("Take back this clip"),
                lambda: self._withdrawals.take(entry, row.index),
                queue_words.withdrawn_not(why),
            )
            acts.append(take)
        if row.status == FAILED:
            acts.append(self._copying(entry, row))
        if not entry.unfinished:
            acts.append(Act(self.tr("Do the job again"), lambda: self._queue.retry(entry.number)))
        return tuple(acts)

    def _copying(self, entry: Entry, row: Row | None = None) -> Act:
        def copy() -> None:
            QGuiApplication.clipboard().setText(queue_words.details(entry, row))

        return Act(self.tr("Copy details"), copy)

    def _pause(self) -> None:
        (self._queue.resume if self._queue.paused else self._queue.pause)()

    def _cancel(self) -> None:
        entry = self._stoppable()
        if entry is not None:
            self._queue.cancel(entry.number)

    def _stoppable(self) -> Entry | None:
        """The job that runs, or was stopped for a while."""
        return next((one for one in self._queue.entries if one.status in (RUNNING, PAUSED)), None)


_MARK: dict[str, tuple[str, str]] = {
    DONE: ("check", "good"),
    FAILED: ("fault", "fault"),
    CANCELLED: ("cancel", "quiet"),
}


def _is_bad(entry: Entry | None) -> bool:
    return entry is not None and entry.status == FAILED


def _result(entry: Entry) -> Path | None:
    """Where a job's result lies."""
    told: Any = (entry.answer or {}).get("result", {}).get("timeline", {}).get("result")
    return Path(told or entry.data["out"]) if told or "out" in entry.data else None


def _report(entry: Entry) -> Path | None:
    """Where a job's report lies."""
    folder: Any = (entry.answer or {}).get("result", {}).get("timeline", {}).get("folder")
    return None if folder is None else Path(folder) / "report.html"


def _button(icon: str, title: str) -> QToolButton:
    button = QToolButton()
    button.setProperty("role", "flat")
    button.setIcon(icons.icon(icon))
    button.setToolTip(title)
    button.setAccessibleName(title)
    return button
