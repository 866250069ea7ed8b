"""Undo per clip: a result without some of its clips is, to the byte, the result that was written without them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sightmix.engine.errors import SettingsError, TimelineError, WriteError
from sightmix.plugin.jobs.names import result_folder
from sightmix.plugin.jobs.withdraw import TAKEN, WHOLE, put_back, withdraw
from sightmix.plugin.timeline import ResultClip, ResultTrack, Timeline, open_timeline, write_result
from sightmix.plugin.timeline.results import Gain, Result, Ridden
from timeline_kit import (
    DATA,
    clip,
    external,
    gap,
    item,
    rt,
    save,
    stack,
    timeline,
    tr,
    track,
    transition,
    warp,
    wav,
)

LINE = Gain((0.0, 0.5, 1.5), (0.0, -6.0, -3.0))
FORMS = ("ridden", "baked", "stems", "both")


def results_of(opened: Timeline, form: str, folder: Path, clips: Sequence[int]) -> dict[int, list[Result]]:
    """Made-up results, each clip's in the words of a form."""
    found: dict[int, list[Result]] = {}
    for one in (opened.clip(index) for index in clips):
        roles = {"baked": ("rebalanced",), "stems": ("dialogue", "music", "effects")}.get(
            form, ("rebalanced",)
        )
        length = 48048 + round(one.duration * abs(one.speed) * 48000) + 48000
        files: list[Result] = [
            ResultTrack(
                role,
                ResultClip(folder / f"{one.index} {role}.wav", 48000, length, 2, 48048),
                {"n": one.index},
            )
            for role in roles
        ]
        ridden = Ridden(
            LINE, {"n": one.index}, form == "ridden", category=("dialogue", "music")[one.index % 2]
        )
        found[one.index] = {"ridden": [ridden], "both": [*files, ridden]}.get(form, files)
    return found


def whole(folder: Path, *tracks: Any, host: str = "", **more: Any) -> Timeline:
    for one in tracks if host else ():
        one["metadata"] = {host: {"Audio Type": "Stereo"}}
        for child in one["children"]:
            child["metadata"] = {host: {"kept": [1, {"a": None}]}}
    metadata = {host: {"Resolve OTIO Meta Version": "1.0"}} if host else {}
    return open_timeline(
        save(folder / "in.otio", timeline(*tracks, start=rt(86400, 24), metadata=metadata, **more))
    )


def check(opened: Timeline, folder: Path, form: str, gone: Sequence[int], keep: bool = False) -> None:
    """What is taken off is what was never written."""
    every = [one.index for one in opened.clips if one.online]
    left = [index for index in every if index not in gone]
    out, wanted = folder / "out.otio", folder / "wanted.otio"
    facts = {"model": "m", "gain_db": 0.5}
    write_result(opened, results_of(opened, form, folder, every), out, not keep, facts)
    write_result(opened, results_of(opened, form, folder, left), wanted, not keep, facts)
    before = out.read_text(encoding="utf-8")
    assert withdraw(out, ",".join(map(str, gone))) == tuple(gone)
    assert out.read_text(encoding="utf-8") != before
    assert json.loads(out.read_text(encoding="utf-8")) == json.loads(wanted.read_text(encoding="utf-8"))
    assert out.read_bytes() == wanted.read_bytes()


@pytest.fixture
def media(tmp_path: Path) -> str:
    return str(wav(tmp_path / "ten.wav"))


