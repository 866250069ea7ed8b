"""What the export page knows: targets, what they lack, names that harm nothing, and what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine
from sightmix.exporters.formats import FORMATS
from sightmix.exporters.programs import PROGRAMS, STEMS
from sightmix.ui.base.asking import Failure
from sightmix.ui.base.source import Source
from sightmix.ui.control.exporting import ADVISED, IDLE, OK, OUT, WORKING, CheckRow, Exporting

RESULT = Source(Path("/film/cut_rebalanced.otio"), timeline="Reel 2")


class Page:
    """The part with its engine, a disk that holds what the test says, and all that was told."""

    def __init__(self, *there: str) -> None:
        self.there = {Path(path) for path in there}
        self.engine = FakeEngine()
        self.part = Exporting(self.engine, lambda path: path in self.there)
        self.wrote: list[object] = []
        self.failed: list[Failure] = []
        self.changes = 0
        self.part.wrote.subscribe(self.wrote.append)
        self.part.failed.subscribe(self.failed.append)
        self.part.changed.subscribe(self._changed)
        self.part.show(RESULT)

    def _changed(self) -> None:
        self.changes += 1

    def asked(self, do: str) -> dict[str, object]:
        [request] = self.engine.open(do)
        return dict(request.data)

    def write(self, *files: str, **more: object) -> None:
        """The export that was begun ends well, and its files are on the disk."""
        [request] = self.engine.open("export")
        self.there.update(Path(path) for path in files)
        request.finish({"out": request.data["out"], "files": list(files), "losses": [], **more})


def test_every_format_and_every_program_is_among_the_targets() -> None:
    targets = Page().part.targets
    assert len({target.key for target in targets}) == len(targets)
    assert {form.key for form in FORMATS} <= {target.to for target in targets}
    assert {program.title for program in PROGRAMS} <= {target.title for target in targets}
    assert STEMS in {target.key for target in targets}
    for target in targets:
        assert target.lacks or target.to in ("otio", STEMS), target.key


def test_nothing_open_nothing_to_do() -> None:
    part = Exporting(FakeEngine())
    assert (part.out, part.ready) == (None, False)
    part.start()
    part.cancel()
    assert part.state == IDLE


def test_resolve_takes_the_result_itself() -> None:
    page = Page()
    assert page.part.target.key == "resolve"
    assert page.part.out == RESULT.path
    assert not page.part.ready
    page.part.start()
    assert page.engine.asked == []


def test_what_is_asked_for_a_program() -> None:
    page = Page()
    page.part.choose("final-cut")
    page.part.start()
    assert page.asked("export") == {
        "source": RESULT.to_dict(),
        "out": "/film/cut_rebalanced.fcpxml",
        "to": "fcpxml",
        "timeline": "Reel 2",
        "options": {},
    }
    assert page.part.state == WORKING
    assert not page.part.ready
    page.part.start()
    assert len(page.engine.asked) == 1, "asked twice"


def test_sound_inside_an_aaf_only() -> None:
    page = Page()
    page.part.set_embed(True)
    page.part.choose("avid")
    assert page.part.can_embed
    page.part.start()
    assert page.asked("export")["options"] == {"embed": True}
    page.write("/film/cut_rebalanced.aaf")
    page.part.choose("reaper")
    page.part.start()
    assert page.asked("export")["options"] == {}


def test_what_is_asked_for_stems() -> None:
    page = Page()
    page.part.choose(STEMS)
    page.part.set_stems(project=" FILM ", reel="R1", stems=("MIX", "DX"), interleaved=False, per="clip")
    page.part.set_stems(delivery="netflix")
    page.part.start()
    asked = page.asked("export")
    assert (asked["to"], asked["out"]) == (STEMS, "/film/cut_rebalanced.stems")
    assert asked["options"] == {
        "project": "FILM",
        "reel": "R1",
        "stems": ["DX", "MIX"],
        "per": "clip",
        "interleaved": False,
        "delivery": "netflix",
    }


def test_all_stems_means_all_that_can_be_made_and_none_is_no_export() -> None:
    page = Page()
    page.part.choose(STEMS)
    assert page.part.stems.options()["stems"] == []
    page.part.set_stems(stems=())
    assert not page.part.ready
    page.part.start()
    assert page.engine.asked == []


def test_a_file_that_is_not_ours_is_never_replaced() -> None:
    page = Page("/film/cut_rebalanced.xml", "/film/mine.xml")
    page.part.choose("premiere")
    assert page.part.out == Path("/film/cut_rebalanced 2.xml")
    page.part.write_to(Path("/film/mine"))
    assert page.part.out == Path("/film/mine 2.xml")
    assert page.part.stepped_aside == Path("/film/mine.xml")
    page.there.add(Path("/film/mine 2.xml"))  # somebody was quicker
    page.part.start()
    assert page.asked("export")["out"] == "/film/mine 3.xml"


def test_our_own_file_is_replaced() -> None:
    page = Page()
    page.part.choose("premiere")
    page.part.start()
    page.write("/film/cut_rebalanced.xml")
    page.part.start()
    assert page.asked("export")["out"] == "/film/cut_rebalanced.xml"


def test_the_result_is_no_place_to_write_to() -> None:
    page = Page(str(RESULT.path))
    page.part.choose("format:otio-plain")
    assert page.part.out == Path("/film/cut_rebalanced.otio-plain.otio")
    page.part.write_to(RESULT.path)
    assert page.part.out == Path("/film/cut_rebalanced 2.otio")


def test_what_will_be_lost_is_asked_of_the_engine_while_somebody_looks() -> None:
    page = Page()
    page.part.choose("reaper")
    assert page.engine.asked == [], "nobody looks"
    page.part.look(True)
    assert page.asked("uncarried") == {"source": RESULT.to_dict(), "to": "rpp", "timeline": "Reel 2"}
    page.part.choose("shotcut")
    [request] = page.engine.open("uncarried")
    assert page.part.lacking is None
    request.finish({"losses": ["The start timecode is not carried."]})
    assert page.part.lacking == ("The start timecode is not carried.",)
    assert page.failed == [], "a look that a newer one replaced is no failure"
    page.part.look(False)
    page.part.choose("reaper")
    assert page.engine.open("uncarried") == []


def test_how_far_it_is_and_what_came_of_it() -> None:
    page = Page()
    page.part.choose("avid")
    page.part.start()
    [request] = page.engine.open("export")
    request.tell({"stage": "stems", "item": "Cut\x07", "done": 3, "total": 4})
    assert (page.part.motion.stage, page.part.motion.item, page.part.motion.share) == ("stems", "Cut�", 0.75)
    request.tell({"stage": "write"})
    assert page.part.motion.share is None
    page.write("/film/cut_rebalanced.aaf", losses=["Speeds."], sets=[{"notes": ["A note.", "Speeds."]}])
    written = page.part.result
    assert written is not None
    assert written.losses == ("A note.", "Speeds.")
    assert [title for title, _, _ in written.hints] == ["Avid Media Composer", "Pro Tools"]
    assert "cut_rebalanced.aaf" in written.hints[0][1]
    assert page.wrote == [written]
    page.part.forget()
    assert page.part.result is None


def test_a_failure_is_its_sentence_and_stopping_is_none() -> None:
    page = Page()
    page.part.choose("avid")
    page.part.start()
    page.engine.open("export")[0].fail(Failure("The disk is full.", "WriteError"))
    assert (page.part.state, page.part.failure) == (IDLE, page.failed[0])
    page.part.start()
    assert page.part.failure is None
    page.part.cancel()
    assert (page.part.state, page.part.failure, len(page.failed)) == (IDLE, None, 1)
    assert page.part.ready


ROWS = [
    {"file": "a", "figure": "programme loudness", "measured": -23.004, "wanted": "-23 ± 0.2", "unit": "LUFS",
     "passed": True, "advice": False},
    {"file": "a", "figure": "true peak", "measured": -0.3, "wanted": "at most -1", "unit": "dBTP",
     "passed": False, "advice": False},
    {"file": "a", "figure": "loudness range", "measured": None, "wanted": "4 to 18", "unit": "LU",
     "passed": False, "advice": True},
    {"file": "a", "figure": "sample rate", "measured": 48000.0, "wanted": "48000", "unit": "Hz",
     "passed": True, "advice": False},
]  # fmt: skip


def test_files_held_against_a_delivery_spec() -> None:
    page = Page()
    page.part.check((Path("/film/a.wav"),), "netflix")
    assert page.asked("check") == {"files": ["/film/a.wav"], "delivery": "netflix"}
    page.part.start()
    assert len(page.engine.asked) == 1, "two things at once"
    page.engine.open("check")[0].finish({"rows": ROWS})
    checked = page.part.check_result
    assert checked is not None
    assert [row.verdict for row in checked.rows] == [OK, OUT, ADVISED, OK]
    assert [row.shown for row in checked.rows] == ["−23.00", "−0.30", "", "48000"]
    assert not checked.met
    page.part.check((), "netflix")
    assert page.part.state == IDLE


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[2:]])
def test_advice_does_not_fail_a_delivery(rows: list[dict[str, object]]) -> None:
    page = Page()
    page.part.check((Path("/film/a.wav"),), "netflix")
    page.engine.open("check")[0].finish({"rows": rows})
    assert page.part.check_result is not None
    assert page.part.check_result.met
    assert CheckRow.of(rows[0]) == page.part.check_result.rows[0]


def test_another_result_begins_anew_but_keeps_what_was_wished() -> None:
    page = Page()
    page.part.choose("reaper")
    page.part.write_to(Path("/else/where.rpp"))
    changes = page.changes
    page.part.show(RESULT)
    assert page.changes == changes, "nothing has changed"
    page.part.show(Source(Path("/film/other.otio")))
    assert page.part.target.key == "reaper"
    assert page.part.out == Path("/film/other.rpp")


def test_what_cannot_be_written_at_all_is_said_before_it_is_tried() -> None:
    page = Page()
    page.part.look(True)
    page.part.choose("avid")
    page.engine.open("uncarried")[0].fail(Failure("AAF needs the hosts extra.", "WriteError"))
    assert page.part.failure is not None
    assert page.part.failure.error == "AAF needs the hosts extra."
    assert page.part.lacking == ()
    page.part.choose("reaper")
    assert page.part.failure is None


def test_an_export_that_ends_after_another_timeline_was_opened_is_not_shown_as_its_own() -> None:
    page = Page()
    page.part.choose("reaper")
    page.part.start()
    page.part.show(Source(Path("/film/other.otio")))
    page.write("/film/cut_rebalanced.rpp")
    assert page.part.result is None
    assert len(page.wrote) == 1
    assert page.part.ready
