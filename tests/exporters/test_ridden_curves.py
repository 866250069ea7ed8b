"""Volume lines of clips in every format: retimed, several of one take, and on through the handles of dissolves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import exporter_sound as kit
import numpy as np
import pytest
from fcpxml_rules import check, placed, time
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.lanes import stretches
from sightmix.engine.edit.model import Edit, EditTransition, GainCurve
from sightmix.exporters import formats

RATE = Fraction(25)
Line = tuple[float, list[float], list[float]]  # record second that times count from, times (s), dB


def moving(seed: int, rate: Fraction = Fraction(43)) -> GainCurve:
    """A model's curve, 43 points a second from a second before the clip until long after it, that never rests."""
    times = tuple(Fraction(i) / rate for i in range(-43, 300))
    t = np.array([float(time_) for time_ in times])
    return GainCurve(times, tuple((4 * np.sin(1.7 * t + seed) - 3).tolist()))


def take(folder: Path, speed: int = 1) -> Edit:
    """Three clips of one take, dissolves between them, under a curve each."""
    media = kit.noise(folder / "a.wav", 30)
    cuts = [(0, 60, 50), (60, 50, 200), (110, 70, 400)]
    clips = [
        kit.framed(media, RATE, start, length, source, speed=Fraction(speed), gain=moving(i))
        for i, (start, length, source) in enumerate(cuts)
    ]
    edit = kit.audio_edit(RATE, clips)
    joints = tuple(EditTransition(Fraction(cut) / RATE, 6 / RATE, 8 / RATE) for cut in (60, 110))
    return replace(edit, tracks=(replace(edit.tracks[0], transitions=joints),))


def fcpxml(path: Path) -> Iterator[Line]:
    root = ET.parse(path).getroot()
    check(root)
    for clip in placed(root):
        keys = [
            (time(k.get("time")) - clip.source, float(k.get("value"))) for k in clip.element.iter("keyframe")
        ]
        local = time(clip.element.get("start")) - clip.source
        yield float(clip.start - local), [float(t) for t, _ in keys], [db for _, db in keys]


def fcp7(path: Path) -> Iterator[Line]:
    # A clip beside a transition says no start of its own: it begins where the transition does.
    begins = (0, 54, 104)
    for begin, item in zip(begins, ET.parse(path).getroot().find(".//track").iter("clipitem"), strict=True):
        first = int(item.findtext("in"))
        keys = [(int(k.findtext("when")) - first, float(k.findtext("value"))) for k in item.iter("keyframe")]
        yield begin / 25, [n / 25 for n, _ in keys], [20 * np.log10(v) for _, v in keys]


def rpp(path: Path) -> Iterator[Line]:
    project = pytest.importorskip("rpp").loads(path.read_text(encoding="utf-8"))
    for item in project.find("TRACK").findall("ITEM"):
        speed = float(item.find("PLAYRATE")[1])
        points = [
            (float(p[1]) / speed, 20 * np.log10(float(p[2]))) for p in item.find("VOLENV").findall("PT")
        ]
        yield float(item.find("POSITION")[1]), [t for t, _ in points], [db for _, db in points]


def mlt(path: Path) -> Iterator[Line]:
    root = ET.parse(path).getroot()
    profile = root.find("profile")
    frame = int(profile.get("frame_rate_den")) / int(profile.get("frame_rate_num"))
    producers = {producer.get("id"): producer for producer in root if producer.tag in ("producer", "chain")}
    found = []
    for playlist in root.iter("playlist"):
        at = 0
        for child in playlist:
            if child.tag == "blank":
                at += int(child.get("length"))
            elif child.tag == "entry":
                bearers = (child, producers[child.get("producer")])
                filters = [filter for bearer in bearers for filter in bearer.iter("filter")]
                level = next((t for t in (f.findtext("property[@name='level']") for f in filters) if t), None)
                if level is None:  # the background
                    continue
                keys = [key.split("=") for key in level.split(";")]
                # A level is reached at its frame's end; only the first holds all along.
                times = [(int(n) + (1 if int(n) else 0.5)) * frame for n, _ in keys]
                found.append((at * frame, times, [float(db) for _, db in keys]))
                at += int(child.get("out")) - int(child.get("in")) + 1
    yield from sorted(found)


def aaf(path: Path) -> Iterator[Line]:
    aaf2 = pytest.importorskip("aaf2")
    with aaf2.open(str(path), "r") as file:
        slot = next(s for s in next(file.content.toplevel()).slots if s.media_kind == "Sound")
        rate, at = float(slot.edit_rate), 0
        for part in slot.segment.components:
            if type(part).__name__ == "Transition":
                at -= part.length
            else:
                if type(part).__name__ == "OperationGroup":
                    points = list(next(iter(part.parameters))["PointList"])
                    span = part.length / rate
                    yield (
                        at / rate,
                        [float(p.time) * span for p in points],
                        [20 * np.log10(float(p.value)) for p in points],
                    )
                at += part.length


READERS: dict[str, Callable[[Path], Iterator[Line]]] = {
    "fcpxml": fcpxml, "fcp7": fcp7, "rpp": rpp, "mlt": mlt, "aaf": aaf,
}  # fmt: skip


# An AAF of ours carries no speeds.
@pytest.mark.parametrize(("form", "speed"), [(f, s) for f in READERS for s in (1, 2) if (f, s) != ("aaf", 2)])
def test_a_format_plays_the_curve_to_a_tenth_of_a_decibel(tmp_path: Path, form: str, speed: int) -> None:
    edit, out = take(tmp_path, speed), tmp_path / f"out.{form}"
    formats.export(edit, out, form)
    lines = list(READERS[form](out))
    handles = [(0, 8), (6, 8), (6, 0)]
    assert len(lines) == 3
    for (begin, times, db), clip, (early, late) in zip(lines, edit.tracks[0].clips, handles, strict=True):
        assert clip.gain is not None
        heard = [t for t in clip.gain.times if -early <= t * RATE <= clip.duration * RATE + late]
        assert len(times) < len(heard) / 2, "thinned"
        # On frames, which is what some formats count in.
        record = np.arange(-early + 1, int(clip.duration * RATE) + late - 1) / 25 + float(clip.start)
        wanted = keyframes.levels(clip.gain, record - float(clip.start))
        off = np.interp(record - begin, times, db) - wanted
        assert np.abs(off).max() < 0.11, f"{form}: {np.abs(off).max()} dB off"


def test_a_ramp_cut_into_stretches_keeps_the_curve_of_its_handles(tmp_path: Path) -> None:
    clip = take(tmp_path).tracks[0].clips[0]
    ramp = ((Fraction(0), Fraction(2)), (Fraction(1), Fraction(3)), (clip.duration, Fraction(9)))
    first, last = stretches(replace(clip, ramp=ramp))
    assert clip.gain is not None
    assert first.gain is not None
    assert last.gain is not None
    assert keyframes.at(first.gain, Fraction(-1, 2)) == keyframes.at(clip.gain, Fraction(-1, 2))
    past = last.duration + Fraction(1, 2)
    assert keyframes.at(last.gain, past) == pytest.approx(
        keyframes.at(clip.gain, clip.duration + Fraction(1, 2))
    )
