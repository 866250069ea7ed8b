"""The report: its JSON's shape, and a page that is whole, safe and self-contained."""

import json
import math
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from job_helpers import ALONE, RATE, tone
from sightmix.engine.errors import Cancelled
from sightmix.engine.passage import GainCurves, Loudness, Passage, Rendition, SeenFrame, Shot, Sound
from sightmix.engine.progress import Progress
from sightmix.engine.roles import STEMS
from sightmix.plugin.jobs.report import loudness_line, write_report
from sightmix.plugin.jobs.results import ClipFacts, ClipResult, JobResult
from sightmix.plugin.jobs.settings import JobSettings

HOSTILE = "<script>alert('x')</script>\"><img src=//evil.example/a onerror=x>{{7*7}}\x00"
FIGURE = (float, type(None))
LOUDNESS = {name: FIGURE for name in ("integrated", "range", "true_peak", "momentary_max", "short_term_max")}
SHAPE: dict[str, Any] = {
    "schema": str,
    "sightmix": str,
    "made": str,
    "timeline": {"name": str, "source": str, "result": str, "folder": str},
    "settings": {"strength": float, "loudness": str, "handles": int, "stems": bool},
    "model": {"name": str, "weights_sha256": str, "device": str},
    "summary": {
        "clips": int,
        "done": int,
        "cached": int,
        "failed": int,
        "left_out": int,
        "sound_seconds": float,
        "seconds": float,
        "target_lufs": FIGURE,
        "gain_db": float,
        "integrated_before": FIGURE,
        "integrated_after": FIGURE,
        "true_peak_before": FIGURE,
        "true_peak_after": FIGURE,
    },
    "clips": list,
}
CLIP: dict[str, Any] = {
    "index": int,
    "name": str,
    "track": str,
    "record_in": float,
    "record_out": float,
    "record_in_tc": str,
    "record_out_tc": str,
    "duration": float,
    "status": str,
    "reason": str,
    "cuts": list,
}
SOUND: dict[str, Any] = {
    "key": str,
    "media": str,
    "file": str,
    "stems": dict,
    "sample_rate": int,
    "channels": int,
    "samples": int,
    "start": float,
    "before": LOUDNESS,
    "after": LOUDNESS,
    "makeup_db": float,
    "stem_levels": dict,
    "gains": {"times": list, "speech": list, "music": list, "effects": list},
    "frames": list,
    "provenance": dict,
    "warnings": list,
}


def fits(value: Any, shape: Any, where: str = "report") -> None:
    if isinstance(shape, dict):
        for name, inner in shape.items():
            assert name in value, f"{where} lacks {name}"
            fits(value[name], inner, f"{where}.{name}")
    else:
        assert isinstance(value, shape), f"{where} is {value!r}"


