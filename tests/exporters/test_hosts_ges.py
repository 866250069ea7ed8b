"""What GStreamer Editing Services play of the OTIO we write, against the mix of our stems."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import exporter_sound as kit
import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from exporter_edits import sample_edit
from numpy.typing import NDArray
from sightmix.engine.edit.model import Edit, EditClip, EditTransition, GainCurve
from sightmix.engine.media.time import to_samples
from sightmix.engine.media.writer import Bext, WavWriter
from sightmix.exporters import formats
from sightmix.exporters.stems import StemOptions, export_stems

SR = kit.SAMPLE_RATE
HOUR = Fraction(3600)


def packages() -> str:
    """Where this Python's OTIO and its xges adapter lie, for the Python inside GES."""
    return str(Path(otio.__file__).parents[1])


@functools.cache
def missing() -> str:
    """Why GES cannot read OTIO here; empty where it can."""
    if shutil.which("ges-launch-1.0") is None:
        return "ges-launch-1.0 is not installed"
    # The program has the system's Python in it, which needs OTIO in its own version's build.
    needed = "import gi, opentimelineio, otio_xges_adapter; gi.require_version('GES', '1.0')"
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
    found = subprocess.run([python, "-c", needed], env=host(), capture_output=True, check=False, timeout=60)
    return "" if found.returncode == 0 else "GES's Python has no OTIO with the xges adapter"


def host() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([packages(), os.environ.get("SIGHTMIX_GES_PATH", "")]),
    }


@pytest.fixture(autouse=True, scope="module")
def _ges() -> None:
    if missing():
        pytest.skip(missing())


def play(document: Path) -> NDArray[np.float64]:
    """The sound GES makes of an OTIO file (samples, channels)."""
    out = document.with_suffix(".ges.wav")
    caps = ["--track-types", "audio", "--audio-caps", f"audio/x-raw,rate={SR}"]
    form = ["-o", str(out), "--format", "audio/x-wav:audio/x-raw"]
    command = ["ges-launch-1.0", "--load", document.as_uri(), *caps, *form]
    run = subprocess.run(
        command, env=host(), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-2000:]
    x, rate = soundfile.read(out, always_2d=True)
    assert rate == SR
    return x


def stems_mix(edit: Edit, folder: Path) -> NDArray[np.float64]:
    """The MIX of our stems: what the edit sounds like."""
    folder.mkdir()
    heard = [track for track in edit.tracks if track.kind == "audio" and track.enabled]
    assigned = {track.name: "FX" for track in heard if not track.role}
    [made] = export_stems(edit, folder, StemOptions(stems=("MIX",), assign=assigned))
    x, _ = soundfile.read(made.files[0].paths[0], always_2d=True)
    return x


