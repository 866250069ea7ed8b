"""What a result's format will not carry is said before the work, in the words that are said after it."""

import json
from pathlib import Path

import pytest
from job_helpers import FakeRenderer, timeline_of, tone
from sightmix.engine.errors import WriteError
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.losses import WRITTEN
from sightmix.plugin.jobs.plan import Job, Plan, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A clip that is known to be dialogue and one that is a mix, retimed and between frames, on one track each."""
    sound = tone(tmp_path / "loud.wav", 2, -12)
    path = timeline_of(tmp_path / "reel.otio", [("one", sound, 0.2, 0.6)], "Dialogue")
    root = json.loads(path.read_text())
    other = json.loads(path.read_text())["tracks"]["children"][0] | {"name": "Mix"}
    clip = other["children"][0]
    clip["effects"] = [
        {"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "metadata": {}, "effect_name": "", "time_scalar": 1.5}
    ]
    clip["source_range"]["start_time"]["value"] = 3.3
    root["tracks"]["children"].append(other)
    path.write_text(json.dumps(root))
    return path


def planned(source: Path, out: str, **settings: object) -> tuple[Plan, RebalanceStage, FakeRenderer]:
    fake = FakeRenderer()
    chosen = JobSettings(**({"style": "full"} | settings))
    stage = RebalanceStage(chosen, fake)
    return make_plan(Job(source, source.parent / out, chosen), open_timeline(source), stage), stage, fake


@pytest.mark.parametrize(
    ("out", "form", "told"),
    [
        ("out.edl", "auto", "Gain curves are comments, which no editor applies"),
        ("out.aaf", "keyframes", "Changed speeds are not carried"),
        ("out.xml", "both", "are rounded"),
        ("out.mlt", "stems", "moved onto it, by up to half a frame"),
        ("out.rpp", "baked", ""),
    ],
)
def test_the_plan_says_what_will_be_lost(source: Path, out: str, form: str, told: str) -> None:
    plan, stage, _ = planned(source, out, as_=form)
    before = [loss.text for loss in plan.losses if loss.where == WRITTEN]
    assert any(told in text for text in before) or not told
    assert not any("offline" in text or "not_yet_made" in text for text in before)
    result = run(plan, stage, Progress())
    after = [loss.text for loss in result.losses if loss.where == WRITTEN]
    assert after == before
    assert result.out.is_file()


def test_nothing_is_said_of_a_document_and_nothing_is_written(source: Path) -> None:
    for out in ("out.otio", "out.otioz", "out.xml"):
        plan, _, fake = planned(source, out)
        assert bool([loss for loss in plan.losses if loss.where == WRITTEN]) == (out == "out.xml")
        assert fake.calls == []
    assert sorted(path.name for path in source.parent.iterdir()) == ["loud.wav", "reel.otio"]


@pytest.mark.parametrize("out", ["out.edl", "out.xml", "out.fcpxml", "out.aaf"])
def test_a_timeline_that_a_format_cannot_hold_is_refused_before_the_work(source: Path, out: str) -> None:
    source.write_text(
        source.read_text().replace('"rate":25.0', '"rate":12.7').replace('"rate": 25.0', '"rate": 12.7')
    )
    with pytest.raises(
        WriteError, match=r"cannot hold a timeline of 12\.7 frames per second; give it a rate"
    ):
        planned(source, out)
    assert not (source.parent / f"{out}.sightmix").exists()


def test_a_bundle_needs_room_for_the_media_too(source: Path) -> None:
    plan, _, _ = planned(source, "out.otioz", as_="baked")
    assert plan.bytes_bundled == (source.parent / "loud.wav").stat().st_size + plan.bytes_needed
    assert planned(source, "out.otio")[0].bytes_bundled == 0
