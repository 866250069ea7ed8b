"""Reading timelines: which media, where in it, which channels, and what cannot be rendered."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio
import pytest
from sightmix.engine.errors import TimelineError
from sightmix.engine.installation import line_for
from sightmix.engine.passage import Channel
from sightmix.plugin.timeline import Timeline, list_timelines, open_timeline
from timeline_kit import (
    clip,
    external,
    gap,
    item,
    movie,
    rt,
    save,
    stack,
    timeline,
    tr,
    track,
    transition,
    warp,
    wav,
)

Root = dict[str, Any]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    wav(folder / "ten.wav")
    wav(folder / "six.wav", channels=6)
    wav(folder / "cd.wav", rate=44100)
    movie(folder / "silent.mov", 2)
    movie(folder / "two.mov", 2, streams=(2, 1))
    return folder


def opened(folder: Path, *tracks: Root, **more: Any) -> Timeline:
    return open_timeline(save(folder / "in.otio", timeline(*tracks, **more)))


def sound(media: Path, source: Root | None, reference: Any = None, **more: Any) -> Root:
    return clip("a", source, reference if reference is not None else str(media / "ten.wav"), **more)


# Where in the media


def test_file_offset_is_source_less_available(tmp_path: Path, media: Path) -> None:
    reference = external(str(media / "ten.wav"), tr(86400, 240))
    passage = opened(tmp_path, track("Audio", sound(media, tr(86448, 96), reference))).clips[0].passage()
    assert (passage.sound.start, passage.sound.duration) == (2, 4)
    assert (passage.head, passage.tail) == (1, 1)


def test_no_ranges_at_all_means_the_whole_file(tmp_path: Path, media: Path) -> None:
    found = opened(tmp_path, track("Audio", sound(media, None), sound(media, tr(0, 24))))
    assert [(c.record_in, c.record_out) for c in found.clips] == [(0, 10), (10, 11)]
    assert found.clips[0].passage().sound.duration == 10


def test_available_range_alone_is_used(tmp_path: Path, media: Path) -> None:
    reference = external(str(media / "ten.wav"), tr(240, 120))
    passage = opened(tmp_path, track("Audio", sound(media, None, reference))).clips[0].passage()
    assert (passage.sound.start, passage.sound.duration) == (0, 5)


def test_start_timecode_of_the_file_is_taken_off(tmp_path: Path, media: Path, monkeypatch: Any) -> None:
    from dataclasses import replace

    from sightmix.engine.edit import media as room
    from sightmix.engine.media import reader

    monkeypatch.setattr(room, "probe", lambda path: replace(reader.probe(path), timecode=Fraction(3600)))
    found = opened(tmp_path, track("Audio", sound(media, tr(86448, 96)), sound(media, tr(48, 96))))
    assert [c.passage().sound.start for c in found.clips] == [2, 2]


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (23.976023976023978, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (29.97002997002997, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (25, Fraction(25)),
        (48000, Fraction(48000)),
    ],
)
def test_rates_are_exact(tmp_path: Path, media: Path, rate: float, exact: Fraction) -> None:
    found = opened(tmp_path, track("Audio", gap(90000, rate), sound(media, tr(25, 50, rate))))
    first = found.clips[0]
    assert (first.record_in, first.duration) == (90000 / exact, 50 / exact)
    assert first.passage().sound.start == 25 / exact


def test_mixed_rates_add_up(tmp_path: Path, media: Path) -> None:
    source = [sound(media, tr(0, n, r)) for n, r in ((12, 24), (24000, 48000), (30, 29.97), (5, 25))]
    found = opened(tmp_path, track("Audio", *source))
    assert found.duration == Fraction(1, 2) + Fraction(1, 2) + Fraction(1001, 1000) + Fraction(1, 5)


def test_handles_are_whole_frames_and_samples(tmp_path: Path, media: Path) -> None:
    passage = opened(tmp_path, track("Audio", sound(media, tr(60, 60, 29.97)))).clips[0].passage()
    assert passage.head == passage.tail == Fraction(30 * 1001, 30000)
    assert (passage.head * 48000).denominator == 1


def test_handles_grow_for_transitions_and_end_with_the_media(tmp_path: Path, media: Path) -> None:
    found = opened(
        tmp_path,
        track("Audio", sound(media, tr(12, 48)), transition(36, 60), sound(media, tr(96, 120))),
    )
    first, second = (c.passage(Fraction(1)) for c in found.clips)
    assert (first.head, first.tail) == (Fraction(1, 2), Fraction(60, 24))
    assert (second.head, second.tail) == (Fraction(36, 24), 1)
    assert found.clips[0].passage(Fraction(0)).head == 0


# Channels


def test_resolve_channels(tmp_path: Path, media: Path) -> None:
    pairs = [{"Source Channel ID": c, "Source Track ID": 0} for c in (4, 5, 9)]
    host = {"Resolve_OTIO": {"Channels": pairs, "Link Group ID": 7}}
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 24), str(media / "six.wav"), metadata=host)))
    assert found.clips[0].channels == (Channel(0, 4), Channel(0, 5))
    assert found.clips[0].link == "7"


def test_resolve_second_stream(tmp_path: Path, media: Path) -> None:
    host = {"Resolve_OTIO": {"Channels": [{"Source Channel ID": 0, "Source Track ID": 1}]}}
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 24), str(media / "two.mov"), metadata=host)))
    assert found.clips[0].passage().sound.channels == (Channel(1, 0),)


@pytest.mark.parametrize(
    ("group", "indices", "wanted"),
    [(0, [0, 1], ((0, 0), (0, 1))), (1, [0], ((1, 0),)), (2, [0], ((1, 0),)), (0, [7], None)],
)
def test_premiere_channels(tmp_path: Path, media: Path, group: int, indices: list[int], wanted: Any) -> None:
    assigned = [{"SecondaryChannelIndex": i} for i in indices]
    host = {
        "PremierePro_OTIO": {
            "AudioChannels": {"ChannelType": "Stereo", "SecondaryAssignments": assigned},
            "OriginalChannelGroupIndex": group,
            "LinkID": "3",
        }
    }
    source = sound(media, tr(0, 24), str(media / "two.mov"), metadata=host)
    found = opened(tmp_path, track("Audio", source))
    assert found.clips[0].channels == (None if wanted is None else tuple(Channel(*w) for w in wanted))
    assert found.clips[0].link == "3"


@pytest.mark.parametrize(("kind", "count", "wanted"), [("stereo", "2", 2), ("mono", "1", 1), (None, None, 1)])
def test_fcp_source_tracks(
    tmp_path: Path, media: Path, kind: str | None, count: str | None, wanted: int
) -> None:
    host = {
        "fcp_xml": {"sourcetrack": {"mediatype": "audio", "trackindex": "3"}, "@premiereChannelType": kind}
    }
    lane = {"fcp_xml": {"@totalExplodedTrackCount": count}}
    source = sound(media, tr(0, 24), str(media / "six.wav"), metadata=host)
    found = opened(tmp_path, track("Audio", source, metadata=lane))
    assert found.clips[0].channels == tuple(Channel(0, 2 + i) for i in range(wanted))


@pytest.mark.parametrize(
    "junk", [None, [], {}, ["x"], [{"Source Track ID": "a"}], [{"Source Track ID": 1e99}]]
)
def test_unusable_channels_mean_all(tmp_path: Path, media: Path, junk: Any) -> None:
    host = {"Resolve_OTIO": {"Channels": junk}}
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 24), metadata=host)))
    assert found.clips[0].channels is None


# States


def test_disabled_at_every_ancestor(tmp_path: Path, media: Path) -> None:
    def leaf(**more: Any) -> Root:
        return sound(media, tr(0, 24), **more)

    nest = stack(track("Audio", leaf()), enabled=False)
    deep = stack(track("Audio", stack(track("Audio", leaf(), enabled=False))))
    found = opened(
        tmp_path,
        track("Audio", leaf(enabled=False), leaf(), nest, deep),
        track("Audio", leaf(), enabled=False),
    )
    states = {(c.record_in, c.track_number): c.state for c in found.clips}
    assert states == {
        (0, 1): "disabled",
        (0, 2): "disabled",
        (1, 1): "online",
        (2, 1): "disabled",
        (3, 1): "disabled",
    }
    with pytest.raises(TimelineError, match="disabled"):
        found.clips[0].passage()


@pytest.mark.parametrize(
    ("reference", "state", "words"),
    [
        (None, "offline", "missing in the timeline"),
        ("/nowhere/x.wav", "offline", "does not exist"),
        ("E:\\a b\\c.mxf", "offline", "Windows path"),
        ("https://x.org/a.wav", "offline", "no local file"),
        ("", "offline", "empty"),
        ({"OTIO_SCHEMA": "GeneratorReference.1"}, "unsupported", "generator"),
        ({"OTIO_SCHEMA": "ImageSequenceReference.1"}, "unsupported", "image sequence"),
        ({"OTIO_SCHEMA": "Novel.1"}, "unsupported", "unknown kind"),
        ("{media}/silent.mov", "unsupported", "no sound"),
        ("{media}/text.wav", "unsupported", "text.wav"),
        ("{media}/still.png", "unsupported", "still picture"),
        ("{media}", "offline", "does not exist"),
    ],
)
def test_what_cannot_be_rendered_says_why(
    tmp_path: Path, media: Path, reference: Any, state: str, words: str
) -> None:
    (media / "text.wav").write_text("this is not sound")
    (media / "still.png").touch()
    if isinstance(reference, str):
        reference = reference.replace("{media}", str(media))
    found = opened(tmp_path, track("Audio", clip("x", tr(0, 24), reference), sound(media, tr(0, 24))))
    assert (found.clips[0].state, found.clips[1].state) == (state, "online")
    assert words in found.clips[0].reason
    assert re.fullmatch(r"[A-Z/][^\n]*\.?", found.clips[0].reason)


def test_other_references_stand_in_for_a_missing_one(tmp_path: Path, media: Path) -> None:
    several = {
        "DEFAULT_MEDIA": external("/nowhere/a.mxf", tr(0, 240)),
        "proxy": external(str(media / "ten.wav"), tr(24, 240)),
    }
    first = sound(media, tr(48, 24), several, active_media_reference_key="gone")
    second = sound(media, tr(48, 24), several, active_media_reference_key="proxy")
    found = opened(tmp_path, track("Audio", first, second))
    assert [c.passage().sound.start for c in found.clips] == [1, 1]
    assert {c.path for c in found.clips} == {media / "ten.wav"}


def test_clip_1_with_a_single_reference(tmp_path: Path, media: Path) -> None:
    old = item("Clip.1", "old", tr(24, 24), media_reference=external("ten.wav"))
    root = timeline(track("Audio", old))
    del root["tracks"]["children"][0]["kind"]
    root["tracks"]["children"][0] |= {"OTIO_SCHEMA": "Sequence.1", "kind": "audio"}
    (tmp_path / "ten.wav").symlink_to(media / "ten.wav")
    found = open_timeline(save(tmp_path / "in.otio", root))
    assert found.clips[0].passage().sound.start == 1


def test_relinking_by_folder(tmp_path: Path, media: Path) -> None:
    path = save(tmp_path / "in.otio", timeline(track("Audio", clip("x", tr(0, 24), "E:\\gone\\ten.wav"))))
    assert open_timeline(path).clips[0].state == "offline"
    assert open_timeline(path, folders=[media]).clips[0].path == media / "ten.wav"


def test_sound_far_outside_the_media_is_refused(tmp_path: Path, media: Path) -> None:
    bogus = 30 * 3600 * 24
    found = opened(
        tmp_path,
        track("Audio", sound(media, tr(0, bogus)), sound(media, tr(10000, 24)), sound(media, tr(120, 200))),
    )
    assert [c.state for c in found.clips] == ["unsupported", "unsupported", "online"]
    assert "10.000 s long" in found.clips[0].reason
    assert found.clips[2].record_in == 30 * 3600 + 1


@pytest.mark.parametrize(
    "broken",
    [
        tr(0, float("nan")),
        tr(float("inf"), 24),
        tr(0, 24) | {"duration": rt(24, -24.0)},
        tr(0, 1e300),
        {"start_time": None},
        tr("0", 24),  # type: ignore[arg-type]
    ],
)
def test_broken_ranges_spoil_only_their_track(tmp_path: Path, media: Path, broken: Any) -> None:
    found = opened(
        tmp_path,
        track("Audio", sound(media, broken), sound(media, tr(0, 24))),
        track("Audio", sound(media, tr(0, 24))),
    )
    states = {(c.track_number, c.state) for c in found.clips}
    assert states == {(1, "unsupported"), (2, "online")}
    assert any("length is unknown" in c.reason for c in found.clips)
    assert any("place is unknown" in c.reason for c in found.clips)


@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: track("Audio", stack(t))], ids=["track", "compound"])
def test_an_unknown_length_takes_no_other_clip_away(tmp_path: Path, media: Path, wrap: Any) -> None:
    lost = clip("lost", None, str(tmp_path / "gone.wav"))
    played = track("Audio", sound(media, tr(0, 48)), lost, sound(media, tr(0, 24)))
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 24))), wrap(played))
    assert found.duration == 3
    assert [(c.record_in, c.record_out, c.state) for c in found.clips if c.track_number == 2] == [
        (0, 2, "online"),
        (2, 2, "unsupported"),
        (2, 3, "unsupported"),
    ]


def test_negative_and_empty_lengths(tmp_path: Path, media: Path) -> None:
    found = opened(tmp_path, track("Audio", *(sound(media, tr(0, n)) for n in (-24, 0, 24))))
    assert [c.reason for c in found.clips[:2]] == ["Its length is negative.", "It has no length."]
    assert (found.clips[2].record_in, found.clips[2].state) == (0, "online")


def test_kdenlive_rate_nought_falls_back(tmp_path: Path, media: Path) -> None:
    reference = external(str(media / "ten.wav"), tr(0, 0, 0.0))
    found = opened(
        tmp_path, track("Audio", source_range=tr(0, 0)), track("Audio", sound(media, None, reference))
    )
    assert found.clips[0].duration == 10


# Time effects


def ramp(*keys: tuple[float, float]) -> Root:
    rows = [[a, b, False, 0.0, 0.0, 0.0, 0.0] for a, b in keys]
    return {
        "OTIO_SCHEMA": "TimeEffect.1",
        "metadata": {"Resolve_OTIO": {"Key Frames": rows, "Speed Ratio": 0.5}},
        "name": "",
        "effect_name": "",
    }


def test_linear_warp_covers_speed_times_record(tmp_path: Path, media: Path) -> None:
    found = opened(
        tmp_path, track("Audio", sound(media, tr(24, 48), effects=[warp(2.0)]), sound(media, tr(0, 24)))
    )
    passage = found.clips[0].passage()
    assert (passage.sound.start, passage.sound.duration) == (1, 4)
    assert (found.clips[0].record_out, found.clips[0].speed) == (2, 2)


def test_premiere_counts_source_frames(tmp_path: Path, media: Path) -> None:
    host = {"PremierePro_OTIO": {"MetadataVersion": "1.0"}}
    found = opened(
        tmp_path,
        track("Audio", sound(media, tr(24, 48), effects=[warp(2.0)]), sound(media, tr(0, 24))),
        metadata=host,
    )
    assert found.dialect == "premiere"
    assert [(c.record_in, c.record_out) for c in found.clips] == [(0, 1), (1, 2)]
    assert found.clips[0].passage().sound.duration == 2


def test_reverse_plays_the_same_stretch(tmp_path: Path, media: Path) -> None:
    source = sound(media, tr(48, 48), effects=[warp(-0.5)])
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 24)), transition(12, 0), source))
    passage = found.clips[1].passage(Fraction(0))
    assert (passage.sound.start, passage.sound.duration) == (2, 1)
    assert (passage.head, passage.tail) == (
        0,
        Fraction(1, 4),
    )  # the fade in plays what lies after in the media
    assert found.clips[1].speed == Fraction(-1, 2)


def test_freeze_has_no_sound(tmp_path: Path, media: Path) -> None:
    effects = [[warp(0.0)], [warp(0, "FreezeFrame.1")], [{"OTIO_SCHEMA": "FreezeFrame.1"}]]
    found = opened(tmp_path, track("Audio", *(sound(media, tr(0, 24), effects=e) for e in effects)))
    assert {(c.state, c.reason) for c in found.clips} == {
        ("unsupported", "It is a freeze frame, which has no sound.")
    }


def test_media_in_an_unknown_codec_costs_its_own_clip_only(tmp_path: Path, media: Path) -> None:
    odd = movie(tmp_path / "odd.mov", 2, streams=[1])
    odd.write_bytes(odd.read_bytes().replace(b"sowt", b"apac"))
    found = opened(
        tmp_path,
        track("Video", clip("p", tr(0, 24), "odd.mov")),
        track("Audio", sound(media, tr(0, 24)), clip("odd", tr(0, 24), "odd.mov")),
    )
    assert [(c.state, c.reason) for c in found.clips] == [
        ("online", ""),
        ("unsupported", "The sound of odd.mov is in a codec that is not known here; convert it."),
    ]
    assert found.picture()[0].path == odd


def test_what_had_to_be_assumed_of_media_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.ac3"
    with path.open("wb") as out:
        for layout, channels in (("stereo", 2), ("5.1", 6)):
            with av.open(str(tmp_path / "part.ac3"), "w") as part:
                stream = part.add_stream("ac3", rate=48000, layout=layout)
                frame = av.AudioFrame.from_ndarray(np.zeros((channels, 1536 * 8), np.float32), "fltp", layout)
                frame.sample_rate, frame.pts = 48000, 0
                part.mux([*stream.encode(frame), *stream.encode(None)])
            out.write((tmp_path / "part.ac3").read_bytes())
    found = open_timeline(path)
    assert [clip.state for clip in found.clips] == ["online"]
    for said in (found.notes, found.edit.unheard):
        assert said == (
            "The sound of a.ac3 changes its channels or its rate at 0.26 s; it is folded into what it begins with, "
            "stereo (ITU-R BS.775).",
        )


def test_foreign_and_disabled_effects_do_not_touch_time(tmp_path: Path, media: Path) -> None:
    effects = [
        {"OTIO_SCHEMA": "Novelty.9", "time_scalar": 3.0},
        None,
        warp(2.0) | {"enabled": False},
        warp(1.0),
    ]
    passage = opened(tmp_path, track("Audio", sound(media, tr(0, 24), effects=effects))).clips[0].passage()
    assert passage.sound.duration == 1


def test_ramp_covers_what_it_plays(tmp_path: Path, media: Path) -> None:
    keys = ramp((0.0, 0.0), (2.0, 2.0), (6.0, 4.0), (12.0, 10.0))
    whole = sound(media, tr(0, 12 * 24), effects=[keys])
    part = sound(media, tr(72, 72), effects=[keys])  # enters at 3 s of media, 4 s of record time
    first, second = opened(tmp_path, track("Audio", whole, part)).clips
    assert (first.passage().sound.start, first.passage().sound.duration) == (0, 10)
    assert (second.passage().sound.start, second.passage().sound.duration) == (3, 2)
    assert second.speed == Fraction(1, 2)


@pytest.mark.parametrize(
    "effects",
    [
        [ramp((0.0, 0.0), (2.0, 2.0), (4.0, 1.0))],
        [ramp((0.0, 0.0))],
        [ramp((0.0, 0.0), (0.0, 2.0))],
        [ramp((0.0, float("nan")), (1.0, 1.0))],
        [ramp((0.0, 0.0), (1.0, 1.0)), ramp((0.0, 0.0), (1.0, 1.0))],
        [ramp((0.0, 0.0), (1.0, 1.0)), warp(2.0)],
        [{"OTIO_SCHEMA": "TimeEffect.1", "metadata": {}}],
        [warp(float("nan"))],
    ],
)
def test_time_effects_beyond_us_are_named(tmp_path: Path, media: Path, effects: list[Root]) -> None:
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 48), effects=effects)))
    assert found.clips[0].state == "unsupported"
    assert found.clips[0].reason.startswith("It has a ") or found.clips[0].reason.startswith(
        "It has several "
    )


# Nesting


def test_clips_in_trimmed_nests(tmp_path: Path, media: Path) -> None:
    inner = track("Audio", gap(24), sound(media, tr(48, 96)))
    nest = stack(inner, source_range=tr(48, 48), name="nest")
    found = opened(tmp_path, track("Audio", gap(24), nest))
    one = found.clips[0]
    assert (one.record_in, one.record_out, one.nested) == (1, 3, True)
    assert (one.passage().sound.start, one.passage().sound.duration) == (3, 2)


def test_timeline_inside_a_track(tmp_path: Path, media: Path) -> None:
    inner = timeline(track("Audio", gap(24), sound(media, tr(0, 48))), name="inner")
    found = opened(tmp_path, track("Audio", gap(24), inner, sound(media, tr(0, 24))))
    assert [(c.record_in, c.record_out) for c in found.clips] == [(2, 4), (4, 5)]


def test_retimed_compound_is_named(tmp_path: Path, media: Path) -> None:
    nest = stack(
        track("Audio", sound(media, tr(0, 48))), name="slow", effects=[warp(2.0)], source_range=tr(0, 24)
    )
    found = opened(tmp_path, track("Audio", nest, sound(media, tr(0, 24))))
    assert [c.state for c in found.clips] == ["unsupported", "online"]
    assert "“slow”, whose speed was changed" in found.clips[0].reason
    assert (found.clips[0].record_in, found.clips[0].record_out) == (0, 1)


def test_compound_on_both_kinds_of_track_sounds_once(tmp_path: Path, media: Path) -> None:
    def nest() -> Root:
        return stack(
            track("Video", clip("v", tr(0, 24))), track("Audio", sound(media, tr(0, 24))), name="scene 1"
        )

    both = opened(tmp_path, track("Video", nest()), track("Audio", nest()))
    assert [c.leaf.track for c in both.clips] == [1]
    alone = opened(tmp_path, track("Video", gap(24), nest()))
    assert [(c.record_in, c.record_out) for c in alone.clips] == [(1, 2)]


def test_track_and_stack_ranges_move_everything(tmp_path: Path, media: Path) -> None:
    lane = track("Audio", sound(media, tr(0, 48)), source_range=tr(-24, 72))
    assert opened(tmp_path, lane).clips[0].record_in == 1
    trimmed = opened(tmp_path, track("Audio", sound(media, tr(0, 96))), source_range=tr(24, 48))
    assert (trimmed.clips[0].record_in, trimmed.clips[0].record_out, trimmed.duration) == (0, 2, 2)
    assert trimmed.clips[0].passage().sound.start == 1


# Timecode


@pytest.mark.parametrize(
    ("start", "drop", "text"),
    [
        (rt(86400, 24), False, "01:00:00:00"),
        (rt(90000, 25), False, "01:00:00:00"),
        (rt(108000, 29.97), False, "01:00:00:00"),
        (rt(107892, 29.97), True, "01:00:00;00"),
        (rt(215784, 59.94), True, "01:00:00;00"),
        (rt(86400, 23.976), False, "01:00:00:00"),
        (None, False, "00:00:00:00"),
        (rt(float("nan"), 24), False, "00:00:00:00"),
    ],
)
def test_global_start_only_shows(tmp_path: Path, media: Path, start: Any, drop: bool, text: str) -> None:
    found = opened(tmp_path, track("Audio", sound(media, tr(0, 24))), start=start)
    assert (found.clips[0].timecode_in, found.drop_frame) == (text, drop)
    assert found.clips[0].record_in == 0
    assert found.clips[0].passage().drop_frame == drop
    assert found.clips[0].passage().record_offset == found.start


# Roots and files


def test_collections_are_listed_and_chosen_from(tmp_path: Path, media: Path) -> None:
    reels = [timeline(track("Audio", gap(24 * n), sound(media, tr(0, 24))), name=f"reel {n}") for n in (1, 2)]
    inner = {"OTIO_SCHEMA": "SerializableCollection.1", "name": "bin", "children": [reels[1]]}
    root = {
        "OTIO_SCHEMA": "SerializableCollection.1",
        "name": "all",
        "children": [clip("x", None), reels[0], inner],
    }
    path = save(tmp_path / "in.otio", root)
    assert list_timelines(path) == ("reel 1", "reel 2")
    assert open_timeline(path).name == "reel 1"
    assert open_timeline(path, timeline="reel 2").clips[0].record_in == 2
    assert open_timeline(path, timeline=2).name == "reel 2"
    with pytest.raises(TimelineError, match="has no timeline 'reel 3'; it has 1 “reel 1”, 2 “reel 2”"):
        open_timeline(path, timeline="reel 3")


def test_lone_stack_and_track_are_timelines(tmp_path: Path, media: Path) -> None:
    lane = track("Audio", sound(media, tr(0, 24)), name="A1")
    for root in (lane, stack(lane, name="S")):
        assert len(open_timeline(save(tmp_path / "in.otio", root)).clips) == 1


def test_whole_media_file(media: Path) -> None:
    found = open_timeline(media / "two.mov", cuts=[Fraction(1, 2), Fraction(3, 2), Fraction(99)])
    one = found.clips[0]
    assert (one.record_in, one.record_out, found.rate) == (0, 2, 24)
    assert [clip.passage().sound.channels for clip in found.clips] == [
        (Channel(0, 0), Channel(0, 1)),
        (Channel(1, 0),),
    ]
    assert [(s.start, s.duration, s.media_start) for s in one.passage().shots] == [
        (0, Fraction(1, 2), 0),
        (Fraction(1, 2), 1, Fraction(1, 2)),
        (Fraction(3, 2), Fraction(1, 2), Fraction(3, 2)),
    ]
    whole = open_timeline(media / "cd.wav").clips[0]
    assert (whole.duration, whole.channels, whole.shots) == (10, None, 0)
    assert len(open_timeline(media / "two.mov").clips[0].passage().shots) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.otio", b"hello, this is a letter", "line 1, column 1 is not valid JSON"),
        ("empty.otio", b"", "is empty"),
        ("blank.otio", b" \n", "is empty"),
        ("list.otio", b"[1, 2]", "JSON of another kind"),
        ("other.otio", b'{"a": 1}', "JSON of another kind"),
        ("cut.otio", b'{"OTIO_SCHEMA": "Timeline.1", "tra', "not valid JSON"),
        ("latin.otio", b'{"OTIO_SCHEMA": "Timeline.1", "name": "\xe9"}', "not UTF-8"),
        ("clip.otio", b'{"OTIO_SCHEMA": "Clip.2"}', "holds a Clip, not a timeline"),
        ("bare.otio", b'{"OTIO_SCHEMA": "Timeline.1"}', "without tracks"),
        ("none.otio", b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}', "not a timeline"),
        ("deep.otio", b"[" * 100000, "nested too deeply"),
        ("long.otio", b'{"OTIO_SCHEMA": ' + b"1" * 5000 + b"}", "far too long"),
        ("zip.otioz", b"PK not really", "not an OTIO bundle"),
        ("letter.txt", b"hello", "neither a timeline nor a readable media file"),
        ("empty.aaf", b"", "is empty"),
        ("bad.aaf", b"not an aaf", "cannot be read as AAF"),
        ("bad.xml", b"<a", "cannot be read as FCP7 XML"),
        ("bad.fcpxml", b"<a", "cannot be read as FCPXML"),
        ("bad.edl", b"\xff\xfe nonsense", "cannot be read as EDL"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TimelineError, match=re.escape(words)) as raised:
        open_timeline(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_absent_files_folders_and_deep_nests(tmp_path: Path) -> None:
    with pytest.raises(TimelineError, match="does not exist"):
        open_timeline(tmp_path / "none.otio")
    with pytest.raises(TimelineError, match="is a folder"):
        open_timeline(tmp_path)
    text = '{"OTIO_SCHEMA":"Stack.1","children":[' * 450 + "]}" * 450
    deep = tmp_path / "deep.otio"
    deep.write_text('{"OTIO_SCHEMA":"Timeline.1","tracks":' + text + "}")
    with pytest.raises(TimelineError, match="nested too deeply"):
        open_timeline(deep)
    with pytest.raises(TimelineError, match="has no audio clip 1"):
        open_timeline(save(tmp_path / "in.otio", timeline())).clip(1)


@pytest.mark.parametrize(
    "junk",
    [
        {"children": None},
        {"children": [None, 1, "x", {}]},
        {"children": [{"OTIO_SCHEMA": 3}], "metadata": None, "kind": 7, "effects": "x", "markers": [None]},
        {
            "children": [{"OTIO_SCHEMA": "Clip.2", "media_references": {"a": None}, "name": 5}],
            "kind": "Audio",
        },
        {"children": [{"OTIO_SCHEMA": "Transition.1"}, {"OTIO_SCHEMA": "Transition.1"}], "kind": "Audio"},
    ],
)
def test_junk_inside_is_passed_over(tmp_path: Path, junk: Root) -> None:
    root = timeline({"OTIO_SCHEMA": "Track.1", **junk}, track("Audio", gap(24)))
    found = open_timeline(save(tmp_path / "in.otio", root))
    assert all(c.state != "online" and c.shots == 0 for c in found.clips)


def test_missing_adapter_says_what_to_install(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(otio.adapters, "available_adapter_names", lambda: ["otio_json"])
    (tmp_path / "a.aaf").write_bytes(b"x")
    with pytest.raises(
        TimelineError, match=re.escape(f"otio-aaf-adapter; install it with `{line_for('hosts')}`")
    ):
        open_timeline(tmp_path / "a.aaf")


# Adapters and bundles


def library_timeline(media: Path) -> otio.schema.Timeline:
    def rational(value: float) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(value, 25)

    made = otio.schema.Timeline("cut", global_start_time=rational(90000))
    for kind in ("Video", "Audio"):
        lane = otio.schema.Track(kind, kind=kind)
        lane.append(otio.schema.Gap(duration=rational(50)))
        source = otio.opentime.TimeRange(rational(10), rational(75))
        reference = otio.schema.ExternalReference(
            (media / "ten.wav").as_uri(), otio.opentime.TimeRange(rational(0), rational(250))
        )
        lane.append(otio.schema.Clip("take", reference, source))
        made.tracks.append(lane)
    return made


@pytest.mark.parametrize("suffix", [".xml", ".fcpxml", ".aaf"])
def test_adapter_formats_written_by_the_library(tmp_path: Path, media: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    options = {"use_empty_mob_ids": True} if suffix == ".aaf" else {}
    otio.adapters.write_to_file(library_timeline(media), str(path), **options)
    found = open_timeline(path)
    one = found.clips[0]
    assert (one.record_in, one.record_out, found.rate) == (2, 5, 25)
    if one.state == "online":
        assert one.path == media / "ten.wav"
        assert one.passage().sound.start == Fraction(10, 25)
    else:
        assert one.reason


def test_edl_counts_in_the_rate_given(tmp_path: Path) -> None:
    path = tmp_path / "cut.edl"
    path.write_text(
        "TITLE: cut\n\n"
        "001  TAKE1    A     C        00:00:01:00 00:00:03:00 01:00:00:00 01:00:02:00\n"
        "* FROM CLIP NAME: take 1.wav\n"
        "002  TAKE2    A     C        00:00:00:00 00:00:01:12 01:00:02:00 01:00:03:12\n"
        "003  TAKE3    A2    C        00:00:00:00 00:00:01:00 01:00:04:00 01:00:05:00\n"
    )
    found = open_timeline(path, rate=Fraction(25))
    assert [c.record_in for c in found.clips] == [0, 2, 4]
    assert found.clips[0].timecode_in == "01:00:00:00"
    assert found.clips[1].duration == Fraction(37, 25)
    assert {c.state for c in found.clips} == {"offline"}
    assert open_timeline(path).clips[1].duration == Fraction(36, 24)


@pytest.mark.parametrize("suffix", [".otioz", ".otiod"])
def test_bundles(tmp_path: Path, media: Path, suffix: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / f"cut{suffix}"
    otio.adapters.write_to_file(library_timeline(media), str(path))
    for _ in range(2):
        one = open_timeline(path).clips[0]
        assert one.state == "online"
        assert one.path is not None
        assert tmp_path in one.path.parents
        assert one.passage().sound.start == Fraction(10, 25)


def test_names_beyond_ascii(tmp_path: Path, media: Path) -> None:
    target = tmp_path / "Größe 音 ✓.wav"
    os.link(media / "ten.wav", target)
    path = tmp_path / "Schnitt é.otio"
    root = timeline(track("Audio", clip(target.name, tr(0, 24), str(target)), name="Dialog ö"))
    path.write_text(json.dumps(root, ensure_ascii=False), encoding="utf-8-sig")
    one = open_timeline(path).clips[0]
    assert (one.state, one.name, one.track) == ("online", target.name, "Dialog ö")
    assert one.identifier == "0001-Größe-音-wav"


@pytest.mark.parametrize(
    ("start", "outer", "inner"),
    [(86400 + 24, 0, 0), (90000 + 24, 90000, 0), (2424, 0, 2400), (24, 86400, 86400)],
)
def test_compounds_entered_in_timecode(
    tmp_path: Path, media: Path, start: float, outer: float, inner: float
) -> None:
    nest = timeline(track("Audio", gap(24), sound(media, tr(0, 48))), name="scene", start=rt(inner, 24))
    nest["source_range"] = tr(start, 48)
    found = opened(tmp_path, track("Audio", gap(24), nest), start=rt(outer, 24))
    assert [(c.record_in, c.record_out) for c in found.clips] == [(1, 3)]


def avid(media: Path, folder: Path, essence: bool) -> Root:
    """A stereo take as Avid writes it: a track per channel, both naming the whole master, and the essence files."""

    def lane(n: int) -> Root:
        several = {"DEFAULT_MEDIA": external(str(media / "ten.wav"))}
        several["essence"] = external(str(folder / f"essence {n}.wav"))
        several["essence"]["metadata"] = {"AAF": {"EssenceDescription": {"AudioSamplingRate": "48000"}}}
        if essence:
            wav(folder / f"essence {n}.wav", channels=1)
        return track("Audio", clip("take", tr(0, 48), several, metadata={"AAF": {"MobID": "urn:x"}}))

    return timeline(lane(1), lane(2), metadata={"AAF": {}})


def test_avid_channels_on_tracks_of_their_own(tmp_path: Path, media: Path) -> None:
    found = open_timeline(save(tmp_path / "in.otio", avid(media, tmp_path, essence=False)))
    assert [c.channels for c in found.clips] == [(Channel(0, 0),), (Channel(0, 1),)]


def test_avid_essence_files_come_first(tmp_path: Path, media: Path) -> None:
    found = open_timeline(save(tmp_path / "in.otio", avid(media, tmp_path, essence=True)))
    assert [c.path for c in found.clips] == [tmp_path / "essence 1.wav", tmp_path / "essence 2.wav"]
    assert [c.channels for c in found.clips] == [None, None]


def streams(path: Path, *layouts: str, rates: Sequence[int] = (48_000,)) -> Path:
    """A MOV with a PCM stream per layout, two seconds each."""
    with av.open(str(path), "w") as container:
        made = [
            container.add_stream("pcm_s16le", rate=rate, layout=layout)
            for layout, rate in zip(layouts, itertools.cycle(rates), strict=False)
        ]
        for stream, layout in zip(made, layouts, strict=True):
            count = 2 * stream.rate * stream.codec_context.channels
            silence = np.zeros((1, count), np.int16)
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout=layout)
            frame.sample_rate = stream.rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def test_a_media_files_streams_are_a_track_each(tmp_path: Path) -> None:
    found = open_timeline(streams(tmp_path / "a.mov", "5.1", "stereo"))
    assert [clip.track for clip in found.clips] == ["Audio 1", "Audio 2"]
    assert [clip.channels for clip in found.clips] == [
        tuple(Channel(0, c) for c in range(6)),
        (Channel(1, 0), Channel(1, 1)),
    ]
    unlike = open_timeline(streams(tmp_path / "b.mov", "stereo", "mono", rates=(48_000, 32_000)))
    assert [(clip.duration, clip.channels) for clip in unlike.clips] == [
        (2, (Channel(0, 0), Channel(0, 1))),
        (2, (Channel(1, 0),)),
    ]


def test_mono_streams_stay_apart_unless_they_say_that_they_belong_together(tmp_path: Path) -> None:
    found = open_timeline(streams(tmp_path / "a.mov", *["mono"] * 6))
    assert [clip.channels for clip in found.clips] == [(Channel(s, 0),) for s in range(6)]
    said = open_timeline(streams(tmp_path / "b.mov", "FL", "FC", "FR", "SL", "SR", "LFE"))
    assert [clip.channels for clip in said.clips] == [tuple(Channel(s, 0) for s in (0, 2, 1, 5, 3, 4))]
