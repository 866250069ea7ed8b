"""The ways out of the window: export, Foley and Resolve, from its commands to what is asked of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from shell_fakes import FakePanel, document, make_parts
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.base.topics import Topic
from sightmix.ui.control.exporting import Exporting
from sightmix.ui.control.foley import Foley
from sightmix.ui.control.host import Host
from sightmix.ui.control.queue import DONE, Entry
from sightmix.ui.control.takeback import TakeBack
from sightmix.ui.window import theme
from sightmix.ui.window.export_view import ExportView
from sightmix.ui.window.main_window import MainWindow
from sightmix.ui.window.notices import Notice
from sightmix.ui.window.outside import Outside

CUT = Path("/home/me/sightmix/Film/Cut_1/timeline.otio")
OPENED = {
    "source": Source(CUT).to_dict(),
    "project": "Film",
    "timeline": "Cut 1",
    "selected": [2, 3],
    "folder": str(CUT.parent),
}


class Desk:
    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot, self.engine, self.panel = qtbot, FakeEngine(), FakePanel()
        self.panel.queue.finished = Topic()  # type: ignore[attr-defined]
        self.window = MainWindow(self.panel, make_parts)
        qtbot.addWidget(self.window)
        self.exporting, self.host = Exporting(self.engine, lambda path: False), Host(self.engine)
        self.foley = Foley(self.engine, self.panel.history)
        self.takeback = TakeBack(self.engine, self.panel.history)
        self.outside = Outside(self.window, self.exporting, self.foley, self.host, takeback=self.takeback)
        self.window.show()

    def open(self, path: Path = Path("/show/episode 3.otio")) -> None:
        shown = document(5, path)
        self.panel.clips.show(shown)
        self.panel.clips.opened.emit(shown)
        self.qtbot.waitUntil(lambda: self.window.keys.action("export").isEnabled())

    def end(self, source: Path, out: Path, status: str = "rendered", do: str = "rebalance") -> None:
        data = {"source": Source(source).to_dict(), "out": str(out)}
        answer = {"result": {"clips": [{"status": "left out"}, {"status": status}]}}
        self.panel.queue.finished.emit(Entry(1, do, data, "Cut", DONE, answer=answer))  # type: ignore[attr-defined]

    @property
    def said(self) -> tuple[Notice, ...]:
        """What the window says, but for what it says of itself."""
        return tuple(notice for notice in self.window.notices.notices if notice.key != "tour")

    def reason(self, name: str) -> str:
        return self.window.keys.tip(name).partition("\n")[2]

    def ask(self, do: str) -> Any:
        [request] = self.engine.open(do)
        return request


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    theme.use("dark", scale=1.0)
    made = Desk(qtbot)
    yield made
    made.outside.stop()
    made.window.close()


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
    page = desk.outside.export_page
    assert page.isVisible()
    view = page.view
    assert isinstance(view, ExportView)
    desk.qtbot.keyClick(view.targets, Qt.Key.Key_Down)
    assert desk.exporting.out == Path("/show/episode 3.xml")
    assert desk.ask("uncarried").data["to"] == "fcp7"
    # Keys of the page are not the window's: these would play, and change sides.
    for key in (Qt.Key.Key_Space, Qt.Key.Key_A):
        desk.qtbot.keyClick(view.start, key)
    assert not desk.panel.deck.playing
    assert desk.panel.deck.side == "before"
    desk.end(Path("/show/episode 3.otio"), Path("/show/episode 3 rebalanced.otio"))
    assert desk.exporting.out == Path("/show/episode 3 rebalanced.xml")
    desk.end(Path("/show/other.otio"), Path("/show/other rebalanced.otio"))
    assert desk.exporting.out == Path("/show/episode 3 rebalanced.xml")
    desk.panel.clips.show(None)
    assert not page.isVisible()
    assert desk.exporting.source is None


@pytest.mark.parametrize(("status", "do"), [("failed", "rebalance"), ("rendered", "export")])
def test_a_job_without_a_timeline_is_no_result(status: str, do: str, desk: Desk) -> None:
    desk.open()
    desk.end(Path("/show/episode 3.otio"), Path("/show/never.otio"), status, do)
    assert desk.outside.results == {}


def test_opening_another_timeline_shows_its_own_result(desk: Desk) -> None:
    desk.open()
    desk.end(Path("/show/a.otio"), Path("/show/a rebalanced.otio"))
    desk.open(Path("/show/a.otio"))
    assert desk.exporting.source == Source(Path("/show/a rebalanced.otio"))
    assert desk.foley.source == Source(Path("/show/a.otio"))


def test_foley_goes_where_a_place_is(desk: Desk) -> None:
    desk.open()
    desk.window.keys.trigger("foley")
    view = desk.outside.foley_page.view
    assert view is not None
    view.went.emit(2.0)  # type: ignore[attr-defined]
    assert desk.panel.deck.position == 2 * desk.panel.deck.rate


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
    request.finish(OPENED)
    assert desk.panel.clips.asked == [("open", Source(CUT))]
    desk.open(CUT)
    assert desk.panel.clips.choice.chosen == (2, 3), "what was selected in Resolve"
    assert desk.reason("lay") == "There is no result yet: rebalance first."
    desk.end(CUT, CUT.with_name("rebalanced.otio"))
    assert desk.reason("lay") == ""
    desk.window.keys.trigger("lay")
    asked = desk.ask("resolve_write")
    assert asked.data["out"] == str(CUT.with_name("rebalanced.otio"))
    assert asked.data["source"] == Source(CUT).to_dict()
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


def test_clips_are_taken_off_the_newest_result_until_it_is_written_again(desk: Desk) -> None:
    desk.open()
    desk.outside.take_back((2, 3))
    assert desk.engine.open("withdraw") == [], "there is no result"
    source, out = Path("/show/episode 3.otio"), Path("/show/episode 3 rebalanced.otio")
    desk.end(source, out)
    desk.outside.take_back((2, 3))
    request = desk.ask("withdraw")
    assert (request.data["out"], request.data["clips"]) == (str(out), "2-3")
    request.finish({"clips": [2, 3]})
    assert desk.takeback.off(out) == {2, 3}
    desk.window.keys.trigger("undo")
    desk.ask("put_back").finish({"clips": [2, 3]})
    assert desk.takeback.off(out) == frozenset()
    desk.outside.take_back((2,))
    desk.ask("withdraw").fail(Failure("Somebody moved it.", "WriteError"))
    assert [notice.text for notice in desk.said] == ["Somebody moved it."]
    desk.outside.take_back((3,))
    desk.ask("withdraw").finish({"clips": [3]})
    desk.end(source, out)
    assert desk.takeback.off(out) == frozenset()


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


def test_a_result_of_an_earlier_visit_is_not_laid_on_what_was_exported_anew(desk: Desk) -> None:
    desk.outside.results[CUT] = CUT.with_name("rebalanced.otio")
    desk.window.keys.trigger("open_resolve")
    desk.ask("resolve_open").finish(replace_selected(OPENED))
    assert CUT not in desk.outside.results


def replace_selected(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "selected": []}
