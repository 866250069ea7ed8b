"""iXML written by us reads back field by field, also behind a long data chunk; damage is no drama."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.errors import MediaError
from sightmix.engine.media.ixml import read_ixml
from sightmix.engine.media.writer import Ixml, WavWriter

GIVEN = Ixml(
    project="Show & tell",
    scene="12A",
    take="3",
    tape="R7",
    note="über <all>",
    timecode_rate=Fraction(30000, 1001),
    drop_frame=True,
    tracks=("DX", "MX"),
)


def written(path: Path, monkeypatch: pytest.MonkeyPatch | None = None, limit: int | None = None) -> Path:
    if monkeypatch and limit:
        monkeypatch.setattr(WavWriter, "riff_limit", limit)
    with WavWriter(path, 48_000, 2, ixml=GIVEN) as writer:
        writer.write(np.zeros((2, 3001), np.float32))
    return path


@pytest.mark.parametrize("limit", [None, 5000])
def test_what_was_written_reads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    path = written(tmp_path / "a.wav", monkeypatch, limit)
    assert path.read_bytes()[:4] == (b"RF64" if limit else b"RIFF")
    assert read_ixml(path) == GIVEN


def test_none_damaged_and_missing(tmp_path: Path) -> None:
    sf.write(tmp_path / "plain.wav", np.zeros(100), 48_000)
    assert read_ixml(tmp_path / "plain.wav") is None
    path = written(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes().replace(b"</BWFXML>", b"</BWF****"))
    assert read_ixml(path) is None
    (tmp_path / "text.wav").write_text("no sound")
    assert read_ixml(tmp_path / "text.wav") is None
    with pytest.raises(MediaError, match="cannot be read"):
        read_ixml(tmp_path / "gone.wav")
