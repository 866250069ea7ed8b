"""Colours of stems: filters against scipy's, rooms and codecs by what they must do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt
from sightmix.engine.training.scenes import colour as colours
from sightmix.engine.training.scenes.colour import GRAIN, TAIL, Rooms, colour
from sightmix.engine.training.scenes.dice import Dice

RATE = 44_100
NOTHING = Rooms(True, 0.0, 0.0, 0.0, 0.0)


def made(**changes: float) -> colours._Colours:
    """One stem's colours of one shot."""
    plain = {"low": 0.0, "high": 0.0, "tilt_db": 0.0, "tilt_hz": 1000.0, "far": 1.0, "drive": 0.5} | changes
    tensors = {name: torch.full((1, 1), float(value)) for name, value in plain.items() if name != "codec"}
    flag = torch.zeros(1, 1, dtype=torch.bool)
    return colours._Colours(
        **tensors, plain=flag, walls=flag, codec=torch.full((1, 1), int(changes.get("codec", 0)))
    )


def through(x: np.ndarray, chosen: colours._Colours) -> np.ndarray:
    sound = torch.from_numpy(x.astype(np.float32))[None]
    shot = torch.zeros(1, -(-x.size // GRAIN), dtype=torch.int64)
    shares = Rooms(True, 0.0, 0.0, 0.0, 1.0)
    bent = colours._through_codecs(sound, chosen, shot, shares)
    return colours._filtered(bent, colours._filters(chosen, shares), shot)[0].numpy()


def test_filters_are_scipys() -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * GRAIN + 777)
    k, v = np.tan(np.pi * 1500.0 / RATE), 10 ** (5.0 / 20)
    shelf = np.array([[(v + k) / (1 + k), (k - v) / (1 + k), 0.0, 1.0, (k - 1) / (1 + k), 0.0]])
    for chosen, sos in (
        (made(low=4000.0), butter(6, 4000.0, fs=RATE, output="sos")),
        (made(high=300.0), butter(4, 300.0, "highpass", fs=RATE, output="sos")),
        (made(tilt_db=5.0, tilt_hz=1500.0), shelf),
        (made(), np.array([[1.0, 0, 0, 1.0, 0, 0]])),
    ):
        np.testing.assert_allclose(through(x, chosen), sosfilt(sos, x), atol=3e-5)


def test_another_shot_has_another_colour_from_its_first_sample_on() -> None:
    x = torch.ones(1, 4 * GRAIN)
    response = torch.stack([torch.full((GRAIN + 1,), g, dtype=torch.complex64) for g in (1.0, 3.0)])[None]
    got = colours._filtered(x, response, torch.tensor([[0, 0, 1, 1]]))[0]
    np.testing.assert_allclose(got, np.repeat([1.0, 3.0], 2 * GRAIN), atol=1e-5)


def test_a_telephone_keeps_its_band_and_adds_harmonics() -> None:
    t = np.arange(2 * RATE) / RATE
    chosen = made(codec=colours.TELEPHONE, low=3400.0, high=300.0, drive=1.0)

    def level(x: np.ndarray, hz: float) -> float:
        return 20 * np.log10(2 * abs(np.mean(x[RATE:] * np.exp(-2j * np.pi * hz * t[RATE:]))) + 1e-9)

    for hz, wanted in ((60.0, -40.0), (8000.0, -40.0)):
        assert level(through(0.01 * np.sin(2 * np.pi * hz * t), chosen), hz) < -40.0 + wanted
    quiet = through(0.001 * np.sin(2 * np.pi * 1000 * t), chosen)
    assert level(quiet, 1000.0) == pytest.approx(-60.0, abs=0.3)
    loud = through(0.5 * np.sin(2 * np.pi * 1000 * t), chosen)
    assert level(loud, 3000.0) > level(loud, 1000.0) - 20.0
    assert np.abs(loud).max() < 0.3


def test_a_low_bit_rate_adds_noise_that_follows_the_level() -> None:
    x = 0.2 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE) * (np.arange(2 * RATE) < RATE)
    chosen = made(codec=colours.BIT_RATE, low=10_000.0, drive=0.5)
    noise = through(x, chosen) - through(x, made(low=10_000.0))
    ratio = 10 * np.log10(np.mean(noise[:RATE] ** 2) / np.mean(x[:RATE] ** 2))
    assert -30.0 < ratio < -15.0
    assert not np.abs(noise[RATE + 4096 :]).max() > 1e-6


def test_a_plain_room_decays_and_lies_below_the_direct_sound() -> None:
    rooms = colours._plain_room(Dice("train", range(40)), "room.speech", 1)[:, 0].double()
    energy_db = 10 * torch.log10(rooms.square().sum(-1))
    assert -14.01 < float(energy_db.min()) < -11.0
    assert -6.0 < float(energy_db.max()) < -2.99
    assert not rooms[:, : round(0.004 * RATE)].any()
    heard = (rooms != 0).sum(-1) / RATE
    assert 0.1 < float(heard.min()) < float(heard.max()) < 0.7


