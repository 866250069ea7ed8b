"""Data handed to Lua as text that cannot be anything but data."""

from __future__ import annotations

import json
from typing import Any


def lua_string(text: str) -> str:
    """`text` as a Lua string literal, every byte that is not plain ASCII escaped."""
    out = []
    for byte in text.encode():
        plain = 32 <= byte < 127 and byte not in (34, 92)
        out.append(chr(byte) if plain else f"\\{byte:03d}")
    return '"' + "".join(out) + '"'


def lua_message(data: Any) -> str:
    """A Lua chunk that returns `data` as JSON in hexadecimal: nothing in it can be run."""
    return f'return "{json.dumps(data).encode().hex()}"\n'


def from_hex(text: str) -> Any:
    """The JSON value in hexadecimal `text`; raises ValueError."""
    return json.loads(bytes.fromhex(text).decode("utf-8", "replace"))
