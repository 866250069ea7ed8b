"""What the engine's processes do, asked as the panel asks them: on real media, with the tiny model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from film_kit import RATE, make_film
from remote_kit import Asker, answered
from sightmix.engine.progress import Progress
from sightmix.plugin.session.laid import Laid
from sightmix.plugin.session.mix import read_mix
from sightmix.plugin.session.sound import Lanes, lay
from sightmix.plugin.session.survey import decode, survey
from sightmix.plugin.timeline import open_timeline
from sightmix.ui.control.state import document_of
from sightmix.ui.remote.table import PROCESSES

from media_files import read_number  # isort: skip

TINY = {"model": "tiny", "device": "cpu"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def asker(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTMIX_WEIGHTS", str(tiny_weights))
        made = Asker(tmp_path_factory.mktemp("scratch"))
        made.client.start()
        made.until(lambda: all(made.client.state_of(process) == "ready" for process in PROCESSES))
        yield made
        made.client.close()


@pytest.fixture(scope="module")
def source(film: Path) -> dict[str, Any]:
    return {"path": str(film)}


def test_opening_tells_what_is_there(asker: Asker, source: dict[str, Any]) -> None:
    document = document_of(answered(asker.ask("open", source=source, told=["A2=music"])))
    assert (document.name, document.rate, float(document.duration)) == ("Film", 25, 7.0)
    assert document.cuts == (3.0, 5.0)
    assert [(one.name, one.kind, one.told) for one in document.tracks] == [
        ("Dialogue", "dialogue", False),
        ("Mix", "music", True),
    ]
    assert [one.state for one in document.clips] == ["online", "online", "offline"]


def test_a_file_that_changed_is_opened_anew(asker: Asker, film: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.otio"
    copy.write_text(film.read_text())
    source = {"path": str(copy)}
    assert answered(asker.ask("picture", source=source, time=1.0, width=64, height=64))["width"] == 64
    root = json.loads(copy.read_text())
    root["tracks"]["children"] = root["tracks"]["children"][1:]
    copy.write_text(json.dumps(root))
    assert answered(asker.ask("picture", source=source, time=1.0, width=64, height=64))["width"] == 0
    copy.unlink()
    failure = asker.ask("picture", source=source, time=1.0, width=64, height=64).failure
    assert failure is not None
    assert str(copy) in failure.error


def seen(asker: Asker, source: dict[str, Any], time: float) -> int | None:
    heard = asker.ask("picture", source=source, time=time, width=64, height=64)
    data = answered(heard)
    assert heard.answer is not None
    if data["width"] == 0:
        assert heard.answer[1] == b""
        return None
    picture = np.frombuffer(heard.answer[1], np.uint8).reshape(data["height"], data["width"], 3)
    assert picture.shape == (48, 64, 3)
    return read_number(picture)


def test_the_picture_is_what_the_timeline_shows(asker: Asker, source: dict[str, Any]) -> None:
    times = [0.0, 0.04, 0.08, 0.1, 2.96, 3.0, 3.04, 4.96, 1.0, 5.0, -1.0, 60.0]
    assert [seen(asker, source, time) for time in times] == [
        0, 1, 2, 2, 74, 125, 126, 174, 25, None, None, None,
    ]  # fmt: skip


def test_thumbnails_show_the_shot_or_say_why_there_is_none(asker: Asker, source: dict[str, Any]) -> None:
    heard = asker.ask("thumbnails", source=source, times=[4.9, 0.5, 6.5], height=48)
    assert answered(heard) == {}
    shown = [(data["time"], data["width"], data["height"], len(bytes_)) for data, bytes_ in heard.events]
    assert shown == [(4.9, 64, 48, 64 * 48 * 3), (0.5, 64, 48, 64 * 48 * 3), (6.5, 0, 0, 0)]
    numbers = [read_number(np.frombuffer(b, np.uint8).reshape(48, 64, 3)) for _, b in heard.events[:2]]
    assert 125 <= numbers[0] <= 172
    assert 0 <= numbers[1] <= 12
    assert heard.events[2][0]["reason"]


@pytest.mark.parametrize("given", [None, Laid({1: "dialogue"}, frozenset({1}))])
def test_sound_is_that_of_the_lanes_at_any_place(
    asker: Asker, film: Path, source: dict[str, Any], given: Laid | None
) -> None:
    timeline = open_timeline(film)
    whole = np.concatenate(list(Lanes(timeline, given or lay(timeline)).blocks()), axis=2)
    assert whole.shape[2] == 7 * RATE
    whole = np.pad(whole, ((0, 0), (0, 0), (RATE, RATE)))
    laid = None if given is None else given.to_dict()
    for first, samples in (
        (0, 4096),
        (4096, 70_001),
        (74_097, 10),
        (5 * RATE, 3 * RATE),
        (-500, 1000),
        (9, 0),
    ):
        heard = asker.ask("sound", source=source, laid=laid, first=first, samples=samples)
        data = answered(heard)
        assert (data["first"], data["samples"], data["lanes"], data["channels"]) == (first, samples, 4, 2)
        assert heard.answer is not None
        found = np.frombuffer(heard.answer[1], "<f4").reshape(4, 2, samples)
        np.testing.assert_array_equal(found, whole[:, :, RATE + first : RATE + first + samples])
    assert [bool(lane.any()) for lane in whole] == [True, False, False, True]


def test_more_sound_than_a_message_holds_is_refused(asker: Asker, source: dict[str, Any]) -> None:
    failure = asker.ask("sound", source=source, laid=None, first=0, samples=1 << 30).failure
    assert failure is not None
    assert failure.kind == "SettingsError"


def test_a_survey_is_that_of_the_lanes(asker: Asker, film: Path, source: dict[str, Any]) -> None:
    heard = asker.ask("survey", source=source, laid=None)
    assert answered(heard) == {"broken": []}
    timeline = open_timeline(film)
    for (data, payload), known in zip(
        heard.events, survey(Lanes(timeline, lay(timeline)), Progress()), strict=True
    ):
        found = decode(data, payload)
        np.testing.assert_array_equal(found.peaks, known.peaks)
        np.testing.assert_array_equal(found.power, known.power)


def test_a_part_is_surveyed_before_the_whole_is(asker: Asker, source: dict[str, Any]) -> None:
    order: list[str] = []
    for name, part in {"whole": {}, "other whole": {}, "part": {"first": 2.0, "seconds": 1.0}}.items():
        asker.client.ask(
            "survey",
            {"source": source, "laid": None, **part},
            done=lambda *_, name=name: order.append(name),  # type: ignore[misc]
        )
    asker.until(lambda: len(order) == 3)
    assert order.index("part") < order.index("other whole")


def test_loudness_comes_clip_by_clip_with_reasons(asker: Asker, source: dict[str, Any]) -> None:
    heard = asker.ask("loudness", source=source, clips=[1, 3, 99])
    assert answered(heard) == {}
    told = [data for data, _ in heard.events]
    assert told[0]["clip"] == 1
    assert told[0]["lufs"] == pytest.approx(-24.7, abs=0.1)
    assert "gone.wav" in told[1]["error"]
    assert "no audio clip 99" in told[2]["error"]


def test_tracks_that_say_nothing_are_listened_to(asker: Asker, source: dict[str, Any]) -> None:
    found = answered(asker.ask("listen", source=source, told=[]))
    assert found["tracks"]["1"]["kind"] == "dialogue"
    assert found["clips"]["2"]["kind"] == "mix"


def test_a_plan_says_what_a_job_would_do(asker: Asker, source: dict[str, Any], tmp_path: Path) -> None:
    data = {"source": source, "out": str(tmp_path / "out.otio"), "told": [], "settings": {"model": "tiny"}}
    plan = answered(asker.ask("plan", **data))
    assert [one["status"] for one in plan["clips"]] == ["to ride", "to render", "left out"]
    wrong = asker.ask("plan", **{**data, "settings": {"model": "tiny", "strenght": 1}}).failure
    assert wrong is not None
    assert "strenght" in wrong.error
    assert not list(tmp_path.iterdir())


def test_a_preview_is_a_mix_of_its_stretch_and_the_newest_wins(asker: Asker, source: dict[str, Any]) -> None:
    data = {"source": source, "told": [], "settings": TINY, "drawn": None}
    earlier = [asker.begin("preview", "preview", **data, start=s / 10, seconds=2.0) for s in range(5)]
    newest = asker.begin("preview", "preview", **data, start=1.0, seconds=2.0)
    asker.until(lambda: newest.over)
    assert all(one.failure is not None and one.failure.cancelled for one in earlier)
    mix = read_mix(Path(answered(newest)["mix"]))
    assert (mix.start, mix.duration) == (pytest.approx(1.0, abs=0.03), pytest.approx(2.0, abs=0.03))
    assert mix.styles["repair"].shape == (3, mix.frames)
    assert set(mix.laid.parted) == {2}
    assert Path(answered(newest)["mix"]).parent == asker.client.scratch
    assert {"stage", "done", "total"} <= set(newest.events[-1][0])


def test_a_preview_does_not_wait_for_a_job(asker: Asker, source: dict[str, Any], tmp_path: Path) -> None:
    whole = {"source": source, "told": [], "settings": {**TINY, "as": "baked"}, "clips": "1-2"}
    job = asker.begin("rebalance", **whole, out=str(tmp_path / "out.otio"))
    asker.until(lambda: any(told.get("stage") == "render" for told, _ in job.events))
    order: list[str] = []
    asker.client.ask(
        "preview",
        {"source": source, "told": [], "settings": TINY, "start": 2.0, "seconds": 1.0},
        done=lambda *_: order.append("preview"),
        failed=lambda failure: order.append(failure.error),
    )
    asker.until(lambda: job.over)
    assert job.failure is None
    assert order == ["preview"]


def left_behind(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.name.endswith((".part", ".lock"))]


def test_a_job_is_told_as_it_goes_and_can_be_stopped_midway(
    asker: Asker, source: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out.otio"
    data = {
        "source": source,
        "out": str(out),
        "told": [],
        "clips": "1-2",
        "settings": {**TINY, "as": "baked"},
    }
    stopped = asker.begin("rebalance", **data)
    asker.until(lambda: any(told.get("stage") == "render" for told, _ in stopped.events))
    assert stopped.ticket is not None
    stopped.ticket.cancel()
    assert stopped.failure is not None
    assert stopped.failure.cancelled
    done = asker.ask("rebalance", **data)  # its turn comes when the other has stopped
    result, mix = answered(done)["result"], read_mix(Path(answered(done)["mix"]))
    assert mix.duration == pytest.approx(7.0, abs=0.1)
    kinds = [told["event"] for told, _ in done.events]
    assert kinds[0] == "accepted"
    assert kinds[-1] == "finished"
    assert {"stage", "planned", "progress", "clip"} < set(kinds)
    assert [one["status"] for one in result["clips"]][:2] == ["rendered", "rendered"]
    assert out.exists()
    assert not left_behind(tmp_path)
    assert not [one for one in open_timeline(out).clips if one.state == "offline" and one.name != "gone"]


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_job_whose_process_is_killed_is_done_all_the_same(
    source: dict[str, Any], tmp_path: Path, tiny_model: str
) -> None:
    asker = Asker(tmp_path)
    out = tmp_path / "out.otio"
    job = asker.begin(
        "rebalance",
        source=source,
        out=str(out),
        told=[],
        clips="1-2",
        settings={"model": tiny_model, "as": "baked", "device": "cpu"},
    )
    asker.until(lambda: any(told.get("stage") == "render" for told, _ in job.events))
    pid = asker.client.pid_of("work")
    assert pid is not None
    os.kill(pid, 9)
    asker.until(lambda: job.over)
    assert answered(job)["result"]["clips"][0]["status"] == "rendered"
    asker.client.close()
    assert out.exists()
    assert not left_behind(tmp_path)


def test_what_is_exported_and_checked_is_named(asker: Asker, source: dict[str, Any], tmp_path: Path) -> None:
    assigned = {"assign": {"Dialogue": "DX", "Mix": "FX"}, "stems": ["DX", "FX", "MIX"]}
    done = answered(
        asker.ask("export", source=source, out=str(tmp_path / "stems"), to="stems", options=assigned)
    )
    assert done["files"]
    assert all(Path(path).exists() for path in done["files"])
    rows = answered(asker.ask("check", files=done["files"], delivery="ebu-r128"))["rows"]
    assert {"loudness", "passed"} & set(rows[0]) or rows[0]["figure"]
    file = answered(asker.ask("export", source=source, out=str(tmp_path / "film.edl"), to="edl", options={}))
    assert file["files"] == [str(tmp_path / "film.edl")]


def test_an_engine_once_warm_stays_so(asker: Asker) -> None:
    assert answered(asker.ask("warm", model="tiny", context="auto", device="cpu")) == {"device": "cpu"}
    wrong = asker.ask("warm", model="none such", context="auto", device="cpu").failure
    assert wrong is not None
    assert wrong.kind == "ModelError"
