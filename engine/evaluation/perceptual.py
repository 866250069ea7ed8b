"""KLD and ΔIB of the VisAH paper: published networks as judges, where their packages and weights are installed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compat import ensure_companions
from ..errors import ModelError
from ..installation import line_for, line_with
from ..media.resample import resample
from ..training.material.levels import SAMPLE_RATE

PASST_FILE = "passt-s-f128-p16-s10-ap.476-swa.pt"
PASST_URL = f"https://github.com/kkoutini/PaSST/releases/download/v0.0.1-audioset/{PASST_FILE}"
IMAGEBIND_FILE = "imagebind_huge.pth"
IMAGEBIND_URL = f"https://dl.fbaipublicfiles.com/imagebind/{IMAGEBIND_FILE}"
_PASST_RATE, _IMAGEBIND_RATE = 32_000, 16_000
_PASST_SECONDS = 10
_CLIPS, _CLIP_SECONDS, _MELS, _FRAMES = 3, 2, 128, 204
_AUDIO_MEAN, _AUDIO_STD = -4.268, 9.138
_PICTURE_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_PICTURE_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)

Sound = NDArray[np.floating[Any]]


def kld(predicted: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence of two sounds' class logits (classes,), target against prediction.

    As released with VisAH: softmax over all classes, 1e-6 added to the prediction only. 0 is the same; the paper's
    tables show 100 times the mean over clips.
    """
    p, q = _softmax(target), _softmax(predicted)
    return float(np.sum(p * (np.log(np.maximum(p, 1e-300)) - np.log(q + 1e-6))))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return np.asarray(shifted / shifted.sum())


class SoundClasses:
    """PaSST (passt_s_swa_p16_128_ap476): logits of AudioSet's 527 classes for mono sound at 44.1 kHz.

    Needs the package hear21passt and its weights in PyTorch's cache; nothing is fetched. Raises `ModelError` saying
    what is missing and where it is to be had.
    """

    def __init__(self) -> None:
        torch = _package("torch", line_for("torch"))
        ensure_companions()
        path = Path(torch.hub.get_dir()) / "checkpoints" / PASST_FILE
        if not path.is_file():
            raise ModelError(f"KLD needs PaSST's weights: download {PASST_URL} and save it as {path}.")
        base = _package("hear21passt.base", line_with("hear21passt"))
        self._torch = torch
        self._model = base.get_basic_model(mode="logits").eval()

    def __call__(self, sound: Sound) -> NDArray[np.float64]:
        """Logits (527,) of a sound (samples,); what is past ten seconds is not heard."""
        heard = resample(np.asarray(sound, np.float32)[None], SAMPLE_RATE, _PASST_RATE)
        heard = heard[:, : _PASST_SECONDS * _PASST_RATE]
        with self._torch.inference_mode():
            logits = self._model(self._torch.from_numpy(np.ascontiguousarray(heard)))
        return np.asarray(logits[0].double().numpy())


class PictureSound:
    """ImageBind: how well sounds fit pictures, as the mean cosine of their embeddings.

    Needs ImageBind's own package and weights (CC-BY-NC-4.0, 4.8 GB); nothing is fetched. Raises `ModelError` saying
    what is missing and where it is to be had.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self._torch = _package("torch", line_for("torch"))
        ensure_companions()
        path = weights or Path.home() / ".cache" / "imagebind_checkpoints" / IMAGEBIND_FILE
        if not path.is_file():
            raise ModelError(
                f"ΔIB needs ImageBind's weights (4.8 GB, not for commercial use): download {IMAGEBIND_URL} "
                f"and save it as {path}."
            )
        how = line_with("git+https://github.com/facebookresearch/ImageBind")
        module = _package("imagebind.models.imagebind_model", how)
        self._kaldi = _package("torchaudio.compliance.kaldi", line_with("torchaudio"))
        self._model = module.imagebind_huge(pretrained=False)
        self._model.load_state_dict(self._torch.load(path, map_location="cpu", weights_only=True))
        self._model.eval()

    def __call__(self, sounds: Sequence[Sound], pictures: NDArray[np.uint8]) -> list[float]:
        """Fit, -1…1, of each sound (samples,) at 44.1 kHz to RGB pictures (n, 224, 224, 3) of the same clip."""
        torch = self._torch
        scaled = (pictures.astype(np.float32) / 255 - _PICTURE_MEAN) / _PICTURE_STD
        seen_in = torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))
        heard_in = torch.stack([self._spectrograms(sound) for sound in sounds])
        with torch.inference_mode():
            embedded = self._model({"vision": seen_in, "audio": heard_in})
            seen, heard = (torch.nn.functional.normalize(embedded[k], dim=-1) for k in ("vision", "audio"))
        return [float(x) for x in (heard @ seen.T).mean(1)]

    def _spectrograms(self, sound: Sound) -> Any:
        """Three clips of two seconds, evenly spread over the sound, as (3, 1, 128, 204)."""
        wave = resample(np.asarray(sound, np.float32)[None], SAMPLE_RATE, _IMAGEBIND_RATE)
        length = _CLIP_SECONDS * _IMAGEBIND_RATE
        wave = np.pad(wave, ((0, 0), (0, max(0, length - wave.shape[1]))))
        starts = np.linspace(0, wave.shape[1] - length, _CLIPS).astype(int)
        return self._torch.stack([self._spectrogram(wave[:, s : s + length]) for s in starts])

    def _spectrogram(self, wave: NDArray[np.float32]) -> Any:
        torch = self._torch
        bands = self._kaldi.fbank(
            torch.from_numpy(np.ascontiguousarray(wave - wave.mean())),
            htk_compat=True,
            sample_frequency=_IMAGEBIND_RATE,
            use_energy=False,
            window_type="hanning",
            num_mel_bins=_MELS,
            dither=0.0,
            frame_length=25,
            frame_shift=10,
        ).T
        bands = torch.nn.functional.pad(bands, (0, max(0, _FRAMES - bands.shape[1])))[:, :_FRAMES]
        return ((bands - _AUDIO_MEAN) / _AUDIO_STD)[None]


def _package(name: str, how: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ModelError(
            f"This measure needs the package {name.split('.', maxsplit=1)[0]}: `{how}` ({error})."
        ) from error