def null_db(heard: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """The level of the difference under that of what is wanted, in dB, nothing shifted or scaled."""
    last = np.flatnonzero(np.abs(wanted).max(axis=1) > 0)[-1] + 1
    assert len(heard) >= last - 1
    count = min(len(heard), len(wanted))
    off = np.mean((heard[:count] - wanted[:count]) ** 2)
    return float(10 * np.log10(off / np.mean(wanted**2) + 1e-30))


def exported(edit: Edit, folder: Path, key: str) -> Path:
    out = folder / f"{key}.otio"
    formats.export(edit, out, key)
    return out


def cuts(folder: Path, rate: Fraction) -> Edit:
    """Cuts of two files on two tracks, on frames."""
    one, two = kit.noise(folder / "a b.wav", 6, seed=1), kit.noise(folder / "ü&2.wav", 6, seed=2)
    first = [kit.framed(one, rate, 7, 41, 8), kit.framed(two, rate, 48, 20, 39)]
    return kit.audio_edit(rate, first, [kit.framed(two, rate, 0, 33, 5), kit.framed(one, rate, 55, 50, 60)])


@pytest.mark.parametrize(("key", "rate"), [("kdenlive", "25"), ("otio-plain", "24000/1001")])
def test_cuts_null_against_the_mix(key: str, rate: str, tmp_path: Path) -> None:
    edit = cuts(tmp_path, Fraction(rate))
    assert null_db(play(exported(edit, tmp_path, key)), stems_mix(edit, tmp_path / "stems")) < -100


def stamped(path: Path, seed: int, start: Fraction) -> kit.EditMedia:
    """Six seconds of noise in a BWF that begins at `start` of the day."""
    x = np.random.default_rng(seed).uniform(-0.1, 0.1, (2, SR * 6)).astype(np.float32)
    with WavWriter(path, SR, 2, bext=Bext(time_reference=to_samples(start, SR))) as writer:
        writer.write(x)
    return kit.EditMedia(
        path.name, str(path), path, start, Fraction(6), SR, 2, (2,), bits=24,
    )  # fmt: skip


def rich(folder: Path, rate: Fraction) -> Edit:
    """All that simple readers get wrong: start timecodes, curves, fades, dissolves, retimes, channels, mutes."""
    late = stamped(folder / "late.wav", 5, HOUR)
    one, six = kit.noise(folder / "one.wav", 8, seed=1), kit.noise(folder / "two.wav", 8, seed=2)
    curve = GainCurve((Fraction(0), Fraction(1), Fraction(3, 2)), (-3.0, -20.0, 2.0))
    film = replace(late, name="late.wav")
    clips: Sequence[EditClip] = [
        EditClip("take", Fraction(0), 40 / rate, film, HOUR + 10 / rate),
        kit.framed(one, rate, 50, 50, 10, gain=curve, fade_in=Fraction(1, 5)),
        kit.framed(six, rate, 100, 40, 30),
    ]
    joint = EditTransition(100 / rate, 5 / rate, 6 / rate)
    odd = [
        kit.framed(one, rate, 10, 20, 50, speed=Fraction(3, 2)),
        kit.framed(six, rate, 40, 20, 50, channels=(1, 0)),
        EditClip("between", 70 / rate + Fraction(1, 111), Fraction(1), one, Fraction(1, 7)),
        EditClip("next", 70 / rate + Fraction(1, 111) + 1, Fraction(1, 2), six, Fraction(3)),
        kit.framed(six, rate, 130, 10, 20, enabled=False),
    ]
    edit = kit.audio_edit(rate, clips, odd, [kit.framed(six, rate, 0, 100, 0)])
    first, second, muted = edit.tracks
    tracks = (replace(first, transitions=(joint,)), second, replace(muted, enabled=False))
    return replace(edit, tracks=tracks, start=HOUR)


def test_plain_otio_sounds_as_the_mix_whatever_is_in_the_edit(tmp_path: Path) -> None:
    edit = rich(tmp_path, Fraction(24))
    assert null_db(play(exported(edit, tmp_path, "otio-plain")), stems_mix(edit, tmp_path / "stems")) < -100


def test_stems_under_curves_beside_muted_originals_null_against_their_mix(tmp_path: Path) -> None:
    edit = sample_edit(tmp_path, Fraction(25))
    assert null_db(play(exported(edit, tmp_path, "otio-plain")), stems_mix(edit, tmp_path / "stems")) < -100


def test_frames_between_samples_are_met_to_a_sample(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    level = kit.sound(tmp_path / "dc.wav", np.full((SR * 6, 2), 0.25, np.float32))
    clips = [kit.framed(level, rate, s, 5, s + 3) for s in (1, 11, 23, 38, 54, 77)]
    heard = play(exported(kit.audio_edit(rate, clips), tmp_path, "otio-plain"))[:, 0]
    edges = np.flatnonzero(np.diff((heard > 0.1).astype(int))) + 1
    wanted = [to_samples(t, SR) for clip in clips for t in (clip.start, clip.end)][: len(edges)]
    assert len(edges) >= len(clips) * 2 - 1
    assert np.abs(edges - wanted).max() <= 1
