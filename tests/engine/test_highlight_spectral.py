"""The spectrogram front end: what networks see, masks at any rate, gain ramps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.highlight import spectral_torch
from sightmix.engine.highlight.config import HOP, MODEL_RATE, N_FFT
from sightmix.engine.highlight.spectral import (
    FrequencyMap,
    GainRamps,
    MaskedStems,
    hann,
    magnitudes,
    transform_size,
)


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


@pytest.mark.parametrize("rate", [MODEL_RATE, 48_000])
def test_a_curve_that_is_held_whole_is_read_in_blocks_as_it_is_at_once(rate: int) -> None:
    curve = np.random.default_rng(1).uniform(-20, 20, 300).astype(np.float32)
    ramps = GainRamps(rate, 1)
    ramps.extend(curve[None])
    sizes = (1, 511, 3, 7000, 1, 200_000, 150_000, 5000)
    parts = [ramps.pull(n) for n in sizes]
    place = (np.arange(sum(sizes)) * (MODEL_RATE / rate) - HOP / 2) / HOP
    wanted = 10 ** (np.interp(place, np.arange(300), curve) / 20)
    np.testing.assert_allclose(np.concatenate(parts, axis=1)[0], wanted, rtol=1e-6)


def test_a_window_is_periodic() -> None:
    assert np.allclose(hann(8), [0, 0.146447, 0.5, 0.853553, 1, 0.853553, 0.5, 0.146447], atol=1e-6)


def test_a_full_scale_tone_has_a_quarter_of_the_window_as_its_magnitude() -> None:
    """A sine in the middle of bin 100: half its amplitude times the window's sum, 1024, and half of that beside it."""
    tone = np.sin(2 * np.pi * 100 / N_FFT * np.arange(20 * HOP)).astype(np.float32)
    seen = magnitudes(tone)
    assert seen.shape == (2048, 20)
    assert np.allclose(seen[99:102, 5:15].T, [512, 1024, 512], atol=0.1)
    assert seen[104:, 5:15].max() < 0.1


