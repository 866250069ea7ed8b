"""From the command to the new timeline, over every road: the sound that ends up on the tracks is the right one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fake_resolve import FakeResolve, Fault, Traps
from host_helpers import FakeFusion, FakeRenderer, Script, project
from sightmix.engine.errors import MediaError
from sightmix.engine.media.reader import probe, read_span
from sightmix.plugin.cli.app import app
from sightmix.plugin.hosts.resolve import commands
from sightmix.plugin.hosts.resolve import rebalance as resolve_rebalance
from sightmix.plugin.hosts.resolve.folders import Machine
from sightmix.plugin.hosts.resolve.studio import Live
from sightmix.plugin.jobs import rebalance
from sightmix.plugin.jobs.rebalance import RebalanceStage
from typer.testing import CliRunner, Result

FPS = 24


# Every clip by itself, as the model leaves it: the fake renderer only turns it down.
ALONE = ("--unit", "clip", "--loudness", "model")


class Desk:
    """A machine with a home of its own and a fake Resolve, and a way to start the script in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "media").mkdir()
        self.folder = folder
        self.machine = Machine("linux", {}, folder, folder)
        self.fake = project(folder / "media", Traps(free_edition=True))
        self.renderer = FakeRenderer()
        self.out = folder / "out here"
        self.before = self.fake.first.state()
        monkeypatch.setattr(commands, "Machine", lambda: self.machine)
        monkeypatch.setattr(rebalance, "stage_for", lambda settings: RebalanceStage(settings, self.renderer))
        monkeypatch.setattr(commands, "connect", lambda machine: Live(self.fake, "Resolve", self.fake))
        self.profile = self.machine.profiles[0]
        self.profile.parent.mkdir(parents=True)
        self.scripts: list[Script] = []

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(
            app, ["resolve", "rebalance", "-o", str(self.out), "--wait", "1800", *ALONE, *arguments]
        )

    def click(self, sandboxed: bool) -> Callable[[], None]:
        """Someone chooses the script in the menu as soon as sightmix waits."""

        def later() -> None:
            while not (self.machine.meeting / "session.lua").exists():
                time.sleep(0.02)
            fusion = FakeFusion(self.profile)
            self.scripts.append(Script("luajit21", self.fake, self.machine.meeting, sandboxed, fusion))

        thread = threading.Thread(target=later, daemon=True)
        thread.start()
        return thread.join

    def check_untouched(self) -> None:
        assert self.fake.first.state() == self.before
        assert self.fake.project.current is self.fake.first
        assert self.fake.world.page == "fairlight"
        assert not self.fake.world.modal


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def sound_of(desk: Desk, track: int) -> np.ndarray:
    """What plays on a track of the copy from the timeline's start to its end, at 48 kHz."""
    copy = desk.fake.project.timelines[1]
    [item] = copy.tracks["audio"][track].items
    assert item.media is not None
    assert (item.start, item.source, item.duration) == (86400, 0, 96)
    return read_span(item.media.path, Fraction(0), Fraction(item.duration, FPS))


def expected(desk: Desk, clips: list[tuple[str, int, int, int]]) -> np.ndarray:
    whole = np.zeros((2, 96 * 2000), np.float32)
    for name, record, source, count in clips:
        x = read_span(desk.folder / "media" / name, Fraction(source, FPS), Fraction(count, FPS))
        whole[:, record * 2000 : (record + count) * 2000] += x * 10 ** (-3 / 20)
    return whole


ALL = [("tief ü.wav", 0, 0, 48), ("tief ü.wav", 72, 24, 24), ("high.wav", 24, 48, 24)]


@pytest.mark.parametrize("road", ["python", "http", "mailbox"])
def test_the_right_sound_on_a_copy(road: str, desk: Desk) -> None:
    clicked = desk.click(road == "mailbox") if road != "python" else lambda: None
    done = desk.run("--road", "python" if road == "python" else "script", "--json")
    clicked()
    assert done.exit_code == 0, done.output
    desk.check_untouched()
    facts = json.loads(done.stdout)
    assert facts["timeline"] == "Cut 1 [rebalanced]"
    assert (facts["done"], facts["failed"], facts["muted_tracks"], facts["muted_clips"]) == (3, 0, 1, 1)
    copy = desk.fake.project.timelines[1]
    assert [t.enabled for t in copy.tracks["audio"]] == [False, True, True]
    assert [i.enabled for i in copy.tracks["audio"][1].items] == [False, True], "what is lost still plays"
    assert copy.tracks["audio"][2].name == "sightmix"
    assert np.abs(sound_of(desk, 2) - expected(desk, ALL)).max() < 1e-6
    for script in desk.scripts:
        assert script.join() == ["sightmix: done"]
    assert not desk.machine.meeting.exists() or list(desk.machine.meeting.iterdir()) == []
    media = copy.tracks["audio"][2].items[0].media
    assert media is not None
    assert media.path.parent == desk.out / "Film" / "Cut_1" / "stems"
    assert probe(media.path).timecode == 3600


