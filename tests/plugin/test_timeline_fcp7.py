"""FCP 7 XML as its many writers lay it out: source tracks, rates, placeholders, transitions, nests and overlaps."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
import sightmix
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightmix.engine.edit.fcp7_sources import SourceTracks
from sightmix.engine.errors import TimelineError
from sightmix.engine.passage import Channel
from sightmix.plugin.timeline import Timeline, list_timelines, open_timeline
from sightmix.plugin.timeline.load import load
from timeline_kit import DATA, movie, wav

NTSC = Fraction(30000, 1001)
TICKS = f"<pproTicksIn>{2 * 254016000000}</pproTicksIn>"  # two seconds, as Premiere counts


def rate(base: object, ntsc: str | None = "FALSE") -> str:
    said = "" if ntsc is None else f"<ntsc>{ntsc}</ntsc>"
    return f"<rate><timebase>{base}</timebase>{said}</rate>"


def item(start: int, end: int, first: int, last: int | None = None, **more: Any) -> str:
    """A clipitem; `file` is what stands for its file, `words` further elements, `index` its source track."""
    last = first + end - start if last is None else last
    index = more.get("index")
    held = more.get("file", '<file id="f"/>')
    source = f"<sourcetrack><trackindex>{index}</trackindex></sourcetrack>" if index else ""
    return (
        f"<clipitem {more.get('attributes', '')}><name>{more.get('name', 'a')}</name>{more.get('rate', '')}"
        f"<start>{start}</start><end>{end}</end><in>{first}</in><out>{last}</out>{held}"
        f"{source}{more.get('words', '')}</clipitem>"
    )


def file(path: Path | str, at: str = rate(25), sounds: str = "", start: int = 0) -> str:
    url = path.as_uri() if isinstance(path, Path) else path
    return (
        f'<file id="f"><name>f</name><pathurl>{url}</pathurl>{at}<duration>250</duration>'
        f"<timecode>{at}<frame>{start}</frame></timecode><media>{sounds}</media></file>"
    )


def track(*items: str, attributes: str = "", words: str = "") -> str:
    return f"<track {attributes}>{''.join(items)}{words}</track>"


def sequence(*tracks: str, at: str = rate(25), video: str = "", name: str = "s", attributes: str = "") -> str:
    pictures = f"<video>{video}</video>" if video else ""
    sound = f"<audio>{''.join(tracks)}</audio>"
    return f"<sequence {attributes}><name>{name}</name>{at}<media>{pictures}{sound}</media></sequence>"


def read(folder: Path, *sequences: str) -> Timeline:
    return open_timeline(written(folder, *sequences))


def written(folder: Path, *sequences: str) -> Path:
    path = folder / "cut.xml"
    head = '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml>'
    path.write_text(f"{head}<xmeml version='5'>{''.join(sequences)}</xmeml>")
    return path


def source_in(found: Timeline, number: int = 1) -> Fraction:
    return found.clip(number).passage().sound.start


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fcp7")
    wav(folder / "two.wav")
    wav(folder / "one.wav", channels=1)
    movie(folder / "obs.mov", 2, streams=(2, 2, 2, 2))
    movie(folder / "monos.mov", 2, streams=(1, 1))
    return folder


# Source tracks


def heard(folder: Path, path: Path, *tracks: str, sounds: str = "") -> list[Any]:
    first = tracks[0].replace('<file id="f"/>', file(path, sounds=sounds), 1)
    found = read(folder, sequence(first, *tracks[1:]))
    return [[(c.stream, c.channel) for c in clip.channels or ()] for clip in found.clips]


STEREO = [[(n, 0), (n, 1)] for n in range(4)]
TWO = "<audio><channelcount>2</channelcount></audio>"


def test_a_track_for_every_stream(tmp_path: Path, media: Path) -> None:
    tracks = [track(item(0, 25, 0, index=n)) for n in (1, 2, 3, 4)]
    assert heard(tmp_path, media / "obs.mov", *tracks, sounds=TWO * 4) == STEREO
    assert heard(tmp_path, media / "obs.mov", *tracks[1:3]) == STEREO[1:3]
    assert heard(tmp_path, media / "monos.mov", *tracks[:2]) == [[(0, 0)], [(1, 0)]]


def test_a_lone_stereo_file_is_heard_whole(tmp_path: Path, media: Path) -> None:
    assert heard(tmp_path, media / "two.wav", track(item(0, 25, 0, index=1)), sounds=TWO) == STEREO[:1]
    assert heard(tmp_path, media / "one.wav", track(item(0, 25, 0, index=1))) == [[(0, 0)]]


def test_a_track_for_every_channel(tmp_path: Path, media: Path) -> None:
    """A pair on two tracks is one sound, whether or not every clip of the file has both its sides."""
    pair = [track(item(0, 25, 0, index=1), item(25, 50, 25, index=1)), track(item(0, 25, 0, index=2))]
    assert heard(tmp_path, media / "two.wav", *pair, sounds=TWO) == [[(0, 0), (0, 1)], [(0, 0)]]
    eight = [track(item(0, 25, 0, index=n)) for n in (3, 4, 8)]
    assert heard(tmp_path, media / "obs.mov", *eight) == [[(1, 0)], [(1, 1)], [(3, 1)]]


@pytest.mark.parametrize(
    ("lane", "words", "declared", "wanted"),
    [
        ({"words": "<outputchannelindex>1</outputchannelindex>"}, {}, TWO, [(0, 0)]),
        ({}, {"attributes": 'premiereChannelType="mono"'}, TWO, [(0, 0)]),
        ({"attributes": 'premiereTrackType="Mono"'}, {}, TWO, [(0, 0)]),
        (
            {
                "attributes": 'premiereTrackType="Stereo" currentExplodedTrackIndex="0" totalExplodedTrackCount="2"'
            },
            {"attributes": 'premiereChannelType="stereo"'},
            TWO,
            [(0, 0), (0, 1)],
        ),
        ({}, {}, "<audio><channelcount>1</channelcount></audio>" * 2, [(0, 0)]),
        (
            {},
            {
                "words": "<filter><effect><effectid>audiopan</effectid><parameter><parameterid>pan</parameterid>"
                "<valuemin>-1</valuemin><valuemax>1</valuemax><value>-1</value></parameter></effect></filter>"
            },
            TWO,
            [(0, 0)],
        ),
    ],
)
def test_words_that_count_channels(
    tmp_path: Path, media: Path, lane: Any, words: Any, declared: str, wanted: Any
) -> None:
    one = track(item(0, 25, 0, index=1, **words), **lane)
    assert heard(tmp_path, media / "two.wav", one, sounds=declared) == [wanted]


def test_the_convention_is_said(tmp_path: Path, media: Path) -> None:
    whole = track(item(0, 25, 0, index=1, file=file(media / "two.wav")))
    assert ["as Resolve counts them" in note for note in read(tmp_path, sequence(whole)).notes] == [True]
    pair = [track(item(0, 25, 0, index=1, file=file(media / "two.wav"))), track(item(0, 25, 0, index=2))]
    assert read(tmp_path, sequence(*pair)).notes == ()
    words = {"words": "<outputchannelindex>1</outputchannelindex>"}
    assert (
        read(tmp_path, sequence(track(item(0, 25, 0, index=1, file=file(media / "two.wav")), **words))).notes
        == ()
    )


def test_nobody_knows_the_streams_of_what_is_offline() -> None:
    clip = {"metadata": {"fcp_xml": {"sourcetrack": {"trackindex": "2"}}}}
    assert SourceTracks().played(clip, None, []) == [Channel(1, 0)]
    assert SourceTracks().played({}, None, [2]) == []


# What is kept


def bare(node: Any) -> Any:
    """A document without the colours that OTIO's items may have, none of which FCP 7 XML has."""
    if isinstance(node, list):
        return [bare(value) for value in node]
    return {k: bare(v) for k, v in node.items() if k != "color"} if isinstance(node, dict) else node


