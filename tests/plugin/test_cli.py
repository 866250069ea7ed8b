"""The commands: what they print, how they fail, and the status they leave with."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from job_helpers import FakeRenderer, three_clips, timeline_of, tone
from sightmix.engine.edit.categories import Category
from sightmix.engine.errors import MediaError, ModelError
from sightmix.plugin.cli import app as cli
from sightmix.plugin.cli import moment
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs import listening, rebalance, service
from sightmix.plugin.jobs.listening import Listener
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.timeline import AudioClip
from timeline_kit import clip, movie, save, timeline, tr, track
from typer.testing import CliRunner, Result

SAMPLES = Path(__file__).parent.parent / "data" / "otio"
TIMELINES = sorted(
    p
    for p in SAMPLES.rglob("*")
    if p.suffix.lower() in (".otio", ".otioz", ".otiod", ".xml", ".fcpxml", ".aaf", ".edl")
)
SCRIPT = "import sys; from sightmix.plugin.cli.app import main; main()"


def sightmix(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return three_clips(tmp_path)


@pytest.fixture(autouse=True)
def renderer(monkeypatch: pytest.MonkeyPatch) -> FakeRenderer:
    """Every command renders with this; the tests of a model are the engine's."""
    fake = FakeRenderer()
    monkeypatch.setattr(rebalance, "stage_for", lambda settings: RebalanceStage(settings, fake))
    monkeypatch.delenv("SIGHTMIX_DEBUG", raising=False)
    return fake


def one_sentence(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("progress:")]
    assert len(lines) == 1, text
    assert lines[0].startswith("sightmix: ")
    assert "Traceback" not in text
    return lines[0]


def test_the_version() -> None:
    done = sightmix("--version")
    assert done.exit_code == 0
    assert done.stdout.startswith("sightmix 0")


def test_a_wrong_command_is_met_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["inspct"])
    assert left.value.code == 2
    assert "Did you mean 'inspect'?" in one_sentence(capsys.readouterr().err)


def test_a_command_starts_without_the_others() -> None:
    code = SCRIPT.replace("main()", "\ntry: main(['models', '--json'])\nexcept SystemExit: pass\n")
    code += "print([m for m in sys.modules if m.startswith('sightmix.plugin.cli.')])"
    loaded = python(code).stdout.splitlines()[-1]
    assert "cli.models" in loaded
    assert not any(
        f"cli.{name}'" in loaded for name in ("rebalance", "export", "train", "evaluate", "resolve")
    )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["rebalance", "-h"], ["inspect", "--help"], ["models", "--help"]]
)
def test_help(arguments: list[str]) -> None:
    done = sightmix(*arguments)
    assert done.exit_code == 0
    assert "Usage" in done.stdout


def test_help_tells_ranges_units_and_defaults() -> None:
    text = " ".join(sightmix("rebalance", "--help").stdout.split())
    assert "-60 to 24 dB. [default: 0.0]" in text
    assert "auto|none|frames|clip|captions" in text
    assert "[default: 12]" in text


def test_inspect_shows_tracks_clips_and_places(source: Path) -> None:
    done = sightmix("inspect", source, "--no-listen")
    assert done.exit_code == 0
    assert "3 audio clips on 1 track, 3 can be rebalanced" in done.stdout
    assert "A1 A1: 1-3; nothing tells what it holds" in done.stdout
    told = sightmix("inspect", source, "--category", "a1=DX").stdout
    assert "A1 A1: 1-3; dialogue (you said so)" in told
    assert "00:00:02:05" in done.stdout
    assert "soft.wav" in done.stdout


def test_inspect_as_json_with_loudness(source: Path) -> None:
    (source.parent / "soft.wav").unlink()
    done = sightmix("inspect", source, "--json", "--loudness", "--no-listen")
    data = json.loads(done.stdout)
    assert data["schema"] == "sightmix.timeline/1"
    assert [c["state"] for c in data["clips"]] == ["online", "offline", "online"]
    assert data["clips"][0]["loudness"]["true_peak"] == pytest.approx(-12.0, abs=0.1)
    assert "loudness" not in data["clips"][1]
    assert data["loudness"]["true_peak"] >= data["clips"][0]["loudness"]["true_peak"] - 0.1
    assert "soft.wav" in data["clips"][1]["reason"]
    assert data["clips"][1]["record_in"] == 1.0
    assert [c["layout"] for c in data["clips"]] == ["stereo", None, "stereo"]
    unknown = {
        "kind": None,
        "by": None,
        "confidence": 0.0,
        "certain": False,
        "reason": "nothing tells what it holds",
    }
    assert data["tracks"] == [{"name": "A1", "number": 1, "clips": [1, 2, 3], "category": unknown}]
    assert "progress:" in done.stderr


