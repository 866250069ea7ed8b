"""Whether the tests would notice a fault: `python benchmarks/mutants.py engine/highlight --sample 80 --seed 1`.

Puts single faults (`mutations.py`) one by one into a copy of the tree and runs the tests that reach the place, until
one fails. PATHS are packages or files; of all places where a fault can go, `--sample` are drawn by `--seed`. The same
tree, sample and seed give the same faults, and a larger sample begins with the smaller one.

First all tests of TABLE (or of `--tests`) run on the tree as it is: they must pass, and it is written down which
functions each of them enters and how long it takes. A fault inside a function is tried on the tests that enter it;
one at a module's or class's top on those that enter any function of that file. Whole files of tests go quickest first.
A fault that makes the tests hang counts as killed and is counted apart. Tests past `--limit` seconds in sum are not
run, so the share is, if anything, too low. All seconds are of processor time, or at least without those in which other
work had the processor (`patience.py`): a busy machine changes nothing but how long a run takes. What was ended from
outside, or where the system cannot say why it took long, is "undecided" and left out of the share.

Prints what lived, as a diff, and a line with the share killed and its Wilson interval; `--out` writes all as JSON, a
fault at a time, and `--resume` goes on from what is there: right as long as neither tests nor sources have changed.
`--again FILE` tries only what lived in an earlier result. `--reach FILE` keeps what the first run found out, or leaves
that run out where FILE is there, on the same condition. Faults that change nothing
anybody could notice are named in `mutants_equal.json` with the reason, and are left out of the share. `--tree` mutates
another checkout (of an older commit, say) than the one this file is in. Every process has one thread; `--jobs` trees
are worked on side by side.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from mutations import Mutant, draw
from patience import Patience

HERE = Path(__file__).resolve().parent
ROOMS = ("engine", "exporters", "plugin", "ui")
EQUAL = "mutants_equal.json"
# Where a package's tests are; what is not named here needs --tests.
TABLE = {
    "engine/highlight": (
        "tests/engine/test_highlight_*.py",
        "tests/engine/test_bands.py",
        "tests/engine/test_finish.py",
        "tests/engine/test_balances.py",
        "tests/engine/test_training_step.py",
        "tests/engine/test_style.py",
        "tests/engine/test_ear.py",
        "tests/engine/test_levelling.py",
        "tests/engine/test_bounce.py",
        "tests/engine/test_tracks.py",
        "tests/plugin/test_listening.py",
        "tests/plugin/test_programme_*.py",
    ),
    "engine/media": ("tests/engine/test_media_*.py", "tests/engine/test_files.py"),
    "engine/programme": ("tests/engine/test_programme*.py",),
    "engine/training/networks": (
        "tests/engine/test_losses*.py",
        "tests/engine/test_remixers*.py",
        "tests/engine/test_training_step*.py",
    ),
    "engine/training/scenes": (
        "tests/engine/test_scene*.py",
        "tests/engine/test_muddy*.py",
        "tests/engine/test_targets*.py",
        "tests/engine/test_levels*.py",
        "tests/engine/test_laying*.py",
        "tests/engine/test_colour*.py",
        "tests/engine/test_dice*.py",
        "tests/engine/test_recordings*.py",
        "tests/engine/test_blocks*.py",
        "tests/engine/test_shards*.py",
        "tests/engine/test_balances*.py",
    ),
    "engine/training/material": ("tests/engine/test_training_*.py", "tests/engine/test_shards*.py"),
    "engine/training/loop": ("tests/engine/test_training_*.py", "tests/engine/test_shards*.py"),
    "engine/evaluation": (
        "tests/engine/test_evaluation_*.py",
        "tests/engine/test_metrics*.py",
        "tests/engine/test_baselines*.py",
        "tests/engine/test_guessing*.py",
        "tests/engine/test_experiments*.py",
    ),
}
# Imported once, before processes are split off, so that no fault pays for them: the first two, and what the tree names.
HEAVY = (
    "pytest",
    "hypothesis",
    "numpy",
    "scipy.signal",
    "scipy.fft",
    "torch",
    "av",
    "soundfile",
    "soxr",
    "safetensors",
)
LEAST_S, TIMES = 20.0, 8.0  # a run may take so much of a processor, and so many times what it should
PAUSES = 4.0  # how many times as long it may take with all that it sleeps and waits for
LIVED, NOTHING_RAN = 0, 5  # pytest's exit statuses
# By signal: out of its own time, out of processor time, ended by somebody else (want of memory, say).
FATES = {
    LIVED: "lived",
    -signal.SIGALRM: "hung",
    -signal.SIGXCPU: "hung",
    -signal.SIGKILL: "undecided",
    -signal.SIGTERM: "undecided",
}


@dataclass
class Reach:
    """What a test is to a fault: processor time it takes, and which functions it enters, as (file, first line)."""

    seconds: float = 0.0
    enters: set[tuple[str, int]] = field(default_factory=set)


@dataclass
class Result:
    """What became of one fault: "killed", "hung", "lived", "equal" or "undecided"; `diff` is what was changed."""

    file: str
    line: int
    kind: str
    fate: str
    tests: int
    seconds: float
    diff: str
    why: str = ""


def copied(tree: Path, target: Path) -> Path:
    """A copy of a checkout's files, known to git or not yet, with the rooms under the name they are imported by."""
    listed = subprocess.run(
        ["git", "-C", str(tree), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (tree / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, target / name)
    package = target / "build" / "tree" / "sightmix"
    package.mkdir(parents=True)
    (package / "__init__.py").symlink_to(target / "plugin" / "front" / "__init__.py")
    for room in ROOMS:
        (package / room).symlink_to(target / room)
    return target


class Recorder:
    """A pytest plugin that writes down which functions of some files every test enters, and how long it takes."""

    def __init__(self, tree: Path, files: Sequence[str], out: Path) -> None:
        self._files = {str(tree / name): name for name in files}
        self._tree, self._out = tree, out
        self._names: dict[str, str | None] = {}
        self._now: set[tuple[str, int]] = set()
        self._tests: dict[str, Reach] = defaultdict(Reach)
        self._fixtures: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self._asks: dict[str, list[str]] = {}

    def _trace(self, frame: FrameType, _event: str, _argument: Any) -> None:
        code = frame.f_code
        name = self._name(code)
        if name is not None:
            self._now.add((name, code.co_firstlineno))

    def _name(self, code: CodeType) -> str | None:
        path = code.co_filename
        if path not in self._names:
            self._names[path] = self._files.get(os.path.realpath(path))
        return self._names[path]

    def _recorded(self, into: set[tuple[str, int]]) -> Iterator[None]:
        outer, self._now = self._now, into
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        yield
        sys.settrace(None)
        threading.settrace(None)
        self._now = outer
        if outer:
            sys.settrace(self._trace)

    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        yield from self._recorded(self._fixtures[fixturedef.argname])

    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        self._asks[item.nodeid] = list(item.fixturenames)
        yield from self._recorded(self._tests[item.nodeid].enters)

    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        began = sum(os.times()[:4])  # also of the processes that a test starts
        yield
        self._tests[item.nodeid].seconds += sum(os.times()[:4]) - began

    def pytest_sessionfinish(self) -> None:
        rows = {}
        for name, test in self._tests.items():
            enters = test.enters.union(*(self._fixtures[f] for f in self._asks.get(name, ())))
            rows[name] = {"seconds": test.seconds, "enters": sorted(enters)}
        self._out.write_text(json.dumps(rows))


class Chosen:
    """A pytest plugin that runs only some tests, in the order given."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rank = {name: k for k, name in enumerate(names)}

    def pytest_sessionstart(self) -> None:
        """One example that fails is enough: hypothesis need not look for the simplest."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", settings(), phases=phases)
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._rank), key=lambda item: self._rank[item.nodeid]
        )