@pytest.mark.parametrize("name", ["resolve/ref3_clipvol", "otio_core/premiere_example", "avid/transitions"])
def test_our_export_is_read_as_by_the_library(tmp_path: Path, name: str) -> None:
    made = sightmix.export(DATA / f"{name}.otio", tmp_path / "cut", "fcp7").files[0]
    theirs = json.loads(otio.adapters.read_from_file(str(made), adapter_name="fcp_xml").to_json_string())
    assert bare(load(made).root) == bare(theirs)


# Rates


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"start": 0, "end": 30, "first": 60, "last": 90}, Fraction(2)),  # as long as the record in its frames
        ({"start": 0, "end": 30, "first": 50, "last": 75}, Fraction(2)),  # as long in the clip's
        ({"start": 0, "end": 30, "first": 60, "last": 90, "words": TICKS}, Fraction(2)),
        ({"start": 0, "end": 30, "first": 50, "last": 80, "words": TICKS}, Fraction(2)),
        ({"start": 0, "end": 30, "first": 60, "last": -1}, Fraction(2)),
        ({"start": 0, "end": 2, "first": 60, "last": 62}, Fraction(2)),
    ],
)  # fmt: skip
def test_a_clip_of_another_rate_than_its_sequence(
    tmp_path: Path, media: Path, more: dict[str, Any], wanted: Fraction
) -> None:
    found = read(
        tmp_path, sequence(track(item(**more, rate=rate(25), file=file(media / "two.wav"))), at=rate(30))
    )
    assert source_in(found) == wanted
    assert found.clips[0].duration == Fraction(more["end"] - more["start"], 30)


