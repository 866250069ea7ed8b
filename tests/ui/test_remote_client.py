"""Asking the engine in its own processes: they come back after a crash, and leave nothing when the panel is closed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote_kit import Asker, Heard, alive, answered, odd_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills by signal")


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    made = Asker(tmp_path, odd_command)
    yield made
    made.client.close()


def kill(asker: Asker, process: str = "work") -> None:
    pid = asker.client.pid_of(process)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_a_process_killed_at_work_comes_back_and_is_asked_again(asker: Asker, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    long = asker.begin("stuck", file=str(go_on))
    waiting = [asker.begin("echo", say=n) for n in range(3)]
    asker.until(lambda: long.events)
    kill(asker)
    asker.until(lambda: len(long.events) == 2)  # begun once more
    go_on.write_text("")
    asker.until(lambda: long.over and all(one.over for one in waiting))
    assert long.failure is None
    assert [answered(one)["back"] for one in waiting] == [0, 1, 2]
    work = [state for name, state in asker.states if name == "work"]
    assert work == ["starting", "ready", "restarting", "ready"]


def test_what_brings_it_down_every_time_fails_alone(asker: Asker) -> None:
    before, bad, after = asker.begin("echo", say=1), asker.begin("dies"), asker.begin("echo", say=2)
    asker.until(lambda: bad.over and after.over)
    assert bad.failure is not None
    assert (bad.failure.crashed, bad.failure.cancelled) == (True, False)
    assert "exit status 7" in bad.failure.error
    assert "last words" in bad.failure.details
    assert (answered(before)["back"], answered(after)["back"]) == (1, 2)


def test_one_that_went_down_once_is_done_the_second_time(asker: Asker, tmp_path: Path) -> None:
    once, later = asker.begin("dies_once", file=str(tmp_path / "x")), asker.begin("echo", say=2)
    asker.until(lambda: once.over and later.over)
    assert (once.failure, later.failure) == (None, None)


def test_garbage_from_a_process_ends_it_and_it_is_asked_again(asker: Asker, tmp_path: Path) -> None:
    assert answered(asker.ask("babbles", file=str(tmp_path / "x"))) == {}
    assert ("work", "restarting") in asker.states


def test_what_was_taken_back_is_not_asked_again_after_a_crash(asker: Asker, tmp_path: Path) -> None:
    long = asker.begin("stuck", file=str(tmp_path / "never"))
    asker.until(lambda: long.events)
    kill(asker)
    asker.until(lambda: ("work", "restarting") in asker.states)
    assert long.ticket is not None
    long.ticket.cancel()
    assert answered(asker.ask("echo", say=3))["back"] == 3
    assert (long.answers, len(long.events)) == (1, 1)


def test_the_end_of_one_process_does_not_stop_the_other(asker: Asker, tmp_path: Path) -> None:
    long = asker.begin("stuck", file=str(tmp_path / "go on"))
    asker.until(lambda: long.events)
    missing = asker.ask("open", source={"path": str(tmp_path / "none.otio")}).failure
    assert missing is not None
    assert (missing.kind, missing.crashed) == ("TimelineError", False)
    kill(asker, "media")
    asker.until(lambda: asker.client.state_of("media") == "ready" and ("media", "restarting") in asker.states)
    assert ("work", "restarting") not in asker.states
    (tmp_path / "go on").write_text("")
    asker.until(lambda: long.over)
    assert long.failure is None


def test_an_engine_that_cannot_start_says_so_and_is_tried_again(tmp_path: Path) -> None:
    """Once what is missing is there, the next request finds it."""
    there = tmp_path / "there"
    start = (
        f"import sys, pathlib\nif not pathlib.Path({str(there)!r}).exists(): sys.exit('it is not there')\n"
    )

    def command(name: str, scratch: Path) -> list[str]:
        return [sys.executable, "-c", f"{start}from sightmix.ui.remote.worker import main; main()", name]

    asker = Asker(tmp_path, command)
    failure = asker.ask("devices").failure
    assert failure is not None
    assert failure.crashed
    assert "it is not there" in failure.details
    assert asker.client.state_of("work") == "stopped"
    there.write_text("")
    assert "devices" in answered(asker.ask("devices"))
    asker.client.close()
    nowhere = Asker(tmp_path, lambda name, scratch: [str(tmp_path / "no program")])
    failed = nowhere.ask("devices").failure
    assert failed is not None
    assert failed.crashed
    nowhere.client.close()


def test_closing_with_work_at_hand_leaves_nothing(tmp_path: Path) -> None:
    asker = Asker(tmp_path, odd_command)
    assert asker.client.scratch.is_dir()
    stuck = asker.begin("stuck", file=str(tmp_path / "never"))
    sounds: list[Heard] = [asker.begin("echo", say=n) for n in range(3)]
    asker.until(lambda: stuck.events)
    pids = [asker.client.pid_of("work")]
    asker.client.close()
    assert not any(alive(pid) for pid in pids if pid)
    assert [one.failure is not None and one.failure.cancelled for one in (stuck, *sounds)] == [True] * 4
    assert not list(tmp_path.glob(".sightmix*"))
    late = asker.begin("echo", say=1)
    assert late.failure is not None
    assert late.failure.cancelled
    asker.pump.run(0.05)
    assert stuck.answers == 1
    asker.client.close()


def test_scratch_of_killed_panels_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightmix.engine import files

    left = tmp_path / ".sightmix-panel.0123abcd.sightmix.part"
    left.mkdir()
    (left / "mix.npz").write_bytes(b"x")
    monkeypatch.setattr(files, "_swept", set())
    asker = Asker(tmp_path, odd_command)
    assert not left.exists()
    asker.client.close()
