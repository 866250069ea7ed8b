"""Every command of the window once: its words, its keys and its menu; actions, tooltips and the overlay follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTabBar,
    QWidget,
)

from . import icons

_KEEP = Qt.Key
# What a widget that has the keyboard does by itself with a key that is also a command's.
_OWN: tuple[tuple[type[QWidget], frozenset[Qt.Key]], ...] = (
    (QAbstractButton, frozenset({_KEEP.Key_Space, _KEEP.Key_Return, _KEEP.Key_Enter})),
    (QComboBox, frozenset({_KEEP.Key_Space, _KEEP.Key_Up, _KEEP.Key_Down})),
    (QAbstractSlider, frozenset({_KEEP.Key_Left, _KEEP.Key_Right, _KEEP.Key_Up, _KEEP.Key_Down})),
    (QAbstractSpinBox, frozenset({_KEEP.Key_Up, _KEEP.Key_Down, _KEEP.Key_Return, _KEEP.Key_Enter})),
    (QAbstractItemView, frozenset({_KEEP.Key_Up, _KEEP.Key_Down})),
    (QLineEdit, frozenset({_KEEP.Key_Return, _KEEP.Key_Enter})),
    (QTabBar, frozenset({_KEEP.Key_Left, _KEEP.Key_Right})),
)


@dataclass(frozen=True)
class Command:
    """A command: `name` for the program, `title` for people, the menu it is in, its keys, first the one that is shown.

    `hold` is one that acts for as long as its key is down, `checkable` one that is on or off.
    """

    name: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    hold: bool = False
    checkable: bool = False

    @property
    def key(self) -> str:
        """Its key as this system writes it, "" for none."""
        return native(self.keys[0]) if self.keys else ""


def native(key: str) -> str:
    """A key as this system writes it, arrows as arrows."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    return _ARROWS.get(key, text)


_ARROWS = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}


def menus() -> dict[str, str]:
    """The menus in their order, by name: their titles."""
    tr = QCoreApplication.translate
    return {
        "file": tr("Keys", "File"),
        "edit": tr("Keys", "Edit"),
        "select": tr("Keys", "Select"),
        "play": tr("Keys", "Play"),
        "job": tr("Keys", "Rebalance"),
        "view": tr("Keys", "View"),
        "help": tr("Keys", "Help"),
    }


def commands() -> tuple[Command, ...]:
    """Every command, in the order that menus and the overlay list them in."""
    return (*_file(), *_edit(), *_select(), *_play(), *_job(), *_view(), *_help())


def _file() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("open", tr("Keys", "Open…"), "file", ("Ctrl+O",), "open"),
        Command("open_resolve", tr("Keys", "Open from DaVinci Resolve"), "file"),
        Command("demo", tr("Keys", "Open the demo"), "file", (), "demo"),
        Command("look_in", tr("Keys", "Find media in a folder…"), "file"),
        Command("reopen", tr("Keys", "Read the timeline again"), "file", ("Ctrl+R",)),
        Command("export", tr("Keys", "Export…"), "file", ("Ctrl+E",), "export"),
        Command("show_folder", tr("Keys", "Show the timeline's folder"), "file"),
        Command("close", tr("Keys", "Close the timeline"), "file", ("Ctrl+W",)),
        Command("quit", tr("Keys", "Quit"), "file", ("Ctrl+Q",)),
    )


def _edit() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("undo", tr("Keys", "Undo"), "edit", ("Ctrl+Z",), "undo"),
        Command("redo", tr("Keys", "Redo"), "edit", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
        Command("reset_curves", tr("Keys", "Take back everything drawn by hand"), "edit"),
        Command("reset_settings", tr("Keys", "Settings as they are by themselves"), "edit"),
    )


def _select() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("select_all", tr("Keys", "All clips"), "select", ("Ctrl+A",)),
        Command("select_none", tr("Keys", "No clip"), "select", ("Ctrl+Shift+A",)),
        Command("select_needy", tr("Keys", "What needs work"), "select"),
        Command("select_offline", tr("Keys", "Offline clips"), "select"),
        Command("previous_clip", tr("Keys", "Clip before"), "select", ("Up",)),
        Command("next_clip", tr("Keys", "Clip after"), "select", ("Down",)),
        Command("filter", tr("Keys", "Filter the clips"), "select", ("/", "Ctrl+F"), "find"),
    )


