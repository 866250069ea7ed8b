"""The ways out of the window: export, Foley and Resolve, from its commands to what is asked of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clips_kit import many
from fakes import FakeEngine
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shell_fakes import make_parts
from sightmix.plugin.jobs.defaults import Defaults
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.base.source import Source
from sightmix.ui.control.panel import Panel
from sightmix.ui.control.queue import DONE, Entry
from sightmix.ui.window import theme
from sightmix.ui.window.export_view import ExportView
from sightmix.ui.window.main_window import MainWindow
from sightmix.ui.window.notices import Notice
from sightmix.ui.window.outside import Outside


class Desk:
    """A window over a panel of real parts, with an engine that the test answers for."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot, self.engine, self.folder = qtbot, FakeEngine(), folder
        self.panel = Panel(self.engine, InlinePump(), defaults=Defaults(None))
        self.window = MainWindow(self.panel, make_parts)
        qtbot.addWidget(self.window)
        self.outside = Outside(self.window)
        self.window.show()
        self.cut = folder / "cut.otio"

    def open(self, path: Path | None = None) -> None:
        self.panel.clips.open(Source(path or self.cut))
        self.answer()

    def answer(self) -> None:
        """The timeline that was asked for is read."""
        [request] = self.engine.open("open")
        request.finish({**many(6), "source": request.data["source"]})
        self.window.keys.refresh()

    def end(self, path: Path | None = None) -> Path:
        """A job of a timeline has ended, and its result is there."""
        source = path or self.cut
        out = source.with_name(f"{source.stem}_mixed.otio")
        out.write_text("{}")
        data = {"source": Source(source).to_dict(), "out": str(out)}
        answer = {"result": {"clips": [], "summary": {"seconds": 1.0}}, "mix": None}
        self.panel.queue.finished.emit(Entry(1, "rebalance", data, "Cut", DONE, answer=answer))
        self.window.keys.refresh()
        return out

    @property
    def said(self) -> tuple[Notice, ...]:
        """What the window says of Resolve, and of what failed."""
        return tuple(n for n in self.window.notices.notices if n.key == "resolve" or n.kind == "fault")

    def reason(self, name: str) -> str:
        return self.window.keys.tip(name).partition("\n")[2]

    def ask(self, do: str) -> Any:
        [request] = self.engine.open(do)
        return request


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    theme.use("dark", scale=1.0)
    made = Desk(qtbot, tmp_path)
    yield made
    made.outside.stop()
    made.window.close()
    made.panel.close()


def test_nothing_open_nothing_to_export(desk: Desk) -> None:
    for name in ("export", "foley", "lay"):
        assert desk.reason(name) == "No timeline is open."
        desk.window.keys.trigger(name)
    assert not desk.outside.export_page.isVisible()
    assert desk.reason("open_resolve") == ""


def test_export_by_its_key_of_what_is_open_then_of_its_result(desk: Desk) -> None:
    desk.open()
    desk.window.activateWindow()
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    page, part = desk.outside.export_page, desk.panel.exporting
    assert page.isVisible()
    view = page.view
    assert isinstance(view, ExportView)
    desk.qtbot.keyClick(view.targets, Qt.Key.Key_Down)
    assert part.out == desk.folder / "cut.xml"
    assert desk.ask("uncarried").data["to"] == "fcp7"
    # Keys of the page are not the window's: these would play, and change sides.
    for key in (Qt.Key.Key_Space, Qt.Key.Key_A):
        desk.qtbot.keyClick(view.start, key)
    assert not desk.panel.deck.playing
    assert desk.panel.deck.side == "before"
    assert not part.is_result
    desk.end()
    assert part.out == desk.folder / "cut_mixed.xml"
    assert part.is_result
    desk.panel.clips.close()
    assert not page.isVisible()
    assert part.source is None


def test_foley_goes_where_a_place_is(desk: Desk) -> None:
    desk.open()
    desk.window.keys.trigger("foley")
    view = desk.outside.foley_page.view
    assert view is not None
    view.went.emit(2.0)  # type: ignore[attr-defined]
    assert desk.panel.transport.seconds == pytest.approx(2.0)


def test_one_page_at_a_time(desk: Desk) -> None:
    desk.open()
    for name, shown in (("export", (True, False)), ("foley", (False, True)), ("export", (True, False))):
        desk.window.keys.trigger(name)
        pages = (desk.outside.export_page, desk.outside.foley_page)
        assert tuple(page.isVisible() for page in pages) == shown
        front = pages[shown.index(True)]
        assert front.isAncestorOf(QApplication.focusWidget())


