"""What the tracks of a timeline hold: by what users say, the document remembers, hosts know, and names tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...engine.edit.categories import UNKNOWN, Category, agreed, decided, named, of_host, of_user
from ...engine.edit.nodes import Node, metadata
from ...engine.errors import SettingsError
from .marks import KEY
from .timeline import AudioClip, Timeline

REMEMBERED = "categories"  # in the timeline's metadata: what users said of its tracks

# Where hosts' documents say what a clip's sound is for: keys of its metadata, and who says so.
_HOSTS = (
    ("fcpx", "audioRole", "Final Cut"),
    ("fcpx_xml", "audioRole", "Final Cut"),
    ("Resolve_OTIO", "Category", "Resolve"),
)


def track_categories(timeline: Timeline, told: Mapping[str, str] = {}) -> dict[int, Category]:
    """What each audio track with clips holds, by its number.

    `told` is what the user says by track, named or as "a1" (`engine.edit.categories.said`); "" forgets what was said
    before. Raises SettingsError for a track that there is not.
    """
    tracks: dict[int, list[AudioClip]] = {}
    for clip in timeline.clips:
        tracks.setdefault(clip.track_number, []).append(clip)
    spoken = {**remembered(timeline.node), **_by_number(told or {}, tracks, timeline)}
    return {number: _category(clips, spoken.get(number, "")) for number, clips in tracks.items()}


def remembered(node: Node) -> dict[int, str]:
    """What users said of a timeline's tracks in earlier runs, by track number."""
    found = metadata(node, KEY, REMEMBERED)
    if not isinstance(found, dict):
        return {}
    return {
        int(name[1:]): kind
        for name, kind in found.items()
        if isinstance(kind, str) and name[:1] == "A" and name[1:].isdecimal()
    }


def _by_number(
    told: Mapping[str, str], tracks: Mapping[int, Sequence[AudioClip]], timeline: Timeline
) -> dict[int, str]:
    found = {}
    for name, kind in told.items():
        numbers = [n for n, clips in tracks.items() if name in (clips[0].track.casefold(), f"a{n}")]
        if not numbers:
            known = ", ".join(f"A{n} '{clips[0].track}'" for n, clips in sorted(tracks.items()))
            raise SettingsError(
                f"--category {name} fits no audio track of {timeline.path}; it has {known or 'none'}."
            )
        found.update(dict.fromkeys(numbers, kind))
    return found


def _category(clips: Sequence[AudioClip], spoken: str) -> Category:
    if spoken:
        return of_user(spoken)
    return decided(agreed([_of_clip(clip) for clip in clips]), named(clips[0].track))


def _of_clip(clip: AudioClip) -> Category:
    """What the host's own data say of a clip."""
    for space, key, host in _HOSTS:
        word = metadata(clip.leaf.node, space, key)
        if isinstance(word, str):
            return of_host(word, host)
    return UNKNOWN
