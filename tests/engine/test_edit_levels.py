"""Levels in an edit: what compounds add to the clips inside them, and what trims do to lines and fades."""

from __future__ import annotations

from fractions import Fraction
from math import log10
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.lanes import played, trimmed
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.model import Edit, EditClip, GainCurve, PanLine
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.errors import WriteError

RATE = 25


def time(frames: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(RATE), "value": float(frames)}


def span(start: float, length: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(length)}


def effect(name: str, kind: int, *parameters: dict[str, Any]) -> dict[str, Any]:
    host = {"Effect Name": name, "Enabled": True, "Name": name, "Type": kind, "Parameters": list(parameters)}
    return {"OTIO_SCHEMA": "Effect.1", "name": "", "effect_name": "", "metadata": {"Resolve_OTIO": host}}


def volume(level: float = 0.0, keys: dict[int, float] | None = None, **faders: float) -> dict[str, Any]:
    listed = {str(frame): {"Value": db} for frame, db in (keys or {}).items()}
    parameters = [{"Parameter ID": "volume", "Parameter Value": level, "Key Frames": listed}]
    parameters += [{"Parameter ID": name, "Parameter Value": frames} for name, frames in faders.items()]
    return effect("Volume", 62, *parameters)


def clip(start: float, length: float, *effects: Any, channels: list[int] | None = None) -> dict[str, Any]:
    words = [{"Source Channel ID": c, "Source Track ID": 0} for c in channels or []]
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": "c",
        "source_range": span(start, length),
        "effects": list(effects),
        "metadata": {"Resolve_OTIO": {"Channels": words} if words else {}},
        "media_references": {
            "DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "/nowhere/a.wav"}
        },
    }


def track(*items: Any, **more: Any) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Track.1", "kind": "Audio", "name": "A1", "children": list(items), **more}


def compound(inner: Any, trim: Any = None, *effects: Any) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Stack.1",
        "name": "comp",
        "children": [inner],
        "source_range": trim,
        "effects": list(effects),
    }


def edit_of(*tracks: Any) -> Edit:
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "", "children": list(tracks), "metadata": {"Resolve_OTIO": {}}}
    document = {"OTIO_SCHEMA": "Timeline.1", "name": "t", "global_start_time": time(0), "tracks": stack}
    return read_edit(document, Library(Path("/nowhere")))


def only(edit: Edit) -> EditClip:
    [found] = [c for t in edit.tracks for c in t.clips]
    return found


def at(one: EditClip, frames: float) -> float:
    """The clip's level in dB at a frame after its start."""
    return keyframes.at(one.gain, Fraction(frames) / RATE) if one.gain is not None else 0.0


def test_a_compounds_level_is_on_what_it_plays() -> None:
    found = only(edit_of(track(compound(track(clip(25, 200)), None, volume(-12.0)))))
    assert (at(found, 0), at(found, 199)) == (-12, -12)


def test_levels_of_clip_and_compounds_add_up() -> None:
    inner = compound(track(clip(0, 100, volume(-3.0))), None, volume(-6.0))
    outer = compound(track(inner), None, volume(keys={0: 0.0, 100: -20.0}))
    found = only(edit_of(track(outer)))
    assert (at(found, 0), at(found, 50), at(found, 100)) == (-9, -19, -29)


def test_a_compounds_faders_fade_what_it_plays() -> None:
    found = only(edit_of(track(compound(track(clip(0, 100)), None, volume(faderIn=20.0, faderOut=10.0)))))
    assert (found.fade_in * RATE, found.fade_out * RATE, found.gain) == (20, 10, None)


def test_a_compounds_fade_over_several_clips_is_part_of_their_lines() -> None:
    faded = volume(faderIn=20.0, faderOut=10.0)
    own = clip(0, 100, volume(faderIn=5.0, faderOut=5.0))
    found = only(edit_of(track(compound(track(own), None, faded))))
    assert (found.fade_in * RATE, found.fade_out * RATE) == (5, 5)
    assert at(found, 0) == keyframes.SILENCE_DB
    assert at(found, 10) == pytest.approx(20 * log10(0.5), abs=0.1)
    assert (at(found, 20), at(found, 90)) == (0, 0)
    assert at(found, 95) == pytest.approx(20 * log10(0.5), abs=0.1)
    assert at(found, 100) == keyframes.SILENCE_DB


