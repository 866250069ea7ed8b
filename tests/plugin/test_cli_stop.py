"""Stopping for real: Ctrl-C and kill -9 of a running command, and what the next run picks up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from job_helpers import three_clips

COMMAND = [sys.executable, str(Path(__file__).with_name("fake_cli.py"))]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's here")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return three_clips(tmp_path)


def arguments(source: Path) -> list[str]:
    return [*COMMAND, "rebalance", str(source), "-o", str(source.parent / "out.otio"), "--json"]


def start(source: Path, finished: int) -> subprocess.Popen[str]:
    """A run that has finished so many clips, and will never finish the next one."""
    process = subprocess.Popen(
        arguments(source),
        env={**os.environ, "FAKE_ENDLESS": ("one", "two", "three")[finished]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    cache = source.parent / "out.sightmix" / "cache"
    until = time.monotonic() + 1800
    while time.monotonic() < until:
        if len(list(cache.glob("*.json"))) >= finished:
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


def finish(source: Path) -> list[str]:
    done = subprocess.run(arguments(source), capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr
    return [clip["status"] for clip in json.loads(done.stdout)["clips"]]


def test_a_killed_run_and_a_stopped_run_lose_only_the_clip_at_hand(source: Path) -> None:
    killed = start(source, 1)
    killed.kill()
    killed.communicate(timeout=1800)
    assert not (source.parent / "out.otio").exists()

    stopped = start(source, 2)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=1800)
    assert stopped.returncode == 130
    sentences = [line for line in err.splitlines() if not line.startswith("progress:")]
    assert len(sentences) == 1
    assert "2 of 3 clips are rendered and kept" in sentences[0]
    assert json.loads(out)["exit_status"] == 130
    assert not (source.parent / "out.otio").exists()
    assert not list(source.parent.rglob(".*.part"))
    assert finish(source) == ["cached", "cached", "rendered"]


def test_failures_are_named_and_leave_status_1(source: Path) -> None:
    done = subprocess.run(
        arguments(source),
        env={**os.environ, "FAKE_FAIL": "two"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 1
    assert "'two' at 00:00:01:00) was not rebalanced: two is damaged." in done.stderr
    assert (source.parent / "out.otio").is_file()


INTERRUPTING = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["sightmix", "inspect", "--no-listen", {source!r}]
from sightmix.plugin.cli.{entry} import main
main()
"""
STOPPED = (130, "sightmix: Stopped.\n", "")


def foreground() -> None:
    """Heed Ctrl-C as what a terminal starts does; a shell's background jobs, perhaps these tests, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def python(code: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, preexec_fn=foreground
    )
    return done.returncode, done.stderr, done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "typer",
        "sightmix.plugin.cli.errors",
        "sightmix.plugin.cli.inspect",
        "numpy",
        "av",
        "sightmix.plugin.timeline",
    ],
)
def test_ctrl_c_while_something_is_imported_is_the_sentence(module: str, source: Path) -> None:
    """Of the imports that `inspect` makes, each is interrupted in turn."""
    assert python(INTERRUPTING.format(module=module, source=str(source), entry="start")) == STOPPED


def test_ctrl_c_in_the_import_of_a_command_by_the_other_way_in(source: Path) -> None:
    code = INTERRUPTING.format(module="sightmix.plugin.cli.inspect", source=str(source), entry="app")
    assert python(code) == STOPPED


# Python 3.11 turns what comes out of the making of a class into a RuntimeError.
@pytest.mark.parametrize(
    "body", ["os.kill(os.getpid(), signal.SIGINT)", "type('Card', (), {'field': Interrupted()})"]
)
def test_ctrl_c_in_a_command_lets_it_tidy_up_and_with_json_is_an_object(body: str, source: Path) -> None:
    code = f"""
import os, signal, sys
import sightmix.plugin.cli.inspect as inspect
class Interrupted:
    def __set_name__(self, owner, name):
        raise KeyboardInterrupt
def stopped(*_):
    try:
        {body}
    finally:
        print("tidied")
inspect.inspect_timeline = stopped
from sightmix.plugin.cli.start import main
sys.argv = ["sightmix", "inspect", "--json", {str(source)!r}]
main()
"""
    status, error, out = python(code)
    assert (status, error) == STOPPED[:2]
    tidied, said = out.splitlines()
    assert tidied == "tidied"
    assert json.loads(said)["exit_status"] == 130
