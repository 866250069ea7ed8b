"""Twenty-four bits where they are enough, floats where they are not, in one pass."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.errors import WriteError
from sightmix.engine.media.takes import Takes
from sightmix.engine.media.writer import Subtype, WavWriter
from sightmix.engine.passage import Loudness
from wavinfo import WavInfoReader


def writer(path: Path, subtype: Subtype) -> WavWriter:
    return WavWriter(path, 48_000, 1, subtype=subtype)


def block(level: float) -> np.ndarray:
    return np.full((1, 480), level, np.float32)


@pytest.mark.parametrize(("levels", "subtype"), [((0.5, 0.9), "PCM_24"), ((0.5, 1.5), "FLOAT")])
def test_one_pass_gives_what_a_plain_writer_gives(
    tmp_path: Path, levels: tuple[float, ...], subtype: Subtype
) -> None:
    with Takes([tmp_path / "a.wav"], writer) as take:
        for level in levels:
            take.write([block(level)])
    with writer(tmp_path / "plain.wav", subtype) as plain:
        for level in levels:
            plain.write(block(level))
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "plain.wav").read_bytes()
    assert sf.info(tmp_path / "a.wav").subtype == subtype
    assert len(list(tmp_path.iterdir())) == 2, "nothing is left of the other"


def test_files_that_belong_together_are_of_one_kind(tmp_path: Path) -> None:
    with Takes([tmp_path / "a.wav", tmp_path / "b.wav"], writer) as take:
        take.write([block(0.5), block(0.5)])
        take.write([block(0.5), block(-2.0)])
        take.write([block(0.25), block(0.25)])
    assert {sf.info(tmp_path / name).subtype for name in ("a.wav", "b.wav")} == {"FLOAT"}
    assert sf.read(tmp_path / "b.wav")[0][::480].tolist() == [0.5, -2.0, 0.25]


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    with pytest.raises(WriteError), Takes([tmp_path / "a.wav"], writer) as take:
        take.write([block(float("nan"))])
    with pytest.raises(WriteError), Takes([tmp_path / "b.wav", tmp_path / "no" / "c.wav"], writer):
        pass
    assert not list(tmp_path.iterdir())


def test_the_measured_figures_go_into_the_file_that_stays(tmp_path: Path) -> None:

    for level in (0.5, 2.0):
        with Takes([tmp_path / "a.wav", tmp_path / "b.wav"], writer) as take:
            take.write([block(level), block(0.1)])
            take.set_loudness(1, Loudness(-20.0, 3.0, -1.0, -18.0, -19.0))
        assert WavInfoReader(str(tmp_path / "b.wav")).bext.loudness_value == -20.0
        assert WavInfoReader(str(tmp_path / "a.wav")).bext.loudness_value == 327.67  # not known


def test_what_passed_full_scale_once_stays_passed_and_is_whole(tmp_path: Path) -> None:
    take = Takes([tmp_path / "a.wav"], writer)
    with take:
        take.write([block(0.5)])
        assert not take.passed
        take.write([block(1.5)])
        assert take.passed
        take.write([block(0.25)])
        assert take.passed
    assert sf.read(tmp_path / "a.wav")[0][::480].tolist() == [0.5, 1.5, 0.25]


@pytest.mark.parametrize("levels", [(0.5,), (0.5, 0.5, 0.5), (2.0, 2.0, 2.0)])
def test_a_block_for_every_file_and_no_more(tmp_path: Path, levels: tuple[float, ...]) -> None:
    with (
        pytest.raises(ValueError, match="zip"),
        Takes([tmp_path / "a.wav", tmp_path / "b.wav"], writer) as take,
    ):
        take.write([block(level) for level in levels])
    assert not list(tmp_path.iterdir())