@pytest.mark.parametrize(("rate", "size"), [(8000, 1024), (600, 64), (100, 64), (384_000, 32_768)])
def test_transform_size_at_odd_rates(rate: int, size: int) -> None:
    assert transform_size(rate) == size


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_masks_are_read_at_their_frequencies(rate: int) -> None:
    """Linearly between the model's bins of 10.77 Hz; the highest holds for what lies beyond."""
    masks = np.random.default_rng(0).random((2, 3, 2048)).astype(np.float32)
    hertz = np.arange(transform_size(rate) // 2 + 1) * rate / transform_size(rate)
    bins = np.arange(2048) * MODEL_RATE / N_FFT
    wanted = np.stack([[np.interp(hertz, bins, row) for row in rows] for rows in masks])
    read = FrequencyMap(rate)(masks)
    assert read.shape == wanted.shape
    assert np.abs(read - wanted).max() < 1e-5


def masked_plainly(rate: int, sound: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """What `MaskedStems` promises, over the whole sound at once: (S, C, n).

    Frames of the transform lie a quarter of it apart, frame j centred at (j - 3/2) quarters; masks are read at its time
    and frequencies, and hold at both ends; squared windows sum to 3/2.
    """
    size = transform_size(rate)
    hop, samples = size // 4, sound.shape[1]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    hertz, bins = np.arange(size // 2 + 1) * rate / size, np.arange(2048) * MODEL_RATE / N_FFT
    out = np.zeros((len(masks), len(sound), samples + 2 * size))
    padded = np.pad(sound.astype(np.float64), ((0, 0), (size, size)))
    for j in range(samples // hop + 6):
        centre = (j - 1.5) * hop
        place = np.clip((centre / rate * MODEL_RATE - 512) / HOP, 0, masks.shape[2] - 1)
        low = int(place)
        high = min(low + 1, masks.shape[2] - 1)
        rows = masks[:, :, low] + (place - low) * (masks[:, :, high] - masks[:, :, low])
        first = int(centre - size / 2) + size
        if first < 0 or first + size > padded.shape[1]:
            continue
        spectrum = np.fft.rfft(padded[:, first : first + size] * window)
        for s, row in enumerate(rows):
            shaped = np.fft.irfft(spectrum * np.interp(hertz, bins, row), size)
            out[s, :, first : first + size] += shaped * window / 1.5
    return out[:, :, size : size + samples]


@pytest.mark.parametrize(
    ("rate", "block"), [(44_100, 3000), (48_000, 7000), (22_050, 1500), (96_000, 20_000)]
)
def test_masks_are_applied_as_promised_to_the_last_sample(rate: int, block: int) -> None:
    sound = noise(2, rate // 2 + 333)
    masks = np.random.default_rng(1).random((2, 2048, int(0.5 * MODEL_RATE / HOP) + 1)).astype(np.float32)
    dry, wet = stream(rate, sound, masks, [block])
    assert np.array_equal(dry, sound)
    assert np.abs(wet - masked_plainly(rate, sound, masks)).max() < 1e-6


def test_sound_comes_as_early_as_windows_and_masks_allow_and_is_not_hoarded() -> None:
    """At 44.1 kHz a sample is complete once the last of its four windows is, and that window's mask is there."""
    mixer = MaskedStems(MODEL_RATE, 1, 1)
    assert mixer.pull()[0].shape == (1, 0)
    mixer.push(noise(1, 20 * HOP))
    assert mixer.pull()[0].shape == (1, 0)
    mixer.extend(np.ones((1, 2048, 10), np.float32))
    dry, wet = mixer.pull()
    # Frame 11 of the transform is centred where mask frame 9 is; what is before its successor's start is complete.
    assert dry.shape[1] == wet.shape[2] == 12 * HOP - 7 * HOP // 2
    mixer.extend(np.ones((1, 2048, 10), np.float32))
    assert mixer.pull()[0].shape[1] + dry.shape[1] == 20 * HOP - 7 * HOP // 2
    rest, _ = mixer.pull(last=True)
    assert rest.shape[1] == 7 * HOP // 2


@pytest.mark.parametrize("rate", [32_000, 44_100, 48_000])
def test_ramps_are_read_alike_however_they_come(rate: int) -> None:
    """Handed over bit by bit, as windows become final, and asked for in blocks."""
    curve = np.random.default_rng(2).uniform(-9, 9, (2, 60)).astype(np.float32)
    samples = int(60 * HOP / MODEL_RATE * rate)
    places = (np.arange(samples) / rate * MODEL_RATE - 512) / HOP
    wanted = np.stack([10 ** (np.interp(places, np.arange(60), row) / 20) for row in curve])
    ramps, done, parts = GainRamps(rate, 2), 0, []
    for frames in range(10, 61, 5):
        ramps.extend(curve[:, frames - 10 if frames == 10 else frames - 5 : frames])
        upto = samples if frames == 60 else int((frames - 1) * HOP / MODEL_RATE * rate)
        parts += [ramps.pull(n) for n in (0, (upto - done) // 3, upto - done - (upto - done) // 3)]
        done = upto
    assert np.abs(np.concatenate(parts, 1) - wanted).max() < 1e-5
    assert parts[0].shape == (2, 0)


def held(part: object) -> int:
    """Bytes of the arrays that something keeps between blocks."""
    return sum(value.nbytes for value in vars(part).values() if isinstance(value, np.ndarray))


def test_memory_does_not_grow_with_what_has_passed() -> None:
    mixer, ramps = MaskedStems(48_000, 1, 1), GainRamps(48_000, 2)
    sizes = []
    for _ in range(4):
        mixer.push(noise(1, 48_000))
        mixer.extend(np.ones((1, 2048, 43), np.float32))
        ramps.extend(np.zeros((2, 43), np.float32))
        ramps.pull(mixer.pull()[0].shape[1])
        sizes.append((held(mixer), held(ramps)))
    # 48 kHz moves on by 43.07 frames a second, so that what waits grows by a frame at most.
    assert sizes[3][0] <= sizes[0][0] + 40_000
    assert sizes[3][1] <= sizes[0][1] + 64


# The same in torch ------------------------------------------------------------------------------------


def test_training_hears_what_rendering_makes() -> None:
    """Ramps and masks in torch are those of the stream at the model's own rate."""
    rng = np.random.default_rng(4)
    sound = noise(2, 30 * HOP - 100, seed=5)
    masks, gains = rng.random((2, 3, 2048, 30)).astype(np.float32), rng.uniform(-9, 9, (2, 3, 30))
    masks[:, :, 2040:] = 0
    spectrum = spectral_torch.stft(torch.from_numpy(sound))
    stems = spectral_torch.apply_masks(spectrum, torch.from_numpy(masks), sound.shape[1]).numpy()
    linear = spectral_torch.gain_ramps(torch.from_numpy(gains), sound.shape[1]).numpy()
    assert stems.shape == linear.shape == (2, 3, sound.shape[1])
    for item in range(2):
        _, wet = stream(MODEL_RATE, sound[item : item + 1], masks[item], [7000])
        inside = slice(4096, -4096)
        assert np.abs(wet[:, 0, inside] - stems[item, :, inside]).max() < 5e-6
        ramps = GainRamps(MODEL_RATE, 3)
        ramps.extend(gains[item].astype(np.float32))
        apart = 20 * np.log10(ramps.pull(sound.shape[1]) / linear[item])
        assert np.abs(apart).max() < 18 / 2 / HOP + 1e-4  # torch's lines lie half a sample earlier


def test_the_inverse_keeps_the_numbers_it_is_given() -> None:
    x = torch.from_numpy(noise(1, 9 * HOP)).double()
    z = spectral_torch.stft(x)
    assert z.dtype == torch.complex128
    assert spectral_torch.istft(z, 9 * HOP).dtype == torch.float64


def test_visah_sounds_of_its_mask_and_its_waveform() -> None:
    x = torch.from_numpy(noise(2, 20 * HOP))
    z, wave = spectral_torch.stft(x), torch.from_numpy(noise(2, 21 * HOP, seed=3))
    mask = torch.rand(2, 1, 2048, 20)
    wanted = spectral_torch.istft(mask[:, 0] * z, 20 * HOP - 7, edges="demucs") + wave[:, : 20 * HOP - 7]
    torch.testing.assert_close(spectral_torch.render_visah(mask, wave, z, 20 * HOP - 7), wanted)
