"""Windows: where they are joined and that joining loses nothing."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.highlight.config import HOP, MODEL_RATE, WINDOW_FRAMES
from sightmix.engine.highlight.windows import (
    EARLIEST,
    MARGIN,
    OVERLAP,
    QUIET,
    Joiner,
    Window,
    choose_join,
    cut_frames,
    next_window,
)

NO_CUTS = np.array([], np.intp)
LATEST = WINDOW_FRAMES - OVERLAP // 2 - MARGIN


def test_a_cut_is_preferred_and_the_latest_one_taken() -> None:
    energy = np.ones(WINDOW_FRAMES, np.float32)
    assert (
        choose_join(100, np.array([150, 100 + EARLIEST + 5, 100 + EARLIEST + 60]), energy)
        == 100 + EARLIEST + 60
    )


def test_a_cut_that_no_window_can_see_around_is_not_used() -> None:
    energy = np.ones(WINDOW_FRAMES, np.float32)
    join = choose_join(0, np.array([10, WINDOW_FRAMES - 3]), energy)
    assert EARLIEST <= join <= LATEST


def test_without_a_cut_the_join_falls_into_a_pause() -> None:
    energy = np.ones(WINDOW_FRAMES, np.float32)
    energy[300:330] = 1e-4
    assert 300 <= choose_join(0, NO_CUTS, energy) < 330


def test_silence_takes_the_latest_place() -> None:
    assert choose_join(0, NO_CUTS, np.zeros(WINDOW_FRAMES, np.float32)) == LATEST


def test_cuts_become_frames_around_their_time() -> None:
    cut = Fraction(5)
    frame = int(cut_frames([cut], Fraction(-1))[0])
    assert abs((frame * HOP + 512) / MODEL_RATE - 6) <= HOP / MODEL_RATE / 2 + 1e-9


def test_lengths_in_seconds_are_those_that_are_promised() -> None:
    seconds = [n * HOP / MODEL_RATE for n in (WINDOW_FRAMES, OVERLAP, MARGIN, EARLIEST, QUIET)]
    assert np.allclose(seconds, [10, 1, 0.23, 6, 0.35], atol=0.025)


@pytest.mark.parametrize("start", [0, 1234])
def test_a_cut_is_joined_at_from_six_seconds_on_to_where_both_windows_still_see_around_it(start: int) -> None:
    """To the frame: 258 after the window's start, and 22 + 10 before its end."""
    energy = np.ones(WINDOW_FRAMES, np.float32)
    energy[320:335] = 0
    for cut, taken in ((257, False), (258, True), (399, True), (400, False)):
        assert choose_join(start, np.array([start + cut]), energy) == start + (cut if taken else 327)
    assert choose_join(start, np.array([start + 258, start + 270, start + 900]), energy) == start + 270


@pytest.mark.parametrize("middle", [258, 301, 399])
def test_the_join_is_the_middle_of_the_pause(middle: int) -> None:
    energy = np.ones(WINDOW_FRAMES, np.float32)
    energy[middle - 7 : middle + 8] = 0
    assert choose_join(50, NO_CUTS, energy) == 50 + middle
    energy[middle] = 0.5  # one knock in it is quieter than a third of a second of anything else
    assert choose_join(50, NO_CUTS, energy) == 50 + middle


def test_cuts_are_frames_to_the_nearest_and_in_order() -> None:
    """Frame k is centred at sample 1024·k + 512 from the origin."""
    at = {7 * HOP + 512: 7, 7 * HOP + 1023: 7, 8 * HOP + 1: 8, 40 * HOP + 100: 40, 512: 0}
    origin = Fraction(-3, 2)
    cuts = [origin + Fraction(sample, MODEL_RATE) for sample in reversed(at)]
    assert cut_frames(cuts, origin).tolist() == [0, 7, 7, 8, 40]
    assert cut_frames([], origin).tolist() == []