def start(
    tree: Path, arguments: Sequence[str], plugins: Sequence[object], log: Path, allowed: float = 0
) -> int:
    """Split off a process that runs pytest in `tree`; returns its id.

    `allowed` are seconds of processor time, after which it is ended; without a limit it is the first run, whose
    compiled files are kept.
    """
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        with log.open("wb") as out, Path(os.devnull).open("rb") as nothing:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            os.dup2(nothing.fileno(), 0)
        os.chdir(tree)
        sys.dont_write_bytecode = bool(allowed)
        if allowed:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(allowed), math.ceil(allowed) + 5))
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.environ["PYTHONPATH"] = str(tree / "build" / "tree")
        temporary = tree.parent / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        sys.path[:0] = [str(tree / "build" / "tree"), str(tree)]
        import pytest

        options = [
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--hypothesis-seed=0",
            "--tb=short",
            # HEAVY has hypothesis imported before pytest can rewrite it, which is no fault of a test.
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
        ]
        # A file at a time: a fault that the first finds need not wait for the imports of all.
        for batch in [[file] for file in arguments] if allowed else [arguments]:
            status = int(pytest.main([*options, *batch], plugins=list(plugins)))
            if status != LIVED:
                break
    except BaseException:  # noqa: BLE001  (the parent reads it from the log)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def finished(child: int, patience: Patience | None) -> int | None:
    """A process's exit status (negative: a signal's number) once it is over; when its time is up it is ended."""
    over, status = os.waitpid(child, os.WNOHANG)
    if over:
        _end(child)
        return os.waitstatus_to_exitcode(status)
    if patience is not None and patience.over():
        _end(child)
        os.waitpid(child, 0)
        return -signal.SIGALRM if patience.knows else -signal.SIGKILL
    return None