def test_stems_on_three_tracks_and_again(desk: Desk) -> None:
    done = desk.run("--road", "python", "--stems")
    assert done.exit_code == 0, done.output
    copy = desk.fake.project.timelines[1]
    names = [t.name for t in copy.tracks["audio"][2:]]
    assert names == ["sightmix dialogue", "sightmix music", "sightmix effects"]
    total = sum(sound_of(desk, track) for track in (2, 3, 4))
    assert np.abs(total - expected(desk, ALL)).max() < 2e-6
    first = {p.name for p in (desk.out / "Film" / "Cut_1" / "stems").iterdir()}
    desk.renderer.calls.clear()
    again = desk.run("--road", "python", "--stems")
    assert again.exit_code == 0, again.output
    assert desk.renderer.calls == [], "the cache was not used"
    assert len(desk.fake.project.timelines) == 3
    files = {p.name for p in (desk.out / "Film" / "Cut_1" / "stems").iterdir()}
    assert first < files, "a file Resolve plays from was overwritten"
    desk.check_untouched()


def test_one_clip_only(desk: Desk) -> None:
    done = desk.run("--road", "python", "--clips", "1")
    assert done.exit_code == 0, done.output
    copy = desk.fake.project.timelines[1]
    assert [t.enabled for t in copy.tracks["audio"]] == [True, True, True]
    assert [i.enabled for i in copy.tracks["audio"][0].items] == [False, True]
    assert np.abs(sound_of(desk, 2) - expected(desk, ALL[:1])).max() < 1e-6


def test_a_clip_that_fails_goes_on_sounding(desk: Desk) -> None:
    desk.renderer.failing["two"] = MediaError("two is damaged.")
    done = desk.run("--road", "python")
    assert done.exit_code == 1
    assert "two is damaged" in done.output
    copy = desk.fake.project.timelines[1]
    assert [i.enabled for i in copy.tracks["audio"][0].items] == [False, True]
    desk.check_untouched()


def test_nothing_works(desk: Desk) -> None:
    for name in ("one", "two", "three"):
        desk.renderer.failing[name] = MediaError(f"{name} is damaged.")
    done = desk.run("--road", "python")
    assert done.exit_code == 2
    assert "nothing was changed in Resolve" in done.output
    assert desk.fake.project.timelines == [desk.fake.first]


@pytest.mark.parametrize("how", ["none", "false", "drop"])
def test_an_export_that_does_not_happen(how: str, desk: Desk) -> None:
    """Export may say yes and write nothing."""
    desk.fake.world.faults["Export"] = Fault(how)
    done = desk.run("--road", "python")
    assert done.exit_code == 2
    assert "did not export the timeline" in done.output
    desk.check_untouched()


def test_an_edit_while_it_renders(desk: Desk) -> None:
    desk.fake.first.put("audio", 2, "sting", 80, 4)
    desk.before = desk.fake.first.state()
    render = desk.renderer.render

    def meanwhile(*arguments: object) -> object:
        desk.fake.first.tracks["audio"][1].items.pop()
        desk.before = desk.fake.first.state()
        desk.renderer.render = render  # type: ignore[method-assign]
        return render(*arguments)  # type: ignore[arg-type]

    desk.renderer.render = meanwhile  # type: ignore[method-assign,assignment]
    done = desk.run("--road", "python")
    assert done.exit_code == 2
    assert "'Cut 1' was edited while it was being rebalanced" in done.output
    desk.check_untouched()


def test_another_timeline_while_it_renders(desk: Desk) -> None:
    render = desk.renderer.render

    def meanwhile(*arguments: object) -> object:
        desk.fake.project.current = desk.fake.project.pool.make_timeline("Cut 2", "24", 86400)
        return render(*arguments)  # type: ignore[arg-type]

    desk.renderer.render = meanwhile  # type: ignore[method-assign,assignment]
    done = desk.run("--road", "python")
    assert done.exit_code == 2
    assert "Another timeline is open in Resolve than the one that was rebalanced, 'Cut 1'" in done.output
    assert desk.fake.project.timelines[0].name == "Cut 1"


def test_nobody_comes(desk: Desk) -> None:
    done = CliRunner().invoke(
        app, ["resolve", "rebalance", "-o", str(desk.out), "--road", "script", "--wait", "1"]
    )
    assert done.exit_code == 2
    assert "Nothing came from Resolve in 1 s" in done.output
    assert list(desk.machine.meeting.iterdir()) == []


