"""The shipped model on small programmes: deaf to level, harmless to what is clean, of use where dialogue is buried."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from job_helpers import RATE, write
from sightmix.engine.edit import keyframes
from sightmix.engine.highlight.listening import LANES, Score
from sightmix.engine.highlight.rebalance import Rebalancer
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.resample import resample
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.results import JobResult
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline
from test_programme_jobs import audible, edit_of, loudness, reel

ROOT = Path(__file__).parents[2]
SECONDS = 12


def recording(path: Path, seconds: float, lufs: float, start: float = 0.0) -> np.ndarray:
    """Mono sound (samples,) of a recording at 48 kHz, repeated until it is long enough, at a loudness."""
    x, rate = sf.read(path, always_2d=True, dtype="float32")
    mono = resample(x.mean(axis=1)[None], rate, RATE)[0]
    count = round(seconds * RATE)
    long: np.ndarray = np.tile(mono, -(-count // mono.size))[round(start * RATE) :][:count]
    level = measure(long[None], RATE).integrated
    return (long * 10 ** ((lufs - level) / 20)).astype(np.float32)


def voice(lufs: float) -> np.ndarray:
    return recording(ROOT / "examples/bbb/voice.flac", SECONDS, lufs)


def music(lufs: float) -> np.ndarray:
    return recording(ROOT / "tests/data/sounds/music.ogg", SECONDS, lufs)


@pytest.fixture(scope="module")
def engine() -> Rebalancer:
    return Rebalancer(device="cpu", context="none", threads=1)


def score(speech: np.ndarray, song: np.ndarray) -> Score:
    def blocks() -> Iterator[np.ndarray]:
        x = np.zeros((LANES, 1, speech.size), np.float32)
        x[0, 0], x[1, 0] = speech, song
        for at in range(0, speech.size, 1 << 15):
            yield x[:, :, at : at + (1 << 15)]

    return Score("reel", RATE, speech.size, Layout.of_count(1).mono, blocks)


@pytest.mark.parametrize("db", [-12.0, 12.0])
def test_the_same_programme_at_another_level_gets_the_same_gains(engine: Rebalancer, db: float) -> None:
    speech, song = voice(-34.0), music(-26.0)
    plain = engine.listen(score(speech, song), Progress())
    factor = np.float32(10 ** (db / 20))
    moved = engine.listen(score(speech * factor, song * factor), Progress())
    assert np.ptp(plain.gains) > 1.0
    np.testing.assert_allclose(moved.gains, plain.gains, atol=0.05)
    assert moved.lufs - plain.lufs == pytest.approx(db, abs=0.01)
    loud = plain.levels > -60
    np.testing.assert_allclose((moved.levels - plain.levels)[loud], db, atol=0.01)


def job(source: Path, engine: Rebalancer, **given: Any) -> JobResult:
    settings = JobSettings(context="none", **given)
    stage = RebalanceStage(settings, engine)
    request = Job(source, source.parent / "out.otio", settings)
    return run(make_plan(request, open_timeline(source), stage), stage, Progress())


def track(folder: Path, name: str, sound: np.ndarray) -> tuple[str, float, float, float]:
    write(folder / name, np.stack([sound, sound]))
    return name, 0.0, 0.0, SECONDS


@pytest.mark.parametrize("what", ["Dialogue", "Music"])
def test_a_clean_solo_is_left_alone(tmp_path: Path, engine: Rebalancer, what: str) -> None:
    sound = voice(-26.0) if what == "Dialogue" else music(-26.0)
    result = job(reel(tmp_path, **{what: [track(tmp_path, "solo.wav", sound)]}), engine)
    [riding] = [clip.riding for clip in result.clips]
    assert riding is not None
    assert max(abs(level) for level in riding.line.db) < 0.5
    assert loudness(result.out) == pytest.approx(loudness(tmp_path / "reel.otio"), abs=0.1)


def test_a_clean_solo_that_is_taken_for_a_mix_is_left_alone(tmp_path: Path, engine: Rebalancer) -> None:
    result = job(reel(tmp_path, Mix=[track(tmp_path, "solo.wav", music(-26.0))]), engine)
    assert result.balance is not None
    assert np.abs(result.balance.gains).max() < 0.5


def test_silence_stays_silence(tmp_path: Path, engine: Rebalancer) -> None:
    silence = np.zeros(SECONDS * RATE, np.float32)
    result = job(reel(tmp_path, Dialogue=[track(tmp_path, "nothing.wav", silence)]), engine)
    assert not result.failed
    assert result.balance is None or not result.balance.gains.any()


def test_buried_dialogue_comes_up_and_its_noise_floor_does_not(tmp_path: Path, engine: Rebalancer) -> None:
    speech = voice(-36.0)
    pause = slice(5 * RATE, 8 * RATE)
    speech[pause] = 0.0
    speech += np.random.default_rng(1).normal(0, 10 ** (-80 / 20), speech.size).astype(np.float32)
    source = reel(
        tmp_path,
        Dialogue=[track(tmp_path, "take.wav", speech)],
        Music=[track(tmp_path, "song.wav", music(-24.0))],
    )
    result = job(source, engine)
    assert result.balance is not None
    common = result.balance.levelled.gain_db
    dialogue, song = (clips.clips[0].gain for clips in audible(result.out))
    assert dialogue is not None
    assert song is not None
    times = np.arange(0.5, 4.5, 0.1)
    raised = keyframes.levels(dialogue, times) - keyframes.levels(song, times)
    assert raised.mean() > 2.0, "dialogue rises over the music"
    assert keyframes.at(dialogue, Fraction(13, 2)) == pytest.approx(common, abs=0.3), (
        "not where nobody speaks"
    )
    steps = np.diff(keyframes.levels(dialogue, np.arange(0, SECONDS, 0.01))) / 0.01
    assert np.abs(steps).max() < 40.0, "dB a second: a hand on a fader"
    assert loudness(result.out) == pytest.approx(loudness(source), abs=0.1)
    assert len(edit_of(result.out).tracks) == 4