def _end(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def reaches(tree: Path, files: Sequence[str], tests: Sequence[str], kept: Path | None) -> dict[str, Reach]:
    """What every test reaches, from a run on the tree as it is (exits where one fails) or from where it is kept."""
    if kept is not None and kept.exists():
        return _read_reaches(kept)
    out, log = kept or tree.parent / "reach.json", tree.parent / "reach.log"
    child = start(tree, tests, [_hooked(Recorder(tree, files, out))], log)
    while (status := finished(child, None)) is None:
        time.sleep(0.1)
    if status != LIVED:
        said = log.read_text(errors="replace")[-3000:]
        sys.exit(f"The tests do not pass on the tree as it is (status {status}):\n{said}")
    return _read_reaches(out)


def _read_reaches(path: Path) -> dict[str, Reach]:
    rows = json.loads(path.read_text())
    return {name: Reach(row["seconds"], {(f, n) for f, n in row["enters"]}) for name, row in rows.items()}


def _hooked(recorder: Recorder) -> Recorder:
    """The recorder with its hooks marked as wrappers, which needs pytest."""
    import pytest

    for name in ("pytest_fixture_setup", "pytest_runtest_call", "pytest_runtest_protocol"):
        setattr(Recorder, name, pytest.hookimpl(hookwrapper=True, tryfirst=True)(getattr(Recorder, name)))
    return recorder


def functions_of(source: str) -> list[tuple[int, int]]:
    """First and last lines of a file's outermost functions and methods, decorators counted in."""
    found = []
    stack: list[ast.AST] = [ast.parse(source)]
    while stack:
        for node in ast.iter_child_nodes(stack.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                found.append((first, node.end_lineno or first))
            else:
                stack.append(node)
    return found


def chosen(mutant: Mutant, name: str, source: str, tests: dict[str, Reach], limit: float) -> list[str]:
    """Names of the tests that reach a fault, whole files quickest first, up to `limit` seconds in sum."""
    inside = [
        (a, b) for a, b in functions_of(source) if a <= mutant.line <= b and not _outside(mutant, source, a)
    ]
    first, last = inside[0] if inside else (0, math.inf)
    fitting = {
        test: reach.seconds
        for test, reach in tests.items()
        if any(file == name and first <= line <= last for file, line in reach.enters)
    }
    whole: dict[str, float] = defaultdict(float)
    for test, seconds in fitting.items():
        whole[test.partition("::")[0]] += seconds
    order = sorted(fitting, key=lambda t: (whole[t.partition("::")[0]], t.partition("::")[0], fitting[t], t))
    picked: list[str] = []
    spent = 0.0
    for test in order:
        spent += fitting[test]
        if picked and spent > limit:
            break
        picked.append(test)
    return picked


def _outside(mutant: Mutant, source: str, first: int) -> bool:
    """Whether a fault lies in a function's head, its defaults, which runs where the function is defined."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.FunctionDef)
            and min([node.lineno, *(d.lineno for d in node.decorator_list)]) == first
        ):
            return mutant.line < node.body[0].lineno
    return False


def diff_of(name: str, source: str, mutant: Mutant) -> str:
    """The changed lines, without context."""
    lines = difflib.unified_diff(
        source.splitlines(), mutant.applied(source).splitlines(), name, name, n=0, lineterm=""
    )
    return "\n".join(list(lines)[2:])


def equal_reasons(path: Path) -> dict[tuple[str, str], str]:
    """Reasons why faults change nothing, by file and changed lines (without line numbers and indents)."""
    if not path.exists():
        return {}
    return {(row["file"], row["change"]): row["why"] for row in json.loads(path.read_text(encoding="utf-8"))}


def change_of(diff: str) -> str:
    """A diff as `mutants_equal.json` names it: "was -> now", every run of blanks one."""
    sides: dict[str, list[str]] = {"-": [], "+": []}
    for line in diff.splitlines()[1:]:
        sides[line[0]].append(line[1:])
    was, now = (" ".join(" ".join(part).split()) for part in (sides["-"], sides["+"]))
    return f"{was} -> {now}"


@dataclass
class Slot:
    """One tree that is being worked on, and by which process."""

    tree: Path
    child: int = 0
    began: float = 0.0
    patience: Patience | None = None
    at: int = -1


class Trial:
    """Faults tried one after the other on as many trees as there are."""

    def __init__(
        self, trees: list[Path], files: dict[str, str], drawn: list[tuple[str, Mutant]], tests: dict[str, Reach],
        limit: float, keep: Callable[[list[Result]], None],
    ) -> None:  # fmt: skip
        self._slots = [Slot(tree) for tree in trees]
        self._files, self._drawn, self._tests, self._keep = files, drawn, tests, keep
        self._picked = [chosen(m, name, files[name], tests, limit) for name, m in drawn]
        self._results: dict[int, Result] = {}

    def run(self, equal: dict[tuple[str, str], str], known: dict[tuple[str, str], Result]) -> list[Result]:
        """Results in the order drawn; those of `known` faults (file and diff) are taken over."""
        places = [(name, diff_of(name, self._files[name], mutant)) for name, mutant in self._drawn]
        self._results = {k: known[place] for k, place in enumerate(places) if place in known}
        waiting = []
        for k, (name, diff) in enumerate(places):
            why = equal.get((name, change_of(diff)))
            if why is not None:
                self._note(k, "equal", 0.0, why)
            elif k in self._results:
                continue
            elif self._picked[k]:
                waiting.append(k)
            else:
                self._note(k, "lived", 0.0, "no test enters it")
        while waiting or any(slot.child for slot in self._slots):
            for slot in self._slots:
                if not slot.child and waiting:
                    self._begin(slot, waiting.pop(0))
                elif slot.child:
                    self._look(slot)
            time.sleep(0.02)
        return self._so_far

    @property
    def _so_far(self) -> list[Result]:
        return [self._results[k] for k in sorted(self._results)]

    def _begin(self, slot: Slot, k: int) -> None:
        name, mutant = self._drawn[k]
        path = slot.tree / name
        path.write_text(mutant.applied(self._files[name]), encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
        names = self._picked[k]
        should = sum(self._tests[n].seconds for n in names)
        arguments = list(dict.fromkeys(n.partition("::")[0] for n in names))
        slot.at, slot.began = k, time.monotonic()
        allowed = LEAST_S + TIMES * should
        slot.child = start(slot.tree, arguments, [Chosen(names)], slot.tree.parent / "run.log", allowed)
        slot.patience = Patience(slot.child, PAUSES * allowed)

    def _look(self, slot: Slot) -> None:
        status = finished(slot.child, slot.patience)
        if status is None:
            return
        name, _ = self._drawn[slot.at]
        (slot.tree / name).write_text(self._files[name], encoding="utf-8")
        fate = FATES.get(status, "killed")
        if status == NOTHING_RAN:
            sys.exit(f"No test was found where there were some: {self._picked[slot.at][:3]}")
        self._note(slot.at, fate, time.monotonic() - slot.began)
        slot.child = 0

    def _note(self, k: int, fate: str, seconds: float, why: str = "") -> None:
        name, m = self._drawn[k]
        diff = diff_of(name, self._files[name], m)
        self._results[k] = Result(
            name, m.line, m.kind, fate, len(self._picked[k]), round(seconds, 1), diff, why
        )
        print(
            f"{len(self._results)}/{len(self._drawn)} {fate:6} {seconds:5.1f} s  {name}:{m.line} {m.kind}",
            flush=True,
        )
        self._keep(self._so_far)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Ends of Wilson's 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, p = 1.959964, hits / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (middle - half) / (1 + z * z / of)), min(1.0, (middle + half) / (1 + z * z / of))


def summary(results: list[Result]) -> str:
    """The line that says it all."""
    fates = [r.fate for r in results]
    killed = fates.count("killed") + fates.count("hung")
    counted = killed + fates.count("lived")
    low, high = wilson(killed, counted)
    share = 100 * killed / max(counted, 1)
    return (
        f"killed {killed} of {counted} ({share:.0f} %, {100 * low:.0f} to {100 * high:.0f}); "
        f"of these {fates.count('hung')} hung; {fates.count('equal')} more change nothing, "
        f"{fates.count('undecided')} are undecided"
    )


def sources(tree: Path, paths: Sequence[str]) -> dict[str, str]:
    """Texts of the Python files of packages, by their names in the tree."""
    found: list[Path] = []
    for path in paths:
        whole = tree / path
        if not whole.exists():
            sys.exit(f"There is no {whole}.")
        found += sorted(whole.glob("*.py")) if whole.is_dir() else [whole]
    return {str(path.relative_to(tree)): path.read_text(encoding="utf-8") for path in found}


def tests_for(tree: Path, paths: Sequence[str], asked: Sequence[str]) -> list[str]:
    """The files of tests that are tried: those asked for, else TABLE's for each path or the package it is in."""
    patterns = list(asked)
    for path in () if asked else paths:
        package = path.rstrip("/") if path.rstrip("/") in TABLE else str(Path(path).parent)
        if package not in TABLE:
            sys.exit(f"Where are the tests of {path}? Name them with --tests.")
        patterns += TABLE[package]
    names = {str(file.relative_to(tree)) for pattern in patterns for file in tree.glob(pattern)}
    return sorted(names)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="packages or files, from the tree's top")
    parser.add_argument("--sample", type=int, default=80, help="how many faults are tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tests", nargs="*", default=[], metavar="GLOB", help="files of tests, instead of the table's"
    )
    parser.add_argument(
        "--limit", type=float, default=60.0, help="seconds (processor) of tests a fault is tried on"
    )
    parser.add_argument(
        "--reach", type=Path, metavar="FILE", help="keep what the tests reach, or read it where FILE is there"
    )
    parser.add_argument("--jobs", type=int, default=1, help="trees worked on side by side")
    parser.add_argument("--tree", type=Path, default=HERE.parent, help="the checkout that is mutated")
    parser.add_argument("--out", type=Path, help="where the result goes, as JSON, fault by fault")
    parser.add_argument("--resume", action="store_true", help="go on from what --out holds already")
    parser.add_argument(
        "--again", type=Path, metavar="FILE", help="try only what lived in this earlier result"
    )
    parser.add_argument("--list", action="store_true", help="print the faults that would be tried, and stop")
    return parser.parse_args()


def import_heavy(tree: Path) -> None:
    """Import what is heavy and is named in the sources or tests."""
    text = "".join(path.read_text() for room in (*ROOMS, "tests") for path in (tree / room).rglob("*.py"))
    for name in HEAVY:
        if name in HEAVY[:2] or name.partition(".")[0] in text:
            try:
                importlib.import_module(name)
            except ImportError:
                print(f"without {name}")


def known_in(path: Path | None) -> dict[tuple[str, str], Result]:
    """What an earlier run that was stopped had decided, by file and diff."""
    if path is None or not path.exists():
        return {}
    rows = [Result(**row) for row in json.loads(path.read_text(encoding="utf-8"))["results"]]
    return {(row.file, row.diff): row for row in rows if row.fate != "undecided"}


def keeper(out: Path | None, heading: dict[str, Any]) -> Callable[[list[Result]], None]:
    """What writes results to a file, whole or not at all."""

    def keep(results: list[Result]) -> None:
        if out is None:
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        whole = {**heading, "summary": summary(results), "results": [asdict(r) for r in results]}
        new = out.with_name(out.name + ".new")
        new.write_text(json.dumps(whole, indent=1), encoding="utf-8")
        new.replace(out)

    return keep


def lived_in(path: Path) -> set[tuple[str, str]]:
    """What lived in an earlier result, by file and change."""
    rows = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {(r["file"], change_of(r["diff"])) for r in rows if r["fate"] == "lived"}


def main() -> None:
    ask = arguments()
    tree = ask.tree.resolve()
    files = sources(tree, ask.paths)
    drawn, sites = draw(files, ask.sample, ask.seed)
    if ask.again is not None:
        lived = lived_in(ask.again)
        drawn = [(n, m) for n, m in drawn if (n, change_of(diff_of(n, files[n], m))) in lived]
    if ask.list:
        print("\n".join(f"{n} ({m.kind})\n{diff_of(n, files[n], m)}" for n, m in drawn))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    import_heavy(tree)
    kept = ask.reach and ask.reach.resolve()
    heading = {"paths": ask.paths, "seed": ask.seed, "sample": len(drawn), "sites": sites}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [copied(tree, Path(folder) / str(k) / "tree") for k in range(ask.jobs)]
        tests = reaches(trees[0], list(files), tests_for(trees[0], ask.paths, ask.tests), kept)
        print(
            f"{len(tests)} tests pass in {sum(t.seconds for t in tests.values()):.0f} s; {sites} sites",
            flush=True,
        )
        trial = Trial(trees, files, drawn, tests, ask.limit, keeper(ask.out, heading))
        results = trial.run(equal_reasons(HERE / EQUAL), known_in(ask.out) if ask.resume else {})
    for r in results:
        if r.fate == "lived":
            print(f"\nlived: {r.file} ({r.kind}; {r.tests} tests{', ' if r.why else ''}{r.why})\n{r.diff}")
    print(f"\n{' '.join(ask.paths)}, sample {len(drawn)} of {sites}, seed {ask.seed}: {summary(results)}")


if __name__ == "__main__":
    main()
