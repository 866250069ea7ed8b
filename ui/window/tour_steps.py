"""What the tour shows of the window, and says of it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from .body import Body, Parts
from .header import Header
from .tour import Step


def steps(parts: Parts, body: Body, header: Header) -> tuple[Step, ...]:
    """The steps, along a window's parts."""
    tr = QCoreApplication.translate

    def clips() -> QWidget | None:
        return parts.clips if body.wide else header.drawer

    return (
        Step(
            lambda: None,
            tr("Tour", "What this is"),
            tr(
                "Tour",
                "sightmix listens to a timeline while it looks at the picture, and brings speech, music and "
                "effects to where the picture asks for them. Everything runs on this computer. Your media and"
                " your tracks are never written to; results go beside the timeline, as new tracks in a new "
                "file.",
            ),
        ),
        Step(
            clips,
            tr("Tour", "The clips"),
            tr(
                "Tour",
                "Every audio clip, with what its track holds: dialogue, music, effects or a mix. Where that "
                "is wrong, say so here: your word counts. Choose clips to rebalance only those; / filters.",
            ),
        ),
        Step(
            lambda: parts.transport,
            tr("Tour", "Hear it"),
            tr(
                "Tour",
                "Space plays, J K L shuttle. A switches between before and after, equally loud and at the "
                "same place. Hold D, M or E to hear dialogue, music or effects alone; R plays what was taken "
                "away.",
            ),
        ),
        Step(
            lambda: parts.lanes,
            tr("Tour", "See why"),
            tr(
                "Tour",
                "Three curves say how much louder or quieter each stem becomes, over the frames that the "
                "model looked at. Point at one for the reason. Drag its points, double-click for a new one, "
                "draw with Alt: what you hear follows at once.",
            ),
        ),
        Step(
            lambda: parts.inspector,
            tr("Tour", "Set it"),
            tr(
                "Tour",
                "Strength, the three levels and the loudness act while you listen. P first makes some seconds"
                " around the playhead, so that you hear soon where it goes.",
            ),
        ),
        Step(
            lambda: getattr(parts.inspector, "button", parts.inspector),
            tr("Tour", "Do it"),
            tr(
                "Tour",
                "The one button. It writes new tracks into a new timeline, and mutes the old ones there. What"
                " it will do stands beside it before you press it. Run again, it replaces its own result and "
                "nothing else.",
            ),
        ),
        Step(
            lambda: parts.queue,
            tr("Tour", "Wait, or do not"),
            tr(
                "Tour",
                "What runs, how far it is and how long it will take. It can be paused and cancelled; what is "
                "done is kept. Ctrl+Z takes back everything that you do here, one thing after the other.",
            ),
        ),
        Step(
            lambda: header.export,
            tr("Tour", "Take it along"),
            tr(
                "Tour",
                "Export writes the result for Resolve, Premiere, Final Cut, Avid, Reaper and others, and "
                "stems for the mixing room. ? shows all keys. Have a good mix.",
            ),
        ),
    )
