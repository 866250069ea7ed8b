"""``sightmix export`` from a rebalanced timeline to stems, other programs' files and delivery checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from job_helpers import ALONE, FakeRenderer, three_clips, timeline_of, tone
from sightmix.engine.programme.programme import audible
from sightmix.engine.progress import Progress
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline
from sightmix.plugin.timeline.source import open_edit
from typer.testing import CliRunner, Result

FAKE = FakeRenderer()


def sightmix(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def rebalanced(source: Path, renderer: Any = FAKE, **given: Any) -> Path:
    settings = JobSettings(**(ALONE | given))
    stage = RebalanceStage(settings, renderer)
    request = Job(source, source.parent / "out.otio", settings)
    return run(make_plan(request, open_timeline(source), stage), stage, Progress()).out


@pytest.fixture
def keyframed(tmp_path: Path) -> Path:
    return rebalanced(three_clips(tmp_path), as_="keyframes", keep_originals=False)


def read(path: Path) -> np.ndarray:
    return np.asarray(sf.read(path, dtype="float64", always_2d=True)[0])


def stem(folder: Path, name: str) -> np.ndarray:
    [path] = folder.glob(f"*_{name}_2.0_48k24_v*.wav")
    return read(path)


def sentence(done: Result) -> str:
    assert done.exit_code == 2, done.output
    assert done.stderr.count("\n") == 1
    return str(done.stderr)


def test_stems_of_a_keyframed_result_are_the_baked_mix(tiny_model: str, tmp_path: Path) -> None:
    """The whole road: stems and curves through the timeline file, flattened, rendered and added."""
    rng = np.random.default_rng(2)
    x = 0.1 * rng.standard_normal((5 * 48_000, 2)) + 0.1 * np.sin(np.arange(240_000) / 9)[:, None]
    sf.write(tmp_path / "in.wav", x, 48_000, subtype="PCM_24")
    source = timeline_of(tmp_path / "reel.otio", [("a", tmp_path / "in.wav", 0.2, 4.0)])
    settings = {"model": tiny_model, "context": "none", "device": "cpu"}
    result = rebalanced(source, None, as_="both", keep_originals=False, **settings)
    done = sightmix(result, "--to", "stems", "-o", tmp_path / "stems", "--json")
    assert done.exit_code == 0, done.output
    [mix] = [p for p in (tmp_path / "out.sightmix").glob("*.wav") if p.name.count(".") == 1]
    parts = {name: stem(tmp_path / "stems", name) for name in ("DX", "MX", "FX", "MIX")}
    assert {len(part) for part in parts.values()} == {4 * 48_000}
    first = round(0.2 * 48_000)  # all the sound there is before the clip
    baked = read(mix)[first : first + 4 * 48_000]
    assert 20 * np.log10(np.abs(parts["MIX"] - baked).max()) <= -100
    np.testing.assert_array_equal(parts["DX"] + parts["MX"] + parts["FX"], parts["MIX"])


def test_a_plain_result_sounds_as_the_other(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    given = {"as_": "keyframes", "keep_originals": False}
    own = open_edit(rebalanced(source, **given))
    plain = open_edit(rebalanced(source, dialect="plain", **given))
    assert any(track.enabled is False for track in own.tracks)
    for track in plain.tracks:
        assert track.enabled
        assert all(clip.enabled and clip.gain is None and clip.metadata == {} for clip in track.clips)
    one, other = (np.concatenate([b[0] for b in audible(e).blocks()], axis=1) for e in (own, plain))
    assert np.abs(one).max() > 0.01
    assert np.abs(one - other).max() < 1e-6
    assert {path.suffix for path in (tmp_path / "out.sounds").iterdir()} == {".wav"}


def test_stems_as_json(keyframed: Path, tmp_path: Path) -> None:
    done = sightmix(
        keyframed, "--to", "stems", "-o", tmp_path / "s", "--project", "Film", "--reel", "R1", "--json"
    )
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["schema"], data["to"], data["exit_status"]) == ("sightmix.export/1", "stems", 0)
    [made] = data["sets"]
    assert (made["name"], made["version"], made["start_tc"]) == ("Film_R1", 1, "00:00:00:00")
    assert made["samples"] == 3.2 * 48_000
    assert [f["stem"] for f in made["files"]] == ["DX", "MX", "FX", "ME", "MIX"]
    assert all(Path(p).is_file() for f in made["files"] for p in f["paths"])
    assert made["files"][-1]["loudness"]["integrated"] < 0
    again = json.loads(
        sightmix(keyframed, "-o", tmp_path / "s", "--project", "Film", "--reel", "R1", "--json").stdout
    )
    assert again["sets"][0]["version"] == 2


def test_stems_in_words_beside_the_timeline(keyframed: Path) -> None:
    done = sightmix(keyframed, "--stem", "dx", "--stem", "M&E", "--multi-mono")
    assert done.exit_code == 0, done.output
    folder = keyframed.with_name("out.stems")
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"Test-reel_{s}_2.0_48k24_v001.{c}.wav" for s in ("DX", "ME") for c in ("L", "R")]
    assert "Test-reel v001: 0:03 from 00:00:00:00" in done.stdout
    assert f"Stems: {folder}" in done.stdout


def test_a_set_per_clip(keyframed: Path, tmp_path: Path) -> None:
    done = sightmix(keyframed, "--per", "clip", "-o", tmp_path / "s", "--stem", "MIX", "--json")
    names = [one["name"] for one in json.loads(done.stdout)["sets"]]
    assert names == ["Test-reel_001-one", "Test-reel_002-two", "Test-reel_003-three"]


def test_delivery_is_met_and_said(keyframed: Path, tmp_path: Path) -> None:
    done = sightmix(keyframed, "-o", tmp_path / "s", "--delivery", "ebu-r128", "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    figures = {row["figure"]: row for row in data["rows"]}
    assert figures["programme loudness"]["measured"] == pytest.approx(-23, abs=0.1)
    assert all(row["passed"] for row in data["rows"])
    done = sightmix(keyframed, "-o", tmp_path / "s", "--delivery", "youtube")
    assert done.exit_code == 0, done.output
    assert "YouTube: met." in done.stdout
    mixes = sorted((tmp_path / "s").glob("*_MIX_*v002.wav"))
    done = sightmix("--check", *mixes, "--delivery", "ebu-r128")
    assert done.exit_code == 1
    assert "EBU R 128: not met, 1 figure out in 1 file." in done.stdout
    [line] = [line for line in done.stdout.splitlines() if "programme loudness" in line]
    assert line.split()[-2:] == ["LUFS", "OUT"]


def test_files_are_checked_against_a_spec(tmp_path: Path) -> None:
    good, loud = (
        tone(tmp_path / f"{name}.wav", 4, level, 997.0) for name, level in (("good", -23.0), ("loud", -12.0))
    )
    done = sightmix(good, "--check", "--delivery", "ebu-r128")
    assert done.exit_code == 0, done.output
    assert "EBU R 128: met." in done.stdout
    done = sightmix(good, loud, "--check", "--delivery", "ebu-r128", "--json")
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert (data["schema"], data["passed"], data["exit_status"]) == ("sightmix.check/1", False, 1)
    assert [row["file"] for row in data["rows"] if not row["passed"]] == ["loud.wav"]
    done = sightmix(good, "--check", "--delivery", "netflix")
    assert done.exit_code == 1
    assert "no dialogue stem" in done.stdout


def test_another_programs_file(keyframed: Path, tmp_path: Path) -> None:
    done = sightmix(keyframed, "-o", tmp_path / "cut.xml", "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["to"], data["out"]) == ("fcp7", str(tmp_path / "cut.xml"))
    assert "dialogue" in (tmp_path / "cut.xml").read_text()
    done = sightmix(keyframed, "--to", "edl", "-o", tmp_path / "cut")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "cut.edl").is_file()
    assert "CMX 3600 EDL" in done.stdout


def test_one_timeline_of_several(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    made = otio.adapters.read_from_file(str(rebalanced(source, as_="keyframes")))
    other = otio.schema.Timeline("empty")
    other.tracks.append(otio.schema.Track("A1", kind="Audio"))
    otio.adapters.write_to_file(
        otio.schema.SerializableCollection("all", [other, made]), str(tmp_path / "all.otio")
    )
    assert "no tracks of ours" in sentence(sightmix(tmp_path / "all.otio", "-o", tmp_path / "s"))
    assert not (tmp_path / "s").exists()
    done = sightmix(tmp_path / "all.otio", "-o", tmp_path / "s", "--timeline", "2")
    assert done.exit_code == 0, done.output
    done = sightmix(tmp_path / "all.otio", "-o", tmp_path / "s", "--timeline", "Test reel")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--to", "protools"], "no export format 'protools'"),
        (["-o", "cut.flp"], "cut.flp does not say its format"),
        (["--per", "scene"], "--per 'scene' is none of timeline, clip"),
        (["--assign", "A1"], "does not say TRACK=DX"),
        (["--stem", "VX"], "'VX' is no stem"),
        (["--delivery", "r128"], "no delivery spec 'r128'"),
        (["--check"], "--check needs a spec"),
        (["--to", "fcp7", "--delivery", "ebu-r128"], "use it with --to stems"),
        (["--embed"], "means nothing for stems"),
        (["other.otio"], "one timeline at a time"),
        (["-o", "none/such"], "cannot be made"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    keyframed: Path, flags: list[str], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(keyframed.parent)
    before = sorted(keyframed.parent.iterdir())
    assert what in sentence(sightmix(keyframed, *flags))
    assert sorted(keyframed.parent.iterdir()) == before


def test_a_timeline_without_results(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    assert "no tracks of ours" in sentence(sightmix(source))
    done = sightmix(source, "--assign", "A1=DX", "-o", tmp_path / "s")
    assert done.exit_code == 0, done.output
    assert len(stem(tmp_path / "s", "DX")) == 3.2 * 48_000
