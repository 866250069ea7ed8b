"""Timelines of known tracks under evaluation: told, heard at one loudness, kept as loud as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from invented_scenes import RATE, invented_stems
from sightmix.engine.evaluation.scoring import Joined
from sightmix.engine.evaluation.tracks import Ears, OwnTracks, shots
from sightmix.engine.highlight.backends import TorchNetwork
from sightmix.engine.highlight.config import HOP, frames_of
from sightmix.engine.highlight.network import build
from sightmix.engine.training.loop.batches import Shown
from sightmix.engine.training.material.levels import apply_gain, loudness
from sightmix.engine.training.scenes.scene import Scene
from small_networks import SMALL

SEEN = {"hill": np.ones(6, np.float32), "sea": -np.ones(6, np.float32)}


class Counting(TorchNetwork):
    """A network that keeps what it was shown, window by window."""

    seen: list[np.ndarray]

    def gains(self, spectrogram, waveform, context, times, valid, told):
        self.seen.append(np.where(valid[0, :, None], context[0], np.nan)[:, 0])
        return super().gains(spectrogram, waveform, context, times, valid, told)


def ears(shake: float = 0.1) -> Ears:
    """A small network that reads levels, every weight moved from where training begins."""
    torch.manual_seed(1)
    config = replace(SMALL, gain_head="levels", trunk="bands", band_width=8, band_layers=2)
    model = build(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(shake * torch.randn_like(parameter))
    network = Counting(model, "cpu")
    network.seen = []
    return Ears(network, Shown(SEEN, 6))


def scene(number: int = 1, seconds: float = 2.0, level: float = 1.0, pictures=((0.0, "hill"),)) -> Scene:
    stems = np.float32(level) * invented_stems(number, seconds, (0.0, 0.0, 0.0)).stems
    shape = (3, frames_of(stems.shape[1]))
    return Scene(stems, np.full(shape, number, np.float32), np.ones(shape, bool), {"n": number}, pictures)


def test_gains_go_onto_the_tracks_and_the_programme_stays_as_loud() -> None:
    heard, muddy = ears(), scene()
    sound = OwnTracks(heard, "full")(muddy)
    gains = heard.hear(muddy).gains
    assert np.abs(gains).max() > 0.5
    ridden = apply_gain(muddy.stems, gains).sum(0)
    np.testing.assert_allclose(sound / np.abs(sound).max(), ridden / np.abs(ridden).max(), atol=1e-5)
    np.testing.assert_allclose(OwnTracks(heard, "full", "model")(muddy), ridden, atol=1e-6)
    assert loudness(sound) == pytest.approx(loudness(muddy.mix()), abs=0.01)
    np.testing.assert_allclose(OwnTracks(ears(0.0), "full")(muddy), muddy.mix(), atol=1e-6)


def test_styles_share_one_hearing() -> None:
    heard, muddy = ears(), scene()
    full, repaired = (OwnTracks(heard, style)(muddy) for style in ("full", "repair"))
    assert len(heard.network.seen) == 1
    assert np.abs(full - repaired).max() > 1e-4
    OwnTracks(heard, "full")(scene(2))
    assert len(heard.network.seen) == 2


def test_the_network_hears_every_programme_at_one_loudness() -> None:
    usual, soft = (ears().hear(scene(level=level)).gains for level in (1.0, 0.25))
    np.testing.assert_allclose(soft, usual, atol=0.01)


def test_it_is_told_which_track_is_which() -> None:
    muddy = scene()
    swapped = replace(muddy, stems=muddy.stems[[1, 0, 2]])
    assert np.abs(ears().hear(swapped).gains - ears().hear(muddy).gains).max() > 0.05
    assert not ears().hear(muddy).unsure.any()


def test_joined_scenes_are_one_programme_with_cuts() -> None:
    class Four(Sequence[Scene]):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index):
            return scene(index, pictures=(None, ((0.0, "hill"), (1.0, "sea")))[index % 2])

    second = Joined(Four(), 2)[1]
    whole = 2 * RATE // HOP
    assert second.stems.shape == (3, 2 * whole * HOP)
    np.testing.assert_array_equal(second.stems[:, whole * HOP :], scene(3).stems[:, : whole * HOP])
    assert second.gains_db[0].tolist() == [2.0] * whole + [3.0] * whole
    at = whole * HOP / RATE
    assert second.pictures == ((0.0, ""), (at, "hill"), (at + 1.0, "sea"))
    assert [float(shot.start) for shot in shots(second)] == [0.0, at, at + 1.0]
    assert second.record["joined"] == [{"n": 2}, {"n": 3}]


def test_a_programme_is_shown_what_each_window_shows() -> None:
    heard = ears()
    told = heard.hear(scene(1, 13.0, pictures=((0.0, "hill"), (9.0, "sea"))))
    assert told.gains.shape == (3, frames_of(13 * RATE))
    first, second = heard.network.seen
    assert first.tolist() == [1.0] * 9 + [-1.0]
    assert second[0] == 1.0
    assert second[-1] == -1.0