def test_what_shows_nothing_counts_as_the_others(tmp_path: Path, media: Path) -> None:
    shows = item(0, 30, 50, 75, rate=rate(25), file=file(media / "two.wav"))
    hides = item(30, 32, 50, 52, rate=rate(25))
    assert source_in(read(tmp_path, sequence(track(shows, hides), at=rate(30))), 2) == 2


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (rate(30, "TRUE"), NTSC),
        (rate(30, "true "), NTSC),
        (rate(30, None), Fraction(30)),
        (rate(60, "TRUE"), NTSC * 2),
        (rate(24, "TRUE"), Fraction(24000, 1001)),
        (rate(25, "TRUE"), Fraction(25)),
        (rate("29.97", "TRUE"), NTSC),
        (rate("29.97"), NTSC),
        (f"<timecode>{rate(30)}<string>01:00:00:00</string></timecode>", Fraction(30)),
        ("", Fraction(25)),  # the rate of its clips
        (rate(0), Fraction(25)),
        (rate("x"), Fraction(25)),
    ],
)
def test_rates(tmp_path: Path, media: Path, said: str, wanted: Fraction) -> None:
    own = "" if wanted != 25 else rate(25)
    one = item(0, 50, 10, rate=own, file=file(media / "two.wav", at=own))
    found = read(tmp_path, sequence(track(one), at=said))
    assert (found.clips[0].duration, source_in(found)) == (50 / wanted, 10 / wanted)


def test_a_file_that_starts_in_timecode(tmp_path: Path, media: Path) -> None:
    one = item(0, 25, 10, file=file(media / "two.wav", at=rate(50), start=180000))
    assert source_in(read(tmp_path, sequence(track(one)))) == Fraction(10, 25)


def test_drop_frame(tmp_path: Path, media: Path) -> None:
    said = f"<timecode>{rate(30, 'TRUE')}<string>01:00:58;00</string><displayformat>DF</displayformat></timecode>"
    one = item(0, 30, 0, file=file(media / "two.wav"))
    found = read(tmp_path, sequence(track(one), at=rate(30, "TRUE") + said))
    assert (found.drop_frame, found.clips[0].timecode_in) == (True, "01:00:58;00")


# Places

NOTHING = f'<file id="p"><name>slug</name>{rate(0)}<duration>0</duration></file>'


