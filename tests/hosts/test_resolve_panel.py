"""The panel beside Resolve: its open timeline comes in, a finished result goes onto a copy, by every road."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from fake_resolve import Fault, Traps
from host_helpers import FakeFusion, Script, project
from sightmix.engine.errors import Cancelled
from sightmix.engine.media.reader import read_span
from sightmix.plugin.hosts.errors import HostError
from sightmix.plugin.hosts.resolve import commands, panel
from sightmix.plugin.hosts.resolve.folders import Machine
from sightmix.plugin.hosts.resolve.studio import Live
from sightmix.plugin.timeline import open_timeline, write_result
from sightmix.plugin.timeline.results import Gain, Ridden
from sightmix.ui.remote import host_handlers
from sightmix.ui.remote.call import Call
from sightmix.ui.remote.kept import Kept
from sightmix.ui.remote.protocol import Message

FPS = 24


class Asked(Call):
    """A request as the engine's process hands it to who answers it, and what was told of it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(1, "resolve", "", data, self._send)
        self.told: list[Mapping[str, Any]] = []

    def _send(self, message: Message) -> None:
        self.told.append(message.data["event"])


NOTHING_KEPT = cast(Kept, None)


class Studio:
    """A machine with a Resolve that lets programs in, or (free) only its script."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, free: bool = False) -> None:
        (folder / "media").mkdir()
        self.folder, self.out = folder, folder / "out here"
        self.machine = Machine("linux", {}, folder, folder)
        self.fake = project(folder / "media", Traps(free_edition=free))
        self.before = self.fake.first.state()
        monkeypatch.setattr(commands, "Machine", lambda: self.machine)
        monkeypatch.setattr(panel, "Machine", lambda: self.machine)
        monkeypatch.setattr(commands, "connect", lambda machine: Live(self.fake, "Resolve", self.fake))
        self.scripts: list[Script] = []
        self.stop = False

    def open(self, road: str = "python") -> tuple[dict[str, Any], Asked]:
        call = Asked({"out": str(self.out), "road": road})
        return dict(host_handlers.resolve_open(call, NOTHING_KEPT)), call

    def write(self, opened: Mapping[str, Any], result: Path, road: str = "python", **more: Any) -> Any:
        call = Asked({"source": opened["source"], "out": str(result), "road": road, **more})
        return host_handlers.resolve_write(call, NOTHING_KEPT)

    def rebalanced(self, opened: Mapping[str, Any], clips: tuple[int, ...] = (1, 2, 4)) -> Path:
        """A finished result of the timeline: the chosen clips on new tracks, 6 dB down."""
        timeline = open_timeline(Path(opened["source"]["path"]))
        line = Gain((0.0,), (-6.0,))
        results = {index: [Ridden(line, category="dialogue")] for index in clips}
        out = Path(opened["folder"]) / "rebalanced.otio"
        return write_result(timeline, results, out, mute_originals=True)

    def click(self, sandboxed: bool) -> threading.Thread:
        """Someone chooses the script in the menu as soon as sightmix waits."""

        def later() -> None:
            while not (self.machine.meeting / "session.lua").exists():
                if self.stop:
                    return
                time.sleep(0.01)
            fusion = FakeFusion(self.machine.profiles[0])
            self.scripts.append(Script("luajit21", self.fake, self.machine.meeting, sandboxed, fusion))

        self.machine.profiles[0].parent.mkdir(parents=True, exist_ok=True)
        thread = threading.Thread(target=later, daemon=True)
        thread.start()
        return thread

    def sound_on(self, track: int) -> np.ndarray:
        copy = self.fake.project.timelines[-1]
        [item] = copy.tracks["audio"][track].items
        assert item.media is not None
        return read_span(item.media.path, Fraction(0), Fraction(item.duration, FPS))


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    made = Studio(tmp_path, monkeypatch)
    yield made
    made.stop = True


@pytest.fixture
def free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    made = Studio(tmp_path, monkeypatch, free=True)
    yield made
    made.stop = True


def test_the_open_timeline_comes_with_its_selection(studio: Studio) -> None:
    first = studio.fake.first
    first.selected = [first.tracks["audio"][0].items[1], first.tracks["audio"][1].items[0]]
    opened, call = studio.open()
    assert opened["project"] == "Film"
    assert opened["timeline"] == "Cut 1"
    path = Path(opened["source"]["path"])
    assert path == studio.out / "Film" / "Cut_1" / "timeline.otio"
    assert Path(opened["folder"]) == path.parent
    clips = open_timeline(path).clips
    assert [clips[number - 1].name for number in opened["selected"]] == ["three", "two"]
    assert call.told == [{"waiting": ""}]
    assert first.state() == studio.before


def test_nothing_selected_and_an_older_studio(studio: Studio) -> None:
    assert studio.open()[0]["selected"] == []
    studio.fake.first.selected = list(studio.fake.first.tracks["audio"][0].items)
    studio.fake.version = "20.3.2.9"
    assert studio.open()[0]["selected"] == []


@pytest.mark.parametrize("sandboxed", [False, True])
def test_the_free_edition_is_never_asked_what_is_selected(sandboxed: bool, free: Studio) -> None:
    """Nobody knows whether it may be; a call that it does not have would put up a window."""
    free.fake.first.selected = list(free.fake.first.tracks["audio"][0].items)
    clicked = free.click(sandboxed)
    opened, call = free.open("script")
    clicked.join()
    assert opened["selected"] == []
    assert not any(method == "GetSelectedClips" for _, method, _ in free.fake.world.log)
    assert "choose Workspace > Scripts > sightmix" in call.told[0]["waiting"]
    assert call.told[-1] == {"waiting": ""}
    assert free.scripts[0].join() == ["sightmix: done"]


@pytest.mark.parametrize("road", ["python", "script"])
def test_a_result_is_laid_on_a_copy(road: str, free: Studio) -> None:
    clicked = free.click(sandboxed=False) if road == "script" else None
    opened, _ = free.open(road)
    if clicked is not None:
        clicked.join()
        free.scripts[0].join()
        clicked = free.click(sandboxed=True)
    made = free.write(opened, free.rebalanced(opened), road)
    if clicked is not None:
        clicked.join()
    assert made["timeline"] == "Cut 1 [rebalanced]"
    assert (made["muted_tracks"], made["muted_clips"], made["tracks"]) == (1, 1, ["sightmix"])
    copy = free.fake.project.timelines[-1]
    assert [t.enabled for t in copy.tracks["audio"]] == [False, True, True]
    assert [i.enabled for i in copy.tracks["audio"][1].items] == [False, True], "what is lost still plays"
    whole = np.zeros((2, 96 * 2000), np.float32)
    for name, record, source, count in (
        ("tief ü.wav", 0, 0, 48),
        ("tief ü.wav", 72, 24, 24),
        ("high.wav", 24, 48, 24),
    ):
        x = read_span(free.folder / "media" / name, Fraction(source, FPS), Fraction(count, FPS))
        whole[:, record * 2000 : (record + count) * 2000] += x * 10 ** (-6 / 20)
    assert np.abs(free.sound_on(2) - whole).max() < 1e-5
    assert free.fake.first.state() == free.before
    assert not free.fake.world.modal


def test_stems_apart_and_only_what_the_result_stands_for_falls_silent(studio: Studio) -> None:
    opened, _ = studio.open()
    made = studio.write(opened, studio.rebalanced(opened, (1,)), stems=True)
    assert made["tracks"] == ["sightmix dialogue"], (
        "a stem for each kind that the result has, and no empty ones"
    )
    copy = studio.fake.project.timelines[-1]
    assert [t.enabled for t in copy.tracks["audio"]] == [True, True, True]
    assert [i.enabled for i in copy.tracks["audio"][0].items] == [False, True]


def test_a_timeline_edited_meanwhile_is_left_alone(studio: Studio) -> None:
    opened, _ = studio.open()
    result = studio.rebalanced(opened)
    studio.fake.first.put("audio", 2, "sting", 80, 4)
    with pytest.raises(HostError, match="'Cut 1' was edited while it was being rebalanced"):
        studio.write(opened, result)
    assert studio.fake.project.timelines == [studio.fake.first]


@pytest.mark.parametrize("text", [None, "{}", "[]", '{"name": "x", "identity": "y", "tracks": [1]}'])
def test_without_what_was_seen_nothing_is_laid(text: str | None, studio: Studio) -> None:
    opened, _ = studio.open()
    result = studio.rebalanced(opened)
    seen = Path(opened["folder"]) / panel.SEEN
    assert json.loads(seen.read_text(encoding="utf-8"))["name"] == "Cut 1"
    seen.unlink() if text is None else seen.write_text(text)
    with pytest.raises(HostError, match="open it from Resolve again"):
        studio.write(opened, result)


def test_a_timeline_that_holds_nothing_of_ours(studio: Studio) -> None:
    opened, _ = studio.open()
    with pytest.raises(HostError, match="holds no result of ours"):
        studio.write(opened, Path(opened["source"]["path"]))
    assert studio.fake.project.timelines == [studio.fake.first]


def test_a_failure_on_the_way_leaves_no_copy(studio: Studio) -> None:
    opened, _ = studio.open()
    studio.fake.world.faults["AppendToTimeline"] = Fault("none")
    with pytest.raises(HostError, match="The copy was removed again"):
        studio.write(opened, studio.rebalanced(opened))
    assert studio.fake.project.timelines == [studio.fake.first]


def test_waiting_for_the_script_is_stopped_at_once(free: Studio) -> None:
    call = Asked({"out": str(free.out), "road": "script"})
    threading.Timer(0.1, call.progress.cancel).start()
    with pytest.raises(Cancelled):
        host_handlers.resolve_open(call, NOTHING_KEPT)
    assert list(free.machine.meeting.iterdir()) == []


# Started from Resolve's menu.


def test_the_menu_entry_finds_the_panel_that_it_started(free: Studio) -> None:
    clicked = free.click(sandboxed=False)
    opened, call = free.open("launched")
    clicked.join()
    assert opened["timeline"] == "Cut 1"
    assert call.told == [{"waiting": ""}], "nobody has to do anything"


def test_started_by_hand_any_road_is_taken(
    studio: Studio, free_road: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "_SOON", 0.05)
    free_road("python")
    opened, _ = studio.open("launched")
    assert opened["timeline"] == "Cut 1"


def test_where_no_road_is_sure_the_script_is_waited_for(
    free: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "_SOON", 0.05)
    call = Asked({"out": str(free.out), "road": "launched", "wait": 0.1})
    with pytest.raises(HostError, match="choose Workspace > Scripts > sightmix in Resolve"):
        host_handlers.resolve_open(call, NOTHING_KEPT)
    assert "choose Workspace > Scripts > sightmix" in call.told[0]["waiting"]


@pytest.fixture
def free_road(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Say which road is found."""
    return lambda road: monkeypatch.setattr(panel, "choose", lambda wanted, machine: road)
