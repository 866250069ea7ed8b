"""What a track holds by listening: which stretches are heard, what is said of them, and when that is doubtful."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.edit.categories import CERTAIN, DOUBTFUL, SILENT, SURE, UNKNOWN, Category
from sightmix.engine.errors import Cancelled
from sightmix.engine.highlight import ear
from sightmix.engine.highlight.backends import Network, open_network
from sightmix.engine.highlight.config import MODEL_RATE, NetworkConfig
from sightmix.engine.highlight.ear import KINDS, WINDOWS, excerpts, heard_category, judged
from sightmix.engine.highlight.signs import NAMES, signs, stem_power
from sightmix.engine.highlight.spectral import magnitudes
from sightmix.engine.passage import Sound
from sightmix.engine.progress import Progress
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card

ROOT = Path(__file__).resolve().parents[2]
VOICE = ROOT / "examples" / "bbb" / "voice.flac"
SOUNDS = ROOT / "tests" / "data" / "sounds"


class _Deaf:
    """A network that says of everything that it is music, and counts what it is asked."""

    config = NetworkConfig(kind="product", context_dim=8)
    device = "cpu"

    def __init__(self) -> None:
        self.levels: list[float] = []

    def run(
        self, spectrogram: np.ndarray, waveform: np.ndarray, *_: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        assert waveform.shape == (1, ear.WINDOW_SAMPLES)
        self.levels.append(float(10 * np.log10(np.square(waveform).mean())))
        masks = np.zeros((1, 3, *spectrogram.shape[1:]), np.float32)
        masks[:, 1] = 1
        return masks, np.zeros((1, 3, spectrogram.shape[2]), np.float32)


@pytest.fixture(scope="module")
def network() -> Network:
    return open_network(load_card(SHIPPED_MODEL), "cpu", "onnx")


def _written(path: Path, *parts: tuple[float, float], rate: int = 8000) -> Path:
    """Tones one after the other: seconds and amplitude of each."""
    sf.write(
        path,
        np.concatenate([a * np.sin(np.arange(int(s * rate)) * (0.3 + a)) for s, a in parts]),
        rate,
        "FLOAT",
    )
    return path


def _sound(path: Path, start: float, seconds: float) -> Sound:
    return Sound(path, Fraction(start), Fraction(seconds))


def _levels(stretches: list[np.ndarray]) -> list[float]:
    return [round(float(stretch.std() * 2**0.5), 2) for stretch in stretches]


def test_stretches_are_spread_and_the_loudest_of_their_parts(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.wav", (28, 0.05), (12, 0.4), (40, 0.1), (26, 0.2), (14, 0.0))
    found = excerpts([_sound(path, 0, 120)], WINDOWS, Progress())
    assert [stretch.size for stretch in found] == [ear.WINDOW_SAMPLES] * 3
    assert _levels(found) == [0.4, 0.1, 0.2]
    assert len(excerpts([_sound(path, 0, 120)], 1, Progress())) == 1


def test_clips_are_heard_as_if_they_touched_and_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.wav", (2, 0.1), (8, 0.4))
    sounds = [
        _sound(path, 0, 2),
        Sound(tmp_path / "gone.wav", Fraction(0), Fraction(1)),
        _sound(path, 5, 1.5),
    ]
    (found,) = excerpts(sounds, WINDOWS, Progress())
    assert found.size == round(3.5 * MODEL_RATE)
    middle = 2 * MODEL_RATE
    assert _levels([found[: middle - 99], found[middle + 99 :]]) == [0.1, 0.4]
    assert excerpts([sounds[1]], WINDOWS, Progress()) == []
    assert heard_category([sounds[1]], _Deaf(), Progress()) == UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "windows", "read"), [(4, 1, 10), (12, 2, 20), (35, 3, 30), (4000, 3, 120)]
)
def test_what_is_heard_and_read_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, windows: int, read: int
) -> None:
    asked: list[Fraction] = []

    def mono(_: Sound, start: Fraction, duration: Fraction) -> np.ndarray:
        assert 0 <= start < start + duration <= seconds
        asked.append(duration)
        return np.full(round(duration * MODEL_RATE), 0.1, np.float32)

    monkeypatch.setattr(ear, "_mono", mono)
    deaf = _Deaf()
    heard_category([_sound(tmp_path / "a.wav", 0, seconds)], deaf, Progress())
    assert len(deaf.levels) == windows
    assert sum(asked) <= read * Fraction(101, 100)


def test_silence_is_called_silence_and_costs_no_network(tmp_path: Path) -> None:
    nothing = Category(SILENT, "ear", SURE, "nothing sounds on it")
    path = _written(tmp_path / "a.wav", (150, 0.0009), (1, 0.5))
    deaf = _Deaf()
    assert heard_category([_sound(path, 0, 60)], deaf, Progress()) == nothing
    # Of a long one not all was heard.
    long = heard_category([_sound(path, 0, 149)], deaf, Progress())
    assert (long.kind, long.confidence) == (SILENT, DOUBTFUL)
    assert not deaf.levels
    assert heard_category([_sound(path, 149.5, 1.5)], deaf, Progress()).kind != SILENT


def test_the_network_hears_every_track_at_one_level(tmp_path: Path) -> None:
    deaf = _Deaf()
    for amplitude in (0.9, 0.01):
        heard_category([_sound(_written(tmp_path / "a.wav", (10.1, amplitude)), 0, 10)], deaf, Progress())
    assert deaf.levels == pytest.approx([-23, -23], abs=0.1)


def test_a_short_sound_is_never_certain() -> None:
    chances = np.array([0.01, 0.98, 0.01, 0.0])
    assert judged(chances, 10.0) == Category("music", "ear", SURE, "music is heard")
    assert not judged(chances, 2.0).certain
    assert judged(np.array([0.3, 0.6, 0.1, 0.0]), 10.0).confidence == 0.6 < CERTAIN


def test_windows_that_differ_surely_are_a_mix_by_turns() -> None:
    # A rule that takes the first signs for its log odds.
    size = len(KINDS)
    rule = ear.Rule(np.zeros(size), np.ones(size), np.eye(size), np.zeros(size), 1.0)

    def chances(*windows: list[float]) -> list[float]:
        heard = np.array([np.log(np.maximum(window, 0.02)) + 2 for window in windows])
        return [round(float(chance), 2) for chance in rule.judge(heard)]

    music, voice, either = [0, 1, 0, 0], [1, 0, 0, 0], [0.45, 0.55, 0, 0]
    assert chances(music)[1] == chances(music, music)[1] == pytest.approx(0.94, abs=0.01)
    assert chances(music, voice, music)[3] > 0.5
    assert chances(music, either, music)[1] > 0.7
    assert chances(either, either)[3] < 0.1


def test_a_rule_is_as_sure_as_it_is_trusted() -> None:
    size = len(KINDS)
    heard = np.array([[2.0, 0.0, 0.0, 0.0]])
    for trust in (0.5, 1.0, 3.0):
        rule = ear.Rule(np.zeros(size), np.ones(size), np.eye(size), np.zeros(size), trust)
        chances = rule.judge(heard)
        assert chances.sum() == pytest.approx(1.0)
        # One window is of one kind, so the odds of the kinds are what its signs say, to the power of the trust.
        assert chances[0] / chances[1] == pytest.approx(np.exp(2.0 * trust), rel=1e-6)


def test_it_stops_between_windows(tmp_path: Path) -> None:
    progress, network = Progress(), _Deaf()
    run = network.run

    def once(*given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        progress.cancel()
        return run(*given)

    network.run = once  # type: ignore[method-assign, assignment]
    with pytest.raises(Cancelled):
        heard_category([_sound(_written(tmp_path / "a.wav", (40, 0.1)), 0, 40)], network, progress)
    assert len(network.levels) == 1


def test_a_wish_to_stop_is_heeded(tmp_path: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        heard_category([_sound(_written(tmp_path / "a.wav", (2, 0.1)), 0, 2)], _Deaf(), progress)


def _signs(sound: np.ndarray, *shares: float) -> dict[str, float]:
    spectrum = magnitudes(sound.astype(np.float32))
    masks = np.array(shares, np.float32)[:, None, None] * np.ones((3, *spectrum.shape), np.float32)
    return dict(zip(NAMES, signs(spectrum, stem_power(spectrum, masks)), strict=True))


def test_signs_of_made_up_sounds() -> None:
    t = np.arange(ear.WINDOW_SAMPLES) / MODEL_RATE
    rng = np.random.default_rng(1)
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6, 440.0, 880.0)) * 0.05
    noise = rng.standard_normal(t.size) * 0.05
    syllables = noise * (0.5 - 0.5 * np.cos(2 * np.pi * 5 * t)) ** 2
    beats = noise * (np.mod(t, 0.5) < 0.05)
    glide = sum(np.sin(h * 2 * np.pi * (150 * t + 8 * np.sin(2 * np.pi * t))) / h for h in range(1, 12)) * 0.1
    a, b, c, d, e = (_signs(x, 0.2, 0.5, 0.3) for x in (chord, noise, syllables, beats, glide))
    assert a["share music"] == pytest.approx(10 * np.log10(0.5), abs=0.01)
    assert (a["lead speech"], a["lead music"]) == (0, 0)
    assert _signs(chord, 0.1, 0.6, 0.3)["lead music"] == 1
    assert a["tones that stay"] > 0.9
    assert b["tones that stay"] < 0.05
    assert b["flat"] - a["flat"] > 3
    assert c["syllables"] > 0.85
    assert b["syllables"] < 0.7
    assert d["beat"] > 3 * b["beat"]
    assert d["pauses"] > 0.5
    assert e["voiced"] > 0.9
    assert b["voiced"] < 0.1
    assert e["glide"] > 0.1
    assert a["together speech-music"] == pytest.approx(1, abs=0.01)


def test_real_sounds(network: Network, tmp_path: Path) -> None:
    voice, rate = sf.read(VOICE, frames=10 * sf.info(VOICE).samplerate)
    music, other = sf.read(SOUNDS / "music.ogg")
    voice = np.interp(np.arange(10 * other) / other, np.arange(voice.size) / rate, voice)
    sf.write(
        tmp_path / "mix.wav", voice / voice.std() * 0.05 + music[: voice.size] / music.std() * 0.05, other
    )
    paths = (VOICE, SOUNDS / "music.ogg", SOUNDS / "effects.ogg", tmp_path / "mix.wav")
    found = [heard_category([_sound(path, 0, 10)], network, Progress()) for path in paths]
    assert [category.kind for category in found] == list(KINDS)
    assert all(category.certain for category in found)
