"""Levels, targets and degradations of many stems at once, against what a plain generator in NumPy gave for each."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from invented_scenes import invented_stems
from sightmix.engine.training.material import levels as plain
from sightmix.engine.training.scenes import levels, muddy, showing, targets
from sightmix.engine.training.scenes.mixing import target_guard

SECONDS = 4.0
SILENT = (0.6, 0.1, 0.1)


@pytest.fixture(scope="module")
def frozen() -> dict[str, torch.Tensor]:
    with np.load(Path(__file__).parents[1] / "data" / "scenes" / "frozen.npz") as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored.files}


@pytest.fixture(scope="module")
def stems(frozen) -> torch.Tensor:
    count = len(frozen["lufs"])
    return torch.from_numpy(np.stack([invented_stems(i, SECONDS, SILENT).stems for i in range(count)]))


@pytest.fixture(scope="module")
def sounding(frozen) -> targets.Sounding:
    return targets.Sounding(frozen["lufs"], levels.decibels(frozen["power"]), frozen["transient"])


def close(found: torch.Tensor, wanted: torch.Tensor, within: float) -> None:
    np.testing.assert_allclose(found.double().numpy(), wanted.double().numpy(), atol=within, rtol=0)


def style_of(frozen) -> targets.Style:
    return targets.Style(*frozen["style"].unbind(-1))


# Levels ------------------------------------------------------------------------------------------------


def test_loudness_is_that_of_bs_1770(frozen, stems) -> None:
    close(levels.loudness(stems), frozen["lufs"], 0.002)
    assert (~frozen["lufs"].isfinite()).any(), "silent stems are among them"


def test_loudness_of_crumbs_silence_and_whispers() -> None:
    whisper = 10 ** (-90 / 20) * torch.sin(torch.arange(88_200) * 0.142)
    for sound in (torch.zeros(2, 44_100), torch.ones(2, 100), whisper[None]):
        assert (levels.loudness(sound) == -math.inf).all()
    tone = 10 ** (-23 / 20) * torch.sin(torch.arange(5 * 44_100) * (2 * math.pi * 997 / 44_100))
    assert float(levels.loudness(tone)) == pytest.approx(-26.01, abs=0.02)


def test_loudness_drops_what_is_10_lu_below() -> None:
    noise = torch.from_numpy(invented_stems(3, 8.0, (1, 0, 1)).stems[1])
    mixed = noise * torch.where(torch.arange(noise.numel()) < noise.numel() // 2, 1.0, 0.2)
    assert float(levels.loudness(mixed)) == pytest.approx(plain.loudness(mixed.numpy()), abs=0.002)


def test_frame_power_is_the_mean_square_of_each_hop(frozen, stems) -> None:
    np.testing.assert_allclose(levels.frame_power(stems), frozen["power"], rtol=1e-4)
    short = torch.cat([torch.full((1024,), 0.5), torch.full((10,), -2.0)])
    np.testing.assert_allclose(levels.frame_power(short), [0.25, 4.0], rtol=1e-5)
    np.testing.assert_allclose(levels.frame_peak(short), [0.5, 2.0])
    np.testing.assert_allclose(levels.frame_power(torch.ones(2048)), [1.0, 1.0], rtol=1e-5)


def test_activity_is_frame_for_frame_the_same(frozen, sounding) -> None:
    rows = sounding.level_db.flatten(0, 1)
    for found, name in (
        (levels.activity(rows), "activity"),
        (targets.speech_activity(rows), "speech"),
        (levels.activity(rows, below=20.0, hangover=0.6), "busy"),
    ):
        np.testing.assert_array_equal(found, frozen[name])


def test_activity_holds_after_the_sound_and_ignores_the_noise_floor() -> None:
    level = torch.full((100,), -75.0)
    level[20:40] = -20.0
    level[60:70] = -58.0  # above the absolute floor, far below the loud part
    active = levels.activity(level)
    held = round(0.25 * 44_100 / 1024)
    assert active[20 : 40 + held].all()
    assert active.sum() == 20 + held
    assert not levels.activity(torch.full((10,), -120.0)).any()
    assert not levels.activity(torch.full((10,), -60.0)).any(), "the floor itself is not above it"
    quiet = torch.full((10,), -59.0)
    assert levels.activity(quiet).all()


def test_ramps_are_those_of_a_level_followed_frame_by_frame(frozen) -> None:
    found = targets.ramp(frozen["toggled"], *frozen["times"].unbind(-1))
    close(found, frozen["ramps"], 1e-5)


@pytest.mark.parametrize("frames", [1, 2, 7, 64, 431])
def test_slewing_in_pairs_is_slewing_in_order(frames: int) -> None:
    rng = np.random.default_rng(frames)
    wanted = np.repeat(rng.random((5, frames)) < 0.5, 1 + frames // 60, axis=1)[:, :frames]
    rise, fall = rng.uniform(0.01, 1.2, 5), rng.uniform(0.01, 1.2, 5)
    plainly = np.empty((5, frames))
    for row in range(5):
        level = 1.0 if wanted[row, 0] else 0.0
        for k in range(frames):
            level = min(1.0, level + rise[row]) if wanted[row, k] else max(0.0, level - fall[row])
            plainly[row, k] = level
    found = levels.slewed(*(torch.from_numpy(x) for x in (wanted, rise, fall)))
    np.testing.assert_allclose(found, plainly, atol=1e-12)


def test_gains_are_straight_in_db_between_frames(frozen, stems) -> None:
    ramps = levels.apply_gain(torch.ones_like(stems[:1]), frozen["curves"][:1])[0, :, ::97]
    close(20 * ramps.log10(), 20 * frozen["gain_samples"].log10(), 1e-3)
    for samples in (5, 1024, 3000):
        curve = frozen["curves"][2, :, : plain.frames_of(samples)]
        wanted = plain.apply_gain(stems[2, :, :samples].numpy(), curve.numpy())
        np.testing.assert_allclose(
            levels.apply_gain(stems[2, :, :samples], curve), wanted, rtol=1e-4, atol=1e-7
        )


def test_flat_gain_keeps_a_curves_energy(frozen) -> None:
    close(levels.flat_gain(frozen["power"], frozen["curves"]), frozen["flat"], 1e-3)


def test_guards(frozen, stems) -> None:
    loud = stems * frozen["loud"][:, None, None]
    close(levels.peak_guard(loud), frozen["peak_guard"], 1e-3)
    close(levels.stem_guard(loud), frozen["stem_guard"], 1e-3)
    close(target_guard(loud, frozen["curves"]), frozen["target_guard"], 0.01)
    assert (frozen["peak_guard"] == 0).any()
    assert (frozen["target_guard"] == 0).any()


# Targets -----------------------------------------------------------------------------------------------


def test_well_mixed_gains(frozen, sounding) -> None:
    found = targets.well_mixed(sounding, style_of(frozen), frozen["lead"], frozen["step"], frozen["seen"])
    close(found, frozen["well_mixed"], 0.01)
    assert set(frozen["lead"].tolist()) == {0, 1, 2}


def test_spotlit_gains(frozen, sounding) -> None:
    zero = torch.zeros(len(frozen["featured"]), 1)
    light = targets.Spotlight(torch.cat([zero, frozen["featured"]], -1), frozen["depth"])
    close(targets.spotlit(sounding, style_of(frozen), light, frozen["leads"]), frozen["spotlit"], 0.01)


def test_changes_drawn_every_second(frozen, sounding) -> None:
    found = muddy.per_second(
        sounding.lufs, sounding.level_db, frozen["spacing"], frozen["strengths"].transpose(1, 2)
    )
    close(found, frozen["per_second"], 0.01)


# Pictures ----------------------------------------------------------------------------------------------


def shots_from(starts: torch.Tensor, frames: int) -> showing.Shots:
    first = torch.where(starts.isfinite(), (starts * 44_100 / 1024).round(), frames).long()
    of = (torch.arange(frames)[:, None] >= first[:, None]).sum(-1) - 1
    return showing.Shots(first, starts, of, frames * 1024 / 44_100)


def invented_events(count: int) -> showing.Events:
    times, pictures = torch.zeros(count, 8, 2), torch.full((count, 8), -1)
    for i in range(count):
        for k, (start, end, picture) in enumerate(invented_stems(i, SECONDS, SILENT).events):
            times[i, k], pictures[i, k] = torch.tensor([start, end]), picture
    return showing.Events(times, pictures)


def test_where_an_effect_is_seen(frozen) -> None:
    frames = frozen["shown_seen"].shape[1]
    shots = shots_from(frozen["shown_starts"], frames)
    events = invented_events(len(frozen["shown"]))
    close(showing.seen(shots, events, frozen["shown"]), frozen["shown_seen"], 1e-5)
    assert frozen["shown_seen"].amax(1).gt(0.9).sum() > 2


def test_what_sounds_in_a_shot(frozen, sounding) -> None:
    frames = frozen["shown_seen"].shape[1]
    starts = (torch.arange(3) * (frames / 3)).round() * 1024 / 44_100
    shots = shots_from(starts.expand(len(frozen["lufs"]), -1), frames)
    np.testing.assert_array_equal(showing.sounding_in(shots, sounding), frozen["sounding"])
