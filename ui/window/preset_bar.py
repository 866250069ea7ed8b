"""The menu of presets: choose, save under a name, rename, delete, share as files; nothing asks in a dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...engine.errors import SightmixError
from ..control.options import Options
from ..control.presets import SUFFIX, Preset, Presets
from . import icons, theme
from .fields import Cut, Entry, Wrapped, until_gone


class PresetBar(QWidget):
    """A button that names the preset in use and opens the menu; `said` tells a sentence that went wrong or matters."""

    said = Signal(str)

    def __init__(self, presets: Presets, options: Options) -> None:
        super().__init__()
        self._presets, self._options = presets, options
        self.button = Cut()
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setIcon(icons.icon("down", "quiet"))
        self.menu = QMenu(self.button)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill)
        self.button.setMenu(self.menu)
        self.note = Wrapped("warning")
        self._naming: Callable[[str], object] | None = None
        self.entry = Entry()
        self.entry.setMaxLength(60)
        self.entry.setAccessibleName(self.tr("Name of the preset"))
        self.entry.returnPressed.connect(self._named)
        self.entry.given_up.connect(self._end_naming)
        self._asking = self._made_asking()
        top = QVBoxLayout(self)
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(theme.GRID // 2)
        line = QHBoxLayout()
        line.setSpacing(theme.GRID // 2)
        self.title = title = QLabel(self.tr("Preset"))
        title.setBuddy(self.button)
        line.addWidget(title)
        line.addWidget(self.button, 1)
        top.addLayout(line)
        top.addWidget(self._asking)
        top.addWidget(self.note)
        until_gone(
            self,
            presets.changed.subscribe(self.renew),
            presets.said.subscribe(self.say),
            options.marked.subscribe(self.renew),
            options.changed.subscribe(lambda _: self.renew()),
        )
        self.say(options.note)
        self.renew()

    def renew(self) -> None:
        """Show the preset in use, and whether something was changed since."""
        current = self._presets.current
        if current is None:
            name = self.tr("Your own settings") if self._options.differences else self.tr("Your defaults")
        else:
            name = self.tr("{name}, changed") if self._presets.modified else "{name}"
            name = name.format(name=current.name)
        self.button.set_words(name)
        self.button.setAccessibleName(self.tr("Preset: {name}").format(name=name))
        self.button.setToolTip(self.tr("Choose, save and share presets"))

    def say(self, sentence: str) -> None:
        """Say what went wrong, or what to know of the preset in use."""
        self.note.say(sentence)
        if sentence:
            self.said.emit(sentence)

    def ask_name(self, name: str, then: Callable[[str], object]) -> None:
        """Have a name typed in the column itself."""
        self._naming = then
        self._asking.show()
        self.entry.setText(name)
        self.entry.selectAll()
        self.entry.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_in(self, path: str) -> None:
        """Copy a file among the user's presets."""
        self._try(lambda: self._warned(self._presets.take_in(Path(path))))

    def hand_out(self, path: str) -> None:
        """Write the preset in use to a file."""
        current = self._presets.current
        if current is not None:
            self._try(lambda: self._presets.hand_out(current.key, Path(path)))

    def choose(self, key: str) -> None:
        """Use a preset."""
        found = self._presets.find(key)

        def act() -> None:
            self._presets.choose(key)
            if found is not None:
                self._warned(found)

        self._try(act)

    def _made_asking(self) -> QWidget:
        asking = QWidget()
        line = QHBoxLayout(asking)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.GRID // 2)
        line.addWidget(self.entry, 1)
        save, leave = QPushButton(self.tr("Save")), QPushButton(self.tr("Leave it"))
        save.setToolTip(self.tr("Save (Enter)"))
        leave.setToolTip(self.tr("Leave it (Escape)"))
        save.clicked.connect(self._named)
        leave.clicked.connect(self._end_naming)
        line.addWidget(save)
        line.addWidget(leave)
        asking.hide()
        return asking

    def _fill(self) -> None:
        self._presets.refresh()
        self.menu.clear()
        current = self._presets.current
        shipped = True
        for preset in self._presets.all:
            if shipped and not preset.shipped:
                self.menu.addSeparator()
            shipped = preset.shipped
            self._add_preset(preset, current)
        for sentence in self._presets.broken:
            unread = self.menu.addAction(sentence.partition(" cannot be read")[0].rpartition("/")[2])
            unread.setEnabled(False)
            unread.setToolTip(sentence)
        self.menu.addSeparator()
        own = current is not None and not current.shipped
        name = current.name if current is not None and own else ""
        self._add(self.tr("Save…"), lambda: self.ask_name(name, self._presets.save))
        reason = "" if own else self.tr("Choose one of your own presets first.")
        if current is None or not own:
            self._add(self.tr("Rename…"), lambda: None, reason)
            self._add(self.tr("Delete"), lambda: None, reason)
        else:
            key = current.key
            self._add(
                self.tr("Rename “{name}”…").format(name=name),
                lambda: self.ask_name(name, lambda new: self._presets.rename(key, new)),
            )
            self._add(
                self.tr("Delete “{name}”").format(name=name),
                lambda: self._try(lambda: self._presets.delete(key)),
            )
        self.menu.addSeparator()
        self._add(self.tr("Import a file…"), self._import)
        none = "" if current is not None else self.tr("Choose a preset first, or save one.")
        self._add(self.tr("Export as a file…"), self._export, none)
        self.menu.addSeparator()
        self._add(self.tr("All settings as they are by default"), self._options.reset_all)

    def _add_preset(self, preset: Preset, current: Preset | None) -> None:
        action = self.menu.addAction(preset.name.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(preset == current)
        action.setToolTip("\n".join(preset.warnings) or _told(preset, self._options))
        action.triggered.connect(lambda: self.choose(preset.key))

    def _add(self, text: str, act: Callable[[], object], reason: str = "") -> QAction:
        action = self.menu.addAction(text)
        action.triggered.connect(act)
        action.setEnabled(not reason)
        action.setToolTip(reason or text)
        return action

    def _named(self) -> None:
        then = self._naming
        if then is not None and self._try(lambda: then(self.entry.text())):
            self._end_naming()

    def _end_naming(self) -> None:
        self._naming = None
        self._asking.hide()
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _warned(self, preset: Preset) -> None:
        self.say(" ".join(preset.warnings))

    def _try(self, act: Callable[[], object]) -> bool:
        self.say("")
        try:
            act()
        except SightmixError as error:
            self.say(str(error))
            return False
        return True

    def _import(self) -> None:
        dialog = self._dialog(self.tr("Import a preset"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.take_in)
        dialog.open()

    def _export(self) -> None:
        current = self._presets.current
        if current is None:
            return
        dialog = self._dialog(self.tr("Export a preset"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.removeprefix("."))
        dialog.selectFile(current.file_name)
        dialog.fileSelected.connect(self.hand_out)
        dialog.open()

    def _dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self.window(), title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilter(self.tr("Presets (*{suffix})").format(suffix=SUFFIX))
        return dialog

    def open_menu(self) -> None:
        """Open the menu under its button."""
        self.menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))


def _told(preset: Preset, options: Options) -> str:
    """What a preset sets, as far as that is not what is set."""
    changes = [
        options.title(name, value) for name, value in preset.values.items() if options.value(name) != value
    ]
    return ", ".join(change for change in changes if change)
