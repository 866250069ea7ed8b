"""What Blender's sequencer plays of our OTIO: a second host, independent of melt."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import exporter_sound as kit
import numpy as np
import pytest
import soundfile
from sightmix.engine.media.time import to_samples
from sightmix.exporters import kdenlive

pytestmark = pytest.mark.skipif(shutil.which("blender") is None, reason="Blender is not installed")
SCRIPT = Path(__file__).with_name("blender_mix.py")
SR = kit.SAMPLE_RATE


@pytest.mark.slow
@pytest.mark.parametrize("rate", [Fraction(30000, 1001)], ids=lambda r: f"{float(r):.6g}")
def test_clips_lie_within_a_sample_and_tracks_sum(rate: Fraction, tmp_path: Path) -> None:
    one, two = kit.noise(tmp_path / "a.wav", 6, seed=1), kit.noise(tmp_path / "b c.wav", 6, seed=2)
    edit = kit.audio_edit(
        rate,
        [kit.framed(one, rate, 7, 41, 13), kit.framed(two, rate, 60, 30, 0)],
        [kit.framed(two, rate, 20, 33, 29)],
    )
    kdenlive.write(edit, tmp_path / "edit.otio")
    out = tmp_path / "blender.wav"
    subprocess.run(
        ["blender", "-b", "--factory-startup", "--python-exit-code", "1", "--python", str(SCRIPT), "--",
         str(tmp_path / "edit.otio"), str(out), str(rate.numerator), str(rate.denominator)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=1800, check=True,
    )  # fmt: skip
    heard, sample_rate = soundfile.read(out, always_2d=True)
    assert sample_rate == SR
    for track in edit.tracks:
        for clip in track.clips:
            assert clip.media is not None
            assert clip.media.path is not None
            x, _ = soundfile.read(clip.media.path)
            middle, half = to_samples(clip.start + clip.duration / 2, SR), to_samples(clip.duration / 4, SR)
            source = to_samples(clip.source_in + clip.duration / 2, SR)
            part = x[source - half : source + half, 0]
            gains = [
                np.vdot(heard[middle - half + lag : middle + half + lag, 0], part) for lag in range(-40, 41)
            ]
            assert abs(int(np.argmax(gains)) - 40) <= 1
            # The other track's noise adds a little at random.
            assert max(gains) == pytest.approx(np.vdot(part, part), rel=0.1)