def test_a_compounds_other_effects_are_named() -> None:
    equaliser = effect("Fairlight EQ", 70, {"Parameter ID": "x", "Parameter Value": -9.0})
    losses = edit_of(track(compound(track(clip(0, 100)), None, equaliser))).losses
    assert "The effect “Fairlight EQ” of the compound clip “comp” is not carried" in losses


def test_a_compounds_retime_plays_its_level_line_in_its_own_time() -> None:
    twice = {"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 2.0}
    found = only(
        edit_of(track(compound(track(clip(0, 100)), span(0, 50), twice, volume(keys={0: 0.0, 50: -10.0}))))
    )
    assert (found.speed, found.duration) == (2, 2)
    assert at(found, 25) == -5


def test_keys_of_a_clip_in_a_trimmed_compound_come_when_they_should() -> None:
    keyed = clip(25, 200, volume(keys={0: 0.0, 50: 0.0, 60: -20.0, 100: -20.0, 110: 0.0}))
    found = only(edit_of(track(compound(track(keyed), span(50, 100)))))
    assert [at(found, n) for n in (0, 10, 50, 60)] == [0, -20, -20, 0]
    assert (found.skipped, found.source_in) == (2, 3)


def test_a_trim_inside_a_fade_leaves_the_rest_of_the_fade() -> None:
    faded = clip(0, 100, volume(faderIn=40.0, faderOut=20.0))
    found = only(edit_of(track(compound(track(faded), span(20, 70)))))
    assert (found.fade_in, found.fade_out) == (0, 0)
    assert at(found, 0) == pytest.approx(20 * log10(0.5), abs=0.1)
    assert at(found, 20) == at(found, 60) == 0
    assert at(found, 70) == pytest.approx(20 * log10(0.5), abs=0.1)


def test_a_trim_outside_the_fades_takes_them_away() -> None:
    found = only(
        edit_of(track(compound(track(clip(0, 100, volume(faderIn=10.0, faderOut=10.0))), span(10, 80))))
    )
    assert (found.fade_in, found.fade_out) == (0, 0)
    assert {round(at(found, n), 9) for n in range(80)} == {0}


def test_dual_mono_stays_two_channels() -> None:
    assert only(edit_of(track(clip(0, 100, channels=[0, 0])))).channels == (0, 0)


def test_a_tracks_own_level_counts() -> None:
    assert at(only(edit_of(track(clip(0, 50), effects=[volume(-4.0)]))), 10) == -4


def test_a_ramped_compound_plays_stretch_by_stretch() -> None:
    ramp = {
        "OTIO_SCHEMA": "TimeEffect.1",
        "metadata": {"Resolve_OTIO": {"Key Frames": [[0.0, 0.0], [2.0, 4.0], [4.0, 5.0]]}},
    }
    clips = edit_of(track(compound(track(clip(0, 200)), span(0, 100), ramp))).tracks[0].clips
    assert [(c.start, c.duration, c.source_in, c.speed) for c in clips] == [
        (0, 2, 0, 2),
        (2, 2, 4, Fraction(1, 2)),
    ]
    assert all("whose speed was changed" in c.problem for c in clips)


times = st.integers(0, 40).map(lambda n: Fraction(n, 4))


@settings(deadline=None)
@given(times, times, times, times, st.sampled_from([Fraction(1), Fraction(2), Fraction(-1), Fraction(-1, 2)]))
def test_what_a_trim_keeps_plays_as_before(
    start: Fraction, length: Fraction, first: Fraction, last: Fraction, speed: Fraction
) -> None:
    line = GainCurve((Fraction(1), Fraction(3)), (0.0, -12.0))
    whole = EditClip("c", start, length + 1, None, Fraction(9), speed, gain=line, fade_in=Fraction(1, 2))
    part = trimmed(whole, first, last)
    if part is None or part.duration == 0:
        assert min(last, whole.end) <= max(first, whole.start)
        return
    moved = part.start - whole.start
    assert part.skipped == moved
    for share in (0, 1, 2, 4):
        inside = part.duration * share / 4
        assert part.source_in + part.speed * inside == whole.source_in + speed * (moved + inside)
        if moved + inside >= whole.fade_in:
            assert part.gain is not None
            assert keyframes.at(part.gain, inside) == pytest.approx(keyframes.at(line, moved + inside))


def test_an_unknown_length_is_kept_for_the_planner_and_left_out_when_played() -> None:
    unknown = clip(0, 10) | {"source_range": None}
    edit = edit_of(track(unknown))
    assert "Its length is unknown" in only(edit).problem
    assert not played(edit).tracks[0].clips


def test_keys_and_faders_count_frames_where_the_clip_counts_samples() -> None:
    one = clip(25, 50, volume(keys={0: -6.0, 25: 0.0}, faderIn=5))
    rate = {"OTIO_SCHEMA": "RationalTime.1", "rate": 48000.0}
    sampled = {"start_time": {**rate, "value": 48000.0}, "duration": {**rate, "value": 96000.0}}
    found = [only(edit_of(track(c))) for c in (one, {**one, "source_range": sampled})]
    assert found[0].fade_in == Fraction(1, 5)
    assert (found[1].gain, found[1].fade_in) == (found[0].gain, found[0].fade_in)


@pytest.mark.parametrize("key", ["--5", "5.", "²", "1/2", "-", "5.5.5", "٣", "1e3"])
def test_keys_that_are_no_frames_are_passed_over(key: str) -> None:
    damaged: dict[Any, float] = {key: -6.0, 5: -3.0}
    found = only(edit_of(track(clip(0, 50, volume(keys=damaged)))))
    assert (at(found, 0), at(found, 50)) == (-3, -3)


@pytest.mark.parametrize(
    "gain",
    [
        {"times": 1, "db": [0]},
        {"times": ["x"], "db": [0]},
        {"times": [None], "db": [0]},
        {"times": [[0]], "db": [0]},
        {"times": [0], "db": {"a": 0}},
        {"times": [10**400], "db": [0]},
    ],
)
def test_a_damaged_curve_of_ours_is_said_in_a_sentence(gain: Any) -> None:
    with pytest.raises(WriteError, match="rebalance"):
        edit_of(track({**clip(0, 50), "metadata": {"sightmix": {"gain": gain}}}))


@pytest.mark.parametrize(
    "words",
    [
        {"sightmix_source": {"channels": [1, None, [1], [0, 1, 2], "ab"]}},
        {"fcp_xml": {"sourcetrack": {"trackindex": "²"}}},
        {"fcp_xml": {"sourcetrack": {"trackindex": "9" * 5000}}},
        {"fcp_xml": {"sourcetrack": {"trackindex": {"a": 1}}}},
    ],
)
def test_channels_said_in_a_damaged_way_are_all_channels(words: Any) -> None:
    assert only(edit_of(track({**clip(0, 50), "metadata": words}))).channels is None


@pytest.mark.parametrize("count", [-5, 0, 1e9, float("nan"), "5", [1]])
def test_a_track_of_an_impossible_width_is_as_wide_as_its_clips(count: Any) -> None:
    words = {"PremierePro_OTIO": {"AudioChannels": {"NumberOfChannels": count}}}
    found = edit_of(track(clip(0, 50, channels=[0]), metadata=words)).tracks[0]
    assert found.channels == (5 if count == "5" else 1)


def test_a_pan_is_trimmed_with_its_clip() -> None:
    line = PanLine((Fraction(0), Fraction(4)), (-1.0, 1.0))
    whole = EditClip("c", Fraction(10), Fraction(4), None, pan=line)
    part = trimmed(whole, Fraction(11), Fraction(13))
    assert part is not None
    assert part.pan == PanLine((Fraction(0), Fraction(2)), (-0.5, 0.5))


def test_the_pan_of_an_fcp7_clip_is_in_the_edit() -> None:
    pan = {"effectid": "audiopan", "parameter": {"parameterid": "pan", "value": "-0.5"}}
    panned = clip(0, 50) | {"metadata": {"fcp_xml": {"filter": {"effect": pan}}}}
    found = only(edit_of(track(panned)))
    assert found.pan == PanLine((Fraction(0),), (-0.5,))
