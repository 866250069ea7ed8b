"""What a programme measures on the model's grid before the network hears it."""

from collections.abc import Iterator

import numpy as np
import pytest
from sightmix.engine.highlight.config import HOP, MODEL_RATE
from sightmix.engine.highlight.listening import Score, measured
from sightmix.engine.progress import Progress

KINDS = 7  # known speech, music, effects; separated ones; what belongs to none


def score(x: np.ndarray, block: int = 1000) -> Score:
    """A programme of sounds (7, 1, n)."""

    def blocks() -> Iterator[np.ndarray]:
        for at in range(0, x.shape[2], block):
            yield x[:, :, at : at + block]

    return Score("reel", MODEL_RATE, x.shape[2], np.ones(1, np.float32), blocks)


def sine(samples: int, amplitude: float) -> np.ndarray:
    found: np.ndarray = amplitude * np.sin(2 * np.pi * 1000.0 * np.arange(samples) / MODEL_RATE)
    return found.astype(np.float32)


@pytest.mark.parametrize("block", [1000, 10_000])
def test_levels_are_lufs_frame_by_frame_and_the_last_frame_is_filled_with_silence(block: int) -> None:
    x = np.zeros((KINDS, 1, 20 * HOP + HOP // 4), np.float32)
    x[1, 0] = sine(x.shape[2], 0.1)
    lufs, levels, unsure = measured(score(x, block), Progress())
    # A sine of 1 kHz at -20 dBFS has -23.01 LUFS (BS.1770-4).
    assert lufs == pytest.approx(-23.01, abs=0.1)
    assert levels.shape == (3, 21)
    assert levels[1, 5:20] == pytest.approx(-23.01, abs=0.1)
    assert levels[1, 20] == pytest.approx(-23.01 - 6.02, abs=0.7)
    assert levels[[0, 2]].max() <= -100
    assert not unsure.any()


def test_what_was_separated_is_unsure_by_its_share() -> None:
    x = np.zeros((KINDS, 1, 12 * HOP), np.float32)
    x[0, 0], x[3, 0], x[5, 0] = sine(12 * HOP, 0.1), sine(12 * HOP, 0.05), sine(12 * HOP, 0.2)
    _, levels, unsure = measured(score(x), Progress())
    assert unsure[0, 4:] == pytest.approx(0.2, abs=0.01)  # a quarter of the power of what is known
    assert unsure[2, 4:] == pytest.approx(1.0)
    assert levels[0, 4:] == pytest.approx(-23.01 + 0.97, abs=0.1)
