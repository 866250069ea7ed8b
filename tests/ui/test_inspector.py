"""The column of settings: every setting of the table has a widget that says and does what its flag does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from pytestqt.qtbot import QtBot
from sightmix.plugin.jobs.defaults import KEYS, Defaults
from sightmix.plugin.jobs.settings import GROUPS, SETTINGS, JobSettings
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.control.history import History
from sightmix.ui.control.options import OFFERED, Options
from sightmix.ui.control.planning import Planning
from sightmix.ui.control.presets import Presets

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from sightmix.ui.window import theme, words
from sightmix.ui.window.fields import Fader
from sightmix.ui.window.inspector import Inspector
from sightmix.ui.window.rows import ChoiceRow, FigureRow, LoudnessRow, SwitchRow

KEY = Qt.Key
MINUS = "\N{MINUS SIGN}"
PLAN: dict[str, Any] = {
    "clips": [{"track": f"A{n % 3}", "seconds": 10.0, "status": "to render"} for n in range(14)],
    "bytes_needed": 0,
    "losses": [],
}


class Desk:
    """An inspector with all it stands on."""

    def __init__(self, folder: Path, qtbot: QtBot, width: int = 420) -> None:
        self.history, self.engine, self.now = History(), FakeEngine(), 0.0
        self.pump = InlinePump(lambda: self.now)
        self.options = Options(self.history, Defaults(None))
        self.store = Presets(self.history, self.options, folder)
        self.planning = Planning(self.engine, self.pump, self.options)
        self.view = Inspector(self.options, self.store, self.planning)
        qtbot.addWidget(self.view)
        self.view.resize(width, 900)
        self.view.show()
        qtbot.waitExposed(self.view)
        self.view.activateWindow()

    def plan(self, answer: dict[str, Any] | Failure) -> None:
        self.planning.want({"source": {}})
        self.now += 1
        self.pump.run()
        request = self.engine.asked[-1]
        request.fail(answer) if isinstance(answer, Failure) else request.finish(answer)


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk(tmp_path / "presets", qtbot)
    yield desk
    desk.planning.close()


def use(desk: Desk, name: str) -> None:
    """Change a setting by its widget, with the keyboard alone."""
    row = desk.view.rows[name]
    desk.view.show_row(name)
    if isinstance(row, SwitchRow):
        QTest.keyClick(row.switch, KEY.Key_Space)
    elif isinstance(row, FigureRow):
        QTest.keyClick(row.fader, KEY.Key_Left if row.fader.value() else KEY.Key_Right)
    elif isinstance(row, LoudnessRow) and name == "delivery":
        QTest.keyClick(row.choices, KEY.Key_End)
    elif isinstance(row, ChoiceRow) and row.choices.count() == 1:  # only the bundled model is there
        desk.options.set(name, "other")
    else:
        assert isinstance(row, ChoiceRow | LoudnessRow)
        QTest.keyClick(row.choices, KEY.Key_Down)


@pytest.mark.parametrize("name", [setting.name for setting in OFFERED])
def test_every_setting_has_widget_flag_and_key_of_one_declaration(desk: Desk, name: str) -> None:
    setting, row = SETTINGS[name], desk.view.rows[name]
    if name == "device":
        desk.options.tell_devices({"devices": [{"key": "cpu", "name": "CPU", "reason": ""}], "auto": "cpu"})
    # It is called and explained as the table has it, in the widget, the flag and the file.
    assert KEYS[setting.key] is setting
    assert setting.flag == f"--{setting.key}"
    assert setting.label in words.LABELS
    for widget in row.widgets:
        assert widget.accessibleName() == words.label(row.setting)
        assert row.setting.help in widget.toolTip()
        assert setting.flag in widget.toolTip()
    if setting.choices:
        assert isinstance(row, ChoiceRow)
        assert [row.choices.itemData(n) for n in range(row.choices.count())] == list(setting.choices)
        assert set(words.CHOICES[name]) == set(setting.choices)
    # What is done with it is what is set, shown, undone, and put back.
    assert not row.back.isVisibleTo(desk.view)
    use(desk, name)
    value = desk.options.value(name)
    assert value != setting.default
    assert getattr(desk.options.settings(), name) == value or name == "device"
    assert row.back.isVisibleTo(desk.view)
    row.back.click()
    assert desk.options.value(name) == setting.default
    assert not row.back.isVisibleTo(desk.view)
    while desk.history.undo():
        pass
    assert desk.options.settings() == JobSettings()


def test_all_groups_and_all_words_are_there_for_translators() -> None:
    assert set(words.GROUPS) == set(GROUPS)
    source = Path(words.__file__).read_text(encoding="utf-8")
    marked = set(re.findall(r'QT_TRANSLATE_NOOP\("Settings", "([^"]+)"\)', source))
    assert {setting.label for setting in OFFERED} | set(words.GROUPS.values()) <= marked


def test_a_fader_follows_the_mouse_as_one_deed_and_a_double_click_resets(desk: Desk, qtbot: QtBot) -> None:
    row = desk.view.rows["music"]
    assert isinstance(row, FigureRow)
    fader, middle = row.fader, row.fader.height() // 2
    QTest.mousePress(fader, Qt.MouseButton.LeftButton, pos=QPoint(fader.width() // 4, middle))
    for x in range(fader.width() // 4, 6, -3):
        QTest.mouseMove(fader, QPoint(x, middle))
    QTest.mouseMove(fader, QPoint(-50, middle))
    QTest.mouseRelease(fader, Qt.MouseButton.LeftButton, pos=QPoint(0, middle))
    assert desk.options.value("music") == -24.0
    assert row.figure.text() == f"{MINUS}24.0 dB"
    desk.history.undo()
    assert (desk.options.value("music"), desk.history.next_undo) == (0.0, "")
    desk.history.redo()
    QTest.mouseDClick(fader, Qt.MouseButton.LeftButton, pos=QPoint(fader.width() // 2, middle))
    assert desk.options.value("music") == 0.0
    assert fader.figure == 0.0


def test_two_turns_of_the_keyboard_are_two_deeds(desk: Desk) -> None:
    music, effects = desk.view.rows["music"], desk.view.rows["effects"]
    assert isinstance(music, FigureRow)
    assert isinstance(effects, FigureRow)
    for fader in (music.fader, effects.fader, music.fader):
        fader.setFocus()
        QTest.keyClick(fader, KEY.Key_Left)
        QTest.keyClick(fader, KEY.Key_PageDown)
    assert desk.options.value("music") == pytest.approx(-22 * SETTINGS["music"].step)
    desk.history.undo()
    assert desk.options.value("music") == pytest.approx(-11 * SETTINGS["music"].step)
    desk.history.undo()
    assert desk.options.value("effects") == 0.0


@pytest.mark.parametrize("name", ["music", "style"])
def test_the_wheel_turns_only_what_has_the_keyboard(desk: Desk, name: str) -> None:
    row = desk.view.rows[name]
    widget = row.widgets[0]
    other = desk.view.rows["effects"].widgets[0]
    other.setFocus()

    def turn() -> bool:
        place = QPointF(widget.width() / 2, widget.height() / 2)
        event = QWheelEvent(
            place, widget.mapToGlobal(place), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        widget.wheelEvent(event)
        return event.isAccepted()

    assert not turn()
    assert not desk.options.differs(name)
    widget.setFocus()
    assert turn()
    assert desk.options.differs(name)


def test_figures_are_typed_beyond_what_is_usual_and_refused_in_place(desk: Desk) -> None:
    row = desk.view.rows["music"]
    assert isinstance(row, FigureRow)
    figure = row.figure
    figure.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClicks(figure, "-40,5")
    QTest.keyClick(figure, KEY.Key_Return)
    assert (desk.options.value("music"), figure.text()) == (-40.5, f"{MINUS}40.5 dB")
    assert row.fader.figure == -24.0  # as far as it goes, and it does not write that back
    QTest.keyClick(figure, KEY.Key_Up)
    assert desk.options.value("music") == -40.0
    figure.selectAll()
    QTest.keyClicks(figure, "-99")
    QTest.keyClick(figure, KEY.Key_Return)
    assert row.fault.sentence == f"Music -99 lies outside {MINUS}60 to 24 dB."
    assert row.fault.isVisibleTo(desk.view)
    assert figure.text() == "-99"
    assert not desk.view.button.isEnabled()
    QTest.keyClicks(figure, "1")
    QTest.keyClick(figure, KEY.Key_Escape)
    assert figure.text() == "-99"
    desk.history.undo()
    assert figure.text() == f"{MINUS}40.0 dB"
    assert not row.fault.isVisibleTo(desk.view)


def test_loudness_is_one_list_of_ways_standards_and_a_figure(desk: Desk) -> None:
    row = desk.view.rows["loudness"]
    assert isinstance(row, LoudnessRow)
    assert desk.view.rows["delivery"] is row
    titles = [row.choices.itemText(n) for n in range(row.choices.count())]
    assert titles[:3] == ["Keep", "As the gains make it", "A figure"]
    assert "EBU R 128" in titles
    row.choices.setFocus()
    for _ in range(2):
        QTest.keyClick(row.choices, KEY.Key_Down)
    assert desk.options.value("loudness") == "-23"
    assert row.figure.text() == f"{MINUS}23.0 LUFS"
    assert row.figure.hasFocus()
    QTest.keyClick(row.figure, KEY.Key_Up)
    assert desk.options.value("loudness") == "-22.9"
    row.figure.selectAll()
    QTest.keyClicks(row.figure, "loud")
    QTest.keyClick(row.figure, KEY.Key_Return)
    assert "neither 'keep' nor" in row.fault.sentence
    desk.options.set("delivery", "netflix")
    assert row.choices.currentText() == "Netflix near-field"
    assert not row.figure.isVisibleTo(desk.view)
    assert not row.fault.isVisibleTo(desk.view)


def test_keys_of_the_window_s_commands_stay_with_what_is_edited(desk: Desk) -> None:
    def kept(widget: QWidget, key: Qt.Key, text: str = "") -> bool:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier, text)
        event.ignore()
        QApplication.sendEvent(widget, event)
        return event.isAccepted()

    music = desk.view.rows["music"]
    assert isinstance(music, FigureRow)
    assert kept(music.figure, KEY.Key_Return)
    assert kept(music.figure, KEY.Key_Up)
    assert kept(music.figure, KEY.Key_A, "a")
    assert kept(music.fader, KEY.Key_Left)
    assert kept(desk.view.rows["style"].widgets[0], KEY.Key_Down)
    assert kept(desk.view.presets.entry, KEY.Key_Escape)
    assert not kept(music.fader, KEY.Key_P, "p")
    assert not kept(music.fader, KEY.Key_Return)


def test_tab_reaches_everything_that_is_shown(desk: Desk) -> None:
    desk.plan(PLAN)
    desk.view.presets.button.setFocus()
    reached: list[QWidget] = []
    for _ in range(60):
        widget = QApplication.focusWidget()
        assert widget is not None
        if widget in reached:
            break
        reached.append(widget)
        QTest.keyClick(widget, KEY.Key_Tab)
    for row in desk.view.rows.values():
        if not row.setting.advanced:
            assert row.widgets[0] in reached
    assert desk.view.preview_button in reached
    assert desk.view.button in reached


def test_the_button_says_what_it_will_do_and_why_not(desk: Desk, qtbot: QtBot) -> None:
    view, told = desk.view, desk.view.outlook
    assert (told.text(), view.button.isEnabled()) == ("Open a timeline first.", False)
    assert "Open a timeline first." in view.button.toolTip()
    desk.plan(PLAN)
    assert told.text() == "3 tracks, 14 clips; originals will be muted."
    report = [{"status": "rendered", "record_in": 0.0, "record_out": 35.0}]
    desk.planning.learn({"clips": report, "summary": {"seconds": 10.0}})
    assert told.text() == "3 tracks, 14 clips, about 40 s; originals will be muted."
    assert "(Enter)" in view.button.toolTip()
    with qtbot.waitSignal(view.rebalance):
        QTest.keyClick(view.button, KEY.Key_Space)
    with qtbot.waitSignal(view.preview):
        view.preview_button.click()
    desk.options.set("keep_originals", True)
    assert told.text().endswith("originals sound on under the result.")
    desk.plan(Failure("The folder /x does not exist.", "WriteError"))
    assert (told.text(), view.button.isEnabled()) == ("The folder /x does not exist.", False)


def test_a_preview_that_cannot_be_says_why(desk: Desk) -> None:
    desk.plan(PLAN)
    assert desk.view.preview_button.isEnabled()
    desk.view.set_preview("The engine is being started again.")
    assert not desk.view.preview_button.isEnabled()
    assert desk.view.preview_note.sentence == "The engine is being started again."
    assert "(P)" in desk.view.preview_button.toolTip()
    desk.planning.want(None)  # of two reasons that say the same, one is shown
    assert desk.view.outlook.text() == "The engine is being started again."
    assert not desk.view.preview_note.isVisibleTo(desk.view)
    desk.plan(PLAN)
    desk.view.set_preview("")
    assert desk.view.preview_button.isEnabled()
    assert not desk.view.preview_note.isVisibleTo(desk.view)


def test_narrow_it_is_one_line_that_opens(desk: Desk) -> None:
    view = desk.view
    assert not view.fold.isVisibleTo(view)
    view.set_narrow(True)
    assert view.fold.words == "repair · keep · 100 %"
    assert not view.body.isVisibleTo(view)
    assert view.button.isVisibleTo(view)
    desk.options.set("loudness", "-20")
    desk.options.set("strength", 0.8)
    desk.options.set("music", -3.0)
    assert view.fold.words == f"repair · {MINUS}20.0 LUFS · 80 % · 1 more"
    desk.options.set("delivery", "ebu-r128")
    assert view.fold.words == "repair · EBU R 128 · 80 % · 1 more"
    QTest.keyClick(view.fold, KEY.Key_Space)
    assert view.body.isVisibleTo(view)
    view.set_narrow(False)
    assert view.body.isVisibleTo(view)


def test_what_is_advanced_is_folded_and_says_that_it_was_changed(desk: Desk) -> None:
    view = desk.view
    assert not view.rows["handles"].isVisibleTo(view)
    desk.options.set("handles", 24)
    assert view.advanced.words == "Advanced · 1 changed"
    view.show_row("handles")
    assert view.rows["handles"].isVisibleTo(view)


def test_presets_are_chosen_saved_renamed_and_deleted_in_the_menu(desk: Desk) -> None:
    bar = desk.view.presets

    def menu(text: str) -> Any:
        bar.menu.aboutToShow.emit()
        return next(action for action in bar.menu.actions() if action.text().startswith(text))

    assert bar.button.words.startswith("Your defaults")
    assert not menu("Rename").isEnabled()
    assert menu("Rename").toolTip() == "Choose one of your own presets first."
    menu("Dialogue forward").trigger()
    assert desk.options.value("music") == -3.0
    assert bar.button.words.startswith("Dialogue forward")
    desk.options.set("music", -4.0)
    assert bar.button.words.startswith("Dialogue forward, changed")
    menu("Save").trigger()
    assert bar.entry.hasFocus()
    QTest.keyClicks(bar.entry, "Repair")
    QTest.keyClick(bar.entry, KEY.Key_Return)
    assert bar.note.sentence == "A preset 'Repair' comes with sightmix; choose another name."
    bar.entry.selectAll()
    QTest.keyClicks(bar.entry, "Mine & yours")
    QTest.keyClick(bar.entry, KEY.Key_Return)
    assert not bar.entry.isVisibleTo(desk.view)
    assert not bar.note.isVisibleTo(desk.view)
    assert bar.button.words.startswith("Mine & yours")
    assert menu("Mine && yours").isChecked()
    menu("Rename “Mine").trigger()
    QTest.keyClicks(bar.entry, "Ours")
    QTest.keyClick(bar.entry, KEY.Key_Return)
    assert bar.button.words.startswith("Ours")
    menu("Delete “Ours").trigger()
    assert bar.button.words.startswith("Your own settings")
    desk.history.undo()
    assert bar.button.words.startswith("Ours")
    menu("Save").trigger()
    QTest.keyClick(bar.entry, KEY.Key_Escape)
    assert not bar.entry.isVisibleTo(desk.view)


def test_files_of_presets_come_and_go(desk: Desk, tmp_path: Path) -> None:
    bar = desk.view.presets
    bar.choose("21_ebu_r128.toml")
    bar.hand_out(str(tmp_path / "out.toml"))
    assert 'delivery = "ebu-r128"' in (tmp_path / "out.toml").read_text()
    (tmp_path / "in.toml").write_text('name = "Theirs"\n[rebalance]\nmusik = 1\n')
    bar.take_in(str(tmp_path / "in.toml"))
    assert "did you mean 'music'" in bar.note.sentence
    bar.take_in(str(tmp_path / "none.toml"))
    assert "none.toml cannot be read" in bar.note.sentence
    bar.hand_out(str(tmp_path / "no" / "where.toml"))
    assert "does not exist" in bar.note.sentence


@pytest.mark.parametrize(
    ("name", "scale", "width"), [("dark", 1.0, 0), ("light", 1.5, 0), ("dark", 1.0, 420)]
)
def test_everything_fits_in_a_narrow_column(
    tmp_path: Path, qtbot: QtBot, width: int, name: theme.Name, scale: float
) -> None:
    """In the narrowest column there may be (0), and in a docked window."""
    desk = Desk(tmp_path, qtbot, width)
    theme.use(name, scale=scale)
    width = width or desk.view.minimumWidth()
    assert 200 < width <= 296 * scale or width == 420
    desk.view.advanced.click()
    desk.plan(PLAN)
    desk.store.save("A name that is as long as a name may be, which is sixty")
    desk.options.set("strength", "150")
    desk.options.set("loudness", "-20")
    desk.options.tell_devices(
        {"devices": [{"key": "cpu", "name": "CPU, 64 cores", "reason": ""}], "auto": "cpu"}
    )
    desk.options.set("device", "cuda:1")
    desk.view.presets.say(f"{'/a/long/path' * 8}.toml cannot be read.")
    desk.view.resize(width, 1100)
    QApplication.processEvents()
    assert desk.view.width() == width  # nothing forces it to be wider
    inside = desk.view.rect()
    for widget in desk.view.findChildren(QWidget):
        if not widget.isVisible() or widget.window() is not desk.view.window():
            continue
        place = widget.mapTo(desk.view, QPoint(0, 0))
        assert place.x() >= 0
        assert place.x() + widget.width() <= inside.width()
        if isinstance(widget, QLabel) and not widget.wordWrap() and widget.text():
            assert widget.fontMetrics().horizontalAdvance(widget.text()) <= widget.width()
        if isinstance(widget, Fader):
            assert widget.width() >= 60
    desk.planning.close()
    theme.use("dark", scale=1.0)


def test_a_view_that_has_gone_is_told_nothing(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    other = Inspector(desk.options, desk.store, desk.planning)
    other.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    desk.options.set("music", -2.0)
    desk.plan(PLAN)
    assert desk.view.rows["music"].back.isVisibleTo(desk.view)
