"""What was done to a programme, in words an editor reads: a sentence for each stretch, and one for the whole."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..context.subjects import Subject
from ..roles import EFFECTS, PARTS
from .config import HOP, MODEL_RATE
from .style import Move

LEAST_DB = 0.5  # a change that is smaller is none that is heard, but is told where it was asked for
# What is asked for is told as soon as it is not 0 in figures of one decimal, what was drawn by hand in any case.
_SHOWN_DB = 0.05
_LEAST = {"asked": _SHOWN_DB, "hand": 0.0}
ALIKE_DB = 1.0  # gains of neighbouring moves that are told as one
_FRAME = HOP / MODEL_RATE  # s
NEAR = round(2.0 / _FRAME)  # frames between neighbours
SHARED = 0.5  # of the time two moves take together, that they have to share to be told in one sentence
SEEN = 0.5  # of a move's time, in which a subject has to be seen to be named with it
DOUBTFUL = 0.5  # how far gains are drawn together before it is said
DOUBT = "the separation is doubtful here, so gains were drawn together"
EVERYTHING = "everything"

Array = NDArray[np.float32]
Timecode = Callable[[int], str]


@dataclass(frozen=True)
class SeenSubject:
    """What is seen over frames [first, last) of the model's grid."""

    first: int
    last: int
    subject: Subject


@dataclass(frozen=True)
class Sentence:
    """What is done over frames [first, last) of the model's grid, and to which stems (none: why nothing is)."""

    first: int
    last: int
    stems: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _Told:
    """A move, or several of one stem and reason in a row, as they are told."""

    first: int
    last: int
    role: str
    gain_db: float
    why: str

    @property
    def frames(self) -> int:
        return self.last - self.first


def seen_subjects(
    frames: Sequence[int], subjects: Sequence[Subject | None], last: int
) -> tuple[SeenSubject, ...]:
    """What is seen when, of pictures looked at in `frames`, in order, up to the frame `last`.

    Each picture stands until the next; neighbours that show the same are one.
    """
    ends = [min(end, last) for end in (*frames[1:], last)]
    found: list[SeenSubject] = []
    for first, end, subject in zip(frames, ends[: len(frames)], subjects, strict=True):
        before = found[-1] if found else None
        if subject is None or end <= first:
            continue
        if before and before.last == first and before.subject.name == subject.name:
            surer = max(before.subject, subject, key=lambda one: one.score)
            found[-1] = SeenSubject(before.first, end, surer)
        else:
            found.append(SeenSubject(first, end, subject))
    return tuple(found)


def sentences(
    moves: Iterable[Move],
    seen: Sequence[SeenSubject],
    timecode: Timecode,
    *,
    doubt: Array | None = None,
    voice: str = "the dialogue",
) -> list[Sentence]:
    """What was done, in order of time: one sentence for each stretch, none where nothing was done.

    `timecode` gives a frame's place on the timeline in words; `doubt` (T,) 0…1 says how far gains were drawn together.
    `voice` is who speaks, as "the narrator". Moves of a stem that follow on each other with about the same gain for
    the same reason are told as one; moves of several stems share a sentence where they share most of their time.
    """
    stretches = [
        (
            group[0].first,
            max(told.last for told in group),
            tuple(told.role for told in group),
            _clauses(group, seen, voice),
        )
        for group in _together(_joined(moves))
    ]
    spans = [(first, last) for first, last, _, _ in stretches]
    stretches += [(first, last, (), []) for first, last in _doubtful(doubt, spans)]
    found = []
    for first, last, stems, clauses in sorted(stretches, key=lambda stretch: stretch[:2]):
        doubtful = (
            doubt is not None and doubt[first:last].size and float(doubt[first:last].mean()) >= DOUBTFUL
        )
        text = f"{_span(first, last, timecode)} {'; '.join([*clauses, DOUBT] if doubtful else clauses)}"
        found.append(Sentence(first, last, stems, text))
    return found


