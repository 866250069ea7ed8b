"""What the README tells people to type exists."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from sightmix.plugin.jobs.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"^ {4}(\S.*)$", README, re.MULTILINE) + re.findall(r"`([^`\n]+)`", README)
COMMANDS = sorted(set(re.findall(r"\bsightmix ([a-z]+)\b", "\n".join(CODE))))


@cache
def help_of(*arguments: str) -> str:
    """What the installed command says of itself, as plain text."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name("sightmix")), *arguments, "--help"],
        env={**os.environ, "COLUMNS": "240", "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def options_in(text: str) -> set[str]:
    """Long options named in a text, and -o."""
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+|-o)\b", text))


def table_of_options() -> str:
    """The README's rows about `sightmix rebalance`."""
    return README.partition("| option of `sightmix rebalance`")[2].partition("\n\n")[0]


def test_the_readme_names_commands() -> None:
    assert {"rebalance", "inspect"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist_with_every_option_shown(command: str) -> None:
    known = options_in(help_of(command))
    for line in CODE:
        if line.startswith(f"sightmix {command}"):
            assert options_in(line.partition("#")[0]) <= known, line


def test_every_option_in_the_table_exists_and_none_is_left_out() -> None:
    known = options_in(help_of("rebalance")) - {"--help"}
    shown = {option for row in table_of_options().splitlines() for option in options_in(row.split("|")[1])}
    assert shown <= known
    assert {name.replace("--no-", "--") for name in known} == {name.replace("--no-", "--") for name in shown}


def test_what_the_table_says_of_defaults_is_so() -> None:
    for row in table_of_options().splitlines()[2:]:
        options, _, default = (cell.strip() for cell in row.split("|")[1:4])
        for option in options_in(options):
            setting = SETTINGS.get(option.removeprefix("--").replace("-", "_"))
            if setting is not None and isinstance(setting.default, float | int) and setting.kind is not bool:
                assert float(default) == setting.default, row


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", "\n".join(CODE)))))
def test_make_targets_exist(target: str) -> None:
    result = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_files_it_points_to_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"`((?:docs|examples|benchmarks|engine|tests)/[^`\s]*)`", README):
        assert (ROOT / path).exists(), path