class Page(HTMLParser):
    """Collects tags, addresses and texts, and checks that elements nest."""

    void = frozenset({"meta", "br", "img", "input", "hr", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            v or "" for k, v in attrs if k in ("href", "src", "action", "srcset", "xlink:href")
        ]
        assert not [k for k, _ in attrs if k.startswith("on")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


def movie(path: Path, seconds: int = 3) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for i in range(25 * seconds):
            picture = np.full((72, 128, 3), (i * 3) % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def facts(index: int, name: str) -> ClipFacts:
    return ClipFacts(index, name, "A1", Fraction(index), Fraction(index + 2), "01:00:01:00", "01:00:03:00")


def finished(index: int, folder: Path, name: str, frames: bool = True) -> ClipResult:
    original, made = (
        tone(folder / f"o{index}.wav", 3),
        tone(folder / "out.sightmix" / f"m{index}.wav", 3, -26),
    )
    picture = folder / "picture.mp4"
    shots = (Shot(Fraction(-1), Fraction(2), picture), Shot(Fraction(1), Fraction(3), picture, Fraction(1)))
    passage = Passage(
        str(index), name, Sound(original, Fraction(1, 2), Fraction(2)), Fraction(1, 2), Fraction(1, 2), shots
    )
    times = tuple(i / 10 - 0.5 for i in range(30))
    curve = tuple(math.sin(t) * 8 for t in times)
    rendition = Rendition(
        identifier=str(index),
        path=made,
        start=Fraction(-1, 2),
        samples=3 * RATE,
        sample_rate=RATE,
        channels=2,
        before=Loudness(-20.0, 1.0, -17.0, -18.0, -19.0),
        after=Loudness(-26.0, 1.0, -23.0, -24.0, -25.0),
        gains=GainCurves(times, {"speech": curve, "music": curve, "effects": tuple(0.0 for _ in times)}),
        stem_levels={"speech": (-22.0, -math.inf), "music": (-30.0, -28.0), "effects": (-50.0, -50.0)},
        frames=tuple(SeenFrame(t, picture, Fraction(t), 0) for t in (0.0, 1.0, 2.0)) if frames else (),
        makeup_db=-1.5,
        provenance={
            "model": name,
            "weights_sha256": "ef" * 32,
            "seconds": {"network": 1.5},
            "odd": Path("x"),
        },
        warnings=(name,),
    )
    return ClipResult(facts(index, name), "rendered", "", "12" * 32, passage, rendition, 1.0)


def job_of(folder: Path, clips: tuple[ClipResult, ...], name: str = "Reel") -> JobResult:
    out = folder / "out.sightmix"
    return JobResult(
        timeline_name=name,
        source=folder / "reel.otio",
        out=folder / "out.otio",
        folder=out,
        settings=JobSettings(**(ALONE | {"loudness": "-23"})),
        model="fake-1",
        weights_sha256="ab" * 32,
        device="cpu",
        clips=clips,
        gain_db=-1.5,
        integrated=(-20.0, -math.inf),
        seconds=3.5,
        made="2026-01-02T03:04:05+00:00",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out.sightmix").mkdir()
    movie(tmp_path / "picture.mp4")
    return tmp_path


def written(folder: Path, *clips: ClipResult, name: str = "Reel") -> tuple[Page, dict[str, Any]]:
    page, sheet = write_report(job_of(folder, clips, name), Progress())
    return parsed(page), json.loads(sheet.read_text(encoding="utf-8"))


def test_the_json_has_its_shape(folder: Path) -> None:
    failed = ClipResult(facts(2, "b"), "failed", "b.wav does not exist.")
    _, data = written(folder, finished(1, folder, "a"), failed)
    fits(data, SHAPE)
    for clip in data["clips"]:
        fits(clip, CLIP)
    fits(data["clips"][0], SOUND)
    assert data["schema"] == "sightmix.report/1"
    assert data["summary"]["integrated_after"] is None
    assert data["clips"][0]["cuts"] == [1.0]
    assert data["clips"][0]["stem_levels"]["speech"] == [-22.0, None]
    assert data["clips"][1]["reason"] == "b.wav does not exist."


def test_the_page_is_whole_and_needs_nothing_else(folder: Path) -> None:
    page, _ = written(folder, finished(1, folder, "a"), finished(2, folder, "b"))
    assert page.addresses
    assert all(a.startswith(("#", "data:image/")) for a in page.addresses)
    text = (folder / "out.sightmix" / "report.html").read_text()
    assert not re.search(r"https?:|url\(|@import|<script|<link|<iframe", text)
    assert page.tags.count("article") == 2
    assert page.tags.count("polyline") == 6
    jpegs = [a for a in page.addresses if a.startswith("data:image/jpeg")]
    pngs = [a for a in page.addresses if a.startswith("data:image/png")]
    assert (len(jpegs), len(pngs)) == (6, 4)


def test_hostile_names_stay_text(folder: Path) -> None:
    failed = ClipResult(facts(2, HOSTILE), "failed", HOSTILE)
    page, data = written(folder, finished(1, folder, HOSTILE), failed, name=HOSTILE)
    assert "script" not in page.tags
    assert "img" not in page.tags
    joined = "".join(page.text)
    assert joined.count("<script>alert('x')</script>") >= 6
    assert "{{7*7}}" in joined
    assert data["clips"][0]["name"] == HOSTILE


def test_names_that_are_not_unicode_do_not_stop_the_report(folder: Path) -> None:
    _, data = written(folder, finished(1, folder, "bad\udcff name"))
    assert data["clips"][0]["name"] == "bad? name"


def test_failures_and_offline_clips_are_listed_with_their_reason(folder: Path) -> None:
    failed = ClipResult(facts(1, "a"), "failed", "Its file is damaged.")
    offline = ClipResult(facts(2, "b"), "left out", "Its media is offline.")
    page, _ = written(folder, failed, offline)
    text = " ".join(page.text)
    assert "Its file is damaged." in text
    assert "Its media is offline." in text
    assert "article" not in page.tags


def test_a_clip_without_pictures_says_so(folder: Path) -> None:
    page, _ = written(folder, finished(1, folder, "a", frames=False))
    assert "no picture was looked at" in " ".join(page.text)
    assert not [a for a in page.addresses if a.startswith("data:image/jpeg")]


def test_media_that_have_gone_leave_their_lane_empty(folder: Path) -> None:
    clip = finished(1, folder, "a")
    (folder / "picture.mp4").unlink()
    (folder / "o1.wav").unlink()
    page, _ = written(folder, clip)
    assert "can no longer be read" in " ".join(page.text)
    assert len([a for a in page.addresses if a.startswith("data:image/png")]) == 1


def test_no_clips_at_all_is_still_a_report(folder: Path) -> None:
    page, data = written(folder)
    assert data["clips"] == []
    assert "Clips rebalanced" in " ".join(page.text)


def test_silence_is_minus_infinity_on_the_page(folder: Path) -> None:
    page, _ = written(folder, finished(1, folder, "a"))
    assert "−∞" in "".join(page.text)


def test_cancel_stops_the_report_without_a_file(folder: Path) -> None:
    progress = Progress()
    progress.observe = lambda step: progress.cancel()
    with pytest.raises(Cancelled):
        write_report(job_of(folder, (finished(1, folder, "a"),)), progress)
    assert not list((folder / "out.sightmix").glob("*report*"))


def test_short_clips_and_odd_figures(folder: Path) -> None:
    clip = finished(1, folder, "a")
    assert clip.rendition is not None
    empty = GainCurves((), {stem: () for stem in STEMS})
    odd = replace(clip.rendition, gains=empty, samples=1, stem_levels={}, provenance={})
    page, _ = written(folder, replace(clip, rendition=odd))
    assert page.tags.count("polyline") == 3


def test_a_line_of_loudness() -> None:
    before = Loudness(-math.inf, 0, -math.inf, -math.inf, -math.inf)
    assert loudness_line(before, Loudness(-23.04, 1, -0.04, 0, 0)) == "−∞ → −23.0 LUFS, 0.0 dBTP"
