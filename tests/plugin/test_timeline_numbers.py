"""Numbers no clock counts, words for numbers without an end, and libraries that print: a timeline or one sentence."""

from __future__ import annotations

import json
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightmix.engine.edit.nodes import seconds
from sightmix.engine.errors import SettingsError, TimelineError
from sightmix.plugin.timeline import open_timeline
from sightmix.plugin.timeline.quiet import quiet
from sightmix.plugin.timeline.source import exact_rate
from timeline_kit import clip, rt, save, timeline, tr, track, wav


@pytest.mark.parametrize("word", ["Inf", "-Inf", "NaN", "nan", "Infinity", "-Infinity", "inf"])
def test_words_for_numbers_that_are_none(tmp_path: Path, word: str) -> None:
    wav(tmp_path / "Inf NaN.wav", seconds=2)
    bad = clip("Inf, NaN", tr(0, 12345), str(tmp_path / "Inf NaN.wav"))
    good = clip("good", tr(0, 24), str(tmp_path / "Inf NaN.wav"))
    path = save(tmp_path / "in.otio", timeline(track("Audio", good, bad)))
    path.write_text(path.read_text().replace("12345.0", word).replace("12345", word))
    found = open_timeline(path)
    assert [(c.name, c.state) for c in found.clips] == [("good", "online"), ("Inf, NaN", "unsupported")]
    assert "length is unknown" in found.clips[1].reason


@pytest.mark.parametrize(
    "rate", [1e-300, 5e-324, 1e308, 1e-9, 10**400, -24.0, 0.0, float("inf"), float("nan")]
)
@pytest.mark.parametrize("value", [1e12, 1e308, 10**30, -1e12, 1])
def test_rates_and_times_that_no_clock_counts(tmp_path: Path, rate: Any, value: Any) -> None:
    time = {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value}
    assert seconds(time) is None
    where = {"OTIO_SCHEMA": "TimeRange.1", "start_time": rt(0, 24), "duration": time}
    root = timeline(track("Audio", clip("c", where, "good.wav")), start=time)
    found = open_timeline(save(tmp_path / "in.otio", root))
    assert [c.state for c in found.clips] in (["unsupported"], ["offline"])


def test_times_stay_within_what_can_be_summed() -> None:
    assert seconds(rt(24e9, 24)) == 10**9
    assert seconds(rt(1e12, 0.001)) is None
    assert seconds(rt(1, 0.001)) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "1e999999",
        "1e-300",
        "-25",
        "nan",
        "inf",
        "0",
        "0.0",
        "5/0",
        "1/9999",
        "25 fps",
        "²5",
        "9" * 400,
        "1000.5",
    ],
)
def test_rates_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a number of frames per second"):
        exact_rate(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("", None),
        ("25", 25),
        (" 25 ", 25),
        ("29.97", Fraction(30000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
    ],
)
def test_rates(text: str, rate: Any) -> None:
    assert exact_rate(text) == rate


def test_what_libraries_print_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        print("from Python")
        print("from Python, to stderr", file=sys.stderr)
        os.write(1, b"from C\n")
    print("ours")
    assert capfd.readouterr() == ("ours\n", "")


def test_a_printing_adapter_leaves_json_alone(
    tmp_path: Path, monkeypatch: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    import opentimelineio as otio

    def read(*_: Any, **__: Any) -> Any:
        print("skipping unknown thing")
        os.write(1, b"and so does C\n")
        return otio.schema.Timeline("printed")

    monkeypatch.setattr(otio.adapters, "read_from_file", read)
    (tmp_path / "a.aaf").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    assert open_timeline(tmp_path / "a.aaf").name == "printed"
    assert capfd.readouterr().out == ""


SCRAPS = st.sampled_from(
    [
        '{"OTIO_SCHEMA": "Timeline.1", "tracks": ',
        "}",
        "[",
        "]",
        "Inf",
        "NaN",
        '"',
        "1e999",
        ":",
        ",",
        "{",
        "\\u",
    ]
)


@given(
    st.lists(SCRAPS | st.text(max_size=4), max_size=12).map("".join),
    st.sampled_from([".otio", ".xml", ".edl", ".fcpxml", ".txt"]),
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_timeline_or_one_sentence(tmp_path: Path, text: str, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        open_timeline(path)
    except TimelineError as error:
        said = str(error)
        assert said.endswith(".")
        assert "\n" not in said


def test_json_of_five_thousand_digits(tmp_path: Path) -> None:
    path = tmp_path / "x.otio"
    root = json.dumps(timeline(track("Audio", clip("c", tr(0, 24), "a.wav"))))
    path.write_text(root.replace("24.0", "9" * 4000))
    assert open_timeline(path).clips[0].state == "unsupported"