def test_inspect_listens_where_nothing_tells(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[AudioClip]] = []
    heard = Category("music", "ear", 0.71, "music is heard")

    def listen(_: Listener, clips: Sequence[AudioClip]) -> Category:
        asked.append(clips)
        return heard

    monkeypatch.setattr(Listener, "__call__", listen)
    shown = sightmix("inspect", source).stdout
    assert "A1 A1: 1-3; perhaps music (music is heard, 71 % sure)" in shown
    assert "A1 'A1' is taken for a mix, since it may hold music (music is heard); say --category A1=" in shown
    data = json.loads(sightmix("inspect", source, "--json").stdout)
    assert data["clips"][2]["category"] == data["tracks"][0]["category"]
    assert data["tracks"][0]["category"]["confidence"] == 0.71
    assert len(data["doubts"]) == 1
    heard = Category("music", "ear", 0.9, "music is heard")
    assert "taken for a mix" not in sightmix("inspect", source).stdout
    # What is known is not listened to.
    asked.clear()
    sightmix("inspect", source, "--category", "A1=music")
    assert not asked


def test_inspect_shows_each_clip_where_they_differ(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listen(_: Listener, clips: Sequence[AudioClip]) -> Category:
        kinds = {str(clip.path).count("soft") for clip in clips}
        sure = Category(("music", "dialogue")[max(kinds)], "ear", 0.9, "heard")
        return sure if len(kinds) == 1 else Category("mix", "ear", 0.9, "heard")

    monkeypatch.setattr(Listener, "__call__", listen)
    shown = sightmix("inspect", source).stdout
    assert "A1 A1: 1-3; its clips are of several kinds" in shown
    rows = [line.split() for line in shown.splitlines() if ".wav" in line]
    assert [row[-2] for row in rows] == ["music", "dialogue", "music"]


def test_inspect_says_why_it_cannot_listen(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf() -> None:
        raise ModelError("Running a model needs ONNX Runtime.")

    monkeypatch.setattr(listening, "shipped_network", deaf)
    done = sightmix("inspect", source)
    assert done.exit_code == 0
    assert "A1 A1: 1-3; nothing tells what it holds" in done.stdout
    assert "No track is listened to: Running a model needs ONNX Runtime.\n" in done.stderr


def test_inspect_chooses_among_timelines(tmp_path: Path) -> None:
    media = tone(tmp_path / "a.wav", 2)
    roots = []
    for name, clips in (("first", 1), ("second", 2)):
        path = timeline_of(tmp_path / f"{name}.otio", [(f"c{i}", media, i, 1.0) for i in range(clips)])
        root = json.loads(path.read_text())
        roots.append({**root, "name": name})
    both = tmp_path / "both.otio"
    both.write_text(
        json.dumps(
            {"OTIO_SCHEMA": "SerializableCollection.1", "name": "x", "metadata": {}, "children": roots}
        )
    )
    counts = {}
    for chosen in ("first", "second", "2"):
        data = json.loads(sightmix("inspect", both, "--json", "--no-listen", "--timeline", chosen).stdout)
        counts[chosen] = len(data["clips"])
        assert data["timelines"] == ["first", "second"]
    assert counts == {"first": 1, "second": 2, "2": 2}
    done = sightmix("inspect", both, "--timeline", "third")
    assert done.exit_code == 2
    assert "second" in one_sentence(done.stderr)


@pytest.mark.parametrize("path", TIMELINES, ids=lambda p: str(p.relative_to(SAMPLES)))
def test_inspect_reads_every_sample(path: Path) -> None:
    done = sightmix("inspect", path, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["clips"] is not None
    table = sightmix("inspect", path)
    assert table.exit_code == 0


def test_a_plain_media_file_is_a_timeline_of_one_clip(tmp_path: Path) -> None:
    media = tone(tmp_path / "a.wav", 2)
    done = sightmix("rebalance", media, "-o", tmp_path / "b", "--json")
    assert done.exit_code == 0, done.stderr
    assert len(json.loads(done.stdout)["clips"]) == 1
    assert (tmp_path / "b.otio").is_file()


def test_alone_it_shows_its_help_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Usage: ")
    assert sum(line.startswith("  rebalance ") for line in lines) == 1
    assert done.stderr == ""


def test_inspect_and_a_dry_run_count_the_same_shots(tmp_path: Path) -> None:
    movie(tmp_path / "film.mov", 3)
    tone(tmp_path / "sound.wav", 3)
    shots = [clip(f"{n}", tr(0, 24), str(tmp_path / "film.mov")) for n in range(3)]
    sounds = [clip("s", tr(24 * n, 24), str(tmp_path / "sound.wav")) for n in range(3)]
    edit = save(tmp_path / "in.otio", timeline(track("Video", *shots), track("Audio", *sounds)))
    film = json.loads(sightmix("inspect", edit, "--json", "--no-listen").stdout)
    plan = sightmix("rebalance", edit, "-o", tmp_path / "out.otio", "--dry-run", "--json")
    # Handles reach over the cuts; what is seen with a clip is what is seen while it sounds.
    assert [c["shots"] for c in film["clips"]] == [1, 1, 1]
    assert [c["shots"] for c in json.loads(plan.stdout)["clips"]] == [1, 1, 1]


def test_verbose_tells_stages_and_clips(source: Path) -> None:
    command = ["rebalance", str(source), "-o", str(source.parent / "out"), "--clips", "1", "--dry-run", "-v"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command], capture_output=True, text=True, timeout=120, check=True
    )
    assert "stage: plan" in done.stderr
    assert "stage: plan" not in done.stdout
    quiet = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command[:-1]], capture_output=True, text=True, timeout=120, check=True
    )
    assert "stage:" not in quiet.stderr


