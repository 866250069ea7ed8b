"""The window: it lays the parts out, and gives every command its keys, its menu and its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...engine.legible import legible_line
from ..base.asking import Failure
from ..base.source import Source
from ..control.commands import Commands, Way
from ..control.demo import Demo
from ..control.preferences import THEMES, Preferences
from ..control.queue import Entry
from . import theme
from .about import AboutPage
from .body import NARROW, WIDE, Body, Parts
from .closing import FINISH, STOP, FinishThenClose, ask
from .deeds import deed_words
from .drops import DropTarget
from .empty import EmptyView
from .header import Header
from .keys import Keys, menus
from .notices import Notice, Notices
from .overlay import KeysPage
from .preferences_view import PreferencesPage
from .reasons import reason
from .theme import GRID
from .tour import Tour
from .tour_steps import steps

_LOWEST = 480  # px: the window's least height
_USUAL = (1280, 800)  # px
_SAID_FOR = 5000  # ms that a sentence in passing stays
_KEPT_AFTER = 400  # ms after a divider was moved until its place is written
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "README.md"

# Of a menu that is filled when it is shown: text, whether it is on, what it does.
Row = tuple[str, bool, Callable[[], object]]
MakeParts = Callable[["MainWindow"], Parts]


class MainWindow(QMainWindow):
    """The panel's window over a `panel` of components; `parts` makes the views that lie in it.

    `closed` tells that it has gone, and everything that it listened to with it.
    """

    closed = Signal()

    def __init__(
        self,
        panel: Any,
        parts: MakeParts,
        preferences: Preferences | None = None,
        demo: Demo | None = None,
    ) -> None:
        super().__init__()
        self.panel, self.demo = panel, demo
        self.preferences = preferences if preferences is not None else Preferences()
        self.keys = Keys(self)
        self.commands = Commands(panel)
        self.notices = Notices()
        self.setObjectName("sightmix")
        self.drops = DropTarget(self, panel.clips)
        self._leave: list[Callable[[], None]] = []
        self.tour: Tour | None = None
        self._tour_waits = False
        self._pages = {
            "keys": KeysPage(self, self.keys),
            "settings": PreferencesPage(self, self.preferences, self._places),
            "about": AboutPage(self),
        }
        self._bind()
        self.parts = parts(self)
        self.body = Body(self.parts)
        self.header = Header(self.keys)
        self.empty = EmptyView(self.keys, panel.clips.recent, panel.clips.open)
        self._lay()
        self._fill_menus()
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(_KEPT_AFTER)
        self._moved.timeout.connect(self._keep_places)
        self._said = QTimer(self)
        self._said.setSingleShot(True)
        self._said.setInterval(_SAID_FOR)
        self._said.timeout.connect(lambda: self.header.say(""))
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.keys.refresh)
        self._listen()
        self._restore()
        self.renew()
        self._offer_tour()

    # What others call.

    def say(self, sentence: str) -> None:
        """Say in passing why a key did nothing; it goes away by itself."""
        self.header.say(legible_line(sentence))
        self._said.start()

    def notice(self, notice: Notice) -> None:
        """Say something with what can be done about it."""
        self.notices.say(notice)

    def failed(self, failure: Failure) -> None:
        """Say why something did not come; nothing where somebody took it back."""
        if not failure.cancelled:
            details = "\n".join(part for part in (failure.kind, failure.details) if part)
            self.notice(Notice(failure.error, "fault", details=details, key=failure.error))

    def renew(self) -> None:
        """Show what is open, and what can be done now."""
        clips = self.panel.clips
        opening = clips.opening.path.name if clips.opening is not None else ""
        self.header.show_document(clips.document, opening)
        self.stack.setCurrentWidget(self.empty if clips.state == "empty" else self.body)
        document = clips.document
        self.setWindowTitle(f"{document.name} – sightmix" if document is not None else "sightmix")
        self.setWindowFilePath(str(document.source.path) if document is not None else "")
        self._arranged()
        self._soon()

    def open_page(self, name: str) -> None:
        """Show a page over the window, or close it: keys, settings, about."""
        self._pages[name].toggle()

    def take_tour(self) -> None:
        """Begin the tour; on the demo's timeline where nothing is open and there is one."""
        self.notices.take_back("tour")
        self.preferences.set(toured=True)
        if self.panel.clips.document is None and not self._no_demo():
            self._tour_waits = True
            self.open_demo()
        else:
            self._begin_tour()

    def _begin_tour(self) -> None:
        self._tour_waits = False
        if self.tour is None:
            self.tour = Tour(self, steps(self.parts, self.body, self.header))
        self.tour.start()

    def _offer_tour(self) -> None:
        if not self.preferences.wishes.toured:
            words = self.tr("New here? The tour shows the panel on the demo's timeline, in two minutes.")
            later = (self.tr("No, thank you"), lambda: self.preferences.set(toured=True))
            self.notice(Notice(words, deeds=((self.tr("Take the tour"), self.take_tour), later), key="tour"))

    # How it is laid out.

    def _lay(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.body)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        layout.setSpacing(GRID // 2)
        for part, stretch in (
            (self.header, 0),
            (self.notices, 0),
            (self.stack, 1),
            (self.parts.queue, 0),
        ):
            layout.addWidget(part, stretch)
        self.setCentralWidget(central)
        self.setMinimumSize(NARROW, _LOWEST)
        self.body.arranged.connect(self._arranged)
        self.body.placed.connect(self._place_moved)

    def _fill_menus(self) -> None:
        self.menus: dict[str, QMenu] = {}
        for name, title in menus().items():
            menu = self.menuBar().addMenu(title)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(self.keys.refresh)
            self.menus[name] = menu
            for command in self.keys.commands.values():
                if command.menu == name:
                    if command.name in _AFTER_LINE:
                        menu.addSeparator()
                    menu.addAction(self.keys.action(command.name))
        self._submenu(self.menus["file"], self.tr("Open lately"), self._recent_rows, before="demo")
        self._submenu(
            self.menus["file"], self.tr("Timeline in this file"), self._timeline_rows, before="look_in"
        )
        self._submenu(
            self.menus["select"], self.tr("Clips on track"), self._track_rows, before="previous_clip"
        )
        self._submenu(self.menus["view"], self.tr("Colours"), self._theme_rows, before="larger")
        for name in ("open", "open_resolve", "demo"):
            self.header.open_menu.addAction(self.keys.action(name))
        self._submenu(self.header.open_menu, self.tr("Open lately"), self._recent_rows)
        self.header.open_menu.aboutToShow.connect(self.keys.refresh)
        for name in ("export", "lay", "show_folder"):
            self.header.export_menu.addAction(self.keys.action(name))
        self.header.export_menu.aboutToShow.connect(self.keys.refresh)

    def _submenu(self, menu: QMenu, title: str, rows: Callable[[], Sequence[Row]], before: str = "") -> None:
        inner = QMenu(title, menu)

        def fill() -> None:
            inner.clear()
            for text, on, deed in rows():
                action = inner.addAction(text.replace("&", "&&"))
                action.setCheckable(on)
                action.setChecked(on)
                action.triggered.connect(lambda _=False, deed=deed: deed())
            if inner.isEmpty():
                inner.addAction(self.tr("Nothing")).setEnabled(False)

        inner.aboutToShow.connect(fill)
        if before:
            menu.insertMenu(self.keys.action(before), inner)
        else:
            menu.addMenu(inner)

    def _recent_rows(self) -> list[Row]:
        clips = self.panel.clips
        return [
            (
                f"{entry.name or entry.source.path.name} – {entry.source.path}",
                False,
                partial(clips.open, entry.source),
            )
            for entry in clips.recent.entries
        ]

    def _timeline_rows(self) -> list[Row]:
        document = self.panel.clips.document
        if document is None:
            return []
        chosen = document.source.timeline or "1"
        return [
            (name, str(number) == chosen, partial(self.panel.clips.choose_timeline, number))
            for number, name in enumerate(document.timelines, 1)
        ]

    def _track_rows(self) -> list[Row]:
        choice = self.panel.clips.choice
        return [
            (f"A{track.number} {track.name}", False, partial(choice.choose_track, track.number))
            for track in self.panel.clips.tracks
        ]

    def _theme_rows(self) -> list[Row]:
        titles = {
            "dark": self.tr("Dark"),
            "light": self.tr("Light"),
            "system": self.tr("As the system has it"),
        }
        now = self.preferences.wishes.theme
        return [(titles[name], name == now, partial(self.preferences.set, theme=name)) for name in THEMES]

    def _arranged(self, *_: object) -> None:
        roomy = self.width() >= WIDE
        self.header.arrange(roomy, self.stack.currentWidget() is self.body and not self.body.wide)
        self._soon()

    # What it does.

    def _bind(self) -> None:
        for name, way in self.commands.ways.items():
            title = {"undo": self._undo_title, "redo": self._redo_title}.get(name)
            self.keys.bind(name, way.run, partial(_why, way), on=way.on, title=title, release=way.release)
        bind = self.keys.bind
        bind("open", self._choose_file)
        bind("demo", self.open_demo, self._no_demo)
        bind("look_in", self._choose_folder, self._nothing_open)
        bind("show_folder", self._show_folder, self._nothing_open)
        bind("quit", self.close)
        bind("filter", self._filter, self._nothing_open)
        bind("drawer", self._drawer, self._no_drawer, on=self._drawer_open)
        bind("settings", lambda: self.open_page("settings"))
        bind("larger", lambda: self.preferences.step_scale(1))
        bind("smaller", lambda: self.preferences.step_scale(-1))
        bind("usual_size", lambda: self.preferences.step_scale(0))
        bind("full_screen", self._full_screen, on=self.isFullScreen)
        bind("keys", lambda: self.open_page("keys"))
        bind("guide", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(GUIDE))), self._no_guide)
        bind("tour", self.take_tour)
        bind("about", lambda: self.open_page("about"))

    def _undo_title(self) -> str:
        deed = self.panel.history.next_undo
        return self.tr("Undo: {deed}").format(deed=deed_words(deed)) if deed else ""

    def _redo_title(self) -> str:
        deed = self.panel.history.next_redo
        return self.tr("Redo: {deed}").format(deed=deed_words(deed)) if deed else ""

    def _nothing_open(self) -> str:
        return reason("" if self.panel.clips.document is not None else "empty")

    def _no_demo(self) -> str:
        if self.demo is None or not self.demo.there:
            return reason("no_demo")
        return reason("making_demo" if self.demo.making else "")

    def _no_drawer(self) -> str:
        if self.panel.clips.state == "empty":
            return reason("empty")
        return reason("wide" if self.body.wide else "")

    def _no_guide(self) -> str:
        return "" if GUIDE.is_file() else self.tr("The guide comes with the source of sightmix.")

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open a timeline or a media file"), self._folder()
        )
        if path:
            self.panel.clips.drop([Path(path)])

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.tr("Look for media in"), self._folder())
        if path:
            self.panel.clips.look_in(Path(path))

    def _folder(self) -> str:
        document = self.panel.clips.document
        if document is not None:
            return str(document.source.path.parent)
        entries = self.panel.clips.recent.entries
        return str(entries[0].source.path.parent) if entries else str(Path.home())

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder()))

    def open_demo(self) -> None:
        """Open the demo's timeline; the first time it is made, which takes some seconds."""
        if self.demo is None or not self.demo.there:
            return
        if not self.demo.made:
            words = self.tr("Making the demo: two minutes of film with five tracks, some 200 MB. A moment …")
            stop = (self.tr("Stop"), self.demo.stop)
            self.notice(Notice(words, deeds=(stop,), key="demo"))
        self.demo.make(self._demo_made, self._demo_failed)
        self._soon()

    def _demo_made(self, timeline: Path) -> None:
        self.notices.take_back("demo")
        self.panel.clips.open(Source(timeline))

    def _demo_failed(self, failure: Failure) -> None:
        self.notices.take_back("demo")
        self._tour_waits = False
        self.failed(failure)
        self._soon()

    def _filter(self) -> None:
        if not self.body.wide:
            self.body.drawer.open()
        self.parts.clips.look_for()

    def _drawer_open(self) -> bool:
        return self.body.drawer.isVisible()

    def _drawer(self) -> None:
        drawer = self.body.drawer
        (drawer.close_ if drawer.isVisible() else drawer.open)()

    def _full_screen(self) -> None:
        (self.showNormal if self.isFullScreen() else self.showFullScreen)()

    def _places(self) -> list[tuple[str, Path | None]]:
        from ..control.preferences import preferences_path

        rows = [
            (
                self.tr("Settings, presets, recent timelines, curves drawn by hand"),
                _parent(preferences_path()),
            )
        ]
        if self.demo is not None:
            rows.append((self.tr("The demo"), self.demo.timeline.parent))
        return rows

    # What it hears of.

    def _listen(self) -> None:
        panel = self.panel
        clips, deck, history = panel.clips, panel.deck, panel.history
        self._leave += [
            clips.opened.subscribe(self._opened),
            clips.state_changed.subscribe(self.renew),
            clips.kinds_changed.subscribe(self._soon),
            clips.selection.subscribe(self._soon),
            clips.failed.subscribe(self.failed),
            deck.state.subscribe(self._soon),
            deck.failed.subscribe(self.failed),
            history.changed.subscribe(self._soon),
            panel.changed.subscribe(self._soon),
            panel.failed.subscribe(self.failed),
            panel.done.subscribe(self._done),
            panel.queue.listed.subscribe(self._soon),
            self.panel.options.changed.subscribe(lambda _: self._soon()),
            self.preferences.changed.subscribe(self._wished),
            theme.changed.subscribe(self._painted),
        ]

    def _opened(self, *_: object) -> None:
        self.renew()
        if self._tour_waits:
            QTimer.singleShot(0, self, self._begin_tour)

    def _done(self, entry: Entry) -> None:
        """A job has ended well: where its result is, and what can be done with it."""
        out = entry.data.get("out")
        if entry.do != "rebalance" or not out:
            return
        path = Path(out)
        deeds = [(self.tr("Export…"), lambda: self.keys.trigger("export"))]
        if self.panel.host.owns(self.panel.clips.source):
            deeds.insert(0, (self.tr("Put it into Resolve"), lambda: self.keys.trigger("lay")))
        words = self.tr("{title} is rebalanced: {file}, beside the timeline. A plays before and after.")
        text = words.format(title=entry.title, file=path.name)
        self.notice(Notice(text, "good", tuple(deeds), key="done"))

    def engine_is(self, process: str, state: str) -> None:
        """The engine's processes come and go; only their coming back is worth a word."""
        key = f"engine {process}"
        if state == "restarting":
            words = self.tr(
                "The engine went down and is being started again; what it was doing goes on after that."
            )
            self.notice(Notice(words, "warning", key=key))
        elif state == "ready":
            self.notices.take_back(key)

    def _wished(self, wish: str) -> None:
        wishes = self.preferences.wishes
        if wish in {"theme", "scale"}:
            theme.use(wishes.theme, scale=wishes.scale)  # type: ignore[arg-type]
        elif wish == "motion":
            theme.motion(wishes.motion)
        elif wish == "language":
            self.notice(
                Notice(self.tr("The language changes when the panel is started again."), key="language")
            )
        if self.preferences.trouble:
            self.notice(Notice(self.preferences.trouble, "warning", key="preferences"))

    def _painted(self) -> None:
        self.header.renew()
        self.empty.renew()

    def _soon(self) -> None:
        """Bring actions and buttons up to date, once for all that happens now."""
        if not self._due.isActive():
            self._due.start(0)

    # What Qt calls.

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """A held key was let go."""
        if not event.isAutoRepeat():
            self.keys.let_go(event.key())
        super().keyReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """A key that nobody took: say why, where it is a command's that cannot be used now."""
        why = self.keys.reason_for(event)
        if why:
            self.say(why)
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Held keys end where the window loses the keyboard: their release goes elsewhere."""
        if event.type() is QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.keys.let_go()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """The header has words where there is room."""
        super().resizeEvent(event)
        self._arranged()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """The keyboard is the window's own until somebody asks for it."""
        super().showEvent(event)
        if self.focusWidget() is None:
            self.setFocus()
        self.keys.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask where work is left, and leave nothing listening."""
        if not self._may_close():
            event.ignore()
            return
        self._keep_places()
        self.preferences.set(geometry=bytes(self.saveGeometry().toBase64().data()).decode("ascii"))
        self.stop()
        super().closeEvent(event)
        self.closed.emit()

    def _may_close(self) -> bool:
        """Ask where work is left: the one dialog there is. It can also be done first, out of sight."""
        answer = ask(self, self.panel.queue)
        if answer == FINISH:
            FinishThenClose(self, self.panel.queue)
        return answer == STOP

    def stop(self) -> None:
        """Listen to nothing any more."""
        self.keys.let_go()
        if self.tour is not None:
            self.tour.end()
        self._moved.stop()
        self._due.stop()
        self._said.stop()
        for leave in self._leave:
            leave()
        self._leave.clear()
        self.keys.close()
        for part in (self.notices, self.empty):
            part.stop()
        if self.demo is not None:
            self.demo.stop()

    # What is remembered.

    def _restore(self) -> None:
        wishes = self.preferences.wishes
        self.resize(*_USUAL)
        if wishes.geometry:
            self.restoreGeometry(
                QByteArray.fromBase64(QByteArray(wishes.geometry.encode("ascii", "replace")))
            )
        self.body.place(dict(wishes.places))

    def _place_moved(self, _name: str) -> None:
        self._moved.start()

    def _keep_places(self) -> None:
        self._moved.stop()
        if self.stack.currentWidget() is self.body:
            self.preferences.set(places={**self.preferences.wishes.places, **self.body.places()})


_AFTER_LINE = frozenset({"look_in", "export", "close", "reset_curves", "previous_clip", "filter", "start", "loop", "ab",
                         "solo_speech", "pause", "lay", "larger", "full_screen", "guide", "about"})  # fmt: skip


def _why(way: Way) -> str:
    return reason(way.why_not())


def _parent(path: Path | None) -> Path | None:
    return None if path is None else path.parent
