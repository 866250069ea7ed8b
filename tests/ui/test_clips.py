"""The clip list without a window: opening, categories, loudness, what needs work, filter, choice and drops."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clips_kit import SCENE, Stage, category, clip_data, document_data, many
from hypothesis import given
from hypothesis import strategies as st
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.clips import Clips, Drop
from sightmix.ui.control.needs import Neighbours, Target
from sightmix.ui.control.recent import Entry, Recent
from sightmix.ui.control.state import ClipRow


def _wild(index: int = 4, **more: Any) -> dict[str, Any]:
    """A clip on a track that nothing tells of."""
    return clip_data(index, 6.0, 8.0, 4, **more)


def _heard(kind: str, numbers: str, clips: list[int], confidence: float = 0.9) -> dict[str, Any]:
    held = category(kind, "ear", confidence)
    return {"tracks": {numbers: held}, "clips": {str(index): held for index in clips}}


def test_opening() -> None:
    stage = Stage()
    opened: list[str] = []
    stage.clips.opened.subscribe(lambda document: opened.append(document.name))
    assert stage.clips.state == "empty"
    stage.clips.open(SCENE)
    assert (stage.clips.state, stage.clips.opening) == ("opening", SCENE)
    assert stage.ask("open").data == {"source": SCENE.to_dict(), "told": []}
    stage.ask("open").finish(many(4))
    assert (stage.clips.state, opened) == ("open", ["Scene 4"])
    assert [row.kind for row in stage.clips.rows] == ["dialogue", "music", "effects", "dialogue"]
    assert stage.clips.summary.tracks == (("dialogue", (1,)), ("music", (2,)), ("effects", (3,)))
    assert not stage.engine.open("listen")  # all tracks say what they hold
    assert stage.ask("loudness").data == {"source": SCENE.to_dict(), "clips": [1, 2, 3, 4]}


def test_the_newest_timeline_wins() -> None:
    stage = Stage()
    stage.clips.open(SCENE)
    first = stage.ask("open")
    stage.clips.open(replace(SCENE, path=Path("/show/other.otio").absolute()))
    assert first.cancelled
    assert stage.clips.failure is None
    stage.ask("open").finish(document_data([clip_data(1, 0, 1)], name="other"))
    loudness = stage.ask("loudness")
    stage.clips.open(SCENE)
    assert loudness.cancelled
    # Nothing that was asked about one timeline is taken for another.
    assert loudness.event is not None
    loudness.event({"clip": 1, "lufs": -10.0, "range": 0.0, "true_peak": 0.0}, b"")
    assert stage.clips.rows[0].lufs is None
    stage.ask("open").finish(many(2))
    assert stage.clips.source == SCENE


def test_what_cannot_be_opened_leaves_what_is_open() -> None:
    stage = Stage()
    failures: list[Failure] = []
    stage.clips.failed.subscribe(failures.append)
    stage.open(many(3))
    stage.ask("loudness").tell({"clip": 1, "lufs": -30.0, "range": 1.0, "true_peak": -9.0})
    other = Source(Path("/show/gone.otio").absolute())
    stage.clips.open(other)
    stage.ask("open").fail(Failure("/show/gone.otio does not exist; check the path.", "TimelineError"))
    assert (stage.clips.state, stage.clips.source) == ("open", SCENE)
    assert stage.clips.failure is failures[0]
    assert stage.ask("loudness").data["clips"] == [2, 3]  # goes on with what was left
    stage.clips.reopen()  # once more
    assert stage.ask("open").data["source"] == other.to_dict()
    stage.clips.cancel()
    assert (stage.clips.state, stage.clips.failure) == ("open", None)
    assert stage.ask("loudness").data["clips"] == [2, 3]


def test_tracks_that_nobody_is_sure_of_are_listened_to() -> None:
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 2), _wild(2)]))
    assert stage.clips.listening
    assert stage.clips.rows[1].needs == ()  # not yet
    assert stage.ask("listen").data == {"source": SCENE.to_dict(), "told": []}
    stage.ask("listen").finish(_heard("music", "4", [2]))
    assert not stage.clips.listening
    assert (stage.clips.rows[1].kind, stage.clips.rows[1].certain) == ("music", True)
    assert stage.clips.tracks[1].kind == "music"
    assert stage.clips.doubtful == ()
    document = stage.clips.document
    assert document is not None
    assert document.clips[1].kind == document.tracks[1].kind == "music"


def test_what_is_still_not_sure_needs_work() -> None:
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 2), _wild(2)]))
    stage.ask("listen").finish(_heard("mix", "4", [2], confidence=0.5))
    assert stage.clips.rows[1].needs == ("unsure",)
    assert [track.number for track in stage.clips.doubtful] == [4]
    stage.clips.set_category([2], "effects")
    assert stage.clips.rows[1].needs == ()
    assert stage.clips.doubtful == ()


def test_where_nobody_can_listen_that_is_said() -> None:
    stage = Stage()
    stage.open(document_data([_wild(1)]))
    stage.ask("listen").fail(Failure("The model is not here.", "ModelError"))
    assert stage.clips.unheard == "The model is not here."
    assert stage.clips.rows[0].needs == ("unsure",)
    assert not stage.engine.open("listen")  # and nobody asks again and again


def test_the_users_word_is_undone_and_redone() -> None:
    stage = Stage()
    stage.open(many(6))
    changed: list[tuple[int, ...]] = []
    stage.clips.rows_changed.subscribe(changed.append)
    stage.clips.set_category([2], "effects")
    assert [(row.index, row.told) for row in stage.clips.rows if row.kind == "effects"] == [
        (2, True), (3, False), (5, True), (6, False),
    ]  # fmt: skip
    assert set(changed[0]) >= {2, 5}
    assert stage.clips.told_words == ["A2=effects"]
    assert stage.history.next_undo == "category"
    assert stage.history.undo()
    assert [row.kind for row in stage.clips.rows] == ["dialogue", "music", "effects"] * 2
    assert not any(row.told for row in stage.clips.rows)
    assert stage.clips.told_words == []
    assert stage.history.redo()
    assert stage.clips.rows[1].kind == "effects"
    stage.clips.set_category([2, 5], "effects")  # says nothing new
    assert stage.history.next_undo == "category"
    stage.history.undo()
    assert not stage.history.next_undo
    with pytest.raises(ValueError, match="speach"):
        stage.clips.set_category([1], "speach")


def test_the_users_word_stands_against_what_is_heard_later() -> None:
    stage = Stage()
    stage.open(document_data([_wild(1), clip_data(2, 0, 2, 5, category=category(""))]))
    stage.clips.set_track_category([4], "dialogue")
    assert stage.ask("listen").data["told"] == ["A4=dialogue"]  # asked anew, less what is known
    both = {
        "tracks": {n: category("music", "ear") for n in "45"},
        "clips": {n: category("music", "ear") for n in "12"},
    }
    stage.ask("listen").finish(both)
    assert [row.kind for row in stage.clips.rows] == ["dialogue", "music"]
    stage.history.undo()
    assert stage.clips.rows[0].kind == ""
    stage.ask("listen").finish(both)  # nobody had asked what it holds
    assert stage.clips.rows[0].kind == "music"


def test_what_the_timeline_remembers_can_be_taken_back() -> None:
    remembered = category("music", "user", 1.0)
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 2, category=remembered)]))
    assert stage.clips.rows[0].told
    assert not stage.engine.open("listen")
    stage.clips.set_category([1], "")
    assert (stage.clips.rows[0].kind, stage.clips.rows[0].told) == ("", False)
    assert stage.ask("listen").data["told"] == ["A1=auto"]
    stage.ask("listen").finish(_heard("dialogue", "1", [1]))
    assert stage.clips.rows[0].kind == "dialogue"
    assert not stage.engine.open("listen")
    stage.history.undo()
    assert (stage.clips.rows[0].kind, stage.clips.rows[0].told) == ("music", True)
    stage.history.redo()
    assert (stage.clips.rows[0].kind, stage.clips.rows[0].told) == ("dialogue", False)


def test_loudness_comes_in_the_order_that_is_looked_at() -> None:
    stage = Stage()
    stage.open(many(30))
    assert stage.ask("loudness").data["clips"] == [1, 2, 3, 4, 5, 6, 7, 8]
    stage.clips.look_at([21, 20, 3, 99])
    for index in range(1, 9):
        stage.ask("loudness").tell({"clip": index, "lufs": -20.0, "range": 1.0, "true_peak": -3.0})
    stage.ask("loudness").finish()
    stage.pump.run()
    assert stage.ask("loudness").data["clips"] == [21, 20, 9, 10, 11, 12, 13, 14]
    stage.tell_loudness()
    assert stage.clips.measuring == 0
    assert all(row.lufs is not None for row in stage.clips.rows)


def test_nothing_is_measured_while_somebody_waits_for_the_machine() -> None:
    stage = Stage()
    stage.open(many(20))
    asked = stage.ask("loudness")
    asked.tell({"clip": 1, "lufs": -20.0, "range": 1.0, "true_peak": -3.0})
    stage.clips.rest(True)
    stage.pump.run()
    assert asked.cancelled
    assert not stage.engine.open("loudness")
    stage.clips.rest(True)
    stage.clips.rest(False)
    stage.pump.run()
    assert stage.ask("loudness").data["clips"] == [2, 3, 4, 5, 6, 7, 8, 9]
    stage.clips.rest(False)
    assert len(stage.engine.open("loudness")) == 1
    stage.tell_loudness()
    assert not any(row.trouble for row in stage.clips.rows)
    stage.clips.rest(True)
    stage.open(many(2))
    assert not stage.engine.open("loudness")


def test_loudness_is_what_the_volume_line_leaves() -> None:
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 2, volume=-12.5), clip_data(2, 0, 2, volume=-96.0)]))
    stage.tell_loudness(c1=-20.0, c2=-20.0)
    first, second = stage.clips.rows
    assert (first.lufs, first.true_peak) == (-32.5, -18.5)
    assert second.lufs == -math.inf


def test_silence_and_what_cannot_be_measured() -> None:
    stage = Stage()
    stage.open(many(3))
    asked = stage.ask("loudness")
    asked.tell({"clip": 1, "lufs": None, "range": 0.0, "true_peak": None})
    asked.tell({"clip": 2, "error": "/show/media/take2.wav is cut off."})
    asked.finish()  # the third is never spoken of
    stage.pump.run()
    rows = stage.clips.rows
    assert (rows[0].lufs, rows[0].needs) == (-math.inf, ())
    assert (rows[1].trouble, rows[1].needs) == ("/show/media/take2.wav is cut off.", ("unreadable",))
    assert rows[2].lufs is None
    assert not stage.engine.open("loudness")


def test_the_clip_that_the_engine_goes_down_with_is_found() -> None:
    stage = Stage()
    stage.open(many(3))

    def crash() -> None:
        stage.ask("loudness").fail(Failure("The engine stopped.", "Crashed", crashed=True))
        stage.pump.run()

    crash()
    assert stage.ask("loudness").data["clips"] == [1]
    stage.ask("loudness").tell({"clip": 1, "lufs": -20.0, "range": 1.0, "true_peak": -3.0})
    stage.ask("loudness").finish()
    stage.pump.run()
    assert stage.ask("loudness").data["clips"] == [2]
    crash()
    assert stage.clips.rows[1].trouble == "The engine stopped."
    assert stage.ask("loudness").data["clips"] == [3]


def test_speech_that_music_or_effects_bury() -> None:
    stage = Stage()
    clips = [clip_data(1, 0, 10), clip_data(2, 0, 60, 2), clip_data(3, 12, 14, 3), clip_data(4, 20, 30)]
    stage.open(document_data(clips))
    stage.tell_loudness(c1=-27.0, c2=-26.0, c3=-10.0, c4=-21.0)
    assert [row.needs for row in stage.clips.rows] == [("buried",), (), (), ()]
    stage.clips.set_category([2], "mix")  # nobody knows how much of a mix is speech
    assert stage.clips.rows[0].needs == ()
    stage.history.undo()
    assert stage.clips.rows[0].needs == ("buried",)


def test_a_bed_counts_for_as_long_as_it_sounds() -> None:
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 10), clip_data(2, 9, 60, 2)]))
    stage.tell_loudness(c1=-27.0, c2=-20.0)  # 7 LU louder, over a tenth of it: 3 LU lower over the whole
    assert stage.clips.rows[0].needs == ()


def test_off_the_target_and_over_the_ceiling() -> None:
    stage = Stage()
    stage.open(many(4))
    stage.tell_loudness(c1=-23.5, c2=-40.0, c3=-10.0, c4=-27.0)
    assert not any(row.needs for row in stage.clips.rows)
    stage.clips.set_target(Target(-23.0, -6.5))
    # Music and effects have no target of their own; all of them peak at -6 dBTP.
    assert [row.needs for row in stage.clips.rows] == [("peaks",)] * 3 + [("loudness", "peaks")]
    stage.clips.set_target(Target(None))
    assert not any(row.needs for row in stage.clips.rows)


def test_offline_clips_are_found_in_a_folder() -> None:
    stage = Stage()
    stage.open(many(6, offline=3))
    assert [row.needs for row in stage.clips.rows if row.index in (3, 6)] == [("offline",)] * 2
    stage.tell_loudness()
    stage.clips.set_category([1], "mix")
    stage.clips.choice.choose([2, 3])
    stage.clips.choice.look_for("clip")
    stage.clips.look_in(Path("/volumes/show"))
    assert stage.clips.state == "opening"
    stage.ask("open").finish(many(6))
    assert stage.clips.source == replace(SCENE, folders=(Path("/volumes/show"),))
    assert stage.ask("loudness").data["clips"] == [3, 6]  # the others are known
    assert stage.clips.told == {1: "mix"}
    assert stage.history.next_undo == "category"
    assert stage.clips.choice.chosen == (2, 3)
    assert stage.clips.choice.text == "clip"
    stage.clips.look_in(Path("/volumes/show"))  # once more: there may be more in it by now
    assert stage.ask("open").data["source"]["folders"] == ["/volumes/show"]


def test_another_timeline_begins_with_a_clean_sheet() -> None:
    stage = Stage()
    stage.open(many(3))
    stage.clips.set_category([1], "mix")
    stage.clips.choice.choose([2])
    stage.clips.choice.look_for("x")
    stage.open(many(3), Source(Path("/show/other.otio").absolute()))
    assert not stage.history.next_undo
    assert (stage.clips.told, stage.clips.choice.chosen, stage.clips.choice.text) == ({}, (), "")
    stage.clips.close()
    assert (stage.clips.state, stage.clips.document, stage.clips.choice.shown) == ("empty", None, ())
    assert not stage.engine.open("loudness")


def test_one_of_several_timelines() -> None:
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 1)], timelines=["A", "B"]))
    stage.clips.choose_timeline(2)
    assert stage.ask("open").data["source"]["timeline"] == "2"


def test_a_file_that_changes_is_noticed_and_read_again_on_request(tmp_path: Path) -> None:
    path = tmp_path / "scene.otio"
    path.write_text("one")
    stage = Stage()
    stage.open(many(3), Source(path))
    assert not stage.clips.is_changed_on_disk()
    path.write_text("another")
    assert stage.clips.is_changed_on_disk()
    assert not stage.engine.open("open")
    stage.clips.reopen()
    stage.ask("open").finish(many(2))
    assert not stage.clips.is_changed_on_disk()
    path.unlink()  # somebody writes it anew: there is nothing to read yet
    assert not stage.clips.is_changed_on_disk()


# What is remembered


def test_timelines_are_remembered_with_what_was_said_of_them(tmp_path: Path) -> None:
    file = tmp_path / "settings" / "recent.json"
    there = tmp_path / "scene.otio"
    there.write_text("{}")
    stage = Stage(Recent(file))
    stage.open(many(3), Source(there))
    stage.clips.set_category([2], "mix")
    stage.clips.look_in(tmp_path)
    stage.ask("open").finish(many(3))
    stage.open(many(1), Source(tmp_path / "gone.otio"))
    first, second = Recent(file).entries
    assert (first.source.path.name, first.there) == ("gone.otio", False)
    assert (second.source.path, second.there, second.told, second.name) == (
        there,
        True,
        {2: "mix"},
        "Scene 4",
    )

    later = Stage(Recent(file))
    later.clips.open(Source(there))
    assert later.ask("open").data["source"]["folders"] == [str(tmp_path)]
    later.ask("open").finish(many(3))
    assert later.clips.rows[1].kind == "mix"
    later.clips.open(replace(Source(there), timeline="2"))  # another one of the same file
    assert later.ask("open").data["source"]["folders"] == []


def test_two_windows_keep_one_list(tmp_path: Path) -> None:
    file = tmp_path / "recent.json"
    one, other = Recent(file), Recent(file)
    one.add(Entry(Source(tmp_path / "a.otio")))
    other.add(Entry(Source(tmp_path / "b.otio")))
    assert [entry.source.path.name for entry in Recent(file).entries] == ["b.otio", "a.otio"]
    other.remove(Source(tmp_path / "a.otio"))
    assert [entry.source.path.name for entry in other.entries] == ["b.otio"]
    other.clear()
    assert Recent(file).entries == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"timelines": 3}',
        '{"timelines": [3, {}, {"path": 1}, {"path": "x", "told": 2}]}',
    ],
)
def test_a_list_that_is_broken_is_begun_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "recent.json"
    file.write_text(text)
    recent = Recent(file)
    assert recent.entries == ()
    recent.add(Entry(Source(tmp_path / "a.otio")))
    assert [entry["path"] for entry in json.loads(file.read_text())["timelines"]] == [
        str(tmp_path / "a.otio")
    ]


def test_a_list_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recent = Recent(tmp_path / "file" / "recent.json")
    stage = Stage(recent)
    stage.open(many(1))
    assert stage.clips.state == "open"
    assert "cannot be written" in recent.trouble
    assert recent.entries[0].name == "Scene 4"


# Drops


def test_what_is_done_with_dropped_files(tmp_path: Path) -> None:
    folder = tmp_path / "rushes"
    folder.mkdir()
    scene, media, other = (Path(f"/x/{name}") for name in ("scene.FCPXML", "take.WAV", "notes.txt"))
    stage = Stage()
    judge = stage.clips.judge
    assert judge([other, scene]) == Drop("open", scene)
    assert judge([media]) == Drop("open", media)
    assert judge([folder]) == judge([other]) == judge([]) == Drop()
    stage.open(many(3))
    assert judge([media]) == Drop("open", media)
    assert judge([folder]) == Drop("look", folder)
    stage.open(many(3, offline=3))
    assert judge([media]) == Drop("look", Path("/x"))
    stage.clips.drop([folder])
    assert stage.ask("open").data["source"]["folders"] == [str(folder)]
    stage.clips.drop([scene])
    assert stage.ask("open").data["source"]["path"] == str(scene.absolute())


# Filter and choice


def _clips(count: int = 12) -> Clips:
    stage = Stage()
    stage.open(many(count, tracks=3, offline=5))
    return stage.clips


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", [1, 2, 3, 4]),
        ("CAFE", [1]),
        ("café kuche", [1]),
        ("take2", [2]),
        ("mx", [2]),
        ("a1", [1, 4]),
        ("01:00:06", [4]),
        ("music", [2]),
        ("strasse", [3]),
        ("show", []),  # folders are not looked in
        ("cafe mx", []),
    ],
)
def test_what_the_filter_finds(text: str, shown: list[int]) -> None:
    stage = Stage()
    stage.open(
        document_data(
            [
                clip_data(1, 0, 2, name="Café, Küche"),
                clip_data(2, 2, 4, 2, name="Theme"),
                clip_data(3, 4, 6, 3, name="Straße"),
                clip_data(4, 6, 8, 1, name="A11"),
            ]
        )
    )
    stage.clips.choice.look_for(text)
    assert list(stage.clips.choice.shown) == shown


def test_only_clips_that_need_work() -> None:
    clips = _clips()
    clips.choice.only_needy(True)
    assert clips.choice.shown == (5, 10)
    assert clips.summary.needy == 2
    clips.choice.choose_all()
    assert clips.ranges == "5,10"


def test_a_clip_that_no_longer_needs_work_leaves_the_filter() -> None:
    stage = Stage()
    stage.open(document_data([clip_data(1, 0, 2), _wild(2)]))
    stage.ask("listen").finish({})
    stage.clips.choice.only_needy(True)
    stage.clips.choice.choose_all()
    told: list[str] = []
    stage.clips.filter.subscribe(lambda: told.append("filter"))
    stage.clips.selection.subscribe(lambda: told.append("selection"))
    stage.clips.set_category([2], "music")
    assert stage.clips.choice.shown == ()
    assert stage.clips.choice.chosen == ()
    assert told == ["filter", "selection"]


def test_choosing_by_track_by_state_and_by_need() -> None:
    clips = _clips()
    clips.choice.choose_track(2)
    assert clips.choice.chosen == (2, 5, 8, 11)
    clips.choice.choose_offline()
    assert clips.choice.chosen == (5, 10)
    clips.choice.choose_needy("buried")
    assert clips.choice.chosen == ()
    clips.choice.choose_needy()
    assert clips.choice.chosen == (5, 10)
    clips.choice.choose_kind("music")
    assert clips.ranges == "2,5,8,11"
    clips.choice.look_for("take1")  # 1, 10, 11, 12
    clips.choice.choose_track(2)
    assert clips.choice.chosen == (11,)


def test_choosing_with_the_keys() -> None:
    choice = _clips().choice
    choice.step(1)
    assert (choice.current, choice.chosen) == (1, (1,))
    choice.step(2)
    choice.step(2, extend=True)
    assert choice.chosen == (3, 4, 5)
    choice.step(-3, extend=True)
    assert (choice.chosen, choice.current) == ((2, 3), 2)
    choice.step(-99)
    assert choice.chosen == (1,)
    choice.toggle(4)
    assert choice.chosen == (1, 4)
    choice.extend_to(6)
    assert choice.chosen == (4, 5, 6)
    choice.toggle(5)
    assert choice.chosen == (4, 6)


_ACTS = st.one_of(
    st.tuples(st.just("choose"), st.lists(st.integers(1, 12), max_size=4)),
    st.tuples(st.just("toggle"), st.integers(1, 12)),
    st.tuples(st.just("extend_to"), st.integers(1, 12)),
    st.tuples(st.just("step"), st.integers(-3, 3)),
    st.tuples(st.just("look_for"), st.sampled_from(["", "take1", "mx", "zzz", "a1"])),
    st.tuples(st.just("only_needy"), st.booleans()),
    st.tuples(st.just("choose_track"), st.integers(1, 4)),
)


@given(st.lists(_ACTS, max_size=12))
def test_nothing_hidden_is_ever_chosen_and_every_change_is_told(acts: list[tuple[str, Any]]) -> None:
    clips = _clips()
    choice = clips.choice
    seen = [(choice.chosen, choice.current)]
    shown = [choice.shown]
    clips.selection.subscribe(lambda: seen.append((choice.chosen, choice.current)))
    clips.filter.subscribe(lambda: shown.append(choice.shown))
    for name, value in acts:
        was = choice.chosen
        getattr(choice, name)(value)
        assert set(choice.chosen) <= set(choice.shown)
        assert choice.current in (0, *choice.shown)
        assert seen[-1] == (choice.chosen, choice.current)
        assert shown[-1] == choice.shown
        if name in ("choose", "choose_track") and not choice.text and not choice.needy:
            wanted = (
                set(value) if name == "choose" else {r.index for r in clips.rows if r.track_number == value}
            )
            assert set(choice.chosen) == wanted
        if name in ("look_for", "only_needy"):
            assert set(choice.chosen) & set(was) == set(was) & set(choice.shown)
    everything = choice.chosen
    choice.look_for("zzz")
    assert choice.chosen == ()
    choice.look_for("")
    choice.only_needy(False)
    assert set(everything) <= set(choice.chosen)  # what the filter hid is chosen again


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(["", "mix", "music", "dialogue"])), max_size=8
    )
)
def test_all_that_was_said_is_taken_back_step_by_step(said: list[tuple[int, str]]) -> None:
    stage = Stage()
    stage.open(many(6))
    states = [tuple(stage.clips.rows)]
    for number, kind in said:
        before = tuple(stage.clips.rows), stage.clips.told_words
        stage.clips.set_track_category([number], kind)
        if (tuple(stage.clips.rows), stage.clips.told_words) != before:
            states.append(tuple(stage.clips.rows))
    for expected in reversed(states[:-1]):
        assert stage.history.undo()
        assert tuple(stage.clips.rows) == expected
    assert not stage.history.undo()
    for expected in states[1:]:
        assert stage.history.redo()
        assert tuple(stage.clips.rows) == expected


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.01, 30)), min_size=1, max_size=12))
def test_neighbours_are_those_that_sound_together(spans: list[tuple[float, float]]) -> None:
    rows = [
        ClipRow(i, "", "", 1, start, start + length, "", "")
        for i, (start, length) in enumerate(spans, start=1)
    ]
    neighbours = Neighbours(rows)
    for row in rows:
        together = {
            other.index
            for other in rows
            if other is not row and other.record_in < row.record_out and other.record_out > row.record_in
        }
        assert set(neighbours.of(row)) == together