def test_no_road_at_all(desk: Desk) -> None:
    done = desk.run()
    assert done.exit_code == 2
    assert "No way into Resolve works." in done.output
    assert "File > Import > Timeline" in done.output


def test_a_road_nobody_knows(desk: Desk) -> None:
    done = desk.run("--road", "by sea")
    assert done.exit_code == 2
    assert "is none of auto, python, script" in done.output


def test_the_fake_is_one_of_the_free_edition(desk: Desk) -> None:
    """The fake does put up the window that the roads must never cause."""
    assert desk.fake.first.SetVoiceIsolationState(1, {"isEnabled": True}) is False
    assert isinstance(desk.fake, FakeResolve)
    assert desk.fake.world.modal
    assert desk.fake.first.GetName() is False


def test_clipping_is_said(desk: Desk) -> None:
    desk.renderer.gain_db = 14.0
    done = desk.run("--road", "python", "--clips", "1")
    assert done.exit_code == 0, done.output
    desk.renderer.gain_db = 10.0
    assert "passed full scale" not in done.output, "one file in full scale is not clipped again"
    mixed = desk.run("--road", "python", "--no-cache")
    assert mixed.exit_code == 0, mixed.output
    assert "sightmix passed full scale and clipped; lower the levels." in mixed.stdout


def compound(desk: Desk) -> None:
    """The first track gets a compound clip of two in place of its clips, and a plain one after it."""
    root = json.loads(desk.fake.first.otio)
    track = root["tracks"]["children"][0]
    inside = {
        "OTIO_SCHEMA": "Track.1", "name": "", "kind": "Audio", "children": track["children"][:3],
        "source_range": None, "metadata": {},
    }  # fmt: skip
    nested = {
        "OTIO_SCHEMA": "Stack.1", "name": "compound", "children": [inside], "metadata": {}, "enabled": True,
        "source_range": {
            "OTIO_SCHEMA": "TimeRange.1",
            "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": 0.0},
            "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": 80.0},
        },
    }  # fmt: skip
    after = json.loads(json.dumps(track["children"][2]))
    after["name"] = "after"
    after["source_range"]["duration"]["value"] = 16.0
    track["children"] = [nested, after]
    desk.fake.first.otio = json.dumps(root)
    desk.fake.first.tracks["audio"][0].items.clear()
    desk.fake.first.put("audio", 1, "compound", 0, 80)
    desk.fake.first.put("audio", 1, "after", 80, 16)
    desk.before = desk.fake.first.state()


def test_a_compound_clip_as_a_whole(desk: Desk) -> None:
    compound(desk)
    done = desk.run("--road", "python", "--clips", "1,4")
    assert done.exit_code == 0, done.output
    copy = desk.fake.project.timelines[1]
    assert [i.enabled for i in copy.tracks["audio"][0].items] == [False, True]


def test_a_compound_clip_in_part(desk: Desk) -> None:
    compound(desk)
    done = desk.run("--road", "python", "--clips", "1,5")
    assert done.exit_code == 2
    assert "a compound clip at 01:00:00:00 of which only a part would be rebalanced" in done.output
    assert desk.renderer.calls == [], "said before the work, not after it"
    desk.check_untouched()
    assert desk.fake.project.timelines == [desk.fake.first]


def test_losses_are_told_on_this_road_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An effect on the editor's clips, what a rendition warns of, and a result that has gone: all are in the notes."""
    eq = {
        "OTIO_SCHEMA": "Effect.1",
        "metadata": {"Resolve_OTIO": {"Effect Name": "Fairlight EQ", "Enabled": True, "Name": "EQ", "Type": 70,
                                      "Parameters": [{"Parameter ID": "x", "Parameter Value": -9.0}]}},
        "name": "",
        "effect_name": "Resolve Effect",
    }  # fmt: skip
    plain = resolve_rebalance.export

    def with_eq(root: object, folder: Path) -> Path:
        path = plain(root, folder)
        document = json.loads(path.read_text())
        for track in document["tracks"]["children"]:
            for clip in track["children"]:
                if track["kind"] == "Audio" and clip["OTIO_SCHEMA"].startswith("Clip"):
                    clip["effects"] = [*clip.get("effects", []), eq]
        path.write_text(json.dumps(document))
        return path

    monkeypatch.setattr(resolve_rebalance, "export", with_eq)
    done = desk.run("--road", "python", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert any("EQ" in note and "stays on its clip" in note for note in facts["notes"])
    assert any("EQ" in note and "is not carried" in note for note in facts["notes"]), (
        "the stems go without it"
    )
    assert any("EQ" in loss["text"] for loss in facts["losses"])
    assert "is not carried" in desk.run("--road", "python").stdout
