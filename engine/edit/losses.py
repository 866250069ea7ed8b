"""What is lost between a timeline and a file: sentences, each with how many clips it concerns."""

from __future__ import annotations

from collections.abc import Iterable


class Losses:
    """What cannot be understood or carried: one sentence each, with how many clips it concerns."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._counts: dict[str, int] = dict.fromkeys(known, 0)

    def add(self, sentence: str, clips: int = 0) -> None:
        """Note `sentence` (without full stop when it concerns clips); counts add up."""
        self._counts[sentence] = self._counts.get(sentence, 0) + clips

    def sentences(self) -> tuple[str, ...]:
        """Every loss noted so far, in order."""
        return tuple(
            f"{text} ({count} clip{'s' if count > 1 else ''})." if count else text
            for text, count in self._counts.items()
        )
