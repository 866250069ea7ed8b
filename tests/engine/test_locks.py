"""One run at a time writes an output: it says who is busy, and a kill holds nobody up."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sightmix.engine import locks
from sightmix.engine.errors import WriteError
from sightmix.engine.locks import BusyError, check_free, holding, holding_folder

HOLDING = """
import sys
from pathlib import Path
from sightmix.engine.locks import holding, holding_folder
with {"file": holding, "folder": holding_folder}[sys.argv[2]](Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
WAYS = {"file": holding, "folder": holding_folder}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def holder(target: Path, way: str) -> subprocess.Popen[bytes]:
    """Another process that holds `target` until its input ends."""
    command = [sys.executable, "-c", HOLDING, str(target), way]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.parametrize("way", WAYS)
def test_a_living_process_is_named_and_a_killed_one_holds_nobody_up(tmp_path: Path, way: str) -> None:
    target = tmp_path / "a.otio" if way == "file" else tmp_path
    with holder(target, way) as process:
        told = rf"a\.otio|{tmp_path.name}.* is being written by another run .*\(process {process.pid} on "
        with pytest.raises(BusyError, match=told) as caught, WAYS[way](target):
            raise AssertionError
        assert str(caught.value).endswith("wait until it is done, or choose another name.")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(names(tmp_path)) == 1
    with WAYS[way](target):
        pass
    assert names(tmp_path) == []


def test_threads_exclude_each_other_and_failures_let_go(tmp_path: Path) -> None:
    refused: list[str] = []

    def other() -> None:
        try:
            with holding(tmp_path / "A.otio"):  # the same file on many disks
                pass
        except BusyError as error:
            refused.append(str(error))

    def interrupted() -> None:
        with holding(tmp_path / "a.otio"), holding(tmp_path / "b.otio"):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert f"process {os.getpid()} on {socket.gethostname()}, since 20" in refused[0]
    assert names(tmp_path) == []


def test_who_only_asks_leaves_nothing(tmp_path: Path) -> None:
    check_free(tmp_path / "a.otio")
    with holding(tmp_path / "a.otio"), pytest.raises(BusyError):
        check_free(tmp_path / "a.otio")
    check_free(tmp_path / "a.otio")
    assert names(tmp_path) == []


def test_long_names_stay_apart(tmp_path: Path) -> None:
    with holding(tmp_path / ("ä" * 120 + "1")), holding(tmp_path / ("ä" * 120 + "2")):
        assert all(len(os.fsencode(name)) <= 143 for name in names(tmp_path))


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    told = r"a.otio cannot be written: the folder .* does not exist"
    with pytest.raises(WriteError, match=told), holding(tmp_path / "none" / "a.otio"):
        raise AssertionError


def test_a_file_that_was_removed_meanwhile_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last holder removes the file between our opening it and our locking it."""
    lock, really = locks._locked, []

    def late(descriptor: int, path: Path) -> bool:
        if not really:
            path.unlink()
        really.append(path)
        return lock(descriptor, path)

    monkeypatch.setattr(locks, "_locked", late)
    with holding(tmp_path / "a"):
        assert len(really) == 2
        assert json.loads((tmp_path / names(tmp_path)[0]).read_text())["pid"] == os.getpid()


# Disks without locks go by who is said to hold them.


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(locks.fcntl, "flock", refused)


@pytest.mark.parametrize(
    ("changed", "busy"),
    [
        ({}, True),
        ({"start": "1"}, False),  # a later process of the same number
        ({"pid": 2**22 + 1}, False),
        ({"host": "another"}, True),
        ({"pid": "x"}, False),
    ],
)
@pytest.mark.usefixtures("no_locks")
def test_without_locks_the_living_holder_counts(
    tmp_path: Path, changed: dict[str, object], busy: bool
) -> None:
    lock = locks._beside(tmp_path / "a")
    lock.write_text(json.dumps(locks._ourselves() | changed))
    if not busy:
        with holding(tmp_path / "a"):
            assert json.loads(lock.read_text()) == locks._ourselves() | {
                "since": json.loads(lock.read_text())["since"]
            }
        assert not lock.exists()
        return
    with pytest.raises(BusyError) as caught, holding(tmp_path / "a"):
        raise AssertionError
    assert (f"or delete {lock} if it was lost" in str(caught.value)) == ("host" in changed)
    assert lock.exists()
