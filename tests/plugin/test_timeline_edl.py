"""Edit decision lists: timecodes, channels, transitions, speeds, overlaps and comments of many dialects."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import TimelineError
from sightmix.engine.media.time import timecode
from sightmix.engine.passage import Channel
from sightmix.plugin.timeline import Timeline, open_timeline
from sightmix.plugin.timeline.edl import read_edl
from timeline_kit import wav

NTSC = Fraction(30000, 1001)


def read(folder: Path, text: str, rate: Fraction | None = Fraction(25)) -> Timeline:
    path = folder / "cut.edl"
    path.write_text(text)
    return open_timeline(path, rate=rate)


def places(found: Timeline) -> list[tuple[str, str, str, str]]:
    return [(c.name, c.track, c.timecode_in, c.timecode_out) for c in found.clips]


DROPPED = """TITLE: c
{fcm}
001  S        A     C        00:00:00{s}15 00:00:02{s}15 01:00:58{s}00 01:01:00{s}02
* FROM CLIP NAME: s.wav
002  S        A     C        00:00:00{s}15 00:00:02{s}15 01:10:00{s}00 01:10:02{s}00
"""


@pytest.mark.parametrize(
    ("fcm", "separator"),
    [
        ("FCM: DROP FRAME", ";"),
        ("FCM: DROP FRAME", ":"),
        ("", ";"),
        ("FCM: NON-DROP FRAME", ";"),
        ("FCM: DF", "."),
        ("", ","),
    ],
)
@pytest.mark.parametrize("rate", [NTSC, None])
def test_drop_frame_by_its_line_and_by_its_separators(
    tmp_path: Path, fcm: str, separator: str, rate: Fraction | None
) -> None:
    found = read(tmp_path, DROPPED.format(fcm=fcm, s=separator), rate)
    assert (found.rate, found.drop_frame) == (NTSC, True)
    assert places(found) == [
        ("s.wav", "A1", "01:00:58;00", "01:01:00;02"),
        ("S", "A1", "01:10:00;00", "01:10:02;00"),
    ]
    assert [c.record_in for c in found.clips] == [
        0,
        16242 / NTSC,
    ]  # 9:02 of 30 frames, less two in each of nine minutes
    notes = found.document.notes
    assert (
        notes == ()
        if rate
        else ["29.97, because its timecode drops frames" in note for note in notes] == [True]
    )


@pytest.mark.parametrize(
    ("rate", "counted"), [(30, NTSC), (60, NTSC * 2), (25, Fraction(25)), (24, Fraction(24))]
)
def test_drop_frame_at_rates_that_have_none(tmp_path: Path, rate: int, counted: Fraction) -> None:
    """30 is said for 29.97; where no second has 30 frames the FCM line means nothing."""
    text = "FCM: DROP FRAME\n001 S A C 00:00:00:00 00:00:02:00 01:00:58:00 01:01:00:00\n"
    found = read(
        tmp_path, text.replace("01:01:00:00", "01:00:59:00").replace("02:00 ", "01:00 "), Fraction(rate)
    )
    assert (found.rate, found.drop_frame, found.clips[0].record_in) == (counted, rate % 30 == 0, 0)
    assert found.clips[0].timecode_in == ("01:00:58;00" if rate % 30 == 0 else "01:00:58:00")
    assert [f"{float(counted):.6g}" in note for note in found.document.notes] == [True] * (rate % 30 == 0)


def test_frames_that_are_not_dropped(tmp_path: Path) -> None:
    found = read(tmp_path, DROPPED.format(fcm="FCM: NON-DROP FRAME", s=":").replace(":02\n*", ":00\n*"), NTSC)
    assert not found.drop_frame
    assert places(found)[1][2:] == ("01:10:00:00", "01:10:02:00")


def test_a_source_that_drops_frames_in_a_list_that_does_not(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "FCM: NON-DROP FRAME\n001 A A C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\nFCM: DROP FRAME\n"
        "002 B A C 00:00:59:28 00:01:01:00 01:00:02:00 01:00:03:00\n"
        "FCM: NON-DROP FRAME\n003 A A C 00:00:59:28 00:01:00:28 01:00:03:00 01:00:04:00\n",
        NTSC,
    )
    assert not found.drop_frame
    assert [(c.record_in * NTSC, c.duration * NTSC) for c in found.clips] == [(0, 60), (60, 30), (90, 30)]
    starts = [
        c["source_range"]["start_time"]["value"] for c in found.node["tracks"]["children"][0]["children"]
    ]
    assert starts == [0, 1798, 1798]
    assert found.document.notes == ()


@pytest.mark.parametrize(("frame", "rate"), [("23", 24), ("24", 25), ("29", 30), ("49", 50), ("59", 60)])
def test_a_rate_is_what_the_numbers_need(tmp_path: Path, frame: str, rate: int) -> None:
    text = f"001 S A C 00:00:00:00 00:00:00:{frame} 01:00:00:00 01:00:00:{frame}\n"
    assert read(tmp_path, text, None).rate == rate
    if rate > 24:
        with pytest.raises(TimelineError, match=r"event 001 has the timecode .* --rate"):
            read(tmp_path, text, Fraction(24))


def test_midnight(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "001 S A C 00:00:00:00 00:00:10:00 23:59:55:00 00:00:05:00\n"
        "002 S A C 00:00:00:00 00:00:01:00 00:00:05:00 00:00:06:00\n",
    )
    assert [(c.record_in, c.duration) for c in found.clips] == [(0, 10), (10, 1)]
    assert found.timecode(Fraction(0)) == "23:59:55:00"


@pytest.mark.parametrize(
    ("code", "more", "tracks"),
    [
        ("V", "", ["V"]),
        ("A", "", ["A1"]),
        ("A2", "", ["A2"]),
        ("AA", "", ["A1", "A2"]),
        ("B", "", ["V", "A1"]),
        ("AA/V", "", ["V", "A1", "A2"]),
        ("A2/V", "", ["V", "A2"]),
        ("A1A2", "", ["A1", "A2"]),
        ("NONE", "AUD  3     4\n", ["A3", "A4"]),
        ("AA", "AUD  3  4\n", ["A1", "A2", "A3", "A4"]),
        ("V2", "", ["V2"]),
        ("aa/v", "", ["V", "A1", "A2"]),
        ("", "", ["V", "A1"]),
    ],
)
def test_channels(code: str, more: str, tracks: list[str]) -> None:
    root, _ = read_edl(
        f"001 REEL {code} C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n{more}", Fraction(25), "x"
    )
    made = root["tracks"]["children"]
    assert [t["name"] for t in made] == tracks
    assert [t["kind"] for t in made] == ["Audio" if name[0] == "A" else "Video" for name in tracks]


@pytest.mark.parametrize("lines", [["AA"], ["A", "A2"], ["AA/V"], ["NONE"]])
def test_both_sides_of_a_source_are_one_sound(tmp_path: Path, lines: list[str]) -> None:
    wav(tmp_path / "two.wav", seconds=4)
    places_ = "C 00:00:01:00 00:00:02:00 01:00:00:00 01:00:01:00\n"
    aud = "AUD 3 4\n" if lines == ["NONE"] else ""
    text = "".join(
        f"00{i} S {code} {places_}{aud}* FROM FILE: two.wav\n" for i, code in enumerate(lines, start=1)
    )
    found = read(tmp_path, text)
    assert [c.channels for c in found.clips] == [(Channel(0, 0), Channel(0, 1))]
    assert found.clips[0].passage().sound.start == 1
    lone = read(tmp_path, f"001 S A {places_}* FROM FILE: two.wav\n")
    assert [c.channels for c in lone.clips] == [None]


def test_a_mono_source_on_two_channels_sounds_once(tmp_path: Path) -> None:
    wav(tmp_path / "one.wav", seconds=4, channels=1)
    found = read(
        tmp_path, "001 S AA C 00:00:01:00 00:00:02:00 01:00:00:00 01:00:01:00\n* FROM FILE: one.wav\n"
    )
    assert [(c.state, c.reason) for c in found.clips] == [
        ("online", ""),
        ("unsupported", "It plays channel 2 of a file that has 1."),
    ]
    assert [c.media is not None for t in found.edit.tracks for c in t.clips] == [True, False]
    assert found.edit.losses == ("It plays channel 2 of a file that has 1.",)


def test_events_that_overlap_are_all_there(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "001 A A C 00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n"
        "002 B A C 00:00:00:00 00:00:04:00 01:00:02:00 01:00:06:00\n"
        "003 C A C 00:00:00:00 00:00:01:01 01:00:05:24 01:00:07:00\n",
    )
    assert places(found) == [
        ("A", "A1", "01:00:00:00", "01:00:04:00"),
        ("B", "A1 (2)", "01:00:02:00", "01:00:06:00"),
        ("C", "A1", "01:00:05:24", "01:00:07:00"),
    ]
    assert [n for n in found.document.notes if "overlap" in n] == [
        "Events of the EDL overlap on channel A1; the later ones are on a track of their own."
    ]


def test_a_frame_of_overlap_was_rounding(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "001 A A C 00:00:00:00 00:00:01:01 01:00:00:00 01:00:01:01\n"
        "002 B A C 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:00\n",
    )
    assert places(found) == [
        ("A", "A1", "01:00:00:00", "01:00:01:00"),
        ("B", "A1", "01:00:01:00", "01:00:02:00"),
    ]


def test_lists_sorted_by_source_lie_by_record(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "003 A A C 00:00:00:00 00:00:01:00 01:00:05:00 01:00:06:00\n"
        "001 B A C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n",
    )
    assert [(c.name, c.record_in) for c in found.clips] == [("B", 0), ("A", 5)]


def test_dissolves_wipes_and_black(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "001  BL       AA/V  C        00:00:00:00 00:00:00:00 01:00:00:00 01:00:00:00\n"
        "001  A        AA/V  D    012 00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n"
        "* FROM CLIP NAME: black\n* TO CLIP NAME: one.wav\n"
        "002  A        V     C        00:00:04:00 00:00:04:00 01:00:04:00 01:00:04:00\n"
        "002  B        V     W001 024 00:00:10:00 00:00:14:00 01:00:04:00 01:00:08:00\n"
        "EFFECTS NAME IS WIPE\n* FROM CLIP NAME: one.wav\n* TO CLIP NAME: two.wav\n"
        "003  BL       AA    C        00:00:00:00 00:00:02:00 01:00:04:00 01:00:06:00\n",
    )
    picture = next(t for t in found.edit.tracks if t.kind == "video")
    assert [(c.name, c.start, c.duration) for c in picture.clips] == [("one.wav", 0, 4), ("two.wav", 4, 4)]
    assert [(t.cut, t.before, t.after, t.side) for t in picture.transitions] == [
        (0, 0, Fraction(12, 25), "in"),
        (4, 0, Fraction(24, 25), "both"),
    ]
    assert places(found) == [("one.wav", f"A{n}", "01:00:00:00", "01:00:04:00") for n in (1, 2)]
    layers = [item for t in found.node["tracks"]["children"] for item in t["children"]]
    kinds = [item["transition_type"] for item in layers if "transition_type" in item]
    assert kinds == ["SMPTE_Dissolve", "SMPTE_Wipe", "SMPTE_Dissolve", "SMPTE_Dissolve"]


def test_a_key_lies_above_its_background(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "004  A  V  K B      00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n"
        "004  T  V  K    000 00:00:00:00 00:00:02:00 01:00:01:00 01:00:03:00\n",
    )
    assert [(t.name, [(c.name, c.start) for c in t.clips]) for t in found.edit.tracks] == [
        ("V", [("A", 0)]),
        ("V2", [("T", 1)]),
    ]


@pytest.mark.parametrize(
    ("line", "rate", "source", "speed"),
    [
        ("M2   S       050.0       00:00:00:00", Fraction(25), "00:00:04:00", 2),
        ("M2   S       012.5       00:00:00:00", Fraction(25), "00:00:01:00", Fraction(1, 2)),
        ("M2   S       060.0       00:00:00:00", NTSC, "00:00:04:00", 2),
        ("M2   S       059.94      00:00:00:00", NTSC, "00:00:04:00", 2),
        ("M2   S      -025.0       00:00:00:00", Fraction(25), "00:00:02:00", -1),
        ("M2   S       000.0       00:00:00:00", Fraction(25), "00:00:02:00", 0),
        ("* FREEZE FRAME", Fraction(25), "00:00:00:01", 0),
    ],
)
def test_speeds(tmp_path: Path, line: str, rate: Fraction, source: str, speed: Fraction) -> None:
    found = read(tmp_path, f"001 S V C 00:00:00:00 {source} 01:00:00:00 01:00:02:00\n{line}\n", rate)
    one = found.edit.tracks[0].clips[0]
    assert (one.speed, one.duration) == (speed, 50 / rate if rate == 25 else 60 / rate)
    assert found.document.notes == ()


def test_lengths_that_differ_without_a_speed_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, "001 S A C 00:00:00:00 00:00:03:00 01:00:00:00 01:00:02:00\n")
    assert found.clips[0].duration == 2
    assert found.document.notes == (
        "Event 001 of the EDL takes 75 frames of its source for 50 of the record and names no speed; it plays at its "
        "own, for as long as the record says.",
    )


@pytest.mark.parametrize(
    ("comment", "name", "url"),
    [
        ("* FROM CLIP NAME:  A take.wav", "A take.wav", None),
        ("*FROM CLIP NAME: A take.wav", "A take.wav", None),
        ("FROM CLIP NAME: A take.wav", "A take.wav", None),
        ("* FROM FILE: /media/a take.wav", "a take.wav", "/media/a take.wav"),
        ("* FROM CLIP: /media/a.wav", "a.wav", "/media/a.wav"),
        ("* SOURCE FILE: C:\\media\\a.wav", "a.wav", "C:\\media\\a.wav"),
        ("* SOURCE FILE: A001C002", "A001C002", None),
        ("* FROM CLIP NAME: x\n* SOURCE FILE: a.wav", "x", "a.wav"),
        ("* FROM CLIP IS A STILL", "REEL7", None),
        ("* AUDIO LEVEL AT 00:00:00:00 IS -3.00 DB  (REEL AX A1)", "REEL7", None),
        ("FINAL CUT PRO REEL: x REPLACED BY: y", "REEL7", None),
        (">>> SOURCE (TAPE): a", "REEL7", None),
    ],
)  # fmt: skip
def test_names_in_comments(comment: str, name: str, url: str | None) -> None:
    text = f"001  REEL7  A  C  00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n{comment}\n"
    root, notes = read_edl(text, Fraction(25), "x")
    made = root["tracks"]["children"][0]["children"][0]
    assert made["name"] == name
    assert made["media_references"]["DEFAULT_MEDIA"].get("target_url") == url
    assert made["metadata"]["cmx_3600"]["reel"] == "REEL7"
    assert notes == ()


def test_locators_splits_reels_with_blanks_and_odd_lines(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "TITLE: x\nSPLIT:    AUDIO DELAY=  00:00:01:00\n"
        "0001  My reel  V  C  00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n"
        "0001  My reel  A  C  00:00:01:00 00:00:04:00 01:00:01:00 01:00:04:00\n"
        "* FROM CLIP NAME: both.mov\n"
        "* LOC: 01:00:02:00 RED     listen here\n"
        "0002  A  A  C  00:00:00:00 00:00:01:00 01:00:04:00\n"
        "M001  B  A  C  00:00:00:00 00:00:01:00 01:00:04:00 01:00:05:00\n",
    )
    assert [(t.name, [(c.name, c.start) for c in t.clips]) for t in found.edit.tracks] == [
        ("V", [("both.mov", 0)]),
        ("A1", [("both.mov", 1), ("B", 4)]),
    ]
    assert [(m.name, m.start, m.color) for m in found.edit.markers] == [("listen here", 2, "RED")]
    odd = "0002  A  A  C  00:00:00:00 00:00:01:00 01:00:04:00"
    assert found.document.notes == (f"A line of the EDL is no event that can be read; it is left out: {odd}",)


WORDS = "001|002|BL|AX|A|V|AA/V|NONE|C|D|W001|K|B|024|M2|*|FROM CLIP NAME:|FCM:|DROP FRAME|TITLE:|AUD|3"
CODES = "01:00:00:00|01:00:01;12|23:59:59:29|00:00:00.00|99:99:99:99"
TOKENS = st.sampled_from(f"{WORDS}|{CODES}".split("|"))


@given(
    st.lists(st.lists(TOKENS | st.text(max_size=5), max_size=9).map(" ".join), max_size=8),
    st.sampled_from([None, 24, 25]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_a_timeline_or_one_sentence(lines: list[str], rate: int | None) -> None:
    text = "\n".join(["001 A A C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00", *lines])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.edl"
        path.write_bytes(text.encode("utf-8", "replace"))
        with suppress(TimelineError):
            found = open_timeline(path, rate=Fraction(rate) if rate else None)
            assert all(c.record_in >= 0 and c.duration >= 0 for c in found.clips)


@given(st.integers(0, 24 * 107892 - 200), st.integers(1, 150), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_place_comes_back(first: int, length: int, drop: bool) -> None:
    codes = [timecode(n / NTSC, NTSC, drop).replace(";", ":") for n in (0, length, first, first + length)]
    fcm = "DROP FRAME" if drop else "NON-DROP FRAME"
    root, notes = read_edl(f"FCM: {fcm}\n001 S A C {' '.join(codes)}\n", NTSC, "x")
    lane = root["tracks"]["children"][0]["children"]
    assert root["global_start_time"]["value"] == first
    assert [item["source_range"]["duration"]["value"] for item in lane] == [length]
    assert notes == ()
