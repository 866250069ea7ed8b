"""What the tracks and clips of a timeline hold: by what users say, hosts know, names tell, and by listening."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...engine.edit.categories import (
    DOUBTFUL,
    MARRIED,
    SILENT,
    UNKNOWN,
    Category,
    agreed,
    decided,
    named,
    of_host,
    of_user,
)
from ...engine.edit.nodes import Node, body, children, kind_of, metadata, name_of
from ...engine.errors import MediaError
from ...engine.media.ixml import track_names
from .marks import KEY
from .timeline import AudioClip, Timeline

REMEMBERED = "categories"  # in the timeline's metadata: what users said of its tracks
APART = 8  # sounds of one track that are listened to by themselves; the longest come first

# Where hosts' documents say what a clip's sound is for: keys of its metadata, and who says so.
_HOSTS = (
    ("fcpx", "audioRole", "Final Cut"),
    ("fcpx_xml", "audioRole", "Final Cut"),
    ("Resolve_OTIO", "Category", "Resolve"),
)
_SEVERAL = "its clips are of several kinds"

Listener = Callable[[Sequence[AudioClip]], Category]  # what clips that can be read hold, by listening


@dataclass(frozen=True)
class Held:
    """What a timeline holds: its audio tracks with clips by number, its clips by index."""

    tracks: dict[int, Category]
    clips: dict[int, Category]


def held(timeline: Timeline, told: Mapping[str, str] | None = None, ear: Listener | None = None) -> Held:
    """What each audio track with clips and each clip holds.

    `told` is what the user says by track, named or as "a1" (`engine.edit.categories.said`); "" forgets what was said
    before. `ear` is asked only where nothing stronger tells. A clip is what its track is, unless the host's data or
    the ear say otherwise of the clip itself. Raises SettingsError for a track that there is not.
    """
    tracks: dict[int, list[AudioClip]] = {}
    for clip in timeline.clips:
        tracks.setdefault(clip.track_number, []).append(clip)
    spoken = {**remembered(timeline.node), **_by_number(told or {}, timeline)}
    of_tracks, of_clips = {}, {}
    for number, clips in tracks.items():
        of_tracks[number], of_these = _held(clips, spoken.get(number, ""), ear)
        of_clips.update(of_these)
    return Held(of_tracks, of_clips)


def track_categories(
    timeline: Timeline, told: Mapping[str, str] | None = None, ear: Listener | None = None
) -> dict[int, Category]:
    """What each audio track with clips holds, by its number (`held`)."""
    return held(timeline, told, ear).tracks


def clip_categories(
    timeline: Timeline, told: Mapping[str, str] | None = None, ear: Listener | None = None
) -> dict[int, Category]:
    """What each audio clip holds, by its index (`held`)."""
    return held(timeline, told, ear).clips


def doubts(timeline: Timeline, found: Held) -> list[str]:
    """A sentence for each track that is taken for a mix because nobody is sure what it holds."""
    names = {clip.track_number: clip.track for clip in timeline.clips}
    sentences = []
    for number, category in sorted(found.tracks.items()):
        clips = [c.index for c in timeline.clips if c.track_number == number]
        if category.certain or all(found.clips[index].certain for index in clips):
            continue
        sentences.append(
            f"A{number} '{names[number]}' is taken for a mix, since {_perhaps(category)}; "
            f"say --category A{number}=dialogue, music, effects or mix."
        )
    return sentences


def _perhaps(category: Category) -> str:
    if not category.kind:
        return category.reason
    seems = {MARRIED: "it seems to be one", SILENT: "it seems to be silent"}
    return f"{seems.get(category.kind, f'it may hold {category.kind}')} ({category.reason})"


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


def remember_categories(node: Node, told: Mapping[str, str]) -> None:
    """Write what the user says of a timeline's tracks (`said`) into the timeline's own object, beside what it holds.

    "" takes away what was said before; names that no audio track has are passed over.
    """
    kept = dict(remembered(node))
    for number, name in enumerate(_audio_tracks(node), start=1):
        for said in (name.casefold(), f"a{number}"):
            if said in told:
                kept[number] = told[said]
    written = {f"A{number}": kind for number, kind in sorted(kept.items()) if kind}
    if written:
        node.setdefault("metadata", {}).setdefault(KEY, {})[REMEMBERED] = written
    elif remembered(node):
        del node["metadata"][KEY][REMEMBERED]
        if not node["metadata"][KEY]:
            del node["metadata"][KEY]


def _audio_tracks(node: Node) -> list[str]:
    """The names of a timeline's audio tracks, as clips tell them."""
    names: list[str] = []
    for _, track in children(body(node)):
        if kind_of(track, "") == "Audio":
            names.append(name_of(track) or f"Audio {len(names) + 1}")
    return names


