"""The rooms' borders hold, a breach of them is caught, and a base install needs nothing heavy."""

import ast
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import opentimelineio as otio
import pytest
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import list_cards

ROOT = Path(__file__).parent.parent
ROOMS = ("engine", "exporters", "plugin", "ui")
EXTRAS = ("torch", "torchvision", "onnx", "onnxscript", "open_clip", "transformers", "scenedetect", "PySide6")

BREACHES = {
    "engine/breach_up.py": "from ..plugin import timeline\n",
    "engine/breach_otio.py": "import opentimelineio\n",
    "engine/breach_qt.py": "def window():\n    import PySide6.QtWidgets\n",
    "exporters/breach_up.py": "from ..plugin import timeline\n",
    "exporters/breach_qt.py": "import PySide6\n",
    "plugin/jobs/breach_cli.py": "from ..cli import app\n",
    "plugin/timeline/breach_cli.py": "from ..cli import app\n",
    "plugin/hosts/breach_cli.py": "def f():\n    from ..cli.errors import say\n",
    "plugin/jobs/breach_hosts.py": "from ..hosts import errors\n",
    "plugin/breach_up.py": "from .. import ui\n",
    "plugin/breach_qt.py": "from PySide6 import QtCore\n",
    "engine/edit/breach_network.py": "from ..highlight import network\n",
    "engine/training/material/breach_loop.py": "from ..loop import run\n",
    "plugin/jobs/breach_door.py": "from ..cli import app\n",
    "plugin/timeline/breach_jobs.py": "from ..jobs import plan\n",
    "ui/control/breach_qt.py": "from PySide6 import QtCore\n",
    "ui/control/breach_window.py": "from ..window import theme\n",
    "engine/breach_onnx.py": "def session():\n    from onnxruntime import InferenceSession\n",
}


def copy_rooms(where: Path) -> Path:
    """The rooms' sources under the name they are installed by."""
    for room in ROOMS:
        shutil.copytree(
            ROOT / room,
            where / "sightmix" / room,
            ignore=lambda folder, names: [
                name for name in names if not (Path(folder, name).is_dir() or name.endswith(".py"))
            ],
        )
    return where


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config"]
    return subprocess.run(
        [*command, str(ROOT / "pyproject.toml")],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rooms_keep_their_borders(tmp_path: Path) -> None:
    result = lint_imports(copy_rooms(tmp_path))
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_every_kind_of_breach_is_caught(tmp_path: Path) -> None:
    tree = copy_rooms(tmp_path)
    for name, text in BREACHES.items():
        (tree / "sightmix" / name).write_text(text)
    result = lint_imports(tree)
    assert result.returncode == 1
    assert "0 kept" in result.stdout
    for name in BREACHES:
        module = "sightmix." + name.removesuffix(".py").replace("/", ".")
        assert module in result.stdout, f"{module} got through:\n{result.stdout}"


def test_no_name_of_onnx_runtime_stands_where_it_could_be_imported_by() -> None:
    """Import contracts see statements; a module can be imported by its name as a text, too."""
    named = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and str(node.value).partition(".")[0] == "onnxruntime":
                    named.add(path.relative_to(ROOT).as_posix())
    assert not named


def run_without_extras(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process where importing any optional package fails as if it were not installed."""
    block = f"""
        import sys

        class Without:
            def __init__(self, finder):
                self.finder = finder

            def find_spec(self, name, path=None, target=None):
                hidden = name.partition(".")[0] in {EXTRAS!r}
                return None if hidden else self.finder.find_spec(name, path, target)

            def __getattr__(self, name):
                return getattr(self.finder, name)

        sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(block) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_block_itself_works() -> None:
    result = run_without_extras("import torch")
    assert result.returncode == 1
    assert "No module named 'torch'" in result.stderr
    result = run_without_extras(
        "from importlib.util import find_spec; print(find_spec('torch'), find_spec('numpy').name)"
    )
    assert result.stdout == "None numpy\n", result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["rebalance", "--help"], ["inspect", "--help"]])
def test_the_command_line_starts_without_extras(arguments: list[str]) -> None:
    code = f"""
        sys.argv = ["sightmix", *{arguments!r}]
        from sightmix.plugin.cli.app import main
        main()
    """
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["clean", "--help"]])
def test_what_only_talks_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "sightmix.plugin.cli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "typer" in names
    assert not names & {
        "numpy",
        "scipy",
        "av",
        "soundfile",
        "soxr",
        "opentimelineio",
        "onnxruntime",
        "jinja2",
    }


@pytest.mark.slow
@pytest.mark.skipif(
    SHIPPED_MODEL not in {card.name for card in list_cards()}, reason=f"the model {SHIPPED_MODEL} is not here"
)
def test_a_clip_is_rebalanced_without_extras(tmp_path: Path) -> None:
    excerpt = ROOT / "examples" / "bbb" / "excerpt.mp4"
    clip = otio.schema.Clip(
        "laugh",
        otio.schema.ExternalReference(excerpt.as_uri()),
        otio.opentime.TimeRange(otio.opentime.RationalTime(48, 24), otio.opentime.RationalTime(72, 24)),
    )
    timeline = otio.schema.Timeline("cut")
    for kind in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio):
        timeline.tracks.append(otio.schema.Track(kind[0] + "1", [clip.deepcopy()], kind=kind))
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    arguments = ["rebalance", str(tmp_path / "cut.otio"), "-o", str(tmp_path / "new.otio"), "--json"]
    code = f"""
        sys.argv = ["sightmix", *{arguments!r}]
        from sightmix.plugin.cli.app import main
        main()
    """
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    [made] = json.loads(result.stdout)["clips"]
    assert made["status"] == "rendered"
    assert made["samples"] == (72 + 2 * 12) * 2000
    assert made["frames"], "the picture was not looked at"
