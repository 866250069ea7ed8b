"""Damage to files, drawn from a seed: bytes of any file, words of a text, values of JSON, elements of XML."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

# What numbers, times and texts in timelines are swapped for.
NUMBERS = (
    "0", "-1", "-0", "1", "1e999999", "-1e999999", "1e-300", "1e308", "NaN", "Infinity", "-Infinity", "2147483648",
    "9223372036854775808", "0.1", "1/3", "1/0", "0/0", "0s", "1/0s", "-1001/30000s", "99999999999999999999/1s",
    "23.976", "7" * 5000, "", "null", "true", "0x10", "１２", "٣", "1_000", " 24 ", "24.0.0",
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "\x1b[31m", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "a\u0301" * 50, "\U0001f3ac",
    "x" * 70000, "../../x", "file:///dev/null", "file://%00", "file://[::1", "//", "C:\\x", "http://a/b", "%s%n",
    "\r\n", "]]>", "&#0;", "<", '"', "01:00:00:00", "99:99:99:99", "01;00;00;02",
)  # fmt: skip
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:/\d+)?s?")
_MOST = 1 << 20  # bytes: what is drawn over and over must stay small


def flip(data: bytes, rng: random.Random, _other: bytes) -> bytes:
    """A few bits turned over, most often near the beginning, where headers lie."""
    out = bytearray(data)
    span = len(out) if rng.random() < 0.5 else min(len(out), 512)
    for _ in range(rng.choice((1, 1, 2, 4, 16)) if span else 0):
        out[rng.randrange(span)] ^= 1 << rng.randrange(8)
    return bytes(out)


def fill(data: bytes, rng: random.Random, _other: bytes) -> bytes:
    """Two to eight bytes become the ends of what a number can be."""
    size = rng.choice((2, 4, 8))
    at = rng.randrange(max(1, len(data) - size))
    new = rng.choice((b"\x00" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\x00" * 7, b"\x01" * 8))
    return data[:at] + new[:size] + data[at + size :]


def truncate(data: bytes, rng: random.Random, _other: bytes) -> bytes:
    """The end is missing."""
    return data[: rng.randrange(len(data) + 1)]


def cut(data: bytes, rng: random.Random, _other: bytes) -> bytes:
    """A span is missing."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 4, 64, 1024)) :]


