"""The mailbox: the bridge for a Resolve whose scripts may neither open sockets nor write files.

Resolve 21.1 takes io, ffi, require and os.execute from scripts of its free edition; what stays is reading a Lua file
and Fusion's preferences. So calls wait in a file that the script loads, and replies come back in a preference that it
saves: to a file of its own in the session's folder or, where Resolve does not write that, in Fusion's own.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ....engine.files import WholeFile
from .broker import Broker, Refused
from .literals import from_hex, lua_message

_log = logging.getLogger(__name__)
REQUEST, REPLY, REPLY_PREFS = "request.lua", "reply.txt", "reply.prefs"
LARGEST = 8 << 20  # bytes; Fusion's preferences come along with a reply
_REPLY = re.compile(rb'SightmixReply\s*=\s*"([0-9a-f]*)"')
_POLL, _BEAT = 0.02, 50  # seconds between looks, looks between signs of life


class Mailbox:
    """Watches for replies and writes calls, in a thread; `profiles` are the places Fusion's preferences may be.

    Every call carries a word of its own that its reply must repeat, so nothing that was ever readable elsewhere is
    worth anything later. `each_beat` is called about once a second.
    """

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        token: str,
        greeting: str,
        profiles: Sequence[Path] = (),
        each_beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker, self._folder, self._token = broker, folder, token
        self._words = {"": greeting}
        self._sources = (folder / REPLY, folder / REPLY_PREFS, *profiles)
        self._each_beat = each_beat
        self._seen: dict[Path, tuple[int, ...]] = {p: _stamp(p) for p in profiles}
        self._last: dict[str, int] = {}
        self._written: dict[str, Any] = {}
        self._beat = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        looks = 0
        while not self._stop.is_set():
            try:
                for source in self._sources:
                    self._look(source)
                if looks % _BEAT == 0:
                    self._beat += 1
                    self._each_beat()
                self._write()
            except OSError as error:
                _log.debug("mailbox: %s", error)
            looks += 1
            self._stop.wait(_POLL)

    def _look(self, source: Path) -> None:
        stamp = _stamp(source)
        if stamp == self._seen.get(source, ()):
            return
        self._seen[source] = stamp
        if not stamp or stamp[0] > LARGEST:
            return
        content = source.read_bytes()
        found = _REPLY.search(content)
        text = found.group(1).decode() if found else content.decode("ascii", "replace").strip()
        with suppress(ValueError, RecursionError):
            message = from_hex(text)
            if isinstance(message, dict):
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        client, number = message.get("client"), message.get("seq")
        if not isinstance(client, str) or not isinstance(number, int) or number <= self._last.get(client, 0):
            return
        word = self._words.get(str(message.get("id", "")), "")
        if not word or not hmac.compare_digest(word.encode(), str(message.get("word", "")).encode()):
            self._broker.refused += 1
            return
        self._last[client] = number
        try:
            self._broker.exchange(client, message, polls=False)
        except Refused as refusal:
            _log.debug("refused: %s", refusal)

    def _write(self) -> None:
        call = self._broker.waiting
        client = self._broker.client
        if call is not None:
            name = str(call["id"])
            self._words = {"": self._words[""], name: self._words.get(name) or secrets.token_hex(16)}
        state = {
            "token": self._token,
            "client": client,
            "seen": self._last.get(client, 0),
            "beat": self._beat,
            "call": call,
            "word": self._words[str(call["id"])] if call else "",
        }
        if state != self._written:
            put(self._folder / REQUEST, lua_message(state))
            self._written = state


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ino


def put(path: Path, text: str) -> None:
    """Write a private file whole or not at all; raises OSError."""
    with WholeFile(path, mode=0o600, durable=False) as file:
        file.write(text.encode("ascii"))
