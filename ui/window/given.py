"""What the panel is started with."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

THEMES = ("dark", "light", "system")
LANGUAGES = ("en", "de")


@dataclass(frozen=True)
class Given:
    """What the panel was started with."""

    timeline: Path | None = None
    resolve: bool = False
    demo: bool = False
    theme: str = ""
    language: str = ""
    debug: bool = False


def parse(arguments: Sequence[str] | None = None) -> Given:
    """The command line's arguments; leaves with a status for --help and for what is none."""
    parser = argparse.ArgumentParser(
        prog="sightmix panel", description="Open the panel, on a timeline or a media file if one is named."
    )
    parser.add_argument("timeline", nargs="?", type=Path, metavar="TIMELINE", help="what to open")
    parser.add_argument("--resolve", action="store_true", help="open what is open in DaVinci Resolve")
    parser.add_argument("--demo", action="store_true", help="open the demo's timeline")
    parser.add_argument("--theme", choices=THEMES, default="", help="its colours, this time")
    parser.add_argument("--language", choices=LANGUAGES, default="", help="its language, this time")
    parser.add_argument("--debug", action="store_true", help="log everything to the terminal")
    return Given(**vars(parser.parse_args(arguments)))
