from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from sightmix.engine.media import paths

BASE = Path("/proj/cut")


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("/Users/ann/take 1.wav", "/Users/ann/take 1.wav"),
        ("/Users/ann/100%25 real.wav", "/Users/ann/100%25 real.wav"),
        ("E:\\a b\\c.mxf", "E:\\a b\\c.mxf"),
        ("E:/音/x.wav", "E:/音/x.wav"),
        ("\\\\server\\share\\x y.wav", "\\\\server\\share\\x y.wav"),
        ("file:///Users/ann/take%201.wav", "/Users/ann/take 1.wav"),
        ("file:///Users/ann/take 1.wav", "/Users/ann/take 1.wav"),
        ("FILE:///Users/ann/a.wav", "/Users/ann/a.wav"),
        ("file://localhost/Users/ann/a%23b.wav", "/Users/ann/a#b.wav"),
        ("file://localhost/D%3a/media/x.mov", "D:/media/x.mov"),
        ("file://localhost/D:/media/x.mov", "D:/media/x.mov"),
        ("file:///C:/M/a%20b.wav", "C:/M/a b.wav"),
        ("file:///C|/M/a.wav", "/C|/M/a.wav"),
        ("file://C:/M/a.wav", "C:/M/a.wav"),
        ("file:///E:\\a b\\c.mxf", "E:/a b/c.mxf"),
        ("file://server/share/a%20b.wav", "//server/share/a b.wav"),
        ("file:/Users/ann/a.wav", "/Users/ann/a.wav"),
        ("file:///m/take #2?.wav", "/m/take #2?.wav"),
        ("file:///m/%E9%9F%B3.wav", "/m/音.wav"),
        ("sub/a.wav", "sub/a.wav"),
        ("./a.wav", "./a.wav"),
    ],
)
def test_the_likeliest_spelling_comes_first(url: str, first: str) -> None:
    assert paths.spellings(url)[0] == first


@pytest.mark.parametrize("text", ["E:\\a.wav", "e:/a.wav", "\\\\srv\\s\\a.wav", "//srv/s/a.wav"])
def test_windows_paths_are_foreign_only_elsewhere(text: str) -> None:
    assert paths.is_foreign(text, windows=False)
    assert not paths.is_foreign(text, windows=True)


@pytest.mark.parametrize("url", ["https://x.org/a.wav", "s3://bucket/a.wav", "http:a"])
def test_remote(url: str) -> None:
    assert paths.is_remote(url)


@pytest.mark.parametrize("url", ["file:///a.wav", "E:\\a.wav", "e:/a.wav", "/a:b.wav", "a.wav", "x/y:z.wav"])
def test_not_remote(url: str) -> None:
    assert not paths.is_remote(url)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("a b.wav", "a%20b.wav"),
        ("a%20b.wav", "a%20b.wav"),
        ("100%.wav", "{base}/100%.wav"),
        ("take #2.wav", "file://{base}/take #2.wav"),
        ("take #2.wav", "file://localhost{base}/take%20%232.wav"),
        ("p%41.wav", "file://{base}/p%41.wav"),
        ("音 é.wav", "file://{base}/%E9%9F%B3%20%C3%A9.wav"),
        ("x.wav", "sub\\..\\x.wav"),
        ("x.wav", "  {base}/x.wav "),
    ],
)
def test_existing_files_are_found(tmp_path: Path, name: str, url: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / name).touch()
    found = paths.locate(url.format(base=tmp_path), tmp_path)
    assert found.resolve() == tmp_path / name


def test_accents_stored_apart_are_found(tmp_path: Path) -> None:
    (tmp_path / unicodedata.normalize("NFD", "Café.wav")).touch()
    found = paths.locate(unicodedata.normalize("NFC", "Café.wav"), tmp_path)
    assert found.is_file()


def test_literal_percent_wins_over_decoding(tmp_path: Path) -> None:
    for name in ("a%20b.wav", "a b.wav"):
        (tmp_path / name).touch()
    assert paths.locate("a%20b.wav", tmp_path).name == "a%20b.wav"


def test_moved_media_is_found_in_the_folders_given(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "c 1.mxf").touch()
    for url in ("E:\\old place\\c 1.mxf", "file:///Volumes/old/c%201.mxf", "old/c 1.mxf"):
        assert paths.locate(url, tmp_path, [tmp_path / "new"]) == tmp_path / "new" / "c 1.mxf"