def _play() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("play", tr("Keys", "Play or stop"), "play", ("Space",), "play"),
        Command("reverse", tr("Keys", "Play backwards, faster each time"), "play", ("J",)),
        Command("stop", tr("Keys", "Stop"), "play", ("K",), "stop"),
        Command("forwards", tr("Keys", "Play forwards, faster each time"), "play", ("L",)),
        Command("frame_back", tr("Keys", "One frame back"), "play", ("Left",), "back"),
        Command("frame_on", tr("Keys", "One frame on"), "play", ("Right",), "forward"),
        Command("start", tr("Keys", "To the start"), "play", ("Home",), "previous"),
        Command("end", tr("Keys", "To the end"), "play", ("End",), "next"),
        Command("loop", tr("Keys", "Loop"), "play", ("Shift+L",), "loop", checkable=True),
        Command("ab", tr("Keys", "Before or after"), "play", ("A",), "swap"),
        Command("matched", tr("Keys", "Both sides equally loud"), "play", ("Shift+A",), checkable=True),
        Command("residual", tr("Keys", "What was taken away"), "play", ("R",), "residual", checkable=True),
        Command("solo_speech", tr("Keys", "Dialogue alone"), "play", ("D",), "solo", hold=True),
        Command("solo_music", tr("Keys", "Music alone"), "play", ("M",), "solo", hold=True),
        Command("solo_effects", tr("Keys", "Effects alone"), "play", ("E",), "solo", hold=True),
    )


def _job() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("preview", tr("Keys", "Preview here"), "job", ("P", "Ctrl+P")),
        Command("rebalance", tr("Keys", "Rebalance audio"), "job", ("Return", "Enter", "Ctrl+Return")),
        Command("pause", tr("Keys", "Pause the queue"), "job", (), "pause", checkable=True),
        Command("cancel", tr("Keys", "Cancel what runs"), "job", ("Ctrl+.",), "cancel"),
        Command("lay", tr("Keys", "Put the result into DaVinci Resolve"), "job"),
        Command("foley", tr("Keys", "Foley for silent clips…"), "job", (), "foley"),
    )


def _view() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("drawer", tr("Keys", "Clip list"), "view", ("Ctrl+L",), "drawer", checkable=True),
        Command("settings", tr("Keys", "Settings of the window"), "view", ("Ctrl+,",), "settings"),
        Command("larger", tr("Keys", "Larger type"), "view", ("Ctrl++", "Ctrl+=")),
        Command("smaller", tr("Keys", "Smaller type"), "view", ("Ctrl+-",)),
        Command("usual_size", tr("Keys", "Usual size of type"), "view", ("Ctrl+0",)),
        Command("full_screen", tr("Keys", "Full screen"), "view", ("F11",), checkable=True),
    )


def _help() -> tuple[Command, ...]:
    tr = QCoreApplication.translate
    return (
        Command("keys", tr("Keys", "Keys"), "help", ("?", "F1"), "keys"),
        Command("tour", tr("Keys", "The tour, in two minutes"), "help", (), "help"),
        Command("guide", tr("Keys", "User guide"), "help"),
        Command("about", tr("Keys", "About sightmix"), "help", (), "info"),
    )


@dataclass
class _Bound:
    run: Callable[[], object]
    ready: Callable[[], str]
    on: Callable[[], bool] | None = None
    title: Callable[[], str] | None = None
    release: Callable[[], object] | None = None
    buttons: list[QAbstractButton] = field(default_factory=list)


def _nothing() -> None:
    """What a command does that nobody has bound."""


def _always() -> str:
    return ""