def _by_number(told: Mapping[str, str], timeline: Timeline) -> dict[int, str]:
    return {n: kind for name, kind in told.items() for n in timeline.tracks_named(name, "--category")}


def _held(
    clips: Sequence[AudioClip], spoken: str, ear: Listener | None
) -> tuple[Category, dict[int, Category]]:
    """What a track holds, and each of its clips."""
    if spoken:
        return of_user(spoken), {clip.index: of_user(spoken) for clip in clips}
    own = {clip.index: _of_clip(clip) for clip in clips}
    hosts = agreed(list(own.values()))
    track = decided(hosts, named(clips[0].track))
    untold = [clip for clip in clips if not own[clip.index].kind]
    if track.kind or not untold or ear is None:
        track = track if track.kind else hosts
        return track, {index: category if category.kind else track for index, category in own.items()}
    whole, each = _listened([clip for clip in untold if clip.online], ear)
    by_ear = {clip.index: each.get(clip.index, whole) for clip in untold}
    differ = len(untold) < len(clips)  # the host says that its other clips are of several kinds
    return hosts if differ else whole, {i: c if c.kind else by_ear[i] for i, c in own.items()}


def _listened(clips: Sequence[AudioClip], ear: Listener) -> tuple[Category, dict[int, Category]]:
    """What clips hold together by listening, and those that do not hold the same; each sound is heard once."""
    whole = ear(clips) if clips else UNKNOWN
    sounds: dict[object, list[AudioClip]] = {}
    for clip in clips:
        sounds.setdefault((clip.path, clip.channels), []).append(clip)
    if len(sounds) < 2 or (whole.certain and whole.kind != MARRIED):
        return whole, {}
    longest = sorted(sounds.values(), key=lambda same: -sum(clip.duration for clip in same))
    each: dict[int, Category] = {}
    for same in longest[:APART]:
        category = ear(same)
        if category.certain:
            each.update({clip.index: category for clip in same})
    kinds = {category.kind for category in each.values()}
    if len(each) == len(clips) and len(kinds) == 1:
        return agreed(list(each.values())), each
    return (Category("", "ear", DOUBTFUL, _SEVERAL), each) if len(kinds) > 1 else (whole, each)


def _of_clip(clip: AudioClip) -> Category:
    """What the host's own data say of a clip, or its recording's track names."""
    for space, key, host in _HOSTS:
        word = metadata(clip.leaf.node, space, key)
        if isinstance(word, str):
            return of_host(word, host)
    return _recorded(clip)


def _recorded(clip: AudioClip) -> Category:
    """What the recorder called the channels that a clip plays; their sum is a mix of microphones, not of stems."""
    try:
        names = track_names(clip.path) if clip.path is not None and clip.online else ()
    except MediaError:
        return UNKNOWN
    if clip.channels is not None:
        names = tuple(names[c.channel] for c in clip.channels if c.stream == 0 and c.channel < len(names))
    told = [of_host(name, "its recording") for name in names]
    return agreed([category for category in told if category.kind != MARRIED])
