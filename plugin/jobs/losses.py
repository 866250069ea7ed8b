"""What a result lacks or who reads it should know: of the timeline that was read, of clips, of what was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .ranges import format_ranges

READ, CLIP, WRITTEN = "timeline", "clip", "result"


@dataclass(frozen=True)
class Loss:
    """One sentence, and where it belongs: to the timeline as read, to a clip by number, or to the result as written."""

    where: str
    text: str
    clip: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The loss as JSON values."""
        return {"where": self.where, "clip": self.clip, "text": self.text}


def of_timeline(sentences: Iterable[str]) -> tuple[Loss, ...]:
    """What of the timeline is not taken into account."""
    return tuple(Loss(READ, text) for text in dict.fromkeys(sentences))


def of_result(sentences: Iterable[str]) -> tuple[Loss, ...]:
    """What the writer could not carry."""
    return tuple(Loss(WRITTEN, text) for text in dict.fromkeys(sentences))


def sentences(losses: Iterable[Loss]) -> tuple[str, ...]:
    """Losses as lines to show, each once, clips by number; equal ones of several clips in one line."""
    clips: dict[tuple[str, str], list[int]] = {}
    for loss in losses:
        found = clips.setdefault((loss.where, loss.text), [])
        if loss.clip is not None:
            found.append(loss.clip)
    lines = []
    for (_, text), numbers in clips.items():
        some = f"Clip{'s' if len(numbers) > 1 else ''} {format_ranges(tuple(sorted(set(numbers))))}: "
        lines.append(f"{some if numbers else ''}{text}")
    return tuple(dict.fromkeys(lines))
