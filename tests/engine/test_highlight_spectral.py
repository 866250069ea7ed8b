"""The spectrogram front end: what networks see, masks at any rate, gain ramps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.highlight import spectral_torch
from sightmix.engine.highlight.config import HOP, MODEL_RATE, N_FFT
from sightmix.engine.highlight.spectral import GainRamps, MaskedStems, magnitudes, transform_size


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def test_front_end_is_the_centred_transform_of_the_specification() -> None:
    """Reflect 1536 left and up to a whole hop right, centred STFT, first and last two frames and Nyquist dropped."""
    x = torch.from_numpy(noise(2, 50_000))
    frames = -(-50_000 // HOP)
    padded = torch.nn.functional.pad(x[:, None], (1536, 1536 + frames * HOP - 50_000), mode="reflect")[:, 0]
    window = torch.hann_window(N_FFT)
    full = torch.stft(padded, N_FFT, HOP, window=window, center=True, pad_mode="reflect", return_complex=True)
    wanted = full[:, :-1, 2 : 2 + frames]
    torch.testing.assert_close(spectral_torch.stft(x), wanted)
    torch.testing.assert_close(
        torch.from_numpy(magnitudes(x[0].numpy())), wanted[0].abs(), rtol=1e-4, atol=1e-4
    )


def test_inverse_of_the_specification() -> None:
    x = torch.from_numpy(noise(1, 60_000))
    z = spectral_torch.stft(x)
    padded = torch.nn.functional.pad(z, (2, 2, 0, 1))
    length = HOP * z.shape[-1] + 2 * 1536
    wanted = torch.istft(padded, N_FFT, HOP, window=torch.hann_window(N_FFT), center=True, length=length)
    torch.testing.assert_close(
        spectral_torch.istft(z, 60_000, edges="demucs"), wanted[:, 1536 : 1536 + 60_000], rtol=1e-5, atol=1e-6
    )


def test_exact_inverse_reaches_the_ends() -> None:
    t = np.arange(60_000) / MODEL_RATE
    x = torch.from_numpy((0.3 * np.sin(2 * np.pi * 1000 * t))[None].astype(np.float32))
    back = spectral_torch.istft(spectral_torch.stft(x), 60_000)
    assert float((back - x).abs().max()) < 1e-3  # the dropped Nyquist bin of a tone's cut ends
    assert float((back - x)[:, 4096:-4096].abs().max()) < 1e-6


def masks_for(rate: int, samples: int, signals: int = 3) -> np.ndarray:
    frames = int(samples / rate * MODEL_RATE / HOP) + 2
    masks = np.random.default_rng(3).random((signals, 2048, frames)).astype(np.float32)
    return masks / masks.sum(0)


def stream(
    rate: int, sound: np.ndarray, masks: np.ndarray, sizes: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Push blocks of cycling sizes, handing over mask frames only once the sound has passed them."""
    mixer = MaskedStems(rate, sound.shape[0], masks.shape[0])
    dry, wet = [], []
    at = given_frames = turn = 0
    while at < sound.shape[1]:
        size = sizes[turn % len(sizes)]
        turn += 1
        mixer.push(sound[:, at : at + size])
        at += size
        ready = min(masks.shape[2], int(min(at, sound.shape[1]) / rate * MODEL_RATE / HOP))
        mixer.extend(masks[:, :, given_frames:ready])
        given_frames = ready
        d, w = mixer.pull()
        dry.append(d)
        wet.append(w)
    mixer.extend(masks[:, :, given_frames:])
    d, w = mixer.pull(last=True)
    return np.concatenate([*dry, d], axis=1), np.concatenate([*wet, w], axis=2)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000, 44100, 48000, 96000, 192000])
