"""File names of results are plain, stable and stay in their folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.plugin.jobs.names import ascii_slug, result_folder, result_path, stem_name

KEY = "1f2e3d4c" * 8


def test_a_name_says_track_number_and_clip() -> None:
    assert stem_name("A1", 3, "Interview – Küche.mov", KEY) == "A1_003_Interview_Kuche_1f2e3d4c"


@given(st.text(max_size=300), st.text(max_size=300), st.integers(1, 99_999))
def test_any_name_becomes_a_plain_file_name(track: str, name: str, index: int) -> None:
    stem = stem_name(track, index, name, KEY)
    assert stem.isascii()
    assert Path(stem).name == stem
    assert not set(stem) & set('/\\:*?"<>| \0\n')
    assert not stem.startswith((".", "-"))
    assert len(stem) < 90


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
