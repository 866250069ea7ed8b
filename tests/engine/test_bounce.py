"""Stems under their gain curves: what is written, sample by sample, and what is measured of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.highlight.bounce import Bounce, Source, bounce, grid_times
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.writer import Subtype, WavWriter
from sightmix.engine.progress import Progress

RATE, SAMPLES = 48_000, 30_000
STEREO = Layout.of_count(2)


def noise(seed: int, amplitude: float) -> np.ndarray:
    found: np.ndarray = (
        np.random.default_rng(seed).uniform(-amplitude, amplitude, (SAMPLES, 2)).astype(np.float32)
    )
    return found


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, np.ndarray]:
    """Speech, music, and the sum of them with effects, as files of floats."""
    speech, music, effects = noise(1, 0.1), noise(2, 0.05), noise(3, 0.2)
    sounds = {"speech": speech, "music": music, "effects": effects, "all": speech + music + effects}
    for name, sound in sounds.items():
        sf.write(tmp_path / f"{name}.wav", sound, RATE, "FLOAT")
    return sounds


def bounced(
    folder: Path, gains: tuple[float, float, float], whole: bool
) -> tuple[Any, dict[str, np.ndarray]]:
    """What came of steady gains in dB, and the sounds written, of a clip whose effects are what the others leave."""
    curves = np.repeat(np.array([gains], np.float32).T, grid_times(SAMPLES, RATE).size, axis=1)
    last = Source("effects", folder / ("all.wav" if whole else "effects.wav"), 0)
    sources = (Source("speech", folder / "speech.wav", 0), Source("music", folder / "music.wav", 0), last)
    what = Bounce("clip", sources, curves, RATE, SAMPLES, STEREO, whole)
    stems = {stem: folder / f"out_{stem}.wav" for stem in ("speech", "music", "effects")}

    def writer(path: Path, subtype: Subtype) -> WavWriter:
        return WavWriter(path, RATE, 2, subtype=subtype)

    made = bounce(what, writer, folder / "out.wav", stems, Progress())
    paths = {"mix": folder / "out.wav", **stems}
    return made, {name: sf.read(path, dtype="float64")[0] for name, path in paths.items()}


@pytest.mark.parametrize("whole", [True, False])
def test_each_stem_is_heard_at_its_own_gain(
    tmp_path: Path, parts: dict[str, np.ndarray], whole: bool
) -> None:
    gains = (3.0, -6.0, -12.0)
    made, written = bounced(tmp_path, gains, whole)
    expected = {name: parts[name] * 10 ** (db / 20) for name, db in zip(parts, gains, strict=False)}
    for name, sound in expected.items():
        assert written[name] == pytest.approx(sound, abs=2**-22)
    assert written["mix"] == pytest.approx(sum(expected.values()), abs=2**-22)
    assert made.after.integrated == pytest.approx(
        measure(written["mix"].T.astype(np.float32), RATE).integrated, abs=0.01
    )
    assert made.before.integrated == pytest.approx(measure(parts["all"].T, RATE).integrated, abs=0.01)


def test_no_gains_leave_every_sample_as_it_was(tmp_path: Path, parts: dict[str, np.ndarray]) -> None:
    _, written = bounced(tmp_path, (0.0, 0.0, 0.0), whole=True)
    assert np.array_equal(written["mix"], np.round(parts["all"].astype(np.float64) * 2**23) / 2**23)
