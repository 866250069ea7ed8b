"""What the clip list says, in words: categories, figures, why clips need work, and a sentence for each row."""

from __future__ import annotations

import math
from html import escape
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from ...engine.edit.categories import MARRIED, SILENT
from ...engine.edit.keyframes import SILENCE_DB
from ...engine.highlight.words import signed_db
from ...engine.legible import legible_line
from ...engine.roles import DIALOGUE, EFFECTS, MUSIC
from ..control.clips import Summary
from ..control.needs import BURIED, OFF_TARGET, OFFLINE, PEAKS, UNREADABLE, UNSUPPORTED, UNSURE, Target
from ..control.state import ClipRow, TrackRow

KINDS = (
    DIALOGUE.name,
    MUSIC.name,
    EFFECTS.name,
    MARRIED,
    SILENT,
)  # in the order of menus, and of their keys 1 to 5


_TITLES: dict[str, Any] = {
    DIALOGUE.name: QT_TRANSLATE_NOOP("Clips", "Dialogue"),
    MUSIC.name: QT_TRANSLATE_NOOP("Clips", "Music"),
    EFFECTS.name: QT_TRANSLATE_NOOP("Clips", "Effects"),
    MARRIED: QT_TRANSLATE_NOOP("Clips", "Mix"),
    SILENT: QT_TRANSLATE_NOOP("Clips", "Silent"),
    "": QT_TRANSLATE_NOOP("Clips", "Not sure"),
}
_SHORT: dict[str, Any] = {
    OFFLINE: QT_TRANSLATE_NOOP("Clips", "offline"),
    UNSUPPORTED: QT_TRANSLATE_NOOP("Clips", "not possible"),
    UNREADABLE: QT_TRANSLATE_NOOP("Clips", "unreadable"),
    UNSURE: QT_TRANSLATE_NOOP("Clips", "nobody is sure"),
    BURIED: QT_TRANSLATE_NOOP("Clips", "buried"),
    OFF_TARGET: QT_TRANSLATE_NOOP("Clips", "off target"),
    PEAKS: QT_TRANSLATE_NOOP("Clips", "peaks"),
}


def kind_title(kind: str) -> str:
    """A category as a heading; "" is one that nobody knows."""
    return QCoreApplication.translate("Clips", _TITLES.get(kind, _TITLES[""]))


def kind_letter(kind: str) -> str:
    """A category in one letter where people know it by that, for where there is little room."""
    tr = QCoreApplication.translate
    if kind == DIALOGUE.name:
        return tr("Clips", "D", "dialogue")
    if kind == MUSIC.name:
        return tr("Clips", "M", "music")
    if kind == EFFECTS.name:
        return tr("Clips", "E", "effects")
    return kind_title(kind) if kind else "?"


def held(row: ClipRow) -> str:
    """What a clip holds, in a word; a doubtful one is said to be."""
    title = kind_title(row.kind)
    return f"{title}?" if row.kind and not row.certain else title


def level(lufs: float | None) -> str:
    """A loudness in figures alone; "" where nobody has measured it."""
    if lufs is None:
        return ""
    return "−∞" if math.isinf(lufs) else f"{lufs:.1f}".replace("-", "−")


def loudness(lufs: float | None) -> str:
    """A loudness with its unit."""
    if lufs is not None and math.isinf(lufs):
        return QCoreApplication.translate("Clips", "silent")
    return f"{level(lufs)} LUFS" if lufs is not None else ""


def need(key: str, target: Target) -> str:
    """Why a clip needs work, as a sentence."""
    tr = QCoreApplication.translate
    lufs = loudness(target.lufs)
    return {
        OFFLINE: tr("Clips", "Its media is offline."),
        UNSUPPORTED: tr("Clips", "It cannot be rebalanced."),
        UNREADABLE: tr("Clips", "Its sound cannot be read."),
        UNSURE: tr("Clips", "Nobody is sure what it holds: say so."),
        BURIED: tr("Clips", "Speech lies lower over music or effects than in good films."),
        OFF_TARGET: tr("Clips", "It lies off the target of {0}.").format(lufs),
        PEAKS: tr("Clips", "It peaks over {0} dBTP.").format(f"{target.ceiling:.1f}".replace("-", "−")),
    }[key]


