"""Running a command where everything it asks of the network and everything it writes is seen.

Python's own calls are refused by an audit hook (`guard/sitecustomize.py`). Native code does not pass there: strace
watches it where it is installed, a network namespace of its own keeps it in where one can be made, and in any case
what it writes to its user's folders lies in a HOME that is looked through afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

GUARD = Path(__file__).with_name("guard")
CALLS = "network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
_NETWORK = re.compile(r"\b(?:connect|bind|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET")
_NAMES = re.compile(r'\bopen(?:at)?\(.*"/etc/(?:resolv\.conf|hosts)"')
_WRITES = re.compile(
    r"\b(?:open(?:at)?\(.*O_(?:WRONLY|RDWR|CREAT)|(?:creat|mkdir(?:at)?|rename\w*|link(?:at)?|symlink(?:at)?)\()"
)
_PATHS = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)+)"')
# What every process may write to.
_NOWHERE = ("/dev/", "/proc/self/", "/proc/thread-self/")


@dataclass(frozen=True)
class Watched:
    """A command's result, what it asked of the network, and what it wrote outside the folders it may write to."""

    status: int
    out: str
    err: str
    network: list[str]
    written: list[str]


def _works(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


@cache
def apart() -> tuple[str, ...]:
    """The command that puts another one into a network of its own, empty where that cannot be done."""
    return next((way for way in (("unshare", "-n"), ("unshare", "-rn")) if _works(*way)), ())


@cache
def traced() -> bool:
    """Whether native code's calls can be watched."""
    return _works("strace", "-f", "--seccomp-bpf", "-qq", "-y", "-e", f"trace={CALLS}")


def guarded(root: Path, *arguments: object, may_write: tuple[Path, ...] = (), **variables: str) -> Watched:
    """Run Python with `arguments` in a fresh HOME below `root`.

    `may_write` names files and folders; what stands beside them and begins with the same name is meant, too: with
    `out.otio` also `out.sightmix/`, and `.out-1234` while it is being written.
    """
    home, temporary, work = root / "home", root / "tmp", root / "work"
    for folder in (home, temporary, work):
        folder.mkdir(parents=True, exist_ok=True)
    log, trace = root / "guard.txt", root / "trace.txt"
    paths = [str(GUARD), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(temporary),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "SIGHTMIX_GUARD_LOG": str(log),
        **variables,
    }
    watch = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-y",
        "-s",
        "4096",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(trace),
    ]
    done = subprocess.run(
        [*apart(), *(watch if traced() else []), sys.executable, *map(str, arguments)],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    network = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    written = [str(path) for path in sorted((*home.rglob("*"), *temporary.rglob("*"))) if not path.is_dir()]
    if trace.exists():
        calls = trace.read_text(encoding="utf-8", errors="replace").splitlines()
        network += [call for call in calls if _NETWORK.search(call) or _NAMES.search(call)]
        named = [path.with_suffix("") for path in may_write]
        beside = [str(path.with_name(dot + path.name)) for path in named for dot in ("", ".")]
        allowed = (*_NOWHERE, str(temporary), str(log), *beside)
        written += [path for path in _written(calls, work) if not path.startswith(allowed)]
    return Watched(done.returncode, done.stdout, done.stderr, network, sorted(set(written)))


def _written(calls: list[str], work: Path) -> list[str]:
    """Where calls that did not fail have made, opened for writing or renamed files and folders."""
    return [
        str(Path(base or work, name))
        for call in calls
        if _WRITES.search(call) and " = -1 " not in call
        for base, name in _PATHS.findall(call)
    ]
