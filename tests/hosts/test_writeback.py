"""The write-back on a fake Resolve: what it makes, which traps it survives, and what is left when it fails."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_resolve import FakeResolve, Fault, Traps, frame_rate
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.writer import WavWriter
from sightmix.plugin.hosts.errors import HostError
from sightmix.plugin.hosts.resolve.studio import Live
from sightmix.plugin.hosts.resolve.writeback import Muted, Stem, Written, rate_of, write_back

RATE = 48_000
MUTED = Muted(tracks=(1,), clips=((2, 30),))


_MADE: dict[tuple[Fraction, int], bytes] = {}


def wav(path: Path, seconds: Fraction, channels: int = 2) -> Path:
    """A silent file; each kind is made once."""
    if (seconds, channels) not in _MADE:
        _MADE[seconds, channels] = _silence(path, seconds, channels).read_bytes()
    path.write_bytes(_MADE[seconds, channels])
    return path


def _silence(path: Path, seconds: Fraction, channels: int) -> Path:
    with WavWriter(path, RATE, channels) as writer:
        writer.write(np.zeros((channels, round(seconds * RATE)), np.float32))
    return path


class Bench:
    """A project with a timeline of two audio tracks and a title, and two stems for it."""

    def __init__(
        self, folder: Path, traps: Traps | None = None, rate: str = "24", start: int = 86400, frames: int = 96
    ) -> None:
        self.fake = FakeResolve(traps, rate, start)
        self.timeline = self.fake.first
        self.timeline.put("video", 1, "Title", 0, frames)
        self.timeline.put("audio", 1, "Interview", 0, 48)
        self.timeline.put("audio", 2, "Music", 10, 50)
        self.timeline.put("audio", 2, "Wind", 60, 20)
        self.timeline.AddMarker(5, "Blue", "here", "", 1)
        self.fake.world.page = "color"
        self.fake.world.log.clear()
        self.seconds = frames / frame_rate(rate)
        self.stems = [
            Stem(wav(folder / "mix.wav", self.seconds), "Rebalanced", Layout.of_count(2)),
            Stem(wav(folder / "music.wav", self.seconds, 6), "Music 5.1", Layout.of_count(6)),
        ]
        self.before = self.timeline.state()
        self.pool = self.fake.project.pool

    @property
    def root(self) -> Any:
        return Live(self.fake, "Resolve", self.fake)

    def write(self, muted: Muted = MUTED) -> Written:
        return write_back(self.root, self.stems, muted, self.seconds)

    def check_untouched(self) -> None:
        """The editor's timeline is as it was, and open again, as are the page and the bin."""
        assert self.timeline.state() == self.before
        assert self.fake.project.current is self.timeline
        assert self.fake.world.page == "color"
        assert self.pool.current is self.pool.root

    def check_gone(self) -> None:
        """Nothing of ours is left in the project."""
        self.check_untouched()
        assert self.fake.project.timelines == [self.timeline]
        assert self.pool.root.folders == []
        assert self.pool.root.clips == []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def check_result(bench: Bench) -> None:
    frames = round(bench.seconds * frame_rate(bench.timeline.rate))
    bench.check_untouched()
    original, copy = bench.fake.project.timelines
    assert original is bench.timeline
    assert copy.name == "Cut 1 [rebalanced]"
    old = copy.tracks["audio"][:2]
    assert [t.enabled for t in old] == [False, True]
    assert [i.enabled for i in old[1].items] == [False, True]
    assert [i.name for i in copy.tracks["video"][0].items] == ["Title"]
    mix, music = copy.tracks["audio"][2:]
    assert (mix.name, mix.kind, mix.enabled) == ("Rebalanced", "stereo", True)
    assert (music.name, music.kind) == ("Music 5.1", "5.1")
    for track, stem in zip((mix, music), bench.stems, strict=True):
        [item] = track.items
        assert (item.start, item.source) == (bench.timeline.start, 0)
        assert item.duration in (frames, frames - 1)
        assert item.media is not None
        assert item.media.path == stem.path
    assert [f.name for f in bench.pool.root.folders] == ["sightmix"]
    assert [c.path for c in bench.pool.root.folders[0].clips] == [s.path for s in bench.stems]


