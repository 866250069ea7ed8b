"""Files are known by what is in them: read whatever they are called, or named for what they are."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import TimelineError
from sightmix.plugin.timeline import open_timeline
from sightmix.plugin.timeline.forms import recognise
from sightmix.plugin.timeline.texts import decoded, unicode_of, xml_root
from timeline_kit import gap, timeline, track

EDL = "TITLE: Rêve\r\n001  S  A  C  00:00:00:12 00:00:01:12 01:00:00:00 01:00:01:00\r\n* FROM CLIP NAME: voix é.wav\r\n"
XMEML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="5"><sequence><name>Prüfung</name><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><media><audio>
<track><clipitem id="c"><name>voix é.wav</name><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><start>0</start>
<end>25</end><in>0</in><out>25</out><file id="f"><name>v</name><pathurl>file:///none/v.wav</pathurl>
<duration>50</duration></file></clipitem></track></audio></media></sequence></xmeml>
"""
PREMIERE = b'<?xml version="1.0"?>\n<PremiereData Version="3"/>'


@pytest.mark.parametrize(
    ("name", "text", "encoding", "clip"),
    [
        ("utf8.edl", EDL, "utf-8", "voix é.wav"),
        ("bom.edl", EDL, "utf-8-sig", "voix é.wav"),
        ("windows.edl", EDL, "cp1252", "voix é.wav"),
        ("u16.edl", EDL, "utf-16", "voix é.wav"),
        ("bare16.edl", EDL, "utf-16-le", "voix é.wav"),
        ("mac.edl", EDL.replace("\r\n", "\r"), "mac-roman", "voix é.wav"),
        ("list.txt", EDL, "cp1252", "voix é.wav"),
        ("u8.xml", XMEML, "utf-8", "voix é.wav"),
        ("u16.xml", XMEML.replace("UTF-8", "UTF-16"), "utf-16", "voix é.wav"),
        ("says8is16.xml", XMEML, "utf-16", "voix é.wav"),
        ("says16is8.xml", XMEML.replace("UTF-8", "UTF-16"), "utf-8", "voix é.wav"),
        ("latin.xml", XMEML.replace("UTF-8", "ISO-8859-1"), "latin-1", "voix é.wav"),
        ("says8is1252.xml", XMEML, "cp1252", "voix é.wav"),
        ("cut.otio", XMEML, "utf-8", "voix é.wav"),
    ],
)
def test_encodings_and_endings(tmp_path: Path, name: str, text: str, encoding: str, clip: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    assert [c.name for c in open_timeline(path).clips] == [clip]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_otio_in_every_unicode(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "cut.xml"
    text = json.dumps(timeline(track("Audio", gap(24)), name="Größe"), ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    assert open_timeline(path).name == "Größe"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mp.edl", b"0.5 1.5 0\n2.0 3.0 0\n", "is an MPlayer EDL"),
        ("mpv.edl", b"# mpv EDL v0\nf.mkv,10,20\n", "an EDL of the player mpv"),
        ("p.llc", b'{version: 1, mediaFileName: "s.wav", cutSegments: [{start: 0.5}]}', "a LosslessCut project"),
        ("q.json", b'{"version": 2, "mediaFileName": "s.wav", "cutSegments": []}', "a LosslessCut project"),
        ("m.xml", b'<?xml version="1.0"?><mlt><producer id="p"/></mlt>', "is an MLT XML"),
        ("m.mlt", b'<mlt><property name="shotcut">1</property></mlt>', "a Shotcut project"),
        ("m.kdenlive", b'<mlt><property name="kdenlive:docproperties.uuid"/></mlt>', "a Kdenlive project"),
        ("p.prproj", gzip.compress(PREMIERE, mtime=0), "a Premiere Pro project"),
        ("a.als", gzip.compress(b"<Ableton/>", mtime=0), "an Ableton Live set"),
        ("x.xml.gz", gzip.compress(XMEML.encode(), mtime=0), "packed with gzip; unpack it first"),
        ("cut.gz", gzip.compress(b"x" * 99, mtime=0)[:20], "packed with gzip"),
        ("v.veg", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00" + bytes(40), "a Vegas project"),
        ("v.txt", b'"ID";"Track";"StartTime";"Length"\n', "an EDL text of Vegas"),
        ("s.edl", b"Samplitude EDL File Format Version 1.5\n", "an EDL of Samplitude"),
        ("s.ale", b"Heading\r\nFIELD_DELIM\tTABS\r\n", "Avid Log Exchange"),
        ("p.ptx", b"\x030010111100101011\x00\x05Z", "a Pro Tools session"),
        ("p.avb", b"\x06\x00Domain\x06\x00OBJDX", "an Avid bin"),
        ("p.txt", b"SESSION NAME:\tfilm\nSAMPLE RATE:\t48000\n", "a Pro Tools session"),
        ("r.rpp", b'<REAPER_PROJECT 0.1 "6.0" 1\n>', "a Reaper project"),
        ("a.srt", b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n", "a file of subtitles"),
        ("w.xml", b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        ("l.otio", b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        ("o.osp", b'{"id": "T0", "version": {"openshot-qt": "3", "libopenshot": "0.3"}}', "an OpenShot project"),
        ("d.db", b"SQLite format 3\0" + bytes(80), "is a database"),
        ("u.xml", b"<unheard-of><a/></unheard-of>", "its root element is <unheard-of>"),
        ("c.csv", b"Name,Reel Name,Source In,Source Out\n", "a table (CSV) of an edit"),
        ("t.xml", "<mlt>é</mlt>".encode("utf-16"), "is an MLT XML"),
    ],
)  # fmt: skip
def test_files_that_are_known_and_not_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TimelineError, match=re.escape(words)) as raised:
        open_timeline(path)
    assert re.fullmatch(rf"{re.escape(str(path))} is [^;]+; [^;]+\.", str(raised.value))


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("SeqContainer/1.xml", "of Resolve's own"),
        ("readme.txt", "a ZIP archive without an OTIO timeline in it"),
    ],
)
def test_archives(tmp_path: Path, inside: str, words: str) -> None:
    path = tmp_path / "film.drt"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr(inside, "<x/>")
    with pytest.raises(TimelineError, match=re.escape(words)):
        open_timeline(path)


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "film.fcpbundle").mkdir()
    with pytest.raises(TimelineError, match="a Final Cut Pro library; export the project"):
        open_timeline(tmp_path / "film.fcpbundle")


def test_long_metadata_before_the_schema_is_no_other_form(tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"
    words = {"probe": {"codec_type": "audio"}, "long": "x" * 70000}
    root = {k: v for k, v in timeline(track("Audio", gap(24)), name="cut").items() if k != "metadata"}
    path.write_text(json.dumps({"metadata": words, **root}))
    assert open_timeline(path).name == "cut"


def test_w64_is_sound_and_junk_is_left_to_the_media_reader(tmp_path: Path) -> None:
    path = tmp_path / "s.w64"
    path.write_bytes(b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00" + bytes(8) + b"wave" + bytes(9))
    assert recognise(path) == "media"
    path.write_bytes(b"\xff\xfb\x90\x64" + bytes(range(1, 256)) * 9)
    assert recognise(path) == "media"


@given(st.text(max_size=60), st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
@settings(max_examples=50, deadline=None)
def test_marked_unicode_is_never_taken_for_another(text: str, encoding: str) -> None:
    text = text.encode(errors="replace").decode()
    assert unicode_of(text.encode(encoding)) == text


def test_what_no_encoding_explains() -> None:
    assert decoded(b"r\xe9ve\r\n") == ("réve\r\n", "cp1252")
    assert decoded(b"r\x8eve\r") == ("réve\r", "mac-roman")
    assert decoded(b"r\x8fve\n")[1] == "mac-roman"
    assert xml_root(b"\n <a>x</a>").text == "x"
