"""Timelines as flat tracks: places, media, speeds, transitions, switches, channels, gains."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import exporter_sound as kit
import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightmix.engine.edit.model import Edit, EditClip
from sightmix.engine.errors import MediaError, WriteError
from sightmix.engine.media.reader import AudioStream, MediaInfo, VideoStream
from sightmix.exporters.flatten import edit_of
from sightmix.plugin.timeline.timeline import open_timeline

DATA = Path(__file__).resolve().parents[1] / "data" / "otio"
ot, sc = otio.opentime, otio.schema


def span(start: float, length: float, rate: float = 24) -> Any:
    return ot.TimeRange(ot.RationalTime(start, rate), ot.RationalTime(length, rate))


def clip(name: str = "a", start: float = 0, length: float = 24, rate: float = 24, **more: Any) -> Any:
    available = more.pop("available", None)
    return sc.Clip(
        name, sc.ExternalReference(f"/nowhere/{name}.wav", available), span(start, length, rate), **more
    )


def gap(length: float, rate: float = 24) -> Any:
    return sc.Gap(source_range=span(0, length, rate))


def track(*items: Any, kind: str = "Audio", name: str = "", **more: Any) -> Any:
    made = sc.Track(name, kind=kind, **more)
    made.extend(items)
    return made


def stack(*items: Any, **more: Any) -> Any:
    made = sc.Stack("nest", **more)
    made.extend(items)
    return made


def dissolve(before: float, after: float, rate: float = 24) -> Any:
    return sc.Transition("D", "SMPTE_Dissolve", ot.RationalTime(before, rate), ot.RationalTime(after, rate))


def flat(*tracks: Any, **more: Any) -> Edit:
    timeline = sc.Timeline("cut", **more)
    timeline.tracks.extend(tracks)
    return edit_of(timeline, Path("/nowhere"))


def places(edit: Edit, index: int = 0) -> list[tuple[str, float, float, float]]:
    """(name, start, duration, source) in frames of 24."""
    return [
        (c.name, float(c.start * 24), float(c.duration * 24), float(c.source_in * 24))
        for c in edit.tracks[index].clips
    ]


def only(edit: Edit) -> EditClip:
    [found] = [c for t in edit.tracks for c in t.clips]
    return found


@pytest.mark.parametrize(
    "path", sorted(DATA.glob("*/*.otio")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_real_timelines_lie_as_the_reader_sees_them(path: Path) -> None:
    try:
        timeline = otio.adapters.read_from_file(str(path))
    except otio.exceptions.OTIOError:
        pytest.skip("newer than the library")
    edit, read = edit_of(timeline, path.parent), open_timeline(path)
    assert (edit.rate, edit.start, edit.drop_frame) == (read.rate, read.start, read.drop_frame)
    wanted = sorted((c.name, c.record_in, c.record_out) for c in read.clips if c.record_out > c.record_in)
    found = sorted(
        (c.name, c.start, c.end)
        for t in edit.tracks
        if t.kind == "audio"
        for c in t.clips
        if not c.fade_in and not c.fade_out
    )
    assert set(found) <= set(wanted)
    assert len([c for t in edit.tracks if t.kind == "audio" for c in t.clips]) == len(wanted)


def test_gaps_trims_and_order() -> None:
    edit = flat(track(clip("a", 5, 10), gap(7), clip("b", 3, 4)), track(gap(2), clip("c", 1, 2)))
    assert places(edit) == [("a", 0, 10, 5), ("b", 17, 4, 3)]
    assert places(edit, 1) == [("c", 2, 2, 1)]
    assert [t.name for t in edit.tracks] == ["Audio 1", "Audio 2"]


def test_a_nested_stack_opens_into_lanes_and_is_trimmed() -> None:
    inner = stack(track(clip("a", 0, 48)), track(gap(6), clip("b", 10, 20)), source_range=span(4, 12))
    edit = flat(track(clip("x", 0, 10), inner, clip("y", 0, 5)))
    assert places(edit) == [("x", 0, 10, 0), ("a", 10, 12, 4), ("y", 22, 5, 0)]
    assert places(edit, 1) == [("b", 12, 10, 10)]


def test_a_compound_on_a_picture_track_sounds_once() -> None:
    def nest() -> Any:
        return stack(track(clip("v"), kind="Video"), track(clip("s")))

    alone = flat(track(nest(), kind="Video", name="V1"))
    assert [(t.kind, t.name, len(t.clips)) for t in alone.tracks] == [
        ("video", "V1", 1),
        ("audio", "V1 sound", 1),
    ]
    twins = flat(track(nest(), kind="Video"), track(nest()))
    assert [(t.kind, len(t.clips)) for t in twins.tracks] == [("video", 1), ("audio", 1)]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.booleans(), min_size=3, max_size=3))
def test_switches_count_at_every_ancestor(states: list[bool]) -> None:
    leaf = clip("a")
    leaf.enabled = states[0]
    nest = stack(track(leaf))
    nest.enabled = states[1]
    outer = track(nest)
    outer.enabled = states[2]
    edit = flat(outer)
    assert only(edit).enabled == (states[0] and states[1])
    assert edit.tracks[0].enabled == states[2]


def test_ntsc_rates_are_exact() -> None:
    edit = flat(track(clip("a", 10, 20, 23.976), clip("b", 0, 24, 23.98)))
    assert edit.rate == Fraction(24000, 1001)
    assert [c.start * edit.rate for c in edit.tracks[0].clips] == [0, 20]


def test_rate_nought_counts_as_no_range() -> None:
    still = sc.Clip("still", sc.ExternalReference("/x/a.png", span(0, 0, 0)), span(0, 24))
    assert places(flat(track(still, kind="Video"))) == [("still", 0, 24, 0)]


@pytest.mark.parametrize(("scalar", "source"), [(2.0, 10), (0.5, 10), (-1.0, 34), (-2.0, 58)])
def test_speed_starts_where_the_first_moment_is(scalar: float, source: float) -> None:
    made = only(flat(track(clip("a", 10, 24, effects=[sc.LinearTimeWarp("", scalar)]))))
    assert made.speed == Fraction(scalar)
    assert made.duration == 1
    assert made.source_in * 24 == source


def test_premiere_counts_source_frames() -> None:
    timeline = sc.Timeline("cut", metadata={"PremierePro_OTIO": {"MetadataVersion": "1.0"}})
    timeline.tracks.append(track(clip("a", 0, 48, effects=[sc.LinearTimeWarp("", 2.0)]), clip("b", 0, 10)))
    assert places(edit_of(timeline)) == [("a", 0, 24, 0), ("b", 24, 10, 0)]


def test_a_freeze_frame_has_speed_nought() -> None:
    made = only(flat(track(clip("a", 10, 24, effects=[sc.FreezeFrame()]), kind="Video")))
    assert (made.speed, made.source_in * 24) == (0, 10)


def test_a_ramp_becomes_stretches() -> None:
    keys = [[0.0, 0.0, False, 0, 0, 0, 0], [1.0, 1.0, False, 0, 0, 0, 0], [2.0, 3.0, False, 0, 0, 0, 0]]
    ramp = sc.TimeEffect("", "", metadata={"Resolve_OTIO": {"Key Frames": keys}})
    edit = flat(track(clip("a", 12, 36, effects=[ramp])))
    assert places(edit) == [("a", 0, 12, 12), ("a", 12, 24, 24)]
    assert [c.speed for c in edit.tracks[0].clips] == [1, 2]
    assert any("constant speed" in loss for loss in edit.losses)


def test_a_retimed_compound_carries_its_speed_down() -> None:
    inner = stack(track(clip("a", 0, 24), clip("b", 0, 24)), source_range=span(0, 24))
    inner.effects.append(sc.LinearTimeWarp("", 2.0))
    assert places(flat(track(inner))) == [("a", 0, 12, 0), ("b", 12, 12, 0)]
    back = stack(track(clip("a", 0, 24), clip("b", 0, 24)), source_range=span(0, 48))
    back.effects.append(sc.LinearTimeWarp("", -1.0))
    edit = flat(track(back))
    assert places(edit) == [("b", 0, 24, 24), ("a", 24, 24, 24)]
    assert {c.speed for c in edit.tracks[0].clips} == {Fraction(-1)}


def test_transitions_between_clips_and_to_nothing() -> None:
    edit = flat(
        track(dissolve(0, 4), clip("a", 24, 24), dissolve(5, 7), clip("b", 48, 24), dissolve(3, 2), gap(24))
    )
    [made] = edit.tracks[0].transitions
    assert (made.cut * 24, made.before * 24, made.after * 24) == (24, 5, 7)
    first, second = edit.tracks[0].clips
    assert (first.fade_in * 24, first.fade_out) == (4, 0)
    assert (second.duration * 24, second.fade_out * 24) == (26, 5)


def test_a_fade_takes_no_more_than_the_media_has() -> None:
    available = span(0, 50)
    edit = flat(track(gap(10), dissolve(6, 4), clip("a", 2, 24, available=available)))
    made = only(edit)
    assert (made.start * 24, made.source_in, made.fade_in * 24) == (8, 0, 10)


def probe_of(**files: MediaInfo) -> Any:
    def probe(path: Path) -> MediaInfo:
        if path.name not in files:
            raise MediaError(f"{path} is damaged.")
        return files[path.name]

    return probe


def info(
    path: Path, streams: tuple[int, ...] = (2,), timecode: Fraction | None = None, video: bool = False
) -> MediaInfo:
    audio = tuple(AudioStream(i, 48000, n, "stereo", 480000, Fraction(10)) for i, n in enumerate(streams))
    picture = VideoStream(640, 360, Fraction(24), Fraction(10), False) if video else None
    return MediaInfo(path, "mov", Fraction(10), audio, picture, timecode)


def online(
    folder: Path,
    name: str,
    source: Any,
    probe: Any,
    *,
    available: Any = None,
    kind: str = "Audio",
    **more: Any,
) -> Edit:
    (folder / name).write_bytes(b"x")
    timeline = sc.Timeline("cut")
    timeline.tracks.append(
        track(sc.Clip("c", sc.ExternalReference(name, available), source, **more), kind=kind)
    )
    return edit_of(timeline, folder, probe)


@pytest.mark.parametrize(
    ("source", "available", "timecode", "offset"),
    [
        (span(86424, 24), span(86400, 240), Fraction(3600), 1),
        (span(24, 24), span(0, 240), Fraction(3600), 1),
        (span(86424, 24), None, Fraction(3600), 1),
        (span(24, 24), None, None, 1),
        (span(86424, 24), span(0, 240), Fraction(3600), 1),
    ],
)
def test_media_time_stamps(
    source: Any, available: Any, timecode: Fraction | None, offset: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.mov"
    made = only(
        online(
            tmp_path,
            "a.mov",
            source,
            probe_of(**{"a.mov": info(path, timecode=timecode)}),
            available=available,
        )
    )
    assert made.media is not None
    assert made.source_in - made.media.start == offset
    assert made.media.start == (timecode or 0)


def test_the_reference_that_is_here_is_taken(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"x")
    made = sc.Clip("c", source_range=span(0, 24))
    made.set_media_references(
        {"DEFAULT_MEDIA": sc.ExternalReference("a.wav"), "proxy": sc.ExternalReference("b.wav")},
        "DEFAULT_MEDIA",
    )
    timeline = sc.Timeline("cut")
    timeline.tracks.append(track(made))
    probe = probe_of(**{"b.wav": info(tmp_path / "b.wav")})
    media = only(edit_of(timeline, tmp_path, probe)).media
    assert media is not None
    assert media.path == tmp_path / "b.wav"


def test_missing_media_generators_and_damaged_files(tmp_path: Path) -> None:
    edit = flat(track(sc.Clip("title", sc.GeneratorReference(), span(0, 24)), clip("gone"), kind="Video"))
    assert [c.media is None for c in edit.tracks[0].clips] == [True, False]
    assert any("title" in loss for loss in edit.losses)
    assert any("gone.wav" in loss for loss in edit.losses)
    damaged = online(tmp_path, "a.mov", span(0, 24), probe_of())
    assert any("damaged" in loss for loss in damaged.losses)


@pytest.mark.parametrize(
    ("metadata", "channels"),
    [
        ({"Resolve_OTIO": {"Channels": [{"Source Track ID": 1, "Source Channel ID": 0}]}}, (2,)),
        (
            {"Resolve_OTIO": {"Channels": [{"Source Track ID": 0, "Source Channel ID": i} for i in (0, 1)]}},
            None,
        ),
        ({"Resolve_OTIO": {"Channels": [{"Source Track ID": 0, "Source Channel ID": 7}]}}, None),
        (
            {
                "PremierePro_OTIO": {
                    "OriginalChannelGroupIndex": 1,
                    "AudioChannels": {"SecondaryAssignments": [{"SecondaryChannelIndex": 1}]},
                }
            },
            (3,),
        ),
        ({"fcp_xml": {"sourcetrack": {"trackindex": "2"}}}, (2, 3)),  # the second stream, as Resolve has it
    ],
)
def test_channels_in_every_dialect(metadata: Any, channels: Any, tmp_path: Path) -> None:
    probe = probe_of(**{"a.mov": info(tmp_path / "a.mov", (2, 2))})
    made = only(online(tmp_path, "a.mov", span(0, 24), probe, metadata=metadata))
    assert made.channels == channels
    assert made.media is not None
    assert (made.media.channels, made.media.streams) == (4, (2, 2))


def test_links_roles_and_widths() -> None:
    def linked(name: str, group: int) -> Any:
        return clip(name, metadata={"Resolve_OTIO": {"Link Group ID": group}})

    edit = flat(
        track(linked("v", 5), linked("w", 6), kind="Video"),
        track(linked("a", 5), linked("b", 6), metadata={"Resolve_OTIO": {"Audio Type": "5.1"}}),
        track(clip("d"), metadata={"sightmix": {"generated": True, "role": "dialogue"}}),
    )
    links = [[c.link for c in t.clips] for t in edit.tracks]
    assert links[0] == links[1]
    assert links[0][0] != links[0][1]
    assert links[2] == [None]
    assert [t.role for t in edit.tracks] == ["", "", "dialogue"]
    assert edit.tracks[1].channels == 6


def test_our_gain_curve_counts_from_the_clip_and_reaches_into_its_handles() -> None:
    gain = {"sightmix": {"gain": {"times": [0.0, 1.0, 3.0], "db": [0.0, -6.0, -12.0]}}}
    made = only(flat(track(clip("a", 24, 24, metadata=gain))))
    assert made.gain is not None
    assert made.gain.times == (-1, 0, 2)
    assert made.gain.db == pytest.approx((0, -6, -12))
    with pytest.raises(WriteError):
        flat(track(clip("a", metadata={"sightmix": {"gain": {"times": [0.0], "db": []}}})))


def test_resolves_own_volume_and_faders() -> None:
    keys = {"24": {"Value": -10.0}, "0": {"Value": -4.0}}
    listed = [
        {"Parameter ID": "volume", "Parameter Value": -4.0, "Key Frames": keys},
        {"Parameter ID": "faderOut", "Parameter Value": 6},
    ]
    effect = sc.Effect(
        "", "Resolve Effect", {"Resolve_OTIO": {"Type": 62, "Enabled": True, "Parameters": listed}}
    )
    made = only(flat(track(clip("a", 100, 12, effects=[effect]))))
    assert made.gain is not None
    assert made.gain.db == pytest.approx((-4, -7))
    assert made.fade_out * 24 == 6


def test_start_drop_frame_and_markers() -> None:
    marker = sc.Marker("m", span(86424, 1), "RED", {"Resolve_OTIO": {"Note": "look"}})
    timeline = sc.Timeline("cut", global_start_time=ot.RationalTime(86400, 24))
    timeline.tracks.append(track(clip("a", 0, 100)))
    timeline.tracks.markers.append(marker)
    edit = edit_of(timeline)
    assert edit.start == 3600
    assert [(m.start, m.name, m.note) for m in edit.markers] == [(1, "m", "look")]
    dropping = sc.Timeline("cut", global_start_time=ot.RationalTime(107892, 29.97))
    assert edit_of(dropping).drop_frame
    assert edit_of(dropping).start == Fraction(107892 * 1001, 30000)


items = st.lists(
    st.tuples(st.sampled_from("cgn"), st.integers(1, 40), st.integers(0, 50)), min_size=1, max_size=8
)


@settings(max_examples=30, deadline=None)
@given(st.lists(items, min_size=1, max_size=3))
def test_lanes_never_overlap_and_lengths_add_up(tracks: list[list[tuple[str, int, int]]]) -> None:
    def made(kind: str, length: int, start: int) -> Any:
        if kind == "g":
            return gap(length)
        if kind == "n":
            return stack(track(clip("n", start, length)), track(gap(1), clip("m", start, length)))
        return clip("c", start, length)

    edit = flat(*(track(*(made(*item) for item in listed)) for listed in tracks))
    for lane in edit.tracks:
        for a, b in zip(lane.clips, lane.clips[1:], strict=False):
            assert a.end <= b.start
    total = sum(c.duration for lane in edit.tracks for c in lane.clips) * 24
    wanted = sum(n * (2 if k == "n" else 1) for listed in tracks for k, n, _ in listed if k != "g")
    assert total == wanted
    assert edit.sample_rate == kit.SAMPLE_RATE
