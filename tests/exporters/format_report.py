"""Sends sample timelines through every format and says what came back; writes docs/formats.md when run.

python tests/exporters/format_report.py
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import exporter_edits
import opentimelineio as otio
from fcpxml_rules import placed, time
from sightmix.engine.edit.model import Edit
from sightmix.engine.errors import SightmixError
from sightmix.engine.media.time import parse_timecode, snap_rate, to_frames
from sightmix.exporters import formats
from sightmix.exporters.flatten import edit_of

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/otio"
DOCUMENT = ROOT / "docs/formats.md"
FILES = {
    "Resolve, eight picture and eleven sound tracks": "otio_core/effects.otio",
    "Resolve, five cuts with their sound": "resolve/base.otio",
    "Resolve, clip volumes": "resolve/ref3_clipvol.otio",
    "Premiere by way of FCP7 XML": "otio_core/premiere_example.otio",
    "Media Composer, 29.97": "avid/2997fps.otio",
    "Media Composer, dissolves": "avid/transitions.otio",
    "nested tracks": "otio_core/nested_example.otio",
    "speed changes": "tlrender/LinearTimeWarp.otio",
    "three tones, files at 44.1 kHz": "tlrender/AudioTones.otio",
}


@dataclass(frozen=True)
class Found:
    """A clip read back: picture or sound; in seconds where on the timeline, how long, from where in its media.

    `source` is None where the reader does not say.
    """

    kind: str
    start: Fraction
    duration: Fraction
    source: Fraction | None


def samples(folder: Path) -> dict[str, Edit]:
    """The sample timelines: real ones, and stems with gain curves at three rates."""
    ntsc = Fraction(30000, 1001)
    folders = [folder / str(i) for i in range(4)]
    for each in folders:
        each.mkdir()
    made = {
        "our stems with gain curves, 25": exporter_edits.sample_edit(folders[0]),
        "our stems, 23.976": exporter_edits.sample_edit(folders[1], Fraction(24000, 1001)),
        "our stems, 29.97 drop-frame": exporter_edits.sample_edit(folders[2], ntsc, drop=True),
        "dissolve and fades": exporter_edits.dissolve_edit(folders[3]),
    }
    for title, name in FILES.items():
        path = DATA / name
        made[title] = edit_of(_parsed(path), path.parent)
    return made


def _parsed(path: Path) -> dict[str, Any]:
    document: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return document


# ---- reading back


def _seconds(value: otio.opentime.RationalTime) -> Fraction:
    return Fraction(value.value).limit_denominator(10**6) / snap_rate(value.rate)


def read_fcp7(path: Path, edit: Edit) -> Iterator[Found]:
    timeline = otio.adapters.read_from_file(str(path), adapter_name="fcp_xml")
    for clip in timeline.find_clips():
        span = clip.range_in_parent()
        kind = clip.parent().kind.lower()
        yield Found(
            kind, _seconds(span.start_time), _seconds(span.duration), _seconds(clip.source_range.start_time)
        )


def read_fcpxml(path: Path, edit: Edit) -> Iterator[Found]:
    # OTIO's adapter cuts NTSC rates down to whole numbers, so the times are read as they stand.
    for clip in placed(ET.parse(path).getroot()):
        ramp = clip.element.find("timeMap/timept")
        kind = "audio" if clip.element.get("audioRole") else "video"
        yield Found(kind, clip.start, clip.duration, clip.source if ramp is None else time(ramp.get("value")))


def read_aaf(path: Path, edit: Edit) -> Iterator[Found]:
    import aaf2

    with aaf2.open(str(path)) as file:
        for slot in next(file.content.compositionmobs()).slots:
            if slot.name != "TC" and type(slot).__name__ != "EventMobSlot":
                yield from _slot(slot)


def _slot(slot: object) -> Iterator[Found]:
    rate = Fraction(slot.edit_rate)  # type: ignore[attr-defined]
    parts = list(slot.segment.positions())  # type: ignore[attr-defined]
    for i, position, part in parts:
        inner = part.segments[0] if type(part).__name__ == "OperationGroup" else part
        clip = inner["Alternates"].value[0] if type(inner).__name__ == "Selector" else inner
        if type(clip).__name__ != "SourceClip":
            continue
        before, after = (parts[k][2] if 0 <= k < len(parts) else None for k in (i - 1, i + 1))
        early = before.cutpoint if type(before).__name__ == "Transition" else 0
        late = after.length - after.cutpoint if type(after).__name__ == "Transition" else 0
        stamp = _stamp(clip)
        length = clip.length - early - late
        kind = "audio" if clip.media_kind == "Sound" else "video"
        yield Found(kind, (position + early) / rate, length / rate, stamp + (clip.start + early) / rate)


def _stamp(clip: object) -> Fraction:
    """The start timecode of the file below a source clip."""
    file = clip.mob.slot_at(clip.slot_id).segment.mob  # type: ignore[attr-defined]
    for slot in file.slots:
        if type(slot.segment).__name__ == "Timecode":
            return slot.segment.start / Fraction(slot.edit_rate)
    return Fraction(0)


def read_edl(path: Path, edit: Edit) -> Iterator[Found]:
    origin = to_frames(edit.start, edit.rate)
    for line in path.read_text(encoding="utf-8").splitlines():
        codes = re.findall(r"\d\d:\d\d:\d\d[:;]\d\d", line)
        if len(codes) == 4 and codes[2] != codes[3]:
            into, _, first, last = (to_frames(parse_timecode(code, edit.rate), edit.rate) for code in codes)
            kind = "video" if line.split()[2] == "V" else "audio"
            yield Found(kind, (first - origin) / edit.rate, (last - first) / edit.rate, into / edit.rate)


def read_rpp(path: Path, edit: Edit) -> Iterator[Found]:
    blocks = path.read_text(encoding="utf-8").split("<TRACK ")[1:]
    for block, track in zip(blocks, edit.tracks, strict=True):
        for item in re.findall(r"<ITEM\n(.*?)\n    >", block, re.S):
            said = dict(re.findall(r"^ *(POSITION|LENGTH) ([\d.]+)", item, re.M))
            yield Found(track.kind, Fraction(said["POSITION"]), Fraction(said["LENGTH"]), None)


def read_mlt(path: Path, edit: Edit) -> Iterator[Found]:
    root = ET.parse(path).getroot()
    profile = root.find("profile")
    rate = Fraction(int(profile.get("frame_rate_num")), int(profile.get("frame_rate_den")))
    for playlist in root.findall("playlist"):
        kinds = [k for k in ("video", "audio") if playlist.find(f"property[@name='shotcut:{k}']") is not None]
        if not kinds:
            continue
        [kind] = kinds
        at = 0
        for part in playlist:
            if part.tag == "blank":
                at += int(part.get("length", ""))
            elif part.tag == "entry":
                length = int(part.get("out", "")) - int(part.get("in", "")) + 1
                yield Found(kind, at / rate, length / rate, None)
                at += length


def read_otio(path: Path, edit: Edit) -> Iterator[Found]:
    for track in edit_of(otio.adapters.read_from_file(str(path)), path.parent).tracks:
        for clip in track.clips:
            yield Found(track.kind, clip.start, clip.duration, None)


def read_kdenlive_project(path: Path, edit: Edit) -> Iterator[Found]:
    root = ET.parse(path).getroot()
    for playlist in root.findall("playlist"):
        name = playlist.get("id", "")
        if name == "main_bin":
            continue
        kind = "video" if playlist.find("property[@name='kdenlive:audio_track']") is None else "audio"
        at = 0
        for part in playlist:
            if part.tag == "blank":
                at += int(part.get("length", ""))
            elif part.tag == "entry":
                length = int(part.get("out", "")) - int(part.get("in", "")) + 1
                yield Found(kind, at / edit.rate, length / edit.rate, None)
                at += length


READERS: dict[str, Callable[[Path, Edit], Iterator[Found]]] = {
    "fcp7": read_fcp7,
    "fcpxml": read_fcpxml,
    "aaf": read_aaf,
    "edl": read_edl,
    "rpp": read_rpp,
    "mlt": read_mlt,
    "kdenlive": read_otio,
    "otio-plain": read_otio,
    "kdenlive-project": read_kdenlive_project,
}


# ---- comparing


@dataclass(frozen=True)
class Outcome:
    """One timeline through one format: clips of the timeline, those that came back, how far off at most (s)."""

    clips: int
    back: int
    off: Fraction
    losses: tuple[str, ...]
    refused: str = ""


def round_trip(form: formats.Format, edit: Edit, folder: Path) -> Outcome:
    """Write `edit` as `form` into `folder`, read it back and compare clip by clip."""
    out = folder / f"{form.key}{form.suffix}"
    clips = [(t.kind, c) for t in edit.tracks for c in t.clips]
    try:
        losses = formats.export(edit, out, form.key)
    except SightmixError as error:
        return Outcome(len(clips), 0, Fraction(0), (), str(error))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(READERS[form.key](out, edit))
    met: set[int] = set()
    off = Fraction(0)
    for one in found:
        errors = {i: _error(one, clip) for i, (kind, clip) in enumerate(clips) if kind == one.kind}
        if not errors:
            raise AssertionError(f"{form.key} has {one.kind} that the timeline has not")
        least = min(errors.values())
        off = max(off, least)
        met |= {i for i, error in errors.items() if error == least}
    own = tuple(loss for loss in losses if loss not in edit.losses)
    return Outcome(len(clips), len(met), off, own)


def _error(found: Found, clip: exporter_edits.EditClip) -> Fraction:
    offsets = [abs(found.start - clip.start), abs(found.duration - clip.duration)]
    if found.source is not None and clip.media is not None and clip.speed == 1:
        offsets.append(abs(found.source - clip.source_in))
    return max(offsets)


# ---- saying it

INTRODUCTION = """# Formats

