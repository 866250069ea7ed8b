"""Files appear under their names when they are whole, and a kill leaves nothing for long."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sightmix.engine import files
from sightmix.engine.errors import SightmixError, WriteError
from sightmix.engine.files import (
    WholeFile,
    place,
    replacing,
    replacing_path,
    sweep,
    unfinished,
    write_bytes,
    write_error,
    write_text,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def by_file(path: Path, data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)


def by_path(path: Path, data: bytes) -> None:
    with replacing_path(path) as partial:
        partial.write_bytes(data)


WAYS = pytest.mark.parametrize("way", [by_file, by_path, write_bytes])


@WAYS
def test_the_old_content_stands_until_the_new_is_whole(tmp_path, way, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    seen = []
    put = files.put_in_place
    monkeypatch.setattr(
        files, "put_in_place", lambda a, b: (seen.append((a.read_bytes(), b.read_bytes())), put(a, b))
    )
    way(path, b"new")
    assert seen == [(b"new", b"old")]
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SightmixError, OSError])
@pytest.mark.parametrize("way", [replacing, replacing_path])
def test_what_ends_badly_leaves_nothing(tmp_path, way, error):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def stumble():
        with way(path) as partial:
            (partial.write if way is replacing else partial.write_bytes)(b"half")
            assert [p.name.startswith(".a.txt.") for p in unfinished(tmp_path)] == [True]
            raise error("x")

    with pytest.raises(WriteError if error is OSError else error):
        stumble()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


@WAYS
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_modes_are_what_the_umask_gives(tmp_path, way, umask):
    before = os.umask(umask)
    try:
        way(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_private_file_is_private_from_the_start(tmp_path):
    with WholeFile(tmp_path / "a", mode=0o600, durable=False) as file:
        assert unfinished(tmp_path)[0].stat().st_mode & 0o777 == 0o600
        file.write(b"x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@WAYS
def test_the_bytes_reach_the_disk_before_the_name_does(tmp_path, way, monkeypatch):
    order = []
    sync, put = os.fsync, files.put_in_place
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("sync"), sync(fd)))
    monkeypatch.setattr(files, "put_in_place", lambda a, b: (order.append("name"), put(a, b)))
    way(tmp_path / "a", b"x")
    assert order == ["sync", "name"]


@WAYS
@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, "a.b", "a b", "-", "%"])
def test_any_name_the_disk_takes(tmp_path, way, name):
    way(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


def test_missing_folders_are_made_only_on_request(tmp_path):
    path = tmp_path / "a" / "b" / "c"
    for way in (by_file, by_path, write_bytes):
        with pytest.raises(
            WriteError, match=rf"cannot be written: the folder {path.parent} does not exist; create it"
        ):
            way(path, b"x")
    write_text(path, "x\ny\n", newline="\r\n", parents=True)
    assert path.read_bytes() == b"x\r\ny\r\n"


@WAYS
def test_a_folder_in_the_way(tmp_path, way):
    (tmp_path / "a").mkdir()
    with pytest.raises(WriteError, match="a folder of that name is in the way"):
        way(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]


@WAYS
def test_a_disk_that_allows_no_more(tmp_path, way):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(WriteError, match="beyond what its disk allows"):
            way(tmp_path / "a", bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk is full; free some space"),
        (errno.EROFS, "the disk can only be read; choose a folder you may write to"),
        (errno.EACCES, "permission denied; choose a folder you may write to"),
        (errno.ENAMETOOLONG, "choose a shorter one"),
        (errno.EIO, "Input/output error.; check the disk"),
        (errno.ENOENT, "No such file or directory.; check the disk"),
    ],
)
def test_refusals_are_one_sentence(tmp_path, code, words):
    text = str(write_error(tmp_path / "a", OSError(code, os.strerror(code))))
    assert text.startswith(f"{tmp_path / 'a'} cannot be written")
    assert words.replace(".;", ");") in text
    assert text.endswith(".")
    assert "\n" not in text


def test_a_folder_takes_a_folders_place(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("old")
    with replacing_path(tmp_path / "a") as partial:
        partial.mkdir()
        (partial / "new").write_text("new")
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["new"]


def test_a_folder_that_cannot_be_put_there_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("old")
    replace = Path.replace

    def full(self, target):
        if (self / "new").exists():
            raise OSError(errno.ENOSPC, "full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)

    def exchange():
        with replacing_path(tmp_path / "a") as partial:
            partial.mkdir()
            (partial / "new").write_text("new")

    with pytest.raises(WriteError, match="disk is full"):
        exchange()
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["old"]


# Placing


@pytest.mark.parametrize("there", [False, True])
def test_placing_links_where_it_may(tmp_path, there):
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"x")
    if there:
        target.write_bytes(b"old")
    for _ in range(2):
        place(source, target)
        assert target.samefile(source)
    place(source, tmp_path / "sub" / "c", parents=True, link=False)
    assert (tmp_path / "sub" / "c").read_bytes() == b"x"
    assert not (tmp_path / "sub" / "c").samefile(source)
    assert names(tmp_path) == ["a", "b", "sub"]


def test_placing_what_may_only_be_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(0o444)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "another disk")))
    place(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x"
    with pytest.raises(WriteError, match="b cannot be written"):
        place(tmp_path / "gone", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x"


# Kills

DYING = """
import os, signal, sys
from pathlib import Path
from sightmix.engine.files import WholeFile, replacing, replacing_path
target, way = Path(sys.argv[1]), sys.argv[2]
with {"file": replacing, "path": replacing_path}[way](target) as partial:
    (partial.write if way == "file" else partial.write_bytes)(b"half")
    print("writing", flush=True)
    sys.stdin.read()
"""


WRITING = """
import sys
from pathlib import Path
from sightmix.engine.files import write_text
write_text(Path(sys.argv[1]), "x")
"""


@pytest.mark.parametrize("way", ["file", "path"])
def test_what_a_kill_leaves_goes_and_what_lives_stays(tmp_path, way):
    command = [sys.executable, "-c", DYING, str(tmp_path / "a"), way]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"writing\n"
        sweep(tmp_path)
        held = unfinished(tmp_path)
        assert len(held) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert unfinished(tmp_path) == held
    # Another process that writes into the folder for the first time clears it.
    subprocess.run([sys.executable, "-c", WRITING, str(tmp_path / "b")], check=True)
    assert names(tmp_path) == ["b"]


def test_two_who_write_the_same_do_not_meet(tmp_path):
    with replacing(tmp_path / "a") as one, replacing(tmp_path / "a") as two:
        one.write(b"one")
        two.write(b"two")
        sweep(tmp_path)
        assert len(unfinished(tmp_path)) == 2
    assert (tmp_path / "a").read_bytes() == b"one"
    assert names(tmp_path) == ["a"]


def test_sweeping_touches_nothing_of_others(tmp_path):
    for name in (
        ".keep.part", "a.part", ".a.12345678.part", "a.sightmix.part", ".keep.sightmix.part", ".hidden",
        ".a.123456789.sightmix.part", ".a.1234567g.sightmix.part", ".sightmix.part",
    ):  # fmt: skip
        (tmp_path / name).write_text("theirs")
    before = names(tmp_path)
    sweep(tmp_path)
    sweep(tmp_path / "none")
    assert names(tmp_path) == before


def test_without_locks_only_the_old_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    old, new = (tmp_path / f".{name}.12345678{files.MARK}" for name in ("old", "new"))
    for path in (old, new):
        path.mkdir()
    os.utime(old, (1, 1))
    with replacing(tmp_path / "a") as file:
        file.write(b"x")
    assert names(tmp_path) == sorted(["a", new.name])