def test_a_room_with_walls_has_echoes_and_its_high_end_dies_first() -> None:
    dice = Dice("train", range(24))
    near = colours._walled_room(dice, "speech", torch.ones(24, 1))[:, 0].double()
    far = colours._walled_room(dice, "speech", torch.full((24, 1), 5.0))[:, 0].double()
    assert near.shape == (24, TAIL)
    wet = lambda x: 10 * torch.log10(x.square().sum(-1))  # noqa: E731
    assert float((wet(far) - wet(near)).mean()) > 3.0, "farther away there is more room"
    early, late = near[:, :3000], near[:, 6000:12_000]

    def share(x: torch.Tensor) -> float:
        power = torch.fft.rfft(x, 16_384).abs().square()
        return float(power[:, 3000:].sum() / power.sum())

    assert share(late) < 0.5 * share(early)
    first = near[:, 1:2000].abs().argmax(-1) / RATE * 343.0
    assert bool((first < 15.0).all()), "the first echoes come from walls some metres away"


def test_an_echo_comes_from_the_image_behind_its_wall() -> None:
    size = torch.tensor([[[10.0, 100.0, 100.0]]])
    source, heard = torch.tensor([[[2.0, 50.0, 50.0]]]), torch.tensor([[[4.0, 50.0, 50.0]]])
    echoes = colours._echoes(size, source, heard, torch.tensor([[2.0]]), torch.tensor([[0.5]]))[0, 0]
    # By the near wall 2 + 4 = 6 m, by the far one 8 + 6 = 14 m, by both 18 and 22 m: less 2 m of the direct way.
    for metres, factor in ((6.0, 0.5), (14.0, 0.5), (18.0, 0.25), (22.0, 0.25)):
        at = round((metres - 2.0) / 343.0 * RATE)
        assert float(echoes[at]) == pytest.approx(2.0 / metres * factor, abs=1e-5)
    assert not echoes[: round(3.9 / 343.0 * RATE)].any()


@pytest.mark.parametrize("share", ["low_pass", "reverb", "rooms", "codecs"])
def test_shares_are_kept_and_what_has_no_colour_stays_to_the_bit(share: str) -> None:
    count = 60
    dice = Dice("train", range(count))
    stems = 0.1 * dice.noise("x", 4096, 3)
    starts, origins = torch.zeros(count, 1, dtype=torch.int64), torch.zeros(count, 1, 3, dtype=torch.int64)
    hard, present = torch.zeros(count, dtype=torch.bool), torch.ones(count, 3, dtype=torch.bool)
    everything = Rooms(**{**vars(NOTHING), share: 1.0})
    bare = colour(stems, dice, NOTHING, starts, origins, hard, present)
    full = colour(stems, dice, everything, starts, origins, hard, present)
    changed = (full != bare).any(-1).float().mean(0)
    wanted = {"low_pass": (0.3, 1, 1), "reverb": (1, 0.3, 1), "rooms": (1, 0.2, 1), "codecs": (1, 1, 1)}[
        share
    ]
    np.testing.assert_allclose(changed, wanted, atol=0.17)
    tilted = (bare != stems).any(-1).float().mean()
    assert float(tilted) == pytest.approx(0.4, abs=0.12)
    off = colour(stems, dice, Rooms(False, 1.0, 1.0, 1.0, 1.0), starts, origins, hard, present)
    assert torch.equal(off, stems)
    silent = colour(stems, dice, everything, starts, origins, hard, ~present)
    assert torch.equal(silent, stems)


def test_a_shots_room_is_shared_by_its_voices_and_effects() -> None:
    dice = Dice("train", range(3000))
    shares = Rooms(True, 0.0, 0.0, 0.4, 0.0)
    origin = torch.zeros(3000, 1, dtype=torch.int64)
    speech, effects = (colours._walls(dice, kind, shares, origin) for kind in ("speech", "effects"))
    assert float(speech.float().mean()) == pytest.approx(0.4, abs=0.03)
    both = float((speech & effects).float().mean())
    assert both == pytest.approx(0.7 * 0.4 + 0.3 * 0.16, abs=0.03)


def test_speech_off_the_microphone_is_duller_and_in_a_room() -> None:
    dice = Dice("train", range(400))
    origin, hard = torch.zeros(400, 1, dtype=torch.int64), torch.ones(400, dtype=torch.bool)
    chosen = colours._drawn(dice, "speech", NOTHING, origin, hard)
    off = chosen.walls[:, 0]
    assert float(off.float().mean()) == pytest.approx(0.5, abs=0.08)
    assert float(chosen.tilt_db[off].max()) <= -4.0
    assert bool((chosen.far[off] >= 2.0).all())
    assert bool((chosen.far[~off] == 1.0).all())