def short_need(key: str) -> str:
    """The same in a word or two, for the row."""
    return QCoreApplication.translate("Clips", _SHORT[key])


def work(state: str) -> str:
    """Where a clip is in the queue, in words; "" for nowhere."""
    tr = QCoreApplication.translate
    return {
        "waiting": tr("Clips", "waiting in the queue"),
        "running": tr("Clips", "being rebalanced"),
        "done": tr("Clips", "rebalanced"),
        "failed": tr("Clips", "rebalancing failed"),
        "cancelled": tr("Clips", "cancelled"),
        "undone": tr("Clips", "taken back"),
    }.get(state, "")


def why_not(row: ClipRow) -> str:
    """Why a clip cannot be rebalanced, short enough for a row: which file is missing, or the sentence."""
    media = PurePath(row.media.replace("\\", "/")).name
    if row.state == OFFLINE and media:
        return f"{short_need(OFFLINE)} · {media}"
    return row.reason or row.state


def spoken(row: ClipRow, target: Target, state: str = "") -> str:
    """A row in one line, for those who hear it."""
    parts = [
        legible_line(row.name),
        row.timecode_in,
        f"A{row.track_number} {legible_line(row.track)}",
        held(row),
        loudness(row.lufs),
    ]
    parts += [row.reason or row.state] if row.state != "online" else [need(key, target) for key in row.needs]
    return ", ".join(part.rstrip(".") for part in [*parts, row.trouble, work(state)] if part)


def tip(row: ClipRow, track: TrackRow | None, target: Target, state: str = "") -> str:
    """All that is known of a clip, a line each."""
    tr = QCoreApplication.translate
    lines = [row.name, f"{row.timecode_in} – {row.timecode_out}"]
    if row.told:
        why = tr("Clips", "you said so")
    else:
        why = track.reason if track is not None and track.kind == row.kind else ""
    lines.append(f"A{row.track_number} {row.track}: {held(row)}{f' ({why})' if why else ''}")
    if row.lufs is not None:
        figures = loudness(row.lufs)
        if row.true_peak is not None and not math.isinf(row.true_peak):
            figures += f", {level(row.true_peak)} dBTP"
        if row.volume > SILENCE_DB and row.volume:
            figures += ", " + tr("Clips", "with its volume of {0} on the mean").format(signed_db(row.volume))
        lines.append(figures)
    lines += [row.media] if row.media else []
    lines += [row.reason] if row.state != "online" else [need(key, target) for key in row.needs]
    return "\n".join(
        [*lines, *([row.trouble] if row.trouble else []), *([work(state)] if work(state) else [])]
    )


def counted(summary: Summary) -> str:
    """How many clips and tracks there are, and how many of them are chosen or shown."""
    tr = QCoreApplication.translate
    tracks = sum(len(numbers) for _, numbers in summary.tracks)
    parts = [
        tr("Clips", "1 clip") if summary.clips == 1 else tr("Clips", "{0} clips").format(summary.clips),
        tr("Clips", "1 track") if tracks == 1 else tr("Clips", "{0} tracks").format(tracks),
    ]
    if summary.chosen:
        parts.append(tr("Clips", "{0} chosen").format(summary.chosen))
    elif summary.shown < summary.clips:
        parts.append(tr("Clips", "{0} shown").format(summary.shown))
    return " · ".join(parts)


def plain_tip(text: str) -> str:
    """A tooltip that shows text as it is: Qt takes anything like a tag for its own."""
    lines = "<br>".join(escape(legible_line(line)) for line in text.split("\n"))
    return f"<p style='white-space:pre-wrap'>{lines}</p>" if text else ""


def track_numbers(numbers: tuple[int, ...]) -> str:
    """Tracks as hosts number them, runs drawn together: A1 A3–A6."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(f"A{a}" if a == b else f"A{a} A{b}" if b == a + 1 else f"A{a}–A{b}" for a, b in runs)
