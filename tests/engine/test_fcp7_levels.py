"""Levels and pan of FCP 7 XML, read from what OTIO's adapter makes of real documents."""

import copy
import json
import warnings
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from sightmix.engine.edit import fcp7_levels
from sightmix.engine.edit.keyframes import at
from sightmix.engine.edit.model import GainCurve
from sightmix.engine.edit.nodes import Node
from sightmix.plugin.timeline.load import load

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="5"><sequence id="s1"><name>seq</name><duration>200</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate>
<media><audio><track><clipitem id="c1"><name>a.wav</name><duration>500</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><start>0</start><end>200</end><in>25</in><out>225</out>
<file id="f1"><name>a.wav</name><pathurl>file://localhost/media/a.wav</pathurl>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><duration>500</duration>
{timecode}<media><audio><channelcount>2</channelcount></audio></media></file>
{filters}</clipitem></track></audio></media></sequence></xmeml>"""
TIMECODE = """<timecode><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><string>10:00:00:00</string>
<frame>900000</frame></timecode>"""


RATE = Fraction(25)
PLAIN = Fraction(1)


def volume_of(clip: Node, speed: Fraction = PLAIN) -> GainCurve | None:
    return fcp7_levels.volume_of(clip, RATE, speed)


def pan_of(clip: Node) -> fcp7_levels.PanLine | None:
    return fcp7_levels.pan_of(clip, RATE)


def effect(
    identity: str = "audiolevels", name: str = "level", value: str = "1", keys: str = "", more: str = ""
) -> str:
    low, high = ("0", "3.98109") if name == "level" else ("-1", "1")
    return (
        f"<filter>{more}<effect><name>{identity}</name><effectid>{identity}</effectid>"
        f"<effectcategory>{identity}</effectcategory><effecttype>{identity}</effecttype><mediatype>audio</mediatype>"
        f'<parameter authoringApp="PremierePro"><parameterid>{name}</parameterid><name>{name}</name>'
        f"<valuemin>{low}</valuemin><valuemax>{high}</valuemax><value>{value}</value>{keys}</parameter></effect></filter>"
    )


def keyed(*points: tuple[int, str]) -> str:
    return "".join(
        f"<keyframe><when>{when}</when><value>{value}</value></keyframe>" for when, value in points
    )


@pytest.fixture
def clip_with(tmp_path: Path):
    def read(*filters: str, timecode: str = "") -> Node:
        path = tmp_path / "seq.xml"
        path.write_text(DOCUMENT.format(filters="".join(filters), timecode=timecode))
        document = load(path)
        clip: Node = document.root["tracks"]["children"][0]["children"][0]
        return clip

    return read


def test_a_plain_level_is_a_linear_gain(clip_with):
    assert volume_of(clip_with(effect(value="0.25"))) == GainCurve((Fraction(0),), (pytest.approx(-12.0412),))
    assert volume_of(clip_with(effect(value="0"))) == GainCurve((Fraction(0),), (-96.0,))
    assert volume_of(clip_with(effect(value="1"))) is None
    assert volume_of(clip_with()) is None


@pytest.mark.parametrize("timecode", ["", TIMECODE])
def test_keys_count_on_the_clock_of_the_in_point(clip_with, timecode):
    clip = clip_with(effect(keys=keyed((25, "1"), (75, "0.5"), (125, "0.5"))), timecode=timecode)
    line = volume_of(clip)
    assert (line.times[0], line.times[-1]) == (0, 4)
    assert at(line, Fraction(2)) == pytest.approx(-6.0206)
    # Half way down in amplitude, not in decibels.
    assert at(line, Fraction(1)) == pytest.approx(-2.4988, abs=0.05)


@pytest.mark.parametrize(("start", "end"), [(1.0, 0.0), (0.0, 1.0), (0.25, 2.0), (1e-4, 1.0)])
def test_a_line_is_straight_in_amplitude(clip_with, start, end):
    line = volume_of(clip_with(effect(keys=keyed((25, f"{start}"), (125, f"{end}")))))
    for step in range(401):
        t = Fraction(step, 100)
        wanted = start + (end - start) * float(t) / 4
        if wanted > 1e-4:
            assert 10 ** (at(line, t) / 20) == pytest.approx(wanted, rel=0.006)


def test_several_levels_multiply(clip_with):
    line = volume_of(clip_with(effect(value="0.5"), effect(keys=keyed((25, "1"), (75, "0.5")))))
    assert at(line, Fraction(0)) == pytest.approx(-6.0206)
    assert at(line, Fraction(2)) == pytest.approx(-12.0412)


@pytest.mark.parametrize("off", ["<enabled>FALSE</enabled>", "bypass"])
def test_what_is_switched_off_does_nothing(clip_with, off):
    text = effect(value="0.25", more=off if off[0] == "<" else "")
    if off == "bypass":
        text = text.replace("</parameter>", "</parameter><pproBypass>true</pproBypass>")
    assert volume_of(clip_with(text)) is None


def test_effects_count_where_the_filters_are_gone(clip_with):
    clip = clip_with(effect(value="0.25"))
    del clip["metadata"]["fcp_xml"]["filter"]
    assert volume_of(clip).db == (pytest.approx(-12.0412),)
    clip["effects"][0]["enabled"] = False
    assert volume_of(clip) is None


def test_keys_of_a_clip_at_another_speed(clip_with):
    clip = clip_with(effect(keys=keyed((25, "1"), (75, "0.5"))))
    assert volume_of(clip, Fraction(2)).times[-1] == 1
    assert volume_of(clip, Fraction(-1)).times[0] == -2


@pytest.mark.parametrize(
    ("value", "keys", "times", "places"),
    [
        ("-1", "", (0,), (-1.0,)),
        ("1", keyed((25, "-1"), (50, "1")), (0, 1), (-1.0, 1.0)),
        ("0.5", "", (0,), (0.5,)),
    ],
)
def test_pan(clip_with, value, keys, times, places):
    line = pan_of(clip_with(effect("audiopan", "pan", value, keys)))
    assert (line.times, line.places) == (times, places)


def test_a_pan_in_the_middle_is_none_and_hundreds_are_read(clip_with):
    assert pan_of(clip_with(effect("audiopan", "pan", "0"))) is None
    text = effect("audiopan", "pan", "-100").replace(">-1<", ">-100<").replace(">1<", ">100<")
    assert pan_of(clip_with(text)).places == (-1.0,)


@pytest.mark.parametrize("value", ["loud", "nan", "inf", "", "1e400"])
def test_figures_that_are_none_are_passed_over(clip_with, value):
    assert volume_of(clip_with(effect(value=value, keys=keyed((25, value))))) is None


def test_only_levels_and_pans_in_the_middle_are_no_loss(clip_with):
    pans = [effect("audiopan", "pan", value) for value in ("1", "0")]
    clip = clip_with(effect(value="0.5"), *pans, effect("Equalizer", "gain", "2"))
    assert [fcp7_levels.is_level(e) for e in clip["effects"]] == [True, False, True, False]
    assert not fcp7_levels.is_level({"metadata": None})


@pytest.mark.parametrize("by_rate", [25, 48_000])
def test_moved_keys_say_the_same_of_another_file(clip_with, by_rate):
    pan = effect("audiopan", "pan", "0", keyed((25, "0"), (50, "1")))
    source = clip_with(effect(keys=keyed((25, "1"), (75, "0.5"))), pan)
    before = volume_of(source), pan_of(source)
    clip = copy.deepcopy(source)
    clip["source_range"]["start_time"].update(value=12 * by_rate / 25, rate=float(by_rate))
    fcp7_levels.moved(clip, source, RATE)
    assert (volume_of(clip), pan_of(clip)) == before
    del clip["metadata"]["fcp_xml"]["filter"]
    assert (volume_of(clip), pan_of(clip)) == before


@pytest.mark.parametrize(
    "curve",
    [
        GainCurve((Fraction(0),), (-7.0,)),
        GainCurve((Fraction(0), Fraction(2), Fraction(8)), (0.0, -30.0, 6.0)),
        GainCurve((Fraction(0), Fraction(1, 3), Fraction(1)), (-96.0, -20.0, 0.0)),
    ],
)
def test_a_level_that_is_set_is_read_again_and_written_by_the_adapter(clip_with, tmp_path, curve):
    clip = clip_with(effect(value="0.25"), effect("Equalizer", "gain", "2"), timecode=TIMECODE)
    fcp7_levels.set_level(clip, curve, RATE)
    assert [f["effect"]["effectid"] for f in clip["metadata"]["fcp_xml"]["filter"]] == [
        "Equalizer",
        "audiolevels",
    ]
    assert [e["metadata"]["fcp_xml"]["effectid"] for e in clip["effects"]] == ["Equalizer", "audiolevels"]
    timeline = otio.schema.Timeline("x")
    track = otio.schema.Track("A1", kind="Audio")
    track.append(otio.adapters.read_from_string(json.dumps(clip), "otio_json"))
    timeline.tracks.append(track)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        otio.adapters.write_to_file(timeline, str(tmp_path / "again.xml"), "fcp_xml")
    again = load(tmp_path / "again.xml").root["tracks"]["children"][0]["children"][0]
    for line in (volume_of(clip), volume_of(again)):
        for frame in range(201):
            wanted = at(curve, Fraction(frame, 25))
            if wanted > -60:
                assert at(line, Fraction(frame, 25)) == pytest.approx(wanted, abs=0.15)


def test_louder_than_the_fader_goes_ends_there(clip_with):
    clip = clip_with()
    fcp7_levels.set_level(clip, GainCurve((Fraction(0),), (20.0,)), RATE)
    assert volume_of(clip).db == (pytest.approx(12.0, abs=0.001),)
