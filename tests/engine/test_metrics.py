import json
import math
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.loop import metrics
from sightmix.engine.training.material.levels import loudness

RATE = 44_100
N = 132_300
EXPECTED = json.loads(
    (Path(__file__).parents[1] / "data" / "metrics" / "expected.json").read_text(encoding="utf-8")
)


def hashed_noise(name, count):
    """Uniform noise in ±0.5 from a name: splitmix64 of the sample's index and the name's CRC-32."""
    z = np.arange(count, dtype=np.uint64) + (np.uint64(zlib.crc32(name.encode())) << np.uint64(32))
    z += np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(float) / 2**24 - 0.5


def base(k):
    t = np.arange(N) / RATE
    tone = 0.2 * np.sin(2 * np.pi * 220 * (k + 1) * t) * (0.5 + 0.5 * np.sin(2 * np.pi * 1.5 * t + k))
    return (
        tone
        + 0.1 * np.sin(2 * np.pi * 1870 * t + 0.3 * k) * (t > 1)
        + 0.05 * hashed_noise(f"metric.noise.{k}", N)
    )


PAIRS = {
    "gain_-12dB": lambda: (base(0) * 10 ** (-12 / 20), base(0)),
    "gain_+3dB": lambda: (base(1) * 10 ** (3 / 20), base(1)),
    "other_noise": lambda: (base(2) + 0.05 * hashed_noise("metric.extra", N), base(2)),
    "different": lambda: (base(3), base(4)),
    "shift_100": lambda: (np.roll(base(0), 100), base(0)),
    "identical": lambda: (base(1), base(1)),
}


@pytest.mark.parametrize("pair", list(EXPECTED))
def test_known_answers(pair):
    found = metrics.measure(*PAIRS[pair](), matched=False)
    assert found == pytest.approx(EXPECTED[pair], rel=1e-9, abs=1e-12)


def test_single_precision_and_strided_input_make_no_difference():
    predicted, target = PAIRS["different"]()
    strided = np.stack([predicted, predicted], axis=1).astype(np.float32)[:, 0]
    found = metrics.measure(strided, target.astype(np.float32), matched=False)
    assert found == pytest.approx(EXPECTED["different"], rel=1e-4)


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_w_is_scipys_wasserstein_distance(seed):
    a, b = np.random.default_rng(seed).standard_normal((2, 1500))
    assert metrics.w_dis(a, b) == pytest.approx(wasserstein_distance(a, b), rel=1e-9)


def test_level_matching_removes_a_gain():
    target = base(0)
    found = metrics.measure(target * 0.25, target)
    assert found["MAG"] > 0.1
    assert max(found[f"{name}_matched"] for name in metrics.NAMES) < 1e-6
    assert loudness(metrics.match_loudness(target * 0.25, target).astype(np.float32)) == pytest.approx(
        loudness(target.astype(np.float32)), abs=0.01
    )


def test_silence_is_left_as_it_is_when_matching():
    silent = np.zeros(N)
    assert metrics.match_loudness(silent, base(0)) is silent
    assert metrics.measure(silent, silent)["MAG_matched"] == 0.0


def test_si_sdr_ignores_scale_and_measures_noise():
    rng = np.random.default_rng(0)
    x, n = rng.standard_normal((2, 50_000))
    n -= np.dot(n, x) / np.dot(x, x) * x
    n *= np.linalg.norm(x) / np.linalg.norm(n) * 10 ** (-12 / 20)
    assert metrics.si_sdr(x + n, x) == pytest.approx(12.0, abs=1e-6)
    assert metrics.si_sdr(5 * (x + n), x) == pytest.approx(12.0, abs=1e-6)
    assert metrics.si_sdr(-3 * x, x) == math.inf
    assert math.isnan(metrics.si_sdr(x, np.zeros_like(x)))
    assert metrics.si_sdr(np.zeros_like(x), x) == -math.inf


def test_improvement_is_the_share_of_the_distance_gone():
    found = metrics.improvement(
        {"MAG": 0.2, "ENV": 0.1, "W": 0.0}, {"MAG": 0.05, "ENV": 0.12, "W": 0.0, "x": 1.0}
    )
    assert found["MAG"] == pytest.approx(75.0)
    assert found["ENV"] == pytest.approx(-20.0)
    assert math.isnan(found["W"])
    assert set(found) == {"MAG", "ENV", "W"}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros(5000), np.zeros(5001)),
        (np.zeros((2, 5000)), np.zeros((2, 5000))),
        (np.zeros(9), np.zeros(9)),
    ],
)
def test_signals_that_cannot_be_compared_are_refused(a, b):
    with pytest.raises(TrainingError, match="two mono signals of the same length"):
        metrics.measure(a, b)