def test_stems_sum_to_the_mix_at_every_rate(rate: int) -> None:
    sound = noise(2, rate * 2 + 77)
    dry, wet = stream(rate, sound, masks_for(rate, sound.shape[1]), [10_000])
    assert np.array_equal(dry, sound)
    assert 20 * np.log10(np.abs(wet.sum(0) - sound).max()) < -120


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=4), st.sampled_from([44100, 48000]))
def test_block_sizes_do_not_matter(sizes: list[int], rate: int) -> None:
    sound = noise(1, rate)
    masks = masks_for(rate, sound.shape[1], 2)
    sizes = [max(size, 2000) for size in sizes]
    _, whole = stream(rate, sound, masks, [sound.shape[1]])
    dry, wet = stream(rate, sound, masks, sizes)
    assert np.array_equal(dry, sound)
    assert np.abs(wet - whole).max() <= 1e-6


def test_masks_at_the_models_own_rate_are_used_as_they_are() -> None:
    x = noise(1, 40 * HOP)
    masks = masks_for(MODEL_RATE, 40 * HOP, 1)[:, :, :40]
    masks[:, 1800:] = 0  # the reference drops the Nyquist bin, so keep away from it
    _, wet = stream(MODEL_RATE, x, masks, [5000])
    wanted = spectral_torch.apply_masks(
        spectral_torch.stft(torch.from_numpy(x)), torch.from_numpy(masks)[None], x.shape[1]
    )[0].numpy()
    inside = slice(4096, -4096)
    assert np.abs(wet[0, :, inside] - wanted[:, inside]).max() < 2e-6


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_a_mask_band_lies_at_the_same_frequencies_at_every_rate(rate: int) -> None:
    t = np.arange(2 * rate) / rate
    low, high = np.sin(2 * np.pi * 500 * t), np.sin(2 * np.pi * 4000 * t)
    masks = np.zeros((1, 2048, 90), np.float32)
    masks[:, : round(2000 / (MODEL_RATE / N_FFT))] = 1
    _, wet = stream(rate, (0.2 * (low + high))[None].astype(np.float32), masks, [30_000])
    assert np.abs(wet[0, 0] - 0.2 * low)[rate // 2 : -rate // 2].max() < 1e-4


@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_mask_opens_at_its_time(rate: int) -> None:
    """A mask that opens at frame 43 lets sound through from that frame's centre on, to within a window."""
    masks = np.zeros((1, 2048, 90), np.float32)
    masks[:, :, 43:] = 1
    _, wet = stream(rate, np.ones((1, 2 * rate), np.float32) * 0.1, masks, [rate])
    middle = np.argmax(wet[0, 0] > 0.05) / rate
    assert abs(middle - (43 * HOP) / MODEL_RATE) < HOP / MODEL_RATE


def test_transform_size_keeps_its_duration() -> None:
    assert [transform_size(r) for r in (11025, 22050, 44100, 48000, 88200, 96000, 192000)] == [
        1024,
        2048,
        4096,
        4096,
        8192,
        8192,
        16384,
    ]


def test_ramps_are_straight_in_db_and_exactly_one_at_zero() -> None:
    ramps = GainRamps(MODEL_RATE, 2)
    ramps.extend(np.stack([np.zeros(20), np.arange(20.0)]).astype(np.float32))
    parts = [ramps.pull(n) for n in (1, 700, 5000, 9000)]
    gains = np.concatenate(parts, axis=1)
    assert (gains[0] == 1).all()
    db = 20 * np.log10(gains[1])
    at = np.arange(gains.shape[1])
    wanted = np.clip((at - 512) / HOP, 0, 19)
    assert np.abs(db - wanted).max() < 1e-4


def test_ramps_keep_time_at_other_rates() -> None:
    ramps = GainRamps(48_000, 1)
    ramps.extend(np.arange(200.0)[None].astype(np.float32))
    db = 20 * np.log10(np.concatenate([ramps.pull(48_000) for _ in range(4)], axis=1)[0])
    second = (np.arange(1, 4) * MODEL_RATE - 512) / HOP
    assert np.allclose(db[48_000::48_000], second, atol=1e-3)
