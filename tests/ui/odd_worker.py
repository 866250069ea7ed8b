"""A worker that can be asked for trouble, beside all it is asked for otherwise."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sightmix.ui.remote import table, worker
from sightmix.ui.remote.call import Call

ODD = {
    name: table.Kind(table.WORK, "work", turn, "odd_worker")
    for name, turn in {
        "echo": 1, "urgent": 0, "talk": 1, "slow": 2, "stuck": 1, "fails": 1, "leaves": 1, "dies": 1, "dies_once": 1,
        "babbles": 1, "naps": 2,
    }.items()
}  # fmt: skip


def echo(call: Call, kept: Any) -> tuple[dict[str, Any], bytes]:
    return {
        "back": call.data["say"],
        "thread": __import__("threading").current_thread().name,
    }, b"\x00\n{}" * 3


def urgent(call: Call, kept: Any) -> dict[str, Any]:
    return {}


def talk(call: Call, kept: Any) -> dict[str, Any]:
    print("a library that prints")
    os.write(1, b"native code that writes to file descriptor 1\n")
    sys.stdout.flush()
    return {"read": os.read(0, 10).decode()}


def slow(call: Call, kept: Any) -> dict[str, Any]:
    """Works until it is stopped, step by step, and says so in a file when it has stopped."""
    try:
        while True:
            call.event({"step": True})
            time.sleep(0.01)
    finally:
        Path(call.data["file"]).write_text("stopped")


def naps(call: Call, kept: Any) -> dict[str, Any]:
    """Works until a file is there, and can be stopped."""
    while not Path(call.data["file"]).exists():
        call.progress.check()
        time.sleep(0.01)
    return {}


def stuck(call: Call, kept: Any) -> dict[str, Any]:
    """One long step, until a file is there."""
    call.event({"step": True})
    while not Path(call.data["file"]).exists():
        time.sleep(0.01)
    return {}


def fails(call: Call, kept: Any) -> dict[str, Any]:
    raise ZeroDivisionError("a fault in a handler")


def leaves(call: Call, kept: Any) -> dict[str, Any]:
    raise SystemExit(3)


def dies(call: Call, kept: Any) -> dict[str, Any]:
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    os._exit(7)


def dies_once(call: Call, kept: Any) -> dict[str, Any]:
    path = Path(call.data["file"])
    if not path.exists():
        path.write_text("died")
        os._exit(7)
    return {}


def babbles(call: Call, kept: Any) -> dict[str, Any]:
    """Writes garbage where messages go, once."""
    path = Path(call.data["file"])
    if not path.exists():
        path.write_text("babbled")
        with kept.writing:
            kept.answers.write(b"\xff\xfe no message\n")
            kept.answers.flush()
        time.sleep(60)
    return {}


class Worker(worker.Worker):
    def __init__(self, requests: Any, answers: Any, kept: Any) -> None:
        super().__init__(requests, answers, kept, MappingProxyType({**table.TABLE, **ODD}))
        kept.answers, kept.writing = answers, self._writing


if __name__ == "__main__":
    worker.PATIENCE = 1.0
    sys.modules["odd_worker"] = sys.modules["__main__"]
    worker.main(Worker)
