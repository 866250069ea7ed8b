"""The export page as somebody uses it: by mouse and keyboard, before, while and after something is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeEngine
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.exporting import Exporting
from sightmix.ui.window import places, theme
from sightmix.ui.window.export_view import ExportView
from sightmix.ui.window.side_page import WIDTH, SidePage
from test_exporting import ROWS

RESULT = Source(Path("/film/cut.otio"))


class Desk:
    def __init__(self, qtbot: QtBot) -> None:
        self.there: set[Path] = set()
        self.engine = FakeEngine()
        self.part = Exporting(self.engine, lambda path: path in self.there)
        self.view = ExportView(self.part)
        qtbot.addWidget(self.view)
        self.view.resize(420, 900)
        self.view.show()
        self.qtbot = qtbot
        self.part.show(RESULT)

    def press(self, button: QAbstractButton) -> None:
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def choose(self, title: str) -> None:
        table = self.view.targets
        [item] = table.findItems(title, Qt.MatchFlag.MatchExactly)
        self.qtbot.mouseClick(
            table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(item).center()
        )

    def finish(self, **more: object) -> None:
        [request] = self.engine.open("export")
        request.finish({"out": request.data["out"], "files": [request.data["out"]], "losses": [], **more})


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    theme.use("dark", scale=1.0)
    made = Desk(qtbot)
    yield made
    made.view.stop()


def texts(table: QTreeWidget) -> list[list[str]]:
    rows = [table.topLevelItem(row) for row in range(table.topLevelItemCount())]
    return [[row.text(column) for column in range(table.columnCount())] for row in rows if row is not None]


def test_every_program_is_listed_with_what_it_takes(desk: Desk) -> None:
    listed = dict(row for row in texts(desk.view.targets))
    assert listed["DaVinci Resolve"] == "OpenTimelineIO (.otio)"
    assert listed["Final Cut Pro"] == "FCPXML 1.10 (.fcpxml)"
    assert listed["Stems (WAV)"] == "BWF (.wav)"
    table = desk.view.targets
    last = table.topLevelItem(table.topLevelItemCount() - 1)
    assert last is not None
    assert table.viewport().rect().contains(table.visualItemRect(last).center()), "a row is hidden"


def test_the_result_itself_has_no_export_but_a_hint(desk: Desk) -> None:
    assert not desk.view.start.isVisible()
    assert "File > Import > Timeline, choose cut.otio" in desk.view.hints.text()
    assert desk.view.reveal.isVisible()


def test_a_timeline_that_nothing_was_done_to_is_called_no_result(desk: Desk) -> None:
    assert not desk.view.bare.isVisible()
    desk.part.show(Source(Path("/film/cut.otio")), is_result=False)
    assert desk.view.bare.text() == "Nothing is rebalanced yet: this is the timeline as it was."
    assert not desk.view.end.isVisible()
    desk.choose("Reaper")
    assert desk.view.bare.isVisible()
    assert desk.view.start.isEnabled(), "it can be exported all the same"
    desk.part.show(Source(Path("/film/cut.otio")))
    assert not desk.view.bare.isVisible()


def test_what_it_will_lack_stands_there_before(desk: Desk) -> None:
    desk.part.look(True)
    desk.choose("Shotcut")
    assert "The start timecode is not carried." in desk.view.lacks.text()
    assert "Looking" in desk.view.lacks.text()
    loss = "Clips off the frame grid are moved onto it, by up to half a frame (6 clips)."
    desk.engine.open("uncarried")[0].finish({"losses": [loss]})
    assert desk.view.lacks.text() == f"• {loss}"
    desk.choose("Reaper")
    desk.engine.open("uncarried")[0].finish({"losses": []})
    assert desk.view.lacks.text() == "Nothing of this timeline is lost."
    desk.choose("plain OTIO")
    desk.engine.open("uncarried")[0].finish({"losses": []})
    assert "is rendered into a folder beside it" in desk.view.lacks.text()


def test_an_export_from_click_to_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.choose("Reaper")
    assert desk.view.where.whole == "/film/cut.rpp"
    desk.press(desk.view.start)
    assert not desk.view.start.isVisible()
    assert not desk.view.targets.isEnabled()
    [request] = desk.engine.open("export")
    request.tell({"stage": "stems", "item": "MIX", "done": 1, "total": 4})
    assert desk.view.progress.value() == 250
    assert desk.view.stage.whole == "MIX · writing stems"
    desk.finish(losses=["Picture dissolves become cuts (1 clip)."])
    assert desk.view.written.text() == "Written: /film/cut.rpp"
    assert desk.view.lost.text() == "• Picture dissolves become cuts (1 clip)."
    assert desk.view.hints.text().startswith("Open in Reaper: File > Open Project, choose cut.rpp")
    shown: list[tuple[str, Path]] = []
    for name in ("reveal", "open_folder", "open_file"):
        monkeypatch.setattr(places, name, lambda path, name=name: shown.append((name, path)))
    for button in (desk.view.reveal, desk.view.folder, desk.view.open):
        desk.press(button)
    assert [name for name, _ in shown] == ["reveal", "open_folder", "open_file"]
    assert {path for _, path in shown} == {Path("/film/cut.rpp")}


def test_stopping_leaves_the_page_as_it_was(desk: Desk) -> None:
    desk.choose("Reaper")
    desk.press(desk.view.start)
    desk.press(desk.view.cancel)
    assert desk.engine.asked[-1].cancelled
    assert desk.view.start.isVisible()
    assert not desk.view.fault.isVisible()
    assert not desk.view.end.isVisible()


def test_a_failure_is_a_sentence_that_can_be_copied(desk: Desk) -> None:
    desk.choose("Reaper")
    desk.press(desk.view.start)
    desk.engine.open("export")[0].fail(Failure("The disk is full.", "WriteError", details="Traceback"))
    assert desk.view.fault.text() == "The disk is full."
    desk.press(desk.view.copy)
    assert QApplication.clipboard().text() == "The disk is full.\nWriteError\nTraceback\n"
    desk.choose("Shotcut")
    assert not desk.view.fault.isVisible()


def test_another_place_and_a_file_that_is_there(desk: Desk) -> None:
    desk.there.add(Path("/else/mine.rpp"))
    desk.choose("Reaper")
    asked: list[str] = []

    def ask(title: str, start: str) -> Path | None:
        asked.append(start)
        return Path("/else/mine.rpp")

    desk.view.ask_file = ask
    desk.press(desk.view.choose)
    assert asked == ["/film/cut.rpp"]
    assert desk.view.where.whole == "/else/mine 2.rpp"
    assert desk.view.aside.text().startswith("mine.rpp is there already")
    desk.view.ask_file = lambda title, start: None
    desk.press(desk.view.choose)
    assert desk.view.where.whole == "/else/mine 2.rpp", "nothing was chosen"


def test_stems_by_keyboard_and_their_delivery(desk: Desk) -> None:
    view, qtbot = desk.view, desk.qtbot
    assert not view.stems.isVisible()
    desk.choose("Stems (WAV)")
    qtbot.keyClicks(view.project, "FILM")
    qtbot.keyClicks(view.reel, "R1")
    desk.press(view.boxes["ME"])
    desk.press(view.mono)
    view.per.setFocus()
    qtbot.keyClick(view.per, Qt.Key.Key_Down)
    view.delivery.setFocus()
    while view.delivery.currentData() != "netflix":
        qtbot.keyClick(view.delivery, Qt.Key.Key_Down)
    desk.press(view.start)
    [request] = desk.engine.open("export")
    assert request.data["options"] == {
        "project": "FILM", "reel": "R1", "stems": ["DX", "MX", "FX", "MIX"], "per": "clip", "interleaved": False,
        "delivery": "netflix",
    }  # fmt: skip
    desk.finish(rows=ROWS)
    assert texts(view.rows) == [
        ["a", "", "", ""],
        ["programme loudness", "−23.00 LUFS", "-23 ± 0.2", "ok"],
        ["true peak", "−0.30 dBTP", "at most -1", "OUT"],
        ["loudness range", "–", "4 to 18", "advised otherwise"],
        ["sample rate", "48000 Hz", "48000", "ok"],
    ]
    assert "original time stamp" in view.hints.text()
    assert not view.reveal.isVisible()


def test_no_stem_no_export(desk: Desk) -> None:
    desk.choose("Stems (WAV)")
    for box in desk.view.boxes.values():
        desk.press(box)
    assert not desk.view.start.isEnabled()


def test_a_check_of_files(desk: Desk) -> None:
    desk.view.ask_files = lambda: [Path("/film/a.wav")]
    desk.press(desk.view.check)
    [request] = desk.engine.open("check")
    assert request.data["delivery"] == desk.view.spec.currentData()
    request.finish({"rows": ROWS[:1]})
    assert desk.view.verdict.text().endswith(": met.")
    desk.view.ask_files = list
    desk.press(desk.view.check)
    assert desk.engine.open("check") == []


def colour_of(table: QTreeWidget, row: int) -> str:
    item = table.topLevelItem(row)
    assert item is not None
    return QColor(item.foreground(3).color()).name()


def test_verdicts_have_the_colours_of_the_theme(desk: Desk) -> None:
    desk.part.check((Path("/film/a.wav"),), "netflix")
    desk.engine.open("check")[0].finish({"rows": ROWS})
    for name in ("dark", "light"):
        theme.use(name)  # type: ignore[arg-type]
        now = theme.current()
        found = [colour_of(desk.view.checked, row) for row in (1, 2, 3)]
        assert found == [now.good, now.fault, now.warning]
    theme.use("dark")


def test_everything_has_a_name_a_tooltip_and_the_keyboard(desk: Desk) -> None:
    desk.choose("Stems (WAV)")
    desk.press(desk.view.start)
    desk.finish(rows=ROWS)
    desk.part.check((Path("/film/a.wav"),), "netflix")
    desk.engine.open("check")[0].fail(Failure("No.", "Error"))
    kinds = (QAbstractButton, QComboBox, QLineEdit, QTreeWidget)
    found = [widget for kind in kinds for widget in desk.view.findChildren(kind)]
    assert len(found) > 15
    for widget in found:
        name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        assert name, widget
        assert widget.toolTip() or widget.parent() in found or isinstance(widget, QTreeWidget), name
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, name


# The page it lies on


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.other = QLineEdit(made)  # type: ignore[attr-defined]
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.other.setFocus()  # type: ignore[attr-defined]
    return made


def test_a_page_at_the_edge_that_stops_nothing(window: QWidget, qtbot: QtBot) -> None:
    part = Exporting(FakeEngine())
    made: list[ExportView] = []

    def make() -> ExportView:
        made.append(ExportView(part))
        return made[-1]

    page = SidePage(window, "Export", make)
    heard: list[str] = []
    page.opened.connect(lambda: heard.append("opened"))
    page.closed.connect(lambda: heard.append("closed"))
    assert made == [], "made before anybody looks"
    page.toggle()
    assert (page.width(), page.x(), page.height()) == (WIDTH, 1280 - WIDTH, 800)
    assert made[0].targets.hasFocus()
    qtbot.keyClick(made[0].targets, Qt.Key.Key_Down)
    assert part.target.key == "premiere", "arrows choose"
    window.resize(440, 800)
    assert page.geometry().getRect() == (0, 0, 440, 800)
    qtbot.keyClick(made[0].targets, Qt.Key.Key_Escape)
    assert not page.isVisible()
    assert window.other.hasFocus()  # type: ignore[attr-defined]
    page.toggle()
    assert len(made) == 1
    assert heard == ["opened", "closed", "opened"]
    page.stop()


@pytest.mark.parametrize(
    ("system", "command"),
    [("darwin", ["open", "-R", "/film/a.xml"]), ("linux", [])],
)
def test_how_a_file_is_shown(system: str, command: list[str]) -> None:
    assert places.revealing(Path("/film/a.xml"), system) == command
    assert places.revealing(Path("/film/a.xml"), "win32")[:2] == ["explorer", "/select,"]


def test_a_file_that_has_gone_shows_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        places.QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True
    )
    assert places.reveal(tmp_path / "gone.xml", "darwin")
    assert places.open_folder(tmp_path)
    assert places.open_file(tmp_path / "gone.xml")
    assert opened == [str(tmp_path), str(tmp_path), str(tmp_path / "gone.xml")]