`sightmix export TIMELINE --to FORMAT` and `otioconvert -i TIMELINE -o FILE -O sightmix_FORMAT` write these, and so does
`sightmix rebalance … -o FILE`, by the ending of FILE: the same result in the same words, with what it will lack said
before the work.
The tables are made by `python tests/exporters/format_report.py`, which sends sample timelines through every format
and reads them back; a test fails when they no longer say what happens.

| format | file | opens in | gain curves | read back by |
|---|---|---|---|---|
"""
READ_BACK = {
    "fcp7": "OTIO's fcp_xml adapter",
    "fcpxml": "its own times (OTIO's fcpx_xml adapter rounds NTSC rates)",
    "aaf": "pyaaf2",
    "edl": "its own lines (OTIO's cmx_3600 adapter knows two channels)",
    "rpp": "its own lines",
    "mlt": "its own elements",
    "kdenlive": "OTIO",
    "otio-plain": "OTIO",
    "kdenlive-project": "its own elements",
}
CURVES = {"yes": "keyframes", "no": "–", "baked": "baked", "comments": "comments"}
NOTES = """
What no table shows:

- **Opened in real programs** so far: MLT in `melt` 7.12 and Shotcut 22.12, Kdenlive projects in Kdenlive 22.12, OTIO in
  GStreamer 1.22 and Blender, FCP7 XML in OpenShot 2.6 (with what it loses); [hosts/](hosts/README.md) says what was
  seen, with screens. **Never yet**: DaVinci Resolve, Premiere, Final Cut Pro, Media Composer, Pro Tools, Fairlight,
  Ardour, Reaper, and OTIO in Kdenlive 25.04. There the files follow the formats' own documents and are read back by
  independent readers.
