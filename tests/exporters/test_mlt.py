"""MLT documents as XML; what melt makes of them is tested in test_hosts_melt.py."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import av
import exporter_sound as kit
import numpy as np
import pytest
from sightmix.engine.edit.model import (
    Edit,
    EditClip,
    EditMarker,
    EditMedia,
    EditTrack,
    EditTransition,
    GainCurve,
)
from sightmix.engine.errors import WriteError
from sightmix.exporters import mlt

RATE = Fraction(25)


def read(edit: Edit, folder: Path, **more: int) -> tuple[ET.Element, tuple[str, ...]]:
    out = folder / "edit.mlt"
    losses = mlt.write(edit, out, **more)
    return ET.parse(out).getroot(), losses


def prop(element: ET.Element, name: str) -> str | None:
    return element.findtext(f"property[@name='{name}']")


def tracks(root: ET.Element) -> list[ET.Element]:
    """The playlists that are tracks, from the bottom up."""
    return [p for p in root.findall("playlist") if prop(p, "shotcut:name") is not None]


def with_picture(edit: Edit) -> Edit:
    film = EditMedia("s.mov", "/x/s.mov", None, duration=Fraction(10), width=640, height=360, rate=RATE)
    return replace(edit, tracks=(EditTrack("video", "V", (kit.framed(film, RATE, 0, 25, 0),)), *edit.tracks))


def test_the_rate_is_finer_only_where_old_programs_need_it(tmp_path: Path) -> None:
    stereo = kit.audio_edit(RATE, [kit.framed(kit.noise(tmp_path / "a.wav", 4), RATE, 0, 25, 5)])
    six = kit.audio_edit(RATE, [kit.framed(kit.noise(tmp_path / "b.wav", 4, 6), RATE, 0, 25, 5)])
    for edit, times in ((stereo, 2), (six, 6)):
        root, losses = read(edit, tmp_path)
        assert root.find("profile").get("frame_rate_num") == str(25 * times)  # type: ignore[union-attr]
        assert losses == ()
    root, losses = read(with_picture(stereo), tmp_path)
    assert root.find("profile").get("frame_rate_num") == "25"  # type: ignore[union-attr]
    assert any("FFmpeg" in loss for loss in losses)


def test_tracks_hide_what_they_do_not_play(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 4)
    edit = with_picture(
        kit.audio_edit(RATE, [kit.framed(media, RATE, 5, 20, 0)], [kit.framed(media, RATE, 0, 9, 0)])
    )
    edit = replace(edit, tracks=(*edit.tracks[:2], replace(edit.tracks[2], enabled=False)))
    root, _ = read(edit, tmp_path)
    tractor = root.find("tractor")
    assert tractor is not None
    assert [t.get("hide") for t in tractor.findall("track")] == [None, "audio", "video", "both"]
    assert [prop(t, "b_track") for t in tractor.findall("transition")] == ["2"]
    first = tracks(root)[1]
    assert [child.tag for child in first if child.tag != "property"] == ["blank", "entry"]


def test_shotcut_finds_a_project(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 4, channels=6)
    edit = with_picture(kit.audio_edit(RATE, [kit.framed(media, RATE, 5, 20, 0)], channels=6))
    root, _ = read(edit, tmp_path)
    assert [p.get("id") for p in root.findall("playlist")][:2] == ["main_bin", "background"]
    assert prop(root.findall("playlist")[0], "xml_retain") == "1"
    tractor = root.find("tractor")
    assert tractor is not None
    assert prop(tractor, "shotcut") == "1"
    assert prop(tractor, "shotcut:projectAudioChannels") == "6"
    assert [t.get("producer") for t in tractor.findall("track")] == ["background", "track1", "track2"]
    assert [(prop(t, "shotcut:video"), prop(t, "shotcut:audio")) for t in tracks(root)] == [
        ("1", None),
        (None, "1"),
    ]
    [black] = root.findall("playlist[@id='background']/entry")
    assert black.get("out") == tractor.get("out") == "24"
    # Shotcut's loader reads a document once, from the top: what an element names stands above it.
    order = [child.get("id") for child in root]
    for child in root:
        for one in (*child.findall("entry"), *child.findall("track")):
            assert order.index(one.get("producer")) < order.index(child.get("id"))


def test_fades_lie_on_producers_under_shotcuts_names(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 4)
    clip = kit.framed(media, RATE, 5, 50, 7, fade_in=Fraction(10, 25), fade_out=Fraction(5, 25))
    root, _ = read(kit.audio_edit(RATE, [clip]), tmp_path, finer=1)
    fades = [(prop(f, "shotcut:filter"), f.get("in"), f.get("out")) for f in root.iterfind("producer/filter")]
    assert fades == [("fadeInVolume", "7", "16"), ("fadeOutVolume", "52", "56")]
    assert root.find("playlist/entry/filter") is None


def test_markers_arrive_in_shotcut(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 4)
    markers = (
        EditMarker(Fraction(3725), Fraction(0), "look", "here"),
        EditMarker(Fraction(1), Fraction(1, 2), "two"),
    )
    edit = replace(kit.audio_edit(RATE, [kit.framed(media, RATE, 0, 50, 0)]), markers=markers)
    root, losses = read(edit, tmp_path)
    assert not any("arker" in loss for loss in losses)
    groups = root.findall("tractor/properties[@name='shotcut:markers']/properties")
    assert [(g.get("name"), prop(g, "text"), prop(g, "start"), prop(g, "end")) for g in groups] == [
        ("0", "look: here", "01:02:05.000", "01:02:05.000"),
        ("1", "two", "00:00:01.000", "00:00:01.500"),
    ]


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 4)
    clips = (
        kit.framed(media, RATE, 0, 5, 0, enabled=False),
        kit.framed(media, RATE, 5, 5, 0, speed=Fraction(0)),
        replace(kit.framed(media, RATE, 10, 5, 0), media=None),
        replace(kit.framed(media, RATE, 15, 5, 0), start=Fraction(15, 25) + Fraction(1, 999)),
    )
    edit = Edit(
        "cut", RATE, (EditTrack("audio", "A", clips),), start=Fraction(3600),
        markers=(EditMarker(Fraction(0), Fraction(0), "m"),), losses=("known.",),
    )  # fmt: skip
    root, losses = read(edit, tmp_path)
    assert [len(track.findall("entry")) for track in tracks(root)] == [1]
    assert losses[0] == "known."
    assert len(losses) == 6


def test_a_dissolve_takes_a_second_playlist(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 9)
    clips = (kit.framed(media, RATE, 0, 50, 20), kit.framed(media, RATE, 50, 50, 90))
    dissolve = EditTransition(Fraction(2), Fraction(10, 25), Fraction(6, 25))
    root, _ = read(Edit("cut", RATE, (EditTrack("audio", "A", clips, (dissolve,)),)), tmp_path, finer=1)
    entries = [track.find("entry") for track in tracks(root)]
    bounds = [(e.get("in"), e.get("out")) for e in entries if e is not None]
    assert bounds == [("20", "75"), ("80", "139")]


def test_gain_keys_count_from_the_entry(tmp_path: Path) -> None:
    media = kit.noise(tmp_path / "a.wav", 9)
    curve = GainCurve((Fraction(0), Fraction(2)), (0.0, -20.0))
    clip = kit.framed(media, RATE, 30, 50, 20, gain=curve)
    root, _ = read(kit.audio_edit(RATE, [clip]), tmp_path, finer=1)
    [level] = [prop(f, "level") for f in root.iterfind("producer/filter")]
    assert level is not None
    keys = dict(key.split("=") for key in level.split(";"))
    assert float(keys["49"]) == pytest.approx(-20)
    assert min(map(int, keys)) == 0


def test_nothing_half_written(tmp_path: Path) -> None:
    edit = kit.audio_edit(RATE, [kit.framed(kit.noise(tmp_path / "a.wav", 4), RATE, 0, 9, 0)])
    with pytest.raises(WriteError):
        mlt.write(edit, tmp_path / "no such folder" / "edit.mlt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def film_order(path: Path) -> Path:
    """A MOV whose 5.1 lies as L C R Ls Rs LFE (CoreAudio's MPEG_5_1_C)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="5.1")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 6 * 48_000), np.int16), format="s16", layout="5.1")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    at = data.index(b"chan") + 8
    data[at : at + 4] = (123 << 16 | 6).to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("picks", "lies"), [((0, 1), "0|2"), ((2,), "1"), ((3, 4, 5), "5|3|4")])
def test_channels_are_named_as_they_lie_in_the_file(
    tmp_path: Path, picks: tuple[int, ...], lies: str
) -> None:
    path = film_order(tmp_path / "film.mov")
    media = EditMedia(path.name, str(path), path, Fraction(0), Fraction(1), 48_000, 6, (6,))
    clip = EditClip("film", Fraction(0), Fraction(1), media, channels=picks)
    root, _ = read(
        Edit("E", Fraction(25), (EditTrack("audio", "A1", (clip,), channels=len(picks)),)), tmp_path
    )
    [found] = [e for e in root.iter("filter") if prop(e, "mlt_service") == "avfilter.channelmap"]
    assert prop(found, "av.map") == lies
