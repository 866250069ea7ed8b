"""Random timelines: every clip's record time against an independent, top-down computation."""

from __future__ import annotations

import copy
import json
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import SightmixError
from sightmix.plugin.timeline import ResultClip, ResultTrack, open_timeline, write_result
from timeline_kit import DATA, clip, gap, rt, stack, timeline, tr, track

NTSC = {23.976: Fraction(24000, 1001), 29.97: Fraction(30000, 1001), 59.94: Fraction(60000, 1001)}
RATES = [23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 48000.0]

rates = st.sampled_from(RATES)
frames = st.integers(1, 500)


def exact(value: float, rate: float) -> Fraction:
    return Fraction(value) / NTSC.get(rate, Fraction(rate))


@st.composite
def clips(draw: st.DrawFn) -> dict[str, Any]:
    rate = draw(rates)
    return clip(f"c{draw(st.integers(0, 10**9))}", tr(draw(st.integers(0, 5000)), draw(frames), rate))


gaps = st.builds(gap, frames, rates)


@st.composite
def trims(draw: st.DrawFn) -> dict[str, Any] | None:
    if draw(st.booleans()):
        return None
    return tr(draw(st.integers(-20, 200)), draw(frames), draw(st.sampled_from(RATES[:-1])))


def stacks(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    tracks = st.builds(
        lambda items, trim: track("Audio", *items, source_range=trim), st.lists(inner, max_size=4), trims()
    )
    return st.builds(
        lambda layers, trim: stack(*layers, name="nest", source_range=trim),
        st.lists(tracks, min_size=1, max_size=2),
        trims(),
    )


items = st.recursive(st.one_of(clips(), gaps), stacks, max_leaves=12)
tracks = st.builds(
    lambda inner, trim: track("Audio", *inner, source_range=trim), st.lists(items, max_size=5), trims()
)


@st.composite
def timelines(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.sampled_from([None, rt(86400.0, 24.0), rt(107892, 29.97), rt(108000, 29.97)]))
    return timeline(*draw(st.lists(tracks, max_size=3)), start=start)


def length(node: dict[str, Any]) -> Fraction:
    given = node["source_range"]
    if given:
        return exact(given["duration"]["value"], given["duration"]["rate"])
    inner = [length(child) for child in node["children"]]
    return sum(inner, Fraction(0)) if node["OTIO_SCHEMA"] == "Track.1" else max(inner, default=Fraction(0))


def expected(node: dict[str, Any], at: Fraction, first: Fraction, last: Fraction) -> list[tuple[Any, ...]]:
    """Clips of `node`, whose untrimmed begin lies at record time `at`, heard inside [first, last]."""
    end = at + length(node)
    first, last = max(first, at), min(last, end)
    if first >= last:
        return []
    if node["OTIO_SCHEMA"] == "Clip.2":
        return [(first, last, node["name"])]
    given = node["source_range"]
    inner = at - (exact(given["start_time"]["value"], given["start_time"]["rate"]) if given else 0)
    found: list[tuple[Any, ...]] = []
    for child in node.get("children", []):
        found += expected(child, inner, first, last)
        inner += length(child) if node["OTIO_SCHEMA"] == "Track.1" else 0
    return found


def opened(root: dict[str, Any], folder: str) -> Any:
    path = Path(folder) / "in.otio"
    path.write_text(json.dumps(root))
    return open_timeline(path)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(timelines())
def test_record_times_of_random_timelines(root: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = opened(root, folder)
    wanted = expected(root["tracks"], Fraction(0), Fraction(0), Fraction(10**6))
    assert sorted((c.record_in, c.record_out, c.name) for c in found.clips) == sorted(wanted)
    order = [(c.record_in, c.leaf.track) for c in found.clips]
    assert order == sorted(order)
    assert found.duration == length(root["tracks"])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(timelines(), st.booleans())
def test_results_lie_where_the_clips_lie(root: dict[str, Any], mute: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = opened(root, folder)
        results = {
            c.index: [
                ResultTrack("rebalanced", ResultClip(Path(folder) / f"{c.index}.wav", 48000, 10**9, 2, 48048))
            ]
            for c in source.clips
            if c.duration > 0
        }
        out = Path(folder) / "out.otio"
        write_result(source, results, out, mute)
        written = json.loads(out.read_text())
        ours = [t for t in written["tracks"]["children"] if "sightmix" in t["metadata"] and t["name"]]
        ours = [t for t in ours if t["metadata"]["sightmix"].get("generated")]
        again = Path(folder) / "again.otio"
        write_result(open_timeline(out), results, again, mute)
        assert again.read_bytes() == out.read_bytes()
        assert [c.name for c in open_timeline(out).clips] == [c.name for c in source.clips]
        out.unlink()
    placed = [hit for t in ours for hit in expected(t, Fraction(0), Fraction(0), Fraction(10**6))]
    wanted = [(c.record_in, c.record_out, f"{c.index}.wav") for c in source.clips if c.duration > 0]
    assert len(placed) == len(wanted)
    for (a, b, name), (x, y, other) in zip(
        sorted(placed, key=lambda p: p[2]), sorted(wanted, key=lambda p: p[2]), strict=True
    ):
        assert name == other
        assert abs(a - x) < Fraction(1, 10**9)
        assert abs(b - y) < Fraction(1, 10**9)


DAMAGE = [
    None,
    0,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    10**400,
    "",
    "x",
    True,
    [],
    {},
    [None],
    "Clip.2",
    "Track.1",
]


def places(node: Any) -> list[tuple[Any, Any]]:
    keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [place for key in keys for place in places(node[key])]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_timelines_are_read_or_refused(data: st.DataObject) -> None:
    names = [
        "resolve/base.otio",
        "tlrender/MissingMedia.otio",
        "otio_core/transition.otio",
        "avid/one_audio_clip.otio",
    ]
    root = json.loads((DATA / data.draw(st.sampled_from(names))).read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(root)
        holder, key = found[data.draw(st.integers(0, len(found) - 1))]
        holder[key] = copy.deepcopy(data.draw(st.sampled_from(DAMAGE)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            source = opened(root, folder)
            results = {
                c.index: [ResultTrack("rebalanced", ResultClip(Path(folder) / "r.wav", 48000, 10**6, 1))]
                for c in source.clips
                if c.shots >= 0 and (not c.online or c.passage())
            }
            out = write_result(source, results, Path(folder) / "out.otio", mute_originals=True)
        except SightmixError:
            return
        assert [(c.name, c.state) for c in open_timeline(out).clips] == [
            (c.name, c.state) for c in source.clips
        ]
