"""Takes what stands for some of the editor's clips off a result again: as if it had been written without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from fractions import Fraction
from typing import Any

from ...engine.edit.header import source_rate
from ...engine.edit.nodes import Node, Pointer, body, follow, kind_of, rate_of, references, schema
from ...engine.edit.placing import ZERO
from ...engine.errors import WriteError
from .compose import Writer
from .dialects import exact, new_gap
from .marks import is_generated, is_muted, mute, stands_for, unmute
from .timeline import AudioClip, Timeline

_TINY = Fraction(1, 10**9)
_MOVED = Fraction(1, 10**6)  # s: less is what floats make of exact times


def withdraw(timeline: Timeline, root: Node, clips: Set[int]) -> tuple[int, ...]:
    """Take the results of `clips` (by number) out of a result's document `root`; returns those that had one.

    `timeline` is the same document without results. What a clip's result muted sounds again, its own volume and all;
    everything else stays as it is, and tracks of ours that nothing is left on go. Raises WriteError where the document
    is no longer what was written: clips of ours were moved, or the editor's are others.
    """
    return _Taker(timeline, root).take(clips)


class _Taker:
    """One document, and what of it stands for which clip."""

    def __init__(self, timeline: Timeline, root: Node) -> None:
        self.timeline, self.root = timeline, root
        self.stack = body(follow(root, timeline.pointer))
        self.numbers = Writer(timeline, root, {}).numbers
        self.entry = timeline.placement.entry(timeline.node)
        self.by_name = {clip.identifier: clip for clip in timeline.clips}
        self.standing = self._standing()

    def take(self, clips: Set[int]) -> tuple[int, ...]:
        """See `withdraw`."""
        taken = self.standing & clips
        if not taken:
            return ()
        listed = self.stack["children"]
        kept = [self._without(track, taken) if is_generated(track) else track for track in listed]
        self.stack["children"] = [track for track in kept if track is not None]
        self._unmute(taken)
        return tuple(sorted(taken))

    def _standing(self) -> set[int]:
        """The numbers of all clips that something stands for."""
        names = {stands_for(clip) for track in self._lanes() for clip in track["children"]} - {""}
        if names - set(self.by_name):
            raise WriteError(
                f"{self.timeline.path} holds results of clips that it does not have, or whose media has changed since: "
                "rebalance again, without what you do not want."
            )
        return {self.by_name[name].index for name in names}

    def _lanes(self) -> Iterator[Node]:
        listed = self.stack.get("children")
        for track in listed if isinstance(listed, list) else []:
            if isinstance(track, dict) and is_generated(track) and isinstance(track.get("children"), list):
                yield track

    # The lanes of ours.

    def _without(self, track: Node, taken: Set[int]) -> Node | None:
        """A lane without some clips, what is left at its place; None where nothing is left."""
        filled: list[Node] = []
        waiting: list[Node] = []
        position, last, gone = ZERO, None, False
        for child in track["children"]:
            clip = self.by_name.get(stands_for(child))
            if clip is None:
                waiting.append(child)
            elif clip.index in taken:
                waiting.append(child)
                gone = True
            else:
                self._check_place(track, child, clip, position + _length(waiting, self._clip_length))
                filled += self._between(waiting, clip, child, position, last) if gone else waiting
                position = clip.leaf.start + self.entry + self._clip_length(child)
                filled.append(child)
                waiting, last, gone = [], child, False
        if last is None:
            return None
        filled += self._rest(waiting, position, last) if gone else waiting
        track["children"] = filled
        return track

    def _between(
        self, waiting: list[Node], clip: AudioClip, child: Node, position: Fraction, last: Node | None
    ) -> list[Node]:
        """What lies between two clips that stay: their own transitions, and one gap."""
        found = _leading(waiting) if last is not None else []
        target = clip.leaf.start + self.entry
        if target - position > _TINY:
            rates = self._rates(clip, [child, *waiting])
            found.append(new_gap(self.numbers, target - position, rates))
        return found + _trailing(waiting)

    def _rest(self, waiting: list[Node], position: Fraction, last: Node) -> list[Node]:
        """What follows the last clip: its own transition, and what Resolve fills a track with to its end."""
        found = _leading(waiting)
        left = self.timeline.duration + self.entry - position
        if self.timeline.dialect == "resolve" and left > _TINY:
            rates = self._rates(self.by_name[stands_for(last)], [last, *waiting])
            found.append(new_gap(self.numbers, left, rates))
        return found

    def _check_place(self, track: Node, child: Node, clip: AudioClip, at: Fraction) -> None:
        if abs(at - clip.leaf.start - self.entry) > _MOVED:
            raise WriteError(
                f"“{child.get('name', '')}” on “{track.get('name', '')}” was moved since {self.timeline.path} was "
                "written: rebalance again, without what you do not want."
            )

    def _clip_length(self, child: Node) -> Fraction:
        """Record seconds of a clip of ours, or of a gap."""
        clip = self.by_name.get(stands_for(child))
        if clip is None:
            return exact(child["source_range"]["duration"])
        if _is_ridden(child):
            return clip.leaf.end - clip.leaf.start
        speed = abs(clip.speed) if self.timeline.dialect == "premiere" else Fraction(1)
        return exact(child["source_range"]["duration"]) / speed

    def _rates(self, clip: AudioClip, near: list[Node]) -> list[Fraction]:
        """What a gap beside a clip of ours may count in: the timeline's rate, the clip's, those of all that is near."""
        own = source_rate(clip.leaf.node) or self.timeline.rate
        return [self.timeline.rate, own, *(rate for node in near for rate in _counted_in(node))]

    # The editor's own clips.

    def _unmute(self, taken: Set[int]) -> None:
        """Have clips sound again that something stood for; a whole track that was muted is now muted clip by clip."""
        timeline = self.timeline
        for number, layer in enumerate(timeline.placement.stack(timeline.node, timeline.pointer)):
            lying = [(clip.index, leaf) for clip, leaf in timeline.on_layer(number) if clip.enabled]
            if kind_of(layer.node, "") != "Audio" or not any(index in taken for index, _ in lying):
                continue
            track = self._here(layer.pointer)
            whole = is_muted(track)
            unmute(track)
            for index, leaf in lying:
                if index in taken:
                    unmute(self._here(leaf.pointer))
                elif whole and index in self.standing:
                    mute(self._here(leaf.pointer))

    def _here(self, pointer: Pointer) -> Node:
        """The object of the editor's that a pointer leads to in the document without our own."""
        node: Any = self.root
        for step in pointer:
            if isinstance(step, int) and isinstance(node, list):
                node = [child for child in node if not (isinstance(child, dict) and is_generated(child))][
                    step
                ]
            else:
                node = node[step]
        found: Node = node
        return found


def _length(nodes: list[Node], of: Callable[[Node], Fraction]) -> Fraction:
    """Record seconds of clips and gaps in a row."""
    return sum((of(node) for node in nodes if schema(node) != "Transition"), ZERO)


def _leading(nodes: list[Node]) -> list[Node]:
    """The transition out of the clip before them."""
    return nodes[:1] if nodes and schema(nodes[0]) == "Transition" else []


def _trailing(nodes: list[Node]) -> list[Node]:
    """The transition into the clip behind them."""
    return nodes[-1:] if nodes and schema(nodes[-1]) == "Transition" else []


def _is_ridden(child: Node) -> bool:
    gain = child["metadata"]["sightmix"].get("gain")
    return isinstance(gain, dict) and gain.get("in") == "clip"


def _counted_in(node: Node) -> list[Fraction]:
    """The rates that a rendered clip's file and a clip's or gap's own length count in; none of a ridden clip."""
    if schema(node) == "Transition" or (stands_for(node) and _is_ridden(node)):
        return []
    spans = [
        *(reference.get("available_range") for _, reference in references(node)),
        node.get("source_range"),
    ]
    rates = [rate_of(span.get("duration")) for span in spans if isinstance(span, dict)]
    return [rate for rate in rates if rate is not None]
