"""A session with the script in Resolve: where it finds us, the bridge and the mailbox behind it, the tidying up."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import HostError
from .bridge import Bridge
from .broker import PROTOCOL, Broker
from .calls import Gate
from .literals import lua_message
from .mailbox import REPLY, REPLY_PREFS, REQUEST, Mailbox, put
from .remote import Remote

RENDEZVOUS = "session.lua"
_STALE = 15.0  # seconds without a sign of life after which a session counts as dead


class Session:
    """Waits for the script in Resolve and talks to it; a context manager.

    `folder` holds the rendezvous and the mailbox, readable to this user alone. `work` is the only folder Resolve is
    told to read from or write to. Raises HostError when another session is alive or `folder` is not safe.
    """

    def __init__(
        self, folder: Path, work: Path, profiles: Sequence[Path] = (), broker: Broker | None = None
    ) -> None:
        self.folder, self.work = folder, work
        self.broker = broker or Broker()
        self.token = secrets.token_hex(32)
        self._greeting = secrets.token_hex(16)
        self._profiles = profiles
        self.farewell = 3.0  # seconds to wait for an answer to goodbye
        self._guarded = False
        self._bridge: Bridge | None = None
        self._mailbox: Mailbox | None = None

    def __enter__(self) -> Self:
        self._claim()
        try:
            self._bridge = Bridge(self.broker, self.token)
            self._announce()
            self._mailbox = Mailbox(
                self.broker, self.folder, self.token, self._greeting, self._profiles, self._touch
            )
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.broker.client and not self._guarded:
                self.broker.call(self.farewell, op="bye")
        except HostError:
            pass
        finally:
            self._stop()

    @property
    def port(self) -> int:
        """The bridge's port."""
        if self._bridge is None:
            raise HostError("The session with Resolve has not begun.")
        return self._bridge.port

    @property
    def greeting(self) -> dict[str, Any]:
        """What the script said of itself: product, version, transport."""
        return self.broker.hello

    def connect(self, seconds: float, check: Callable[[], None] = lambda: None) -> Any:
        """Wait for the script and return Resolve's root object; raises HostError when nobody comes."""
        if not self.broker.wait_for_client(seconds, check):
            raise HostError(
                f"Nothing came from Resolve in {seconds:.0f} s: choose Workspace > Scripts > sightmix in Resolve "
                "while this waits, after 'sightmix resolve install'."
            )
        return Remote(self.broker, Gate(self.work), 0, "Resolve")

    def guard(self, copy: Any, original: Any) -> None:
        """Have the script delete the timeline `copy` by itself should this side be lost from now on."""
        self.broker.call(op="guard", copy=copy.handle, original=original.handle)
        self._guarded = True

    def release(self) -> None:
        """Call the guard off."""
        self._guarded = False
        self.broker.call(op="release")

    def _claim(self) -> None:
        folder = self.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            facts = folder.lstat()
        except OSError as error:
            raise HostError(f"{folder} cannot be made: {error.strerror or error}.") from error
        if not stat.S_ISDIR(facts.st_mode) or (hasattr(os, "getuid") and facts.st_uid != os.getuid()):
            raise HostError(
                f"{folder} is not a folder of your own; remove it, and sightmix makes a safe one."
            )
        folder.chmod(0o700)
        try:
            age = time.time() - (folder / RENDEZVOUS).stat().st_mtime
        except OSError:
            age = _STALE
        # A living session's last sign lies within a moment of now on either side; one further off in the future
        # was left there before the clock was set back.
        if abs(age) < _STALE:
            raise HostError("Another sightmix is talking to Resolve; let it finish or stop it first.")
        self._sweep()

    def _announce(self) -> None:
        path = self.folder / RENDEZVOUS
        try:
            put(path, lua_message(self._facts()))
        except OSError as error:
            raise HostError(f"{path} cannot be written: {error.strerror or error}; remove it.") from error

    def _facts(self) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL,
            "token": self.token,
            "greeting": self._greeting,
            "port": self.port,
            "work": str(self.work.resolve()),
        }

    def _touch(self) -> None:
        os.utime(self.folder / RENDEZVOUS)

    def _stop(self) -> None:
        self.broker.close()
        for part in (self._mailbox, self._bridge):
            if part is not None:
                part.close()
        self._sweep()

    def _sweep(self) -> None:
        for name in (RENDEZVOUS, REQUEST, REPLY, REPLY_PREFS):
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