def test_the_next_window_begins_a_margin_before_the_cross_fade_or_ends_with_the_passage() -> None:
    assert next_window(300, 5000) == Window(268, 278, 322)
    assert next_window(300, 268 + WINDOW_FRAMES) == Window(268, 278, 322)
    assert next_window(300, 267 + WINDOW_FRAMES) == Window(267, 278, 322)
    assert next_window(399, 500) == Window(69, 377, 421)
    assert next_window(20, 431) == Window(0, -2, 42)


def test_a_cross_fade_is_a_straight_line_between_two_windows() -> None:
    """At half-frames: with four frames an eighth, three, five and seven eighths of the way."""
    joiner = Joiner()
    first, second = np.full((2, 10), 1, np.float32), np.full((2, 10), 9, np.float32)
    begun = joiner.add(Window(0, 0, 0), (first, 2 * first), 5, 12)
    ended = joiner.add(Window(3, 5, 9), (second, 2 * second), 12, 12)
    assert [part.tolist() for part in begun] == [[[1] * 5] * 2, [[2] * 5] * 2]
    assert ended[0].tolist() == [[2, 4, 6, 8, 9, 9, 9]] * 2
    assert ended[1].tolist() == [[4, 8, 12, 16, 18, 18, 18]] * 2


def windows_over(total: int, cuts: list[int], seed: int) -> list[Window]:
    energy = np.random.default_rng(seed).random((total + WINDOW_FRAMES,)).astype(np.float32)
    windows = [Window(0, 0, 0)]
    while windows[-1].start + WINDOW_FRAMES < total:
        start = windows[-1].start
        join = choose_join(start, np.array(sorted(cuts), np.intp), energy[start : start + WINDOW_FRAMES])
        windows.append(next_window(join, total))
    return windows


lengths = st.integers(1, 5000)
some_cuts = st.lists(st.integers(0, 5000), max_size=30)


@settings(max_examples=60, deadline=None)
@given(lengths, some_cuts, st.integers(0, 99))
def test_windows_cover_everything_and_always_advance(total: int, cuts: list[int], seed: int) -> None:
    windows = windows_over(total, cuts, seed)
    for before, after in pairwise(windows):
        assert after.start > before.start
        assert after.start <= after.fade_start < after.fade_end <= before.start + WINDOW_FRAMES
        assert after.fade_start >= before.fade_end, "a frame is blended from two windows, never three"
    assert windows[-1].start + WINDOW_FRAMES >= total
    assert len(windows) <= 2 + total // (EARLIEST - OVERLAP)


@settings(max_examples=40, deadline=None)
@given(lengths, some_cuts, st.integers(0, 99))
def test_joining_equals_a_blend_of_everything_at_once(total: int, cuts: list[int], seed: int) -> None:
    """Streaming joins against a plain weighted sum over the whole length."""
    windows = windows_over(total, cuts, seed)
    rng = np.random.default_rng(seed)
    predictions = [rng.random((2, WINDOW_FRAMES)).astype(np.float32) for _ in windows]
    joiner, parts = Joiner(), []
    for i, (window, prediction) in enumerate(zip(windows, predictions, strict=True)):
        end = windows[i + 1].fade_start if i + 1 < len(windows) else total
        parts.append(joiner.add(window, (prediction,), end, total)[0])
    streamed = np.concatenate(parts, axis=-1)

    whole = np.zeros((2, total))
    for i, (window, prediction) in enumerate(zip(windows, predictions, strict=True)):
        weight = np.ones(WINDOW_FRAMES)
        frames = np.arange(window.start, window.start + WINDOW_FRAMES)
        if i:
            rise = (frames - window.fade_start + 0.5) / (window.fade_end - window.fade_start)
            weight *= np.clip(rise, 0, 1) * (frames >= window.fade_start)
        if i + 1 < len(windows):
            after = windows[i + 1]
            fall = (frames - after.fade_start + 0.5) / (after.fade_end - after.fade_start)
            weight *= 1 - np.where(
                frames >= after.fade_end, 1, np.clip(fall, 0, 1) * (frames >= after.fade_start)
            )
        inside = frames < total
        whole[:, frames[inside]] += (weight * prediction)[:, inside]
    assert streamed.shape == whole.shape
    assert np.abs(streamed - whole).max() < 1e-6
