"""Text as every file and every screen can take it: no control characters, nothing that is not a character."""

from __future__ import annotations

import json
import re
from typing import Any

MISSING = "\N{REPLACEMENT CHARACTER}"
# What XML 1.0 forbids, and the controls it allows (DEL and C1), which drive terminals; line feeds and tabs are text.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_BREAKS = re.compile("[\t\n\r\u2028\u2029]")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they show what follows in another order than it has


def encodable(text: str) -> str:
    """`text` with U+FFFD for every half of a character.

    Hosts that count in UTF-16 cut names short in the middle of a character, and file names need not be text at all.
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def legible(text: str) -> str:
    """`text` with U+FFFD for what no XML can hold or a terminal would obey, line feeds and tabs as they are."""
    return _UNFIT.sub(MISSING, encodable(text))


def legible_line(text: str) -> str:
    """As `legible`, on one line: a blank for every line feed and tab."""
    return _BREAKS.sub(" ", legible(text))


def printable(text: str) -> str:
    """A line for a terminal: as `legible`, with U+FFFD for line feeds, tabs and turns of the reading direction too."""
    return _TURNS.sub(MISSING, _BREAKS.sub(MISSING, legible(text)))


def json_text(data: object, **options: Any) -> str:
    """`data` as JSON in plain letters; in ASCII where a name in it could not be written, or would drive a terminal."""
    text = json.dumps(data, ensure_ascii=False, **options)
    return text if text == legible(text) else json.dumps(data, **options)