class Keys(QObject):
    """The window's actions, bound to what they do; a command that cannot be used now says why in its tooltip."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.commands = {command.name: command for command in commands()}
        self._window = window
        self._bound = {name: _Bound(_nothing, self._not_there) for name in self.commands}
        self._actions = {command.name: self._made(command) for command in self.commands.values()}
        self._down: dict[int, str] = {}  # keys that are held, and whose they are
        self._watched: QWidget | None = None
        self._listening = False
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._focus_moved)
            self._listening = True

    def bind(
        self,
        name: str,
        run: Callable[[], object],
        ready: Callable[[], str] = _always,
        *,
        on: Callable[[], bool] | None = None,
        title: Callable[[], str] | None = None,
        release: Callable[[], object] | None = None,
    ) -> None:
        """Say what a command does.

        `ready` gives "" where it can be used and else the reason, `on` whether it is on, `title` words that change,
        and `release` what letting go of a held key does.
        """
        self._bound[name] = _Bound(run, ready, on, title, release, self._bound[name].buttons)

    def action(self, name: str) -> QAction:
        """A command's action, for menus and buttons."""
        return self._actions[name]

    @property
    def unbound(self) -> tuple[str, ...]:
        """Commands that do nothing yet."""
        return tuple(name for name, bound in self._bound.items() if bound.run is _nothing)

    def tip(self, name: str) -> str:
        """A command's tooltip: its title and its key, and why it cannot be used now."""
        command = self.commands[name]
        told = self._title(name) + (f" ({command.key})" if command.key else "")
        reason = self._reason(name)
        return f"{told}\n{reason}" if reason else told

    def dress(self, button: QAbstractButton, name: str) -> None:
        """Make a button do a command, and say so: icon, tooltip with its key, accessible name."""
        command = self.commands[name]
        if command.icon:
            button.setIcon(icons.icon(command.icon))
        button.setCheckable(command.checkable)
        button.clicked.connect(lambda: self.trigger(name))
        self._bound[name].buttons.append(button)
        self._renew(name)

    def trigger(self, name: str) -> None:
        """Do a command, if it can be done."""
        if not self._reason(name):
            self._bound[name].run()
        self.refresh()

    def reason_for(self, event: QKeyEvent) -> str:
        """Why the command whose key this is does nothing now; "" where it is nobody's."""
        pressed = QKeySequence(event.keyCombination())
        for command in self.commands.values():
            if any(QKeySequence(key) == pressed for key in command.keys):
                return self._reason(command.name)
        return ""

    def refresh(self) -> None:
        """Have actions and buttons show what can be used now, and what is on."""
        for name in self._bound:
            self._renew(name)

    def let_go(self, key: int | None = None) -> None:
        """A key was released, or all of them: the window has lost the keyboard."""
        for held in list(self._down) if key is None else [key]:
            name = self._down.pop(held, "")
            release = self._bound[name].release if name else None
            if release is not None:
                release()
                self.refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Leave keys that a widget uses itself to it."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
            if plain and any(isinstance(watched, kind) and event.key() in own for kind, own in _OWN):
                event.accept()
                return True
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._entered(watched, event)
        return False

    @staticmethod
    def _entered(watched: QObject, event: QKeyEvent) -> bool:
        """Enter presses the button that has the keyboard, as Qt's own do in dialogs alone."""
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not entered or event.isAutoRepeat() or not isinstance(watched, QAbstractButton):
            return False
        watched.click()
        return True

    def close(self) -> None:
        """Listen to nothing any more."""
        application = QApplication.instance()
        if isinstance(application, QApplication) and self._listening:
            self._listening = False
            application.focusChanged.disconnect(self._focus_moved)
        self._focus_moved(None, None)

    def _made(self, command: Command) -> QAction:
        action = QAction(command.title, self._window)
        action.setObjectName(command.name)
        action.setCheckable(command.checkable or command.hold)
        if command.icon:
            action.setIcon(icons.icon(command.icon))
            action.setIconVisibleInMenu(False)
        action.triggered.connect(lambda: self._triggered(command))
        if command.hold:  # its key does something else than its menu: it ends when it is let go
            shortcut = QShortcut(QKeySequence(command.keys[0]), self._window)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(lambda: self._pressed(command))
        else:
            action.setShortcuts([QKeySequence(key) for key in command.keys])
            action.setAutoRepeat(command.name in _REPEATING)
        self._window.addAction(action)
        return action

    def _pressed(self, command: Command) -> None:
        if self._reason(command.name):
            return
        self._down[getattr(Qt.Key, f"Key_{command.keys[0]}").value] = command.name
        self._bound[command.name].run()
        self.refresh()

    def _triggered(self, command: Command) -> None:
        bound = self._bound[command.name]
        if bound.release is not None and bound.on is not None:
            (bound.release if bound.on() else bound.run)()
            self.refresh()
        else:
            self.trigger(command.name)

    def _title(self, name: str) -> str:
        title = self._bound[name].title
        return (title() if title is not None else "") or self.commands[name].title

    def _reason(self, name: str) -> str:
        return self._bound[name].ready()

    def _not_there(self) -> str:
        return self.tr("This is not there yet.")

    def _renew(self, name: str) -> None:
        bound, action = self._bound[name], self._actions[name]
        reason, title, tip = bound.ready(), self._title(name), self.tip(name)
        on = bound.on() if bound.on is not None else False
        command = self.commands[name]
        shown = f"{title}\t{command.key}" if command.hold else title
        if action.text() != shown:
            action.setText(shown)
        action.setEnabled(not reason)
        action.setToolTip(tip)
        if action.isCheckable():
            action.setChecked(on)
        for button in bound.buttons:
            button.setEnabled(not reason)
            button.setToolTip(tip)
            button.setAccessibleName(title)
            if button.isCheckable():
                button.setChecked(on)

    def _focus_moved(self, _old: object, new: object) -> None:
        if self._watched is not None:
            self._watched.removeEventFilter(self)
        self._watched = new if isinstance(new, QWidget) and isinstance(new, _WATCHED) else None
        if self._watched is not None:
            self._watched.installEventFilter(self)


_REPEATING = frozenset(
    {"frame_back", "frame_on", "previous_clip", "next_clip", "undo", "redo", "larger", "smaller"}
)
_WATCHED = tuple(kind for kind, _ in _OWN)


def listed(found: Iterable[Command]) -> dict[str, list[Command]]:
    """Commands that have a key, by the title of their menu."""
    titles = menus()
    groups: dict[str, list[Command]] = {title: [] for title in titles.values()}
    for command in found:
        if command.keys:
            groups[titles[command.menu]].append(command)
    return {title: group for title, group in groups.items() if group}
