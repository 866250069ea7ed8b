"""The user guide: its pictures and links are there, its commands can be typed, its table is the one the panel shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from sightmix.exporters.programs import PROGRAMS, RESULT, STEMS, programs_for, table
from sightmix.plugin.cli.app import app
from sightmix.plugin.session.silences import QUIETEST_DBFS
from typer.main import get_command

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)]+)\)")
JOBS = ("first-rebalance", "three-tracks", "married-mix", "keyframes-into-resolve", "stems", "batch", "foley")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links() -> list[tuple[str, str]]:
    return [(page.name, target) for page in PAGES for target in LINK.findall(text_of(page))]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> list[str]:
    """What follows `sightmix` wherever the guide has it in code, without what a shell does round it."""
    found = []
    for page in PAGES:
        code = re.findall(r"^ {4,}(.*)$", text_of(page), re.MULTILINE) + re.findall(
            r"`([^`\n]+)`", text_of(page)
        )
        plain = [re.sub(r"\$\{[^}]*\}", "VALUE", line) for line in code]
        found += [match for line in plain for match in re.findall(r"\bsightmix ([a-z][^;{}#]*)", line)]
    return sorted(set(found))


def test_there_is_a_page_for_every_job() -> None:
    assert {f"{job}.md" for job in JOBS} <= {page.name for page in PAGES}
    linked = {target for page, target in links() if page == "README.md"}
    assert {page.name for page in PAGES} - {"README.md"} <= linked


@pytest.mark.parametrize(("page", "target"), links())
def test_every_picture_and_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    there = (GUIDE / path).resolve() if path else GUIDE / page
    assert there.is_file(), f"{page}: {target}"
    assert not anchor or anchor in anchors(there), f"{page}: {target}"


@pytest.mark.parametrize("line", commands())
def test_every_command_can_be_typed(line: str) -> None:
    command: Any = get_command(app)
    words = shlex.split(line)
    while isinstance(command, click.Group):
        assert words, line
        name, *words = words
        assert name in command.commands, f"sightmix {line}: there is no {name}"
        command = command.commands[name]
    if words:  # alone it stands for the command itself
        command.make_context(line, words)


def test_the_guide_has_commands() -> None:
    assert len(commands()) > 8


def test_the_table_of_programs_is_the_one_that_the_panel_shows() -> None:
    assert table() in text_of(GUIDE / "opening.md")


def test_every_format_that_a_program_takes_is_one_we_write() -> None:
    from sightmix.exporters.formats import find

    for program in PROGRAMS:
        assert program.steps.count("{file}") == 1, program.title
        assert [find(to) for to in program.to if to not in (RESULT, STEMS)], program.title
    assert [program.key for program in programs_for("aaf")] == ["avid", "pro-tools"]
    assert programs_for("fcpxml")[0].key == "final-cut", "who likes it best comes first"


def test_what_counts_as_silent_is_said_as_it_is() -> None:
    assert f"below −{-QUIETEST_DBFS:.0f} dBFS" in text_of(GUIDE / "foley.md")
