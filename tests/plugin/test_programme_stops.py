"""A programme stopped, killed or met by a full disk in any of its parts, and two runs on one output."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from job_helpers import FakeRenderer, timeline_of, tone
from sightmix.engine import files
from sightmix.engine.errors import Cancelled, SightmixError
from sightmix.engine.locks import BusyError, holding
from sightmix.plugin.jobs import rebalance
from sightmix.plugin.jobs.events import Event, Moved, StageBegan
from sightmix.plugin.jobs.export import ExportRequest, export
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.run import DiskFullError
from sightmix.plugin.jobs.service import Request, Service
from sightmix.plugin.jobs.settings import JobSettings

PARTS = ("open", "plan", "render", "listen", "level", "measure", "ride", "report", "write")
TELLS = ("render", "listen", "level", "measure", "ride")  # parts that tell how far they are
STOPS = [(part, moved) for part in PARTS for moved in (False, True)[: 1 + (part in TELLS)]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and locks are POSIX's here")


@pytest.fixture(autouse=True)
def renderer(monkeypatch: pytest.MonkeyPatch) -> FakeRenderer:
    fake = FakeRenderer()
    monkeypatch.setattr(rebalance, "stage_for", lambda settings: RebalanceStage(settings, fake))
    return fake


@pytest.fixture
def source(tmp_path: Path) -> Path:
    sound = tone(tmp_path / "loud.wav", 1, -12)
    return timeline_of(tmp_path / "reel.otio", [("one", sound, 0.0, 0.4), ("two", sound, 0.4, 0.4)])


def request(source: Path, out: str = "out.otio") -> Request:
    """Two mixes, which a programme separates and bounces, as a mix with its stems."""
    return Request(source, source.parent / out, JobSettings(as_="baked", stems=True))


def waves(folder: Path) -> dict[str, bytes]:
    """Every file that a result plays."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.wav"))}


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.name.endswith((".sightmix.part", ".sightmix.lock"))]


class Stumbling:
    """An observer that does something once a part of the job begins, or has told how far it is."""

    def __init__(self, part: str, moved: bool, act: Callable[[], None]) -> None:
        self.part, self.moved, self.act = part, moved, act
        self.now, self.done = "", False

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageBegan):
            self.now = event.stage
        wanted = Moved if self.moved else StageBegan
        if self.now == self.part and isinstance(event, wanted) and not self.done:
            self.done = True
            self.act()


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("how", ["cancel", "interrupt"])
def test_stopped_in_every_part_nothing_half_stays_and_the_next_run_goes_on(source: Path, how: str) -> None:
    for part, moved in STOPS:
        service = Service()
        stumbling = Stumbling(part, moved, service.cancel if how == "cancel" else interrupt)
        service.tell = stumbling
        service.progress.observe = lambda step, told=stumbling: told(Moved.of(step))  # type: ignore[misc]
        with pytest.raises(Cancelled if how == "cancel" else KeyboardInterrupt):
            service.rebalance(request(source))
        assert stumbling.done, part
        assert not (source.parent / "out.otio").exists(), part
        assert leftovers(source.parent) == [], part
    assert len(Service().rebalance(request(source)).done) == 2
    assert leftovers(source.parent) == []


KILLED = """
import os, signal, sys
sys.path.insert(0, os.environ["HELPERS"])
import test_programme_stops as t
import sightmix.plugin.jobs.rebalance as rebalance
from pathlib import Path
rebalance.stage_for = lambda settings: t.RebalanceStage(settings, t.FakeRenderer())
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
service = t.Service()
service.tell = told = t.Stumbling(sys.argv[2], sys.argv[3] == "True", die)
service.progress.observe = lambda step: told(t.Moved.of(step))
service.rebalance(t.request(Path(sys.argv[1])))
"""


def test_killed_while_it_writes_the_next_run_is_as_if_nothing_had_been(source: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(source), "ride", "True"]
    done = subprocess.run(
        command, env={**os.environ, "HELPERS": str(Path(__file__).parent)}, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (source.parent / "out.otio").exists()
    assert {name[-5:] for name in leftovers(source.parent)} == {".lock", ".part"}, "killed in the midst of it"
    result = Service().rebalance(request(source))
    assert len(result.done) == 2
    assert leftovers(source.parent) == []
    after_all = waves(result.folder)
    fresh = Service().rebalance(request(source, "fresh.otio"))
    assert len(after_all) == 8
    assert waves(fresh.folder) == after_all


@pytest.mark.parametrize("part", ["ride", "write"])
def test_a_disk_that_fills_up_in_any_part_is_a_sentence(
    source: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill() -> None:
        monkeypatch.setattr(files, "put_in_place", full)

    with pytest.raises(SightmixError, match="is full") as caught:
        Service(Stumbling(part, False, fill)).rebalance(request(source))
    assert isinstance(caught.value, DiskFullError)
    assert not (source.parent / "out.otio").exists()
    assert leftovers(source.parent) == []
    monkeypatch.undo()
    monkeypatch.setattr(rebalance, "stage_for", lambda settings: RebalanceStage(settings, FakeRenderer()))
    assert len(Service().rebalance(request(source)).done) == 2


def test_a_second_run_on_an_output_is_told_who_has_it_and_harms_nothing(source: Path) -> None:
    seen = []

    def meddle() -> None:
        """All of it while the first run writes its stems."""
        before = {p: p.stat().st_mtime_ns for p in source.parent.rglob("*")}
        for out in ("out.otio", "OUT.otio"):
            with pytest.raises(BusyError, match=rf"being written by another run .*process {os.getpid()} on"):
                Service().rebalance(request(source, out))
        with pytest.raises(BusyError):
            export(ExportRequest(source, source.parent / "out.otio", "kdenlive"))
        assert {p: p.stat().st_mtime_ns for p in source.parent.rglob("*")} == before
        seen.append(len(before))

    result = Service(Stumbling("ride", False, meddle)).rebalance(request(source))
    assert len(seen) == 1
    assert len(result.done) == 2
    assert leftovers(source.parent) == []


def test_an_output_that_another_process_holds_is_refused_before_anything_is_done(
    source: Path, renderer: FakeRenderer
) -> None:
    with holding(source.parent / "out.otio"), pytest.raises(BusyError):
        Service().rebalance(request(source))
    assert renderer.calls == []
    assert not (source.parent / "out.sightmix").exists()
