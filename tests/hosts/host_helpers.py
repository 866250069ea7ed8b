"""What the tests of hosts share: a script in a real Lua, talking to a real bridge."""

# ruff: noqa: N802  (the names are the host's)

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from fake_resolve import FakeResolve, ForLua
from sightmix.plugin.hosts.resolve.script import launcher

RUNTIMES = ("luajit21", "lua51")
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
        self.stop = False
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
        time.sleep(seconds)

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
        self._thread.join(5)

    def join(self, seconds: float = 10.0) -> list[str]:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), self.said
        return self.said