- FCP7 XML: a track of n channels is n tracks of one channel, grouped as Premiere groups them, with links between
  them and the picture; in points and keyframes count frames of the timeline's rate. Premiere also gets the exact
  in point. Gain curves are “Audio Levels”, at most +12 dB.
- FCPXML: checked against rules that say what Apple's DTD of version 1.10 demands of the elements we write; the DTD
  itself comes with no package. Sound keeps its exact times, picture lies on frames. Tracks become roles:
  `dialogue`, `music` and `effects` with the track's name as subrole.
- AAF: one slot per channel (“Music.L”), counted in samples; linked WAV files keep their own description, 24-bit
  stems come as 24-bit. Gain curves are the standard gain effect with linear automation. `embed` puts the sound
  into the AAF: experimental, few programs open such files. An AAF has no switch for a track: every clip of a muted
  one, and every muted clip, is the unused alternative of a selector that plays nothing, which is how Media Composer
  mutes clips; programs that do not know selectors play nothing there either. What is muted is not embedded. Markers
  are descriptive markers of the first track, with their colour's name.
- OTIO comes in three kinds. What `sightmix rebalance` writes is your own file with new tracks in its program's words:
  media of Resolve's are bare paths there, because Resolve 20.2 was reported not to import `file://` addresses, and
  file URIs in every other. It counts media from their start timecode, carries curves as metadata or effects, and says
  by `enabled` what is muted: a track where all of it is, and in Resolve's words its clips as well.
  `kdenlive` is what Kdenlive's importer reads right. `otio-plain` is for readers that place files and know nothing
  else: media count from zero and are file URIs, muted tracks are left out, and sound that is more than a stretch of a
  file (curves, fades, dissolves, speeds, chosen channels, cuts between frames), or of a file that readers do not agree
  on (several streams, clocks that jump), is rendered into `NAME.sounds` beside it, clips that share a frame as one;
  the picture keeps plain dissolves. Everything else stays your own file. Give the folder along with the file.
  `sightmix rebalance -o OUT.otio --dialect plain` writes it at once.
