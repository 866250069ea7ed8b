"""Does sightmix work with the oldest and the newest releases it says it works with, and by the README's own lines?

For each interpreter, three fresh environments: `readme` made by the lines under "Set up" as they stand, `oldest` and
`newest` by uv with the lowest and highest release of every direct dependency that has a wheel for that Python. In each,
the version is asked, a small timeline inspected and rebalanced, and the tests run that need no PyTorch and no editor.
Run by hand, with uv on the PATH:  python benchmarks/versions.py python3.11 python3.12 python3.13
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = "cpu,hosts"
TOOLS = ("pytest", "pytest-xdist", "hypothesis", "wavinfo", "lupa")
TESTS = (
    "tests/engine/test_media_picture.py",
    "tests/engine/test_media_reader.py",
    "tests/engine/test_media_resample.py",
    "tests/engine/test_media_writer.py",
    "tests/engine/test_finish.py",
    "tests/exporters/test_aaf.py",
    "tests/exporters/test_edl.py",
    "tests/exporters/test_fcp7.py",
    "tests/exporters/test_fcpxml.py",
    "tests/plugin/test_timeline_picture.py",
    "tests/plugin/test_timeline_read.py",
    "tests/plugin/test_timeline_write.py",
    "tests/plugin/test_jobs_run.py",
)
SHOWN = ("numpy", "scipy", "av", "onnxruntime", "opentimelineio", "pillow", "typer", "rich")
WAYS = ("readme", "oldest", "newest")


class FailedError(Exception):
    """A step that did not work, with the end of what it said."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`, and the checked-out tree that was installed into it."""

    folder: Path
    tree: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *words: object, cwd: Path | None = None) -> str:
        """Run a command of this environment; raises FailedError with its last lines."""
        environment = {
            name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}
        }
        environment |= {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }
        done = subprocess.run(
            [str(word) for word in words], cwd=cwd or self.folder, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise FailedError("\n".join((done.stdout + done.stderr).strip().splitlines()[-12:]))
        return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table row for each environment; 1 if anything failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pythons", nargs="+", metavar="PYTHON", help="interpreters, by name or path")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--processes", type=int, default=2, help="for the tests; 0 leaves them out")
    options = parser.parse_args(arguments)
    failed = 0
    print(
        f"| Python | | {' | '.join(SHOWN)} | commands | tests | s |\n|{'---|' * (len(SHOWN) + 5)}", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="sightmix-versions-") as folder:
        tree = checked_out(Path(folder) / "tree")
        for python in options.pythons:
            for way in options.ways:
                environment = Environment(Path(folder) / f"{Path(python).name}-{way}", tree)
                failed += not row(environment, python, way, options.processes)
                shutil.rmtree(environment.folder, ignore_errors=True)
    return int(failed > 0)