def test_rebalance_says_what_it_did(source: Path) -> None:
    done = sightmix("rebalance", source, "-o", source.parent / "out", "--clips", "1,3", "--loudness", "-23")
    assert done.exit_code == 0, done.stderr
    assert "2 of 2 clips rebalanced" in done.stdout
    assert "LUFS" in done.stdout
    assert "two" not in done.stdout
    assert "Not chosen: clip 2." in done.stdout
    assert (source.parent / "out.sightmix" / "report.html").is_file()


def test_rebalance_as_json_prints_one_object(source: Path, renderer: FakeRenderer) -> None:
    renderer.failing["two"] = MediaError("two is damaged.")
    done = sightmix("rebalance", source, "-o", source.parent / "out", "--json")
    data = json.loads(done.stdout)
    assert done.exit_code == data["exit_status"] == 1
    assert [c["status"] for c in data["clips"]] == ["rendered", "failed", "rendered"]
    line = one_sentence(done.stderr)
    assert "clip 2 (A1 'two' at 00:00:01:00) was not rebalanced: two is damaged." in line


def test_every_setting_reaches_the_job(source: Path) -> None:
    flags = {
        "--unit": "programme",
        "--style": "full",
        "--strength": 0.5,
        "--dialogue": 1.0,
        "--music": -2.0,
        "--effects": -3.0,
        "--true-peak": -2.0,
        "--context": "none",
        "--handles": 3,
        "--device": "cpu",
        "--loudness": "-24",
        "--model": "m",
        "--as": "both",
        "--dialect": "plain",
    }
    pairs = [part for pair in flags.items() for part in pair]
    done = sightmix(
        "rebalance",
        source,
        "-o",
        source.parent / "out",
        "--json",
        "--stems",
        "--keep-originals",
        "--no-cache",
        *pairs,
    )
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)["settings"]
    assert found == {
        **{name.strip("-").replace("-", "_"): value for name, value in flags.items()},
        "stems": True,
        "keep_originals": True,
        "delivery": "",
        "detect_cuts": False,
        "cache": False,
    }


def test_a_dry_run_writes_nothing(source: Path, renderer: FakeRenderer) -> None:
    before = sorted(source.parent.iterdir())
    done = sightmix("rebalance", source, "-o", source.parent / "out", "--dry-run")
    assert done.exit_code == 0
    assert "to render" in done.stdout
    data = json.loads(
        sightmix("rebalance", source, "-o", source.parent / "out", "--dry-run", "--json").stdout
    )
    assert [c["status"] for c in data["clips"]] == ["to render"] * 3
    assert data["bytes_needed"] > 0
    assert sorted(source.parent.iterdir()) == before
    assert renderer.calls == []


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["rebalance", "IN"], "Missing option"),
        (["rebalance", "IN", "-o", "OUT", "--wrong"], "--wrong"),
        (["rebalance", "IN", "-o", "OUT", "--strength", "x"], "--strength"),
        (["nonsense"], "nonsense"),
        (["inspect"], "INPUT"),
    ],
)
def test_usage_errors_are_one_sentence_and_status_2(source: Path, arguments: list[str], what: str) -> None:
    done = in_process(source, arguments)
    assert done[0] == 2
    assert what in one_sentence(done[1])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["rebalance", "IN", "-o", "OUT", "--strength", "3"], "outside 0 to 1"),
        (["rebalance", "IN", "-o", "OUT", "--clips", "9"], "numbered 1 to 3"),
        (["rebalance", "IN", "-o", "OUT", "--all", "--clips", "1"], "--all cannot"),
        (["rebalance", "IN", "-o", "IN"], "replace the input"),
        (
            ["rebalance", "IN", "-o", "OUT", "--detect-cuts"],
            "neither a timeline|damaged|needs moving picture",
        ),
        (["inspect", "IN", "--rate", "fast"], "not a number of frames"),
        (["inspect", "MISSING"], "does not exist"),
        (["models", "show", "efficientnet-lit"], "did you mean"),
    ],
)
def test_what_cannot_work_is_one_sentence_and_status_2(source: Path, arguments: list[str], what: str) -> None:
    places = {"IN": source, "OUT": source.parent / "out", "MISSING": source.parent / "missing.otio"}
    done = sightmix(*[places.get(a, a) for a in arguments])
    assert done.exit_code == 2
    line = one_sentence(done.stderr)
    assert any(part in line for part in what.split("|")), line


