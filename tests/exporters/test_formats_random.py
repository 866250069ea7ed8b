"""Random timelines through the formats of editors: every clip comes back in its place, every file is well formed."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import fcpxml_rules
import format_report
import pytest
from exporter_edits import RATES
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sightmix.engine.edit.losses import Losses
from sightmix.engine.edit.model import Edit, EditClip, EditMedia, EditTrack, EditTransition, GainCurve
from sightmix.exporters import formats
from sightmix.exporters.common import feasible

SAMPLE = Fraction(1, 48000)
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking whole timelines takes minutes


@st.composite
def curves(draw: st.DrawFn, duration: Fraction) -> GainCurve | None:
    """A gain curve with points inside and outside the clip, or none."""
    if draw(st.booleans()):
        return None
    shares = draw(st.lists(st.integers(-5, 30), min_size=1, max_size=6, unique=True))
    levels = draw(st.lists(st.floats(-120, 20), min_size=len(shares), max_size=len(shares)))
    return GainCurve(tuple(duration * Fraction(n, 20) for n in sorted(shares)), tuple(levels))


@st.composite
def tracks(draw: st.DrawFn, kind: str, rate: Fraction) -> EditTrack:
    """Clips of at least two frames in order, on frames for picture and on samples for sound; some dissolve."""
    unit = 1 / rate if kind == "video" else SAMPLE
    least = 2 if kind == "video" else 4000
    clips: list[EditClip] = []
    joints: list[EditTransition] = []
    at = Fraction(0)
    for i in range(draw(st.integers(0, 4))):
        met = i > 0 and draw(st.booleans())
        at += 0 if met else unit * draw(st.integers(0 if i == 0 else 1, 200000 if kind == "audio" else 100))
        length = unit * draw(st.integers(least, least * 40))
        head = unit * draw(st.integers(-least // 4, least * 10))
        stamp = draw(st.integers(0, 3)) * 3600 * round(rate) / rate  # hours of timecode: whole frames
        media = EditMedia(
            f"ä & <{i}>.wav", f"/m/{i}.wav", None, stamp, head + length * 2 + 1, 48000, 2, (2,), bits=24
        )
        gain = draw(curves(length)) if kind == "audio" else None
        fade = draw(st.sampled_from((Fraction(0), length / 4))) if kind == "audio" else Fraction(0)
        clip = EditClip(f"“{i}” <&>", at, length, media, stamp + head, gain=gain, fade_out=fade, link=i)
        if met and draw(st.booleans()) and not clips[-1].fade_out:
            half = min(length, clips[-1].duration) / 4
            joints.append(EditTransition(at, half, half))
        clips.append(clip)
        at += length
    return EditTrack(kind, f"{kind} & <1>", tuple(clips), tuple(joints))


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    rate = draw(st.sampled_from(RATES))
    kinds = ["video"] * draw(st.integers(0, 2)) + ["audio"] * draw(st.integers(1, 3))
    start = draw(st.integers(0, 90000)) / rate
    drop = rate in (Fraction(30000, 1001), Fraction(60000, 1001)) and draw(st.booleans())
    return Edit("random & <timeline>", rate, tuple(draw(tracks(kind, rate)) for kind in kinds), start, drop)


def back(edit: Edit, key: str, folder: Path) -> list[format_report.Found]:
    form = formats.find(key)
    out = folder / f"out{form.suffix}"
    formats.export(edit, out, key)
    if key == "fcpxml":
        fcpxml_rules.check(ET.parse(out).getroot())
    return list(format_report.READERS[key](out, edit))


@pytest.mark.parametrize(
    ("key", "unit", "examples"), [("fcp7", "frame", 25), ("fcpxml", "exact", 40), ("aaf", "sample", 8)]
)
def test_clips_come_back_in_place(key: str, unit: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, phases=QUICK)
    @given(edit=edits())
    def run(edit: Edit) -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = back(edit, key, Path(folder))
        allowed = {"frame": Fraction(1, 2) / edit.rate, "exact": Fraction(0), "sample": SAMPLE / 2}[unit]
        wanted = feasible(edit, Losses())
        for kind in ("video", "audio"):
            slack = Fraction(1, 2) / edit.rate if kind == "video" else allowed
            own = [c for t in wanted.tracks for c in t.clips if t.kind == kind]
            times = sorted({(one.start, one.duration, one.source) for one in found if one.kind == kind})
            assert bool(times) == bool(own)
            for clip in own:
                near = min(
                    max(abs(a - clip.start), abs(b - clip.duration) / 2, abs((c or 0) - clip.source_in) / 2)
                    for a, b, c in times
                )
                assert near <= slack

    run()


@settings(max_examples=20, deadline=None, phases=QUICK)
@given(edit=edits())
def test_lists_stay_within_their_day(edit: Edit) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for one in back(edit, "edl", Path(folder)):
            assert 0 <= one.start < edit.duration + 1
            assert one.source is not None
            assert one.source >= -1 / edit.rate
