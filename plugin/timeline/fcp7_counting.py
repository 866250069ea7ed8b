"""What the in and out points of FCP 7 XML count where a clip's rate is not its sequence's.

The format's text has them count the clip's own frames. Premiere and Resolve read source seconds times the sequence's
rate, whatever the clip and its file say. So a document is taken at its own numbers: Premiere's exact in point where it
stands beside the frames; else a clip runs for as long in its media as in the record, and only one of the two rates
makes it so. Where both do, what most clips of the document show counts, and the sequence's frames where none shows
anything.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Literal
from xml.etree.ElementTree import Element

from .fcp7_tree import TICKS, Tree, lanes, number, rate_of

Counts = Literal["sequence", "clip"]


def counts_in(item: Element, rate: Fraction, otherwise: Counts) -> Fraction:
    """The frames per second that an item's in and out count, `rate` being its sequence's."""
    own = rate_of(item, rate) or rate
    verdict = _verdict(item, own, rate) or otherwise
    return own if verdict == "clip" else rate


def votes(tree: Tree, sequence: Element, rate: Fraction) -> Counts:
    """What most clips of a sequence count, as far as they show it."""
    found: Counter[Counts] = Counter()
    for _, holder in lanes(tree.child(sequence, "media")):
        for item in holder.iter("clipitem"):
            verdict = _verdict(item, rate_of(item, rate) or rate, rate)
            if verdict is not None:
                found[verdict] += 1
    return "clip" if found["clip"] > found["sequence"] else "sequence"


def _verdict(item: Element, own: Fraction, rate: Fraction) -> Counts | None:
    """What an item itself shows; None where both rates fit, or neither."""
    first, last = number(item, "in"), number(item, "out")
    if own == rate or first is None:
        return None
    ticks = number(item, "pproTicksIn")
    if ticks is not None and ticks >= 0:
        exact = ticks / TICKS
        verdict = _nearer(abs(first / rate - exact), abs(first / own - exact), 1 / rate)
        if verdict is not None:
            return verdict
    start, end = number(item, "start"), number(item, "end")
    if last is None or start is None or end is None or not 0 <= start < end or last <= first:
        return None
    length = (end - start) / rate
    return _nearer(abs((last - first) / rate - length), abs((last - first) / own - length), 1 / rate)


def _nearer(by_sequence: Fraction, by_clip: Fraction, tolerance: Fraction) -> Counts | None:
    """The one that fits to a frame where the other does not."""
    fits = by_sequence < tolerance, by_clip < tolerance
    if fits[0] == fits[1]:
        return None
    return "sequence" if fits[0] else "clip"
