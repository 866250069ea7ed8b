"""What the panel is told of a timeline that is opened, and what it makes of that."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from sightmix.engine.edit.model import GainCurve
from sightmix.engine.errors import SettingsError
from sightmix.plugin.session.opening import document_data
from sightmix.plugin.timeline.source import open_source
from sightmix.ui.base.source import Source
from sightmix.ui.control.state import ClipRow, document_of
from timeline_kit import clip, gap, item, movie, rt, save, timeline, tr, track, wav

RATE = 30000 / 1001


def _scene(folder: Path) -> Path:
    """At 29.97 drop-frame from 01:00:00;00: two shots with a hole between them, a dialogue track, one of no kind."""
    wav(folder / "voice.wav")
    movie(folder / "film.mov")
    scene = timeline(
        track(
            "Video",
            clip("shot 1", tr(0, 24, 24), "film.mov"),
            gap(12),
            clip("shot 2", tr(100, 24, 24), "film.mov"),
        ),
        track(
            "Audio",
            clip("Kitchen", tr(0, 30, RATE), "voice.wav"),
            clip("Gone", tr(0, 30, RATE), "away/gone.wav"),
            name="DX",
        ),
        track("Audio", clip("Wild", tr(60, 15, RATE), "voice.wav")),
        start=rt(107892, RATE),
        name="Scene 4",
        metadata={"Resolve_OTIO": {"Timeline": {"Drop Frame": True}}},
    )
    return save(folder / "scene.otio", scene)


def test_an_opened_timeline_survives_the_road_to_the_panel(tmp_path: Path) -> None:
    path = _scene(tmp_path)
    opened, _ = open_source(path, folders=[tmp_path])
    document = document_of(json.loads(json.dumps(document_data(opened))))
    assert document.source == Source(path, "", (tmp_path,))
    assert (document.name, document.timelines) == ("Scene 4", ("Scene 4",))
    assert document.rate == Fraction(30000, 1001)
    assert document.start == opened.start == 107892 / Fraction(30000, 1001)
    assert document.duration == opened.duration
    assert document.cuts == (1.0, 1.5)
    assert document.has_picture
    first, wild, gone = document.clips
    assert (first.name, first.track, first.track_number) == ("Kitchen", "DX", 1)
    assert (first.kind, first.certain, first.told) == ("dialogue", True, False)
    assert (first.state, first.media) == ("online", str(tmp_path / "voice.wav"))
    assert (first.timecode_in, first.timecode_out) == (
        opened.clips[0].timecode_in,
        opened.clips[0].timecode_out,
    )
    assert document.timecode(first.record_out) == first.timecode_out
    assert (wild.track, wild.kind, wild.certain) == ("Audio 2", "", False)
    assert (gone.state, gone.media) == ("offline", str(tmp_path / "away" / "gone.wav"))
    assert "does not exist" in gone.reason
    assert [(t.number, t.name, t.clips, t.kind) for t in document.tracks] == [
        (1, "DX", (1, 3), "dialogue"),
        (2, "Audio 2", (2,), ""),
    ]
    assert document.tracks[1].reason == "nothing tells what it holds"
    assert document.extra["clips"][1] == {"channels": "all", "layout": "stereo", "shots": 2, "speed": 1.0}
    assert document.doubts[0].startswith("A2 'Audio 2' is taken for a mix")


def test_the_users_word_counts(tmp_path: Path) -> None:
    opened, _ = open_source(_scene(tmp_path))
    document = document_of(document_data(opened, ["A2=music"]))
    assert [(c.kind, c.told) for c in document.clips] == [
        ("dialogue", False),
        ("music", True),
        ("dialogue", False),
    ]
    assert (document.tracks[1].kind, document.tracks[1].told) == ("music", True)
    with pytest.raises(SettingsError, match="fits no audio track"):
        document_data(opened, ["A7=music"])


def test_one_of_several_timelines_says_which_it_is(tmp_path: Path) -> None:
    wav(tmp_path / "voice.wav")
    reels = [
        timeline(track("Audio", clip(f"in {name}", tr(0, 24), "voice.wav")), name=name) for name in ("A", "B")
    ]
    path = save(tmp_path / "reels.otio", item("SerializableCollection.1", "reels") | {"children": reels})
    opened, _ = open_source(path, "B")
    document = document_of(document_data(opened))
    assert (document.name, document.timelines, document.extra["chosen"]) == ("B", ("A", "B"), 1)
    again, _ = open_source(path, document.source.timeline)
    assert again.name == "B"
    assert document.clips == (
        ClipRow(
            1, "in B", "Audio 1", 1, 0.0, 1.0, "00:00:00:00", "00:00:01:00", media=str(tmp_path / "voice.wav")
        ),
    )
    assert not document.has_picture
    assert document.cuts == ()


@pytest.mark.parametrize(
    ("times", "db", "volume"),
    [
        ((0.0,), (-6.0,), -6.0),
        ((0.0,), (-200.0,), -96.0),  # a fader that is shut
        # Half the clip at 0 dB and half of it shut: half the power.
        ((0.0, 0.5005, 0.5006), (0.0, 0.0, -96.0), -3.01),
    ],
)
def test_what_a_volume_line_does_on_the_mean(
    tmp_path: Path, times: tuple[float, ...], db: tuple[float, ...], volume: float
) -> None:
    opened, _ = open_source(_scene(tmp_path))
    assert document_of(document_data(opened)).clips[0].volume == 0.0
    first = opened.clips[0]
    curve = GainCurve(tuple(Fraction(t) for t in times), db)
    ridden = replace(first, leaf=replace(first.leaf, edit=replace(first.leaf.edit, gain=curve)))
    opened.clips = (ridden, *opened.clips[1:])
    assert document_of(document_data(opened)).clips[0].volume == pytest.approx(volume, abs=0.02)
