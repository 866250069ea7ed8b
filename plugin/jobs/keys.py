"""Cache keys: what went into a rendition, as one SHA-256."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...engine.errors import MediaError
from ...engine.passage import Note, Passage, Shot, Sound
from ...engine.version import engine_version
from .stage import Identity

_SAMPLE = 1 << 16
_PLACES = 9


def sampled_hash(path: Path) -> str:
    """SHA-256 over a file's size and nine stretches of 64 KiB spread from its head to its tail.

    Cheap on files of any size; raises OSError when the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = file.seek(0, 2)
        digest.update(size.to_bytes(8, "little"))
        for place in range(_PLACES):
            file.seek(max(0, size - _SAMPLE) * place // (_PLACES - 1))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


class Identities:
    """What media files are, looked at once per job: path, size, modification time and sampled content."""

    def __init__(self) -> None:
        self._known: dict[Path, list[object]] = {}

    def of(self, path: Path) -> list[object]:
        """Return the identity of the file at `path`; raises MediaError when it cannot be read."""
        if path not in self._known:
            try:
                state = path.stat()
                self._known[path] = [str(path), state.st_size, state.st_mtime_ns, sampled_hash(path)]
            except OSError as error:
                raise MediaError(f"{path} cannot be read: {error.strerror or error}.") from error
        return self._known[path]


def digest_of(facts: object) -> str:
    """SHA-256 of plain values in canonical JSON; equal facts give equal digests on every machine."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_exact)
    return hashlib.sha256(text.encode()).hexdigest()


def span_key(passage: Passage) -> str:
    """Digest of which stretch of which file a passage is, whatever its settings or place on the timeline."""
    return digest_of(_sound(passage.sound))


def rendition_key(
    passage: Passage,
    stage: Identity,
    identities: Identities,
) -> str:
    """Digest of all a rendition depends on: media content, exact spans, shots, notes, and the stage's identity.

    Its place on the timeline is left out, and whether stems are written and how: none changes the sound. Raises
    MediaError for media that cannot be read.
    """
    shots = [shot for shot in passage.shots if shot.path is not None]
    facts: dict[str, Any] = {
        "version": engine_version(),
        "stage": stage.stage,
        "models": dict(stage.models),
        "settings": dict(stage.settings),
        "media": identities.of(passage.sound.path),
        "pictures": sorted(_picture(shot, identities) for shot in {str(s.path): s for s in shots}.values()),
        "sound": _sound(passage.sound),
        "handles": [passage.head, passage.tail],
        "shots": [_shot(shot) for shot in passage.shots],
        "notes": [_note(note) for note in passage.notes],
    }
    return digest_of(facts)


def delivery_key(key: str, stage: object) -> str:
    """Digest of a delivered file: the rendition's key and what was done to it afterwards."""
    return digest_of([key, stage])


def _picture(shot: Shot, identities: Identities) -> list[object]:
    assert shot.path is not None
    try:
        return identities.of(shot.path)
    except MediaError:
        return [str(shot.path), "unreadable"]


def _sound(sound: Sound) -> list[object]:
    channels = None if sound.channels is None else [[c.stream, c.channel] for c in sound.channels]
    return [str(sound.path), sound.start, sound.duration, channels]


def _shot(shot: Shot) -> list[object]:
    path = None if shot.path is None else str(shot.path)
    return [shot.start, shot.duration, path, shot.media_start, shot.speed]


def _note(note: Note) -> list[object]:
    return [note.start, note.duration, note.text]


def _exact(value: object) -> str:
    if isinstance(value, (Fraction, Path)):
        return str(value)
    raise TypeError(f"{value!r} has no place in a cache key")
