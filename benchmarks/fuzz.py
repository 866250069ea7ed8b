"""Damaged files, read and used as a user would: every exception that is no sentence, every crash, hang and leak.

fuzz.py timelines|media|bundles --count N --seed S [--out DIR]    N inputs, drawn from the seed S
fuzz.py timelines --seed S --first K --count 1 --out DIR          one of them again, kept in DIR

Inputs are numbered, and each is drawn from the kind, the seed and its number alone. They are tried in worker processes,
so that a crash, a hang (processor time over --cpu, or waiting for what never comes) and memory over --memory are told
apart. What was found is listed by the innermost frame of ours; with --out it is kept as JSON beside its inputs.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fuzz_material import Seed
from fuzz_trials import KINDS, ROOMS, ROOT, Finding, Kind, Steps, lay

BATCH = 100  # inputs to a worker
SLOW = {".aaf": 0.06}  # how often a kind of file is drawn, against the others
STALLED_S = 120.0  # of the wall's, in which a worker that used less than a second was waiting for something
_TICKS = os.sysconf("SC_CLK_TCK")
_FRAME = re.compile(r'File "([^"]+)", line (\d+) in (\S+)')

Found = tuple[int, Finding]


@dataclass(frozen=True)
class Limits:
    """Seconds of processor time for one input, and MB of memory beyond what a worker begins with."""

    cpu: float = 20.0
    memory: int = 1024


@dataclass
class Worker:
    """A process that tries inputs and tells of each when it begins and what it found."""

    pid: int
    pipe: int
    trace: Path
    at: int = -1
    began: float = 0.0
    used: float = 0.0
    rest: bytes = field(default=b"", repr=False)


Trial = Callable[[int, Steps], None]


def trial_of(kind: str, seed: int, seeds: list[Seed], work: Path, keep: Path | None) -> Trial:
    """Draw, write and try the input of a number; its file lies in `work`, and stays in `keep` if it found something."""
    given: Kind = KINDS[kind]

    def trial(number: int, steps: Steps) -> None:
        rng = random.Random(f"{kind}/{seed}/{number}")
        kinds = sorted({one.suffix for one in seeds})
        (suffix,) = rng.choices(kinds, [SLOW.get(one, 1.0) for one in kinds])
        drawn = rng.choice([one for one in seeds if one.suffix == suffix])
        path, out = work / f"input{drawn.suffix}", work / "out"
        for left in work.glob("input.*"):
            _remove(left)
        _remove(out)
        out.mkdir()
        lay(drawn, seeds, rng, path)
        try:
            given.run(path, out, steps)
        finally:
            if steps.found and keep is not None:
                _keep(path, keep / f"{kind}-{seed}-{number}{drawn.suffix}")

    return trial


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _keep(path: Path, target: Path) -> None:
    """A copy of an input; one that is a folder is drawn again with its number and not kept."""
    if path.is_file() and path.stat().st_size < 8 << 20:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def work_through(numbers: range, trial: Trial, limits: Limits, pipe: int, trace: Path) -> None:
    """Try inputs in this process; a line of JSON goes to `pipe` before and after each."""
    printed = os.open(trace.with_suffix(".printed"), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with trace.open("w", encoding="utf-8") as file:
        faulthandler.enable(file)
        faulthandler.register(signal.SIGUSR1, file)
        most = _peak_mb() + limits.memory
        allowed = _size_bytes() + (2 * limits.memory << 20)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
        for number in numbers:
            _tell(pipe, {"begin": number})
            steps = Steps(number)
            trial(number, steps)
            sys.stdout.flush()
            if os.fstat(printed).st_size:
                steps.note("printed", "stdout", os.pread(printed, 200, 0).decode("utf-8", "replace"))
                os.ftruncate(printed, 0)
                os.lseek(printed, 0, os.SEEK_SET)
            if _peak_mb() > most:
                steps.note("memory", "whole", f"more than {limits.memory} MB")
            _tell(pipe, {"end": number, "found": [asdict(one) for one in steps.found]})
            if _peak_mb() > most:
                return


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _size_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _tell(pipe: int, line: object) -> None:
    data = (json.dumps(line) + "\n").encode()
    while data:
        data = data[os.write(pipe, data) :]


def start(numbers: range, trial: Trial, limits: Limits, work: Path) -> Worker:
    """A worker on these inputs."""
    reading, writing = os.pipe()
    trace = work / "trace.txt"
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Worker(pid, reading, trace)
    status = 1
    try:
        os.close(reading)
        work_through(numbers, trial, limits, writing, trace)
        status = 0
    finally:
        os._exit(status)


def messages(worker: Worker) -> Iterator[dict[str, object]]:
    """What a worker has told since the last time; waits a moment for it. EOFError when it has ended."""
    if not select.select([worker.pipe], [], [], 0.2)[0]:
        return
    data = os.read(worker.pipe, 1 << 20)
    if not data:
        raise EOFError
    *lines, worker.rest = (worker.rest + data).split(b"\n")
    for line in lines:
        yield json.loads(line)


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process has used; 0 once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def overdue(worker: Worker, limits: Limits) -> str:
    """Why a worker must be ended, empty while it may go on."""
    if worker.at < 0:
        return ""
    used = cpu_of(worker.pid) - worker.used
    if used > limits.cpu:
        return f"more than {limits.cpu:.0f} s of processor time"
    if time.monotonic() - worker.began > STALLED_S and used < 1.0:
        return f"waits for more than {STALLED_S:.0f} s"
    return ""


def ended(worker: Worker, fate: str, why: str) -> Finding:
    """What became of a worker that was ended or ended itself, from the stacks it left."""
    trace = worker.trace.read_text(encoding="utf-8", errors="replace") if worker.trace.exists() else ""
    current = trace.rpartition("Current thread")[2] or trace
    where = "outside"
    for name, number, function in _FRAME.findall(current):
        path = Path(os.path.realpath(name))
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS:
            where = f"{path.relative_to(ROOT)}:{number} {function}"
            break
    return Finding(fate, "whole", why, where, trace[-6000:])


def watch(worker: Worker, limits: Limits) -> Iterator[Found]:
    """Follow a worker to its end; the last input it began lies in `worker.at`."""
    while True:
        try:
            for message in messages(worker):
                if "begin" in message:
                    worker.at, worker.began = int(str(message["begin"])), time.monotonic()
                    worker.used = cpu_of(worker.pid)
                else:
                    for one in message["found"]:  # type: ignore[attr-defined]
                        yield worker.at, Finding(**one)
                    worker.began, worker.used = time.monotonic(), cpu_of(worker.pid)
        except EOFError:
            os.close(worker.pipe)
            status = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
            if status:
                why = signal.Signals(-status).name if status < 0 else f"exit status {status}"
                yield worker.at, ended(worker, "crashed", why)
            return
        why = overdue(worker, limits)
        if why:
            os.kill(worker.pid, signal.SIGUSR1)
            time.sleep(0.5)
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
            os.close(worker.pipe)
            yield worker.at, ended(worker, "hung", why)
            return


def rounds(numbers: range, trial: Trial, limits: Limits, work: Path) -> Iterator[Found]:
    """Try all inputs, each once, with as many workers as it takes, one at a time."""
    at = numbers.start
    while at < numbers.stop:
        worker = start(range(at, min(at + BATCH, numbers.stop)), trial, limits, work)
        yield from watch(worker, limits)
        at = max(at, worker.at) + 1


def grouped(found: list[Found]) -> dict[tuple[str, str, str], list[Found]]:
    """Findings by fate, place and kind of error."""
    groups: dict[tuple[str, str, str], list[Found]] = {}
    for number, one in found:
        where = one.where if one.where != "outside" else one.step
        groups.setdefault((one.fate, where, one.error.partition(":")[0]), []).append((number, one))
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def told(kind: str, seed: int, found: list[Found]) -> str:
    """The list of what was found, a line each."""
    lines = []
    for (fate, where, _), group in grouped(found).items():
        numbers = ", ".join(str(number) for number, _ in group[:5])
        lines.append(f"{len(group):4} {fate}: {where} [{group[0][1].step}] {group[0][1].error}")
        lines.append(f"     {kind} --seed {seed} --first {numbers}")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--count", type=int, default=100, help="how many inputs")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a folder for what was found and for its inputs")
    parser.add_argument(
        "--cpu", type=float, default=Limits.cpu, help="seconds of processor time for an input"
    )
    parser.add_argument("--memory", type=int, default=Limits.memory, help="MB of memory for an input")
    return parser.parse_args()


def main() -> None:
    """Run the rounds asked for and leave with 1 if anything was found."""
    ask = arguments()
    os.environ["OMP_NUM_THREADS"] = "1"
    found: list[Found] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        work = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(work / "cache")
        seeds = KINDS[ask.kind].seeds(work)
        trial = trial_of(ask.kind, ask.seed, seeds, work, ask.out and ask.out / "inputs")
        numbers = range(ask.first, ask.first + ask.count)
        for number, one in rounds(numbers, trial, Limits(ask.cpu, ask.memory), work):
            found.append((number, one))
            print(f"{number} {one.fate}: {one.where} [{one.step}] {one.error}", flush=True)
    if ask.out is not None:
        ask.out.mkdir(parents=True, exist_ok=True)
        rows = [{"kind": ask.kind, "seed": ask.seed, "number": k, **asdict(one)} for k, one in found]
        name = f"{ask.kind}-{ask.seed}-{ask.first}.json"
        (ask.out / name).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    took = time.monotonic() - began
    print(f"\n{told(ask.kind, ask.seed, found)}\n" if found else "")
    inputs = len({number for number, _ in found})
    print(f"{ask.count} {ask.kind} of seed {ask.seed} in {took:.0f} s: {inputs} inputs found something.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
