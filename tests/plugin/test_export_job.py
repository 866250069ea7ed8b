"""The one road of an export, asked as the Python interface asks it and held against the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sightmix
from job_helpers import three_clips
from sightmix.engine.errors import Cancelled, SettingsError, TimelineError, WriteError
from sightmix.engine.progress import Progress, Step
from sightmix.exporters.delivery import Row
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs.export import STEMS, Exported, ExportRequest, export, target
from typer.testing import CliRunner

AS_DIALOGUE = {"assign": {"A1": "DX"}}


@pytest.mark.parametrize(
    ("to", "out", "key"),
    [
        ("", None, STEMS),
        ("", "delivered", STEMS),
        (" Stems ", "delivered.v2", STEMS),
        ("", "cut.XML", "fcp7"),
        ("", "cut.edl", "edl"),
        (" EDL ", None, "edl"),
        ("mlt", "cut.xml", "mlt"),
    ],
)
def test_what_is_written_goes_by_the_word_and_then_by_the_suffix(to: str, out: str | None, key: str) -> None:
    assert target(to, Path(out) if out else None) == key


def test_a_folder_with_a_dot_in_its_name_takes_stems(tmp_path: Path) -> None:
    (tmp_path / "reel.1").mkdir()
    assert target("", tmp_path / "reel.1") == STEMS
    with pytest.raises(SettingsError, match="does not say its format"):
        target("", tmp_path / "reel.2")


def test_python_and_the_command_line_get_the_same(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    done = sightmix.export(source, tmp_path / "python", assign={"A1": "fx"}, stems=["fx", "M&E", "mix"])
    words = ["--assign", "A1=fx", "--stem", "fx", "--stem", "M&E", "--stem", "mix", "--json"]
    told = CliRunner().invoke(app, ["export", str(source), "-o", str(tmp_path / "line"), *words])
    data = json.loads(told.stdout)
    assert {path.name for path in done.files} == {path.name for path in (tmp_path / "line").iterdir()}
    for path in done.files:
        assert path.stat().st_size == (tmp_path / "line" / path.name).stat().st_size
    here = json.loads(json.dumps(done.to_dict()).replace(str(tmp_path / "python"), str(tmp_path / "line")))
    assert data == here | {"exit_status": 0}
    assert [file["stem"] for file in data["sets"][0]["files"]] == ["FX", "ME", "MIX"]
    assert list(done.losses) == list(dict.fromkeys(data["sets"][0]["notes"] + data["losses"]))


def test_the_folder_for_stems_is_made_and_goes_again_where_nothing_came_of_it(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    folder = tmp_path / "stems"
    with pytest.raises(SettingsError, match="no tracks of ours"):
        sightmix.export(source, folder, "stems")
    assert not folder.exists()
    done = sightmix.export(source, folder, "stems", **AS_DIALOGUE)
    assert done.files
    assert set(done.files) == set(folder.iterdir())
    with pytest.raises(WriteError, match="cannot be made"):
        sightmix.export(source, tmp_path / "none" / "such", "stems", **AS_DIALOGUE)


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "stems"
    folder.mkdir()
    with pytest.raises(SettingsError, match="no tracks of ours"):
        sightmix.export(three_clips(tmp_path), folder)
    assert folder.is_dir()


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    request = ExportRequest(three_clips(tmp_path), tmp_path / "stems", options=AS_DIALOGUE)
    seen: list[Step] = []
    progress = Progress(lambda step: (seen.append(step), progress.cancel())[0])
    with pytest.raises(Cancelled):
        export(request, progress)
    assert seen
    assert not (tmp_path / "stems").exists()


def test_a_name_without_a_suffix_gets_the_formats(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    done = sightmix.export(source, tmp_path / "cut", "edl")
    assert (done.files, done.out) == ((tmp_path / "cut.edl",), tmp_path / "cut.edl")
    assert done.out.is_file()
    beside = export(ExportRequest(source, to="fcp7"))
    assert beside.files == (source.with_name(f"{source.stem}.fcp7.xml"),)


def test_the_timeline_that_is_read_is_not_written_over(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    before = source.read_bytes()
    with pytest.raises(SettingsError, match="is the timeline that is read"):
        sightmix.export(source, source, "kdenlive")
    assert source.read_bytes() == before


def test_a_spec_is_measured_after_it_was_met(tmp_path: Path) -> None:
    done = sightmix.export(three_clips(tmp_path), tmp_path / "stems", delivery="ebu-r128", **AS_DIALOGUE)
    assert done.delivery is not None
    assert done.delivery.key == "ebu-r128"
    [loudness] = [row for row in done.rows if row.figure == "programme loudness"]
    assert loudness.measured == pytest.approx(-23, abs=0.1)
    assert done.met == (not any(row.out for row in done.rows))
    plain = sightmix.export(three_clips(tmp_path), tmp_path / "stems", **AS_DIALOGUE)
    assert (plain.delivery, plain.rows, plain.met) == (None, (), True)


def test_what_a_spec_only_advises_does_not_miss_it() -> None:
    rows = [
        Row("mix.wav", "loudness range", 30.0, "4 to 18", "LU", passed=passed, advice=advice)
        for passed, advice in ((True, False), (False, True), (False, False))
    ]
    assert [row.out for row in rows] == [False, False, True]
    assert Exported(STEMS, Path("stems"), (), (), rows=tuple(rows[:2])).met
    assert not Exported(STEMS, Path("stems"), (), (), rows=tuple(rows)).met


def test_options_are_those_of_what_is_written(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    with pytest.raises(SettingsError, match="CMX 3600 EDL has no option 'project'"):
        sightmix.export(source, tmp_path / "cut.edl", project="Film")
    with pytest.raises(SettingsError, match="no option of stems 'embed'"):
        sightmix.export(source, tmp_path / "stems", embed=True)
    with pytest.raises(SettingsError, match="no delivery spec 'r128'"):
        sightmix.export(source, tmp_path / "stems", delivery="r128")
    with pytest.raises(TimelineError):
        sightmix.export(tmp_path / "none.otio", tmp_path / "stems")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".edl" or path.is_dir()] == []
