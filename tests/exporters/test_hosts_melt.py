"""What melt (the engine of Shotcut and Kdenlive) plays of our MLT documents."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import exporter_sound as kit
import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from numpy.typing import NDArray
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.model import Edit, EditTransition, GainCurve
from sightmix.engine.media.time import to_samples
from sightmix.exporters import kdenlive_project, mlt
from sightmix.exporters.flatten import edit_of

pytestmark = pytest.mark.skipif(shutil.which("melt") is None, reason="melt is not installed")
SR = kit.SAMPLE_RATE


def ends(command: list[str], out: Path) -> bool:
    """Run melt to its end, however long it takes; False if it hangs: for 20 s it neither computes nor writes."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    start = since = time.monotonic()
    done = progress(process.pid, out)
    while True:
        try:
            _, said = process.communicate(timeout=0.5)
        except subprocess.TimeoutExpired:
            now = progress(process.pid, out)
            if now != done:
                done, since = now, time.monotonic()
            if time.monotonic() - since > 20 or time.monotonic() - start > 1800:
                process.kill()
                process.communicate()
                return False
        else:
            assert process.returncode == 0, said
            return True


def progress(process: int, out: Path) -> tuple[int, int]:
    """Tenths of a second that a process has computed (where the system tells), and the bytes it has written."""
    try:
        spent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        spent = []
    return sum(map(int, spent)) // 10, out.stat().st_size if out.exists() else 0


def render(
    edit: Edit, folder: Path, channels: int = 2, write: Callable[[Edit, Path], object] = mlt.write
) -> NDArray[np.float64]:
    """Write the edit, let melt play it into a float WAV, read that (samples, channels)."""
    document, out = folder / "edit.mlt", folder / "melt.wav"
    write(edit, document)
    form = ["acodec=pcm_f32le", f"ar={SR}", f"channels={channels}", "vn=1"]
    command = ["melt", "-quiet", str(document), "-consumer", f"avformat:{out}", *form, "real_time=0"]
    # melt 7.12 now and then waits for ever on its own threads; the same command then works.
    assert any(ends([*command, "terminate_on_pause=1"], out) for _ in range(6)), "melt hangs"
    x, rate = soundfile.read(out, always_2d=True)
    assert rate == SR
    return x


def same(heard: NDArray[np.float64], wanted: NDArray[np.float64], tolerance: float = 1e-6) -> None:
    shortest = min(len(heard), len(wanted))
    assert shortest >= len(wanted) - SR // 20
    off = np.abs(heard[:shortest] - wanted[:shortest]).max(axis=1)
    assert off.max() < tolerance, f"differs by {off.max()}, first at sample {np.argmax(off >= tolerance)}"


@pytest.mark.parametrize("rate", kit.RATES, ids=lambda r: f"{float(r):.6g}")
def test_clips_start_on_the_sample_and_tracks_sum(rate: Fraction, tmp_path: Path) -> None:
    one, two = kit.noise(tmp_path / "a b.wav", 6, seed=1), kit.noise(tmp_path / "ü&2.wav", 6, seed=2)
    # Where a frame is no whole number of samples, melt is exact if file and timeline are at one place of the pattern.
    step = 1 if (SR / rate).denominator == 1 else 5
    edit = kit.audio_edit(
        rate,
        [
            kit.framed(one, rate, 7, 41, 7 + step),
            kit.framed(two, rate, 48, 20, 48 - 9 * step),
            kit.framed(one, rate, 101, 9, 101 - 4 * step),
        ],
        [kit.framed(two, rate, 0, 33, 5 * step), kit.framed(one, rate, 55, 50, 55 + 3 * step)],
    )
    same(render(edit, tmp_path), kit.mixed(edit))


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(60000, 1001)])
def test_cuts_anywhere_stay_within_a_sample_each(rate: Fraction, tmp_path: Path) -> None:
    level = kit.sound(tmp_path / "dc.wav", np.full((SR * 6, 2), 0.25, np.float32))
    clips = [kit.framed(level, rate, s, 5, s + 3) for s in (1, 11, 23, 38, 54, 77)]
    heard = render(kit.audio_edit(rate, clips), tmp_path)[:, 0]
    edges = np.flatnonzero(np.diff((heard > 0.1).astype(int))) + 1
    wanted = [to_samples(t, SR) for clip in clips for t in (clip.start, clip.end)]
    for i, (edge, at) in enumerate(zip(edges, wanted[: len(edges)], strict=True)):
        assert abs(int(edge) - at) <= i // 2 + 1
    assert len(edges) >= len(wanted) - 1