- GStreamer Editing Services 1.22 (Debian 12, otio-xges-adapter 1.0.0) play `kdenlive` and `otio-plain` as the MIX of
  the stems: nothing shifted, the difference below -100 dB; at 29.97 and 59.94, where frames lie between samples, cuts
  are met to a sample. Of an `.otio` in a program's own words they pass over start timecodes, `enabled`, speeds and
  effects, and one address that is no URI, or one file that is missing, costs the whole timeline.
- OTIO's own tools (0.18.1) with `otio-plain`: `otiostat` finds nothing wrong, `otioconvert` takes it to FCP7 XML, AAF,
  xges and .otioz with every place kept; `otiotool --verify-media` knows no URIs and calls all media missing. What its
  adapters for MLT and old Kdenlive projects make of it, melt 7.12 plays to the bit where one track sounds; where two
  do, they mix only one, whoever wrote the timeline: for these take `mlt` or `kdenlive-project`.
- MLT: Shotcut shows it as a project: tracks with their names and mutes, volume lines as filters “Gain / Volume”,
  fades, markers; sound dissolves are two overlapping clips on two tracks. Where a clip plays chosen channels of a file
  with more than two, Shotcut forgets the choice when it saves the project.
- Kdenlive project: bin, track names, mutes, volume lines as effect “Volume (keyframable)”, fades, speeds, guides,
  linked clips as groups, streams of files, one channel of two (effect “Stereo to mono”, 3 dB down); other choices of
  channels are lost. `--to kdenlive` writes one too where OUT ends on `.kdenlive`. melt plays both the same.
- FCP7 XML in OpenShot: not a road. It takes addresses for paths, so that it asks for the folder and never finds a name
  with a space; knows a file only in the first clip that uses it, where the format, Premiere and Resolve name it by its
  number from then on; takes levels for percent (sound 40 dB down), a start of -1 (under a fade) for a time, and mutes
  for nothing; and counts frames at its own project's rate. What would suit it would be wrong in every other reader.
- EDL: one picture track and four channels of sound. Gain curves stand in comments.

## How much is read

