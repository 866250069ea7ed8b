"""Separators that other packages bring along: demucs and audio-separator, where they are installed.

Both were made for songs. What they call vocals stands for speech; accompaniment is music; what is left over is
effects. That is rough: singing goes to speech and most effects to music. Their weights are fetched by the packages
themselves at first use, to their own folders.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ..errors import MediaError, ModelError
from ..installation import line_for, line_with, needs
from ..roles import DIALOGUE, STEMS
from .base import Array, at_rate, check_sound, first_line, fitted, need, role_of, whole

_DEMUCS = "htdemucs"
_AUDIO_SEPARATOR = "model_bs_roformer_ep_317_sdr_12.9755.ckpt"
# Accompaniment by the names the models give it.
_ACCOMPANIMENT = ("drums", "bass", "other", "guitar", "piano", "instrumental", "no_vocals")


class DemucsSeparator:
    """A Demucs model by `demucs.api` (demucs 4.1): vocals as speech, everything else as music, the rest as effects."""

    def __init__(self, model: str = "", device: str = "cpu") -> None:
        how = f"`{line_with(*needs('torch'), 'demucs')}`"
        api = need("demucs.api", "The separator 'demucs'", how)
        self._torch = need("torch", "The separator 'demucs'", f"`{line_for('torch')}`")
        model = model or _DEMUCS
        self.name = f"demucs:{model}"
        try:
            # Random shifts would make every run give other stems.
            self._separator: Any = api.Separator(model=model, device=device, shifts=0, progress=False)
        except (Exception, SystemExit) as error:
            raise ModelError(
                f"demucs cannot load its model '{model}' ({first_line(error)}); check its name and the network."
            ) from error
        self.rate = int(self._separator.samplerate)
        self._channels = int(self._separator.audio_channels)

    def separate(self, sound: Array, rate: int) -> Array:
        """See `Separator.separate`."""
        check_sound(sound)
        heard = at_rate(np.asarray(sound, np.float32), rate, self.rate)
        stems = np.zeros((3, *sound.shape), np.float32)
        for first in range(0, sound.shape[0], self._channels):
            some = heard[first : first + self._channels]
            fed = np.concatenate([some, np.repeat(some[-1:], self._channels - len(some), axis=0)])
            try:
                _, found = self._separator.separate_tensor(self._torch.from_numpy(fed.copy()))
            except Exception as error:
                raise ModelError(f"demucs failed: {first_line(error)}.") from error
            parts = {name: np.asarray(part.cpu().numpy(), np.float32) for name, part in found.items()}
            back = fitted(at_rate(_songs(parts, fed.shape), self.rate, rate), sound.shape[1])
            stems[:, first : first + len(some)] = back[:, : len(some)]
        return whole(stems, sound)


class AudioSeparator:
    """A model of the package audio-separator (0.47), which works on files; `model` is one of its model file names."""

    rate = 44_100

    def __init__(self, model: str = "", device: str = "cpu") -> None:  # noqa: ARG002  (it chooses its own device)
        how = f"`{line_with(*needs('torch'), 'audio-separator[cpu]')}`"
        module = need("audio_separator.separator", "The separator 'audio-separator'", how)
        model = model or _AUDIO_SEPARATOR
        self.name = f"audio-separator:{model}"
        self._folder = Path(tempfile.mkdtemp(prefix="sightmix-separation-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        keep = os.environ.get("AUDIO_SEPARATOR_MODEL_DIR") or str(
            Path.home() / ".cache" / "audio-separator-models"
        )
        try:
            self._separator: Any = module.Separator(
                output_dir=str(self._folder),
                model_file_dir=keep,
                output_format="WAV",
                sample_rate=self.rate,
                normalization_threshold=1.0,
                use_soundfile=True,
            )
            self._separator.load_model(model_filename=model)
        except (Exception, SystemExit) as error:
            raise ModelError(
                f"audio-separator cannot load its model '{model}' ({first_line(error)}); "
                "check its name and the network."
            ) from error

    def separate(self, sound: Array, rate: int) -> Array:
        """See `Separator.separate`."""
        check_sound(sound)
        stems = np.zeros((3, *sound.shape), np.float32)
        for first in range(0, sound.shape[0], 2):
            some = sound[first : first + 2]
            stems[:, first : first + len(some)] = self._pair(some, rate)
        return whole(stems, sound)

    def _pair(self, sound: Array, rate: int) -> Array:
        """Stems (3, channels, n) of one or two channels, by way of files."""
        heard = at_rate(np.asarray(sound, np.float32), rate, self.rate)
        # The package turns down what peaks above full scale, and would change the stems' level.
        scale = max(1.0, float(np.max(np.abs(heard), initial=0.0)) / 0.99)
        fed = np.concatenate([heard, heard])[:2] / np.float32(scale)
        folder = self._folder
        source = folder / "mix.wav"
        written: list[Path] = []
        try:
            soundfile.write(source, fed.T, self.rate, subtype="FLOAT")
            written = [folder / Path(name).name for name in self._separator.separate(str(source))]
            parts = {_stem_name(path): self._read(path) for path in written}
        except MediaError:
            raise
        except Exception as error:
            raise ModelError(f"audio-separator failed: {first_line(error)}.") from error
        finally:
            for path in (source, *written):
                path.unlink(missing_ok=True)
        back = at_rate(_songs(parts, fed.shape), self.rate, rate) * np.float32(scale)
        return fitted(back, sound.shape[1])[:, : sound.shape[0]]

    def _read(self, path: Path) -> Array:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return at_rate(np.ascontiguousarray(sound.T), int(rate), self.rate)


def _stem_name(path: Path) -> str:
    """The stem a file name of audio-separator gives in brackets, as in "mix_(Vocals)_model.wav"."""
    return path.stem.rpartition("(")[2].partition(")")[0].strip().lower().replace(" ", "_")


def _songs(parts: dict[str, Array], shape: tuple[int, ...]) -> Array:
    """Stems (3, channels, n) of a song separator's parts by name; raises `ModelError` if none is a voice."""
    stems = np.zeros((3, *shape), np.float32)
    known = False
    for name, part in parts.items():
        fit = np.broadcast_to(fitted(part, shape[-1]), shape)
        role = role_of(name)
        if role is not None:
            stems[STEMS.index(role)] += fit
            known = known or role == DIALOGUE.stem
        elif name in _ACCOMPANIMENT:
            stems[1] += fit
    if not known:
        raise ModelError(
            f"The separator gives no voice, only {', '.join(sorted(parts)) or 'nothing'}; choose another model."
        )
    return stems
