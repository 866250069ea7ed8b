"""The loudness stage: one gain, a true-peak ceiling, nothing half-written."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.errors import Cancelled, MediaError, SettingsError
from sightmix.engine.highlight.finish import finish
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.reader import probe
from sightmix.engine.media.writer import Bext, WavWriter
from sightmix.engine.passage import GainCurves, Rendition
from sightmix.engine.progress import Progress, Step
from sightmix.engine.roles import STEMS

RATE = 48_000
STAMP = 3600 * RATE + 17


def rendered(
    folder: Path,
    x: np.ndarray,
    stems: bool = False,
    subtype: str = "PCM_24",
    layout: Layout | None = None,
) -> Rendition:
    """A rendition of `x` (channels, samples), with stems that sum to it."""
    parts = {"speech": 0.5 * x, "music": 0.3 * x, "effects": x - 0.5 * x - 0.3 * x} if stems else {}
    for name, part in {"a": x, **{f"a.{stem}": part for stem, part in parts.items()}}.items():
        bext = Bext(description="a", originator="sightmix", time_reference=STAMP)
        path = folder / f"{name}.wav"
        with WavWriter(path, RATE, x.shape[0], subtype=subtype, bext=bext, layout=layout) as writer:
            writer.write(part.astype(np.float32))
    figures = measure(x.astype(np.float32), RATE)
    return Rendition(
        identifier="a",
        path=folder / "a.wav",
        start=Fraction(0),
        samples=x.shape[1],
        sample_rate=RATE,
        channels=x.shape[0],
        before=figures,
        after=figures,
        gains=GainCurves((0.0,), {stem: (0.0,) for stem in STEMS}),
        stems={stem: folder / f"a.{stem}.wav" for stem in parts},
        stem_levels={stem: (-20.0, -20.0) for stem in parts},
        warnings=("first",),
    )


def noise(seconds: float = 2.0, level: float = 0.05, channels: int = 2) -> np.ndarray:
    x = np.random.default_rng(3).standard_normal((channels, int(RATE * seconds))) * level
    return np.clip(x, -0.99, 0.99).astype(np.float32)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_gain_is_a_gain_and_nothing_else(tmp_path: Path, out: Path) -> None:
    x = noise()
    done = finish(rendered(tmp_path, x), 6.0, -1.0, out, Progress())
    assert done.path == out / "a.wav"
    assert done.makeup_db == 6.0
    info = sf.info(done.path)
    assert (info.subtype, info.samplerate, info.channels, info.frames) == ("PCM_24", RATE, 2, x.shape[1])
    np.testing.assert_allclose(sf.read(done.path)[0].T, x * 10 ** (6 / 20), atol=2**-22)
    assert done.after.integrated == pytest.approx(done.before.integrated + 6.0, abs=0.02)
    assert done.warnings == ("first",)


def test_without_gain_and_below_the_ceiling_every_bit_stays(tmp_path: Path, out: Path) -> None:
    rendition = rendered(tmp_path, noise())
    done = finish(rendition, 0.0, -1.0, out, Progress())
    np.testing.assert_array_equal(sf.read(done.path)[0], sf.read(rendition.path)[0])


def test_the_ceiling_holds_between_the_samples_too(tmp_path: Path, out: Path) -> None:
    t = np.arange(RATE) / RATE
    x = 0.7 * np.sin(2 * np.pi * RATE / 4 * t + np.pi / 4)[None]  # peaks lie between samples
    done = finish(rendered(tmp_path, x), 6.0, -1.0, out, Progress())
    assert done.after.true_peak <= -1.0 + 0.05
    assert done.samples == x.shape[1]
    assert any("lowered the highest peak by" in warning for warning in done.warnings)


def test_float_renditions_above_full_scale_come_back_unclipped(tmp_path: Path, out: Path) -> None:
    t = np.arange(RATE) / RATE
    x = (2.0 * np.sin(2 * np.pi * 440 * t))[None]
    done = finish(rendered(tmp_path, x, subtype="FLOAT"), -12.0, -1.0, out, Progress())
    assert sf.info(done.path).subtype == "PCM_24"
    np.testing.assert_allclose(sf.read(done.path)[0], x[0] * 10 ** (-12 / 20), atol=1e-6)


def test_stems_get_the_gain_alone_and_still_sum(tmp_path: Path, out: Path) -> None:
    x = noise(level=0.2)
    done = finish(rendered(tmp_path, x, stems=True), 6.0, -3.0, out, Progress(), "b")
    assert sorted(p.name for p in out.iterdir()) == ["b.effects.wav", "b.music.wav", "b.speech.wav", "b.wav"]
    total = sum(sf.read(path)[0] for path in done.stems.values())
    np.testing.assert_allclose(total.T, x * 10 ** (6 / 20), atol=1e-6)
    assert done.stem_levels["music"] == (-20.0, -14.0)
    assert any("stems are not limited" in warning for warning in done.warnings)


def test_a_stem_above_full_scale_is_kept_in_floats(tmp_path: Path, out: Path) -> None:
    x = noise(level=0.2)
    done = finish(rendered(tmp_path, x, stems=True), 14.0, -3.0, out, Progress())
    assert sf.info(done.stems["speech"]).subtype == "FLOAT"
    total = sum(sf.read(path)[0] for path in done.stems.values())
    np.testing.assert_allclose(total.T, x * 10 ** (14 / 20), atol=1e-5)


def test_the_time_stamp_goes_along(tmp_path: Path, out: Path) -> None:
    done = finish(rendered(tmp_path, noise()), 1.0, -1.0, out, Progress())
    assert probe(done.path).timecode == Fraction(STAMP, RATE)


def test_it_can_write_over_what_it_reads(tmp_path: Path) -> None:
    x = noise()
    done = finish(rendered(tmp_path, x), -6.0, -1.0, tmp_path, Progress())
    np.testing.assert_allclose(sf.read(done.path)[0].T, x * 10 ** (-6 / 20), atol=2**-22)


def test_silence_stays_silence(tmp_path: Path, out: Path) -> None:
    done = finish(rendered(tmp_path, np.zeros((1, RATE), np.float32)), 20.0, -1.0, out, Progress())
    assert done.after.integrated == -math.inf
    assert not sf.read(done.path)[0].any()


@pytest.mark.parametrize(("gain", "ceiling"), [(math.nan, -1.0), (math.inf, -1.0), (0.0, -math.inf)])
def test_impossible_figures_are_refused(tmp_path: Path, out: Path, gain: float, ceiling: float) -> None:
    with pytest.raises(SettingsError, match="not possible"):
        finish(rendered(tmp_path, noise()), gain, ceiling, out, Progress())


def test_progress_counts_the_seconds_done_up_to_all(tmp_path: Path, out: Path) -> None:
    steps: list[Step] = []
    finish(rendered(tmp_path, noise(3.0)), 3.0, -1.0, out, Progress(steps.append))
    figures = [(step.done, step.total) for step in steps if step.stage == "finish"]
    assert len(figures) > 1
    assert figures == sorted(figures)
    assert {total for _, total in figures} == {3.0}
    assert figures[-1] == (3.0, 3.0)


def test_cancel_leaves_nothing_behind(tmp_path: Path, out: Path) -> None:
    rendition = rendered(tmp_path, noise(4.0))
    progress = Progress()
    progress.observe = lambda step: progress.cancel()
    with pytest.raises(Cancelled):
        finish(rendition, 3.0, -1.0, out, progress)
    assert not list(out.iterdir())


def test_a_missing_rendition_is_a_media_error(tmp_path: Path, out: Path) -> None:
    rendition = rendered(tmp_path, noise())
    rendition.path.unlink()
    with pytest.raises(MediaError, match="does not exist"):
        finish(rendition, 3.0, -1.0, out, Progress())
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "name", ["2.1", "3.1", "quad(side)", "4.0", "4.1", "5.1(side)", "6.0", "6.1", "7.0", "7.1.2", "7.1.4"]
)
def test_the_layout_stays(tmp_path: Path, out: Path, name: str) -> None:
    layout = Layout.named(name)
    x = noise(1.0, channels=layout.channels)
    done = finish(rendered(tmp_path, x, stems=True, layout=layout), -3.0, -1.0, out, Progress())
    for path in (done.path, *done.stems.values()):
        assert probe(path).audio[0].layout == layout
    assert done.after.integrated == pytest.approx(measure(x, RATE, layout).integrated - 3, abs=0.02)
