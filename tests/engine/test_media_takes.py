"""Twenty-four bits where they are enough, floats where they are not, in one pass."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.errors import WriteError
from sightmix.engine.media.takes import Takes
from sightmix.engine.media.writer import Subtype, WavWriter


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