@pytest.mark.parametrize(
    "held",
    [
        item(0, 24, 0, rate=rate(0), file=NOTHING.replace("</file>", "<mediaSource>Slug</mediaSource></file>")),
        item(0, 24, 0, rate=rate(0), file=""),
        item(0, 24, 0, rate=rate(-25), file=NOTHING),
        item(0, 24, 0, rate=rate("0.0"), file='<file id="never"/>'),
        f"<generatoritem>{rate(0)}<start>0</start><end>24</end><effect><effectid>Slug</effectid></effect></generatoritem>",
    ],
)  # fmt: skip
def test_placeholders_keep_their_place(tmp_path: Path, media: Path, held: str) -> None:
    real = item(24, 48, 12, file=file(media / "two.wav"), name="real")
    found = read(tmp_path, sequence(track(held, real)))
    assert [(c.record_in, c.duration, c.state == "online") for c in found.clips] == [
        (0, Fraction(24, 25), False),
        (Fraction(24, 25), Fraction(24, 25), True),
    ]
    assert source_in(found, 2) == Fraction(12, 25)


def cross(start: int, end: int, alignment: str = "center") -> str:
    name = "<effect><name>Cross Fade</name></effect>"
    places = f"<start>{start}</start><end>{end}</end><alignment>{alignment}</alignment>"
    return f"<transitionitem>{places}{name}</transitionitem>"


@pytest.mark.parametrize(
    ("ends", "alignment", "cut", "late"),
    [
        ((-1, -1), "center", 50, 10),
        ((-1, -1), "start", 40, 0),
        ((-1, -1), "end", 60, 20),
        ((-1, -1), "start-black", 40, 0),
        ((60, 40), "center", 50, 10),  # both clips reach through the transition
        ((50, -1), "center", 50, 10),
    ],
)
def test_ends_at_transitions(
    tmp_path: Path, media: Path, ends: tuple[int, int], alignment: str, cut: int, late: int
) -> None:
    one = item(0, ends[0], 0, 60, file=file(media / "two.wav"))
    other = item(ends[1], 100, 20, 80)
    found = read(tmp_path, sequence(track(one, cross(40, 60, alignment), other)))
    assert [(c.record_in * 25, c.record_out * 25) for c in found.clips] == [(0, cut), (cut, 100)]
    [fade] = found.edit.tracks[0].transitions
    assert ((fade.cut - fade.before) * 25, (fade.cut + fade.after) * 25, fade.side) == (40, 60, "both")
    lane = found.node["tracks"]["children"][0]["children"]
    assert lane[2]["source_range"]["start_time"]["value"] == 20 + late


def test_ends_that_no_transition_explains(tmp_path: Path, media: Path) -> None:
    one = item(0, -1, 0, 25, file=file(media / "two.wav"))
    found = read(tmp_path, sequence(track(one, item(-1, -1, 5, 30), item(-1, 100, 0, 25))))
    assert [(c.record_in * 25, c.record_out * 25) for c in found.clips] == [(0, 25), (25, 50), (75, 100)]


def test_clips_that_overlap(tmp_path: Path, media: Path) -> None:
    first = item(0, 51, 0, file=file(media / "two.wav"))
    found = read(tmp_path, sequence(track(first, item(50, 100, 0, name="b"), item(75, 125, 0, name="c"))))
    assert [(c.name, c.track_number, c.record_in * 25, c.record_out * 25) for c in found.clips] == [
        ("a", 1, 0, 50),
        ("b", 1, 50, 100),
        ("c", 2, 75, 125),
    ]
    assert "overlap" in found.document.notes[0]


def test_out_of_order(tmp_path: Path, media: Path) -> None:
    found = read(
        tmp_path, sequence(track(item(50, 75, 0, name="b", file=file(media / "two.wav")), item(0, 25, 0)))
    )
    assert [(c.name, c.record_in) for c in found.clips] == [("a", 0), ("b", 2)]


# Nested sequences, and what lies where


def test_nested_sequences(tmp_path: Path, media: Path) -> None:
    """A nest of another rate, entered a second late, is on three tracks once: picture, left and right."""
    inner = sequence(
        track(item(0, 48, 24, rate=rate(24), name="deep", file=file(media / "two.wav", at=rate(24)))),
        at=rate(24),
        name="scene",
        attributes='id="n"',
    )
    nest = dict(name="scene", start=25, end=50, first=25, last=50)
    found = read(
        tmp_path,
        sequence(
            track(item(**nest, file='<sequence id="n"/>', index=1)),
            track(item(**nest, file='<sequence id="n"/>', index=2)),
            video=track(item(**nest, file=inner)),
        ),
    )
    assert [(c.name, c.record_in, c.record_out) for c in found.clips] == [("deep", 1, 2)]
    assert source_in(found) == 2
    assert list_timelines(found.path) == ("s",)