def summary(
    moves: Iterable[Move],
    frames: int,
    *,
    doubt: Array | None = None,
    null_dbfs: float | None = None,
) -> str:
    """The whole programme of so many frames in one sentence: what was done to each stem, for how long, how surely.

    `null_dbfs` is the level of what the stems' sum differs from the mix by, where there is such a test.
    """
    joined = _joined(moves)
    clauses = [clause for role in PARTS for clause in _changes(role.stem, joined)]
    touched = np.zeros(frames, bool)
    for told in joined:
        touched[told.first : told.last] |= abs(told.gain_db) >= _SHOWN_DB
    if frames and not touched.any():
        clauses = ["nothing was changed"]
    elif not touched.all():
        clauses.append(f"nothing was changed for {_duration(int((~touched).sum()))}")
    doubtful = 0 if doubt is None else int((doubt >= DOUBTFUL).sum())
    if doubtful:
        clauses.append(
            f"gains were drawn together for {_duration(doubtful)}, where the separation is doubtful"
        )
    if null_dbfs is not None:
        exact = f"at {_signed(null_dbfs, '.0f')} dBFS" if np.isfinite(null_dbfs) else "to the last bit"
        clauses.append(f"stems sum to the mix {exact}")
    return f"{_duration(frames)}: {'; '.join(clauses)}"


def _signed(value: float, digits: str) -> str:
    text = format(value, digits)
    return text.replace("-", "−")


def signed_db(gain_db: float) -> str:
    """A gain as editors write it: "+3 dB", "−6.1 dB", "0 dB"."""
    rounded = round(gain_db, 1)
    return f"{_signed(rounded, '+g') if rounded else '0'} dB"


def _duration(frames: int) -> str:
    seconds = round(frames * _FRAME)
    return f"{seconds // 60}:{seconds % 60:02d} min" if seconds >= 60 else f"{seconds} s"


def _span(first: int, last: int, timecode: Timecode) -> str:
    start, end = timecode(first), timecode(last)
    return start if start == end else f"{start}–{end}"


# --------------------------------------------------------------------------------------- which are told together


def _joined(moves: Iterable[Move]) -> list[_Told]:
    """Moves worth telling, in order of time; those of a stem that follow on each other alike as one."""
    worth = sorted(
        (_Told(m.first, m.last, m.role, m.gain_db, m.why) for m in moves if m.last > m.first),
        key=lambda told: (told.first, _row(told.role)),
    )
    found: list[_Told] = []
    recent: list[int] = []  # those that a later one may follow on: a film has thousands
    for told in worth:
        if abs(told.gain_db) < _LEAST.get(told.why, LEAST_DB):
            continue
        recent = [i for i in recent if found[i].last >= told.first - NEAR]
        near = next((i for i in reversed(recent) if _alike(found[i], told)), None)
        if near is None:
            recent.append(len(found))
            found.append(told)
        else:
            found[near] = _as_one(found[near], told)
    return found


def _alike(before: _Told, after: _Told) -> bool:
    return (
        (before.role, before.why) == (after.role, after.why)
        and 0 <= after.first - before.last <= NEAR
        and abs(before.gain_db - after.gain_db) <= ALIKE_DB
    )


def _as_one(before: _Told, after: _Told) -> _Told:
    together = before.frames + after.frames
    gain = (before.gain_db * before.frames + after.gain_db * after.frames) / together
    return _Told(before.first, after.last, before.role, gain, before.why)


def _together(told: Sequence[_Told]) -> list[list[_Told]]:
    """Groups of moves that share most of their time, each of one move a stem, in order of time."""
    groups: list[list[_Told]] = []
    recent: list[list[_Told]] = []  # those that a later one may share its time with
    for one in sorted(told, key=lambda told: told.first):
        recent = [group for group in recent if all(other.last > one.first for other in group)]
        fitting = (
            group
            for group in reversed(recent)
            if all(_shares(one, other) and one.role != other.role for other in group)
        )
        group = next(fitting, None)
        if group is None:
            groups.append([one])
            recent.append(groups[-1])
        else:
            group.append(one)
    return [sorted(group, key=_order) for group in groups]


def _shares(one: _Told, other: _Told) -> bool:
    both = min(one.last, other.last) - max(one.first, other.first)
    return both >= SHARED * (max(one.last, other.last) - min(one.first, other.first))


