"""The editor's own clip once more, for a new track: what is heard of it, and everything its host says of it."""

from __future__ import annotations

import copy
from fractions import Fraction

from ...engine.edit.channels import channels_of
from ...engine.edit.fcp7_sources import SourceTracks
from ...engine.edit.nodes import Node, metadata, rate_of
from .dialects import Numbers
from .marks import strip
from .timeline import AudioClip, Leaf

_NOT_OF_NEW_TRACKS = ("enabled", "locked")  # what FCP 7 says of the editor's track alone
_SAMPLES = Fraction(48_000)  # Hz, where a range says no rate


def ridden_clip(node: Node, clip: AudioClip, leaf: Leaf, numbers: Numbers) -> Node:
    """A copy of `node`, the clip's place `leaf` in a document that is being written, without markers and marks of ours.

    The media reference, source range, effects, links and channels are the editor's; where compounds around the clip
    trim it, its source range is what is left.
    """
    made = copy.deepcopy(node)
    strip(made)
    made["enabled"] = True
    if made.get("markers"):
        made["markers"] = []
    if not isinstance(made.get("metadata"), dict):
        made["metadata"] = {}
    heard = _heard(clip, leaf)
    if heard is not None:
        made["source_range"] = _range(node, *heard, numbers)
    said = _channels(clip, leaf)
    if said is not None:
        made["metadata"]["sightmix_source"] = {"channels": said}
    return made


def track_words(leaf: Leaf) -> Node:
    """What FCP 7 says of the track a clip lies on, by which its channels are read: a stereo track is two of its own."""
    words = metadata(leaf.parent, "fcp_xml")
    if not isinstance(words, dict):
        return {}
    return {"fcp_xml": {k: copy.deepcopy(v) for k, v in words.items() if k not in _NOT_OF_NEW_TRACKS}}


def _heard(clip: AudioClip, leaf: Leaf) -> tuple[Fraction, Fraction] | None:
    """Start and length (s) of the source range that plays what is heard of a clip; None where that is all of it."""
    placement, cue = clip.timeline.placement, clip.timeline.cue(leaf)
    given, length = placement.media_range(leaf.node), leaf.end - leaf.start
    if given is None or cue is None or (leaf.start == leaf.entry and length == placement.duration(leaf.node)):
        return None
    retiming = placement.retiming(leaf.node)
    counts_source = placement.source_frames and not retiming.keys and retiming.speed
    return given.start + cue.lowest, length * (abs(retiming.speed) if counts_source else 1)


def _range(node: Node, start: Fraction, length: Fraction, numbers: Numbers) -> Node:
    given = node.get("source_range") or {}
    rates = [rate_of(given.get(key)) or _SAMPLES for key in ("start_time", "duration")]
    return numbers.range(numbers.seconds(start, rates[:1]), numbers.seconds(length, rates[1:]))


def _channels(clip: AudioClip, leaf: Leaf) -> list[list[int]] | None:
    """The (stream, channel) pairs the clip plays, where what else lies beside it in the document told them."""
    info = clip.timeline.library.sound(leaf.node).info
    if info is None or clip.partners or clip.channels is None:
        return None
    said = channels_of(leaf.node, leaf.parent, [stream.channels for stream in info.audio], SourceTracks())
    return [[c.stream, c.channel] for c in clip.channels] if said != clip.channels else None
