"""KLD and ΔIB: the arithmetic on known answers, the loaders with small networks in the place of the published ones."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
import soundfile
import torch
from sightmix.engine.errors import ModelError
from sightmix.engine.evaluation.folders import Judges, find_pairs, score_folder
from sightmix.engine.evaluation.perceptual import (
    IMAGEBIND_FILE,
    PASST_FILE,
    PictureSound,
    SoundClasses,
    kld,
)
from sightmix.engine.installation import line_with

RATE = 44_100


def test_kld_of_two_classes_is_what_the_formula_says() -> None:
    p, q = np.array([0.75, 0.25]), np.array([0.5, 0.5])
    by_hand = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert kld(np.log(q) + 7, np.log(p) - 3) == pytest.approx(by_hand, abs=1e-5)
    assert kld(np.log(p), np.log(p)) == pytest.approx(0, abs=1e-5)
    assert math.isfinite(kld(np.array([0.0, 900.0]), np.array([900.0, 0.0])))


def test_missing_weights_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ModelError, match=f"KLD needs PaSST's weights: download .* save it as .*{PASST_FILE}"):
        SoundClasses()
    with pytest.raises(ModelError, match="ΔIB needs ImageBind's weights"):
        PictureSound(tmp_path / IMAGEBIND_FILE)


def test_a_missing_package_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / PASST_FILE).touch()
    monkeypatch.setitem(sys.modules, "hear21passt.base", None)
    with pytest.raises(
        ModelError, match=re.escape(f"needs the package hear21passt: `{line_with('hear21passt')}`")
    ):
        SoundClasses()


@pytest.fixture
def classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoundClasses:
    """A judge whose two classes are the energies below and above 4 kHz."""

    class Network(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.shape = tuple(x.shape)
            power = torch.fft.rfft(x).abs().square()
            edge = round(4000 / 32_000 * x.shape[-1])
            return torch.log(torch.stack([power[:, :edge].sum(-1), power[:, edge:].sum(-1)], -1) + 1e-6)

    base = ModuleType("hear21passt.base")
    base.get_basic_model = lambda mode: Network()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hear21passt", ModuleType("hear21passt"))
    monkeypatch.setitem(sys.modules, "hear21passt.base", base)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / PASST_FILE).touch()
    return SoundClasses()


def tone(frequency: float, seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def test_sounds_are_judged_at_32_khz_for_ten_seconds(classes: SoundClasses) -> None:
    low, high = classes(tone(500, 12)), classes(tone(9000, 12))
    assert classes._model.shape == (1, 320_000)
    assert low[0] > low[1] + 5
    assert high[1] > high[0] + 5
    assert kld(low, high) > 5
    assert kld(low, low) < 1e-3


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PictureSound:
    """A judge for whom bright pictures fit loud sounds."""
    pytest.importorskip("torchaudio", exc_type=ImportError)

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.zeros(1))

        def forward(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            self.shapes = {name: tuple(x.shape) for name, x in inputs.items()}
            means = {name: self.scale * x.flatten(1).mean(1) for name, x in inputs.items()}
            return {name: torch.stack([torch.ones_like(m), m], -1) for name, m in means.items()}

    module = ModuleType("imagebind.models.imagebind_model")
    module.imagebind_huge = lambda pretrained: Network()  # type: ignore[attr-defined]
    for name in ("imagebind", "imagebind.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "imagebind.models.imagebind_model", module)
    torch.save({"scale": torch.ones(1)}, tmp_path / IMAGEBIND_FILE)
    return PictureSound(tmp_path / IMAGEBIND_FILE)


def test_pictures_and_sounds_are_laid_before_the_judge_as_it_was_trained(fit: PictureSound) -> None:
    white = np.full((4, 224, 224, 3), 255, np.uint8)
    rng = np.random.default_rng(0)
    loud, quiet = (level * rng.standard_normal(10 * RATE).astype(np.float32) for level in (0.5, 1e-4))
    fits = fit([loud, quiet], white)
    assert fit._model.shapes == {"vision": (4, 3, 224, 224), "audio": (2, 3, 1, 128, 204)}
    assert fits[0] > fits[1]


def test_folders_are_judged_too(classes: SoundClasses, fit: PictureSound, tmp_path: Path) -> None:
    sounds = {"sounds": 1e-4 * tone(9000, 2), "targets": tone(500, 2)}
    for folder, sound in sounds.items():
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "a.wav", sound, RATE, subtype="FLOAT")
    (tmp_path / "videos").mkdir()
    with av.open(str(tmp_path / "videos" / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    pairs, _ = find_pairs(tmp_path / "sounds", tmp_path / "targets", None, tmp_path / "videos")
    score = score_folder(pairs, (), None, Judges(classes, fit))
    assert score.means["KLD"] > 5
    assert score.means["ΔIB"] > 0
