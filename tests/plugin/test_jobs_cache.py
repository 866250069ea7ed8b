"""Only whole, unchanged renditions count, and only our own files are ever removed."""

import json
import math
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from sightmix.engine.errors import WriteError
from sightmix.engine.passage import GainCurves, Loudness, Rendition, SeenFrame
from sightmix.plugin.jobs.cache import Shelf, deliver
from sightmix.plugin.jobs.sidecar import rendition_from_dict, rendition_to_dict


def rendition_in(folder: Path, name: str = "a", stems: bool = False) -> Rendition:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.wav"
    path.write_bytes(os.urandom(200_000))
    names = ("speech", "music", "effects") if stems else ()
    for stem in names:
        (folder / f"{name}.{stem}.wav").write_bytes(os.urandom(1000))
    silence = Loudness(-math.inf, 0.0, -math.inf, -math.inf, -math.inf)
    return Rendition(
        identifier="1-a",
        path=path,
        start=Fraction(-1, 3),
        samples=1000,
        sample_rate=48_000,
        channels=2,
        before=silence,
        after=Loudness(-23.1, 4.5, -1.2, -18.0, -19.5),
        gains=GainCurves((0.0, 0.1), {"speech": (1.0, 2.0), "music": (0.0, -1.0), "effects": (0.5, 0.5)}),
        stems={stem: folder / f"{name}.{stem}.wav" for stem in names},
        stem_levels={"speech": (-20.0, -math.inf)},
        frames=(SeenFrame(0.5, Path("/m/ü.mov"), Fraction(1, 7), 0),),
        makeup_db=1.5,
        provenance={"model": "m", "seconds": {"mix": 0.5}},
        warnings=("careful",),
    )


def test_a_rendition_survives_its_sidecar(tmp_path: Path) -> None:
    rendition = rendition_in(tmp_path, stems=True)
    text = json.dumps(rendition_to_dict(rendition), allow_nan=False)
    assert rendition_from_dict(json.loads(text), tmp_path) == rendition


def test_a_stored_rendition_is_found_by_name_and_key(tmp_path: Path) -> None:
    shelf, rendition = Shelf(tmp_path), rendition_in(tmp_path)
    assert shelf.find("a", "k", stems=False) is None
    shelf.store("k", "s", rendition)
    assert shelf.find("a", "k", stems=False) == rendition
    assert shelf.find("a", "other", stems=False) is None
    assert shelf.find("b", "k", stems=False) is None


def test_stems_are_found_only_where_they_were_written(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.store("k", "s", rendition_in(tmp_path))
    assert shelf.find("a", "k", stems=True) is None
    shelf.store("k", "s", rendition_in(tmp_path, stems=True))
    assert shelf.find("a", "k", stems=True) is not None
    assert shelf.find("a", "k", stems=False) is not None


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def rewrite(path: Path) -> None:
    state = path.stat()
    path.write_bytes(os.urandom(state.st_size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def touch(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize("harm", [Path.unlink, truncate, rewrite, touch])
@pytest.mark.parametrize("which", ["a.wav", "a.music.wav"])
def test_harmed_files_do_not_count(tmp_path: Path, harm, which: str) -> None:
    shelf = Shelf(tmp_path)
    shelf.store("k", "s", rendition_in(tmp_path, stems=True))
    harm(tmp_path / which)
    assert shelf.find("a", "k", stems=True) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"schema": "sightmix.rendition/1"}', "\0"])
def test_a_damaged_sidecar_does_not_count(tmp_path: Path, text: str) -> None:
    shelf = Shelf(tmp_path)
    shelf.store("k", "s", rendition_in(tmp_path))
    (tmp_path / "a.json").write_text(text)
    assert shelf.find("a", "k", stems=False) is None
    assert list(shelf.entries()) == []


def test_unwanted_are_our_own_files_and_no_others(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.store("old", "s", rendition_in(tmp_path, "old", stems=True))
    shelf.store("new", "s", rendition_in(tmp_path, "new"))
    for name in ("mine.wav", "notes.json", "old.txt"):
        (tmp_path / name).write_text("{}")
    unwanted = shelf.unwanted(lambda entry: entry.key == "new")
    assert {p.name for p in unwanted} == {
        "old.wav",
        "old.speech.wav",
        "old.music.wav",
        "old.effects.wav",
        "old.json",
    }


def test_a_sidecar_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    folder, victim = tmp_path / "results", tmp_path / "original.wav"
    victim.write_bytes(b"precious")
    shelf = Shelf(folder)
    shelf.store("k", "s", rendition_in(folder))
    sidecar = folder / "a.json"
    sidecar.write_text(sidecar.read_text().replace('"file":"a.wav"', '"file":"../original.wav"'))
    assert victim not in shelf.unwanted(lambda entry: False)


@pytest.mark.parametrize("links", [True, False])
def test_delivery_by_link_or_copy(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", lambda *a: (_ for _ in ()).throw(OSError("no links here")))
    rendition = rendition_in(tmp_path / "cache", stems=True)
    for _ in range(2):
        there = deliver(rendition, tmp_path, "A1_001_a")
        assert there == replace(
            rendition,
            path=tmp_path / "A1_001_a.wav",
            stems={stem: tmp_path / f"A1_001_a.{stem}.wav" for stem in rendition.stems},
        )
        assert there.path.read_bytes() == rendition.path.read_bytes()
        assert (there.path.stat().st_ino == rendition.path.stat().st_ino) == links
    assert not list(tmp_path.glob(".*"))


def test_delivery_into_nowhere_is_a_write_error(tmp_path: Path) -> None:
    rendition = rendition_in(tmp_path)
    with pytest.raises(WriteError, match="cannot be written"):
        deliver(rendition, tmp_path / "missing", "x")


def test_a_file_that_vanished_is_not_stored(tmp_path: Path) -> None:
    rendition = rendition_in(tmp_path)
    rendition.path.unlink()
    with pytest.raises(WriteError, match="vanished"):
        Shelf(tmp_path).store("k", "s", rendition)