def test_errors_are_objects_too_where_json_is_wanted(tmp_path: Path) -> None:
    done = sightmix("inspect", tmp_path / "missing.otio", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["schema"] == "sightmix.error/1"


def test_the_unexpected_is_a_sentence_unless_debugging(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("inner\nworkings")

    monkeypatch.setattr(service, "make_plan", broken)
    done = sightmix("rebalance", source, "-o", source.parent / "out")
    assert done.exit_code == 2
    assert "Unexpected KeyError" in one_sentence(done.stderr)


def in_process(source: Path, arguments: list[str]) -> tuple[int, str]:
    """Status and stderr of `main`, which is what the installed script runs."""
    import contextlib
    import io

    places = {"IN": str(source), "OUT": str(source.parent / "out")}
    err = io.StringIO()
    with contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        cli.main([places.get(a, a) for a in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code, err.getvalue()


def test_names_cannot_drive_the_terminal(tmp_path: Path) -> None:
    media = tone(tmp_path / "a.wav", 2)
    source = timeline_of(tmp_path / "reel.otio", [("\x1b[2J\x07evil", media, 0.0, 1.0)])
    assert "\x1b" not in sightmix("inspect", source, "--no-listen").stdout
    assert "\x1b" not in sightmix("rebalance", source, "-o", tmp_path / "out").stdout


def test_models_are_listed_and_shown() -> None:
    assert "efficientnet-lite0" in sightmix("models").stdout
    listed = json.loads(sightmix("models", "--json").stdout)["models"]
    assert {"name", "licence", "sha256", "present"} <= set(listed[0])
    shown = sightmix("models", "show", "efficientnet-lite0")
    assert "Apache-2.0" in shown.stdout
    assert "sha256" in json.loads(sightmix("models", "show", "efficientnet-lite0", "--json").stdout)["model"]
    assert "here already" in sightmix("models", "fetch", "efficientnet-lite0").stdout


def test_nothing_is_fetched_without_a_yes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from sightmix.engine.weights import store

    data = tmp_path / "data.bin"
    data.write_bytes(b"weights")
    root = tmp_path / "root"
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(root))
    facts = {"name": "tiny", "kind": "x", "licence": "MIT", "trained_on": ["nothing"], "url": data.as_uri()}
    store.add_card(store.make_card(data, **facts), root)
    refused = CliRunner().invoke(app, ["models", "fetch", "tiny"], input="n\n")
    assert refused.exit_code != 0
    assert "MIT" in refused.stdout
    assert not list(root.rglob("*.bin"))
    done = sightmix("models", "fetch", "tiny", "--yes")
    assert done.exit_code == 0, done.stderr
    assert (root / "data.bin").read_bytes() == b"weights"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_the_command_line_starts_light() -> None:
    heavy = (
        "numpy",
        "scipy",
        "av",
        "torch",
        "onnxruntime",
        "opentimelineio",
        "jinja2",
        "PIL",
        "rich.progress",
    )
    code = f"import sys, sightmix.plugin.cli.app; print([m for m in {heavy!r} if m in sys.modules])"
    assert python(code).stdout.strip() == "[]"


def test_debugging_shows_the_traceback(tmp_path: Path) -> None:
    code = SCRIPT.replace("main()", f"main(['inspect', {str(tmp_path / 'x.otio')!r}])")
    done = python(code, SIGHTMIX_DEBUG="1")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "Traceback" not in python(code).stderr


def test_a_reader_that_goes_away_is_no_error(source: Path) -> None:
    code = SCRIPT.replace("main()", f"main(['inspect', '--no-listen', {str(source)!r}])")
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_time_named_is_what_the_user_has_waited(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "_given", [time.monotonic() - 3600])
    done = sightmix("rebalance", source, "-o", source.parent / "out")
    assert re.search(r"3 of 3 clips rebalanced in 1:0\d:\d\d: ", done.stdout)
