"""What a good mix is, many scenes at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sightmix.engine.training.scenes import priors, targets
from sightmix.engine.training.scenes.dice import Dice

FRAME = 1024 / 44_100
FRAMES = 431
VALUES = {
    "anchor": -27.0,
    "music": -2.0,
    "effects": -3.0,
    "music_duck": 10.0,
    "effects_duck": 4.0,
    "music_yield": 3.0,
    "attack": 0.4,
    "release": 1.0,
    "look_ahead": 0.2,
    "on_screen": 5.0,
}
FLAT = (-23.0, -23.0, -23.0)
SILENT = -np.inf


def style(**changes):
    return targets.Style(**{name: torch.tensor([value]) for name, value in {**VALUES, **changes}.items()})


def talk(start=3.0, end=6.0):
    level = torch.full((3, FRAMES), -25.0)
    level[0] = -90.0
    level[0, round(start / FRAME) : round(end / FRAME)] = -22.0
    return level


def sounding(lufs=FLAT, level_db=None, transient=1.0):
    level_db = talk() if level_db is None else level_db
    return targets.Sounding(torch.tensor([lufs]), level_db[None], torch.tensor([transient]))


def mix(lufs=FLAT, level_db=None, transient=1.0, seen=None, lead=0, step=5.0, **changes):
    seen = None if seen is None else seen[None]
    return targets.well_mixed(
        sounding(lufs, level_db, transient),
        style(**changes),
        torch.tensor([lead]),
        torch.tensor([step]),
        seen,
    )[0].numpy()


def at(curve, seconds):
    return float(curve[round(seconds / FRAME)])


def test_dialogue_is_anchored():
    assert np.ptp(mix()[0]) == 0
    assert mix()[0, 0] == pytest.approx(-27 + 23)
    assert mix((-40.0, -23.0, -23.0))[0, 0] == pytest.approx(-27 + 40)


def test_music_steps_back_under_speech_and_comes_forward_in_the_gap():
    gains = mix()
    featured = -27 - 2 + 23
    assert at(gains[1], 1.0) == pytest.approx(featured)
    assert at(gains[1], 4.5) == pytest.approx(featured - 10)
    assert at(gains[1], 9.5) == pytest.approx(featured)
    assert at(gains[2], 4.5) - at(gains[2], 1.0) == pytest.approx(-4.0 * 0.7)
    assert at(gains[2], 1.0) == pytest.approx(-27 - 3 + 23)


def test_ramps_look_ahead_and_are_straight_in_db():
    duck = mix()[1] - mix()[1].max()
    starts = np.flatnonzero(duck < -0.5)[0] * FRAME
    full = np.flatnonzero(duck < -9.5)[0] * FRAME
    assert starts == pytest.approx(3.0 - 0.2, abs=0.08)
    assert full - starts == pytest.approx(0.4 * 0.9, abs=0.08)
    slope = np.diff(duck)[round(2.95 / FRAME) : round(3.05 / FRAME)] / FRAME
    np.testing.assert_allclose(slope, -10 / 0.4, rtol=0.05)
    out = np.flatnonzero((duck < -0.5) & (duck > -9.5))
    assert (out[-1] - out[out > round(6 / FRAME)][0]) * FRAME == pytest.approx(0.9, abs=0.1)


def test_beds_lie_lower_and_duck_deeper_than_hits():
    hits, bed = (mix(transient=t)[2] for t in (1.0, 0.0))
    assert at(hits, 1.0) - at(bed, 1.0) == pytest.approx(9.0)
    assert at(bed, 1.0) - at(bed, 4.5) == pytest.approx(4.0 * 1.4)
    assert at(hits, 1.0) - at(hits, 4.5) == pytest.approx(4.0 * 0.7)


def test_a_seen_effect_comes_forward_and_an_unseen_one_does_not():
    seen = torch.zeros(FRAMES)
    seen[: round(2 / FRAME)] = 1.0
    change = mix(seen=seen) - mix()
    assert at(change[2], 1.0) == pytest.approx(5.0)
    assert at(change[2], 4.0) == 0
    assert not change[:2].any()
    np.testing.assert_array_equal(mix(seen=torch.zeros(FRAMES)), mix())


def test_without_speech_what_leads_is_a_step_ahead():
    level = torch.full((3, FRAMES), -25.0)
    quiet = (SILENT, -23.0, -23.0)
    music = mix(quiet, level, lead=1, step=5.0, effects=6.0)
    assert music[1, 0] - music[2, 0] == pytest.approx(5.0)
    assert not np.ptp(music, axis=1).any(), "and nothing is ducked"
    assert mix(quiet, level, lead=1, effects=-20.0)[2, 0] == pytest.approx(-27 - 20 + 23)
    effects = mix(quiet, level, lead=2, step=5.0, music=6.0, effects=-9.0)
    assert effects[2, 0] == pytest.approx(-27 - 4 + 23), (
        "an effect that leads is 4 LU under dialogue at least"
    )
    assert effects[1].max() == pytest.approx(-27 - 9 + 23 - 3), "music yields where they are busy"
    assert not mix(quiet, level, lead=2)[0].any()


def test_music_yields_only_to_effects_that_lead_and_only_where_they_sound():
    level = torch.full((3, FRAMES), -25.0)
    level[2, 200:] = -90.0
    gains = mix((SILENT, -23.0, -23.0), level, lead=2)
    assert at(gains[1], 9.0) - at(gains[1], 2.0) == pytest.approx(3.0)
    assert np.ptp(mix((SILENT, -23.0, -23.0), level, lead=1)[1]) == 0.0


def test_speech_leads_wherever_there_is_any_then_effects_or_music():
    def leads(lufs, transient=1.0, count=2000):
        many = targets.Sounding(
            torch.tensor([lufs]).expand(count, -1), torch.zeros(count, 3, 4), torch.full((count,), transient)
        )
        return targets.draw_lead(Dice("train", range(count)), many)

    assert set(leads((-30.0, -20.0, -10.0)).tolist()) == {0}
    assert set(leads((-30.0, SILENT, SILENT)).tolist()) == {0}
    assert set(leads((SILENT, -20.0, SILENT)).tolist()) == {1}
    assert set(leads((SILENT, SILENT, -20.0)).tolist()) == {2}
    hits, bed = (leads((SILENT, -20.0, -20.0), t) for t in (1.0, 0.0))
    assert float((hits == 2).float().mean()) == pytest.approx(0.56, abs=0.04)
    assert float((bed == 2).float().mean()) == pytest.approx(0.16, abs=0.03)
    assert set(hits.tolist()) == {1, 2}


def test_drawn_steps_and_leads_make_good_mixes():
    count = 60
    level = torch.full((count, 3, 100), -25.0)
    many = targets.Sounding(
        torch.tensor([[SILENT, -23.0, -23.0]]).expand(count, -1), level, torch.ones(count)
    )
    dice = Dice("train", range(count))
    gains, lead = targets.draw_well_mixed(dice, many, targets.Style.draw(dice))
    for row in range(count):
        ahead, behind = (2, 1) if lead[row] == 2 else (1, 2)
        assert (gains[row, ahead] - gains[row, behind]).min() >= 3.0 - 1e-4


def test_drawn_styles_lie_in_their_ranges():
    drawn = targets.Style.draw(Dice("train", range(4000)))
    ranges = {
        "music_duck": (4, 14), "effects_duck": (1.5, 8), "music_yield": (0, 5), "attack": (0.2, 0.8),
        "release": (0.5, 2), "look_ahead": (0.05, 0.4), "on_screen": (3, 6),
    }  # fmt: skip
    for name, (low, high) in ranges.items():
        values = getattr(drawn, name)
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high
    for name, mean, sd in (("anchor", -28.0, 3.5), ("music", -1.0, 3.5), ("effects", 0.0, 5.5)):
        values = getattr(drawn, name)
        assert float(values.mean()) == pytest.approx(mean, abs=0.06 * sd)
        assert float(values.std()) == pytest.approx(0.95 * sd, rel=0.05)
        assert (values - mean).abs().max() <= 2 * sd + 1e-4
    assert drawn.values().shape == (4000, len(dataclasses.fields(targets.Style)))
    np.testing.assert_array_equal(drawn.values()[:, 3], drawn.music_duck)


@pytest.mark.parametrize("prior", priors.PRIORS.values(), ids=list(priors.PRIORS))
def test_random_levels_follow_their_prior(prior):
    there = torch.ones(4000, 3, dtype=torch.bool)
    drawn = targets.random_levels(Dice("train", range(4000)), there, prior).numpy()
    assert drawn[:, 0].mean() == pytest.approx(prior.mean[0], abs=0.3)
    if prior.relative is None:
        np.testing.assert_allclose(drawn.mean(axis=0), prior.mean, atol=0.4)
    else:
        np.testing.assert_allclose((drawn[:, 1:] - drawn[:, :1]).mean(axis=0), prior.relative, atol=0.5)
    if prior.spread == "uniform":
        assert np.abs(drawn - np.array(prior.mean)).max() <= max(prior.sd)
    assert drawn.min() >= -52.0
    assert drawn.max() <= -12.0


def test_without_speech_levels_are_no_others_relatives():
    there = torch.tensor([[False, True, True]]).expand(4000, -1)
    drawn = targets.random_levels(Dice("train", range(4000)), there, priors.FILMS).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0)[1:], priors.FILMS.mean[1:], atol=0.5)


def test_random_mix_brings_each_stem_to_its_drawn_level():
    wanted = torch.tensor([[-20.0, -25.0, -30.0]])
    gains = targets.random_mix(sounding((-30.0, SILENT, -20.0)), wanted)
    assert gains.shape == (1, 3, FRAMES)
    np.testing.assert_allclose(gains[0, :, 0], [10.0, 0.0, -10.0])
    np.testing.assert_allclose(gains[0, :, -1], [10.0, 0.0, -10.0])


def spot(lufs, leads, featured=(0.0, 1.0, -1.0), depth=(6.0, 7.0, 8.0), **changes):
    light = targets.Spotlight(torch.tensor([featured]), torch.tensor([depth]))
    return targets.spotlit(sounding(lufs), style(**changes), light, leads[None])[0].numpy()


def test_the_subject_in_the_picture_leads_and_the_others_step_back():
    leads = torch.full((FRAMES,), 1)
    leads[200:] = 2
    gains = spot((-23.0, -30.0, -24.0), leads, anchor=-25.0)
    assert at(gains[1], 1.0) == pytest.approx(-25 + 1 + 30), "music leads at its own level"
    assert at(gains[0], 1.0) == pytest.approx(-25 + 23 - 6), "speech steps back for it"
    assert at(gains[2], 1.0) == pytest.approx(-25 - 1 + 24 - 8)
    assert at(gains[1], 8.0) == pytest.approx(-25 + 1 + 30 - 7), "music steps back for what is seen next"
    assert at(gains[2], 8.0) == pytest.approx(-25 - 1 + 24)
    assert not spot((-23.0, -30.0, SILENT), leads)[2].any()


def test_nothing_seen_leaves_all_at_their_level():
    gains = spot(FLAT, torch.full((FRAMES,), -1))
    np.testing.assert_array_equal(gains, gains[:, :1] * np.ones((1, FRAMES)))
    assert gains[0, 0] == pytest.approx(-4.0)


def test_drawn_spotlights_bring_out_by_5_to_14_db_about_the_level_of_dialogue():
    light = targets.Spotlight.draw(Dice("train", range(4000)))
    assert not light.featured[:, 0].any()
    assert float(light.featured[:, 1:].std()) == pytest.approx(1.5 * 0.95, rel=0.05)
    assert light.featured.abs().max() <= 3.0
    assert 5.0 <= light.depth.min() < 5.1
    assert 13.9 < light.depth.max() <= 14.0
