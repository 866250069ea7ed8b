"""The picture seen with a sound: topmost video, cuts, retimes, nests, black, and the notes over it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sightmix.engine.passage import Passage
from sightmix.plugin.timeline import open_timeline
from timeline_kit import (
    clip,
    external,
    gap,
    marker,
    movie,
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
F = Fraction


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    wav(folder / "sound.wav", 60)
    for name in ("a", "b", "c"):
        movie(folder / f"{name}.mov", 3)
    (folder / "still.png").touch()
    (folder / "seq.0001.png").touch()
    return folder


@pytest.fixture
def see(tmp_path: Path, media: Path) -> Any:
    """The first audio clip's passage of a timeline made of these tracks."""

    def passage(*tracks: Root, handles: int = 0, number: int = 1, **more: Any) -> Passage:
        path = save(tmp_path / "in.otio", timeline(*tracks, **more))
        return open_timeline(path).clip(number).passage(F(handles))

    return passage


@pytest.fixture
def shot(media: Path) -> Any:
    def made(name: str, start: float, duration: float, **more: Any) -> Root:
        return clip(name, tr(start, duration), str(media / f"{name}.mov"), **more)

    return made


@pytest.fixture
def sound(media: Path) -> Any:
    def made(duration: float, start: float = 0, **more: Any) -> Root:
        return track("Audio", clip("s", tr(start, duration), str(media / "sound.wav"), **more))

    return made


def rows(passage: Passage) -> list[tuple[Any, ...]]:
    return [
        (s.path.stem if s.path else "", s.start, s.duration, s.media_start, s.speed) for s in passage.shots
    ]


def test_cuts_and_gaps(see: Any, shot: Any, sound: Any) -> None:
    video = track("Video", shot("a", 24, 24), gap(12), shot("b", 0, 36))
    passage = see(video, sound(96))
    assert rows(passage) == [
        ("a", 0, 1, 1, 1),
        ("", 1, F(1, 2), 0, 1),
        ("b", F(3, 2), F(3, 2), 0, 1),
        ("", 3, 1, 0, 1),
    ]
    assert [s.reason.startswith("Black") for s in passage.shots] == [False, True, False, True]


def test_topmost_enabled_video_wins(see: Any, shot: Any, sound: Any) -> None:
    passage = see(
        track("Video", shot("a", 0, 72)),
        track("Video", gap(24), shot("b", 0, 24)),
        track("Video", shot("c", 0, 12, enabled=False)),
        track("Video", shot("c", 0, 72), enabled=False),
        sound(72),
    )
    assert rows(passage) == [("a", 0, 1, 0, 1), ("b", 1, 1, 0, 1), ("a", 2, 1, 2, 1)]


def test_titles_and_generators_are_seen_through(see: Any, shot: Any, sound: Any) -> None:
    title = clip("Text+", tr(0, 24))
    generator = clip("Noise", tr(108000, 24), {"OTIO_SCHEMA": "GeneratorReference.1"})
    host = {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}
    passage = see(
        track("Video", shot("a", 0, 48)), track("Video", title, generator), sound(48), metadata=host
    )
    assert rows(passage) == [("a", 0, 2, 0, 1)]


def test_offline_video_hides_what_lies_below_and_says_so(see: Any, shot: Any, sound: Any) -> None:
    host = {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}
    named = clip("take 3.mov", tr(0, 24))
    gone = clip("gone.mov", tr(0, 24), "E:\\x\\gone.mov")
    passage = see(track("Video", shot("a", 0, 72)), track("Video", named, gone), sound(72), metadata=host)
    assert [row[0] for row in rows(passage)] == ["", "", "a"]
    assert [s.name for s in passage.shots] == ["take 3.mov", "gone.mov", "a"]
    assert "missing in the timeline" in passage.shots[0].reason
    assert "E:\\x\\gone.mov" in passage.shots[1].reason


def test_the_cut_of_a_dissolve_is_its_middle(see: Any, shot: Any, sound: Any) -> None:
    passage = see(track("Video", shot("a", 0, 24), transition(4, 12), shot("b", 12, 24)), sound(48))
    cut = F(24 + 4, 24)  # from 20 to 36: the middle is frame 28
    assert rows(passage) == [("a", 0, cut, 0, 1), ("b", cut, 2 - cut, F(16, 24), 1)]


def test_fade_from_black(see: Any, shot: Any, sound: Any) -> None:
    passage = see(track("Video", gap(24), transition(12, 0), shot("a", 24, 24)), sound(48))
    assert rows(passage) == [("", 0, F(18, 24), 0, 1), ("a", F(18, 24), F(30, 24), F(18, 24), 1)]


