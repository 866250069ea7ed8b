"""Delivery specs: known programmes brought to every one of them, and files measured against them."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sightmix.engine.errors import MediaError, SettingsError
from sightmix.engine.media.limiter import Limiter
from sightmix.engine.media.loudness import measure
from sightmix.engine.passage import Loudness
from sightmix.engine.programme.loudness import Figures
from sightmix.exporters.delivery import (
    Limits,
    Row,
    check_files,
    find_spec,
    judge,
    specs,
)
from sightmix.exporters.stems import StemOptions, StemSet, export_stems
from stem_kit import RATE, noise, read, three, tone, write

KEYS = ("atsc-a85", "ebu-r128", "ebu-r128-s4", "netflix", "podcast", "youtube")
SILENCE = np.zeros((1, 2))


def deliver(folder: Path, sounds: list[np.ndarray], key: str, **more: Any) -> StemSet:
    made = three(folder, sounds)
    (folder / "out").mkdir(exist_ok=True)
    [found] = export_stems(made, folder / "out", StemOptions(delivery=find_spec(key), **more))
    return found


def mix_of(found: StemSet) -> Path:
    return next(f.paths[0] for f in found.files if f.stem == "MIX")


def pad(*sounds: np.ndarray) -> list[np.ndarray]:
    length = max(len(x) for x in sounds)
    return [np.pad(x, ((0, length - len(x)), (0, 0))) for x in sounds]


def programme(seconds: int, peaks: float = 0.0) -> list[np.ndarray]:
    """Speech in the middle third, a bed all along, and now and then a peak of `peaks` dB above the bed."""
    n = seconds * RATE
    speech = tone(seconds, -26.0, 600.0)
    speech[: n // 3] = speech[2 * n // 3 :] = 0
    bed = tone(seconds, -34.0, 300.0)
    hits = np.zeros((n, 2))
    if peaks:
        for at in range(RATE // 2, n - 4800, RATE):
            hits[at : at + 480] = 10 ** ((peaks - 34) / 20) * np.sin(np.arange(480) / 480 * np.pi)[:, None]
    return [speech, bed, hits]


def test_every_spec_says_where_it_is_from() -> None:
    assert tuple(specs()) == KEYS
    for spec in specs().values():
        assert spec.source
        assert spec.measure in ("programme", "dialogue")
        assert spec.true_peak < 0 < spec.tolerance
    assert find_spec(" EBU-R128 ").target == -23
    with pytest.raises(SettingsError, match="no delivery spec 'r128'; choose among atsc-a85, ebu-r128"):
        find_spec("r128")


@pytest.mark.parametrize("key", KEYS)
def test_a_known_programme_lands_on_every_spec(tmp_path: Path, key: str) -> None:
    """A 997 Hz sine at -20 dBFS in both channels is -20 LUFS (EBU Tech 3341), half of it speech."""
    spec = find_spec(key)
    x = tone(8, -26.0206)
    found = deliver(tmp_path, [x, x, np.zeros_like(x)], key)
    assert found.gain_db == pytest.approx(spec.target + 20, abs=0.03)
    figures = measure(read(mix_of(found)).T.astype(np.float32), RATE)
    assert figures.integrated == pytest.approx(spec.target, abs=0.1)
    assert figures.true_peak == pytest.approx(spec.target, abs=0.1), "a sine's peak is its LUFS here"
    rows = check_files([mix_of(found)], spec)
    assert all(row.passed for row in rows), rows


@pytest.mark.parametrize("key", KEYS)
def test_peaks_are_held_and_made_up_for(tmp_path: Path, key: str) -> None:
    spec = find_spec(key)
    found = deliver(tmp_path, programme(9, peaks=32.0), key)
    rows = {row.figure: row for row in check_files([mix_of(found)], spec)}
    label = "dialogue loudness" if spec.measure == "dialogue" else "programme loudness"
    assert rows[label].measured == pytest.approx(spec.target, abs=0.1)
    assert rows["true peak"].measured <= spec.true_peak
    if key != "netflix":  # whose target leaves these peaks where they are
        assert rows["true peak"].measured >= spec.true_peak - 0.1
        assert "limiter lowered the highest peak" in " ".join(found.notes)
    stems = {f.stem: read(f.paths[0]) for f in found.files}
    np.testing.assert_array_equal(stems["DX"] + stems["MX"] + stems["FX"], stems["MIX"])


def test_loudness_range_is_measured_and_left_alone(tmp_path: Path) -> None:
    """Tech 3342's first signal: -20 and -30 dBFS for 20 s each are a range of 10 LU, at any level."""
    steps = np.concatenate([tone(20, -20.0), tone(20, -30.0)])
    found = deliver(tmp_path, [steps, np.zeros_like(steps), np.zeros_like(steps)], "ebu-r128")
    mix = next(f for f in found.files if f.stem == "MIX")
    assert mix.loudness is not None
    assert mix.loudness.range == pytest.approx(10, abs=0.1)
    assert mix.loudness.integrated == pytest.approx(-23, abs=0.1)


