"""What the queue says of jobs and clips, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from ...engine.legible import legible_line
from ...plugin.jobs.eta import clock
from ..control.queue import CANCELLED, DONE, FAILED, PAUSED, RUNNING, WAITING, Entry, Row
from .words import clips


def stage(entry: Entry) -> str:
    """What a job is doing, in a word or two; "" where nobody has said."""
    tr = QCoreApplication.translate
    words = {
        "open": tr("Queue", "reading the timeline"),
        "plan": tr("Queue", "looking at what there is to do"),
        "load": tr("Queue", "loading the model"),
        "listen": tr("Queue", "listening"),
        "render": tr("Queue", "rendering"),
        "rebalance": tr("Queue", "rendering"),
        "separate": tr("Queue", "separating"),
        "bounce": tr("Queue", "listening"),
        "survey": tr("Queue", "listening"),
        "ride": tr("Queue", "drawing curves"),
        "level": tr("Queue", "finding the level"),
        "loudness": tr("Queue", "measuring"),
        "measure": tr("Queue", "measuring"),
        "pictures": tr("Queue", "drawing the report"),
        "report": tr("Queue", "writing the report"),
        "write": tr("Queue", "writing the timeline"),
    }
    return words.get(entry.stage, entry.stage)


def share(entry: Entry) -> str:
    """How much of a job is done; "" where that is nothing yet, or nobody knows."""
    return f"{int(entry.share * 100)} %" if entry.share else ""


def left(entry: Entry) -> str:
    """How long a job will still take; "" where nobody knows."""
    if entry.left is None:
        return ""
    return QCoreApplication.translate("Queue", "{time} left").format(time=clock(round(entry.left)))


def standing(entry: Entry) -> str:
    """How a job stands, beside its name."""
    tr = QCoreApplication.translate
    if entry.status == DONE:
        return result(entry)
    if entry.status == RUNNING:
        begun = joined(share(entry), left(entry)) or stage(entry) or tr("Queue", "begins")
        return tr("Queue", "the engine is being started again") if entry.restarting else begun
    return {
        WAITING: tr("Queue", "waiting"),
        PAUSED: joined(tr("Queue", "paused"), share(entry)),
        CANCELLED: tr("Queue", "stopped"),
        FAILED: tr("Queue", "failed"),
    }.get(entry.status, entry.status)


def result(entry: Entry) -> str:
    """What has come of a job that is done."""
    tr = QCoreApplication.translate
    made = sum(row.status in ("rendered", "cached") for row in entry.rows)
    failed = len(entry.failed_rows)
    told = [clips(made)] if entry.rows else [tr("Queue", "done")]
    if failed:
        told.append(tr("Queue", "{n} failed").format(n=failed))
    return joined(*told)


def clip(row: Row, *, taken: bool = False) -> str:
    """How a clip stands."""
    tr = QCoreApplication.translate
    if taken:
        return tr("Queue", "taken back")
    return {
        "to render": tr("Queue", "waiting"),
        "to ride": tr("Queue", "waiting for its curve"),
        "working": tr("Queue", "being rendered"),
        "rendered": tr("Queue", "done"),
        "cached": tr("Queue", "done earlier"),
        "left out": tr("Queue", "left out"),
        "failed": tr("Queue", "failed"),
    }.get(row.status, row.status)


def sentence(entry: Entry, row: Row | None = None) -> str:
    """Why a job or a clip stands as it does, and what to do: as the engine says it."""
    tr = QCoreApplication.translate
    if row is not None:
        return legible_line(row.reason)
    failure = "" if entry.failure is None else legible_line(entry.failure.error)
    return {
        FAILED: failure,
        CANCELLED: tr(
            "Queue", "It was stopped. What is complete is kept: doing it again goes on from there."
        ),
        PAUSED: tr("Queue", "What is complete is kept: it goes on from there."),
        RUNNING: joined(stage(entry), legible_line(entry.item)),
        DONE: "\n".join(map(legible_line, entry.losses)),
    }.get(entry.status, "")


def details(entry: Entry, row: Row | None = None) -> str:
    """All that is known of a job or a clip, for who helps: copied, not shown."""
    lines = [f"{entry.title} ({entry.do}): {entry.status}"]
    if row is not None:
        lines.append(f"clip {row.index} ({row.track} '{row.name}'): {row.status}")
    lines.append(sentence(entry, row))
    if row is None:
        lines += [f"clip {one.index} ({one.track} '{one.name}'): {one.reason}" for one in entry.failed_rows]
        lines += [line for line in entry.losses if entry.status != DONE]
    lines += [
        f"{name}: {entry.data[name]}" for name in ("source", "out", "clips", "settings") if name in entry.data
    ]
    if entry.failure is not None:
        lines += [part for part in (entry.failure.kind, entry.failure.details) if part]
    return "\n".join(filter(None, lines)) + "\n"


def strip(running: Entry | None, waiting: int, paused: bool) -> str:
    """The queue in one line: what runs, how far it is, what waits, how long that takes."""
    tr = QCoreApplication.translate
    told = []
    if running is not None:
        name = legible_line(running.item or running.title)
        told.append(joined(name, share(running), by=" "))
        if running.restarting:
            told.append(tr("Queue", "the engine is being started again"))
        elif not running.share:
            told.append(stage(running))
    elif paused and waiting:
        told.append(tr("Queue", "Paused"))
    if waiting:
        told.append(tr("Queue", "{n} waiting").format(n=waiting))
    if running is not None:
        told.append(left(running))
    return joined(*told)


def joined(*parts: str, by: str = " · ") -> str:
    """What there is of some parts, with a point between."""
    return by.join(part for part in parts if part)


def withdrawn_not(why: str) -> str:
    """Why a clip cannot be taken back, as a sentence."""
    tr = QCoreApplication.translate
    return {
        "not done": tr("Queue", "The job is not done."),
        "no result": tr("Queue", "There is nothing of this clip in the result."),
        "taken": tr("Queue", "It was taken back already; doing the job again puts it back."),
        "busy": tr("Queue", "It is being taken back."),
    }.get(why, why)
