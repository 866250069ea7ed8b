"""What the panel calls settings and what they may be, in the language of the window.

The words in English stand where settings are declared; the lists here are what translators find.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from ...plugin.jobs.settings import HEARD, LEVELLED, MIXED, PUT, SETTINGS, Setting
from ..control.options import Choice, Options, shown
from ..control.planning import EMPTY, NO_CLIPS, Outlook

LABELS: tuple[Any, ...] = (
    QT_TRANSLATE_NOOP("Settings", "Balance"),
    QT_TRANSLATE_NOOP("Settings", "Style"),
    QT_TRANSLATE_NOOP("Settings", "Strength"),
    QT_TRANSLATE_NOOP("Settings", "Dialogue"),
    QT_TRANSLATE_NOOP("Settings", "Music"),
    QT_TRANSLATE_NOOP("Settings", "Effects"),
    QT_TRANSLATE_NOOP("Settings", "Loudness"),
    QT_TRANSLATE_NOOP("Settings", "Delivery"),
    QT_TRANSLATE_NOOP("Settings", "True peak"),
    QT_TRANSLATE_NOOP("Settings", "Picture"),
    QT_TRANSLATE_NOOP("Settings", "Model"),
    QT_TRANSLATE_NOOP("Settings", "Handles"),
    QT_TRANSLATE_NOOP("Settings", "Stems"),
    QT_TRANSLATE_NOOP("Settings", "Result"),
    QT_TRANSLATE_NOOP("Settings", "File"),
    QT_TRANSLATE_NOOP("Settings", "Keep originals on"),
    QT_TRANSLATE_NOOP("Settings", "Device"),
    QT_TRANSLATE_NOOP("Settings", "Find cuts"),
    QT_TRANSLATE_NOOP("Settings", "Render anew"),
)
CHOICES: dict[str, dict[str, Any]] = {
    "unit": {
        "programme": QT_TRANSLATE_NOOP("Settings", "The programme as one"),
        "clip": QT_TRANSLATE_NOOP("Settings", "Every clip by itself"),
    },
    "style": {
        "repair": QT_TRANSLATE_NOOP("Settings", "Repair"),
        "full": QT_TRANSLATE_NOOP("Settings", "Full restyle"),
    },
    "loudness": {
        "keep": QT_TRANSLATE_NOOP("Settings", "Keep"),
        "model": QT_TRANSLATE_NOOP("Settings", "As the gains make it"),
    },
    "context": {
        "auto": QT_TRANSLATE_NOOP("Settings", "As the model was trained"),
        "none": QT_TRANSLATE_NOOP("Settings", "Not looked at"),
        "frames": QT_TRANSLATE_NOOP("Settings", "Frames over time"),
        "clip": QT_TRANSLATE_NOOP("Settings", "Frames, seen by CLIP"),
        "captions": QT_TRANSLATE_NOOP("Settings", "Notes in words"),
    },
    "as_": {
        "auto": QT_TRANSLATE_NOOP("Settings", "Curves; new sound for mixes"),
        "keyframes": QT_TRANSLATE_NOOP("Settings", "Curves; mixes as stems"),
        "baked": QT_TRANSLATE_NOOP("Settings", "New sound, a file per clip"),
        "both": QT_TRANSLATE_NOOP("Settings", "New sound, curves muted beside"),
        "stems": QT_TRANSLATE_NOOP("Settings", "New sound, a file per stem"),
    },
    "dialect": {
        "own": QT_TRANSLATE_NOOP("Settings", "In its program's words"),
        "plain": QT_TRANSLATE_NOOP("Settings", "Plain OTIO"),
    },
}
GROUPS: dict[str, Any] = {
    MIXED: QT_TRANSLATE_NOOP("Settings", "Mix"),
    LEVELLED: QT_TRANSLATE_NOOP("Settings", "Loudness"),
    HEARD: QT_TRANSLATE_NOOP("Settings", "Model"),
    PUT: QT_TRANSLATE_NOOP("Settings", "Result"),
}


def label(setting: Setting) -> str:
    """What stands beside a setting's widget."""
    return QCoreApplication.translate("Settings", setting.label)


def group(name: str) -> str:
    """The heading of a group of settings."""
    return QCoreApplication.translate("Settings", GROUPS[name])


def choice(name: str, one: Choice) -> str:
    """What something to choose is called."""
    tr = QCoreApplication.translate
    if name in CHOICES and one.value in CHOICES[name]:
        return tr("Settings", CHOICES[name][one.value])
    if name == "device" and one.value == "auto":
        title = tr("Settings", "Automatic")
        return f"{title}: {one.title}" if one.title else title
    return one.title


def level(options: Options) -> str:
    """How loud it will be, in a word: the delivery spec's name, a figure, or keep."""
    spec, loudness = str(options.value("delivery")), str(options.value("loudness")).strip().lower()
    if spec:
        return options.title("delivery", spec)
    if loudness in CHOICES["loudness"]:
        return QCoreApplication.translate("Settings", CHOICES["loudness"][loudness])
    return shown(SETTINGS["loudness"], loudness)


def summary(options: Options) -> str:
    """All settings in one line: "repair · keep · 100 %", and how many others are not as they are by default."""
    tr = QCoreApplication.translate
    told = [tr("Settings", CHOICES["style"][options.value("style")]).lower(), level(options)]
    if not options.value("delivery") and options.value("loudness") in CHOICES["loudness"]:
        told[1] = told[1].lower()
    told.append(shown(SETTINGS["strength"], options.value("strength")))
    others = sum(options.differs(name) for name in SETTINGS if name not in _SUMMED)
    if others:
        told.append(tr("Settings", "{n} more").format(n=others))
    return " · ".join(told)


_SUMMED = ("style", "loudness", "delivery", "strength")


def blocked(why: str) -> str:
    """Why no job can be asked for, as a sentence."""
    tr = QCoreApplication.translate
    if why == EMPTY:
        return tr("Settings", "Open a timeline first.")
    if why == NO_CLIPS:
        return tr("Settings", "No clip that is chosen can be rebalanced.")
    return why


def outlook(found: Outlook) -> str:
    """What a job will do: "3 tracks, 14 clips, about 40 s; originals will be muted"."""
    tr = QCoreApplication.translate
    told = [tracks(found.tracks), clips(found.clips)]
    if found.ready == found.clips:
        told.append(tr("Settings", "all rendered already"))
    elif found.seconds is not None:
        told.append(tr("Settings", "about {time}").format(time=spell(found.seconds)))
    muted = (
        tr("Settings", "originals will be muted")
        if found.muted
        else tr("Settings", "originals sound on under the result")
    )
    return f"{', '.join(told)}; {muted}."


def tracks(number: int) -> str:
    """So many tracks."""
    tr = QCoreApplication.translate
    return tr("Settings", "1 track") if number == 1 else tr("Settings", "{n} tracks").format(n=number)


def clips(number: int) -> str:
    """So many clips."""
    tr = QCoreApplication.translate
    return tr("Settings", "1 clip") if number == 1 else tr("Settings", "{n} clips").format(n=number)


def spell(seconds: float) -> str:
    """A time as people say it, coarser the longer it is: "40 s", "3 min", "1 h 20 min"."""
    tr = QCoreApplication.translate
    if seconds < 95:
        step = 1 if seconds < 10 else 5
        return tr("Settings", "{n} s").format(n=max(1, step * round(seconds / step)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return tr("Settings", "{n} min").format(n=minutes)
    return tr("Settings", "{h} h {m:02d} min").format(h=minutes // 60, m=minutes % 60)