def test_gains_follow_their_curves_within_a_tenth_of_a_decibel(tmp_path: Path) -> None:
    rate = Fraction(25)
    level = kit.sound(tmp_path / "dc.wav", np.full((SR * 8, 2), 0.1, np.float32))
    curve = GainCurve(
        tuple(Fraction(t) for t in ("0", "1.5", "2.3", "3.1", "5")), (-3.0, -3.0, -12.0, 4.0, -1.5)
    )
    clip = kit.framed(level, rate, 10, 125, 20, gain=curve)
    heard = render(kit.audio_edit(rate, [clip]), tmp_path)[:, 0]
    first = SR * 10 // 25
    db = 20 * np.log10(heard[first : first + SR * 5] / 0.1)
    wanted = keyframes.levels(curve, np.arange(SR * 5) / SR)
    # Where the curve bends inside a frame, that frame can only be met at its ends.
    bends = np.zeros(SR * 5, bool)
    for t in curve.times:
        frame = int(t * rate)
        bends[max(frame, 0) * 1920 : (frame + 1) * 1920] = (t * rate).denominator != 1
    off = np.abs(db - wanted)
    assert off[~bends].max() < 0.1
    assert off.max() < 0.5
    assert heard[:first].max() == 0


def test_three_stems_with_gains_make_the_mix(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    curves = [
        GainCurve((Fraction(0), Fraction(2), Fraction(4)), dbs)
        for dbs in ((0, 3, 3), (-6, -9, -2), (-1, -1, 0))
    ]
    stems = [kit.noise(tmp_path / f"{i}.wav", 6, seed=i) for i in range(3)]
    clips = [
        kit.framed(stem, rate, 30, 90, 30, gain=curve) for stem, curve in zip(stems, curves, strict=True)
    ]
    edit = kit.audio_edit(rate, *([clip] for clip in clips))
    heard, wanted = render(edit, tmp_path), kit.mixed(edit)
    error = heard[: len(wanted)] - wanted
    assert 10 * np.log10((error**2).mean() / (wanted**2).mean()) < -45


def test_a_kdenlive_project_sounds_like_its_timeline(tmp_path: Path) -> None:
    rate = Fraction(50)  # where half a frame is shorter than a packet of these files
    curve = GainCurve((Fraction(0), Fraction(1, 2), Fraction(1)), (0.0, -6.0, -6.0))
    one, two = kit.noise(tmp_path / "a.wav", 3, seed=1), kit.noise(tmp_path / "b.wav", 3, seed=2)
    edit = kit.audio_edit(
        rate,
        [kit.framed(one, rate, 5, 40, 12), kit.framed(two, rate, 45, 30, 3, channels=(1,))],
        [kit.framed(two, rate, 0, 60, 20, gain=curve)],
    )
    muted = replace(edit.tracks[1], enabled=False, name="muted")
    edit = replace(edit, tracks=(*edit.tracks, muted))
    heard = render(edit, tmp_path, write=kdenlive_project.write)
    same(heard, render(edit, tmp_path))
    same(heard[: 5 * 960], kit.mixed(replace(edit, tracks=edit.tracks[1:2]))[: 5 * 960], tolerance=1e-2)


def test_surround_stays_in_its_channels(tmp_path: Path) -> None:
    rate = Fraction(24)
    edit = kit.audio_edit(
        rate, [kit.framed(kit.noise(tmp_path / "six.wav", 4, channels=6), rate, 11, 60, 5)], channels=6
    )
    same(render(edit, tmp_path, channels=6), kit.mixed(edit, channels=6))


@pytest.mark.parametrize("picks", [(4, 5), (1, 0)])
def test_a_clip_plays_the_channels_it_names(picks: tuple[int, ...], tmp_path: Path) -> None:
    rate = Fraction(25)
    six = kit.noise(tmp_path / "six.wav", 4, channels=6)
    edit = kit.audio_edit(rate, [kit.framed(six, rate, 5, 50, 10, channels=picks)])
    x, _ = soundfile.read(tmp_path / "six.wav")
    heard = render(edit, tmp_path)
    same(heard[5 * 1920 :], x[10 * 1920 : 60 * 1920, picks])


def test_a_channel_of_a_second_stream(tmp_path: Path) -> None:
    rate = Fraction(25)
    x = np.random.default_rng(3).integers(-3000, 3000, (SR * 4, 4)).astype(np.int16)
    path = tmp_path / "two.mov"
    with av.open(str(path), "w") as file:
        streams = [file.add_stream("pcm_s16le", rate=SR, layout="stereo") for _ in range(2)]
        for stream, out in enumerate(streams):
            part = np.ascontiguousarray(x[:, 2 * stream : 2 * stream + 2]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, "s16", "stereo")
            frame.sample_rate = SR
            file.mux(out.encode(frame))
            file.mux(out.encode())
    media = kit.EditMedia(
        "two.mov", str(path), path, duration=Fraction(4), sample_rate=SR, channels=4, streams=(2, 2), bits=16
    )
    edit = kit.audio_edit(rate, [kit.framed(media, rate, 5, 50, 10, channels=(3, 2))])
    same(render(edit, tmp_path)[5 * 1920 :], x[10 * 1920 : 60 * 1920, [3, 2]] / 32768, tolerance=2e-5)


def test_a_dissolve_of_one_take_is_no_dip(tmp_path: Path) -> None:
    rate = Fraction(25)
    level = kit.sound(tmp_path / "dc.wav", np.full((SR * 8, 2), 0.2, np.float32))
    edit = kit.audio_edit(rate, [kit.framed(level, rate, 0, 50, 20), kit.framed(level, rate, 50, 50, 90)])
    track = edit.tracks[0]
    dissolve = EditTransition(Fraction(2), Fraction(10, 25), Fraction(10, 25), "Dissolve")
    edit = Edit("cut", rate, (kit.EditTrack("audio", "A", track.clips, (dissolve,)),))
    heard = render(edit, tmp_path)[:, 0]
    assert np.abs(heard[: 4 * SR - 2000] - 0.2).max() < 0.2 * 0.06
    assert len(heard) >= 4 * SR


def test_speed_and_reverse(tmp_path: Path) -> None:
    rate = Fraction(25)
    ramp = np.repeat(np.linspace(0.05, 0.45, SR * 8, dtype=np.float32)[:, None], 2, axis=1)
    media = kit.sound(tmp_path / "ramp.wav", ramp)
    edit = kit.audio_edit(
        rate,
        [
            kit.framed(media, rate, 0, 50, 25, speed=Fraction(2)),
            kit.framed(media, rate, 50, 50, 150, speed=Fraction(-1)),
        ],
    )
    heard = render(edit, tmp_path)[:, 0]

    def at(seconds: float) -> float:
        return 0.05 + 0.4 * seconds / 8

    for t, source in ((0.5, 2.0), (1.5, 4.0), (2.5, 5.5), (3.5, 4.5)):
        assert abs(heard[round(t * SR)] - at(source)) < 0.4 / 8 * 0.06, t


def test_disabled_tracks_and_clips_are_silent(tmp_path: Path) -> None:
    rate = Fraction(25)
    media = kit.noise(tmp_path / "a.wav", 4)
    edit = kit.audio_edit(
        rate,
        [kit.framed(media, rate, 0, 20, 0, enabled=False), kit.framed(media, rate, 20, 20, 0)],
        [kit.framed(media, rate, 0, 40, 0)],
    )
    muted = Edit("cut", rate, (edit.tracks[0], replace(edit.tracks[1], enabled=False)))
    heard = render(muted, tmp_path)
    x, _ = soundfile.read(tmp_path / "a.wav")
    assert np.abs(heard[: 20 * 1920]).max() == 0
    same(heard[20 * 1920 :], x[: 20 * 1920])


def otio_cut(rate: float, *media: Path) -> otio.schema.Timeline:
    """Two audio tracks with gaps and trims, and a nested stack on the second."""

    def span(start: float, length: float) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(length, rate)
        )

    def clip(path: Path, start: float, length: float) -> otio.schema.Clip:
        return otio.schema.Clip(path.name, otio.schema.ExternalReference(path.name), span(start, length))

    first = otio.schema.Track("A1", kind="Audio")
    first.extend([clip(media[0], 10, 30), otio.schema.Gap(source_range=span(0, 7)), clip(media[1], 2, 25)])
    inner = otio.schema.Track("in", kind="Audio")
    inner.extend([otio.schema.Gap(source_range=span(0, 5)), clip(media[0], 51, 40)])
    second = otio.schema.Track("A2", kind="Audio")
    second.extend(
        [
            otio.schema.Gap(source_range=span(0, 9)),
            otio.schema.Stack("nest", [inner], source_range=span(3, 30)),
        ]
    )
    timeline = otio.schema.Timeline("cut")
    timeline.tracks.extend([first, second])
    return timeline


@pytest.mark.parametrize("rate", [23.976, 25, 50])
def test_a_timeline_sounds_as_it_says(rate: float, tmp_path: Path) -> None:
    media = [kit.noise(tmp_path / f"{i}.wav", 6, seed=i) for i in range(2)]
    paths = [m.path for m in media if m.path is not None]
    edit = edit_of(otio_cut(rate, *paths), tmp_path)
    heard = render(edit, tmp_path)
    total = np.zeros((len(heard) + SR, 2))
    fps = Fraction(24000, 1001) if rate == 23.976 else Fraction(rate)
    for file, start, source, length in ((0, 0, 10, 30), (1, 37, 2, 25), (0, 11, 51, 28)):
        x, _ = soundfile.read(paths[file])
        a, b, s = (int(Fraction(n) / fps * SR + Fraction(1, 2)) for n in (start, start + length, source))
        total[a:b] += x[s : s + b - a]
    same(heard, total[: int(62 / fps * SR)])