def test_what_is_nowhere_keeps_its_name(tmp_path: Path) -> None:
    assert str(paths.locate("E:\\a b\\c.mxf", tmp_path)) == "E:\\a b\\c.mxf"
    assert paths.locate("sub/none.wav", tmp_path) == tmp_path / "sub/none.wav"


@pytest.mark.parametrize("url", ["\0", "a" * 300, "file://", "file:", "%", "//", "\\\\", "file://%00/x"])
def test_odd_references_do_no_harm(tmp_path: Path, url: str) -> None:
    assert not os.path.isfile(paths.locate(url, tmp_path))  # noqa: PTH113


@pytest.mark.parametrize(
    ("url", "all_of_them"),
    [
        ("file:///Users/ann/take%201.wav", ["/Users/ann/take 1.wav", "/Users/ann/take%201.wav"]),
        ("file://localhost/Users/ann/a.wav", ["/Users/ann/a.wav"]),
        ("file://LocalHost/a.wav", ["/a.wav"]),
        ("file://server/share/a.wav", ["//server/share/a.wav", "server/share/a.wav"]),
        ("file://server/a%20b", ["//server/a b", "//server/a%20b", "server/a b"]),
        ("file://C:/M/a.wav", ["C:/M/a.wav"]),
        ("file://c%3A/M/a.wav", ["c:/M/a.wav", "/c%3A/M/a.wav"]),
        ("file:///C:/M/a.wav", ["C:/M/a.wav"]),
        ("file:/C:", ["C:"]),
        ("file:///C:x/a.wav", ["/C:x/a.wav"]),
        ("file:///E:\\a\\b.wav", ["E:/a/b.wav", "E:\\a\\b.wav"]),
        ("file:///a\\b.wav", ["/a/b.wav", "/a\\b.wav"]),
        ("file:\\\\server\\a.wav", ["//server/a.wav", "server/a.wav", "\\\\server\\a.wav"]),
        ("file:a.wav", ["a.wav"]),
        ("  a.wav\n", ["a.wav"]),
        ("a%20b.wav", ["a%20b.wav", "a b.wav"]),
        ("sub\\a.wav", ["sub\\a.wav", "sub/a.wav"]),
        ("sub\\a%20b.wav", ["sub\\a%20b.wav", "sub\\a b.wav", "sub/a%20b.wav", "sub/a b.wav"]),
        ("E:\\a%20b.wav", ["E:\\a%20b.wav", "E:\\a b.wav"]),
        ("\\\\server\\a.wav", ["\\\\server\\a.wav"]),
        ("%FF.wav", ["%FF.wav", "\udcff.wav"]),
    ],
)
def test_every_spelling_in_its_order(url: str, all_of_them: list[str]) -> None:
    assert paths.spellings(url) == all_of_them


def test_this_system_is_asked_where_nothing_else_is_said() -> None:
    assert paths.is_foreign("E:\\a.wav") == (os.name != "nt")
    assert not paths.is_foreign("/a.wav", windows=False)
    assert not paths.is_foreign("a:b.wav", windows=False)


@pytest.mark.parametrize("url", ["FTP://x/a.wav", "a+b-c.1:x", "FILES:x"])
def test_schemes_of_any_case_are_remote(url: str) -> None:
    assert paths.is_remote(url)


def test_files_given_win_over_folders_and_the_first_folder_over_the_next(tmp_path: Path) -> None:
    for name in ("base", "one", "two"):
        (tmp_path / name).mkdir()
    folders = [tmp_path / "one", tmp_path / "two"]
    (tmp_path / "two" / "a.wav").touch()
    assert paths.locate("old/a.wav", tmp_path / "base", folders) == tmp_path / "two" / "a.wav"
    (tmp_path / "one" / "a.wav").touch()
    assert paths.locate("old/a.wav", tmp_path / "base", folders) == tmp_path / "one" / "a.wav"
    (tmp_path / "base" / "old").mkdir()
    (tmp_path / "base" / "old" / "a.wav").touch()
    assert paths.locate("old/a.wav", tmp_path / "base", folders) == tmp_path / "base" / "old" / "a.wav"
    # A folder of that name is no file, nor is anything a name without letters.
    (tmp_path / "one" / "b.wav").mkdir()
    assert paths.locate("b.wav", tmp_path / "base", folders) == tmp_path / "base" / "b.wav"
    assert paths.locate("", tmp_path / "base", folders) == tmp_path / "base"


def test_a_drive_of_another_system_keeps_its_name_though_a_file_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "E:\\a.wav").touch()
    assert str(paths.locate("E:\\a.wav", tmp_path)) == "E:\\a.wav"
