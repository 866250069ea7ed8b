"""What the doctor and docs/resolve.md say of the roads into Resolve, by edition, version and system."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from sightmix.plugin.hosts.resolve import roads
from sightmix.plugin.hosts.resolve.commands import doctor_data, doctor_text
from sightmix.plugin.hosts.resolve.doctor import examine
from sightmix.plugin.hosts.resolve.folders import Machine
from sightmix.plugin.hosts.resolve.roads import FILES, FREE, MAYBE, NO, PYTHON, ROADS, SCRIPT, STUDIO, YES
from sightmix.plugin.hosts.resolve.studio import Probe

PAGE = (Path(__file__).parents[2] / "docs" / "resolve.md").read_text(encoding="utf-8")
SYSTEMS = ("linux", "win32", "darwin")


@pytest.mark.parametrize(
    ("system", "edition", "version", "works"),
    [
        ("linux", STUDIO, "21.1.0", {PYTHON: YES, SCRIPT: YES, FILES: YES}),
        ("win32", FREE, "19.0.3", {PYTHON: NO, SCRIPT: YES, FILES: YES}),
        ("darwin", FREE, "21.0.2", {PYTHON: NO, SCRIPT: YES, FILES: YES}),
        ("linux", FREE, "21.1.0.17", {PYTHON: NO, SCRIPT: MAYBE, FILES: YES}),
        ("win32", FREE, "22.0", {PYTHON: NO, SCRIPT: MAYBE, FILES: YES}),
        ("darwin", FREE, "21.1", {PYTHON: NO, SCRIPT: MAYBE, FILES: YES}),
        ("linux", FREE, "18.1", {PYTHON: NO, SCRIPT: YES}),
    ],
)
def test_one_word_for_every_road(system: str, edition: str, version: str, works: dict[str, str]) -> None:
    found = roads.words(system, edition, version)
    assert {word.road: word.works for word in found} == works
    assert len(found) == len(works)


def test_files_into_a_free_21_1_are_measured_but_on_macos() -> None:
    grades = {system: roads.words(system, FREE, "21.1.0")[-1].grade for system in SYSTEMS}
    assert grades == {"linux": roads.MEASURED, "win32": roads.MEASURED, "darwin": roads.UNTRIED}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_doctor_says_it_for_its_own_system(system: str, tmp_path: Path) -> None:
    here = Machine(
        system,
        {name: str(tmp_path) for name in ("APPDATA", "PROGRAMDATA", "LOCALAPPDATA")},
        tmp_path,
        tmp_path,
    )
    findings = examine(here)
    text = doctor_text(findings)
    for word in roads.words(system):
        assert word.sentence() in text
    assert ("H.264" in text) is (system == "linux")
    assert {road["road"] for road in doctor_data(findings)["roads"]} == set(ROADS)


def test_an_edition_that_answers_hears_of_itself_alone(tmp_path: Path) -> None:
    here = Machine("linux", {}, tmp_path, tmp_path)
    here.script_api.mkdir(parents=True)
    here.script_library.parent.mkdir(parents=True)
    here.script_library.touch()
    studio = examine(here, lambda _: Probe("3.11.7", True, "DaVinci Resolve Studio", "21.1.0.14"))
    assert {word.edition for word in studio.words} == {STUDIO}
    free = examine(here, lambda _: Probe("3.11.7", True, "DaVinci Resolve", "20.3.2"))
    assert [(word.road, word.works) for word in free.words] == [(PYTHON, NO), (SCRIPT, YES), (FILES, YES)]


def test_the_page_says_the_same() -> None:
    table = PAGE.partition("| edition | version |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table]
    systems = {"Linux and Windows": "linux", "macOS": "darwin"}
    for edition, version, *cells in rows:
        system = next((found for name, found in systems.items() if name in edition), "linux")
        asked = (
            STUDIO if edition == "Studio" else FREE,
            {"all": "21.1", "before 21.1": "21.0"}.get(version, "21.1"),
        )
        for word, cell in zip(roads.words(system, *asked), cells, strict=True):
            assert cell.startswith({YES: ("yes", "likely"), NO: "no", MAYBE: "nobody knows"}[word.works]), (
                cell
            )
    assert len(rows) == 4


def test_versions_do_not_overlap() -> None:
    for edition in (STUDIO, FREE):
        for road in ROADS:
            for system in SYSTEMS:
                found = [w for w in roads.words(system, edition) if w.road == road]
                assert found
                assert all(one.before and one.before <= two.first for one, two in pairwise(found))
