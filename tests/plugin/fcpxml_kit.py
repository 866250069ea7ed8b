"""FCPXML documents for the tests of their reader, as Final Cut Pro and Resolve write them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from sightmix.engine.edit.model import Edit
from sightmix.plugin.timeline import Timeline, open_timeline

RESOURCES = """
<format id="f25" name="FFVideoFormat1080p25" frameDuration="100/2500s" width="1920" height="1080"/>
<format id="f2997" frameDuration="1001/30000s" width="1280" height="720"/>
<format id="f2398" frameDuration="1001/24000s" width="1920" height="1080"/>
<asset id="cam" name="cam" start="0s" duration="100s" hasVideo="1" hasAudio="1" format="f25" audioSources="1"
 audioChannels="2" audioRate="48000"><media-rep kind="original-media" src="file:///none/cam.mov"/></asset>
<asset id="tc" name="tc" start="3600s" duration="100s" hasVideo="1" hasAudio="1" format="f25"
 src="file:///none/tc.mov"/>
<asset id="mus" name="mus" start="0s" duration="200s" hasAudio="1" audioSources="1" audioChannels="2"
 audioRate="48000"><media-rep kind="proxy-media" src="file:///none/p.wav"/>
 <media-rep kind="original-media" src="file:///none/mus.wav"/></asset>
<asset id="two" name="two" start="0s" duration="50s" hasAudio="1" audioSources="2" audioChannels="4"
 src="file:///none/two.mxf"/>
<effect id="title" name="Basic Title" uid="x"/>
"""


def document(
    spine: str, resources: str = "", sequence: str = 'format="f25" tcStart="0s"', version: str = "1.10"
) -> str:
    """A document of one project “p” whose primary storyline is `spine`."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="{version}"><resources>'
        f'{RESOURCES}{resources}</resources><library><event name="e"><project name="p"><sequence {sequence}>'
        f"<spine>{spine}</spine></sequence></project></event></library></fcpxml>"
    )


def opened(folder: Path, text: str, name: str = "cut.fcpxml") -> Timeline:
    """The timeline of a document's text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return open_timeline(path)


Row = tuple[str, str, Fraction, Fraction, Fraction]


def rows(edit: Edit, kind: str = "audio", disabled: bool = False) -> list[Row]:
    """Track, clip, start, end, media time at its start of the clips that play, in record order on each track."""
    return [
        (track.name, clip.name, clip.start, clip.end, clip.source_in)
        for track in edit.tracks
        for clip in track.clips
        if track.kind == kind and clip.enabled is not disabled
    ]


def apart(edit: Edit) -> bool:
    """Whether no two clips of a track overlap."""
    return all(
        one.end <= two.start
        for track in edit.tracks
        for one, two in zip(track.clips, track.clips[1:], strict=False)
    )
