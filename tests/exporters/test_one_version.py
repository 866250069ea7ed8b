"""Of every sound one version is heard, in every format that results go to, and it is as loud as it is said to be."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import fcpxml_rules
import numpy as np
import pytest
import soundfile
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.model import Edit, EditClip, EditMedia, EditTrack
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.media.loudness import measure
from sightmix.engine.programme.loudness import measure_edit
from sightmix.engine.programme.versions import doubled, times_heard
from sightmix.exporters import formats
from sightmix.plugin.timeline import ResultClip, ResultTrack, Ridden, open_timeline, write_result
from sightmix.plugin.timeline.categories import track_categories
from sightmix.plugin.timeline.load import load
from sightmix.plugin.timeline.results import Gain
from test_hosts_melt import ends

sys.path.append(str(Path(__file__).parent.parent / "plugin"))

import timeline_kit as kit

RATE = 48_000
FPS = 25.0
# Per track: frames of gap before it, its file, in point and length; "x" is a dissolve.
LAID: dict[str, list[Any]] = {
    "Dialogue": [(0, "take", 25, 60), (0, "take", 100, 50), (0, "take", 180, 60), (30, "two", 30, 60), "x",
                 (0, "three", 40, 90)],
    "Music": [(0, "score", 20, 100), "x", (0, "theme", 60, 80), (0, "score", 30, 80), (0, "theme", 90, 90)],
    "SFX": [(10, "door", 20, 30), (0, "rain", 50, 40), (40, "street", 30, 40), (0, "door", 90, 40),
            (0, "rain", 100, 100)],
}  # fmt: skip
CATEGORIES = {"Dialogue": "dialogue", "Music": "music", "SFX": "effects"}
LEVELS = {2: -4.0, 5: 3.0, 9: -6.0}  # dB that the editor gave some clips
CURVE = Gain((0.0, 0.5, 0.9, 1.2, 3.0), (0.0, 3.0, -5.0, -2.0, 1.0))


def volume(level: float) -> dict[str, Any]:
    parameter = {"Parameter ID": "volume", "Parameter Value": level, "Key Frames": {}}
    host = {"Effect Name": "Volume", "Enabled": True, "Name": "Volume", "Type": 62, "Parameters": [parameter]}
    return {"OTIO_SCHEMA": "Effect.1", "name": "", "effect_name": "", "metadata": {"Resolve_OTIO": host}}


def media(folder: Path) -> None:
    for seed, name in enumerate(
        sorted({piece[1] for laid in LAID.values() for piece in laid if piece != "x"})
    ):
        rng = np.random.default_rng(seed)
        x = (
            rng.uniform(-0.1, 0.1, (9 * RATE, 2))
            * (1.2 + np.sin(np.arange(9 * RATE) / RATE * (1 + seed)))[:, None]
        )
        soundfile.write(folder / f"{name}.wav", x, RATE, subtype="PCM_24")


def timeline(folder: Path) -> Path:
    """Dialogue, music and effects: 14 clips, 9 cuts, one take cut in three, volume on some, two dissolves."""
    media(folder)
    tracks, number = [], 0
    for name, laid in LAID.items():
        items: list[Any] = []
        for piece in laid:
            if piece == "x":
                items.append(kit.transition(5, 8, FPS))
                continue
            gap, file, start, length = piece
            number += 1
            items += [kit.gap(gap, FPS)] if gap else []
            effects = [volume(LEVELS[number])] if number in LEVELS else []
            of = kit.external(str(folder / f"{file}.wav"), kit.tr(0, 225, FPS))
            items.append(kit.clip(file, kit.tr(start, length, FPS), of, effects=effects))
        words = {"Resolve_OTIO": {"Audio Type": "Stereo"}}
        tracks.append(kit.track("Audio", *items, name=name, metadata=words))
    assert number == 14
    return kit.save(
        folder / "cut.otio", kit.timeline(*tracks, start=kit.rt(90000, FPS), metadata={"Resolve_OTIO": {}})
    )


def ride(source: Path, out: Path, **given: Any) -> Edit:
    """Every clip ridden; returns the edit as it was."""
    opened = open_timeline(source)
    results = {c.index: [Ridden(CURVE, category=CATEGORIES[c.track])] for c in opened.clips}
    write_result(opened, results, out, **{"mute_originals": True, **given})
    return opened.edit


def document(path: Path) -> Edit:
    """What OTIO and its adapters read."""
    return read_edit(load(path, keep=True).root, Library(path.parent))


def edit_of(tracks: list[tuple[bool, list[EditClip]]]) -> Edit:
    made = [EditTrack("audio", f"A{i}", tuple(clips), enabled=on) for i, (on, clips) in enumerate(tracks)]
    return Edit("read", Fraction(25), tuple(made))


def clip_of(path: Path, start: Fraction, length: Fraction, source: Fraction, on: bool) -> EditClip:
    of = EditMedia(path.name, str(path), path, duration=Fraction(9), channels=2, streams=(2,))
    return EditClip(path.stem, start, length, of, source, enabled=on)


def fcpxml(path: Path) -> Edit:
    """The clips of an FCPXML, a track for each: OTIO's adapter passes over what is switched off."""
    root = ET.parse(path).getroot()
    fcpxml_rules.check(root)
    files = {
        a.get("id"): Path(a.find("media-rep").get("src").removeprefix("file://")) for a in root.iter("asset")
    }
    clips = [
        clip_of(files[p.element.get("ref")], p.start, p.duration, p.source, p.element.get("enabled") != "0")
        for p in fcpxml_rules.placed(root)
    ]
    return edit_of([(True, [clip]) for clip in clips])


