"""The service that every road goes through: its events, its losses, how it stops, what it logs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from job_helpers import ALONE, FakeRenderer, three_clips
from sightmix.engine.errors import Cancelled, ModelError, SettingsError, WriteError
from sightmix.engine.passage import Passage, Rendition
from sightmix.engine.progress import Progress
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs import rebalance
from sightmix.plugin.jobs.events import Event, Failed, Finished, Lost, Moved
from sightmix.plugin.jobs.logs import LOG, log_unexpected, logged_to
from sightmix.plugin.jobs.losses import Loss, sentences
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.service import Request, Service
from sightmix.plugin.jobs.settings import JobSettings
from typer.testing import CliRunner, Result

EQ: dict[str, Any] = {
    "OTIO_SCHEMA": "Effect.1",
    "metadata": {
        "Resolve_OTIO": {
            "Effect Name": "Fairlight EQ",
            "Enabled": True,
            "Name": "EQ",
            "Type": 70,
            "Parameters": [{"Parameter ID": "x", "Parameter Value": -9.0}],
        }
    },
    "name": "",
    "effect_name": "Resolve Effect",
}


class Talker(FakeRenderer):
    """A renderer whose renditions have something to say."""

    def render(
        self, passage: Passage, settings: Any, folder: Path, stem_name: str, progress: Progress
    ) -> Rendition:
        from dataclasses import replace

        made = super().render(passage, settings, folder, stem_name, progress)
        return replace(made, warnings=("No picture from a.mov: it is damaged.",))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return three_clips(tmp_path)


@pytest.fixture(autouse=True)
def renderer(monkeypatch: pytest.MonkeyPatch) -> FakeRenderer:
    fake = Talker()
    monkeypatch.setattr(rebalance, "stage_for", lambda settings: RebalanceStage(settings, fake))
    return fake


def with_eq(source: Path) -> Path:
    """A timeline whose clips have an effect that nobody can carry."""
    root = json.loads(source.read_text())
    for clip in root["tracks"]["children"][0]["children"]:
        clip["effects"] = [EQ]
    root["metadata"] = {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}
    source.write_text(json.dumps(root))
    return source


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events if not isinstance(event, Moved)]


def test_a_job_tells_its_course(source: Path) -> None:
    events: list[Event] = []
    result = Service(events.append).rebalance(
        Request(source, source.parent / "out.otio", JobSettings(**ALONE))
    )
    assert kinds(events)[:4] == ["accepted", "stage", "stage", "planned"]
    parts = [event.to_dict()["stage"] for event in events if event.kind == "stage"]
    assert parts == ["open", "plan", "load", "render", "level", "measure", "report", "write"]
    clips = [event.to_dict() for event in events if event.kind == "clip"]
    assert [(clip["index"], clip["status"]) for clip in clips] == [(n, "rendered") for n in (1, 2, 3)]
    assert clips[0]["after"]["integrated"] == pytest.approx(clips[0]["before"]["integrated"] - 3, abs=0.1)
    [last] = [event for event in events if isinstance(event, Finished)]
    assert last is events[-1]
    assert last.result["summary"]["done"] == len(result.done) == 3
    for event in events:
        json.dumps(event.to_dict(), allow_nan=False)


def test_the_jobs_progress_only_rises(source: Path) -> None:
    events: list[Event] = []
    Service(events.append).rebalance(Request(source, source.parent / "out.otio", JobSettings(**ALONE)))
    whole = [event.done for event in events if isinstance(event, Moved) and event.stage == "job"]
    assert whole == sorted(whole)


def test_losses_of_every_kind_are_in_result_report_and_events(source: Path) -> None:
    events: list[Event] = []
    settings = JobSettings(**(ALONE | {"as_": "keyframes"}))
    result = Service(events.append).rebalance(Request(with_eq(source), source.parent / "out.xml", settings))
    assert {loss.where for loss in result.losses} >= {"timeline", "clip"}
    assert any("EQ" in loss.text for loss in result.losses)
    told = [Loss(e.where, e.text, e.clip) for e in events if isinstance(e, Lost)]
    assert set(told) == set(result.losses)
    report = json.loads((result.folder / "report.json").read_text())
    assert report["losses"] == [loss.to_dict() for loss in result.losses]
    page = (result.folder / "report.html").read_text()
    assert "What to know" in page
    assert "it is damaged" in page


def test_losses_are_lines_with_their_clips() -> None:
    losses = [Loss("timeline", "An EQ is not heard."), *(Loss("clip", "No picture.", n) for n in (1, 2, 4))]
    assert sentences(losses) == ("An EQ is not heard.", "Clips 1-2,4: No picture.")


def test_cancel_from_an_observer(source: Path) -> None:
    events: list[Event] = []

    def stop_at_the_second(event: Event) -> None:
        events.append(event)
        if event.kind == "clip":
            service.cancel()

    service = Service(stop_at_the_second)
    with pytest.raises(Cancelled, match="1 of 3 clips are rendered"):
        service.rebalance(Request(source, source.parent / "out.otio", JobSettings(**ALONE)))
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.cancelled
    assert not (source.parent / "out.otio").exists()


def test_clips_that_cannot_be_rendered_or_levelled_are_told(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source.parent / "soft.wav").unlink()

    def broken(*_: Any) -> None:
        raise WriteError("The file is locked.")

    monkeypatch.setattr("sightmix.plugin.jobs.run.deliver", broken)
    events: list[Event] = []
    result = Service(events.append).rebalance(
        Request(source, source.parent / "out", JobSettings(**ALONE), clips="1-3")
    )
    told = [event.to_dict() for event in events if event.kind == "clip"]
    last = {clip["index"]: (clip["status"], clip["reason"]) for clip in told}
    assert last == {clip.facts.index: (clip.status, clip.reason) for clip in result.failed}
    assert set(last) == {1, 2, 3}


def test_an_interruption_is_told_as_one(source: Path, renderer: FakeRenderer) -> None:
    def interrupt(event: Event) -> None:
        events.append(event)
        if event.kind == "clip":
            raise KeyboardInterrupt

    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        Service(interrupt).rebalance(Request(source, source.parent / "out", JobSettings(**ALONE)))
    assert events[-1].to_dict() == {"event": "failed", "error": "Stopped.", "cancelled": True}


def test_a_failure_is_told(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    service = Service(events.append)
    with pytest.raises(SettingsError):
        service.rebalance(Request(source, source.parent / "out", clips="9"))
    assert events[-1].to_dict() == {
        "event": "failed",
        "error": "--clips '9' names clip 9, but this timeline's audio clips are numbered 1 to 3.",
        "cancelled": False,
    }


def test_a_model_that_cannot_be_loaded_stops_the_job_before_the_first_clip(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: RebalanceStage) -> None:
        raise ModelError("The weights are damaged; get them again.")

    monkeypatch.setattr(RebalanceStage, "load", broken)
    with pytest.raises(ModelError, match="damaged"):
        Service().rebalance(Request(source, source.parent / "out", JobSettings(**ALONE)))
    assert not (source.parent / "out.otio").exists()


def test_the_unexpected_is_logged_once_with_its_traceback(
    source: Path, renderer: FakeRenderer, caplog: pytest.LogCaptureFixture
) -> None:
    renderer.failing = {"two": ZeroDivisionError("oh")}
    result = Service().rebalance(Request(source, source.parent / "out", JobSettings(**ALONE)))
    assert [clip.facts.index for clip in result.failed] == [2]
    records = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(records) == 1
    text = (result.folder / LOG).read_text()
    assert text.count("Traceback") == 1
    assert "ZeroDivisionError: oh" in text


def test_an_expected_failure_writes_no_log(source: Path, renderer: FakeRenderer) -> None:
    renderer.failing = {"two": ModelError("no")}
    result = Service().rebalance(Request(source, source.parent / "out", JobSettings(**ALONE)))
    assert not (result.folder / LOG).exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to try here")
def test_a_log_that_cannot_be_written_is_no_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / LOG).symlink_to("/dev/full")
    with logged_to(tmp_path):
        log_unexpected("it failed", ZeroDivisionError("oh"))
    assert "Logging error" not in capsys.readouterr().err


def test_what_breaks_the_job_itself_is_logged_once(
    source: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("inner")

    monkeypatch.setattr("sightmix.plugin.jobs.run.place", broken)
    done = sightmix("rebalance", source, "-o", source.parent / "out")
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 1
    assert (source.parent / "out.sightmix" / LOG).read_text().count("Traceback") == 1


def sightmix(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_events_on_the_command_line_are_lines_of_json(source: Path) -> None:
    done = sightmix("rebalance", with_eq(source), "-o", source.parent / "out", "--events")
    assert done.exit_code == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (events[0]["event"], events[0]["schema"]) == ("accepted", "sightmix.event/1")
    assert events[-1]["event"] == "finished"
    assert events[-1]["result"]["schema"] == "sightmix.report/1"
    assert {"progress", "planned", "clip", "loss", "stage"} <= {event["event"] for event in events}
    failed = sightmix("rebalance", source, "-o", source.parent / "out", "--clips", "9", "--events")
    assert failed.exit_code == 2
    assert json.loads(failed.stdout.splitlines()[-1])["event"] == "failed"
    both = sightmix("rebalance", source, "-o", source.parent / "out", "--clips", "9", "--events", "--json")
    assert both.stdout == failed.stdout


def test_losses_on_the_command_line(source: Path) -> None:
    done = sightmix("rebalance", with_eq(source), "-o", source.parent / "out")
    assert "EQ" in done.stdout
    assert "Clips 1-3: No picture from a.mov: it is damaged." in done.stdout
    data = json.loads(sightmix("rebalance", source, "-o", source.parent / "out", "--json").stdout)
    assert any("EQ" in loss["text"] for loss in data["losses"])
    plan = sightmix("rebalance", source, "-o", source.parent / "out", "--dry-run")
    assert "EQ" in plan.stdout


def test_cleaning_on_the_command_line(source: Path) -> None:
    out = source.parent / "out.otio"
    for strength in ("1", "0.5"):
        flags = ("--unit", "clip", "--loudness", "model", "--strength", strength)
        assert sightmix("rebalance", source, "-o", out, *flags).exit_code == 0
    told = json.loads(sightmix("clean", out, "--keep", "1", "--dry-run", "--json").stdout)
    assert len([name for name in told["would_remove"] if name.endswith(".wav")]) == 6
    assert told["removed"] == []
    done = sightmix("clean", out.with_name("out.sightmix"), "--keep", "1")
    assert "Removed 12 files" in done.stdout
    assert "the last result keeps its own" in done.stdout
    assert sightmix("clean", source).exit_code == 2