def opened_in_resolve(desk: Desk) -> dict[str, Any]:
    return {
        "source": Source(desk.cut).to_dict(),
        "project": "Film",
        "timeline": "Cut 1",
        "selected": [2, 3],
        "folder": str(desk.folder),
    }


def test_from_resolve_and_back(desk: Desk) -> None:
    desk.window.keys.trigger("open_resolve")
    request = desk.ask("resolve_open")
    assert request.data == {"road": "auto", "out": None}
    assert desk.reason("open_resolve") == "Resolve is being asked already."
    request.tell({"waiting": "Choose Workspace > Scripts > sightmix."})
    [notice] = desk.said
    assert notice.text.startswith("Choose Workspace")
    request.tell({"waiting": ""})
    assert desk.said == ()
    request.finish(opened_in_resolve(desk))
    desk.answer()
    assert desk.panel.clips.source == Source(desk.cut)
    assert desk.panel.clips.choice.chosen == (2, 3), "what was selected in Resolve"
    assert desk.reason("lay") == "There is no result yet: rebalance first."
    out = desk.end()
    assert desk.reason("lay") == ""
    desk.panel.options.set("stems", True)
    desk.window.keys.trigger("lay")
    asked = desk.ask("resolve_write")
    assert asked.data["stems"] is True
    assert asked.data["out"] == str(out)
    assert asked.data["source"] == Source(desk.cut).to_dict()
    asked.tell({"waiting": "Choose it."})
    asked.tell({"waiting": ""})
    [notice] = desk.said
    assert notice.text.startswith("Laying")
    asked.finish(
        {"timeline": "Cut 1 [rebalanced]", "tracks": ["sightmix"], "muted_tracks": 1, "muted_clips": 0,
         "notes": ["One clip is silent."]}
    )  # fmt: skip
    [notice] = desk.said
    assert notice.text == "In Resolve: “Cut 1 [rebalanced]”, on sightmix.\nOne clip is silent."


def test_what_is_chosen_afterwards_stays_chosen(desk: Desk) -> None:
    desk.window.keys.trigger("open_resolve")
    desk.ask("resolve_open").finish(opened_in_resolve(desk))
    desk.answer()
    desk.panel.clips.choice.choose([1])
    desk.panel.clips.reopen()
    desk.answer()
    assert desk.panel.clips.choice.chosen == (1,)


def test_another_timeline_is_not_laid_in_resolve(desk: Desk) -> None:
    desk.open()
    assert desk.reason("lay") == "This timeline was not opened from DaVinci Resolve."


def test_launched_beside_resolve_and_stopped(desk: Desk) -> None:
    desk.outside.launched()
    request = desk.ask("resolve_open")
    assert request.data["road"] == "launched"
    request.tell({"waiting": "Choose it."})
    [notice] = desk.said
    [(_, stop)] = notice.deeds
    stop()
    assert request.cancelled
    assert desk.said == (), "stopping is no failure"


def test_resolve_says_no(desk: Desk) -> None:
    desk.window.keys.trigger("open_resolve")
    desk.ask("resolve_open").fail(Failure("No project is open in Resolve.", "HostError"))
    [notice] = desk.said
    assert (notice.text, notice.kind) == ("No project is open in Resolve.", "fault")
    assert desk.reason("open_resolve") == ""


def test_clips_are_taken_off_the_result_until_it_is_written_again(desk: Desk) -> None:
    desk.open()
    desk.panel.withdraw((2, 3))
    assert desk.engine.open("withdraw") == [], "there is no result"
    out = desk.end()
    desk.panel.withdraw((2, 3))
    request = desk.ask("withdraw")
    assert (request.data["out"], request.data["clips"]) == (str(out), "2-3")
    request.finish({"clips": [2, 3]})
    assert desk.panel.takeback.off(out) == {2, 3}
    desk.window.keys.trigger("undo")
    desk.ask("put_back").finish({"clips": [2, 3]})
    assert desk.panel.takeback.off(out) == frozenset()
    desk.panel.withdraw((2,))
    desk.ask("withdraw").fail(Failure("Somebody moved it.", "WriteError"))
    assert [notice.text for notice in desk.said] == ["Somebody moved it."]
    desk.panel.withdraw((3,))
    desk.ask("withdraw").finish({"clips": [3]})
    desk.end()
    assert desk.panel.takeback.off(out) == frozenset()
