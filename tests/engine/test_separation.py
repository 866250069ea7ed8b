"""Separators: stems that add up, packages that fakes stand in for, checkpoints checked key by key."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from sightmix.engine.errors import MediaError, ModelError
from sightmix.engine.separation import available, load_separator, product, whole
from sightmix.engine.separation.base import role_of
from sightmix.engine.separation.checkpoints import FAMILIES, take_in
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card

RATE = 44_100


def noise(channels: int = 1, samples: int = 30_000, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((channels, samples)).astype(np.float32)


def module(monkeypatch: pytest.MonkeyPatch, name: str, **contents: object) -> ModuleType:
    """A made-up module among the imported ones, with made-up parents."""
    parts = name.split(".")
    for k in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:k]), ModuleType(".".join(parts[:k])))
    made = ModuleType(name)
    made.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, made)
    return made


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(folder))
    return folder


# ------------------------------------------------------------------------------------------------ what all of them do


@pytest.mark.parametrize(("channels", "rate"), [(1, 44_100), (2, 48_000)])
def test_the_product_models_stems_sum_to_the_mix(tiny_model: str, channels: int, rate: int) -> None:
    sound = noise(channels, 70_000)
    stems = load_separator(tiny_model, threads=1).separate(sound, rate)
    assert stems.shape == (3, channels, 70_000)
    assert stems.dtype == np.float32
    assert np.abs(stems.sum(0) - sound).max() < 1e-6
    assert all(np.abs(stem).max() > 1e-4 for stem in stems)


def test_the_product_model_separates_the_same_in_blocks_as_whole(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    separator, sound = load_separator(tiny_model, threads=1), noise(1, 50_000)
    whole_stems = separator.separate(sound, RATE)
    monkeypatch.setattr(product, "_BLOCK", 7000)
    assert np.abs(separator.separate(sound, RATE) - whole_stems).max() < 1e-6


def test_leftovers_are_effects() -> None:
    sound = noise()
    stems = whole(np.stack([0.5 * sound, 0.25 * sound, 0 * sound]), sound)
    assert np.abs(stems[2] - 0.25 * sound).max() < 1e-7
    with pytest.raises(ModelError, match="not numbers"):
        whole(np.full((3, 1, 4), np.nan, np.float32), np.zeros((1, 4), np.float32))


def test_nothing_cannot_be_separated(tiny_model: str) -> None:
    with pytest.raises(MediaError, match="no sound to separate"):
        load_separator(tiny_model, threads=1).separate(np.zeros((1, 0), np.float32), RATE)


def test_words_for_stems() -> None:
    assert [role_of(word) for word in ("DX", "Dialogue", "mx", "SFX", "effects", "mix")] == [
        "speech", "speech", "music", "effects", "effects", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (f"{SHIPPED_MODEL[:-1]}z", f"did you mean '{SHIPPED_MODEL}'?"),
        ("efficientnet-lite0", "There is no separator called"),
        ("bandit-v2", "take it in with `sightmix data separator bandit-v2 FILE`"),
        ("demucs", r"needs the package demucs: `.* install demucs`"),
        ("audio-separator", r"needs the package audio_separator: `.* install 'audio-separator\[cpu\]'`"),
        ("mrx-default", r"default_mrx_pre_trained_weights.pth \(122.3 MB, MIT\) can be fetched from"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    name: str, sentence: str, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(shelf))
    for absent in ("demucs", "demucs.api", "audio_separator", "audio_separator.separator"):
        monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(ModelError, match=sentence) as caught:
        load_separator(name)
    assert "\n" not in str(caught.value)


def test_the_list_says_what_is_missing(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(shelf))
    rows = {name: missing for name, _, missing in available()}
    assert rows[SHIPPED_MODEL] == ""
    assert rows["mrx-default"].startswith("weights, code of https://github.com/merlresearch")
    assert {"demucs", "audio-separator", "mrx-adapted-eq"} <= set(rows)


# ------------------------------------------------------------------------------------------------------ song packages


class FakeDemucs:
    """Gives fixed shares of what it hears: vocals half, drums and other an eighth each."""

    samplerate, audio_channels = 44_100, 2

    def __init__(self, model: str, device: str, shifts: int, progress: bool) -> None:
        if model == "nothing":
            raise SystemExit("no such model")
        assert shifts == 0
        self.model = model

    def separate_tensor(self, wave: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        assert wave.shape[0] == 2
        return wave, {"drums": wave / 8, "other": wave / 8, "vocals": wave / 2}


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_demucs_vocals_are_speech_and_the_rest_music(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "demucs.api", Separator=FakeDemucs)
    separator = load_separator("demucs:htdemucs_ft")
    assert (separator.name, separator.rate) == ("demucs:htdemucs_ft", 44_100)
    sound = noise(channels)
    stems = separator.separate(sound, RATE)
    assert np.abs(stems - np.stack([sound / 2, sound / 4, sound / 4])).max() < 1e-6
    at_48 = separator.separate(sound, 48_000)
    assert at_48.shape == stems.shape
    assert np.abs(at_48.sum(0) - sound).max() < 1e-6


def test_demucs_that_cannot_load_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "demucs.api", Separator=FakeDemucs)
    with pytest.raises(ModelError, match=r"cannot load its model 'nothing' \(no such model\)"):
        load_separator("demucs:nothing")


class FakeAudioSeparator:
    """Writes two files beside each other, as the package does; vocals are half of what came in."""

    stems = (("Vocals", 0.5), ("Instrumental", 0.375))

    def __init__(self, output_dir: str, **settings: object) -> None:
        self.folder = Path(output_dir)
        assert settings["normalization_threshold"] == 1.0

    def load_model(self, model_filename: str) -> None:
        self.model = Path(model_filename).stem

    def separate(self, path: str) -> list[str]:
        sound, rate = soundfile.read(path, always_2d=True)
        assert np.abs(sound).max() < 1
        names = []
        for stem, share in self.stems:
            name = f"mix_({stem})_{self.model}.wav"
            soundfile.write(self.folder / name, share * sound, rate, subtype="FLOAT")
            names.append(name)
        return names


def test_audio_separator_works_by_way_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "audio_separator.separator", Separator=FakeAudioSeparator)
    separator = load_separator("audio-separator:some.ckpt")
    sound = 30 * noise(3)
    stems = separator.separate(sound, RATE)
    assert np.abs(stems - np.stack([sound / 2, 0.375 * sound, 0.125 * sound])).max() < 1e-5
    assert list(separator._folder.iterdir()) == []


def test_a_model_without_a_voice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "audio_separator.separator", Separator=FakeAudioSeparator)
    monkeypatch.setattr(FakeAudioSeparator, "stems", (("Crowd", 0.5), ("Instrumental", 0.5)))
    with pytest.raises(ModelError, match="gives no voice, only crowd, instrumental"):
        load_separator("audio-separator").separate(noise(), RATE)


# --------------------------------------------------------------------------------------------------------- checkpoints


class Shares(torch.nn.Module):
    """Stands in for a published network: three learned shares of what it hears."""

    def __init__(self, **arguments: object) -> None:
        super().__init__()
        self.arguments = arguments
        self.share = torch.nn.Parameter(torch.zeros(3))


class FakeMRX(Shares):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.share[:, None, None] * x


class FakeTiger(Shares):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(share * x[0] for share in self.share)


class FakeBandit(Shares):
    def forward(self, batch: dict) -> dict:
        x = batch["mixture"]["audio"]
        names = self.arguments["stems"]
        return {"estimates": {n: {"audio": s * x} for n, s in zip(names, self.share, strict=True)}}


CASES = {
    # family: (module, class name, stand-in, shares as the network orders them)
    "mrx": ("mrx", "MRX", FakeMRX, [0.25, 0.5, 0.125]),
    "tiger": ("look2hear.models", "TIGERDNR", FakeTiger, [0.5, 0.125, 0.25]),
    "bandit-v2": ("src.models.bandit.bandit", "Bandit", FakeBandit, [0.5, 0.25, 0.125]),
}


@pytest.mark.parametrize("family", sorted(CASES))
def test_a_users_checkpoint_separates(
    family: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, kind, shares = CASES[family]
    module(monkeypatch, where, **{name: kind})
    state = {"share": torch.tensor(shares)}
    if family == "bandit-v2":  # as Lightning writes it
        state = {"state_dict": {"model.share": state["share"], "loss.weight": torch.ones(1)}}
    torch.save(state, tmp_path / "mine.pth")
    card = take_in(family, tmp_path / "mine.pth", "mine")
    assert (card.kind, card.licence) == (FAMILIES[family].kind, FAMILIES[family].licence)
    assert load_card("mine").sha256 == card.sha256
    separator = load_separator("mine")
    assert separator.rate == (48_000 if family == "bandit-v2" else RATE)
    sound = noise(2)
    stems = separator.separate(sound, separator.rate)
    assert np.abs(stems - np.stack([sound / 2, sound / 4, sound / 4])).max() < 1e-5
    assert np.abs(separator.separate(sound, 32_000).sum(0) - sound).max() < 1e-6


def test_weights_that_do_not_fit_are_one_sentence(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(monkeypatch, "mrx", MRX=FakeMRX)
    torch.save({"shares": torch.zeros(3)}, tmp_path / "other.pth")
    take_in("mrx", tmp_path / "other.pth", "other")
    with pytest.raises(
        ModelError, match=r"do not fit the network: they lack 'share' \(1 missing, 1 unknown\)"
    ):
        load_separator("other")
    (tmp_path / "text.pth").write_text("no weights")
    take_in("mrx", tmp_path / "text.pth", "text")
    with pytest.raises(ModelError, match="cannot be read safely"):
        load_separator("text")
    (shelf / "other.pth").write_bytes((shelf / "other.pth").read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="damaged or not those of 'other'"):
        load_separator("other")


def test_absent_code_and_unknown_families_are_one_sentence(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"share": torch.zeros(3)}, tmp_path / "w.pth")
    take_in("tiger", tmp_path / "w.pth", "w")
    monkeypatch.setitem(sys.modules, "look2hear", None)
    with pytest.raises(ModelError, match="needs the package look2hear: get https://"):
        load_separator("w")
    with pytest.raises(ModelError, match=r"no separator called 'tigre' .*did you mean 'tiger'"):
        take_in("tigre", tmp_path / "w.pth")
    with pytest.raises(ModelError, match="cannot be read"):
        take_in("tiger", tmp_path / "nothing.pth")


def test_a_network_that_fails_is_one_sentence(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = type("Broken", (FakeMRX,), {"forward": lambda self, x: SimpleNamespace()})
    module(monkeypatch, "mrx", MRX=broken)
    torch.save({"share": torch.zeros(3)}, tmp_path / "w.pth")
    take_in("mrx", tmp_path / "w.pth", "w")
    with pytest.raises(ModelError, match="The separator 'w' failed"):
        load_separator("w").separate(noise(), RATE)
