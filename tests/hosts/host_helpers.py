"""What the tests of hosts share: a script in a real Lua, talking to a real bridge."""

# ruff: noqa: N802  (the names are the host's)

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import pytest
from fake_resolve import FakeResolve, ForLua, Traps
from sightmix.plugin.hosts.resolve.script import launcher

sys.path.append(str(Path(__file__).parent.parent / "plugin"))

from job_helpers import FakeRenderer, tone

__all__ = ["LONG", "RUNTIMES", "FakeFusion", "FakeRenderer", "Script", "project", "resolve_otio", "tone"]

RUNTIMES = ("luajit21", "lua51")
LONG = 1800.0  # seconds; nothing here takes as long on any machine, unless it hangs
# What Resolve 21.1 leaves to scripts of its free edition.
SANDBOX = """
io, ffi, package, require, debug, python = nil, nil, nil, nil, nil, nil
os = {clock = os.clock, date = os.date, difftime = os.difftime, getenv = os.getenv, time = os.time}
"""


class FakeFusion:
    """Fusion's preferences: kept in memory, saved as Lua text to a named file or to its own."""

    def __init__(self, profile: Path | None, named: bool = True) -> None:
        self.profile, self.named = profile, named
        self.prefs: dict[str, str] = {}
        self.saves = 0

    def SetPrefs(self, key: str, value: str) -> None:
        self.prefs[key] = value

    def SavePrefs(self, name: str | None = None) -> None:
        self.saves += 1
        path = Path(name) if name is not None else self.profile
        if path is None or (name is not None and not self.named):
            return
        lines = [f'\t\t\t{key.rsplit(".", 1)[1]} = "{value}",' for key, value in self.prefs.items()]
        text = "{\n\tGlobal = {\n\t\tSightmix = {\n" + "\n".join(lines) + "\n\t\t}\n\t}\n}\n"
        partial = path.with_suffix(".new")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)


class Script:
    """The installed script running in a Lua of its own, in a thread, as Resolve would run it."""

    def __init__(
        self,
        runtime: str,
        resolve: FakeResolve,
        folder: Path,
        sandboxed: bool,
        fusion: FakeFusion | None = None,
        lost: float = 15,
    ) -> None:
        lua_module = pytest.importorskip(f"lupa.{runtime}")
        self.lua = lua_module.LuaRuntime(unpack_returned_tuples=True, encoding="utf-8")
        self.said: list[str] = []
        self.stop = self.hurried = False
        names = self.lua.globals()
        names.resolve = ForLua(self.lua).wrap(resolve)
        names.fusion = fusion
        names.print = lambda *words: self.said.append(" ".join(str(w) for w in words))
        names.bmd = self.lua.table_from({"wait": self._wait})
        if sandboxed:
            self.lua.execute(SANDBOX)
        self._code = launcher(folder, lost=lost)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _wait(self, seconds: float) -> None:
        if self.stop:
            raise SystemExit
        time.sleep(min(seconds, 0.001) if self.hurried else seconds)

    def _run(self) -> None:
        try:
            self.lua.execute(self._code)
        except SystemExit:
            self.said.append("killed")
        except Exception as error:  # noqa: BLE001  (whatever went wrong in Lua, the test wants to read it)
            self.said.append(f"error: {error}")

    def kill(self) -> None:
        """Resolve is closed: the script is gone without a word."""
        self.stop = True
        self._thread.join(LONG)

    def hurry(self) -> None:
        """From now on, time flies for the script when it waits."""
        self.hurried = True

    def join(self, seconds: float = LONG) -> list[str]:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), self.said
        return self.said


def resolve_otio(
    path: Path, rate: int, start: int, tracks: dict[str, list[tuple[str, Path, int, int, int]]]
) -> str:
    """An OTIO as Resolve writes it: tracks of clips as (name, media, record frame, source frame, frames)."""

    def time(value: int) -> dict[str, object]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(value)}

    def span(first: int, count: int) -> dict[str, object]:
        return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(first), "duration": time(count)}

    made = []
    for name, clips in tracks.items():
        children: list[dict[str, object]] = []
        at = 0
        for label, media, record, source, count in clips:
            if record > at:
                children.append({"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": span(0, record - at)})
            reference = {
                "OTIO_SCHEMA": "ExternalReference.1",
                "name": media.name,
                "available_range": span(0, 10 * rate),
                "target_url": str(media),
                "metadata": {},
            }
            children.append(
                {
                    "OTIO_SCHEMA": "Clip.2",
                    "name": label,
                    "source_range": span(source, count),
                    "enabled": True,
                    "media_references": {"DEFAULT_MEDIA": reference},
                    "active_media_reference_key": "DEFAULT_MEDIA",
                    "metadata": {"Resolve_OTIO": {}},
                    "effects": [],
                    "markers": [],
                }
            )
            at = record + count
        made.append(
            {
                "OTIO_SCHEMA": "Track.1",
                "name": name,
                "kind": "Audio",
                "source_range": None,
                "children": children,
                "metadata": {"Resolve_OTIO": {"Audio Type": "Stereo", "Locked": False, "SoloOn": False}},
            }
        )
    root = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": path.stem,
        "global_start_time": time(start),
        "metadata": {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}},
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "", "children": made, "metadata": {}},
    }
    return json.dumps(root)


def project(folder: Path, traps: Traps | None = None) -> FakeResolve:
    """A project at 24 frames a second: a tone twice on one track, another tone and a missing file on the next."""
    low, high = tone(folder / "tief ü.wav", 10, -12), tone(folder / "high.wav", 10, -20, 900.0)
    fake = FakeResolve(traps)
    tracks = {
        "Audio 1": [("one", low, 0, 0, 48), ("two", low, 72, 24, 24)],
        "Audio 2": [("three", high, 24, 48, 24), ("lost", folder / "lost.wav", 60, 0, 12)],
    }
    for number, clips in enumerate(tracks.values(), start=1):
        for name, _, record, _, count in clips:
            fake.first.put("audio", number, name, record, count)
    fake.first.otio = resolve_otio(folder / "Cut 1.otio", 24, 86400, tracks)
    fake.world.page = "fairlight"
    return fake
