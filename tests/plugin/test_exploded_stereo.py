"""Channels of one sound on mono tracks of their own are one clip, so that the balance between them stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sightmix.engine.passage import Channel
from sightmix.plugin.timeline import ResultClip, ResultTrack, open_timeline, write_result
from timeline_kit import clip, external, rt, save, timeline, tr, track, transition, wav


def mono(path: Path, channel: int, link: int | None = None, start: float = 0, stream: int = 0) -> Any:
    words: dict[str, Any] = {
        "Channels": [{"Source Channel ID": channel, "Source Track ID": stream}],
    }
    if link is not None:
        words["Link Group ID"] = link
    return clip(f"ch{channel}", tr(start, 48), external(str(path)), metadata={"Resolve_OTIO": words})


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    wav(tmp_path / "st.wav", channels=2)
    return tmp_path / "st.wav"


def opened(folder: Path, *tracks: Any) -> Any:
    return open_timeline(save(folder / "in.otio", timeline(*tracks, start=rt(0, 24))))


def test_a_linked_pair_is_one_clip_of_two_channels(tmp_path: Path, stereo: Path) -> None:
    found = opened(tmp_path, track("Audio", mono(stereo, 0, 7)), track("Audio", mono(stereo, 1, 7)))
    [one] = found.clips
    assert one.channels == (Channel(0, 0), Channel(0, 1))
    assert (one.index, one.track_number) == (1, 1)
    assert one.passage().sound.channels == (Channel(0, 0), Channel(0, 1))
    assert [leaf.track for leaf in one.leaves] == [0, 1]


def test_the_right_channel_may_lie_above_the_left(tmp_path: Path, stereo: Path) -> None:
    found = opened(tmp_path, track("Audio", mono(stereo, 1)), track("Audio", mono(stereo, 0)))
    assert [c.channels for c in found.clips] == [(Channel(0, 0), Channel(0, 1))]


@pytest.mark.parametrize(
    "other",
    [
        lambda path: mono(path, 1, 8),  # linked to something else
        lambda path: mono(path, 1, 7, start=1),  # another part of the file
        lambda path: mono(path, 0, 7),  # the same channel twice
    ],
)
def test_what_is_no_pair_stays_apart(tmp_path: Path, stereo: Path, other: Any) -> None:
    found = opened(tmp_path, track("Audio", mono(stereo, 0, 7)), track("Audio", other(stereo)))
    assert len(found.clips) == 2
    assert [c.index for c in found.clips] == [1, 2]


def test_one_channel_alone_stays_mono(tmp_path: Path, stereo: Path) -> None:
    found = opened(tmp_path, track("Audio", mono(stereo, 1, 7)))
    assert [c.channels for c in found.clips] == [(Channel(0, 1),)]


def test_muting_a_pair_mutes_both_tracks(tmp_path: Path, stereo: Path) -> None:
    words = {"Resolve_OTIO": {"Audio Type": "Mono"}}
    tracks = [track("Audio", mono(stereo, channel, 7), metadata=words) for channel in (0, 1)]
    found = opened(tmp_path, *tracks)
    result = ResultTrack("rebalanced", ResultClip(tmp_path / "r.wav", 48000, 96000, 2))
    out = write_result(found, {1: [result]}, tmp_path / "out.otio", mute_originals=True)
    tracks = json.loads(out.read_text())["tracks"]["children"]
    assert [t["enabled"] for t in tracks] == [False, False, True]
    assert tracks[2]["metadata"]["Resolve_OTIO"]["Audio Type"] == "Stereo"
    assert [c["name"] for c in tracks[2]["children"]] == ["r.wav"]


def volume(level: float = 0.0, **fades: float) -> dict[str, Any]:
    values = {"volume": level, **fades}
    parameters = [{"Parameter ID": k, "Parameter Value": v, "Key Frames": {}} for k, v in values.items()]
    host = {"Effect Name": "Volume", "Enabled": True, "Name": "Volume", "Type": 62, "Parameters": parameters}
    return {"OTIO_SCHEMA": "Effect.1", "name": "", "effect_name": "", "metadata": {"Resolve_OTIO": host}}


def eq() -> dict[str, Any]:
    return {"OTIO_SCHEMA": "Effect.1", "name": "EQ", "effect_name": "EQ", "metadata": {}}


@pytest.mark.parametrize(
    "treat",
    [
        lambda path: track("Audio", {**mono(path, 1, 7), "effects": [volume(-6.0)]}),
        lambda path: track("Audio", {**mono(path, 1, 7), "effects": [volume(faderIn=12.0)]}),
        lambda path: track("Audio", {**mono(path, 1, 7), "effects": [eq()]}),
        lambda path: track("Audio", mono(path, 1, 7), effects=[volume(-6.0)]),
        lambda path: track("Audio", mono(path, 1, 7), transition(0, 6)),
    ],
    ids=["level", "fade", "effect", "track level", "transition"],
)
def test_channels_that_are_treated_differently_stay_apart(tmp_path: Path, stereo: Path, treat: Any) -> None:
    found = opened(tmp_path, track("Audio", mono(stereo, 0, 7)), treat(stereo))
    assert [c.channels for c in found.clips] == [(Channel(0, 0),), (Channel(0, 1),)]


def test_channels_of_one_level_are_a_pair(tmp_path: Path, stereo: Path) -> None:
    tracks = [
        track("Audio", {**mono(stereo, channel, 7), "effects": [volume(-6.0), eq()]}) for channel in (0, 1)
    ]
    assert [c.channels for c in opened(tmp_path, *tracks).clips] == [(Channel(0, 0), Channel(0, 1))]