def test_little_speech_counts_the_whole_programme(tmp_path: Path) -> None:
    n = 20 * RATE
    speech = tone(20, -20.0)
    speech[: 18 * RATE] = 0
    sounds = [speech, tone(20, -30.0, 300.0), np.zeros((n, 2))]
    found = deliver(tmp_path, sounds, "netflix")
    [row] = [r for r in check_files([mix_of(found)], find_spec("netflix")) if "loudness" in r.figure]
    assert (row.figure, row.wanted) == ("programme loudness", "-24 ± 2")
    assert row.measured == pytest.approx(-24, abs=0.1)


def test_dialogue_gating_needs_a_dialogue_stem(tmp_path: Path) -> None:
    path = write(tmp_path / "final.wav", tone(4, -27.0))
    rows = {row.figure: row for row in check_files([path], find_spec("netflix"))}
    assert math.isnan(rows["dialogue loudness"].measured)
    assert not rows["dialogue loudness"].passed
    sounds = pad(SILENCE, tone(2, -20.0), SILENCE)
    made = three(tmp_path, sounds)
    made = replace(made, tracks=made.tracks[1:])
    with pytest.raises(SettingsError, match="measured on the dialogue"):
        export_stems(made, tmp_path, StemOptions(delivery=find_spec("netflix")))
    assert not list(tmp_path.glob("*v001*"))


def test_silence_keeps_its_level_and_says_so(tmp_path: Path) -> None:
    found = deliver(tmp_path, [np.zeros((RATE, 2))] * 3, "podcast")
    assert found.gain_db == 0
    assert "no loudness to bring to -16 LUFS" in found.notes[0]


def test_multi_mono_sets_are_checked_together(tmp_path: Path) -> None:
    found = deliver(tmp_path, programme(6), "netflix", interleaved=False)
    paths = [p for f in found.files for p in f.paths]
    rows = check_files(paths, find_spec("netflix"))
    assert {row.file for row in rows} == {"Reel_MIX_2.0_48k24_v001.wav"}
    assert all(row.passed for row in rows), rows
    assert {r.figure for r in rows} >= {"DX in line", "MX in line", "FX in line", "ME in line"}


def test_what_is_out_is_named(tmp_path: Path) -> None:
    x = tone(4, -3.0)
    path = write(tmp_path / "a.wav", x, subtype="PCM_16")
    hot = write(tmp_path / "b.wav", tone(4, -0.5, rate=44_100), 44_100)
    rows = check_files([path, hot], find_spec("netflix"))
    failed = {(row.file, row.figure) for row in rows if not row.passed}
    assert failed == {
        ("a.wav", "bit depth"), ("a.wav", "dialogue loudness"), ("b.wav", "sample rate"),
        ("b.wav", "dialogue loudness"), ("b.wav", "true peak"),
    }  # fmt: skip
    rows = check_files([path], find_spec("ebu-r128"))
    assert [(r.figure, r.passed) for r in rows] == [("programme loudness", False), ("true peak", True)]
    assert rows[0].measured == pytest.approx(-3.0 + 3.01 - 3.01 + 0.0, abs=0.1)


