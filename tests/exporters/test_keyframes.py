"""Gain curves: thinning, cutting, frames and amplitudes."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import GainCurve
from sightmix.engine.errors import WriteError

levels = st.lists(st.floats(-40, 12).map(lambda v: round(v, 2)), min_size=1, max_size=60)


def curve_of(db: list[float], step: Fraction = Fraction(1, 43)) -> GainCurve:
    return GainCurve(tuple(step * i for i in range(len(db))), tuple(db))


@settings(deadline=None, max_examples=30)
@given(levels)
def test_a_thinned_curve_stays_within_tolerance(db: list[float]) -> None:
    curve = curve_of(db)
    thin = keyframes.simplify(curve.times, curve.db)
    assert set(zip(thin.times, thin.db, strict=True)) <= set(zip(curve.times, curve.db, strict=True))
    off = keyframes.levels(thin, [float(t) for t in curve.times]) - np.array(db)
    assert np.abs(off).max() <= keyframes.TOLERANCE_DB + 1e-9


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0.0, 0.04, 1.0, 2.0]), min_size=3, max_size=8))
def test_no_smaller_choice_of_points_would_do(db: list[float]) -> None:
    curve = curve_of(db, Fraction(1))
    thin = keyframes.simplify(curve.times, curve.db)
    for count in range(len(thin.times) - 2):
        for inner in combinations(range(1, len(db) - 1), count):
            kept = [0, *inner, len(db) - 1]
            line = np.interp(range(len(db)), kept, [db[i] for i in kept])
            assert np.abs(line - db).max() > keyframes.TOLERANCE_DB - 1e-9


def test_a_long_curve_is_thinned_in_time() -> None:
    db = np.concatenate([np.zeros(9000), np.linspace(0, -12, 200), np.full(9000, -12)])
    thin = keyframes.simplify(range(len(db)), db.tolist())
    assert len(thin.times) <= 24


def test_points_closer_than_figures_tell_are_one() -> None:
    times = [Fraction(0), Fraction(1), Fraction(1.2), Fraction(6, 5), Fraction(2)]
    thin = keyframes.simplify(times, [0.0, 3.0, -5.0, -5.0, 1.0])
    assert thin == GainCurve((Fraction(0), Fraction(1), Fraction(6, 5), Fraction(2)), (0.0, 3.0, -5.0, 1.0))


@pytest.mark.parametrize(
    ("times", "db"), [([], []), ([0.0], []), ([0.0, 1.0], [0.0, float("nan")]), ([1.0, 0.0], [0.0, 0.0])]
)
def test_figures_that_are_no_curve_are_refused(times: list[float], db: list[float]) -> None:
    with pytest.raises(WriteError):
        keyframes.simplify(times, db)


@settings(deadline=None, max_examples=30)
@given(levels, st.fractions(0, 1), st.fractions(0, 1))
def test_a_part_sounds_like_the_whole_there(db: list[float], a: Fraction, b: Fraction) -> None:
    curve, start, end = curve_of(db), min(a, b), max(a, b)
    part = keyframes.cut(curve, start, end)
    for share in (Fraction(0), Fraction(1, 3), Fraction(1)):
        t = (end - start) * share
        assert keyframes.at(part, t) == pytest.approx(keyframes.at(curve, start + t), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(levels, st.sampled_from([Fraction(1), Fraction(2), Fraction(-1), Fraction(-3, 4)]))
def test_a_retimed_clip_meets_the_same_levels(db: list[float], speed: Fraction) -> None:
    curve, duration = curve_of(db), Fraction(1, 2)
    made = keyframes.played(curve, Fraction(1, 3), duration, speed)
    assert made.times[0] == 0
    assert list(made.times) == sorted(made.times)
    for share in (Fraction(0), Fraction(2, 7), Fraction(1)):
        t = duration * share
        assert keyframes.at(made, t) == pytest.approx(
            keyframes.at(curve, Fraction(1, 3) + speed * t), abs=1e-9
        )


def test_a_frozen_clip_holds_one_level() -> None:
    made = keyframes.played(curve_of([0.0, -10.0], Fraction(1)), Fraction(1, 2), Fraction(5), Fraction(0))
    assert made == GainCurve((Fraction(0),), (-5.0,))


@settings(deadline=None, max_examples=30)
@given(levels, st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(60)]))
def test_keys_on_frames_meet_the_curve_on_every_frame(db: list[float], rate: Fraction) -> None:
    curve = curve_of(db)
    keys = keyframes.frames(curve, rate)
    count = keys[-1][0] + 1
    drawn = np.interp(np.arange(count), [n for n, _ in keys], [v for _, v in keys])
    off = drawn - keyframes.levels(curve, np.arange(count) / float(rate))
    assert np.abs(off).max() <= keyframes.TOLERANCE_DB + 1e-9


@settings(deadline=None, max_examples=30)
@given(levels)
def test_straight_lines_in_amplitude_stay_within_tolerance(db: list[float]) -> None:
    curve = curve_of(db)
    points = keyframes.to_amplitude_points(curve)
    asked = np.linspace(0, float(curve.times[-1]), 400)
    gain = np.interp(asked, [float(t) for t, _ in points], [g for _, g in points])
    off = 20 * np.log10(gain) - keyframes.levels(curve, asked)
    assert np.abs(off).max() <= keyframes.TOLERANCE_DB + 1e-3