@pytest.mark.parametrize("gone", [(1,), (2,), (3,), (5,), (1, 3), (2, 3, 4), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("host", ["", "Resolve_OTIO"])
def test_as_if_it_had_been_written_without(
    host: str, form: str, gone: tuple[int, ...], media: str, tmp_path: Path
) -> None:
    """Clips beside each other, apart, dissolving, on two tracks; all of them, and all of a track."""
    opened = whole(
        tmp_path,
        track(
            "Audio",
            gap(12),
            clip("one", tr(24, 24), media),
            clip("two", tr(24, 25), media),
            gap(7.5),
            clip("three", tr(48, 24), media),
            name="A1",
        ),
        track("Audio", clip("four", tr(24, 30), media), gap(40), clip("five", tr(24, 24), media), name="A2"),
        host=host,
    )
    check(opened, tmp_path, form, gone)


@pytest.mark.parametrize("gone", [(1,), (2,), (3,), (1, 2), (1, 3), (2, 3)])
@pytest.mark.parametrize("form", ["ridden", "baked"])
def test_dissolves_stay_with_whom_they_still_belong_to(
    form: str, gone: tuple[int, ...], media: str, tmp_path: Path
) -> None:
    opened = whole(
        tmp_path,
        track(
            "Audio",
            transition(0, 6),
            clip("one", tr(24, 48), media),
            transition(6, 6),
            clip("two", tr(48, 48), media),
            transition(4, 8),
            clip("three", tr(48, 48), media),
            transition(6, 0),
            name="A1",
        ),
    )
    check(opened, tmp_path, form, gone)


@pytest.mark.parametrize("form", ["ridden", "baked"])
def test_speeds_compounds_and_muted_neighbours(form: str, media: str, tmp_path: Path) -> None:
    inner = stack(
        track("Audio", clip("deep", tr(0, 24), media), clip("deeper", tr(24, 24), media)), name="compound"
    )
    opened = whole(
        tmp_path,
        track(
            "Audio",
            clip("fast", tr(24, 24), media, effects=[warp(2.0)]),
            clip("off", tr(24, 24), media, enabled=False),
            inner,
            clip("last", tr(24, 24), media),
            name="A1",
        ),
        item("Track.1", "V1", None) | {"children": [], "kind": "Video"},
    )
    for gone in ((1,), (3,), (1, 4), (5,)):
        check(opened, tmp_path, form, gone)


def test_a_pair_of_mono_clips_goes_as_one(tmp_path: Path) -> None:
    stereo = str(wav(tmp_path / "stereo.wav"))

    def side(channel: int) -> dict[str, Any]:
        words = {"Resolve_OTIO": {"Channels": [{"Source Channel ID": channel, "Source Track ID": 0}]}}
        return clip("take", tr(0, 48), external(stereo, tr(0, 240)), metadata=words)

    def other() -> dict[str, Any]:
        return clip("other", tr(0, 48), stereo)

    tracks = [track("Audio", side(n), other(), name=f"A{n + 1}") for n in (0, 1)]
    for one in tracks:
        one["metadata"] = {"Resolve_OTIO": {"Audio Type": "Mono"}}
    opened = open_timeline(
        save(
            tmp_path / "in.otio",
            timeline(*tracks, metadata={"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}),
        )
    )
    assert [len(one.leaves) for one in opened.clips] == [2, 1, 1]
    check(opened, tmp_path, "ridden", (1,))
    check(opened, tmp_path, "ridden", (2,))


def test_originals_that_were_kept_stay_as_they_are(media: str, tmp_path: Path) -> None:
    opened = whole(tmp_path, track("Audio", clip("one", tr(0, 24), media), clip("two", tr(0, 24), media)))
    check(opened, tmp_path, "baked", (1,), keep=True)


def test_one_after_the_other_leaves_the_timeline_itself(media: str, tmp_path: Path) -> None:
    opened = whole(
        tmp_path,
        track("Audio", clip("one", tr(0, 24), media), clip("two", tr(0, 24), media), name="A1"),
        track("Audio", clip("three", tr(0, 24), media), name="A2"),
    )
    out = tmp_path / "out.otio"
    write_result(opened, results_of(opened, "both", tmp_path, (1, 2, 3)), out, mute_originals=True)
    for index in (2, 1, 3):
        withdraw(out, str(index))
    assert out.read_bytes() == (tmp_path / "in.otio").read_bytes()


SAMPLES = sorted(DATA.rglob("*.otio"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_sample_timelines(sample: Path, tmp_path: Path) -> None:
    try:
        opened = open_timeline(sample)
    except TimelineError:
        pytest.skip("it is none")
    playing = [one.index for one in opened.clips if one.state in ("online", "offline") and one.enabled]
    if not playing:
        pytest.skip("nothing plays")
    gone = playing[::2]
    out, wanted = tmp_path / "out.otio", tmp_path / "wanted.otio"
    try:
        write_result(opened, results_of(opened, "baked", tmp_path, playing), out, mute_originals=True)
    except WriteError:
        pytest.skip("nothing can be laid on it")
    left = [index for index in playing if index not in gone]
    write_result(opened, results_of(opened, "baked", tmp_path, left), wanted, mute_originals=True)
    assert withdraw(out, ",".join(map(str, gone))) == tuple(gone)
    # A clip that stays keeps the order its own words had, which says whether its original or its track was muted.
    assert json.loads(out.read_bytes()) == json.loads(wanted.read_bytes())
    if left:
        withdraw(out, ",".join(map(str, left)))
    bare = write_result(opened, {}, tmp_path / "bare.otio")
    assert out.read_bytes() == bare.read_bytes(), "what was there before has changed"


# What is refused.


def test_only_documents_of_otio(media: str, tmp_path: Path) -> None:
    for name in ("out.fcpxml", "out.xml", "out.aaf", "out.otioz"):
        with pytest.raises(WriteError, match=f"not off {name}"):
            withdraw(tmp_path / name, "1")


def test_a_bundle_that_is_a_folder(media: str, tmp_path: Path) -> None:
    opened = whole(tmp_path, track("Audio", clip("one", tr(0, 24), media), clip("two", tr(0, 24), media)))
    out = write_result(opened, results_of(opened, "ridden", tmp_path, (1, 2)), tmp_path / "out.otiod", True)
    wanted = write_result(
        opened, results_of(opened, "ridden", tmp_path, (2,)), tmp_path / "wanted.otiod", True
    )
    files = sorted(path.name for path in (out / "media").iterdir())
    withdraw(out, "1")
    assert (out / "content.otio").read_bytes() == (wanted / "content.otio").read_bytes()
    assert sorted(path.name for path in (out / "media").iterdir()) == files


def test_clips_without_a_result_and_clips_that_are_not_there(media: str, tmp_path: Path) -> None:
    opened = whole(tmp_path, track("Audio", clip("one", tr(0, 24), media), clip("two", tr(0, 24), media)))
    out = write_result(opened, results_of(opened, "ridden", tmp_path, (1,)), tmp_path / "out.otio")
    before = out.read_bytes()
    with pytest.raises(SettingsError, match="holds no result of ours for clip 2"):
        withdraw(out, "2")
    with pytest.raises(SettingsError, match="numbered 1 to 2"):
        withdraw(out, "3")
    with pytest.raises(TimelineError, match="does not exist"):
        withdraw(tmp_path / "nowhere.otio", "1")
    assert out.read_bytes() == before
    assert withdraw(out, "1-2") == (1,)


def edited(out: Path, change: Any) -> None:
    root = json.loads(out.read_text(encoding="utf-8"))
    change(root["tracks"]["children"][-1]["children"])
    save(out, root)


def test_a_lane_that_somebody_changed_is_left_alone(media: str, tmp_path: Path) -> None:
    opened = whole(
        tmp_path,
        track(
            "Audio",
            clip("one", tr(0, 24), media),
            clip("two", tr(0, 24), media),
            clip("three", tr(0, 24), media),
        ),
    )
    out = write_result(opened, results_of(opened, "baked", tmp_path, (1, 2, 3)), tmp_path / "out.otio")
    edited(out, lambda lane: lane.insert(1, gap(3)))
    before = out.read_bytes()
    with pytest.raises(WriteError, match="was moved since"):
        withdraw(out, "1")
    assert out.read_bytes() == before


def test_results_of_clips_that_are_no_longer_there(media: str, tmp_path: Path) -> None:
    opened = whole(tmp_path, track("Audio", clip("one", tr(0, 24), media), clip("two", tr(0, 24), media)))
    out = write_result(opened, results_of(opened, "baked", tmp_path, (1, 2)), tmp_path / "out.otio")
    root = json.loads(out.read_text(encoding="utf-8"))
    del root["tracks"]["children"][0]["children"][0]
    save(out, root)
    with pytest.raises(WriteError, match="results of clips that it does not have"):
        withdraw(out, "1")


# Put back.


@pytest.fixture
def result(media: str, tmp_path: Path) -> Path:
    """A result of three clips, with the folder that a job leaves beside it."""
    opened = whole(
        tmp_path,
        track("Audio", *(clip(name, tr(0, 24), media) for name in ("one", "two", "three")), name="A1"),
    )
    out = write_result(opened, results_of(opened, "ridden", tmp_path, (1, 2, 3)), tmp_path / "out.otio", True)
    result_folder(out).mkdir()
    return out


def test_taken_off_and_put_back_in_any_order(result: Path) -> None:
    first = result.read_bytes()
    withdraw(result, "2")
    one_off = result.read_bytes()
    withdraw(result, "1,3")
    assert put_back(result, "1,3") == (1, 3)
    assert result.read_bytes() == one_off
    withdraw(result, "3")
    assert put_back(result, "2") == (2,)
    assert put_back(result, "1-3") == (3,)
    assert result.read_bytes() == first
    with pytest.raises(WriteError, match="rebalance again"):
        put_back(result, "1")


def test_what_is_not_off_cannot_be_put_back(result: Path) -> None:
    withdraw(result, "2")
    before = result.read_bytes()
    with pytest.raises(SettingsError, match="result of clip 1 was not taken off"):
        put_back(result, "1")
    assert result.read_bytes() == before


def test_a_result_that_was_written_since_is_not_undone(result: Path, tmp_path: Path) -> None:
    withdraw(result, "2")
    opened = open_timeline(tmp_path / "in.otio")
    write_result(opened, results_of(opened, "baked", tmp_path, (1, 2)), result, True)
    before = result.read_bytes()
    with pytest.raises(WriteError, match="was written since"):
        put_back(result, "2")
    withdraw(result, "1")
    assert put_back(result, "1") == (1,)
    assert result.read_bytes() == before, "it is this result's clips that come back"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"schema": "other"}', '{"schema": "sightmix.withdrawn/1", "left": 3}']
)
def test_a_note_that_is_none(text: str, result: Path) -> None:
    withdraw(result, "2")
    (result_folder(result) / TAKEN).write_text(text)
    with pytest.raises(WriteError):
        put_back(result, "2")


def test_without_its_folder_nothing_is_kept_and_nothing_is_made(result: Path) -> None:
    result_folder(result).rmdir()
    withdraw(result, "2")
    assert not result_folder(result).exists()
    with pytest.raises(WriteError, match="rebalance again"):
        put_back(result, "2")


def test_where_it_is_kept(result: Path) -> None:
    first = result.read_bytes()
    withdraw(result, "2")
    withdraw(result, "3")
    assert (result_folder(result) / WHOLE).read_bytes() == first
    assert sorted(path.name for path in result_folder(result).iterdir()) == sorted([TAKEN, WHOLE])
