"""The engine's process by itself: its threads, its stream, what stops it, and that it never outlives who started it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote_kit import PATIENCE, Asker, alive, answered, odd_command
from sightmix.ui.base.asking import Failure
from sightmix.ui.remote.table import PROCESSES, TABLE


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    made = Asker(tmp_path_factory.mktemp("scratch"), odd_command)
    assert answered(made.ask("echo", say="hello"))["back"] == "hello"
    yield made
    made.client.close()


def test_values_and_bytes_come_back_whole(asker: Asker) -> None:
    odd = "zwölf\n\x00„€“ \ud800 \U0001f3ac"
    heard = asker.ask("echo", say=[odd, 1.5, None, float("inf")])
    assert answered(heard)["back"] == [odd, 1.5, None, float("inf")]
    assert heard.answer is not None
    assert heard.answer[1] == b"\x00\n{}" * 3
    assert answered(heard)["thread"] == "sightmix-work"


def test_printing_does_not_break_the_stream(asker: Asker) -> None:
    assert answered(asker.ask("talk"))["read"] == ""
    assert answered(asker.ask("echo", say=1))["back"] == 1


def test_what_fails_is_a_sentence_with_details(asker: Asker) -> None:
    failure = asker.ask("fails").failure
    assert failure is not None
    assert failure.error == "Unexpected ZeroDivisionError: a fault in a handler."
    assert (failure.kind, failure.cancelled, failure.crashed) == ("ZeroDivisionError", False, False)
    assert "odd_worker.py" in failure.details
    left = asker.ask("leaves").failure
    assert left is not None
    assert left.kind == "SystemExit"
    unknown = asker.ask("whatever").failure
    assert unknown is not None
    assert "whatever" in unknown.error


def test_cancelled_work_stops_and_is_not_heard_of_again(asker: Asker, tmp_path: Path) -> None:
    note = tmp_path / "note"
    heard = asker.begin("slow", file=str(note))
    asker.until(lambda: heard.events)
    assert heard.ticket is not None
    heard.ticket.cancel()
    assert heard.failure == Failure("Stopped on request.", "Cancelled", cancelled=True)
    told = len(heard.events)
    asker.until(note.exists)
    assert answered(asker.ask("echo", say=2))["back"] == 2
    heard.ticket.cancel()
    assert (heard.answers, len(heard.events)) == (1, told)


def test_the_newest_of_a_slot_wins(asker: Asker, tmp_path: Path) -> None:
    first = asker.begin("slow", "play", file=str(tmp_path / "first"))
    asker.until(lambda: first.events)
    between = [asker.begin("echo", "play", say=n) for n in range(5)]
    other = asker.begin("echo", "another", say="kept")
    asker.until(lambda: between[-1].over and other.over)
    assert [one.failure is not None and one.failure.cancelled for one in (first, *between)] == [True] * 5 + [
        False
    ]
    assert answered(between[-1])["back"] == 4
    assert answered(other)["back"] == "kept"


def test_what_is_urgent_goes_between_the_steps_of_what_takes_long(asker: Asker, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    long, same = asker.begin("naps", file=str(go_on)), asker.begin("naps", file=str(go_on))
    assert answered(asker.ask("urgent")) == {}
    assert not long.over
    assert not same.over
    go_on.write_text("")
    asker.until(lambda: long.over and same.over)
    assert (long.failure, same.failure) == (None, None)


def speak(process: subprocess.Popen[bytes], *messages: dict[str, object] | bytes) -> None:
    assert process.stdin is not None
    for message in messages:
        process.stdin.write(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def listen(process: subprocess.Popen[bytes]) -> dict[str, object]:
    assert process.stdout is not None
    heard: dict[str, object] = json.loads(process.stdout.readline())
    assert process.stdout.read(int(str(heard.get("bytes", 0)))) is not None
    return heard


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(odd_command("work", tmp_path), stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert listen(process) == {"ready": "sightmix.panel/1"}
        yield process
        process.kill()


def test_a_step_that_does_not_end_is_answered_without_it(
    bare: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    speak(bare, {"id": 1, "do": "stuck", "file": str(tmp_path / "never")})
    assert listen(bare) == {"id": 1, "began": True}
    assert listen(bare) == {"id": 1, "event": {"step": True}}
    speak(bare, {"id": 2, "do": "echo", "say": 1}, {"cancel": 2}, {"cancel": 1})
    answers = [listen(bare), listen(bare)]
    assert [(one["id"], one["failed"]["cancelled"]) for one in answers] == [(2, True), (1, True)]  # type: ignore[index]
    (tmp_path / "never").write_text("")  # its end is no longer heard of
    speak(bare, {"id": 3, "do": "echo", "say": 1})
    assert [listen(bare), listen(bare)["id"]] == [{"id": 3, "began": True}, 3]


def test_what_does_not_stop_holds_others_up_only_for_a_while(
    bare: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """As a read from a disk that does not answer."""
    speak(bare, {"id": 1, "do": "stuck", "file": str(tmp_path / "go on")})
    assert "event" in (listen(bare), listen(bare))[1]
    speak(bare, {"id": 2, "do": "echo", "say": 1}, {"cancel": 1})
    assert [one["id"] for one in (listen(bare), listen(bare), listen(bare))] == [1, 2, 2]
    (tmp_path / "go on").write_text("")
    speak(bare, {"id": 3, "do": "echo", "say": 1})
    assert [listen(bare), listen(bare)["id"]] == [{"id": 3, "began": True}, 3]


def test_garbage_is_passed_over(bare: subprocess.Popen[bytes]) -> None:
    garbage = [b"\xff\x00 nonsense\n", b"[1, 2]\n", b'{"id": 1}\n', b'{"do": "echo", "id": "x"}\n', b"\n"]
    speak(bare, *garbage, {"cancel": 99}, {"id": 5, "do": "echo", "say": 1})
    assert [listen(bare), listen(bare)["id"]] == [{"id": 5, "began": True}, 5]


def test_the_end_of_its_input_ends_it_with_work_at_hand(
    bare: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    speak(bare, {"id": 1, "do": "slow", "file": str(tmp_path / "note")})
    assert "event" in (listen(bare), listen(bare))[1]
    assert bare.stdin is not None
    bare.stdin.close()
    assert bare.wait(PATIENCE) == 0
    assert (tmp_path / "note").read_text() == "stopped"


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from remote_kit import Asker, odd_command\n"
        "asker = Asker(Path(sys.argv[1]), odd_command)\n"
        "heard = asker.begin('stuck', file=sys.argv[1] + '/never')\n"
        "asker.until(lambda: heard.events)\n"
        "print(asker.client.pid_of('work'), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    end = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < end, "the worker outlived its parent"
        time.sleep(0.02)


def test_whatever_can_be_asked_has_somebody_who_does_it() -> None:
    for do, kind in TABLE.items():
        assert kind.process in PROCESSES
        assert callable(getattr(importlib.import_module(kind.module), kind.function or do)), do
