"""The line that adds what an option needs: right for pip, pipx and uv, from a clone or a wheel, on every system."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from sightmix.engine import installation
from sightmix.engine.installation import Installation, line_for, needs

RECEIPT = """[tool]
requirements = [
    {{ name = "sightmix", extras = ["cpu", "hosts"], {source} }},
    {{ name = "rpp" }},
    {{ name = "scenedetect", specifier = ">=0.6.4" }},
]
"""


def here(folder: Path, **more: object) -> Installation:
    given = {"prefix": folder, "python": "/env/bin/python", "system": "linux", "pip": True, "nvidia": False}
    return Installation(**{**given, **more})  # type: ignore[arg-type]


def tool(folder: Path, source: str, **more: object) -> Installation:
    (folder / "uv-receipt.toml").write_text(RECEIPT.format(source=source))
    return here(folder, pip=False, **more)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package of any extra is installed."""
    monkeypatch.setattr(installation, "_installed", lambda package: False)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "/env/bin/python -m pip install 'scenedetect>=0.6.4'"),
        ({"pip": False}, "uv pip install --python /env/bin/python 'scenedetect>=0.6.4'"),
        (
            {"python": r"C:\an env\python.exe", "system": "win32"},
            r'"C:\an env\python.exe" -m pip install "scenedetect>=0.6.4"',
        ),
    ],
)
def test_environments_of_pip_and_uv(
    tmp_path: Path, changes: dict[str, object], line: str, bare: None
) -> None:
    assert here(tmp_path, **changes).line(needs("cuts")) == line


def test_pipx_injects_into_the_environment_it_made(tmp_path: Path, bare: None) -> None:
    folder = tmp_path / "sightmix-next"
    folder.mkdir()
    (folder / "pipx_metadata.json").write_text("{}")
    assert here(folder, pip=False).line(needs("cuts")) == "pipx inject sightmix-next 'scenedetect>=0.6.4'"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('directory = "/a/copy"', "'/a/copy[cpu,hosts]'"),
        ('editable = "/a/copy"', "--editable '/a/copy[cpu,hosts]'"),
        (
            'path = "/got/sightmix-0.2.0-py3-none-any.whl"',
            "'/got/sightmix-0.2.0-py3-none-any.whl[cpu,hosts]'",
        ),
    ],
)
def test_uv_is_told_again_all_that_it_was_told(tmp_path: Path, source: str, told: str, bare: None) -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert tool(tmp_path, source).line(["jiwer>=3"]) == (
        f"uv tool install --python {python} --with rpp --with 'scenedetect>=0.6.4' --with 'jiwer>=3' {told}"
    )


def test_a_tool_from_elsewhere_gets_the_packages_put_in(tmp_path: Path) -> None:
    line = tool(tmp_path, 'git = "https://host/sightmix"').line(["rpp"])
    assert line == "uv pip install --python /env/bin/python rpp"


def test_a_damaged_receipt_is_none(tmp_path: Path) -> None:
    for text in ("[tool", "[tool]\nrequirements = 3\n", "tool = 3\n"):
        (tmp_path / "uv-receipt.toml").write_text(text)
        assert here(tmp_path).way == "pip"


@pytest.mark.parametrize(
    ("changes", "small"),
    [({}, True), ({"nvidia": True}, False), ({"system": "darwin"}, False), ({"system": "win32"}, False)],
)
def test_pytorch_is_the_small_one_without_a_graphics_card(
    tmp_path: Path, changes: dict[str, object], small: bool, bare: None
) -> None:
    wanted = needs("clip")
    assert (
        "--extra-index-url https://download.pytorch.org/whl/cpu" in here(tmp_path, **changes).line(wanted)
    ) is small
    assert ("--torch-backend cpu" in here(tmp_path, pip=False, **changes).line(wanted)) is small
    (tmp_path / "pipx_metadata.json").write_text("{}")
    assert ("--pip-args=--extra-index-url" in here(tmp_path, **changes).line(wanted)) is small


def test_every_extra_is_spelt_out_in_packages_of_an_index(bare: None) -> None:
    extras = {match for line in requires("sightmix") or [] for match in re.findall(r'extra == "(\w+)"', line)}
    assert {"cpu", "hosts", "cuts", "clip", "captions", "text", "train", "speech"} <= extras
    for extra in extras:
        assert needs(extra), extra
        assert not any(package.startswith("sightmix") for package in needs(extra)), extra
    assert {"torch", "transformers"} <= {re.split(r"\W", package)[0] for package in needs("captions")}


def test_what_is_there_already_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_installed", lambda package: not package.startswith("sentencepiece"))
    assert [re.split(r"\W", package)[0] for package in needs("captions")] == ["sentencepiece"]


def test_this_installation_runs_its_own_line(tmp_path: Path) -> None:
    """The line of the environment that runs the tests begins with a Python that has pip, or with a program's name."""
    words = line_for("cuts").split()
    if words[0] == sys.executable:
        done = subprocess.run([*words[:3], "--version"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    else:
        assert words[0] in {"uv", "pipx"}


def test_no_text_names_a_line_that_works_only_from_an_index() -> None:
    """sightmix is in no index: `pip install sightmix[…]` works nowhere, so every line comes from one place."""
    root = Path(__file__).parents[2]
    texts = {
        path: path.read_text(encoding="utf-8")
        for room in ("engine", "exporters", "plugin", "ui")
        for path in sorted((root / room).rglob("*.py"))
        if path.name != "installation.py"
    }
    assert len(texts) > 100
    assert [str(path) for path, text in texts.items() if re.search(r"pip install|sightmix\[", text)] == []