def test_a_stem_out_of_line_is_seen(tmp_path: Path) -> None:
    found = deliver(tmp_path, programme(3), "ebu-r128")
    path = next(f.paths[0] for f in found.files if f.stem == "MX")
    path.unlink()
    write(path, read(mix_of(found))[:-7])
    rows = {row.figure: row for row in check_files([mix_of(found)], find_spec("ebu-r128"))}
    assert rows["MX in line"].measured == -7
    assert not rows["MX in line"].passed
    assert rows["DX in line"].passed


def test_files_that_cannot_be_checked(tmp_path: Path) -> None:
    found = deliver(tmp_path, programme(3), "ebu-r128")
    stems = [f.paths[0] for f in found.files if f.stem != "MIX"]
    with pytest.raises(SettingsError, match="no mix among these files"):
        check_files(stems, find_spec("ebu-r128"))
    with pytest.raises(MediaError, match="does not exist"):
        check_files([tmp_path / "none.wav"], find_spec("ebu-r128"))
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(MediaError):
        check_files([tmp_path / "text.wav"], find_spec("ebu-r128"))


def figures(integrated: float, peak: float, lra: float = 8, dialogue: float | None = None) -> Figures:
    return Figures(Loudness(integrated, lra, peak, integrated, integrated), dialogue, 0.5)


@pytest.mark.parametrize(
    ("integrated", "peak", "passed"),
    [
        (-23.2, -1.0, [True, True]),
        (-22.79, -1.0, [False, True]),
        (-23.0, -0.98, [True, False]),
        (-math.inf, -math.inf, [False, True]),
    ],
)
def test_limits_are_inclusive(integrated: float, peak: float, passed: list[bool]) -> None:
    rows = judge("m", figures(integrated, peak), find_spec("ebu-r128"), 2)
    assert [row.passed for row in rows] == passed


def test_dialogue_may_lie_five_units_below_the_programme() -> None:
    spec = find_spec("ebu-r128-s4")
    rows = {
        dialogue: judge("m", figures(-23, -3, dialogue=dialogue), spec, 2)[-1] for dialogue in (-28.0, -28.1)
    }
    assert [row.figure for row in rows.values()] == ["loudness to dialogue"] * 2
    assert [row.passed for row in rows.values()] == [True, False]
    assert len(judge("m", figures(-23, -3, dialogue=-math.inf), spec, 2)) == 2, "no dialogue, no ratio"
    assert not judge("m", figures(-23, -3), spec, 2)[-1].passed, "without a stem nobody can tell"


def test_advice_is_only_for_surround_and_marked() -> None:
    spec = find_spec("netflix")
    [row] = [r for r in judge("m", figures(-27, -3, 20, -27), spec, 6) if r.figure == "loudness range"]
    assert row == Row("m", "loudness range", 20, "4 to 18", "LU", passed=False, advice=True)
    assert len(judge("m", figures(-27, -3, 20, -27), spec, 2)) == 2


def test_limits_in_words() -> None:
    assert [Limits(1, 2).text, Limits(high=5).text, Limits(low=-3.5).text] == [
        "1 to 2",
        "at most 5",
        "at least -3.5",
    ]
    assert not Limits(high=1).hold(math.nan)


def test_a_limiter_may_steer_other_channels() -> None:
    loud = noise(RATE, 0.5, channels=1).T.astype(np.float32)
    quiet = noise(RATE, 0.02, channels=1, seed=4).T.astype(np.float32)
    alone = Limiter(RATE, 1, -6.0)
    wanted = np.concatenate([alone.process(loud), alone.process(loud[:, :0], last=True)], axis=1)
    both = Limiter(RATE, 2, -6.0, steering=1)
    rows = np.concatenate([loud, quiet])
    made = np.concatenate([both.process(rows[:, :9000]), both.process(rows[:, 9000:], last=True)], axis=1)
    np.testing.assert_allclose(made[0], wanted[0], atol=1e-6)
    gain = made[0] / loud[0]
    np.testing.assert_allclose(made[1], quiet[0] * gain, atol=1e-5)
    assert Fraction(1) == Fraction(made.shape[1], RATE)
