import dataclasses

import numpy as np
import pytest
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.scenes import priors, targets

FRAME = 1024 / 44_100
FRAMES = 431
STYLE = targets.Style(
    anchor=-27.0,
    music=-2.0,
    effects=-3.0,
    music_duck=10.0,
    effects_duck=4.0,
    music_yield=3.0,
    attack=0.4,
    release=1.0,
    look_ahead=0.2,
    on_screen=5.0,
)
FLAT = np.array([-23.0, -23.0, -23.0])


def talk(start=3.0, end=6.0):
    level = np.full((3, FRAMES), -25.0)
    level[0] = -90.0
    level[0, round(start / FRAME) : round(end / FRAME)] = -22.0
    return level


def mix(level_db, levels=FLAT, nature=None, style=STYLE, seed=0):
    return targets.well_mixed(levels, level_db, np.random.default_rng(seed), nature, style).gains_db


def at(curve, seconds):
    return float(curve[round(seconds / FRAME)])


def test_dialogue_is_anchored():
    assert np.ptp(mix(talk())[0]) == 0
    assert mix(talk())[0, 0] == pytest.approx(-27 + 23)
    quiet = mix(talk(), levels=np.array([-40.0, -23.0, -23.0]))
    assert quiet[0, 0] == pytest.approx(-27 + 40)


def test_music_steps_back_under_speech_and_comes_forward_in_the_gap():
    gains = mix(talk())
    featured = -27 - 2 + 23
    assert at(gains[1], 1.0) == pytest.approx(featured)
    assert at(gains[1], 4.5) == pytest.approx(featured - 10)
    assert at(gains[1], 9.5) == pytest.approx(featured)
    assert at(gains[2], 4.5) - at(gains[2], 1.0) == pytest.approx(-4.0 * 0.7)


def test_ramps_look_ahead_and_are_straight_in_db():
    duck = mix(talk())[1] - mix(talk())[1].max()
    starts = np.flatnonzero(duck < -0.5)[0] * FRAME
    full = np.flatnonzero(duck < -9.5)[0] * FRAME
    assert starts == pytest.approx(3.0 - 0.2, abs=0.08)
    assert full - starts == pytest.approx(0.4 * 0.9, abs=0.08)
    slope = np.diff(duck)[round(2.95 / FRAME) : round(3.05 / FRAME)] / FRAME
    np.testing.assert_allclose(slope, -10 / 0.4, rtol=0.05)
    out = np.flatnonzero((duck < -0.5) & (duck > -9.5))
    assert (out[-1] - out[out > round(6 / FRAME)][0]) * FRAME == pytest.approx(0.9, abs=0.1)


def test_beds_lie_lower_and_duck_deeper_than_hits():
    hits, bed = (mix(talk(), nature=targets.EffectsNature(t))[2] for t in (1.0, 0.0))
    assert at(hits, 1.0) - at(bed, 1.0) == pytest.approx(9.0)
    assert at(bed, 1.0) - at(bed, 4.5) > at(hits, 1.0) - at(hits, 4.5)


def test_a_seen_effect_comes_forward_and_an_unseen_one_does_not():
    seen = np.zeros(FRAMES)
    seen[: round(2 / FRAME)] = 1.0
    plain = mix(talk())
    with_picture = mix(talk(), nature=targets.EffectsNature(1.0, seen))
    change = with_picture - plain
    assert at(change[2], 1.0) == pytest.approx(5.0)
    assert at(change[2], 4.0) == 0
    assert not change[:2].any()
    np.testing.assert_array_equal(mix(talk(), nature=targets.EffectsNature(1.0, np.zeros(FRAMES))), plain)


def test_without_speech_music_or_effects_lead_and_the_other_stays_below():
    level = np.full((3, FRAMES), -25.0)
    leads = set()
    for seed in range(30):
        target = targets.well_mixed(np.array([-np.inf, -23.0, -23.0]), level, np.random.default_rng(seed))
        lead = target.record["lead"]
        leads.add(lead)
        ahead, behind = (2, 1) if lead == "effects" else (1, 2)
        assert (target.gains_db[ahead] - target.gains_db[behind]).min() >= 3.0 - 1e-4
        assert not target.gains_db[0].any()
    assert leads == {"music", "effects"}


