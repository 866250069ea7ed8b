"""The deck, sample by sample: what the sound device gets is what it says is being played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from numpy.typing import NDArray
from sightmix.engine.highlight.spectral import GainRamps
from sightmix.plugin.session.laid import LANES, Laid
from sightmix.ui.base.asking import Failure
from sound_fakes import SOURCE, Array, Rig, index_of, noise, ramp

FADE = 240
SHORT = 50


def test_before_is_the_sum_of_the_lanes_to_the_last_bit() -> None:
    rig = Rig(noise(20_000))
    rig.deck.play()
    played = rig.pull(20_000)
    assert np.array_equal(played[FADE:], rig.before()[FADE:])
    assert np.abs(played[:FADE]).max() < np.abs(rig.before()[:FADE]).max()  # faded in


def test_after_is_under_the_gains_that_a_render_has() -> None:
    rig = Rig(noise(30_000))
    frames = 12
    db = np.random.default_rng(1).uniform(-12, 6, (3, frames)).astype(np.float32)
    ramps = GainRamps(48_000, 3)
    ramps.extend(db)
    gains = ramps.pull(30_000)
    from sightmix.engine.highlight.bounce import frame_times

    rig.deck.set_gains(frame_times(frames), db)
    rig.deck.set_side("after")
    rig.deck.play()
    expected = (gains[:, None] * rig.lanes[:3]).sum(axis=0) + rig.lanes[3]
    np.testing.assert_allclose(rig.pull(30_000)[FADE:], expected.T[FADE:], atol=2e-7)


def test_without_gains_after_is_before_and_nothing_was_taken_away() -> None:
    rig = Rig(noise(20_000))
    rig.deck.set_gains([0.0, 1.0], np.zeros((3, 2)))
    rig.deck.set_side("after")
    rig.deck.play()
    assert np.array_equal(rig.pull(8_000)[FADE:], rig.before()[FADE:8_000])
    rig.deck.set_residual(True)
    assert not rig.pull(8_000)[FADE:].any()


@pytest.mark.parametrize("block", [64, 480, 2048])
def test_the_other_side_is_heard_within_a_buffer_and_at_the_same_place(block: int) -> None:
    lanes = ramp(100_000)
    lanes[0] = lanes[3] = lanes[3] / 2  # half of every sample is speech
    rig = Rig(lanes)
    rig.deck.set_gains([0.0], [[20 * np.log10(3)], [0.0], [0.0]])
    rig.deck.play()
    before = rig.pull(block * 20, block)
    rig.deck.ab()
    assert rig.deck.side == "after"
    after = rig.pull(block * 20, block)
    expected = rig.before()[block * 20 : block * 40]
    assert np.array_equal(index_of(before)[FADE:], np.arange(FADE, block * 20))
    first = int(np.flatnonzero(after[:, 0] != expected[:, 0])[0])
    assert first < block
    np.testing.assert_allclose(after[FADE:], 2 * expected[FADE:], rtol=1e-5)  # gains 3 and 1 of two halves
    joined = np.concatenate([before, after])[FADE:, 0]
    assert np.abs(np.diff(joined)).max() < 1.1 * joined.max() / FADE


def test_after_is_level_matched_while_it_is_asked_to_be() -> None:
    lanes = noise(60_000)
    lanes[3] = 0
    rig = Rig(lanes)
    rig.deck.set_gains([0.0], [[-6.0], [-6.0], [-6.0]])
    rig.deck.set_match(6.0)
    rig.deck.set_side("after")
    rig.deck.play()
    np.testing.assert_allclose(rig.pull(9_600)[FADE:], rig.before()[FADE:9_600], atol=1e-6)
    rig.deck.set_matched(False)
    quieter = 10 ** (-6 / 20) * rig.before()[9_600:19_200]
    np.testing.assert_allclose(rig.pull(9_600)[FADE:], quieter[FADE:], atol=1e-6)


def test_the_residual_is_what_one_side_has_and_the_other_has_not() -> None:
    rig = Rig(noise(40_000))
    rig.deck.set_gains([0.0], [[0.0], [-200.0], [0.0]])
    rig.deck.set_residual(True)
    rig.deck.play()
    np.testing.assert_allclose(rig.pull(9_600)[FADE:], rig.lanes[1].T[FADE:9_600], atol=1e-6)
    rig.deck.set_match(20 * np.log10(2))  # as they are heard
    expected = rig.before() - 2 * (rig.before() - rig.lanes[1].T)
    np.testing.assert_allclose(rig.pull(9_600)[FADE:], expected[9_600 + FADE : 19_200], atol=1e-6)


def test_asking_for_a_side_ends_what_was_taken_away() -> None:
    rig = Rig(noise(40_000))
    told: list[object] = []
    rig.deck.side_changed.subscribe(told.append)
    rig.deck.state.subscribe(lambda: told.append(rig.deck.residual))
    rig.deck.set_residual(True)
    rig.deck.set_side("before")
    assert told == [True, False]
    rig.deck.set_residual(True)
    rig.deck.ab()
    assert told == [True, False, True, "after", False]
    rig.deck.play()
    assert np.array_equal(rig.pull(960)[FADE:], rig.before()[FADE:960])


def test_lanes_are_heard_alone_and_left_out() -> None:
    rig = Rig(noise(100_000))
    deck = rig.deck
    deck.play()
    rig.pull(4_800)

    def heard(lanes: list[int]) -> None:
        at = deck.position
        expected = rig.lanes[lanes].sum(axis=0).T[at : at + 4_800]
        np.testing.assert_allclose(rig.pull(4_800)[FADE:], expected[FADE:], atol=1e-6)

    deck.set_mute("music", True)
    heard([0, 2, 3])
    deck.set_solo("music", True)  # held: heard although it is muted
    heard([1])
    deck.set_solo("rest", True)
    heard([1, 3])
    deck.set_solo("music", False)
    deck.set_solo("rest", False)
    heard([0, 2, 3])
    for lane in LANES:
        deck.set_mute(lane, True)
    heard([])
    with pytest.raises(ValueError):
        deck.set_mute("drums", True)


def test_a_loop_goes_round_on_the_sample() -> None:
    rig = Rig(ramp(40_000))
    rig.deck.set_loop((5_000, 9_001), crossfade=False)
    rig.deck.seek(5_000)
    rig.deck.play()
    rounds = np.tile(np.arange(5_000, 9_001), 5)
    assert np.array_equal(index_of(rig.pull(len(rounds)))[FADE:], rounds[FADE:])
    assert rig.deck.position == 5_000


def test_a_crossfaded_loop_keeps_its_length_and_has_no_edge() -> None:
    rig = Rig(ramp(40_000))
    rig.deck.set_loop((5_000, 9_001))
    rig.deck.seek(5_000)
    rig.deck.play()
    played = index_of(rig.pull(4_001 * 4))
    for turn in range(1, 4):
        begin = turn * 4_001
        np.testing.assert_array_equal(played[begin + FADE : begin + 4_001], np.arange(5_000 + FADE, 9_001))
    assert np.abs(np.diff(played[FADE:])).max() < 40


def test_what_is_played_beyond_a_loop_is_not_drawn_back() -> None:
    rig = Rig(ramp(40_000))
    rig.deck.set_loop((5_000, 9_000), crossfade=False)
    rig.deck.seek(9_000)
    rig.deck.play()
    assert np.array_equal(index_of(rig.pull(4_800))[FADE:], np.arange(9_000 + FADE, 13_800))
    rig.deck.seek(4_000)
    assert np.array_equal(index_of(rig.pull(5_500))[2 * FADE : 5_000], np.arange(4_000 + 2 * FADE, 9_000))
    assert rig.deck.position == 5_500
    rig.deck.set_loop((0, 100))
    assert rig.deck.loop is None


def test_gains_change_while_it_plays_without_a_step() -> None:
    lanes = np.zeros((4, 2, 60_000), np.float32)
    lanes[0] = 0.5
    rig = Rig(lanes)
    rig.deck.set_side("after")
    rig.deck.set_gains([0.0], np.zeros((3, 1)))
    rig.deck.play()
    played = [rig.pull(4_800)]
    for db in (-6.0, 3.0, -40.0, 0.0):
        rig.deck.set_gains([0.0], [[db], [0.0], [0.0]])
        played.append(rig.pull(4_800))
        assert played[-1][0, 0] != played[-2][-1, 0]  # from the first sample on
        np.testing.assert_allclose(played[-1][FADE:], 0.5 * 10 ** (db / 20), rtol=1e-5)
    assert np.abs(np.diff(np.concatenate(played)[:, 0])).max() < 1.0 / FADE


def test_it_stops_at_the_end_and_begins_again_at_the_start() -> None:
    rig = Rig(ramp(10_000))
    told = []
    rig.deck.state.subscribe(lambda: told.append(rig.deck.playing))
    rig.deck.play()
    played = index_of(rig.pull(14_400))
    assert played[9_999] == 9_999
    assert not (played[10_000:] + 1).any()
    assert not rig.deck.playing
    assert told == [True, False]
    assert rig.deck.position == 10_000
    rig.deck.play()
    assert rig.deck.position == 0
    assert index_of(rig.pull(4_800))[-1] == 4_799


def test_seeking_is_heard_from_the_next_sample_on() -> None:
    rig = Rig(ramp(90_000))
    moved: list[int] = []
    rig.deck.moved.subscribe(moved.append)
    rig.deck.play()
    rig.pull(960)
    rig.deck.seek(50_000)
    assert rig.deck.position == 50_000
    assert moved[-1] == 50_000
    assert np.array_equal(index_of(rig.pull(960))[FADE:], np.arange(50_000 + FADE, 50_960))
    rig.deck.pause()
    tail = rig.pull(960)
    assert tail[:FADE, 0].all()  # faded out
    assert not tail[FADE:].any()
    assert rig.deck.position == 50_960
    rig.deck.seek(-5)
    assert rig.deck.position == 0
    rig.deck.seek(10**9)
    assert rig.deck.position == 90_000


@pytest.mark.parametrize("speed", [1.0, 2.0, 4.0, -1.0, -2.0, -4.0, 0.5, -0.5, 1.5])
def test_other_speeds_go_on_where_they_should(speed: float) -> None:
    rig = Rig(ramp(200_000))
    rig.deck.seek(100_000)
    rig.deck.play(speed)
    played = rig.pull(9_600, 333)[:, 0].astype(np.float64) * (1 << 20) - 1
    step = np.diff(played[FADE:])
    # Samples of a ramp in float32 are 0.06 apart; the mean of one and a half samples wavers by a sixth.
    np.testing.assert_allclose(step, speed, atol=0.07 if speed != 1.5 else 0.2)
    assert np.mean(step) == pytest.approx(speed, abs=1e-3)
    assert abs(rig.deck.position - (100_000 + 9_600 * speed)) < 2


def test_backwards_are_the_same_samples() -> None:
    rig = Rig(noise(20_000))
    rig.deck.seek(15_000)
    rig.deck.play(-1)
    played = rig.pull(15_500)
    assert np.array_equal(played[FADE:15_000], rig.before()[:15_000][::-1][FADE:])
    assert not rig.deck.playing
    assert rig.deck.position == 0


def test_faster_than_it_was_made_it_does_not_fold_back() -> None:
    lanes = np.zeros((4, 2, 96_000), np.float32)
    lanes[3] = np.sin(2 * np.pi * 12_000 / 48_000 * np.arange(96_000))
    rig = Rig(lanes)
    rig.deck.play(4.0)
    assert np.abs(rig.pull(9_600)[FADE:]).max() < 1e-3  # four samples make a period


def test_jkl() -> None:
    rig = Rig(ramp(90_000))
    speeds = []
    for way in (1, 1, 1, 1, -1, -1, -1, 0, -1, 0):
        rig.deck.seek(45_000)
        rig.deck.shuttle(way)
        speeds.append(rig.deck.speed if rig.deck.playing else 0)
    assert speeds == [1, 2, 4, 4, -1, -2, -4, 0, -1, 0]


def test_a_chunk_that_is_late_costs_nothing_but_time() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    told: list[bool] = []
    rig.deck.starving_changed.subscribe(told.append)
    rig.deck.play()
    assert not rig.pull(4_800).any()
    assert rig.deck.starving
    assert rig.deck.position == 0
    rig.serve(1)
    first = rig.pull(9_600)
    assert np.array_equal(index_of(first)[FADE : 4_800 - FADE], np.arange(FADE, 4_800 - FADE))
    assert np.abs(np.diff(first[:, 0])).max() < 2 * first.max() / FADE  # out and in without an edge
    assert not first[4_800:].any()
    assert rig.deck.position == 4_800
    rig.serve()
    second = index_of(rig.pull(9_600))
    assert np.array_equal(second[FADE:], np.arange(4_800 + FADE, 14_400))
    assert told == [True, False, True, False]


def test_a_chunk_that_comes_just_before_it_is_needed_is_in_time() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    rig.deck.play()
    rig.serve(1)
    early = rig.pull(4_320)
    rig.serve()
    assert np.array_equal(index_of(np.concatenate([early, rig.pull(4_800)]))[FADE:], np.arange(FADE, 9_120))


def test_it_waits_rather_than_begin_just_before_what_is_missing() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    rig.deck.seek(4_700)
    rig.serve(1)
    rig.deck.play()
    assert not rig.pull(960).any()
    assert rig.deck.position == 4_700
    rig.serve()
    assert np.array_equal(index_of(rig.pull(960))[FADE:], np.arange(4_700 + FADE, 5_660))


def test_a_loop_back_to_what_is_missing_fades_out() -> None:
    rig = Rig(ramp(60_000), at_once=False)
    rig.deck.set_loop((10_000, 30_000), crossfade=False)
    rig.deck.seek(29_000)
    rig.serve(1)  # up to the loop's end, and a little beyond
    rig.deck.play()
    played = rig.pull(2_400)[:, 0]
    assert np.abs(np.diff(played)).max() < 2 * played.max() / FADE
    assert np.array_equal(index_of(played[:, None])[FADE:1_000], np.arange(29_000 + FADE, 30_000))
    assert not played[1_000 + FADE :].any()
    assert rig.deck.position == 10_000
    rig.serve()
    assert index_of(rig.pull(960))[-1] == 10_959


@pytest.mark.parametrize(
    ("begin", "speed", "end"), [(1_001, -2.0, 0), (39_001, 4.0, 40_000), (1_002, -4.0, 0)]
)
def test_large_steps_end_at_the_programmes_end(begin: int, speed: float, end: int) -> None:
    rig = Rig(ramp(40_000))
    rig.deck.seek(begin)
    rig.deck.play(speed)
    rig.pull(1_440)
    assert not rig.deck.playing
    assert rig.deck.position == end


def test_a_seek_from_the_end_plays_on() -> None:
    rig = Rig(ramp(10_000))
    rig.deck.play()
    rig.deck.fill(10_500)  # and the panel's thread has not seen it yet
    rig.deck.seek(2_000)
    rig.tick()
    assert rig.deck.playing
    assert index_of(rig.pull(960))[-1] == 2_959


def test_stopped_it_has_other_lanes_at_once() -> None:
    rig = Rig(noise(96_000), at_once=False)
    rig.serve()
    rig.lanes = noise(96_000, 1)
    rig.deck.lay(Laid())
    rig.deck.play()
    assert not rig.pull(4_800).any()  # what was there before is not what it would be
    rig.serve()
    assert np.array_equal(rig.pull(4_800)[FADE:], rig.before()[FADE:4_800])


def test_the_newest_place_is_asked_for_first_and_the_old_taken_back() -> None:
    rig = Rig(ramp(480_000), at_once=False)
    assert [asked.data["first"] for asked in rig.engine.open("sound")] == [0, 4_800]
    rig.deck.seek(300_000)
    assert [asked.data["first"] for asked in rig.engine.open("sound")] == [297_600, 302_400]
    assert [asked.cancelled for asked in rig.engine.asked] == [True, True, False, False]
    rig.deck.seek(0)
    rig.deck.seek(300_000)
    assert rig.serve(3) == 3
    assert {key[1] for key in rig.deck._chunks.held} == {62, 63, 64}


def test_memory_is_bounded_and_what_is_heard_is_never_given_up() -> None:
    rig = Rig(ramp(480_000), memory=10 * 4_800 * 32)
    rig.deck.play()
    played = index_of(rig.pull(96_000))
    assert np.array_equal(played[FADE:], np.arange(FADE, 96_000))
    assert rig.deck.memory <= 10 * 4_800 * 32


def test_other_lanes_take_over_without_a_gap() -> None:
    rig = Rig(noise(96_000), at_once=False)
    rig.deck.play()
    rig.serve()
    rig.pull(4_800)
    old = rig.before()
    parted = noise(96_000, 1)
    rig.lanes = parted
    rig.deck.lay(Laid({0: "dialogue"}, frozenset({0})))
    rig.deck.set_gains([0.0], [[-6.0], [0.0], [0.0]])
    rig.deck.set_side("after")
    assert np.array_equal(rig.pull(4_800)[FADE:], old[4_800 + FADE : 9_600])
    asked = rig.engine.open("sound")[0].data
    assert asked["laid"] == {"kinds": {"0": "dialogue"}, "moved": [0], "parted": {}}
    rig.serve()
    new = (10 ** (-6 / 20) * parted[0] + parted[1:].sum(axis=0)).T
    weight = np.minimum((np.arange(4_800) + 0.5) / FADE, 1)[:, None]
    expected = (1 - weight) * old[9_600:14_400] + weight * new[9_600:14_400]
    np.testing.assert_allclose(rig.pull(4_800), expected, atol=1e-6)


def test_another_programme_fades_out_what_was_heard() -> None:
    lanes = np.zeros((4, 2, 48_000), np.float32)
    lanes[3] = 0.5
    rig = Rig(lanes)
    rig.deck.play()
    rig.pull(4_800)
    rig.deck.load(SOURCE, 48_000)
    played = rig.pull(4_800)[:, 0]
    assert np.abs(np.diff(played)).max() < 0.6 / FADE
    assert played[0] == pytest.approx(0.5, abs=0.01)
    assert not played[FADE:].any()
    rig.clock.now += 1
    rig.tick()
    assert {key[0] for key in rig.deck._chunks.held} == {rig.deck._wanted.view.owner}


def test_what_cannot_be_had_stops_it_and_is_tried_again_when_it_is_played() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    failures: list[Failure] = []
    rig.deck.failed.subscribe(failures.append)
    rig.deck.play()
    gone = Failure("film.wav cannot be read.", "MediaError")
    rig.engine.open("sound")[0].fail(gone)
    rig.pull(4_800)
    assert failures == [gone]
    assert not rig.deck.playing
    rig.deck.play()
    rig.serve()
    assert index_of(rig.pull(4_800))[-1] == 4_799


def test_an_engine_that_went_down_is_asked_again() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    rig.deck.play()
    for asked in rig.engine.open("sound"):
        asked.fail(Failure("The engine went down.", crashed=True))
    assert not rig.engine.open("sound")
    rig.pull(9_600)
    assert rig.deck.playing
    rig.clock.now += 1
    rig.pull(480)
    assert rig.serve() > 1
    assert index_of(rig.pull(4_800))[-1] == 4_799


def test_sound_of_another_length_is_no_sound() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    failures: list[Failure] = []
    rig.deck.failed.subscribe(failures.append)
    rig.engine.open("sound")[0].finish({}, b"\0" * 64)
    assert [failure.kind for failure in failures] == ["ProtocolError"]


def test_what_is_heard_is_late_by_the_device() -> None:
    rig = Rig(ramp(90_000))
    rig.deck.play()
    rig.pull(9_600)
    rig.deck.latency = 2_400
    assert rig.deck.position_heard() == 7_200
    rig.deck.seek(50_000)
    rig.pull(960)
    assert rig.deck.position == 50_960
    assert rig.deck.position_heard() == 9_600 - 2_400 + 960  # of before the seek, still
    rig.pull(2_400)
    assert rig.deck.position_heard() == 50_960
    rig.deck.pause()
    assert rig.deck.position_heard() == rig.deck.position


def test_the_monitor_does_not_change_what_is_measured() -> None:
    rig = Rig(noise(40_000))
    rig.deck.play()
    rig.pull(960)
    rig.deck.tap.clear()
    rig.deck.set_volume(-20.0)
    first = rig.pull(480)
    np.testing.assert_allclose(rig.pull(480), 0.1 * rig.before()[1_440:1_920], rtol=1e-6)
    assert np.array_equal(np.concatenate([tap.sound for tap in rig.deck.tap]), rig.before()[960:1_920])
    assert np.array_equal(first[0], rig.before()[960])  # goes to the new volume within the block
    rig.deck.set_silent(True)
    rig.pull(480)
    assert not rig.pull(480).any()


def test_closed_it_keeps_and_asks_for_nothing() -> None:
    rig = Rig(ramp(40_000), at_once=False)
    rig.deck.play()
    rig.serve(1)
    rig.deck.close()
    assert not rig.engine.open("sound")
    assert not rig.deck.memory
    rig.deck.play()
    assert not rig.deck.playing
    rig.tick()
    assert not rig.pump._timers
    assert not rig.deck.fill(480).any()


# The same again in the slowest way there is: one frame at a time, all of the sound in one array.


@dataclass
class Slow:
    """Plays whole lanes frame by frame, with the rules that the deck documents."""

    lanes: Array
    at: int = 0
    loop: tuple[int, int, bool] | None = None
    old: tuple[object, ...] | None = None
    faded: int = 0
    ended: bool = False
    now: tuple[object, ...] = (None, False, 1)
    gains: int = 0

    def frame(self, view: tuple[object, ...], at: int, speed: int) -> NDArray[np.float64]:
        side, residual, audible, match, db, _ = view
        places = (
            [at]
            if speed == 1
            else [at - 1]
            if speed == -1
            else [at, at + 1]
            if speed == 2
            else [at - 1, at - 2]
        )
        out = np.zeros(2)
        for place in places:
            if not 0 <= place < self.lanes.shape[2]:
                continue
            lanes = [self.lanes[k, :, place].astype(float) * audible[k] for k in range(4)]  # type: ignore[index]
            before = sum(lanes)
            gains = [10 ** (level / 20) for level in db] + [1.0]  # type: ignore[attr-defined]
            after = match * sum(g * lane for g, lane in zip(gains, lanes, strict=True))  # type: ignore[operator]
            out += (before - after) if residual else after if side == "after" else before
        return out / len(places)

    def follow(self, seek: int | None, view: tuple[object, ...], playing: bool, speed: int) -> bool:
        """Begin something else, unless a fade is on; returns whether the seek was followed."""
        if self.old is not None:
            return False
        if seek is None and (view, playing, speed) == self.now:
            return True
        sounded = self.now[1] and not self.ended
        self.old, self.faded = (self.now[0], self.at, self.now[2] if sounded else 0), 0
        self.at = self.at if seek is None else seek
        self.now, self.ended = (view, playing, speed), False
        self.ended = playing and self.left(self.limits()) <= 0
        if not sounded and (not playing or self.ended):
            self.old = None
        return True

    def limits(self) -> tuple[int, int, bool]:
        inside = self.loop is not None and (
            self.at < self.loop[1] if self.now[2] > 0 else self.at > self.loop[0]
        )  # type: ignore[operator]
        return (self.loop[0], self.loop[1], True) if inside and self.loop else (0, self.lanes.shape[2], False)

    def left(self, limits: tuple[int, int, bool]) -> int:
        return limits[1] - self.at if self.now[2] > 0 else self.at - limits[0]  # type: ignore[operator]

    def one(self) -> NDArray[np.float64]:
        view, playing, speed = self.now
        sounding = playing and not self.ended
        limits = self.limits()
        if sounding and self.left(limits) <= 0:
            sounding, self.ended = False, True
        new = self.frame(view, self.at, speed) if sounding else np.zeros(2)  # type: ignore[arg-type]
        if sounding:
            self.at += speed  # type: ignore[operator]
        out = new
        if self.old is not None:
            then, place, pace = self.old
            was = self.frame(then, place, pace) if pace else np.zeros(2)  # type: ignore[arg-type]
            self.old = (then, place + pace, pace)  # type: ignore[operator]
            weight = (self.faded + 0.5) / SHORT
            out = was + weight * (new - was)
            self.faded += 1
            if self.faded == SHORT:
                self.old = None
        if sounding and self.left(limits) <= 0:
            self.turn(limits)
        return out

    def turn(self, limits: tuple[int, int, bool]) -> None:
        if not limits[2]:
            self.ended = True
            return
        was = self.at
        ends = (limits[0], limits[1]) if self.now[2] > 0 else (limits[1], limits[0])  # type: ignore[operator]
        self.at = ends[0] + self.at - ends[1]
        if self.old is None and self.loop is not None and self.loop[2]:
            self.old, self.faded = (self.now[0], was, self.now[2]), 0


PLACES = st.integers(0, 4_000)
ACTIONS = st.one_of(
    st.tuples(st.just("seek"), PLACES),
    st.tuples(st.just("ab"), st.none()),
    st.tuples(st.just("play"), st.sampled_from([1, -1, 2, -2])),
    st.tuples(st.just("pause"), st.none()),
    st.tuples(st.just("mute"), st.tuples(st.integers(0, 3), st.booleans())),
    st.tuples(st.just("solo"), st.tuples(st.integers(0, 3), st.booleans())),
    st.tuples(st.just("residual"), st.booleans()),
    st.tuples(st.just("gains"), st.tuples(*[st.integers(-12, 6)] * 3)),
    st.tuples(st.just("match"), st.integers(-6, 6)),
    st.tuples(
        st.just("loop"), st.one_of(st.none(), st.tuples(PLACES, st.integers(480, 1_000), st.booleans()))
    ),
)


class Both:
    """The deck and the slow player, told the same."""

    def __init__(self, lanes: Array) -> None:
        self.rig = Rig(lanes, chunk=1_000, fade=SHORT)
        self.slow = Slow(lanes)
        self.seek: int | None = 0
        self.solo: set[int] = set()
        self.mutes: set[int] = set()
        self.state = {"side": "before", "residual": False, "match": 1.0, "db": (0, 0, 0)}

    def do(self, name: str, value: object) -> None:
        getattr(self, f"do_{name}")(value)

    def do_seek(self, place: int) -> None:
        self.rig.deck.seek(place)
        self.seek = place

    def do_ab(self, _: None) -> None:
        self.rig.deck.ab()
        self.state.update(side=self.rig.deck.side, residual=False)

    def do_play(self, speed: int) -> None:
        if speed > 0 and self.rig.deck.position >= self.rig.deck.samples:
            self.seek = 0
        self.rig.deck.play(speed)

    def do_pause(self, _: None) -> None:
        self.rig.deck.pause()

    def do_mute(self, value: tuple[int, bool]) -> None:
        self.rig.deck.set_mute(LANES[value[0]], value[1])
        (self.mutes.add if value[1] else self.mutes.discard)(value[0])

    def do_solo(self, value: tuple[int, bool]) -> None:
        self.rig.deck.set_solo(LANES[value[0]], value[1])
        (self.solo.add if value[1] else self.solo.discard)(value[0])

    def do_residual(self, on: bool) -> None:
        self.rig.deck.set_residual(on)
        self.state["residual"] = on

    def do_gains(self, db: tuple[int, int, int]) -> None:
        self.rig.deck.set_gains([0.0], np.array(db, float)[:, None])
        self.slow.gains = 1  # none at all are another view than none that act
        self.state["db"] = db

    def do_match(self, db: int) -> None:
        self.rig.deck.set_match(db)
        self.state["match"] = 10 ** (db / 20)

    def do_loop(self, value: tuple[int, int, bool] | None) -> None:
        deck = self.rig.deck
        deck.set_loop(value and (value[0], value[0] + value[1]), crossfade=value is None or value[2])
        self.slow.loop = value and deck.loop and (*deck.loop, value[2])

    def hear(self, frames: int) -> None:
        """Play so many frames on both, and compare."""
        deck, heard = self.rig.deck, self.solo or {0, 1, 2, 3} - self.mutes
        audible = tuple(k in heard for k in range(4))
        state = self.state
        view = (state["side"], state["residual"], audible, state["match"], state["db"], self.slow.gains)
        expected = []
        for _ in range(frames):
            if self.slow.follow(self.seek, view, deck.playing, int(deck.speed)):
                self.seek = None
            expected.append(self.slow.one())
        np.testing.assert_allclose(deck.fill(frames), expected, atol=3e-6)
        if self.seek is None:
            assert deck.position == min(max(0, self.slow.at), deck.samples)
        self.rig.tick()


@given(st.lists(st.tuples(ACTIONS, st.integers(1, 400)), max_size=14))
@hypothesis(max_examples=20)
def test_whatever_is_done_it_plays_what_the_slowest_player_plays(
    actions: list[tuple[tuple[str, object], int]],
) -> None:
    both = Both(noise(4_000))
    for (name, value), frames in [(("play", 1), 100), *actions]:
        both.do(name, value)
        both.hear(frames)
    both.rig.deck.close()


def test_the_source_is_asked_for_as_it_was_opened() -> None:
    rig = Rig(ramp(9_600), at_once=False)
    assert rig.engine.asked[0].data == {
        "source": SOURCE.to_dict(), "laid": None, "first": 0, "samples": 4_800
    }  # fmt: skip
