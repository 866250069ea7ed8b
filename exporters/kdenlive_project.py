"""A Kdenlive project: MLT XML with the bin, the tracks and the names that Kdenlive looks for."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack
from ..engine.media.time import to_frames
from . import mlt

TITLE = "Kdenlive project"
_VERSION = "1.04"  # of the document, as Kdenlive 22.12 writes it
_INTERNAL = 237  # marks what Kdenlive made for itself and may make anew
_MONO_DB = -3.0103  # a single channel reaches both sides at this level
_HEIGHT = 62  # of a track on the screen, in pixels
_FIRST_ID = 2  # of clips in the bin; Kdenlive's own begin there


def write(edit: Edit, out: Path) -> tuple[str, ...]:
    """Write `edit` as a project for Kdenlive to `out`; returns what it could not carry, a sentence each.

    A document of version 1.04, as Kdenlive 22.12 writes it and its dev-docs/fileformat.md describes it (newer ones
    have an upgrade for it in their documentvalidator.cpp): every file is a clip in the bin, every track two
    playlists, filters lie on playlist entries and name their effect. Sound tracks come first and from the bottom up.
    Times count frames of the timeline's rate. melt renders the file too. Raises WriteError.
    """
    project = _Project(edit, edit.rate)
    if mlt.finest(edit) > 1:
        project.losses.add(mlt.EARLY)
    return mlt.save(project, out)


@dataclass
class _Project(mlt.Writer):
    CAPTION: ClassVar[str] = "kdenlive:clipname"
    ON_ENTRIES: ClassVar[bool] = True
    NAMES: ClassVar[Mapping[str, Mapping[str, str]]] = {
        name: {"kdenlive_id": name} for name in ("volume", "fadein", "fadeout", "freeze", "channelcopy")
    }

    number: int = 0  # of the track being written
    ids: dict[str, int] = field(default_factory=dict)  # of files in the bin
    copied: dict[str, list[ET.Element]] = field(
        default_factory=dict
    )  # filters that pick a producer's channel
    linked: dict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def document(self) -> ET.Element:
        """The whole <mlt> element: profile, bin, tracks, and the tractor that plays them."""
        self.root = ET.Element("mlt", LC_NUMERIC="C", version="7.12.0", producer="main_bin")
        self._profile()
        parts = [(track, clips) for track in self.edit.tracks for clips in self._parts(track)]
        sound = [part for part in parts if part[0].kind == "audio"]
        tracks = [*reversed(sound), *(part for part in parts if part[0].kind == "video")]
        bin_playlist = self._bin([clip for _, clips in tracks for clip in clips])
        whole = {"in": "0", "out": str(self.length - 1)}
        black = ET.SubElement(self.root, "producer", {"id": "black_track", **whole})
        mlt.properties(black, length=self.length, eof="continue", resource="black", mlt_service="color")
        mlt.properties(black, **{"mlt_image_format": "rgba", "set.test_audio": 0})
        for self.number, (track, clips) in enumerate(tracks):
            self._double(track, clips)
        self._timeline([track.kind for track, _ in tracks])
        self._describe(bin_playlist)
        self._lost()
        return self.root

    # The bin.

    def _bin(self, clips: list[EditClip]) -> ET.Element:
        """A clip for every file, each under a number; returns the playlist that holds them."""
        files = {mlt.address(clip.media): clip.media for clip in clips if clip.media is not None}
        entries = []
        for number, (file, media) in enumerate(files.items(), start=_FIRST_ID):
            self.ids[file] = number
            length = max(ceil((media.duration or self.edit.duration) * self.rate), 1)
            whole = {"in": "0", "out": str(length - 1)}
            element = ET.SubElement(self.root, "producer", {"id": f"bin{number}", **whole})
            mlt.properties(element, length=length, eof="pause", resource=file, mlt_service="avformat")
            mlt.properties(element, **{"kdenlive:id": number, "kdenlive:folderid": -1})
            entries.append(ET.Element("entry", {"producer": f"bin{number}", **whole}))
        playlist = ET.SubElement(self.root, "playlist", id="main_bin")
        playlist.extend(entries)
        return playlist

    def _describe(self, playlist: ET.Element) -> None:
        """Put what Kdenlive reads of a document before the bin's entries."""
        values: dict[str, object] = {
            "version": _VERSION,
            "documentid": int(hashlib.sha1(repr(self.edit).encode()).hexdigest()[:11], 16),
            "audioChannels": self.width,
            "activeTrack": self.number,
            "guides": json.dumps(self._guides(), ensure_ascii=False),
            "groups": json.dumps(self._groups()),
        }
        described = ET.Element("playlist")
        mlt.properties(
            described, **{f"kdenlive:docproperties.{name}": value for name, value in values.items()}
        )
        mlt.properties(described, xml_retain=1)
        playlist[:0] = list(described)

    def _guides(self) -> list[dict[str, object]]:
        return [
            {"comment": mlt.caption(marker), "pos": to_frames(marker.start, self.rate), "type": 0}
            for marker in self.edit.markers
        ]

    def _groups(self) -> list[dict[str, Any]]:
        """Clips that belong together, each named by its track (from 0) and its first frame."""
        return [
            {
                "type": "AVSplit" if sorted(kind for kind, _ in group) == ["audio", "video"] else "Normal",
                "children": [{"data": at, "leaf": "clip", "type": "Leaf"} for _, at in group],
            }
            for group in self.linked.values()
            if len(group) > 1
        ]

    # Tracks and their clips.

    def _double(self, track: EditTrack, clips: Iterable[EditClip]) -> None:
        """A track: two playlists, of which mixes would use the second, in a tractor."""
        entries, sound = self._entries(track, clips), track.kind == "audio"
        names = [f"playlist{2 * self.number + part}" for part in (0, 1)]
        for name, inside in zip(names, (entries, []), strict=True):
            playlist = ET.SubElement(self.root, "playlist", id=name)
            if sound:
                mlt.properties(playlist, **{"kdenlive:audio_track": 1})
            playlist.extend(inside)
        whole = {"in": "0", "out": str(self.length - 1)}
        tractor = ET.SubElement(self.root, "tractor", {"id": f"tractor{self.number}", **whole})
        if sound:
            mlt.properties(tractor, **{"kdenlive:audio_track": 1})
        mlt.properties(tractor, **{"kdenlive:track_name": track.name, "kdenlive:timeline_active": 1})
        mlt.properties(tractor, **{"kdenlive:trackheight": _HEIGHT})
        hide = "both" if not track.enabled else "video" if sound else "audio"
        for name in names:
            ET.SubElement(tractor, "track", producer=name, hide=hide)

    def _placed(self, clip: EditClip, track: EditTrack) -> tuple[int, ET.Element, int] | None:
        placed = super()._placed(clip, track)
        if placed is not None and clip.media is not None:
            start, entry, _ = placed
            number = ET.Element("property", name="kdenlive:id")
            number.text = str(self.ids[mlt.address(clip.media)])
            entry[:0] = [number, *self.copied.pop(entry.get("producer", ""), ())]
            if clip.link is not None:
                self.linked[clip.link].append((track.kind, f"{self.number}:{start}"))
        return placed

    def _new_producer(self, clip: EditClip, media: EditMedia, kind: str, length: int) -> ET.Element:
        element = super()._new_producer(clip, media, kind, length)
        mlt.properties(element, **{"kdenlive:id": self.ids[mlt.address(media)]})
        return element

    def _choose(self, element: ET.Element, media: EditMedia, stream: int, inner: tuple[int, ...]) -> None:
        """Choose a stream, and one channel of two, as Kdenlive does; more than that it cannot."""
        file = mlt.address(media)
        mlt.properties(element, resource=file, mlt_service="avformat", video_index=-1)
        if stream:
            mlt.properties(element, audio_index=mlt.stream_index(media.path or Path(file), stream))
        width = media.streams[stream]
        if width == 2 and len(inner) == 1:
            copy = self._filter("channelcopy", "channelcopy", {}, to=1 - inner[0], **{"from": inner[0]})
            level = self._filter("volume", "volume", {}, level=_MONO_DB)
            self.copied[element.get("id", "")] = [copy, level]
        elif inner != tuple(range(width)):
            self.losses.add("Clips play all channels of their audio stream", 1)

    def _timeline(self, kinds: list[str]) -> None:
        """The tractor over all tracks; Kdenlive makes its mixes anew, melt needs them."""
        whole = {"in": "0", "out": str(self.length - 1)}
        tractor = ET.SubElement(self.root, "tractor", {"id": f"tractor{len(kinds)}", **whole})
        ET.SubElement(tractor, "track", producer="black_track")
        for number in range(len(kinds)):
            ET.SubElement(tractor, "track", producer=f"tractor{number}")
        for number, kind in enumerate(kinds, start=1):
            if kind == "audio":
                self._mix(tractor, number, kdenlive_id="mix", internal_added=_INTERNAL)