def test_drawn_styles_lie_in_their_ranges_and_are_recorded():
    rng = np.random.default_rng(0)
    for _ in range(200):
        style = targets.draw_style(rng)
        assert 4 <= style.music_duck <= 14
        assert 0.2 <= style.attack <= 0.8
        assert 0.5 <= style.release <= 2.0
        assert 3 <= style.on_screen <= 6
    record = targets.well_mixed(FLAT, talk(), rng, style=style).record
    assert record["style"] == {k: round(v, 3) for k, v in dataclasses.asdict(style).items()}


def test_presence_follows_the_measured_silence():
    rng = np.random.default_rng(0)
    drawn = np.array([targets.draw_presence(rng) for _ in range(4000)])
    assert drawn.any(axis=1).all()
    np.testing.assert_allclose(1 - drawn.mean(axis=0), priors.FILMS.silent, atol=0.025)


@pytest.mark.parametrize("prior", priors.PRIORS.values(), ids=list(priors.PRIORS))
def test_random_levels_follow_their_prior(prior):
    rng = np.random.default_rng(0)
    drawn = np.array([targets.random_levels(np.array([True, True, True]), rng, prior) for _ in range(4000)])
    assert drawn[:, 0].mean() == pytest.approx(prior.mean[0], abs=0.3)
    if prior.relative is None:
        np.testing.assert_allclose(drawn.mean(axis=0), prior.mean, atol=0.4)
    else:
        np.testing.assert_allclose((drawn[:, 1:] - drawn[:, :1]).mean(axis=0), prior.relative, atol=0.5)
    if prior.spread == "uniform":
        assert np.abs(drawn - np.array(prior.mean)).max() <= max(prior.sd)


def test_random_mix_brings_each_stem_to_its_drawn_level():
    found = np.array([-30.0, -np.inf, -20.0])
    target = targets.random_mix(found, 10, np.random.default_rng(3))
    assert target.gains_db.shape == (3, 10)
    assert not target.gains_db[1].any()
    np.testing.assert_allclose(
        found[[0, 2]] + target.gains_db[[0, 2], 0], np.array(target.record["levels"])[[0, 2]], atol=0.01
    )


def test_flat_gain_keeps_a_curves_energy():
    rng = np.random.default_rng(0)
    power, gains = rng.uniform(0, 1, (3, 50)), rng.uniform(-12, 6, (3, 50))
    power[2] = 0
    flat = targets.flat_gain(power, gains)
    np.testing.assert_allclose(
        (power[:2] * 10 ** (gains[:2] / 10)).sum(1), power[:2].sum(1) * 10 ** (flat[:2] / 10)
    )
    assert flat[2] == 0


def test_unknown_kind_is_named_with_the_known_ones():
    with pytest.raises(TrainingError, match=r"'flat'.*well_mixed, random"):
        targets.draw_target("flat", FLAT, talk(), np.random.default_rng(0))


def test_the_subject_in_the_picture_leads_and_the_others_step_back():
    leads = np.full(FRAMES, -1)
    leads[:200], leads[200:] = 1, 2
    style = dataclasses.replace(STYLE, anchor=-25.0)
    target = targets.spotlit(np.array([-23.0, -30.0, -np.inf]), leads, np.random.default_rng(1), style)
    gains = target.gains_db
    assert abs(at(gains[1], 1.0) - 5.0) <= 3.0, "music leads at about the level of dialogue"
    assert -14.0 <= at(gains[0], 1.0) - (-2.0) <= -5.0, "speech steps back for it"
    assert at(gains[1], 8.0) <= at(gains[1], 1.0) - 5.0, "music steps back for what is seen next"
    np.testing.assert_array_equal(gains[2], 0.0)
    assert target.record["leads"] == [1, 2]


def test_nothing_seen_leaves_all_at_their_level():
    gains = targets.spotlit(FLAT, np.full(FRAMES, -1), np.random.default_rng(2), STYLE).gains_db
    np.testing.assert_array_equal(gains, gains[:, :1] * np.ones((1, FRAMES)))
    assert gains[0, 0] == pytest.approx(-4.0)