def test_a_copy_gets_the_stems(bench: Bench) -> None:
    written = bench.write()
    assert written == Written("Cut 1 [rebalanced]", ("Rebalanced", "Music 5.1"), 1, 1)
    check_result(bench)


def test_names_that_are_taken(bench: Bench) -> None:
    assert bench.write().timeline == "Cut 1 [rebalanced]"
    assert bench.write().timeline == "Cut 1 [rebalanced] 2"
    assert bench.write().timeline == "Cut 1 [rebalanced] 3"
    bench.check_untouched()
    assert [f.name for f in bench.pool.root.folders] == ["sightmix"]


# Each a version or a habit of Resolve's that has been met; the result is the same under all of them.
WORLDS: dict[str, Traps] = {
    "last frame counted in": Traps(exclusive_end=False),
    "AddTrack of old": Traps(old_add_track=True),
    "a WAV at the project's other rate": Traps(media_rate=Fraction(30)),
    "a WAV at 24 in a 25 project": Traps(media_rate=Fraction(24)),
    "a WAV at an NTSC rate": Traps(media_rate=Fraction(24000, 1001)),
    "without rounding down": Traps(media_rate=Fraction(25), floors_mixed_rates=False),
    "overlaps allowed": Traps(overlap_drops=False),
    "fractions allowed": Traps(whole_frames_only=False),
    "ghosts": Traps(ghost_items=True),
    "free edition": Traps(free_edition=True),
    "SaveProject hangs": Traps(save_hangs=True),
    "deletes on every page": Traps(delete_on_edit_page_only=False),
    "honest names": Traps(has_every_name=False),
    "strings for enums": Traps(live_enums_only=False),
}
STARTS = [
    ("24", 86400),
    ("25", 90000),
    ("29.97", 108000),
    ("29.97 DF", 107892),
    ("23.976", 86400),
    ("59.94 DF", 215784),
    ("60", 0),
]


@pytest.mark.parametrize("name", list(WORLDS))
def test_every_kind_of_resolve(name: str, tmp_path: Path) -> None:
    rate, start = ("25", 90000) if "25 project" in name else ("24", 86400)
    bench = Bench(tmp_path, WORLDS[name], rate, start)
    bench.write()
    check_result(bench)
    assert not bench.fake.world.modal


@pytest.mark.parametrize(("rate", "start"), STARTS)
def test_every_rate_and_start(rate: str, start: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path, rate=rate, start=start)
    bench.write()
    check_result(bench)


# Traps that a write-back must notice because it cannot get around them.
@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda b: setattr(b.fake.world.traps, "absolute_record", False), "instead of at"),
        (
            lambda b: b.pool.streams.update({"mix.wav": 2}),
            "as it|not as they|did not place|did not add|not on",
        ),
    ],
)
def test_what_is_noticed_and_undone(prepare: Callable[[Bench], None], sentence: str, bench: Bench) -> None:
    prepare(bench)
    with pytest.raises(HostError, match=sentence) as caught:
        bench.write()
    assert "your timeline is as it was" in str(caught.value)
    bench.check_gone()


CALLS = [
    "GetCurrentProject", "GetCurrentTimeline", "GetMediaPool", "DuplicateTimeline", "OpenPage", "GetRootFolder",
    "AddSubFolder", "ImportMedia", "AddTrack", "SetTrackName", "AppendToTimeline", "SetTrackEnable",
    "SetClipEnabled",
]  # fmt: skip


FAILURES = [(call, how) for call in CALLS for how in ("none", "false", "raise")]
FAILURES += [("ImportMedia", "drop"), ("AppendToTimeline", "drop")]


