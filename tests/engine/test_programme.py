"""What an edit sounds like as a whole: its loudness, and its dialogue's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sightmix.engine.edit.model import Edit, EditClip, EditMedia, EditTrack, GainCurve
from sightmix.engine.errors import Cancelled
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.writer import WavWriter
from sightmix.engine.programme.loudness import Gauge, activity, measure_edit
from sightmix.engine.programme.programme import audible, programme_of
from sightmix.engine.progress import Progress

RATE = 48_000
STEREO = Layout.of_count(2)


def tone(seconds: float, level_db: float, frequency: float = 997.0) -> np.ndarray:
    """A sine in both channels, (samples, 2), its peak at `level_db` dBFS."""
    t = np.arange(round(seconds * RATE)) / RATE
    return np.repeat((10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * t))[:, None], 2, axis=1)


def clip(
    path: Path, x: np.ndarray, start: float = 0, layout: Layout | None = None, **more: object
) -> EditClip:
    """A clip of a new file that holds `x` (channels, samples)."""
    with WavWriter(path, RATE, x.shape[0], subtype="FLOAT", layout=layout) as writer:
        writer.write(x.astype(np.float32))
    length = Fraction(x.shape[1], RATE)
    media = EditMedia(path.name, str(path), path, Fraction(0), length, RATE, x.shape[0], (x.shape[0],))
    return EditClip(path.stem, Fraction(start), length, media, **more)  # type: ignore[arg-type]


def track(*clips: EditClip, channels: int = 2, **more: object) -> EditTrack:
    return EditTrack("audio", "A", clips, channels=channels, **more)  # type: ignore[arg-type]


def edit(*tracks: EditTrack) -> Edit:
    return Edit("Reel", Fraction(25), tracks)


def noise(seconds: float, channels: int, seed: int) -> np.ndarray:
    return 0.05 * np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE)))


def test_an_edit_is_as_loud_as_the_sum_of_what_plays(tmp_path: Path) -> None:
    a, b, muted = (noise(4, 2, seed) for seed in range(3))
    down = GainCurve((Fraction(0),), (-6.0,))
    made = edit(
        track(clip(tmp_path / "a.wav", a)),
        track(clip(tmp_path / "b.wav", b, 1, gain=down)),
        track(clip(tmp_path / "c.wav", muted), enabled=False),
        track(clip(tmp_path / "d.wav", muted, enabled=False)),
    )
    whole = np.zeros((2, 5 * RATE))
    whole[:, : 4 * RATE] += a
    whole[:, RATE:] += b * 10 ** (-6 / 20)
    wanted = measure(whole.astype(np.float32), RATE)
    found = measure_edit(made)
    assert (found.integrated, found.true_peak) == pytest.approx(
        (wanted.integrated, wanted.true_peak), abs=1e-4
    )
    assert found.range == pytest.approx(wanted.range, abs=1e-3)


def test_an_edit_is_heard_in_the_layout_of_its_widest_clip(tmp_path: Path) -> None:
    side = Layout.named("5.1(side)")
    x, lav = noise(3, 6, 0), noise(3, 1, 1)
    made = edit(
        track(clip(tmp_path / "a.wav", x, layout=side), channels=6),
        track(clip(tmp_path / "b.wav", lav), channels=1),
    )
    whole = x.copy()
    whole[2] += lav[0]
    wanted = measure(whole.astype(np.float32), RATE, side)
    assert measure_edit(made).integrated == pytest.approx(wanted.integrated, abs=1e-4)
    assert audible(made).layout == Layout.named("5.1")
    lcrs = Layout.named("4.0")
    four = edit(track(clip(tmp_path / "c.wav", noise(1, 4, 2), layout=lcrs), channels=4))
    assert audible(four).layout == lcrs
    clips = [
        clip(tmp_path / f"{n}.wav", noise(1, 4, 3), n, Layout.named(n_))
        for n, n_ in enumerate(("4.0", "quad"))
    ]
    assert audible(edit(track(*clips, channels=4))).layout == Layout.named("quad")


def test_silence_and_nothing_have_no_loudness() -> None:
    assert measure_edit(edit()).integrated == -np.inf
    assert measure_edit(edit(track())).true_peak == -np.inf


def test_measuring_can_be_cancelled(tmp_path: Path) -> None:
    class Stop(Progress):
        def report(self, *_: object, **__: object) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure_edit(edit(track(clip(tmp_path / "a.wav", noise(1, 2, 0)))), Stop())


def test_a_programme_per_clip_has_no_dissolves_of_its_neighbours(tmp_path: Path) -> None:
    ours = {"sightmix": {"source": "shot.wav"}}
    one = clip(tmp_path / "a.wav", noise(1, 2, 0), 1, metadata=ours)
    two = replace(clip(tmp_path / "b.wav", noise(1, 2, 1), 1), metadata=ours)
    whole = programme_of("Reel", {"DX": [track(one)], "MX": [track(two)]}, Fraction(2))
    [(label, found)] = whole.clips()
    assert (label, found.first, found.samples) == ("shot", RATE, RATE)
    assert [len(lane) for lane in found.lanes] == [1, 1]
    whole_sound = np.concatenate(list(whole.blocks()), axis=2)
    np.testing.assert_array_equal(np.concatenate(list(found.blocks()), axis=2), whole_sound[:, :, RATE:])


def test_dialogue_is_gauged_on_the_mix_while_the_dialogue_stem_speaks() -> None:
    n = 12 * RATE
    speech = tone(12, -40.0)
    speech[: n // 2] = 0
    mix = np.concatenate([tone(6, -26.0), tone(6, -20.0)])
    gauge = Gauge(RATE, STEREO, STEREO)
    for at in range(0, n, 5000):
        gauge.push(mix[at : at + 5000].T.astype(np.float32), speech[at : at + 5000].T.astype(np.float32))
    found = gauge.result()
    assert found.dialogue == pytest.approx(-20.0, abs=0.1), "the quieter stretch before it does not count"
    assert found.loudness.integrated == pytest.approx(10 * np.log10((0.01 + 10**-2.6) / 2), abs=0.1)
    assert found.speech == pytest.approx(0.5, abs=0.06)


def test_activity_has_two_gates() -> None:
    levels = np.array([-80.0, -20.0, -20.0, -35.0, -28.0])
    energies = 10 ** ((levels + 0.691) / 10)
    assert activity(energies).tolist() == [False, True, True, False, True]
    assert not activity(np.zeros(4)).any()
    assert not activity(np.zeros(0)).any()


def test_a_speed_ramp_is_heard_in_stretches(tmp_path: Path) -> None:
    x = np.zeros((2, 4 * RATE))
    x[:, 2 * RATE :] = noise(2, 2, 0)
    ramp = ((Fraction(0), Fraction(0)), (Fraction(1), Fraction(2)), (Fraction(3), Fraction(4)))
    made = clip(tmp_path / "a.wav", x, ramp=ramp, speed=Fraction(2))
    sound = np.concatenate(list(audible(edit(track(replace(made, duration=Fraction(3))))).blocks()), axis=2)[
        0
    ]
    np.testing.assert_allclose(sound[:, RATE : 3 * RATE], x[:, 2 * RATE :], atol=1e-6)
    assert not sound[:, : RATE - 2000].any()


def test_what_does_not_sound_widens_nothing(tmp_path: Path) -> None:
    mono, wide = noise(1, 1, 3), noise(1, 6, 4)
    heard = track(clip(tmp_path / "m.wav", mono), channels=1)
    silent = track(clip(tmp_path / "w.wav", wide, enabled=False), channels=6)
    assert audible(edit(heard, silent)).layout == audible(edit(heard)).layout == Layout.of_count(1)