Only regular files: pipes, sockets and devices are refused, and never waited for. Of an `.otioz` the media that its
timeline names are unpacked into the cache folder, for results go on pointing at them and no host plays out of an
archive; members that lead outside, are encrypted or damaged are refused, and nothing of a refused bundle stays. Two
limits keep a small file from filling memory or disk; where one is in the way, the sentence names its variable:

| environment variable | MB | what it bounds |
|---|---|---|
| `SIGHTMIX_DOCUMENT_MB` | 256 | a timeline's document, also the one in a bundle; not AAF, which may hold media |
| `SIGHTMIX_UNPACKED_MB` | 1024 | what a bundle unpacks to; twenty times its own size is always allowed |

## Reading

A file is known by what is in it, whatever its ending, and read by the one reader of its format:

| format | read by |
|---|---|
| OTIO, `.otioz`, `.otiod` | our own reader of its JSON |
| FCPXML 1.0 to 1.13, `.fcpxmld` | our own reader |
| CMX 3600 EDL | our own reader |
| FCP7 XML | our own reader |
| AAF | OTIO's AAF adapter |

Of FCPXML every time is exact, also those between frames. Sound comes on a track for each role, on a further one where
it overlaps; where every lane has but one role, as in documents made from tracks, every lane is a track. Roles are
what a clip holds: `dialogue`, `music` and `effects` need no listening. Connected clips and storylines, synchronized,
multicam (by the active angles) and compound clips, auditions (the pick), split sound, channels with roles of their
own, transitions, retimes, conformed rates, levels with keyframes, fades and mutes all lie where Final Cut Pro plays
them. Eased speed changes are read as straight lines, clips inside a compound whose speed is not steady are not
rendered, captions are left out, pan and effects are not heard: each is said. Of several projects the first is taken,
or the one that `--timeline` names; without projects, compound clips or single clips. What the exporter writes is read
back as it was: names, times, channels, levels, fades, dissolves, mutes, markers and start timecode. Read from files
written here and by the format's documents; no file written by Final Cut Pro itself was at hand.

Projects and lists of other programs (Premiere, Resolve, Kdenlive, Shotcut, Vegas, Pro Tools, LosslessCut, MPlayer and
some thirty more) are named for what they are, with what to export instead. Text may be UTF-8, UTF-16 or UTF-32, with or
without a mark; EDLs that are none of these are read as Windows' code page 1252, or as Mac Roman where their lines or
letters show a classic Mac, and that is said.

- FCP 7 XML, source tracks: Final Cut Pro 7 and Premiere count the channels of a file (left is 1, right is 2), Resolve
  and what writes for it the streams in it (track 2 is the second sound, with both its sides). Channels are meant where
  a document has Premiere's words for them (`premiereChannelType`, `premiereTrackType`, exploded tracks),
  `outputchannelindex` on a track, a pan to either side, more source tracks of a file than that has streams, or a file
  that declares its channels one by one. Otherwise streams are meant, and a lone stereo file is heard whole.