def checked_out(tree: Path) -> Path:
    """A copy of what git knows, so that nothing that was once built is taken for the program."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, names.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    return tree


def row(environment: Environment, python: str, way: str, processes: int) -> bool:
    """Make the environment, try it, print what came out; False if something failed."""
    start = time.monotonic()
    cells, fault = ["–"] * (len(SHOWN) + 2), ""
    version = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout.split()[1]
    try:
        install(environment, python, way)
        cells[: len(SHOWN)] = releases(environment)
        cells[-2] = "fail"
        commands(environment)
        cells[-2] = "ok"
        if processes:
            cells[-1] = "fail"
            cells[-1] = tests(environment, processes)
    except FailedError as error:
        fault = str(error)
    print(f"| {version} | {way} | {' | '.join(cells)} | {time.monotonic() - start:.0f} |", flush=True)
    if fault:
        print(fault, file=sys.stderr, flush=True)
    return not fault


def install(environment: Environment, python: str, way: str) -> None:
    """Fill a fresh environment; raises FailedError."""
    tree, folder = environment.tree, environment.folder
    folder.mkdir()
    if way == "readme":
        for line in readme_lines():
            words = line.replace("sightmix-env", str(folder)).replace("python3 ", f"{python} ", 1)
            environment.run("sh", "-c", words.replace(".[cpu]", f".[{EXTRAS}]"), cwd=tree)
    else:
        resolution = {"oldest": "lowest-direct", "newest": "highest"}[way]
        environment.run("uv", "venv", "--quiet", "--clear", "--python", python, folder)
        wheels = folder / "wheels"
        environment.run("uv", "build", "--quiet", "--wheel", "--python", python, "--out-dir", wheels, tree)
        [wheel] = wheels.glob("*.whl")
        # Only what is asked for directly is taken at its lowest, so sightmix itself comes last and alone.
        extras = [word for extra in EXTRAS.split(",") for word in ("--extra", extra)]
        asked = ("-r", tree / "pyproject.toml", *extras, "--resolution", resolution, "--no-build")
        environment.run("uv", "pip", "install", "--quiet", "--python", environment.python, *asked)
        environment.run("uv", "pip", "install", "--quiet", "--python", environment.python, "--no-deps", wheel)
    environment.run("uv", "pip", "install", "--quiet", "--python", environment.python, *TOOLS)
    shutil.rmtree(tree / "build", ignore_errors=True)


def readme_lines() -> list[str]:
    """The README's lines for a set-up without PyTorch."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [
        line.partition("  #")[0].strip()
        for line in re.findall(r"^ {4}(.*sightmix-env.*)$", text, re.MULTILINE)
    ]


def releases(environment: Environment) -> list[str]:
    code = f"from importlib.metadata import version; print(*map(version, {SHOWN!r}))"
    return environment.run(environment.python, "-c", code).split()


TIMELINE = """
import math, struct, wave, opentimelineio as otio
with wave.open("tone.wav", "wb") as file:
    file.setparams((2, 2, 48000, 0, "NONE", ""))
    for i in range(3 * 48000):
        file.writeframesraw(struct.pack("<hh", *2 * [round(6000 * math.sin(i / 17) * math.sin(i / 9000))]))
span = otio.opentime.TimeRange(otio.opentime.RationalTime(12, 24), otio.opentime.RationalTime(36, 24))
timeline = otio.schema.Timeline("cut")
picture = otio.schema.ExternalReference({picture!r})
for kind, media in (("Video", picture), ("Audio", otio.schema.ExternalReference("tone.wav"))):
    timeline.tracks.append(otio.schema.Track(kind[0] + "1", [otio.schema.Clip("one", media, span)], kind=kind))
otio.adapters.write_to_file(timeline, "cut.otio")
"""


def commands(environment: Environment) -> None:
    """What a newcomer types first; raises FailedError."""
    folder = environment.folder / "work"
    folder.mkdir()
    picture = environment.tree / "examples" / "bbb" / "excerpt.mp4"
    environment.run(environment.python, "-c", TIMELINE.format(picture=picture.as_uri()), cwd=folder)
    environment.run("sightmix", "--version", cwd=folder)
    environment.run("sightmix", "inspect", "cut.otio", "--loudness", cwd=folder)
    environment.run(
        "sightmix", "rebalance", "cut.otio", "-o", "mixed.otio", "--all", "--as", "both", cwd=folder
    )
    for suffix in ("xml", "fcpxml", "aaf", "edl", "rpp", "mlt"):
        environment.run("sightmix", "export", "mixed.otio", "-o", f"mixed.{suffix}", cwd=folder)
        if suffix in ("xml", "fcpxml", "aaf", "edl"):
            environment.run("sightmix", "inspect", f"mixed.{suffix}", cwd=folder)


def tests(environment: Environment, processes: int) -> str:
    """The closing line of the tests that need neither PyTorch nor another program."""
    paths = sorted(path for pattern in TESTS for path in environment.tree.glob(pattern))
    words = ("-m", "pytest", "-n", processes, "-o", "addopts=", "--no-header", "-q", "-p", "no:cacheprovider")
    said = environment.run(environment.python, *words, *paths, cwd=environment.tree)
    return said.strip().splitlines()[-1].strip("= ").partition(" in ")[0]


if __name__ == "__main__":
    sys.exit(main())