def test_endless_depth_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TimelineError, match="deep in each other"):
        list_timelines(written(tmp_path, sequence(track(item(0, 9, 0, words="<a>" * 9000 + "</a>" * 9000)))))


def test_a_nest_in_itself_is_one_sentence(tmp_path: Path) -> None:
    inner = (
        '<sequence id="n"><media><audio><track>'
        + item(0, 25, 0, file='<sequence id="n"/>')
        + "</track></audio></media></sequence>"
    )
    with pytest.raises(TimelineError, match="nested too deeply"):
        read(tmp_path, sequence(track(item(0, 25, 0, file=inner))))


def test_several_sequences_projects_and_lone_clips(tmp_path: Path, media: Path) -> None:
    one = sequence(track(item(0, 25, 0, file=file(media / "two.wav"))), name="one")
    found = read(
        tmp_path,
        f"<project><children><bin><children>{one}</children></bin></children></project>",
        sequence(name="two"),
    )
    assert list_timelines(found.path) == ("one", "two")
    lone = f"<bin><children><clip><name>lone</name>{rate(25)}<media><audio>"
    lone += track(item(0, 25, 0, file=file(media / "two.wav"))) + "</audio></media></clip></children></bin>"
    assert read(tmp_path, lone).clips[0].duration == 1
    with pytest.raises(TimelineError, match="holds no sequence"):
        read(tmp_path, "<project/>")


def test_what_is_switched_off_named_and_marked(tmp_path: Path, media: Path) -> None:
    marker = "<marker><name>here</name><comment>loud</comment><in>30</in><out>-1</out></marker>"
    off = item(0, 25, 0, words="<enabled>FALSE</enabled>", file=file(media / "two.wav"))
    found = read(
        tmp_path,
        sequence(
            track(off, attributes='MZ.TrackName="Dialog"'),
            track(item(0, 25, 0), words="<enabled>FALSE</enabled><name>Music</name>"),
        ).replace("<media><audio>", f"{marker}<media><audio>"),
    )
    assert [(c.track, c.state) for c in found.clips] == [("Dialog", "disabled"), ("Music", "disabled")]
    assert [(m.name, m.note, m.start) for m in found.edit.markers] == []
    longer = read(
        tmp_path,
        sequence(track(item(0, 50, 0, file=file(media / "two.wav")))).replace(
            "<media><audio>", f"{marker}<media><audio>"
        ),
    )
    assert [(m.name, m.note, m.start) for m in longer.edit.markers] == [("here", "loud", Fraction(6, 5))]


TAGS = "file track clipitem transitionitem audio media sequence"
SAID = "<start>-1</start>|<end>-1</end>|<start>9</start>|<end>5</end>|<in>-7</in>|<out>1e12</out>|<in>5</in>|<a/>"
SAID += '|<file id="f"/>|<file id="f"><pathurl>a%2</pathurl></file>|<sequence id="s">|<sequence id="s"/>'
SAID += "|<timecode><string>zz</string></timecode>|<alignment>center</alignment>"
TAGGED = [tag for name in TAGS.split() for tag in (f"<{name}>", f"</{name}>", f"<{name}/>")]
PIECES = st.sampled_from([*map(rate, (25, 0, "x", 1e300)), *SAID.split("|"), *TAGGED])


@given(st.lists(PIECES | st.text(max_size=3), max_size=30))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_document_is_a_timeline_or_one_sentence(pieces: list[str]) -> None:
    from sightmix.plugin.timeline.texts import xml_root

    text = "".join(pieces).encode("utf-8", "replace").decode()
    opening = "<xmeml><sequence><media><audio><track><clipitem>"
    closing = "</clipitem></track></audio></media></sequence></xmeml>"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.xml"
        path.write_text(opening + text + closing, encoding="utf-8")
        with suppress(TimelineError):
            found = open_timeline(path)
            assert all(c.duration >= 0 for c in found.clips)
            assert xml_root(path.read_bytes()).tag == "xmeml"