def test_through_edits_are_one_shot(see: Any, shot: Any, sound: Any) -> None:
    video = track("Video", shot("a", 0, 24), shot("a", 24, 12), shot("a", 37, 12))
    assert rows(see(video, sound(48))) == [
        ("a", 0, F(36, 24), 0, 1),
        ("a", F(36, 24), F(12, 24), F(37, 24), 1),
    ]


def test_neighbours_within_ten_seconds(see: Any, shot: Any, sound: Any) -> None:
    video = track("Video", gap(24 * 5), shot("a", 0, 24), gap(24 * 9), shot("b", 0, 24), gap(24 * 20))
    passage = see(video, track("Audio", gap(24 * 16), *sound(24)["children"]), handles=1)
    assert passage.shots[0].start == -10
    assert passage.shots[-1].start + passage.shots[-1].duration == 11
    assert [row[:3] for row in rows(passage)] == [
        ("", -10, 9),
        ("b", -1, 1),
        ("", 0, 11),
    ]


def test_neighbours_end_with_the_timeline(see: Any, shot: Any, sound: Any) -> None:
    passage = see(
        track("Video", shot("a", 0, 24), shot("b", 0, 48)), track("Audio", gap(24), *sound(24)["children"])
    )
    assert rows(passage) == [("a", -1, 1, 0, 1), ("b", 0, 2, 0, 1)]


def test_trimmed_and_nested_stacks(see: Any, shot: Any, sound: Any) -> None:
    inner = stack(track("Video", shot("a", 0, 48), shot("b", 0, 48)), source_range=tr(24, 48))
    outer = stack(track("Video", gap(12), inner), source_range=tr(24, 24))
    passage = see(track("Video", shot("c", 0, 24), outer), sound(48))
    assert rows(passage) == [
        ("c", 0, 1, 0, 1),
        ("a", 1, F(1, 2), F(3, 2), 1),
        ("b", F(3, 2), F(1, 2), 0, 1),
    ]


def test_sound_inside_a_nest_sees_the_whole_timeline(see: Any, shot: Any, sound: Any) -> None:
    nest = stack(sound(48), source_range=tr(24, 24))
    passage = see(track("Video", gap(24), shot("a", 0, 24)), track("Audio", gap(24), nest))
    assert (passage.record_start, passage.sound.start) == (1, 1)
    assert rows(passage)[-1] == ("a", 0, 1, 0, 1)


@pytest.mark.parametrize(
    ("scalar", "first", "speed"),
    [(2.0, F(1, 2), 2), (0.5, F(1, 2), F(1, 2)), (-1.0, F(3, 2), -1), (0.0, F(1, 2), 0)],
)
def test_retimed_picture(see: Any, shot: Any, sound: Any, scalar: float, first: Fraction, speed: Any) -> None:
    passage = see(track("Video", shot("a", 12, 24, effects=[warp(scalar)])), sound(24))
    assert rows(passage) == [("a", 0, 1, first, speed)]


def test_retimed_and_frozen_nests(see: Any, shot: Any, sound: Any) -> None:
    def nest(scalar: float) -> Root:
        lane = track("Video", shot("a", 0, 24), shot("b", 0, 24))
        return stack(lane, source_range=tr(12, 12), effects=[warp(scalar)])

    fast = see(track("Video", nest(2.0)), sound(12))
    assert rows(fast) == [("a", 0, F(1, 4), F(1, 2), 2), ("b", F(1, 4), F(1, 4), 0, 2)]
    back = see(track("Video", nest(-2.0)), sound(12))
    assert rows(back) == [("b", 0, F(1, 4), F(1, 2), -2), ("a", F(1, 4), F(1, 4), 1, -2)]
    assert rows(see(track("Video", nest(0.0)), sound(12))) == [("a", 0, F(1, 2), F(1, 2), 0)]


def test_linked_retime_is_in_step_again(see: Any, shot: Any, sound: Any) -> None:
    passage = see(track("Video", shot("a", 24, 24, effects=[warp(1.5)])), sound(24, 24, effects=[warp(1.5)]))
    assert rows(passage) == [("a", 0, F(3, 2), 1, 1)]


def test_reversed_sound_turns_the_shots_round(see: Any, shot: Any, sound: Any) -> None:
    video = track("Video", shot("a", 0, 12), shot("b", 0, 36))
    passage = see(video, sound(48, 24, effects=[warp(-1.0)]))
    assert rows(passage) == [("b", 0, F(3, 2), F(3, 2), -1), ("a", F(3, 2), F(1, 2), F(1, 2), -1)]


