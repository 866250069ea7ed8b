"""What the network says of a programme or a stretch of it: its curves can be changed without asking again."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.context.subjects import Subject
from ...engine.errors import MediaError
from ...engine.files import replacing
from ...engine.highlight.config import HOP, MODEL_RATE
from ...engine.highlight.style import Move
from .laid import Laid

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Said:
    """A sentence that tells what is done over a stretch of the record, in seconds, and to which stems."""

    first: float
    last: float
    text: str
    stems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """A frame that the network looked at: record seconds, the file, the time in it, and what it shows ("").

    `stem` is what the subject would be heard as.
    """

    time: float
    path: Path
    media_time: Fraction
    subject: str = ""
    stem: str = ""


@dataclass(frozen=True)
class Mix:
    """A stretch of a programme, heard: `start` and `duration` in record seconds, and where its clips lie.

    `styles` are gains (3, T) in dB by style, for speech, music and effects, before strength, trims, the user's own
    curves and the level; the first frame's centre lies half a frame after `start`, on the model's grid. `moves` are
    what they do, and `doubt` (T,) how far gains were drawn together for want of good separation; `said` tells it in
    sentences. `null_dbfs` is how far separated stems are from what they are of (-inf: nothing was).
    """

    start: float
    duration: float
    laid: Laid
    styles: Mapping[str, Array]
    said: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)
    looks: tuple[Look, ...] = ()
    warnings: tuple[str, ...] = ()
    null_dbfs: float = -math.inf
    moves: Mapping[str, tuple[Move, ...]] = field(default_factory=dict)
    doubt: Mapping[str, Array] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Frames of the model's grid (T)."""
        return next((gains.shape[1] for gains in self.styles.values()), 0)

    @property
    def times(self) -> NDArray[np.float64]:
        """Record seconds of the frames' centres (T,)."""
        from ...engine.highlight.bounce import frame_times

        return self.start + frame_times(self.frames)


def tell(
    mix: Mix, moves: Sequence[Move], doubt: Array | None, timecode: Callable[[float], str]
) -> tuple[Said, ...]:
    """Moves over a mix in sentences, as the report has them; `timecode` gives record seconds in words."""
    from ...engine.highlight.words import seen_subjects, sentences

    def place(frame: int) -> float:
        return min(mix.start + frame * HOP / MODEL_RATE, mix.start + mix.duration)

    looked = [int((look.time - mix.start) * MODEL_RATE / HOP) for look in mix.looks]
    subjects = [Subject(look.subject, look.stem, 0.0) if look.subject else None for look in mix.looks]
    seen = seen_subjects(looked, subjects, mix.frames)
    found = sentences(moves, seen, lambda frame: timecode(place(frame)), doubt=doubt)
    return tuple(Said(place(one.first), place(one.last), one.text, one.stems) for one in found)


def write_mix(path: Path, mix: Mix) -> None:
    """Write a mix as one file, whole or not at all; raises WriteError."""
    facts = {
        "start": mix.start,
        "duration": mix.duration,
        "laid": mix.laid.to_dict(),
        "said": {
            style: [[s.first, s.last, s.text, list(s.stems)] for s in said]
            for style, said in mix.said.items()
        },
        "looks": [
            [look.time, str(look.path), str(look.media_time), look.subject, look.stem] for look in mix.looks
        ],
        "moves": {style: [list(astuple(move)) for move in moves] for style, moves in mix.moves.items()},
        "warnings": list(mix.warnings),
        "null_dbfs": mix.null_dbfs,
    }
    arrays = {f"gains-{style}": gains for style, gains in mix.styles.items()}
    arrays |= {f"doubt-{style}": doubt for style, doubt in mix.doubt.items()}
    with replacing(path) as file:
        np.savez_compressed(file, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def read_mix(path: Path) -> Mix:
    """What `write_mix` wrote; raises MediaError where it is not there or not whole."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            styles, doubt = (
                {name.removeprefix(kind): stored[name] for name in stored.files if name.startswith(kind)}
                for kind in ("gains-", "doubt-")
            )
            return Mix(
                facts["start"],
                facts["duration"],
                Laid.from_dict(facts["laid"]),
                styles,
                {
                    style: tuple(Said(first, last, text, tuple(stems)) for first, last, text, stems in said)
                    for style, said in facts["said"].items()
                },
                tuple(Look(t, Path(p), Fraction(m), *shown) for t, p, m, *shown in facts["looks"]),
                tuple(facts["warnings"]),
                facts["null_dbfs"],
                {style: tuple(Move(*move) for move in moves) for style, moves in facts["moves"].items()},
                doubt,
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise MediaError(f"{path} is not what an earlier run has left there; run it again.") from error
