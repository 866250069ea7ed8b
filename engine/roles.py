"""The roles that sound has in a film's mix: one table that everything else asks, in the order they are listed in.

A new role is a new row here; curves, stems, tracks, reports and exports follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

V = TypeVar("V")


@dataclass(frozen=True)
class Role:
    """One role.

    `name` is what settings, flags and tracks call it, `stem` what networks, gain curves and file names do, `short`
    the delivered stem (SMPTE's DX, MX, FX). `words` are what packages and other people's files call it, `fcpx` Final
    Cut Pro's main role. Colours are those of the report and the panel, on a light and on a dark ground.
    """

    name: str
    stem: str
    short: str
    words: tuple[str, ...] = ()
    fcpx: str = ""
    light: str = ""
    dark: str = ""

    @property
    def title(self) -> str:
        """The role as a heading."""
        return self.name.capitalize()


DIALOGUE = Role(
    name="dialogue",
    stem="speech",
    short="DX",
    words=("speech", "dialogue", "dialog", "dia", "dx", "voice", "vocals"),
    fcpx="dialogue",
    light="#1f66d1",
    dark="#5b9bff",
)
MUSIC = Role(
    name="music",
    stem="music",
    short="MX",
    words=("music", "mus", "mx"),
    fcpx="music",
    light="#a83292",
    dark="#dc7dca",
)
EFFECTS = Role(
    name="effects",
    stem="effects",
    short="FX",
    words=("effects", "effect", "sfx", "fx"),
    fcpx="effects",
    light="#985a0e",
    dark="#d99a3c",
)
MIX = Role(name="rebalanced", stem="", short="MIX")

PARTS = (DIALOGUE, MUSIC, EFFECTS)  # what a mix is made of, and adds up from
STEMS = tuple(role.stem for role in PARTS)
TRACKS = (MIX, *PARTS)  # the roles of tracks we write, in the order they lie in
TRACK_NAMES = tuple(role.name for role in TRACKS)
MUSIC_AND_EFFECTS = "ME"  # the stem that is a sum of others
M_AND_E = "M&E"  # what people call it, and file names cannot
SUMMED = (MUSIC.short, EFFECTS.short)
DELIVERED = (*(role.short for role in PARTS), MUSIC_AND_EFFECTS, MIX.short)


def by_name(name: str) -> Role | None:
    """The role of a track of ours, None for any other track."""
    return next((role for role in TRACKS if role.name == name), None)


def by_short(short: str) -> Role:
    """The role of a delivered stem; raises KeyError for a sum such as ME."""
    return {role.short: role for role in TRACKS}[short]


def delivered(word: str) -> str:
    """The name of a delivered stem as somebody writes it, such as "dx" or "M&E"; any other word in capitals."""
    capitals = word.strip().upper()
    return MUSIC_AND_EFFECTS if capitals == M_AND_E else capitals


def in_order(names: Iterable[str]) -> list[str]:
    """Names of roles or of stems, each once: those of the table in its order, then the others as they came."""
    place = {name: i for i, role in enumerate(TRACKS) for name in (role.name, role.stem)}
    return sorted(dict.fromkeys(names), key=lambda name: place.get(name, len(TRACKS)))


def ordered(values: Mapping[str, V]) -> dict[str, V]:
    """A mapping from role or stem in the table's order."""
    return {name: values[name] for name in in_order(values)}