def test_ramped_picture_stays_one_shot(see: Any, shot: Any, sound: Any) -> None:
    keys = [[0.0, 0.0], [1.0, 1.0], [3.0, 2.0], [4.0, 3.0]]
    ramp = {"OTIO_SCHEMA": "TimeEffect.1", "metadata": {"Resolve_OTIO": {"Key Frames": keys}}}
    passage = see(track("Video", shot("a", 0, 72, effects=[ramp])), sound(72))
    assert rows(passage) == [("a", 0, 3, 0, F(2, 3))]


def test_ramped_sound_maps_cuts_to_its_media(see: Any, shot: Any, sound: Any) -> None:
    keys = [[0.0, 0.0], [1.0, 1.0], [3.0, 2.0], [60.0, 59.0]]
    ramp = {"OTIO_SCHEMA": "TimeEffect.1", "metadata": {"Resolve_OTIO": {"Key Frames": keys}}}
    passage = see(track("Video", shot("a", 0, 48), shot("b", 0, 48)), sound(96, effects=[ramp]))
    assert [(row[1], row[2]) for row in rows(passage)] == [(0, F(3, 2)), (F(3, 2), F(3, 2))]


def test_stills_and_image_sequences_stand_still(see: Any, media: Path, sound: Any) -> None:
    still = clip("still", tr(0, 24), external(str(media / "still.png"), tr(0, 1, 0.0)))
    reference = {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "available_range": tr(0, 100),
        "target_url_base": media.as_uri(),
        "name_prefix": "seq.",
        "name_suffix": ".png",
        "start_frame": 1,
        "frame_zero_padding": 4,
    }
    passage = see(track("Video", still, clip("seq", tr(10, 24), reference)), sound(48))
    assert rows(passage) == [("still", 0, 1, 0, 0), ("seq.0001", 1, 1, 0, 0)]


def test_picture_offsets_take_the_timecode_off(see: Any, media: Path, sound: Any) -> None:
    video = clip("a", tr(86412, 24), external(str(media / "a.mov"), tr(86400, 72)))
    assert rows(see(track("Video", video), sound(24))) == [("a", 0, 1, F(1, 2), 1)]


def test_no_video_track_no_shots(see: Any, sound: Any, tmp_path: Path) -> None:
    assert see(sound(24)).shots == ()
    assert open_timeline(tmp_path / "in.otio").clips[0].shots == 0


def test_shots_are_counted_over_the_clip_only(see: Any, shot: Any, sound: Any, tmp_path: Path) -> None:
    video = track("Video", shot("a", 0, 12), shot("b", 0, 24), shot("c", 0, 36))
    see(video, track("Audio", gap(12), *sound(36)["children"]))
    assert open_timeline(tmp_path / "in.otio").clips[0].shots == 2


def test_shots_have_no_holes(see: Any, shot: Any, sound: Any) -> None:
    passage = see(
        track("Video", gap(10), shot("a", 3, 20), transition(3, 5), shot("b", 9, 31), gap(7)),
        track("Video", gap(20), shot("c", 0, 15)),
        sound(80),
    )
    position = passage.shots[0].start
    for one in passage.shots:
        assert one.start == position
        position += one.duration
    assert position == F(80, 24)


def test_notes_come_from_everywhere(see: Any, shot: Any, sound: Any) -> None:
    noted = shot(
        "a", 24, 48, metadata={"Resolve_OTIO": {"Note": "loud crowd"}}, markers=[marker("boom", 36, 6)]
    )
    relative = shot("b", 2400, 48, markers=[marker("rel", 12)])
    passage = see(
        track("Video", noted, relative, markers=[marker("track", 30, 0)]),
        sound(72),
        markers=[
            marker("scene", 0, 24, metadata={"Resolve_OTIO": {"Note": "church"}}),
            marker("", 48, 24, comment="duck music"),
            marker("late", 500),
            marker("", 0),
        ],
    )
    assert [(n.start, n.duration, n.text) for n in passage.notes] == [
        (0, 1, "scene: church"),
        (0, 2, "loud crowd"),
        (F(1, 2), F(1, 4), "boom"),
        (F(30, 24), 0, "track"),
        (2, 1, "duck music"),
        (F(60, 24), F(1, 24), "rel"),
    ]


def test_notes_counted_from_the_global_start(see: Any, sound: Any) -> None:
    start = {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": 86400.0}
    passage = see(sound(48), markers=[marker("here", 86424)], start=start)
    assert [(n.start, n.text) for n in passage.notes] == [(1, "here")]


def test_notes_follow_the_sounds_own_speed(see: Any, sound: Any) -> None:
    passage = see(sound(48, effects=[warp(2.0)]), markers=[marker("mid", 24, 12), marker("edge", 40, 480)])
    assert [(n.start, n.duration, n.text) for n in passage.notes] == [
        (2, 1, "mid"),
        (F(80, 24), F(16, 24), "edge"),
    ]
