"""The meters: conformance signals with known answers, and the same figures as a measurement of the whole sound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sightmix.engine.media.loudness import measure
from sightmix.ui.control.meters import Figures, LiveMeter, Meters
from sound_fakes import Array, Rig, noise

RATE = 48_000


def tone(seconds: float, dbfs: float, hertz: float = 1_000.0) -> Array:
    """A stereo sine (n, 2) of a peak level."""
    at = np.arange(round(seconds * RATE)) / RATE
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * at))[:, None].repeat(2, axis=1).astype(np.float32)


def heard(*parts: tuple[Array, str], block: int = 960) -> LiveMeter:
    meter = LiveMeter()
    for sound, name in parts:
        for at in range(0, len(sound), block):
            meter.push(sound[at : at + block], name)
    return meter


@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_tone_reads_its_level_on_all_three_scales(level: float) -> None:
    figures = heard((tone(5, level), "before")).figures()
    assert figures.momentary == pytest.approx(level, abs=0.1)  # EBU Tech 3341, cases 1 and 2
    assert figures.short_term == pytest.approx(level, abs=0.1)
    assert figures.integrated == pytest.approx(level, abs=0.1)
    assert figures.true_peak == pytest.approx(level, abs=0.05)
    assert figures.heard == "before"


def test_momentary_and_short_term_forget() -> None:
    meter = heard((tone(5, -23), "before"), (np.zeros((RATE, 2), np.float32), "before"))
    figures = meter.figures()
    assert figures.momentary < -100
    assert figures.short_term == pytest.approx(-23 + 10 * math.log10(2 / 3), abs=0.1)
    assert figures.integrated == pytest.approx(-23, abs=0.5)


def test_a_peak_between_samples_is_seen() -> None:
    at = np.arange(RATE)
    sound = (0.5 * np.sin(np.pi / 2 * at + np.pi / 4)).astype(np.float32)[:, None].repeat(2, axis=1)
    figures = heard((sound, "before"), block=37).figures()
    assert np.abs(sound).max() == pytest.approx(0.5 / math.sqrt(2), abs=1e-6)
    assert figures.true_peak == pytest.approx(-6.02, abs=0.2)  # EBU Tech 3341, case 15 ff.


def test_too_little_has_no_figure() -> None:
    assert heard((tone(0.39, -23), "before")).figures().momentary == -math.inf
    assert heard((tone(2.9, -23), "before")).figures().short_term == -math.inf
    assert LiveMeter().figures() == Figures()


@given(st.lists(st.integers(100, 3_000), min_size=1, max_size=30), st.integers(0, 9))
@hypothesis(max_examples=10)
def test_in_whatever_blocks_it_comes_it_measures_what_the_whole_measures(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    level = np.repeat(10 ** (rng.uniform(-60, 0, 10) / 20), 9_600)
    sound = (rng.standard_normal((96_000, 2)) * 0.2 * level[:, None]).astype(np.float32)
    meter, at = LiveMeter(), 0
    while at < len(sound):
        size = sizes[at % len(sizes)]
        meter.push(sound[at : at + size], "before")
        at += size
    whole = measure(sound.T, RATE)
    figures = meter.figures()
    assert figures.integrated == pytest.approx(whole.integrated, abs=1e-6)
    assert figures.true_peak == pytest.approx(whole.true_peak, abs=1e-4)


def test_each_side_has_its_own_integrated_loudness_and_peak() -> None:
    meter = heard((tone(3, -20), "before"), (tone(3, -30), "after"))
    assert meter.figures().integrated == pytest.approx(-30, abs=0.1)
    assert meter.figures().true_peak == pytest.approx(-30, abs=0.5)  # the first sample is a corner
    meter.push(tone(0.05, -10), "")  # a crossfade is neither
    meter.push(tone(0.05, -20), "before")
    assert meter.figures().true_peak == pytest.approx(-20, abs=0.5)
    assert meter.figures().integrated == pytest.approx(-20, abs=0.1)


def test_what_is_played_is_measured_as_it_would_be_written() -> None:
    rig = Rig(noise(480_000), chunk=48_000)
    meters = Meters(rig.deck, rig.pump)
    told: list[Figures] = []
    meters.changed.subscribe(told.append)
    rig.deck.set_gains([0.0], [[6.0], [6.0], [6.0]])
    rig.deck.set_match(-6.0)
    rig.deck.set_volume(-30.0)
    rig.deck.set_side("after")
    rig.deck.play()
    rig.pull(48_000 * 4, 1_920)
    rig.deck.pause()
    rig.clock.now += 1
    rig.pump.run()
    lanes = 10 ** (6 / 20) * rig.lanes[:3].sum(axis=0) + rig.lanes[3]
    expected = measure(lanes[:, : 48_000 * 4].astype(np.float32), RATE)
    assert told[-1] == meters.figures
    assert meters.figures.heard == "after"
    assert meters.figures.integrated == pytest.approx(expected.integrated, abs=0.02)
    assert meters.figures.true_peak == pytest.approx(expected.true_peak, abs=0.1)
    assert not rig.pump._timers  # it rests with the deck
    assert len(told) <= 4 * 26  # looked at in steps of the test's clock


def test_a_lane_alone_does_not_count_for_the_whole() -> None:
    rig = Rig(noise(480_000), chunk=48_000)
    meters = Meters(rig.deck, rig.pump)
    rig.deck.play()
    rig.pull(48_000, 1_920)
    whole = meters.figures.integrated
    rig.deck.set_solo("speech", True)
    rig.pull(48_000, 1_920)
    assert meters.figures.heard == "before: speech"
    assert meters.figures.integrated < whole - 3
    rig.deck.set_solo("speech", False)
    rig.pull(4_800, 1_920)
    assert meters.figures.heard == "before"
    assert meters.figures.integrated == pytest.approx(whole, abs=0.1)


def test_it_begins_anew_with_playing_and_when_asked_to() -> None:
    rig = Rig(noise(480_000), chunk=48_000)
    meters = Meters(rig.deck, rig.pump)
    rig.deck.play()
    rig.pull(48_000, 1_920)
    assert meters.figures.integrated > -70
    meters.reset()
    assert meters.figures == Figures()
    rig.pull(48_000, 1_920)
    rig.deck.pause()
    rig.tick()
    rig.tick()
    held = meters.figures
    assert held.integrated > -70
    rig.deck.play()
    assert meters.figures == Figures()
