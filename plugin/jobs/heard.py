"""What the network says of a desk: asked once and kept, and made into curves in every style."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...engine.context.subjects import Subject
from ...engine.files import replacing
from ...engine.highlight.bounce import frame_times
from ...engine.highlight.listening import Listening
from ...engine.highlight.style import STYLES, Heard, Styled, styled
from ...engine.passage import SeenFrame
from ...engine.programme.programme import SAMPLE_RATE
from ...engine.progress import Progress
from ...engine.roles import STEMS
from .desk import Desk, passage_times
from .keys import Identities
from .mix import Look, Mix, tell

if TYPE_CHECKING:
    from .stage import Stage

Array = NDArray[np.float32]

_QUALITY = 100.0  # dB: what was not separated is as good as it gets


def listened(desk: Desk, stage: Stage, kept: Path | None, progress: Progress) -> Listening:
    """What the network says, or said before to the same sound and picture, as the file `kept` has it.

    Raises MediaError, ModelError, Cancelled, and WriteError where it cannot be kept.
    """
    found = _read(kept) if kept is not None else None
    if found is not None:
        return found
    heard = stage.listen(desk.score(), progress)
    if kept is not None:
        _write(kept, heard)
    return heard


def listening_file(desk: Desk, stage: Stage, folder: Path) -> Path:
    """Where what the network says of this sound and picture is kept; raises MediaError for unreadable media."""
    return folder / f"listening-{desk.key(stage.identity, Identities())[:32]}.npz"


def leave_newest(folder: Path, pattern: str, keep: int) -> None:
    """Remove all but the newest files that fit a pattern."""
    for old in sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)[:-keep]:
        old.unlink(missing_ok=True)


def in_styles(desk: Desk, heard: Listening) -> dict[str, Styled]:
    """What becomes of the network's gains, style by style."""
    facts = Heard(heard.levels, heard.unsure, _quality(desk, heard), heard.cuts)
    return {style: styled(heard.gains, facts, style) for style in STYLES}


def mix_of(desk: Desk, heard: Listening, made: Mapping[str, Styled]) -> Mix:
    """All of it that curves can be drawn, told and changed by."""
    start, timeline = float(desk.start), desk.timeline
    shown = heard.subjects or (None,) * len(heard.frames)
    mix = Mix(
        start,
        desk.programme.samples / SAMPLE_RATE,
        desk.laid,
        {style: one.gains for style, one in made.items()},
        looks=tuple(
            Look(start + frame.time, frame.path, frame.media_time, *((s.name, s.kind) if s else ()))
            for frame, s in zip(heard.frames, shown, strict=True)
        ),
        warnings=heard.warnings,
        moves={style: one.moves for style, one in made.items()},
        doubt={style: one.doubt for style, one in made.items()},
    )

    def timecode(seconds: float) -> str:
        return timeline.timecode(min(Fraction(seconds), timeline.duration))[:8]

    said = {style: tell(mix, one.moves, one.doubt, timecode) for style, one in made.items()}
    return replace(mix, said=said)


def _quality(desk: Desk, heard: Listening) -> Array:
    """How well what was separated is thought to have been separated, (3, T) dB."""
    quality = np.full(heard.gains.shape, _QUALITY, np.float32)
    times = float(desk.start) + frame_times(heard.gains.shape[1])
    for seat in desk.seats:
        if seat.parted is None:
            continue
        first, last = np.searchsorted(times, [float(seat.clip.record_in), float(seat.clip.record_out)])
        inside = passage_times(desk.timeline, seat.clip, times[first:last]) - seat.begins
        for row, stem in enumerate(STEMS):
            line = seat.parted.stem_quality.get(stem, ())
            if line:
                known = np.interp(inside, np.arange(len(line)) + 0.5, line)
                quality[row, first:last] = np.minimum(quality[row, first:last], known)
    return quality


def _write(path: Path, heard: Listening) -> None:
    frames = [[f.time, str(f.path), str(f.media_time), f.shot] for f in heard.frames]
    with replacing(path) as file:
        np.savez_compressed(
            file,
            gains=heard.gains,
            levels=heard.levels,
            unsure=heard.unsure,
            cuts=heard.cuts,
            lufs=heard.lufs,
            frames=np.array(frames, dtype=str).reshape(-1, 4),
            subjects=np.array(
                [[s.name, s.kind, str(s.score)] if s else [""] * 3 for s in heard.subjects], dtype=str
            ),
            warnings=np.array(heard.warnings, dtype=str),
        )


def _read(path: Path) -> Listening | None:
    """What `_write` wrote; None where it is not there or not whole."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            frames = tuple(
                SeenFrame(float(t), Path(p), Fraction(m), int(s)) for t, p, m, s in stored["frames"].tolist()
            )
            subjects = tuple(
                Subject(name, kind, float(score)) if name else None
                for name, kind, score in stored["subjects"].reshape(-1, 3).tolist()
            )
            found = {name: stored[name] for name in ("gains", "levels", "unsure", "cuts")}
            return Listening(
                **found,
                lufs=float(stored["lufs"]),
                frames=frames,
                subjects=subjects,
                warnings=tuple(stored["warnings"].tolist()),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
