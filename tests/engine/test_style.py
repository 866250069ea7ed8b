"""Styles of gains: what a repair mends, what it leaves alone, and how its curves move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sightmix.engine.errors import SettingsError
from sightmix.engine.highlight.config import HOP, MODEL_RATE
from sightmix.engine.highlight.quality import masks_quality
from sightmix.engine.highlight.repair import neutral
from sightmix.engine.highlight.riding import FALL, RISE
from sightmix.engine.highlight.spread import FILM_LUFS, FILM_SD, SPEECH_BESIDE
from sightmix.engine.highlight.style import Heard, Styled, styled

Array = NDArray[np.float32]
SPEECH, MUSIC, EFFECTS = range(3)
SECOND = MODEL_RATE / HOP
NO_CUTS = np.zeros(0, np.intp)


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def levels(seconds: float, *stems: Any) -> Array:
    """Levels (3, T) dB: for each stem a figure, or {(from, to): figure} in seconds over silence."""
    out = np.full((3, at(seconds)), -120.0, np.float32)
    for row, stem in zip(out, stems, strict=True):
        parts = stem if isinstance(stem, dict) else {(0.0, seconds): stem}
        for (first, last), value in parts.items():
            row[at(first) : at(last)] = value
    return out


def heard(known: Array, unsure: float = 0.0, quality: float = 99.0) -> Heard:
    return Heard(known, np.full_like(known, unsure), np.full_like(known, quality), NO_CUTS)


def asked(known: Array, *gains: float) -> Array:
    return np.repeat(np.array(gains, np.float32)[:, None], known.shape[1], axis=1)


def clear_once(told: Heard) -> Heard:
    """The same, each phrase clearly separated for a moment."""
    quality = told.quality.copy()
    for first, _ in PHRASES:
        quality[:, at(first) + 5 : at(first) + 9] = 6.0
    return replace(told, quality=quality)


def over(known: Array, result: Styled, other: int, seconds: float) -> float:
    """Speech over another stem after a repair, dB."""
    now = known + result.gains
    return float(now[SPEECH, at(seconds)] - now[other, at(seconds)])


PHRASES = {(2.0, 5.0): -30.0, (7.0, 9.0): -30.0}
BURIED = levels(12.0, PHRASES, -24.0, -120.0)
NARRATED = levels(12.0, PHRASES, -41.0, -45.0)


def test_full_is_what_the_network_says() -> None:
    gains = asked(BURIED, 9.0, -9.0, 3.0)
    result = styled(gains, heard(BURIED), "full")
    assert result.gains is gains
    assert not result.doubt.any()
    assert {move.role for move in result.moves} == {"speech", "music", "effects"}


def test_another_style_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="'loud'; use one of repair, full"):
        styled(asked(BURIED, 0.0, 0.0, 0.0), heard(BURIED), "loud")


def test_buried_speech_comes_up_by_what_is_missing_and_no_more() -> None:
    result = styled(asked(BURIED, 15.0, -15.0, 0.0), heard(BURIED), "repair")
    assert over(BURIED, result, MUSIC, 3.5) == pytest.approx(10.0, abs=0.05)
    assert over(BURIED, result, MUSIC, 8.0) == pytest.approx(10.0, abs=0.05)
    assert [move.why for move in result.moves if move.role == "speech"] == ["speech buried"] * 2
    assert {move.why for move in result.moves if move.role == "music"} <= {"under speech", "music too loud"}


def test_a_repair_goes_no_further_than_it_is_asked_to() -> None:
    result = styled(asked(BURIED, 2.0, -3.0, 0.0), heard(BURIED), "repair")
    assert over(BURIED, result, MUSIC, 3.5) == pytest.approx(-6.0 + 5.0, abs=0.05)


def test_nothing_is_done_in_the_other_direction() -> None:
    assert not styled(asked(BURIED, -6.0, 6.0, 0.0), heard(BURIED), "repair").gains.any()


def test_where_nobody_speaks_speech_nearby_varies_as_what_it_is_held_against_does() -> None:
    for beside, stem in zip(SPEECH_BESIDE, (1, 2), strict=True):
        assert beside.sd == FILM_SD[stem]
        assert beside.mean == FILM_LUFS[0] - FILM_LUFS[stem]


@pytest.mark.parametrize("gains", [(9.0, -9.0, -3.0), (-9.0, 9.0, 9.0), (12.0, 0.0, -12.0)])
def test_what_lies_within_the_spread_of_films_is_left_alone(gains: tuple[float, ...]) -> None:
    result = styled(asked(NARRATED, *gains), heard(NARRATED), "repair")
    assert not result.gains.any()
    assert result.moves == ()


@pytest.mark.parametrize("stem", range(3))
def test_a_solo_is_left_alone(stem: int) -> None:
    alone = np.full((3, at(10.0)), -120.0, np.float32)
    alone[stem, at(1.0) : at(8.0)] = -25.0
    for gains in ((9.0, -9.0, 4.0), (-9.0, 9.0, -4.0)):
        assert np.abs(styled(asked(alone, *gains), heard(alone), "repair").gains).max() < 0.5


def test_what_all_stems_have_in_common_is_loudness() -> None:
    low, high = (
        styled(asked(BURIED, 9.0 + c, -9.0 + c, c), heard(BURIED), "repair").gains for c in (-6.0, 5.0)
    )
    np.testing.assert_allclose(low, high, atol=1e-3)
    assert not styled(asked(BURIED, 6.0, 6.0, 6.0), heard(BURIED), "repair").gains.any()


def test_nothing_is_raised_where_it_is_silent() -> None:
    known = BURIED.copy()
    known[SPEECH][known[SPEECH] == -120.0] = -62.0  # the room, 32 dB under the voice
    gains = styled(asked(known, 15.0, -15.0, 0.0), heard(known), "repair").gains
    assert gains[SPEECH, at(3.5)] > 3.0
    for pause in ((0.0, 1.0), (5.9, 6.1), (9.9, 12.0)):
        assert gains[SPEECH, at(pause[0]) : at(pause[1])].max() <= 0.0


def test_effects_are_raised_only_where_they_sound() -> None:
    known = levels(20.0, -120.0, -20.0, {(8.0, 10.0): -48.0})
    known[EFFECTS][known[EFFECTS] == -120.0] = -95.0
    gains = styled(asked(known, 0.0, -12.0, 12.0), heard(known), "repair").gains
    assert gains[EFFECTS].max() > 3.0
    assert gains[EFFECTS, : at(7.0)].max() <= 0.0
    assert gains[EFFECTS, at(11.0) :].max() <= 0.0


def test_speech_has_one_gain_over_a_phrase_and_it_is_there_in_time() -> None:
    known = BURIED.copy()
    known[SPEECH, at(3.0) : at(3.3)] = -120.0  # a breath
    wobbling = asked(known, 12.0, -12.0, 0.0)
    wobbling[SPEECH] += 3.0 * np.sin(np.arange(wobbling.shape[1]) / 9.0).astype(np.float32)
    gains = styled(wobbling, heard(known), "repair").gains
    for first, last in PHRASES:
        phrase = gains[SPEECH, at(first) : at(last)]
        assert np.ptp(phrase) < 1e-4
        assert phrase[0] > 3.0


def test_neighbouring_phrases_of_unlike_gains_keep_to_what_can_be_reached_between_them() -> None:
    spoken = {(2.0, 5.0): -30.0, (5.6, 8.0): -30.0}
    known = levels(12.0, spoken, {(0.0, 5.2): -20.0, (5.2, 12.0): -50.0}, -120.0)
    gains = styled(asked(known, 15.0, -15.0, 0.0), heard(known), "repair").gains[SPEECH]
    for first, last in spoken:
        assert np.ptp(gains[at(first) : at(last)]) < 1e-4
    assert gains[at(3.0)] > 1.0
    assert gains[at(7.0)] == 0.0


def test_speech_that_is_asked_down_stays_and_the_bed_goes_the_whole_way() -> None:
    known = levels(40.0, {(2.0, 5.0): -30.0}, -24.0, -60.0)
    wanted = asked(known, 0.0, 0.0, 0.0)
    wanted[:, at(1.0) : at(6.0)] = np.array([[-2.0], [-14.0], [0.0]])
    gains = styled(wanted, heard(known), "repair").gains
    assert not gains[SPEECH].any()
    assert gains[MUSIC, at(3.5)] < -8.0
    assert not gains[EFFECTS].any()


def test_effects_that_lie_right_are_not_raised_with_speech() -> None:
    known = levels(12.0, PHRASES, -24.0, -45.0)
    gains = styled(asked(known, 12.0, -12.0, -1.0), heard(known), "repair").gains
    assert gains[SPEECH, at(3.5)] > 5.0
    raised = neutral(asked(known, 12.0, -12.0, -1.0).astype(np.float64), known.astype(np.float64))[EFFECTS]
    assert gains[EFFECTS].max() <= max(raised.max(), 0.0) + 1e-3


def test_what_lies_far_under_the_mix_is_a_leak_or_a_floor() -> None:
    leak = levels(12.0, {(2.0, 5.0): -45.0}, -24.0, -120.0)
    gains = asked(leak, 12.0, -12.0, 0.0)
    assert styled(gains, heard(leak), "repair").gains[SPEECH].max() > 5.0
    assert not styled(gains, heard(leak, 1.0, 20.0), "repair").gains.any()
    assert not styled(gains, heard(levels(12.0, {(2.0, 5.0): -58.0}, -24.0, -120.0)), "repair").gains.any()


def test_what_lies_far_under_the_loud_parts_of_a_programme_is_silence() -> None:
    floor = levels(20.0, {(12.0, 14.0): -80.0}, {(0.0, 10.0): -20.0}, {(10.0, 20.0): -72.0})
    assert not styled(asked(floor, 12.0, 0.0, -12.0), heard(floor), "repair").gains.any()


def test_separated_speech_ends_where_it_is_no_longer_made_out() -> None:
    told = heard(BURIED, 1.0, 8.0)
    told.quality[:, at(3.0) :] = -12.0
    gains = styled(asked(BURIED, 12.0, -12.0, 0.0), told, "repair").gains
    assert gains[SPEECH, at(2.5)] > 5.0
    assert gains[SPEECH, at(4.0) :].max() <= 0.0


def test_moves_are_those_that_last() -> None:
    gains = np.zeros_like(BURIED)
    gains[MUSIC, at(1.0) : at(1.5)] = -3.0
    gains[MUSIC, at(3.0) : at(4.5)] = -6.0
    gains[MUSIC, at(10.0) : at(11.5)] = -6.25
    gains[EFFECTS, at(6.0) : at(8.0)] = 0.4
    moves = styled(gains, heard(BURIED), "full").moves
    assert [(move.first, move.last, move.role, move.gain_db, move.why) for move in moves] == [
        (at(3.0), at(4.5), "music", -6.0, "under speech"),
        (at(10.0), at(11.5), "music", -6.25, "music too loud"),
    ]


def test_music_is_down_when_a_phrase_begins_and_stays_down_in_a_short_pause() -> None:
    known = levels(30.0, {(4.0, 6.0): -30.0, (6.9, 9.0): -30.0}, -28.0, -120.0)
    wanted = asked(known, 0.0, 0.0, 0.0)
    wanted[MUSIC, at(4.0) : at(9.0)] = -14.0
    gains = styled(wanted, heard(known), "repair").gains[MUSIC]
    ducked = gains[at(4.0) : at(9.0)]
    assert ducked.max() < -3.0
    assert np.ptp(ducked) < 0.1


def test_one_take_cut_in_three_has_one_curve() -> None:
    gains = asked(BURIED, 15.0, -15.0, 0.0)
    whole = styled(gains, heard(BURIED), "repair").gains
    cut = styled(gains, replace(heard(BURIED), cuts=np.array([at(3.0), at(4.0), at(8.0)])), "repair").gains
    np.testing.assert_array_equal(cut, whole)


def test_doubt_draws_together_what_was_separated_and_nothing_else() -> None:
    gains = asked(BURIED, 12.0, -12.0, 0.0)
    sure = styled(gains, heard(BURIED, 1.0, 30.0), "repair")
    known = styled(gains, heard(BURIED, 0.0, -30.0), "repair")
    np.testing.assert_array_equal(sure.gains, known.gains)
    assert not sure.doubt.any()
    assert not known.doubt.any()
    half = styled(gains, clear_once(heard(BURIED, 1.0, -2.5)), "repair")
    none = styled(gains, heard(BURIED, 1.0, -9.0), "repair")
    assert 0.0 < half.gains[SPEECH].max() < sure.gains[SPEECH].max()
    assert 0.2 < half.doubt[at(3.5)] < 0.8
    assert not none.gains.any()
    assert (
        none.doubt.max() == 0.0
    )  # no speech is heard there for certain, so there is nothing to draw together


def test_badly_separated_film_sound_goes_down_together_under_a_known_voice() -> None:
    known = levels(12.0, PHRASES, -24.0, -24.0)
    unsure = np.zeros_like(known)
    unsure[1:] = 1.0
    told = Heard(known, unsure, np.full_like(known, -20.0), NO_CUTS)
    gains = styled(asked(known, 8.0, -12.0, -4.0), told, "repair").gains
    np.testing.assert_allclose(gains[MUSIC, at(3.0) : at(4.0)], gains[EFFECTS, at(3.0) : at(4.0)], atol=0.1)
    assert gains[MUSIC, at(3.5)] < -2.0
    assert gains[SPEECH, at(3.5)] > 3.0


def test_separated_speech_that_is_nowhere_clear_is_not_taken_for_speech() -> None:
    gains = asked(BURIED, 12.0, -12.0, 0.0)
    vague = heard(BURIED, 1.0, 2.0)
    assert not styled(gains, vague, "repair").gains.any()
    found = styled(gains, clear_once(vague), "repair")
    assert found.gains[SPEECH, at(3.5)] > 5.0
    assert found.gains[SPEECH, at(8.0)] > 5.0


def test_the_spread_is_wider_for_speech_whose_level_is_only_estimated() -> None:
    known = levels(12.0, PHRASES, -37.5, -120.0)
    gains = asked(known, 6.0, -6.0, 0.0)
    assert over(known, styled(gains, heard(known), "repair"), MUSIC, 3.5) > 7.8
    assert not styled(gains, heard(known, 1.0, 20.0), "repair").gains.any()


def test_separated_music_and_effects_are_not_held_against_each_other() -> None:
    known = levels(12.0, -120.0, -20.0, -36.0)
    gains = asked(known, 0.0, -9.0, 9.0)
    assert styled(gains, heard(known), "repair").gains[EFFECTS].max() > 3.0
    assert not styled(gains, heard(known, 1.0, 20.0), "repair").gains.any()


def test_a_bed_is_no_further_down_between_phrases_than_under_them() -> None:
    known = levels(16.0, {(2.0, 5.0): -30.0, (9.0, 12.0): -30.0}, -32.0, -120.0)
    known[MUSIC, at(5.2) : at(8.8)] = -10.0
    gains = styled(asked(known, 6.0, -15.0, 0.0), heard(known), "repair").gains[MUSIC]
    assert gains[at(6.5)] < -0.5
    assert gains[at(6.5)] >= gains[at(3.5)] - 1e-3


@pytest.mark.parametrize("frames", [0, 1, 2, 7])
def test_the_shortest_programmes(frames: int) -> None:
    known = np.full((3, frames), -30.0, np.float32)
    for style in ("repair", "full"):
        result = styled(np.zeros((3, frames), np.float32), heard(known), style)
        assert result.gains.shape == (3, frames)
        assert result.doubt.shape == (frames,)


def test_silence_and_broken_figures_are_survived() -> None:
    known = BURIED.copy()
    known[MUSIC, 5:9], known[SPEECH, 7] = -np.inf, np.nan
    gains = asked(known, 9.0, -9.0, 0.0)
    gains[0, 3] = np.nan
    assert np.isfinite(styled(gains, heard(known), "repair").gains).all()
    nothing = np.full_like(known, -np.inf)
    assert not styled(asked(known, 9.0, -9.0, 3.0), heard(nothing), "repair").gains.any()


def programmes() -> st.SearchStrategy[tuple[Array, Array, int]]:
    def made(seed: int, seconds: float) -> tuple[Array, Array, int]:
        dice = np.random.default_rng(seed)
        total = at(seconds)
        known = np.repeat(dice.uniform(-55, -15, (3, total // 20 + 1)), 20, axis=1)[:, :total]
        known += dice.normal(0, 4, known.shape)
        known[:, dice.random(known.shape[1]) < 0.1] = -120.0
        known[dice.random((3, total // 90 + 1)).repeat(90, axis=1)[:, :total] < 0.3] = -90.0
        gains = np.repeat(dice.uniform(-14, 14, (3, total // 60 + 1)), 60, axis=1)[:, :total]
        return known.astype(np.float32), gains.astype(np.float32), seed

    return st.builds(made, st.integers(0, 10_000), st.floats(0.5, 40.0))


@settings(max_examples=12, deadline=None)
@given(programmes())
def test_any_programme(programme: tuple[Array, Array, int]) -> None:
    known, gains, seed = programme
    dice = np.random.default_rng(seed)
    cuts = np.sort(dice.integers(0, known.shape[1], 3))
    told = replace(heard(known, float(dice.choice([0.0, 0.5, 1.0])), float(dice.uniform(-8, 8))), cuts=cuts)
    result = styled(gains, told, "repair")
    assert np.isfinite(result.gains).all()
    assert (result.doubt >= 0.0).all()
    assert (result.doubt <= 1.0).all()
    wanted = neutral(gains.astype(np.float64), known.astype(np.float64))
    assert (result.gains <= np.maximum(wanted.max(1, keepdims=True), 0.0) + 1e-3).all()
    assert (result.gains >= np.minimum(wanted.min(1, keepdims=True), 0.0) - 1e-3).all()
    steps = np.diff(result.gains.astype(np.float64), axis=1) * SECOND
    assert (steps <= np.array(RISE)[:, None] + 0.01).all()
    assert (steps >= -np.array(FALL)[:, None] - 0.01).all()
    again = styled(gains, told, "repair")
    assert again.gains.tobytes() == result.gains.tobytes()
    assert again.moves == result.moves
    for move in result.moves:
        assert move.last - move.first >= SECOND - 1
        assert abs(move.gain_db) >= 0.5


@settings(max_examples=6, deadline=None)
@given(programmes(), st.floats(-12.0, 12.0))
def test_how_loud_it_all_is_changes_nothing(programme: tuple[Array, Array, int], louder: float) -> None:
    known, gains, _ = programme
    shifted = np.where(known > -120.0, known + np.float32(louder), known)
    np.testing.assert_allclose(
        styled(gains, heard(shifted), "repair").gains,
        styled(gains, heard(known), "repair").gains,
        atol=0.02,
    )


def test_masks_that_are_sure_of_themselves_are_thought_better() -> None:
    power = np.ones((2048, 120), np.float32)

    def quality(best: float) -> Array:
        masks = np.full((3, 2048, 120), (1.0 - best) / 2, np.float32)
        masks[0] = best
        return masks_quality(masks, power)

    even, fair, good = (quality(best) for best in (1 / 3, 0.7, 0.95))
    assert even.shape == (3, 120)
    assert (even[0] < fair[0]).all()
    assert (fair[0] < good[0]).all()
    assert (good[1] < fair[1]).all()
    np.testing.assert_allclose(even[0], 3.5 - 1.03 * 10 * np.log10(2.0), atol=0.05)


def test_quality_is_of_the_second_around_a_frame() -> None:
    masks = np.full((3, 2048, 200), 0.02, np.float32)
    masks[0], masks[0, :, 100:], masks[1, :, 100:] = 0.96, 0.5, 0.48
    found = masks_quality(masks, np.ones((2048, 200), np.float32))[0]
    assert np.ptp(found[:70]) < 0.01
    assert (np.diff(found[75:125]) <= 1e-6).all()
    masks[0, :, ::2] = 0.6
    flickering = masks_quality(masks, np.ones((2048, 200), np.float32))[0]
    assert np.ptp(flickering[120:180]) < 0.5
    assert np.isfinite(masks_quality(masks, np.zeros((2048, 200), np.float32))).all()
