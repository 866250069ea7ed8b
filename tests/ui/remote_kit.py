"""What tests of the engine's processes share: an asker that waits, and commands for odd processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightmix.ui.base.asking import Failure, Ticket
from sightmix.ui.base.pump import InlinePump
from sightmix.ui.remote.client import EngineClient
from sightmix.ui.remote.process import command_for

for beside in ("engine", "plugin"):  # their kits make the media
    sys.path.append(str(Path(__file__).parent.parent / beside))

PATIENCE = 90.0  # s: nothing here takes long, but the machine may be busy


@dataclass
class Heard:
    """What became of a request."""

    events: list[tuple[Mapping[str, Any], bytes]] = field(default_factory=list)
    answer: tuple[Mapping[str, Any], bytes] | None = None
    failure: Failure | None = None
    answers: int = 0
    ticket: Ticket | None = None

    @property
    def over(self) -> bool:
        return self.answers > 0

    def told(self, data: Mapping[str, Any], payload: bytes) -> None:
        self.events.append((data, payload))

    def done(self, data: Mapping[str, Any], payload: bytes) -> None:
        self.answer, self.answers = (data, payload), self.answers + 1

    def failed(self, failure: Failure) -> None:
        self.failure, self.answers = failure, self.answers + 1


class Asker:
    """A client with its pump, and the ways tests ask it."""

    def __init__(self, scratch: Path, command: Any = command_for) -> None:
        self.pump = InlinePump()
        self.client = EngineClient(self.pump, scratch, command)
        self.states: list[tuple[str, str]] = []
        self.client.state.subscribe(lambda name, state: self.states.append((name, state)))

    def begin(self, do: str, slot: str = "", **data: Any) -> Heard:
        """Ask without waiting."""
        heard = Heard()
        heard.ticket = self.client.ask(
            do, data, slot=slot, event=heard.told, done=heard.done, failed=heard.failed
        )
        return heard

    def until(self, condition: Any) -> None:
        """Run the pump until the condition holds."""
        self.pump.run_until(condition, PATIENCE)

    def ask(self, do: str, **data: Any) -> Heard:
        """Ask and wait for the answer."""
        heard = self.begin(do, **data)
        self.until(lambda: heard.over)
        return heard


def answered(heard: Heard) -> Mapping[str, Any]:
    """The answer's values, where it was no failure."""
    assert heard.failure is None, heard.failure
    assert heard.answer is not None
    return heard.answer[0]


def odd_command(name: str, scratch: Path) -> list[str]:
    """The command of a worker with `odd_handlers` beside its own."""
    return [sys.executable, str(Path(__file__).with_name("odd_worker.py")), name, "--scratch", str(scratch)]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be asked how it ended does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