- FCP 7 XML, a clip whose rate is not its sequence's: Apple's text has `in` count the clip's frames; Premiere and
  Resolve were measured to read it as source seconds times the sequence's rate, whatever the clip says
  ([buttercut #133](https://github.com/barefootford/buttercut/pull/133)). Each clip is taken at its own numbers:
  Premiere's `pproTicksIn` where it is there; else the rate at which the clip is as long in its media as in the record.
  Where both rates fit, most clips of the document decide, and failing that the sequence's rate.
- FCP 7 XML, places: by `start` and `end`; -1 is the cut of the transition beside it. A rate of 0, as placeholders have
  it, or none is that of what the item lies in. Clips that overlap by a frame were rounded; by more, the later one gets
  a track of its own. Nested sequences are opened, and the second side of a nest on two tracks is not played again.
  Speeds (Time Remap) are not read: such clips play at their own, and that is said.
- EDL: counted at `--rate`; without it at 24, or at what its numbers need (29.97 where frames are dropped), and that
  is said. Frames are dropped where ";" or "," stands before them, else where the first `FCM` line says so; a source's
  timecode follows the `FCM` line above its event where that makes it as long as the record. Events lie by their
  record times, also of lists sorted by source and across midnight. Two that overlap on a channel by more than a frame
  are on tracks of their own. A source that lies on several channels (AA) plays one of its own on each, on one alone
  all of them; what it does not have is silent. Dissolves and wipes begin at the record in; a key's foreground lies on
  a track above. A source that is longer or shorter than the record, without an M2 line, plays at its own speed, and
  that is said.
- Media without a path, or not where its path leads, is looked for in the folders of `--media` and those inside them: by
  the file, clip or reel name the timeline has, whatever its case, with its ending or without. Among several that fit
  alike none is chosen; the clip says which they are.
- Numbers that no clock counts (Inf, NaN, rates below a thousandth of a hertz, times of thousands of years) cost only
  the clip they stand in: it is listed with the reason.

## Media

A header is a claim. What FFmpeg's command line plays of a file is what counts, and what had to be assumed is said:

- A stream in a codec that FFmpeg does not know is passed over; a clip that has nothing else is offline with that
  reason.
- Lengths that are missing (live WebM, piped FLAC), guessed from a bit rate (MP3 without a Xing header, bare AAC,
  AC-3 or DTS) or longer than the file are counted from its packets, without decoding, when the file is first looked
  at. So are transport and program streams, whose clocks may jump: that reads the file once. RF64 that was never
  finished is read to its end.
- A clock that leaps more than 10 s ahead or falls back by more than 0.1 s (appended recordings, recorders that were
  reset) plays on without a gap, sound and picture alike; of shorter leaps nobody can tell whether something is
  missing, and they stay silent. Clocks of 33 bits may run over. Such files are read from their beginning every
  time.
- Edit lists of QuickTime and MP4 are followed, empty edits are silence, but an edit's rate is not applied, as by
  FFmpeg.
- Sound that changes its channels (AC-3 from 2.0 to 5.1) is folded into what the stream begins with by ITU-R BS.775;
  a changed sample rate is brought to the first one.
- Media that is cut short or replaced after the timeline was read fails its clip; a file that only grows does not.

## Round trips

“off by” is the largest distance of a clip's start, length or in point from where it was; “clips” counts those that
came back and those the timeline has; “lost” is what the exporter itself said. Below half a sample at 48 kHz is
“exact”. EDL, MLT, Kdenlive projects and Reaper begin a dissolve where it begins, not at its cut: there the distance
is half a dissolve.
"""


def document(folder: Path) -> str:
    """The text of docs/formats.md, measured anew in `folder`."""
    edits = samples(folder)
    lines = [INTRODUCTION.rstrip("\n")]
    lines += [
        f"| `{form.key}` | `{form.suffix}` {form.title} | {form.hosts} "
        f"| {CURVES[form.keyframes]} | {READ_BACK[form.key]} |"
        for form in formats.FORMATS
    ]
    lines.append(NOTES.rstrip("\n"))
    for form in formats.FORMATS:
        lines += [
            "",
            f"### {form.title} (`{form.key}`)",
            "",
            "| timeline | clips | off by | lost |",
            "|---|---|---|---|",
        ]
        lines += [_row(title, round_trip(form, edit, folder)) for title, edit in edits.items()]
    return "\n".join(lines) + "\n"


def _row(title: str, outcome: Outcome) -> str:
    if outcome.refused:
        return f"| {title} | 0 of {outcome.clips} | – | refused: {outcome.refused} |"
    off = "exact" if outcome.off < Fraction(1, 96000) else f"{float(outcome.off) * 1000:.3g} ms"
    return f"| {title} | {outcome.back} of {outcome.clips} | {off} | {' '.join(outcome.losses) or '–'} |"


def main() -> None:
    """Write docs/formats.md."""
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        DOCUMENT.write_text(document(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
