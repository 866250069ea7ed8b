"""From a package's sound file to clean training material: decoded, mono, 44.1 kHz, silence cut, measured."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

SAMPLE_RATE = 44_100
SOUND_SUFFIXES = frozenset({".ogg", ".oga", ".opus", ".wav", ".flac", ".mp3", ".g722", ".gsm", ".sb"})
Sound = NDArray[np.float32]


class UnusableError(Exception):
    """Why one file is left out; it becomes a warning in the manifest."""


def _decode(data: bytes, suffix: str) -> tuple[Sound, int]:
    """Mono float32 samples and their rate; libsndfile first, FFmpeg for what it does not know."""
    try:
        sound, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        return sound.mean(axis=1, dtype=np.float32), int(rate)
    except (soundfile.LibsndfileError, RuntimeError):
        return _decode_av(data, suffix)


def _decode_av(data: bytes, suffix: str) -> tuple[Sound, int]:
    import av  # training from a corpus that is built decodes nothing and does without FFmpeg

    demuxer = {".g722": "g722", ".gsm": "gsm", ".sb": "mp3"}.get(suffix)
    blocks: list[Sound] = []
    try:
        with av.open(io.BytesIO(data), mode="r", format=demuxer) as container:
            rate = 0
            for frame in container.decode(audio=0):
                plane = _as_float(frame.to_ndarray())
                channels = len(frame.layout.channels)
                mono = plane.reshape(-1, channels).mean(axis=1) if plane.shape[0] == 1 else plane.mean(axis=0)
                blocks.append(mono.astype(np.float32))
                rate = frame.sample_rate
    except (av.FFmpegError, IndexError, ValueError) as fault:
        raise UnusableError(f"cannot be decoded ({fault})") from None
    if not blocks:
        raise UnusableError("holds no sound")
    return np.concatenate(blocks), rate


def _as_float(plane: NDArray[Any]) -> NDArray[Any]:
    if plane.dtype == np.uint8:
        return (plane.astype(np.float32) - 128) / 128
    if np.issubdtype(plane.dtype, np.integer):
        return plane.astype(np.float32) / np.float32(-float(np.iinfo(plane.dtype).min))
    return plane


def trim_silence(sound: Sound, sample_rate: int = SAMPLE_RATE, below_peak_db: float = 50.0) -> Sound:
    """Cut what is more than `below_peak_db` under the loudest 10 ms (and under −70 dBFS in any case) at both ends.

    `sound` has shape `(samples,)`; 30 ms are left at each cut, faded over 5 ms so that no click is made.
    """
    hop = sample_rate // 100
    frames = -(-sound.size // hop)
    padded = np.zeros(frames * hop, dtype=np.float32)
    padded[: sound.size] = sound
    power = np.mean(padded.reshape(frames, hop) ** 2, axis=1)
    floor = max(float(power.max(initial=0.0)) * 10 ** (-below_peak_db / 10), 1e-7)
    loud = np.flatnonzero(power >= floor)
    if loud.size == 0:
        return sound[:0]
    first = max(0, int(loud[0]) * hop - 3 * hop)
    last = min(sound.size, (int(loud[-1]) + 1) * hop + 3 * hop)
    kept = sound[first:last].copy()
    fade = min(sample_rate // 200, kept.size // 2)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    if first > 0:
        kept[:fade] *= ramp
    if last < sound.size:
        kept[kept.size - fade :] *= ramp[::-1]
    return kept


def bandwidth(sound: Sound, sample_rate: int = SAMPLE_RATE, below_peak_db: float = 80.0) -> float:
    """The highest frequency (Hz) whose mean power lies within `below_peak_db` of the strongest one's.

    Unlike a percentage of the energy it does not follow the music's own tilt: it finds where a narrow-band
    source stops. `sound` has shape `(samples,)`.
    """
    size = 2048
    frames = max(1, sound.size // size)
    padded = np.zeros(frames * size, dtype=np.float32)
    usable = min(sound.size, padded.size)
    padded[:usable] = sound[:usable]
    window = np.hanning(size).astype(np.float32) ** 2
    chosen = padded.reshape(frames, size)[:: max(1, frames // 512)]
    power = np.mean(np.abs(np.fft.rfft(chosen * window, axis=1)) ** 2, axis=0)
    strong = np.flatnonzero(power >= power.max() * 10 ** (-below_peak_db / 10))
    return float((int(strong[-1]) + 1) * sample_rate / size) if power.max() > 0 else 0.0


def prepare(data: bytes, suffix: str, shortest_s: float, longest_s: float | None = None) -> Sound:
    """From a file's bytes to clean mono 44.1 kHz float32 `(samples,)`: decoded, DC removed, resampled, trimmed.

    Too loud a sound is scaled to a peak of 0.999; raises `UnusableError` for what is broken, silent or too short.
    """
    sound, rate = _decode(data, suffix)
    if not 4_000 <= rate <= 384_000 or not np.isfinite(sound).all():
        raise UnusableError("has an impossible sample rate or samples that are not numbers")
    if longest_s is not None:
        sound = sound[: int(longest_s * rate)]
    if sound.size < shortest_s * rate:
        raise UnusableError("is too short")
    sound = sound - np.float32(sound.mean(dtype=np.float64))
    if rate != SAMPLE_RATE:
        sound = soxr.resample(sound, rate, SAMPLE_RATE, quality="HQ").astype(np.float32)
    sound = trim_silence(sound)
    if sound.size < shortest_s * SAMPLE_RATE:
        raise UnusableError("is too short once its silence is cut")
    if rms_db(sound) < -60:
        raise UnusableError("is all but silent")
    peak = float(np.abs(sound).max())
    return sound * np.float32(0.999 / peak) if peak > 0.999 else sound


def rms_db(sound: Sound) -> float:
    """Level of `sound` in dBFS (a full-scale square wave is 0)."""
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-20))
