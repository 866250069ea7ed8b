"""What crosses between the panel and the engine's process: JSON lines over its standard streams, and raw bytes.

A message is one line of JSON (UTF-8, no line breaks inside). Where it has ``"bytes": N``, N raw bytes follow the line:
sound as float32, pictures as RGB, tables as float32. Nothing else is written to these streams.

From the panel: ``{"id": 7, "do": "sound", "slot": "play", …}`` asks for something, ``{"cancel": 7}`` takes it back,
and the end of the stream ends the process. A request with a `slot` takes the place of an earlier one with that slot
that is not done: the newest wins. From the engine: ``{"id": 7, "event": {…}}`` any number of times, then exactly one
of ``{"id": 7, "done": {…}}`` and ``{"id": 7, "failed": {"error": sentence, "kind": class, "cancelled": bool,
"details": text}}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

SCHEMA = "sightmix.panel/1"
_LONGEST = 64 << 20  # bytes of a line or of what follows it: more is no message of ours


class ProtocolError(Exception):
    """What came is no message: the other side is broken or not ours."""


@dataclass(frozen=True)
class Message:
    """One message: JSON values, and raw bytes that belong to them."""

    data: Mapping[str, Any]
    payload: bytes = field(default=b"", repr=False)


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write a message and flush it. The caller sees to it that only one thread writes at a time."""
    data = dict(message.data)
    if message.payload:
        data["bytes"] = len(message.payload)
    line = json.dumps(data, separators=(",", ":")).encode("utf-8", "replace")
    stream.write(line + b"\n")
    if message.payload:
        stream.write(message.payload)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """The next message, None at the end of the stream. Raises ProtocolError for what is none, or is cut off."""
    line = stream.readline(_LONGEST)
    if not line:
        return None
    try:
        data = json.loads(line)
    except ValueError as error:
        raise ProtocolError(f"this is no message: {line[:80]!r}") from error
    size = data.pop("bytes", 0) if isinstance(data, dict) else None
    if not isinstance(size, int) or not 0 <= size <= _LONGEST:
        raise ProtocolError(f"this is no message: {line[:80]!r}")
    payload = stream.read(size) if size else b""
    if len(payload) < size:
        raise ProtocolError("the stream ended inside a message")
    return Message(data, payload)
