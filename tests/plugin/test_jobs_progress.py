"""The whole job's progress, the time left, and lines for pipes."""

import io

import pytest
from sightmix.engine.errors import Cancelled
from sightmix.engine.progress import Progress, Step
from sightmix.plugin.cli import bars as cli_bars
from sightmix.plugin.cli import progress as cli_progress
from sightmix.plugin.cli.progress import Lines, printable, shown
from sightmix.plugin.jobs.eta import JOB, Clock, clip_share, clock, fraction


def test_a_clip_moves_the_whole_job_by_its_share() -> None:
    steps: list[Step] = []
    progress = Progress(steps.append)
    with clip_share(progress, "a", 10.0, 30.0, 40.0):
        progress.report("context", "a", 1, 2)
        progress.report("rebalance", "a", 15, 30)
        progress.report("rebalance", "a", 10, 30)
    progress.report("rebalance", "b", 1, 1)
    assert [s.done for s in steps if s.stage == JOB] == [10.0, 10.0, 25.0, 25.0, 40.0]
    assert all(s.total == 40.0 for s in steps if s.stage == JOB)


def test_cancel_passes_through_a_share_and_the_observer_comes_back() -> None:
    seen: list[Step] = []
    progress = Progress(seen.append)
    observe = progress.observe

    def work() -> None:
        with clip_share(progress, "a", 0, 1, 1):
            progress.cancel()
            progress.report("rebalance", "a", 1, 2)

    with pytest.raises(Cancelled):
        work()
    assert progress.observe is observe


def test_the_time_left_is_told_when_it_can_be() -> None:
    now = iter([0.0, 1.0, 10.0, 20.0])
    watch = Clock(lambda: next(now))
    assert watch.left(0.0) is None
    assert watch.left(0.01) is None
    assert watch.left(0.25) == pytest.approx(30.0)
    assert watch.left(1.0) == 0.0


@pytest.mark.parametrize(
    ("seconds", "step", "text"),
    [
        (0.0, 1, "0:00"),
        (59.6, 1, "1:00"),
        (3599.7, 1, "1:00:00"),
        (3723.0, 1, "1:02:03"),
        (-0.5, 0.5, "−0:00.5"),
        (1.25, 0.05, "0:01.25"),
    ],
)
def test_times_are_written_as_people_read_them(seconds: float, step: float, text: str) -> None:
    assert clock(seconds, step) == text


def test_fractions_stay_between_none_and_all() -> None:
    assert [fraction(Step("x", "", done, total)) for done, total in ((1, 0), (-1, 2), (3, 2), (1, 2))] == [
        0,
        0,
        1,
        0.5,
    ]


def test_lines_are_few_and_plain() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    for n in range(100):
        lines(Step(JOB, "a", n, 100))
        lines(Step("rebalance", "evil\x1b[2Jname", n, 100))
    lines(Step("write", "b", 1, 1))
    text = stream.getvalue()
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2
    assert all(line.startswith("progress: ") for line in text.splitlines())


def test_control_characters_are_not_printed() -> None:
    assert printable("a\x1b[31m\tü\n") == "a�[31m�ü�"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_bars_and_everything_else_lines() -> None:
    with shown(quiet=False, stream=io.StringIO()) as observer:
        assert isinstance(observer, Lines)
    with shown(quiet=True, stream=Terminal()) as observer:
        assert isinstance(observer, Lines)
    with shown(quiet=False, stream=Terminal()) as observer:
        assert isinstance(observer, cli_bars.Bars)
        observer(Step(JOB, "a", 1, 2))
        observer(Step("rebalance", "[bold]" + "x" * 100, 1, 2))


def test_every_stage_has_a_word() -> None:
    assert cli_progress.word_for("rebalance") == "rebalancing"
    assert cli_progress.word_for("something else") == "something else"
