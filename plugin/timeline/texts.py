"""Text that programs wrote in encodings of their own: EDLs of Windows and classic Macs, XML and JSON in UTF-16."""

from __future__ import annotations

import codecs
import re
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_IN_WINDOWS = frozenset(b"\x81\x8d\x8f\x90\x9d")  # code page 1252 gives these bytes no letter
_DEEPEST = 400  # XML elements inside each other: hosts keep what they nest apart, and stay far below
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")


def unicode_of(data: bytes) -> str | None:
    """The text of bytes in UTF-8, UTF-16 or UTF-32, with or without a mark; None where they are none of these."""
    encoding = _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file and the name of the 8-bit encoding it was taken for, "" where it is Unicode.

    Text that is no Unicode is Windows' code page 1252, but for files that only a classic Mac can have written: with
    lines that end in CR alone, or bytes which 1252 has no letter for.
    """
    text = unicode_of(data)
    if text is not None:
        return text, ""
    mac = (b"\r" in data and b"\n" not in data) or bool(_NOT_IN_WINDOWS & set(data))
    name = "mac-roman" if mac else "cp1252"
    return data.decode(name, errors="replace"), name


def xml_root(data: bytes) -> ElementTree.Element:
    """The root element of an XML file in whatever encoding it is, also where its declaration names another.

    Entities of the document's own are refused, since no host writes them and a few lines of them can grow without
    end; nothing outside it is ever fetched. Raises ElementTree.ParseError for anything that is no such XML.
    """
    try:
        return _tree(data.lstrip(b" \t\r\n"))
    except (expat.ExpatError, ValueError, LookupError) as error:
        text = _DECLARATION.sub("", decoded(data)[0].lstrip("\ufeff"), count=1).strip()
        try:
            return _tree(text)
        except (expat.ExpatError, ValueError):
            raise ElementTree.ParseError(str(error)) from error


def _tree(text: bytes | str) -> ElementTree.Element:
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ElementTree.ParseError(f"its elements lie more than {_DEEPEST} deep in each other")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def entity(*_: Any) -> None:
        raise ElementTree.ParseError("it declares entities of its own, which are not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = builder.data, entity
    parser.buffer_text = True
    parser.Parse(text, True)
    return builder.close()


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if len(data) > 3 and b"\0" in data[:4]:  # Western text without a mark: every other byte is nought
        return "utf-16-le" if data[1] == 0 else "utf-16-be"
    return "utf-8"
