"""Curves drawn by hand in a job: they stand in the place of the model's, and nothing is heard again for them."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from job_helpers import FakeRenderer
from sightmix.engine.edit import keyframes
from sightmix.engine.errors import SettingsError
from sightmix.engine.progress import Progress
from sightmix.plugin import api
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs import rebalance
from sightmix.plugin.jobs.hand import Drawn, to_data
from sightmix.plugin.jobs.mix import read_mix
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.results import JobResult
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.service import Request, Service
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline
from sightmix.plugin.timeline.marks import KEY
from test_programme_jobs import audible, married, source
from typer.testing import CliRunner

DRAWN = (Drawn("music", (2.0, 3.0, 5.0), (-10.0, -20.0, -10.0)),)
__all__ = ["source"]


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> FakeRenderer:
    fake = FakeRenderer()
    monkeypatch.setattr(rebalance, "stage_for", lambda settings: RebalanceStage(settings, fake))
    return fake


def job(path: Path, renderer: FakeRenderer, drawn: tuple[Drawn, ...] = (), **given: object) -> JobResult:
    settings = JobSettings(**({"style": "full", "loudness": "model"} | given))  # type: ignore[arg-type]
    stage = RebalanceStage(settings, renderer)
    request = Job(path, path.parent / "out.otio", settings, drawn=drawn)
    return run(make_plan(request, open_timeline(path), stage), stage, Progress())


def test_a_curve_drawn_by_hand_is_what_the_clip_gets(source: Path) -> None:
    result = job(source, FakeRenderer(), DRAWN, strength=0.5, music=-3.0, true_peak=0.0)
    song = audible(result.out)[1].clips[0]
    assert song.gain is not None
    for second, level in ((1.0, -5.0), (2.5, -15.0), (3.0, -20.0), (4.0, -15.0), (5.5, -5.0)):
        assert keyframes.at(song.gain, Fraction(second)) == pytest.approx(level, abs=0.3)
    dialogue = audible(result.out)[0].clips[0]
    assert dialogue.gain is not None
    assert keyframes.at(dialogue.gain, Fraction(3)) == pytest.approx(2.0, abs=0.01)


def test_it_is_told_as_drawn_by_hand_and_the_model_beside_it(source: Path) -> None:
    said = job(source, FakeRenderer(), DRAWN).said
    assert any("00:00:02–00:00:05 music −15 dB by hand" in sentence for sentence in said)
    music = [sentence for sentence in said if "music −4 dB" in sentence]
    assert len(music) == 2, "before it and after it"
    assert not any("by hand" in sentence for sentence in job(source, FakeRenderer()).said)


def test_the_level_is_found_with_it(source: Path) -> None:
    plain, drawn = (
        job(source, FakeRenderer(), curves, loudness="-25").balance
        for curves in ((), (Drawn("music", (0.0, 12.0), (-30.0, -30.0)),))
    )
    assert plain is not None
    assert drawn is not None
    assert drawn.levelled.after.integrated == pytest.approx(-25, abs=0.1)
    assert drawn.levelled.gain_db > plain.levelled.gain_db + 0.5


@pytest.mark.parametrize("name", ["known", "separated"])
def test_a_change_of_curves_or_options_asks_the_network_nothing(
    tmp_path: Path, name: str, source: Path
) -> None:
    path = source if name == "known" else married(tmp_path)
    renderer = FakeRenderer()
    job(path, renderer)
    assert renderer.calls
    renderer.calls.clear()
    job(path, renderer, DRAWN)
    job(path, renderer, strength=0.3, dialogue=2.0, loudness="-23", style="repair")
    assert renderer.calls == []


def test_a_run_leaves_behind_what_the_network_said_in_every_style(source: Path) -> None:
    result = job(source, FakeRenderer(), DRAWN, strength=0.5)
    assert result.balance is not None
    mix = read_mix(result.balance.mix_file)
    assert result.balance.mix_file.parent == result.folder / "cache"
    assert set(mix.styles) == {"repair", "full"}
    np.testing.assert_array_equal(mix.styles["full"][:, 100], FakeRenderer().moves)
    assert (mix.start, mix.duration) == (0.0, 12.0)
    assert mix.laid.moved == {1, 2, 3, 4, 5, 6, 7}
    told = {stem for said in mix.said["full"] for stem in said.stems}
    assert told == {"speech", "music", "effects"}
    report = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))
    assert report["programme"]["mix"] == str(result.balance.mix_file)
    assert report["programme"]["drawn"] == to_data(DRAWN)
    root = json.loads(result.out.read_text(encoding="utf-8"))
    assert f'"{KEY}"' in json.dumps(root)
    assert json.dumps(to_data(DRAWN)["curves"]) in json.dumps(root), "the new timeline says how it was made"


def test_command_line_and_interface_take_a_file_of_them(source: Path, renderer: FakeRenderer) -> None:
    file = source.parent / "curves.json"
    file.write_text(json.dumps(to_data(DRAWN)), encoding="utf-8")
    out = source.parent / "cli.otio"
    shown = CliRunner().invoke(app, ["rebalance", str(source), "-o", str(out), "--curves", str(file)])
    assert shown.exit_code == 0, shown.output
    assert "by hand" in shown.output
    result = api.rebalance(source, source.parent / "api.otio", curves=file)
    assert result.balance is not None
    assert result.balance.drawn == DRAWN
    again = api.rebalance(source, source.parent / "again.otio", curves=DRAWN)
    assert again.said == result.said


def test_what_is_no_curve_is_refused_in_a_sentence(source: Path, renderer: FakeRenderer) -> None:
    file = source.parent / "curves.json"
    file.write_text('{"schema": "other"}', encoding="utf-8")
    command = ["rebalance", str(source), "-o", str(source.parent / "out.otio"), "--curves", str(file)]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code != 0
    assert "curves.json" in shown.stderr
    alone = Request(source, source.parent / "out.otio", JobSettings(unit="clip"), drawn=DRAWN)
    with pytest.raises(SettingsError, match="--unit clip"):
        Service().rebalance(alone)
    assert renderer.calls == []