def rpp(path: Path) -> Edit:
    project = pytest.importorskip("rpp").loads(path.read_text(encoding="utf-8"))

    def value(element: Any, name: str) -> str:
        return str(element.find(name)[1])

    return edit_of(
        [
            (
                value(track, "MUTESOLO") == "0",
                [
                    clip_of(
                        Path(value(item.find("SOURCE"), "FILE")),
                        *(Fraction(value(item, name)) for name in ("POSITION", "LENGTH", "SOFFS")),
                        value(item, "MUTE") == "0",
                    )
                    for item in track.findall("ITEM")
                ],
            )
            for track in project.findall("TRACK")
        ]
    )


def mlt(path: Path) -> Edit:
    root = ET.parse(path).getroot()
    profile = root.find("profile")
    frame = Fraction(int(profile.get("frame_rate_den")), int(profile.get("frame_rate_num")))
    files = {p.get("id"): Path(p.findtext("property[@name='resource']")) for p in root.iter("producer")}
    tracks = []
    for track in root.find("tractor").findall("track")[1:]:
        at, clips = 0, []
        for child in root.find(f"playlist[@id='{track.get('producer')}']"):
            if child.tag == "blank":
                at += int(child.get("length"))
            elif child.tag == "entry":
                first, last = int(child.get("in")), int(child.get("out"))
                length = last - first + 1
                place = (at * frame, length * frame, first * frame)
                clips.append(clip_of(files[child.get("producer")], *place, True))
                at += length
        tracks.append((track.get("hide") == "video", clips))
    return edit_of(tracks)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return timeline(tmp_path_factory.mktemp("reel"))


@pytest.mark.parametrize(
    ("suffix", "read"),
    [(".otio", document), (".xml", document), (".fcpxml", fcpxml), (".rpp", rpp), (".mlt", mlt)],
)
def test_one_version_is_heard(source: Path, suffix: str, read: Callable[[Path], Edit]) -> None:
    out = source.with_name(f"result{suffix}")
    result = out if suffix in (".otio", ".xml", ".fcpxml") else out.with_suffix(".otio")
    before = ride(source, result)
    if result != out:
        formats.export(load(result, keep=True).root, out, base=source.parent)
    after = read(out)
    clips = [clip for track in before.tracks for clip in track.clips]
    assert len(clips) == 14
    for clip in clips:
        assert times_heard(after, clip) == (1, 1)
    assert doubled(after) == ()