def splice(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """A span comes from another file."""
    size = rng.choice((4, 64, 1024, 16384))
    at, start = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    kept = at + (size if rng.random() < 0.5 else 0)
    return data[:at] + other[start : start + size] + data[kept:]


def repeat(data: bytes, rng: random.Random, _other: bytes) -> bytes:
    """A span comes twice, or many times."""
    at, size = rng.randrange(len(data) + 1), rng.choice((8, 256, 4096))
    return data[:at] + data[at : at + size] * rng.choice((2, 2, 3, 40)) + data[at + size :]


BYTES = (flip, flip, fill, fill, truncate, cut, splice, repeat)


def number(text: str, rng: random.Random) -> str:
    """A number becomes another, or none."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    match = rng.choice(found)
    new = rng.choice(NUMBERS) if rng.random() < 0.7 else rng.choice(found).group()
    return text[: match.start()] + new + text[match.end() :]


def word(text: str, rng: random.Random) -> str:
    """A word becomes a text nobody expects, or another word of the file."""
    found = list(re.finditer(r"[\w.:/%-]{2,}", text))
    if not found:
        return text
    match = rng.choice(found)
    new = rng.choice(TEXTS) if rng.random() < 0.5 else rng.choice(found).group()
    return text[: match.start()] + new + text[match.end() :]


def line(text: str, rng: random.Random) -> str:
    """A line is missing, comes twice or lies elsewhere."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    moved = lines.pop(rng.randrange(len(lines)))
    for _ in range(rng.choice((0, 1, 2))):
        lines.insert(rng.randrange(len(lines) + 1), moved)
    return "".join(lines)


def nest(text: str, rng: random.Random) -> str:
    """What stands at one place is wrapped hundreds or thousands of times."""
    depth = rng.choice((300, 3000, 60000))
    at = rng.randrange(len(text) + 1)
    opening, closing = ("[", "]") if text.lstrip().startswith(("{", "[")) else ("<clip>", "</clip>")
    return text[:at] + opening * depth + closing * depth + text[at:]


def _holders(value: Any) -> list[Any]:
    """Every list and dictionary of a JSON document."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            found.append(one)
            waiting += one.values() if isinstance(one, dict) else one
    return found


def _odd(rng: random.Random, holders: list[Any]) -> Any:
    """A JSON value of any kind, also one of the document's own parts."""
    plain: tuple[Any, ...] = (
        None,
        True,
        [],
        {},
        [[]],
        {"OTIO_SCHEMA": "Clip.2"},
        -1,
        0,
        1e300,
        float("nan"),
        float("inf"),
        2**70,
    )
    drawn = rng.random()
    if drawn < 0.4:
        return rng.choice(plain)
    return json.loads(json.dumps(rng.choice(holders))) if drawn < 0.7 else rng.choice(TEXTS)


def value(text: str, rng: random.Random) -> str:
    """A value in a JSON document becomes one of another kind, goes, or comes twice under its key."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return number(text, rng)
    holders = [one for one in _holders(root) if one]
    if not holders:
        return number(text, rng)
    place = rng.choice(holders)
    key = rng.randrange(len(place)) if isinstance(place, list) else rng.choice(list(place))
    if rng.random() < 0.3:
        del place[key]
    elif isinstance(place, dict) and rng.random() < 0.2:
        place[f"{key}@@twice"] = _odd(rng, holders)
    else:
        place[key] = _odd(rng, holders)
    return json.dumps(root, indent=1).replace("@@twice", "")


def element(text: str, rng: random.Random) -> str:
    """An element of an XML document goes, comes twice, lies in another, or has another attribute or text."""
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return word(text, rng)
    parents = [one for one in root.iter() if len(one)]
    if not parents:
        return number(text, rng)
    parent = rng.choice(parents)
    child = rng.choice(list(parent))
    act = rng.randrange(5)
    if act == 0:
        parent.remove(child)
    elif act == 1:
        parent.append(child)
    elif act == 2:
        _put_elsewhere(parent, child, rng.choice(list(root.iter())))
    elif act == 3 and child.attrib:
        child.set(rng.choice(list(child.attrib)), rng.choice(NUMBERS))
    else:
        child.text = rng.choice(NUMBERS)
    return ElementTree.tostring(root, encoding="unicode")


def _put_elsewhere(
    parent: ElementTree.Element, child: ElementTree.Element, place: ElementTree.Element
) -> None:
    if place not in list(child.iter()):
        parent.remove(child)
        place.append(child)


TEXT: tuple[Callable[[str, random.Random], str], ...] = (
    number, number, word, word, line, line, value, value, value, element, element, element,
)  # fmt: skip


def encoded(text: str, rng: random.Random) -> bytes:
    """A text as bytes, now and then in an encoding nobody asked for."""
    if rng.random() < 0.04:
        return text.encode(rng.choice(("utf-16", "utf-8-sig", "cp1252", "utf-32")), "replace")
    return text.encode("utf-8", "surrogatepass")


def mutated(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """A file's bytes after one to three faults; `other` is another file of its kind."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = _text(data)
        if text is None or rng.random() < 0.2:
            data = rng.choice(BYTES)(data, rng, other)
        else:
            change = nest if rng.random() < 0.02 else rng.choice(TEXT)
            with suppress(RecursionError):  # a second fault in what the first has nested
                text = change(text, rng)
            data = encoded(text, rng)
    return data[:_MOST]


def _text(data: bytes) -> str | None:
    if b"\x00" in data[:4096]:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
