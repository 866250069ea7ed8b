"""The user's own defaults, and what shells complete."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from job_helpers import FakeRenderer, three_clips
from sightmix.engine.errors import SettingsError
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs import rebalance
from sightmix.plugin.jobs.defaults import Defaults, defaults_path, read_defaults, template, write_template
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.settings import SETTINGS, JobSettings
from typer.testing import CliRunner, Result

SCRIPT = "import sys; from sightmix.plugin.cli.app import main; main()"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "own" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(path))
    return path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[JobSettings]:
    """The settings of every job that is asked for."""
    met: list[JobSettings] = []

    def stage_for(settings: JobSettings) -> RebalanceStage:
        met.append(settings)
        return RebalanceStage(settings, FakeRenderer())

    monkeypatch.setattr(rebalance, "stage_for", stage_for)
    return met


def sightmix(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def dry(source: Path, *arguments: object) -> Result:
    return sightmix("rebalance", source, "-o", source.parent / "out.otio", "--dry-run", *arguments)


def test_without_a_file_there_are_none(file: Path) -> None:
    assert read_defaults() == Defaults(file)


def test_an_empty_name_reads_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTMIX_CONFIG", "")
    assert read_defaults() == Defaults(None)
    with pytest.raises(SettingsError, match="SIGHTMIX_CONFIG is empty"):
        write_template()


@pytest.mark.skipif(sys.platform != "linux", reason="XDG is Linux's")
def test_the_file_lies_where_the_platform_keeps_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGHTMIX_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x/conf")
    assert defaults_path() == Path("/x/conf/sightmix/config.toml")


def test_the_file_sets_what_no_flag_says(file: Path, seen: list[JobSettings], tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    file.write_text(
        '[rebalance]\nstyle = "full"\nhandles = 7\nloudness = -24\nno-cache = true\nas = "both"\n'
    )
    assert dry(source).exit_code == 0
    assert seen[-1] == JobSettings(style="full", handles=7, loudness="-24", cache=False, as_="both")
    assert dry(source, "--style", "repair", "--handles", "0").exit_code == 0
    assert (seen[-1].style, seen[-1].handles, seen[-1].as_) == ("repair", 0, "both")


@pytest.mark.parametrize(
    ("said", "flag", "loudness", "delivery"),
    [
        ('delivery = "ebu-r128"', ("--loudness", "-20"), "-20", ""),
        ("loudness = -24", ("--delivery", "podcast"), "keep", "podcast"),
        ('delivery = "ebu-r128"', ("--true-peak", "-3"), "keep", "ebu-r128"),
    ],
)
def test_of_two_ways_to_say_how_loud_the_flag_counts(
    file: Path,
    seen: list[JobSettings],
    tmp_path: Path,
    said: str,
    flag: tuple[str, str],
    loudness: str,
    delivery: str,
) -> None:
    file.write_text(f"[rebalance]\n{said}\n")
    assert dry(three_clips(tmp_path), *flag).exit_code == 0
    assert (seen[-1].loudness, seen[-1].delivery) == (loudness, delivery)


def test_folders_are_looked_in_from_where_the_file_lies(file: Path, tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    sounds = file.parent / "sounds"
    sounds.mkdir()
    for path in tmp_path.glob("*.wav"):
        path.rename(sounds / path.name)
    clips = lambda: json.loads(sightmix("inspect", source, "--json", "--no-listen").stdout)["clips"]  # noqa: E731
    assert {clip["state"] for clip in clips()} == {"offline"}
    file.write_text('media = ["sounds"]\n')
    assert {clip["state"] for clip in clips()} == {"online"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[rebalance\n", "Expected"),
        ("[rebalance]\nstile = 'full'\n", "no setting 'stile'.*style"),
        ("[rebalance]\nstyle = 'fuller'\n", "--style 'fuller' is none of repair, full"),
        ("[rebalance]\nstrength = 2\n", "--strength 2.0 lies outside 0 to 1"),
        ("[rebalance]\nstems = 'yes'\n", "stems must be true or false, not 'yes'"),
        ("[rebalance]\nhandles = 1.5\n", "handles must be a whole number"),
        ("[rebalance]\nloudness = -24\ndelivery = 'ebu-r128'\n", "both say how loud"),
        ("[rebalanse]\n", "'rebalanse'"),
        ("media = 'here'\n", "media must be a list of folders"),
        ("rebalance = 3\n", "rebalance must be a table"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_sentence(file: Path, text: str, why: str, tmp_path: Path) -> None:
    file.write_text(text)
    done = dry(three_clips(tmp_path))
    assert done.exit_code == 2
    assert re.fullmatch(
        rf"sightmix: The defaults in {re.escape(str(file))} cannot be .*{why}.*\n", done.stderr
    )
    assert sightmix("models").exit_code == 0  # which takes none of them


def test_a_template_sets_nothing_and_says_everything(file: Path) -> None:
    assert sightmix("config", "--init").exit_code == 0
    text = file.read_text()
    assert read_defaults() == Defaults(file, True)
    for setting in SETTINGS.values():
        assert setting.help in text
    # With the marks taken away it still holds, and says what is so anyway.
    bare = re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)
    file.write_text(bare.replace('delivery = ""', "").replace('["~/Sound"]', "[]"))
    assert JobSettings(**read_defaults().settings) == JobSettings()
    assert set(tomllib.loads(bare)["rebalance"]) == {s.flag.removeprefix("--") for s in SETTINGS.values()}
    done = sightmix("config", "--init")
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert template() == text


def test_config_shows_what_holds(file: Path) -> None:
    assert "is not there" in sightmix("config").stdout
    file.write_text('media = ["/x"]\n[rebalance]\nstyle = "full"\n')
    assert "style: full" in sightmix("config").stdout
    data = json.loads(sightmix("config", "--json").stdout)
    assert data["set"] == {"media": ["/x"], "style": "full"}


def _completed(*words: str) -> set[str]:
    """What bash would offer for the last word."""
    env = {
        "_SIGHTMIX_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    command: list[Any] = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_shells_complete_commands_flags_and_values() -> None:
    assert _completed("sightmix", "re") == {"rebalance", "resolve"}
    assert _completed("sightmix", "rebalance", "--sty") == {"--style"}
    assert _completed("sightmix", "rebalance", "--style", "") == {"repair", "full"}
    assert "ebu-r128" in _completed("sightmix", "rebalance", "--delivery", "ebu")
