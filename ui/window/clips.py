"""The clips beside the picture: filter and choice above the list, what it amounts to below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QAction, QColor, QDesktopServices, QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...engine.legible import legible_line
from ..control.clips import Clips
from ..control.needs import NEEDS
from ..control.stills import Thumbs
from . import clip_words, icons, theme
from .clip_list import ClipList
from .theme import GRID

_TOLD_MS = 100  # between two renewals of the figures below the list, while they come by the hundred


def _nowhere(_: int) -> str:
    return ""


class ClipsView(QWidget):
    """The clip list with all that belongs to it.

    `state` says how far a clip is in the queue: waiting, running, done, failed, cancelled, undone or "". Signals say
    what the window is to do: `open_wanted` (choose a timeline), `find_wanted` (choose a folder to look in),
    `rebalance_wanted` (what is chosen), `undo_wanted` (take back results of these clips), `went` (go to a clip).
    """

    open_wanted = Signal()
    demo_wanted = Signal()
    find_wanted = Signal()
    rebalance_wanted = Signal()
    undo_wanted = Signal(tuple)
    went = Signal(int)

    def __init__(
        self,
        clips: Clips,
        thumbs: Thumbs,
        state: Callable[[int], str] = _nowhere,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._clips, self._state = clips, state
        self.setAccessibleName(self.tr("Clips"))
        self.list = ClipList(clips, thumbs, state, self)
        self.list.find_wanted.connect(self.find_wanted)
        self.list.named.connect(self._ask_kind)
        self.list.menu.connect(lambda at: self.menu().popup(at))
        self.list.went.connect(self.went)
        self.empty = _Empty(self)
        self.empty.open_wanted.connect(self.open_wanted)
        self.empty.demo_wanted.connect(self.demo_wanted)
        self.empty.again_wanted.connect(clips.reopen)
        self.skeleton = _Skeleton(self.list, self)
        self.skeleton.cancelled.connect(clips.cancel)
        self.nothing = _Nothing(self)
        self.nothing.reset_wanted.connect(self.show_all)
        self._stack = QStackedLayout()
        for page in (self.list, self.empty, self.skeleton, self.nothing):
            self._stack.addWidget(page)
        self._make_parts()
        self._lay_out()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TOLD_MS)
        self._soon.timeout.connect(self._count)
        self._leave = [
            clips.opened.subscribe(lambda _: self._begin()),
            clips.state_changed.subscribe(self._renew),
            clips.rows_changed.subscribe(lambda _: self._count_soon()),
            clips.selection.subscribe(self._count_soon),
            clips.filter.subscribe(self._filtered),
            theme.changed.subscribe(self._renew),
        ]
        self._begin()

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        self._soon.stop()
        self.list.stop()
        for leave in self._leave:
            leave()
        self._leave.clear()

    def renew(self, clips: tuple[int, ...]) -> None:
        """The queue has something else to say of these clips."""
        self.list.renew(clips)

    def look_for(self) -> None:
        """Have the keyboard write into the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def show_all(self) -> None:
        """Filter nothing."""
        self.filter.clear()
        self._clips.choice.only_needy(False)

    def look_at_disk(self) -> None:
        """Say so where the timeline's file is another than the one that is shown."""
        self.changed.setVisible(self._clips.is_changed_on_disk())

    # What Qt calls

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """The window is in front again: the timeline may have been exported anew meanwhile."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.look_at_disk()

    # Menus

    def menu(self) -> QMenu:
        """What can be done with the chosen clips."""
        chosen = self._clips.choice.chosen
        rows = [self._clips.row(clip) for clip in chosen]
        menu = _menu(self)
        several = len(rows) > 1
        words = (
            self.tr("Rebalance these {0} clips").format(len(rows))
            if several
            else self.tr("Rebalance this clip")
        )
        online = any(row.online for row in rows)
        _add(menu, words, self.rebalance_wanted.emit, online)
        done = tuple(clip for clip in chosen if self._state(clip) == "done")
        _add(
            menu,
            self.tr("Take back what was done to them")
            if several
            else self.tr("Take back what was done to it"),
            lambda: self.undo_wanted.emit(done),
            bool(done),
        )
        menu.addSeparator()
        holds = self._kind_menu(chosen)
        holds.setTitle(
            self.tr("What the track holds")
            if len(self._tracks_of(chosen)) < 2
            else self.tr("What the tracks hold")
        )
        menu.addMenu(holds)
        menu.destroyed.connect(holds.deleteLater)
        if rows:
            number = self._clips.row(self._clips.choice.current or chosen[0]).track_number
            words = self.tr("Choose all of A{0}").format(number)
            _add(menu, words, lambda: self._clips.choice.choose_track(number))
        menu.addSeparator()
        _add(
            menu,
            self.tr("Go to the clip"),
            lambda: self.went.emit(self._clips.choice.current or chosen[0]),
            bool(rows),
        )
        media = next((row.media for row in rows if row.media), "")
        there = bool(media) and Path(media).parent.is_dir()
        _add(menu, self.tr("Show the media file's folder"), lambda: _reveal(Path(media)), there)
        offline = any(row.state == "offline" for row in self._clips.rows)
        _add(menu, self.tr("Find media in a folder…"), self.find_wanted.emit, offline)
        return menu

    def select_menu(self) -> QMenu:
        """Ways to choose many clips at once."""
        choice, clips = self._clips.choice, self._clips
        menu = _menu(self)
        _add(menu, self.tr("All clips"), choice.choose_all, bool(choice.shown))
        _add(menu, self.tr("No clip"), lambda: choice.choose([]), bool(choice.chosen))
        menu.addSeparator()
        for track in clips.tracks:
            held = clip_words.kind_title(track.kind if track.certain else "")
            title = f"A{track.number} {legible_line(track.name)} · {held}".replace("&", "&&")
            _add(menu, title, partial(choice.choose_track, track.number))
        menu.addSeparator()
        _add(menu, self.tr("Offline clips"), choice.choose_offline, clips.summary.offline > 0)
        _add(menu, self.tr("Clips that need work"), choice.choose_needy, clips.summary.needy > 0)
        for need in NEEDS:
            count = sum(need in row.needs for row in clips.rows)
            if count:
                words = f"    {clip_words.short_need(need)} ({count})"
                _add(menu, words, partial(choice.choose_needy, need))
        return menu

    def _kind_menu(self, clips: tuple[int, ...]) -> QMenu:
        menu = QMenu(self)
        numbers = self._tracks_of(clips)
        held = {(t.kind, t.told) for t in self._clips.tracks if t.number in numbers}
        names = clip_words.track_numbers(tuple(sorted(numbers)))
        for place, kind in enumerate(clip_words.KINDS, start=1):
            action = _add(
                menu,
                self.tr("{0} holds {1}").format(names, clip_words.kind_title(kind)) + f"\t{place}",
                partial(self._clips.set_track_category, numbers, kind),
            )
            action.setCheckable(True)
            action.setChecked(held in ({(kind, True)}, {(kind, False)}))
        menu.addSeparator()
        _add(
            menu,
            self.tr("As sightmix hears it") + "\t0",
            lambda: self._clips.set_track_category(numbers, ""),
            any(told for _, told in held),
        )
        return menu

    def _ask_kind(self, clip: int, at: QPoint) -> None:
        chosen = self._clips.choice.chosen
        menu = self._kind_menu(chosen if clip in chosen else (clip,))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def _tracks_of(self, clips: tuple[int, ...]) -> set[int]:
        return {self._clips.row(clip).track_number for clip in clips}

    # How it lies

    def _make_parts(self) -> None:
        self.filter = _Filter(self)
        self.filter.textChanged.connect(self._clips.choice.look_for)
        self.filter.down.connect(self._into_list)
        self.needy = QToolButton(self)
        self.needy.setCheckable(True)
        self.needy.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.needy.setIcon(icons.icon("warning", "warning"))
        self.needy.toggled.connect(self._clips.choice.only_needy)
        self.select = QToolButton(self)
        self.select.setText(self.tr("Choose"))
        self.select.setIcon(icons.icon("down"))
        self.select.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.select.setAccessibleName(self.tr("Choose clips"))
        self.select.setToolTip(self.tr("Choose clips by track, by what they lack, or all (Ctrl+A)"))
        self.select.clicked.connect(self._open_select)
        self.timelines = QComboBox(self)
        self.timelines.setAccessibleName(self.tr("Timeline"))
        self.timelines.setToolTip(self.tr("Which timeline of the file is shown"))
        self.timelines.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.timelines.activated.connect(lambda place: self._clips.choose_timeline(place + 1))
        self.changed = _Changed(self)
        self.changed.wanted.connect(self._reread)
        self.changed.hide()
        self.count, self.held, self.busy = QLabel(self), QLabel(self), QLabel(self)
        self.held.setTextFormat(Qt.TextFormat.RichText)
        self.held.setWordWrap(True)
        self.busy.setProperty("role", "quiet")

    def _lay_out(self) -> None:
        top, line = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(GRID // 2)
        for widget, stretch in ((self.filter, 1), (self.needy, 0), (self.select, 0)):
            top.addWidget(widget, stretch)
        line.addWidget(self.count, 1)
        line.addWidget(self.busy)
        self.head, self.foot = QWidget(self), QWidget(self)
        head, foot = QVBoxLayout(self.head), QVBoxLayout(self.foot)
        for column in (head, foot):
            column.setContentsMargins(GRID, GRID, GRID, GRID)
            column.setSpacing(GRID // 2)
        head.addWidget(self.timelines)
        head.addLayout(top)
        head.addWidget(self.changed)
        foot.addLayout(line)
        foot.addWidget(self.held)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.head)
        layout.addLayout(self._stack, 1)
        layout.addWidget(self.foot)
        for one, other in ((self.filter, self.needy), (self.needy, self.select), (self.select, self.list)):
            QWidget.setTabOrder(one, other)

    def _open_select(self) -> None:
        self.select_menu().popup(self.select.mapToGlobal(self.select.rect().bottomLeft()))

    # What it shows

    def _begin(self) -> None:
        document = self._clips.document
        names = document.timelines if document is not None else ()
        self.timelines.clear()
        for number, name in enumerate(names, start=1):
            self.timelines.addItem(f"{number}  {legible_line(name)}")
        self.timelines.setCurrentIndex(document.extra.get("chosen", 0) if document is not None else -1)
        self.timelines.setVisible(len(names) > 1)
        self.changed.hide()
        self._filtered()
        self._renew()

    def _renew(self) -> None:
        """Which of the pages is shown, and what stands on it."""
        clips = self._clips
        self.empty.say(clips.failure)
        if clips.state == "opening" and clips.document is None:
            self.skeleton.say(clips.opening.path.name if clips.opening is not None else "")
            page: QWidget = self.skeleton
        elif clips.document is None:
            page = self.empty
        elif not clips.choice.shown:
            self.nothing.say(filtered=bool(clips.rows))
            page = self.nothing
        else:
            page = self.list
        self._stack.setCurrentWidget(page)
        self.head.setVisible(clips.document is not None)
        self.foot.setVisible(clips.document is not None)
        self._count()

    def _filtered(self) -> None:
        choice = self._clips.choice
        if self.filter.text() != choice.text:
            self.filter.setText(choice.text)
        self.needy.setChecked(choice.needy)
        self._renew()

    def _count_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _count(self) -> None:
        self._soon.stop()
        clips, summary = self._clips, self._clips.summary
        self.count.setText(clip_words.counted(summary))
        self.needy.setText(str(summary.needy) if summary.needy else "")
        self.needy.setEnabled(summary.needy > 0 or clips.choice.needy)
        words = self.tr("Show only clips that need work: {0}").format(summary.needy)
        self.needy.setToolTip(words)
        self.needy.setAccessibleName(words)
        shown = theme.current()
        parts = []
        for kind, numbers in summary.tracks:
            colour = shown.stem(kind) if kind else shown.warning
            letter, names = clip_words.kind_letter(kind), clip_words.track_numbers(numbers)
            parts.append(f'<span style="color:{colour}">{letter}</span>&nbsp;{names.replace(" ", "&nbsp;")}')
        self.held.setText("&ensp;".join(parts))
        self.held.setToolTip(clip_words.plain_tip("\n".join(self._told())))
        self.held.setAccessibleName(
            ", ".join(
                f"{clip_words.kind_title(kind)} {clip_words.track_numbers(n)}" for kind, n in summary.tracks
            )
        )
        self.held.setVisible(bool(parts))
        self.busy.setText(self._busy())

    def _told(self) -> list[str]:
        lines = [
            self.tr("A{0} is taken for a mix, for nobody is sure ({1}).").format(track.number, track.reason)
            for track in self._clips.doubtful
        ]
        return [*lines, *([self._clips.unheard] if self._clips.unheard else [])]

    def _busy(self) -> str:
        clips = self._clips
        if clips.state == "opening":
            return self.tr("reading…")
        if clips.listening:
            return self.tr("listening…")
        return self.tr("measuring {0}").format(clips.measuring) if clips.measuring else ""

    def _into_list(self) -> None:
        if self.list.rows.rowCount():
            self.list.setFocus(Qt.FocusReason.TabFocusReason)
            if not self._clips.choice.chosen:
                self._clips.choice.step(1)

    def _reread(self) -> None:
        self.changed.hide()
        self._clips.reopen()


class _Filter(QLineEdit):
    """What the list looks for; Escape empties it, and arrows lead into the list."""

    down = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setPlaceholderText(self.tr("Filter"))
        self.setAccessibleName(self.tr("Filter the clips"))
        self.setToolTip(self.tr("Show clips by name, track (A1), media file or timecode (/)"))
        self.setClearButtonEnabled(True)
        self._glass = QAction(icons.icon("find", "quiet"), "", self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """See the class."""
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.down.emit()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.down.emit()
        else:
            super().keyPressEvent(event)


class _Page(QWidget):
    """Words in the middle, with what can be done."""

    def __init__(self, parent: QWidget, icon: str) -> None:
        super().__init__(parent)
        self._icon = icon
        self.picture = QLabel(self)
        self.words = QLabel(self)
        for label in (self.picture, self.words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setProperty("role", "quiet")
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.buttons = QVBoxLayout()
        self.buttons.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addStretch(1)
        layout.addWidget(self.picture)
        layout.addWidget(self.words)
        layout.addLayout(self.buttons)
        layout.addStretch(2)

    def button(self, title: str, tip: str = "") -> QPushButton:
        """One more button below the words."""
        made = QPushButton(title, self)
        made.setToolTip(tip or title)
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.buttons.addWidget(made, 0, Qt.AlignmentFlag.AlignHCenter)
        return made

    def _say(self, icon: str, colour: str, words: str) -> None:
        self.picture.setPixmap(icons.pixmap(icon, 24, colour, self.devicePixelRatioF()))
        self.words.setText(words)
        self.setAccessibleName(words)


class _Empty(_Page):
    """Nothing is open, or what was to be opened could not be."""

    open_wanted = Signal()
    demo_wanted = Signal()
    again_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "open")
        self._details = ""
        self.open = self.button(self.tr("Open…"), self.tr("Choose a timeline or media file (Ctrl+O)"))
        self.open.clicked.connect(self.open_wanted)
        self.demo = self.button(self.tr("Open the demo"))
        self.demo.clicked.connect(self.demo_wanted)
        self.again = self.button(self.tr("Try again"))
        self.again.clicked.connect(self.again_wanted)
        self.copy = self.button(self.tr("Copy details"))
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._details))

    def say(self, failure: object) -> None:
        """Why nothing was opened, or that nothing is."""
        error = getattr(failure, "error", "")
        self._details = "\n".join(part for part in (error, getattr(failure, "details", "")) if part)
        if error:
            self._say("fault", "fault", error)
        else:
            self._say("open", "quiet", self.tr("Drop a timeline or a media file here."))
        self.again.setVisible(bool(error))
        self.copy.setVisible(bool(error))
        self.demo.setVisible(not error)


class _Nothing(_Page):
    """No row is shown."""

    reset_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "filter")
        self.all = self.button(self.tr("Show all clips"))
        self.all.clicked.connect(self.reset_wanted)

    def say(self, filtered: bool) -> None:
        """Whether it is the filter that shows none, or there are none."""
        if filtered:
            self._say("filter", "quiet", self.tr("No clip is like that."))
        else:
            self._say(
                "sound", "quiet", self.tr("There is no sound on this timeline: nothing can be rebalanced.")
            )
        self.all.setVisible(filtered)


class _Skeleton(QWidget):
    """Rows without words, while a timeline is read."""

    cancelled = Signal()

    def __init__(self, like: ClipList, parent: QWidget) -> None:
        super().__init__(parent)
        self._like = like
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setProperty("role", "quiet")
        self.cancel = QPushButton(self.tr("Cancel"), self)
        self.cancel.setToolTip(self.tr("Do not open it"))
        self.cancel.clicked.connect(self.cancelled)
        line = QHBoxLayout()
        line.addWidget(self.words, 1)
        line.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addLayout(line)
        layout.addStretch(1)

    def say(self, name: str) -> None:
        """What is being read."""
        words = self.tr("Reading {0}…").format(legible_line(name))
        self.words.setText(words)
        self.setAccessibleName(words)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802  (Qt's name)
        """Grey blocks where pictures and words will be."""
        painter, colour = QPainter(self), QColor(theme.current().raised)
        size: QSize = (
            self._like.sizeHintForIndex(self._like.rows.index(0))
            if self._like.rows.rowCount()
            else QSize(0, 48)
        )
        height = max(40, size.height())
        top = self.cancel.geometry().bottom() + GRID
        for place, at in enumerate(range(top, self.height(), height)):
            painter.setOpacity(max(0.15, 1.0 - place / 10))
            painter.fillRect(GRID, at + 6, 64, 36, colour)
            painter.fillRect(
                64 + 2 * GRID, at + 10, (self.width() - 64 - 3 * GRID) * (4 + place % 3) // 8, 10, colour
            )
            painter.fillRect(
                64 + 2 * GRID, at + 28, (self.width() - 64 - 3 * GRID) * (3 + place % 2) // 8, 8, colour
            )
        painter.end()


class _Changed(QFrame):
    """The timeline's file is another by now."""

    wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        words = QLabel(self.tr("The file has changed on disk."), self)
        words.setWordWrap(True)
        self.again = QPushButton(self.tr("Read again"), self)
        self.again.setToolTip(self.tr("Read the timeline again (Ctrl+R); what was said of its tracks stays"))
        self.again.clicked.connect(self.wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(words, 1)
        layout.addWidget(self.again)


def _menu(parent: QWidget) -> QMenu:
    """A menu that is gone once it is closed."""
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _add(menu: QMenu, title: str, run: Callable[[], object], possible: bool = True) -> QAction:
    action = menu.addAction(title)
    action.setEnabled(possible)
    action.triggered.connect(lambda _=False: run())
    return action


def _reveal(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
