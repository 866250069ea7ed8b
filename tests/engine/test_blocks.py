"""Playing recordings in blocks: exact at their own speed, in tune at another, nothing of a neighbour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_recordings import RATE, make_corpus, tone
from sightmix.engine.training.scenes import blocks as playing
from sightmix.engine.training.scenes.blocks import BLOCK, Blocks, Speeds
from sightmix.engine.training.scenes.recordings import Recordings

SPEEDS = Speeds(0.6, 1.5)
SAMPLES = 40_000


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    loud = np.random.default_rng(0).uniform(-1, 1, 5000)
    tones = [
        loud,
        tone(SAMPLES / RATE, 1000.0),
        loud,
        tone(SAMPLES / RATE, 19_000.0),
        loud,
        tone(SAMPLES / RATE, 0.0, 0),
    ]
    tones[-1][:] = 0.5
    some = {kind: [("p", x) for x in tones] for kind in ("speech", "music", "effects")}
    return Recordings(make_corpus(tmp_path_factory.mktemp("corpus"), some), "train")


def heard(recordings: Recordings, item: int, hop: int, start: int = 0, fade: float = 1.0) -> torch.Tensor:
    """The recording `item` from block `start` on, in 640 blocks."""
    n = torch.arange(640)[None]
    samples = SAMPLES * BLOCK // hop
    place = (n - start) * BLOCK
    whole = torch.full_like(place, 1.0, dtype=torch.float32)
    first = recordings.kinds["effects"].start[item]
    blocks = Blocks(
        first + (n - start) * hop, place, torch.full_like(place, samples), whole, fade * whole, fade * whole
    )
    out = torch.zeros(1, 640, BLOCK)
    playing.play(out, recordings, blocks, torch.tensor([hop]), SPEEDS)
    return out.flatten()


def spectrum_db(x: torch.Tensor) -> np.ndarray:
    window = np.hanning(x.numel())
    return 20 * np.log10(np.abs(np.fft.rfft(x.numpy() * window)) / window.sum() * 2 + 1e-12)


@pytest.mark.parametrize("dense", [False, True])
def test_at_its_own_speed_a_recording_is_heard_to_the_bit(
    recordings: Recordings, dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "is_sparse", lambda device: not dense)
    x = heard(recordings, 1, BLOCK, start=3)
    first = int(recordings.kinds["effects"].start[1])
    wanted = recordings.samples[first : first + SAMPLES].float() / 32768
    assert torch.equal(x[3 * BLOCK : 3 * BLOCK + SAMPLES], wanted)
    assert not x[: 3 * BLOCK].any()
    assert not x[3 * BLOCK + SAMPLES :].any()


@pytest.mark.parametrize("hop", [82, 100, 127, 129, 150, 182])
def test_at_another_speed_a_tone_keeps_its_level_and_moves_by_the_ratio(
    recordings: Recordings, hop: int
) -> None:
    x = heard(recordings, 1, hop)
    length = SAMPLES * BLOCK // hop
    assert not x[length:].any()
    found = spectrum_db(x[2000 : length - 2000])
    peak = int(found.argmax())
    hertz = peak * RATE / (length - 4000)
    assert hertz == pytest.approx(1000.0 * hop / BLOCK, rel=0.003)
    assert float(found[peak]) == pytest.approx(20 * np.log10(0.25), abs=1.5)
    others = np.delete(found, np.arange(peak - 60, peak + 61))
    assert others.max() < -12.0 - 60.0, "images lie 60 dB below the tone"
    middle = x[2000 : length - 2000]
    assert float(middle.square().mean()) == pytest.approx(0.25**2 / 2, rel=0.02)


@pytest.mark.parametrize("hop", [160, 182])
def test_what_would_lie_above_the_band_is_gone_by_60_db(recordings: Recordings, hop: int) -> None:
    x = heard(recordings, 3, hop)
    middle = x[2000 : SAMPLES * BLOCK // hop - 2000]
    assert float(middle.square().mean().sqrt()) < 1e-3 * 0.25 / np.sqrt(2)


@pytest.mark.parametrize("hop", [82, 127, 182])
def test_a_constant_stays_constant(recordings: Recordings, hop: int) -> None:
    middle = heard(recordings, 5, hop)[1000 : SAMPLES * BLOCK // hop - 1000]
    np.testing.assert_allclose(middle, 0.5, atol=2e-4)


@pytest.mark.parametrize("hop", [82, 127, 182])
def test_nothing_of_the_neighbours_is_heard(tmp_path: Path, hop: int) -> None:
    loud = np.random.default_rng(0).uniform(-1, 1, 5000)
    silent = np.zeros(SAMPLES)
    some = {kind: [("p", loud), ("p", silent), ("p", loud)] for kind in ("speech", "music", "effects")}
    assert not heard(Recordings(make_corpus(tmp_path, some), "train"), 1, hop).any()


def test_fades_begin_and_end_in_silence_and_cross_to_one(recordings: Recordings) -> None:
    x = heard(recordings, 5, BLOCK, fade=1280.0) / 0.5
    rise, fall = x[:1280], x[SAMPLES - 1280 : SAMPLES]
    assert float(rise[0]) < 1e-5
    assert float(x[1279]) == 1.0
    assert float(rise[639]) == pytest.approx(0.5, abs=1e-3)
    assert bool((rise.diff() >= 0).all())
    np.testing.assert_allclose(rise[:-1] + fall[1:], 1.0, atol=1e-4)
    short = heard(recordings, 5, BLOCK, fade=1e9) / 0.5
    assert float(short.max()) == pytest.approx(1.0, abs=1e-3), "a fade is at most half of what plays"