def test_what_tracks_hold_is_said_where_a_format_has_a_place_for_it(source: Path) -> None:
    out = source.with_name("roles.fcpxml")
    ride(source, out)
    back = open_timeline(out)
    found = track_categories(back)
    said = sorted((category.kind, category.reason) for category in found.values())
    assert said == [
        ("dialogue", "Final Cut says “Dialogue”"),
        ("dialogue", "Final Cut says “dialogue.Dialogue rebalanced”"),
        ("effects", "Final Cut says “SFX”"),
        ("effects", "Final Cut says “effects.SFX rebalanced”"),
        ("music", "Final Cut says “Music”"),
        ("music", "Final Cut says “music.Music rebalanced”"),
    ]
    assert len([clip for clip in back.clips if clip.online]) == 14, "originals stay switched off"
    ride(source, source.with_name("roles.otio"))
    project = source.with_name("roles.rpp")
    formats.export(load(source.with_name("roles.otio"), keep=True).root, project, base=source.parent)
    lines = [line.split() for line in project.read_text().splitlines()]
    at = {" ".join(line[1:]).strip('"'): i for i, line in enumerate(lines) if line[:1] == ["NAME"]}
    blue = int(lines[at["Dialogue rebalanced"] + 1][1])
    assert (blue & 0xFF, blue >> 8 & 0xFF, blue >> 16 & 0xFF, blue >> 24) == (0x1F, 0x66, 0xD1, 1)
    assert lines[at["Dialogue"] + 1][0] != "PEAKCOL"


def test_what_is_heard_twice_or_never_is_found(source: Path) -> None:
    out = source.with_name("kept.otio")
    before = ride(source, out, mute_originals=False)
    first = before.tracks[0].clips[0]
    assert times_heard(document(out), first) == (2, 2)
    assert len(doubled(document(out))) == 28
    nothing = Edit("none", before.rate, before.tracks[1:])
    assert times_heard(nothing, first) == (0, 0)
    # A rendered result stands for its clip, and so do its stems together.
    file = ResultClip(source.with_name("two.wav"), RATE, 9 * RATE, 2)
    opened = open_timeline(source)
    for roles, muted in ((("rebalanced",), True), (("dialogue", "music"), True), (("rebalanced",), False)):
        results = {1: [ResultTrack(role, file) for role in roles]}
        write_result(opened, results, out, mute_originals=muted)
        assert times_heard(document(out), opened.clip(1).leaf.edit) == ((1, 1) if muted else (2, 2))


def test_what_only_muted_tracks_stand_for_is_not_muted(source: Path) -> None:
    out = source.with_name("off.otio")
    opened = open_timeline(source)
    results: dict[int, list[Any]] = {1: [Ridden(CURVE, enabled=False)], 2: []}
    write_result(opened, results, out, mute_originals=True)
    for index in (1, 2):
        assert times_heard(document(out), opened.clip(index).leaf.edit) == (1, 1)


@pytest.mark.skipif(shutil.which("melt") is None, reason="melt is not installed")
def test_melt_plays_a_result_as_loud_as_it_is_said_to_be(source: Path) -> None:
    result = source.with_name("melted.otio")
    ride(source, result)
    script, sound = result.with_suffix(".mlt"), result.with_suffix(".wav")
    formats.export(load(result, keep=True).root, script, base=source.parent)
    form = ["acodec=pcm_f32le", f"ar={RATE}", "channels=2", "vn=1", "real_time=0", "terminate_on_pause=1"]
    command = ["melt", "-quiet", str(script), "-consumer", f"avformat:{sound}", *form]
    assert any(ends(command, sound) for _ in range(6)), "melt hangs"
    x, _ = soundfile.read(sound, always_2d=True, dtype="float32")
    played, said = measure(x.T, RATE), measure_edit(document(result))
    assert played.integrated == pytest.approx(said.integrated, abs=0.1)