def _row(stem: str) -> int:
    return next((i for i, role in enumerate(PARTS) if role.stem == stem), len(PARTS))


def _order(told: _Told) -> tuple[bool, int]:
    """What makes room comes before what is brought out: it is what the ear notices."""
    return told.why != "under speech", _row(told.role)


def _doubtful(doubt: Array | None, stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches longer than a pause in which gains were drawn together and nothing else is told."""
    if doubt is None:
        return []
    alone = np.asarray(doubt) >= DOUBTFUL
    for first, last in stretches:
        alone[first:last] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], alone.view(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a > NEAR]


# ----------------------------------------------------------------------------------------------------- their words


def _clauses(group: Sequence[_Told], seen: Sequence[SeenSubject], voice: str) -> list[str]:
    """ "music −6.1 dB under the dialogue" and the like; stems with the same reason in one clause."""
    if len(group) == len(PARTS) and len({round(told.gain_db, 1) for told in group}) == 1:
        same = len({told.why for told in group}) == 1
        words = _PURPOSES.get(group[0].why, "") if same else ""
        return [f"{EVERYTHING} {signed_db(group[0].gain_db)}{words}"]
    worded = [(f"{_name(told.role)} {signed_db(told.gain_db)}", _reason(told, seen, voice)) for told in group]
    return [
        f"{_and([change for change, _ in same])}{reason}"
        for reason, same in (
            (key, list(part)) for key, part in itertools.groupby(worded, lambda pair: pair[1])
        )
    ]


_PURPOSES = {
    "asked": " as asked",
    "hand": " by hand",
    "loudness": " for the loudness of the programme",
    "peak": " for the true peak",
}


def _reason(told: _Told, seen: Sequence[SeenSubject], voice: str) -> str:
    """What follows a change: why it was made, or what is seen of that stem while it is raised."""
    if told.why in _PURPOSES:
        return _PURPOSES[told.why]
    if told.why == "under speech":
        return f" under {voice}"
    shown = _shown(told, seen) if told.gain_db > 0 else ""
    if shown:
        return f": {shown} seen"
    return _because(told)


def _because(told: _Told) -> str:
    subject = "they were" if told.role == EFFECTS.stem else "it was"
    if told.why in ("speech buried", "effects buried"):
        return f": {subject} buried"
    if told.why == "seen":
        return " for what is seen"
    loud = told.why.removesuffix(" too loud")
    if loud == told.why:
        return ""
    if loud == told.role:
        return f": {subject} too loud"
    return f" beside {_name(loud)} that {'were' if loud == EFFECTS.stem else 'was'} too loud"


def _shown(told: _Told, seen: Sequence[SeenSubject]) -> str:
    """What is seen for most of a move that would be heard as its stem: "an explosion is", "a car and a dog are"."""
    frames: dict[str, int] = {}
    for one in seen[bisect_right(seen, told.first, key=lambda one: one.last) :]:
        if one.first >= told.last:
            break
        both = min(one.last, told.last) - max(one.first, told.first)
        if both > 0 and one.subject.kind == told.role:
            frames[one.subject.name] = frames.get(one.subject.name, 0) + both
    names = sorted(frames, key=lambda name: -frames[name])[:2]
    if sum(frames[name] for name in names) < SEEN * told.frames:
        return ""
    return f"{_and(names)} {'is' if len(names) == 1 else 'are'}"


def _name(stem: str) -> str:
    return next((role.name for role in PARTS if role.stem == stem), stem or EVERYTHING)


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _changes(stem: str, told: Sequence[_Told]) -> list[str]:
    """ "music lowered by 6.1 dB for 11 s": how much and how long a stem is lowered and raised."""
    changes = []
    for word, sign in (("lowered", -1.0), ("raised", 1.0)):
        parts = [one for one in told if one.role == stem and sign * one.gain_db > 0]
        frames = sum(one.frames for one in parts)
        if frames:
            mean = sum(abs(one.gain_db) * one.frames for one in parts) / frames
            changes.append(f"{_name(stem)} {word} by {round(mean, 1):g} dB for {_duration(frames)}")
    return changes
