"""What is not read whole, or at all: bombs, bundles that lead outside or are encrypted, pipes, devices, huge files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sightmix.engine.errors import MediaError, SettingsError, TimelineError
from sightmix.engine.limits import DOCUMENT_MB, UNPACKED_MB
from sightmix.engine.media.container import probe
from sightmix.plugin.timeline import open_timeline
from timeline_kit import clip, external, timeline, tr, track, wav

Members = list[tuple[str, bytes]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sightmix" / "bundles"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail rather than wait for ever."""

    def late(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def members(tmp_path: Path) -> Members:
    wav(tmp_path / "a.wav")
    root = timeline(track("Audio", clip("a", tr(0, 24), external("media/a.wav"))))
    return [("content.otio", json.dumps(root).encode()), ("media/a.wav", (tmp_path / "a.wav").read_bytes())]


def bundle(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return path


def changed(data: bytes, local: int, central: int, value: int) -> bytes:
    """A zip with a number of two bytes changed in every header of a member: so far behind its mark in each kind."""
    out = bytearray(data)
    for mark, place in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = out.find(mark)
        while at >= 0:
            struct.pack_into("<H", out, at + place, value)
            at = out.find(mark, at + 4)
    return bytes(out)


def refused(path: Path, cache: Path, words: str) -> str:
    with pytest.raises(TimelineError, match=words) as raised:
        open_timeline(path)
    assert str(path) in str(raised.value)
    assert not list(cache.rglob("*")), "something is left of it"
    return str(raised.value)


def test_only_what_the_timeline_names_is_unpacked(tmp_path: Path, members: Members, cache: Path) -> None:
    members += [("media/other.wav", bytes(1000)), ("version.txt", b"1.0.0")]
    (one,) = open_timeline(bundle(tmp_path / "x.otioz", members)).clips
    assert one.online
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["a.wav"]


def test_folders_of_sequences_and_escaped_names_are_named_too(tmp_path: Path, cache: Path) -> None:
    sequence = {
        **external("x"),
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "target_url_base": "media/frames/",
    }
    root = timeline(
        track("Video", clip("a", tr(0, 24), sequence)),
        track("Audio", clip("b", tr(0, 24), external("media/my%20take%C3%A9.wav"))),
    )
    files = [("media/frames/a.0001.png", b"x"), ("media/my takeé.wav", b"x"), ("media/no.wav", b"x")]
    open_timeline(bundle(tmp_path / "x.otioz", [("content.otio", json.dumps(root).encode()), *files]))
    assert {path.name for path in cache.rglob("*") if path.is_file()} == {"a.0001.png", "my takeé.wav"}


def test_a_bundle_that_grows_beyond_all_measure_is_refused_and_the_way_round_named(
    tmp_path: Path, members: Members, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UNPACKED_MB, "1")
    members[1] = ("media/a.wav", members[1][1] + bytes(30 << 20))
    path = bundle(tmp_path / "x.otioz", members)
    said = refused(path, cache, "would unpack from 3. kB to 33 MB, more than media can shrink")
    assert f"set {UNPACKED_MB} to 32." in said
    monkeypatch.setenv(UNPACKED_MB, "32")
    assert open_timeline(path).clips[0].online


def test_stored_media_of_any_size_is_no_bomb(
    tmp_path: Path, members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UNPACKED_MB, "1")
    members[1] = ("media/a.wav", members[1][1] + os.urandom(2 << 20))
    assert open_timeline(bundle(tmp_path / "x.otioz", members)).clips[0].online


def test_a_disk_without_room_is_said_before(
    tmp_path: Path, members: Members, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    refused(bundle(tmp_path / "x.otioz", members), cache, "the disk of .* has room for 0 MB; free some space")


@pytest.mark.parametrize(
    "name", ["../out", "media/../../out", "/out", "..\\out", "C:\\out", "\\\\server\\out"]
)
def test_members_that_lead_outside(name: str, tmp_path: Path, members: Members, cache: Path) -> None:
    refused(bundle(tmp_path / "x.otioz", [*members, (name, b"x")]), cache, "would be written outside it")
    assert not list(tmp_path.rglob("out"))


@pytest.mark.parametrize("flag", [0x1, 0x40 | 0x1, 0x2000])
def test_encrypted_members(flag: int, tmp_path: Path, members: Members, cache: Path) -> None:
    path = bundle(tmp_path / "x.otioz", members)
    path.write_bytes(changed(path.read_bytes(), 6, 8, flag))
    refused(path, cache, "is encrypted; export it without a password")


def test_damaged_members_leave_nothing(tmp_path: Path, members: Members, cache: Path) -> None:
    path = tmp_path / "x.otioz"
    with zipfile.ZipFile(path, "w") as made:
        for name, data in members:
            made.writestr(name, data)
    data = path.read_bytes()
    at = data.index(b"RIFF") + 2000
    path.write_bytes(data[:at] + b"\xff\xfe\xfd" + data[at + 3 :])
    refused(path, cache, "is damaged")
    path.write_bytes(changed(data, 8, 10, 99))  # the method of packing
    refused(path, cache, "packed in a way that is not read")


@pytest.mark.parametrize("name", ["content.otio", "x.otioz"])
def test_documents_too_large_are_not_read(
    name: str, tmp_path: Path, members: Members, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DOCUMENT_MB, "1")
    members[0] = ("content.otio", members[0][1] + b" " * (2 << 20))
    path = tmp_path / "x.otioz"
    if name == "x.otioz":
        bundle(path, members)
    else:
        path = tmp_path / "x.otio"
        path.write_bytes(members[0][1])
    assert DOCUMENT_MB in refused(path, cache, r"is larger than a timeline is \(2 MB; 1 MB are read\)")
    monkeypatch.setenv(DOCUMENT_MB, "4")
    assert len(open_timeline(path).clips) == 1


@pytest.mark.parametrize("name", ["x.otio", "x.xml", "x.fcpxml", "x.edl"])
def test_three_gigabytes_are_refused_at_once(name: str, tmp_path: Path, cache: Path) -> None:
    starts = {".otio": b"{", ".xml": b"<xmeml>", ".fcpxml": b"<fcpxml>", ".edl": b"TITLE: x\n"}
    path = tmp_path / name
    with path.open("wb") as sparse:
        sparse.write(starts[path.suffix] + b" " * 70000)
        sparse.truncate(3 << 30)
    said = refused(path, cache, "3.2 GB")
    assert len(said) < 400


@pytest.mark.parametrize("text", ["0", "-1", "much", "1e9", "9" * 20])
def test_limits_that_are_no_numbers(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DOCUMENT_MB, text)
    (tmp_path / "x.otio").write_text("{}")
    with pytest.raises(SettingsError, match=f"{DOCUMENT_MB} is .*give a whole number of megabytes"):
        open_timeline(tmp_path / "x.otio")


def odd_files(folder: Path) -> dict[str, tuple[Path, Any]]:
    os.mkfifo(folder / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "s"))
    (folder / "link").symlink_to("/dev/zero")
    return {
        "pipe": (folder / "pipe", None),
        "socket": (folder / "s", server),
        "device": (folder / "link", None),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
def test_pipes_sockets_and_devices_are_sentences_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    for kind, (path, held) in odd_files(Path()).items():
        with within(20):
            with pytest.raises(TimelineError, match=f"{path} is a {kind}, not a file"):
                open_timeline(path)
            with pytest.raises(MediaError, match=f"{path} is a {kind}, not a media file"):
                probe(path)
            inside = Path(f"{kind}.otiod")
            inside.mkdir()
            (inside / "content.otio").symlink_to(path.absolute())
            with pytest.raises(TimelineError, match=f"is a {kind}, not a file"):
                open_timeline(inside)
        if held is not None:
            held.close()


@pytest.mark.parametrize("name", ["n" * 300 + ".otio", "a\0b.otio", "loop.otio", "x.otio/y.otio", ""])
def test_names_that_lead_nowhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop.otio").symlink_to(tmp_path / "loop.otio")
    (tmp_path / "x.otio").write_text("{}")
    with pytest.raises(TimelineError):
        open_timeline(tmp_path / name)
