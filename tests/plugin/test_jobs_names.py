"""File names of results are plain, stable and stay in their folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.plugin.jobs.names import NAMES, FileNames, ascii_slug, base_names, result_folder, result_path


def test_files_have_the_clips_names_with_a_short_suffix() -> None:
    names = ["Interview – Küche.mov", "take", "Take", "take.wav", "take_2", "日本", "v1.2", "a.b.c"]
    assert base_names(names) == [
        "Interview_Kuche_rebalanced",
        "take_rebalanced",
        "Take_2_rebalanced",
        "take_3_rebalanced",
        "take_2_2_rebalanced",
        "clip_rebalanced",
        "v1.2_rebalanced",
        "a.b.c_rebalanced",
    ]


@given(st.lists(st.text(max_size=300), max_size=20))
def test_any_names_become_plain_file_names_that_stay_apart(names: list[str]) -> None:
    found = base_names(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert found == base_names(names)
    for stem in found:
        assert stem.isascii()
        assert Path(stem).name == stem
        assert not set(stem) & set('/\\:*?"<>| \0\n')
        assert not stem.startswith((".", "-"))
        assert len(stem) < 90


def test_a_sound_finds_its_own_name_and_another_gets_the_next(tmp_path: Path) -> None:
    names = FileNames(tmp_path)
    assert [names.of("a_rebalanced", key) for key in ("k1", "k2", "k1")] == [
        "a_rebalanced", "a_rebalanced_v2", "a_rebalanced"
    ]  # fmt: skip
    (tmp_path / "a_rebalanced.wav").write_bytes(b"left by a kill, before it was whole")
    (tmp_path / "b_rebalanced.wav").write_bytes(b"somebody's own")
    again = FileNames(tmp_path)
    assert again.of("a_rebalanced", "k2") == "a_rebalanced_v2"
    assert again.of("a_rebalanced", "k1") == "a_rebalanced"
    assert again.of("A_rebalanced", "k3") == "A_rebalanced_v3"
    assert again.of("b_rebalanced", "k4") == "b_rebalanced_v2"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "sightmix.names/1", "names": 3}', '{"schema": "x"}']
)
def test_a_list_of_names_that_cannot_be_read_takes_nothing_from_anybody(tmp_path: Path, text: str) -> None:
    (tmp_path / NAMES).write_text(text)
    (tmp_path / "a_rebalanced.wav").write_bytes(b"x")
    assert FileNames(tmp_path).of("a_rebalanced", "k") == "a_rebalanced_v2"


@pytest.mark.parametrize("name", ["con", "NUL", "aux.txt", "com1", "...", "", "///", "日本"])
def test_names_no_system_can_use_are_changed(name: str) -> None:
    assert ascii_slug(name).startswith("clip")


@pytest.mark.parametrize(
    ("out", "path", "folder"),
    [
        ("film", "film.otio", "film.sightmix"),
        ("film.v2", "film.v2.otio", "film.v2.sightmix"),
        ("film.otio", "film.otio", "film.sightmix"),
        ("film.OTIO", "film.OTIO", "film.sightmix"),
        ("film.xml", "film.xml", "film.xml.sightmix"),
        ("film.otioz", "film.otioz", "film.otioz.sightmix"),
    ],
)
def test_where_results_go(out: str, path: str, folder: str) -> None:
    assert result_path(Path(out)) == Path(path)
    assert result_folder(result_path(Path(out))) == Path(folder)