@pytest.mark.parametrize(("call", "how"), FAILURES)
def test_a_call_that_fails_leaves_nothing(call: str, how: str, bench: Bench) -> None:
    # Only the first time: restoring what was open uses some of the same calls.
    bench.fake.world.faults[call] = Fault(how, times=2 if call == "AddTrack" else 1)
    with pytest.raises(HostError) as caught:
        bench.write()
    assert str(caught.value).endswith(".")
    bench.check_gone()


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("call", ["ImportMedia", "AppendToTimeline", "SetTrackName"])
def test_the_second_stem_fails(call: str, at: int, bench: Bench) -> None:
    bench.fake.world.faults[call] = Fault("drop" if call != "SetTrackName" else "false", at=at)
    with pytest.raises(HostError):
        bench.write()
    bench.check_gone()


def test_ghosts_are_not_taken_for_clips(tmp_path: Path) -> None:
    """A dropped append may hand back an item all the same."""
    bench = Bench(tmp_path, Traps(ghost_items=True))
    bench.fake.world.faults["AppendToTimeline"] = Fault("drop")
    with pytest.raises(HostError, match="did not place"):
        bench.write()
    bench.check_gone()


def test_resolve_goes_away_at_every_call(tmp_path: Path) -> None:
    """Whenever it happens: one sentence that says what may be left, and the timeline was never written to."""
    whole = Bench(tmp_path)
    whole.write()
    calls = len(whole.fake.world.log)
    for at in range(1, calls, 7):
        bench = Bench(tmp_path)
        count = 0

        def gone(name: str, world: Any = bench.fake.world, at: int = at) -> None:
            nonlocal count
            count += 1
            world.gone = world.gone or count >= at

        bench.fake.world.on_call = gone
        with pytest.raises(HostError) as caught:
            bench.write()
        text = str(caught.value)
        assert text.endswith("."), text
        assert bench.timeline.state() == bench.before
        left = [t.name for t in bench.fake.project.timelines[1:]]
        assert all(f"'{name}' may be left" in text for name in left)


def test_the_copy_cannot_be_removed(bench: Bench) -> None:
    bench.fake.world.faults["AppendToTimeline"] = Fault("none")
    bench.fake.world.faults["DeleteTimelines"] = Fault("false")
    with pytest.raises(HostError, match="'Cut 1 \\[rebalanced\\]' may be left"):
        bench.write()
    bench.check_untouched()


def test_a_clip_that_is_not_where_it_should_be(bench: Bench) -> None:
    with pytest.raises(HostError, match="shows no clip on audio track 2"):
        bench.write(Muted(clips=((2, 85),)))
    bench.check_gone()


def test_no_timeline_is_open(bench: Bench) -> None:
    bench.fake.project.current = None
    with pytest.raises(HostError, match="No timeline is open in Resolve"):
        bench.write()


def test_nothing_of_studio_is_called(bench: Bench) -> None:
    """The free edition answers a Studio call with a window that blocks everything after it."""
    bench.write()
    assert {method for _, method, _ in bench.fake.world.log} <= {
        "GetProductName", "GetVersionString", "GetProjectManager", "GetCurrentProject", "GetCurrentPage", "OpenPage",
        "GetMediaPool", "GetCurrentFolder", "SetCurrentFolder", "GetRootFolder", "GetSubFolderList", "AddSubFolder",
        "ImportMedia", "AppendToTimeline", "GetTimelineCount", "GetTimelineByIndex", "GetCurrentTimeline",
        "SetCurrentTimeline", "DuplicateTimeline", "GetName", "GetUniqueId", "GetSetting", "GetStartFrame",
        "GetTrackCount", "GetTrackName", "SetTrackName", "GetTrackSubType", "GetIsTrackEnabled", "SetTrackEnable",
        "AddTrack", "GetItemListInTrack", "GetStart", "GetEnd", "GetDuration", "GetMediaPoolItem", "GetClipProperty",
        "GetClipEnabled", "SetClipEnabled",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "rate"),
    [("29.97 DF", Fraction(30000, 1001)), (23.976, Fraction(24000, 1001)), (24.0, 24), ("25", 25), (60, 60)],
)
def test_rates_as_resolve_says_them(setting: object, rate: Fraction) -> None:
    assert rate_of(setting) == rate


@pytest.mark.parametrize("setting", ["", None, "twenty", False])
def test_rates_nobody_understands(setting: object) -> None:
    with pytest.raises(HostError, match="does not understand"):
        rate_of(setting)
