"""Results as stems with curves: what the host multiplies and adds is the mix, in every dialect and with loudness."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import timeline_kit as kit
from hypothesis import given
from hypothesis import strategies as st
from job_helpers import ALONE, FakeRenderer, three_clips, timeline_of
from sightmix.engine.highlight.rebalance import Rebalancer
from sightmix.engine.highlight.settings import RebalanceSettings
from sightmix.engine.passage import GainCurves, Loudness, Passage, Rendition, Sound
from sightmix.engine.progress import Progress
from sightmix.engine.roles import STEMS
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.results import JobResult
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline, result_tracks, write_result
from sightmix.plugin.timeline.results import Gain, ResultClip, ResultTrack
from sightmix.plugin.timeline.volume import fewest, set_volume

ROLES = ("dialogue", "music", "effects")


def job(source: Path, renderer: Any, **given: Any) -> JobResult:
    settings = JobSettings(**(ALONE | given))
    stage = RebalanceStage(settings, renderer)
    return run(
        make_plan(Job(source, source.parent / "out.otio", settings), open_timeline(source), stage),
        stage,
        Progress(),
    )


def noise(path: Path, seconds: float, rate: int = 48_000) -> Path:
    rng = np.random.default_rng(3)
    swell = 0.5 + 0.5 * np.sin(np.arange(int(seconds * rate)) / rate * 5)
    sf.write(path, 0.2 * rng.standard_normal((swell.size, 2)) * swell[:, None], rate, subtype="PCM_24")
    return path


def tracks_of(path: Path) -> dict[str, dict[str, Any]]:
    """Our tracks by role."""
    root = json.loads(path.read_text())
    found = {}
    for track in root["tracks"]["children"]:
        ours = track["metadata"].get("sightmix")
        if ours is not None:
            found[ours["role"]] = track
    return found


def clips_of(track: dict[str, Any]) -> list[dict[str, Any]]:
    return [child for child in track["children"] if child["OTIO_SCHEMA"].startswith("Clip")]


def played(clip: dict[str, Any]) -> np.ndarray:
    """A clip's file with its curve applied: straight in dB between points, as any host would."""
    url = clip["media_references"]["DEFAULT_MEDIA"]["target_url"].removeprefix("file://")
    x, rate = sf.read(url, dtype="float64", always_2d=True)
    gain = clip["metadata"]["sightmix"]["gain"]
    levels = np.interp(np.arange(len(x)) / rate, gain["times"], gain["db"])
    return np.asarray(x * (10 ** (levels / 20))[:, None])


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_raw_stems_times_curves_are_the_baked_mix(tiny_model: str, tmp_path: Path, rate: int) -> None:
    source = noise(tmp_path / "in.wav", 13, rate)
    passage = Passage("1", "clip", Sound(source, Fraction(1), Fraction(11)), Fraction(1, 3), Fraction(1, 4))
    settings = RebalanceSettings(stems=True, raw_stems=True, dialogue_db=4, music_db=-7)
    made = Rebalancer(tiny_model, threads=1).render(passage, settings, tmp_path, "a", Progress())
    assert made.raw_stems
    mix = sf.read(made.path, dtype="float64")[0]
    tracks = result_tracks(made, form="keyframes")
    assert [t.role for t in tracks] == list(ROLES)
    total = np.zeros_like(mix)
    raw = np.zeros_like(mix)
    at = np.arange(len(mix)) / rate
    for track in tracks:
        assert track.gain is not None
        assert np.ptp(track.gain.db) > 0.5, "the tiny model's curves must move for this to prove anything"
        x = sf.read(track.clip.path, dtype="float64")[0]
        raw += x
        total += x * (10 ** (track.gain.at(at) / 20))[:, None]
    difference = np.sqrt(np.mean((total - mix) ** 2)) / np.sqrt(np.mean(mix**2))
    assert 20 * np.log10(difference) <= -100
    assert 20 * np.log10(np.abs(total - mix).max()) <= -100
    first = round(rate * 2 / 3)
    dry = sf.read(source, dtype="float64")[0][first : first + len(mix)]
    assert np.abs(raw - dry).max() <= 2 * 2**-23


def test_keyframes_write_three_stems_with_curves_and_no_mix(tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    result = job(source, FakeRenderer(), as_="keyframes", loudness="-20", true_peak=-0.1)
    assert result.gain_db != 0
    tracks = tracks_of(result.out)
    assert sorted(tracks) == sorted(ROLES)
    for role, track in tracks.items():
        assert track["enabled"]
        for clip, done in zip(clips_of(track), result.done, strict=True):
            gain = clip["metadata"]["sightmix"]["gain"]
            assert len(gain["times"]) == len(gain["db"])
            assert min(gain["times"]) >= 0, "curves count from the file's first sample, handles included"
            rendition = done.rendition
            assert rendition is not None
            stem = {"dialogue": "speech"}.get(role, role)
            original = rendition.gains.levels[stem]
            assert gain["db"][-1] == pytest.approx(original[-1] + rendition.makeup_db, abs=1e-5)
            assert rendition.makeup_db == pytest.approx(result.gain_db, abs=1e-4)


def test_the_loudness_gain_is_in_the_curves_and_not_in_the_files(tiny_model: str, tmp_path: Path) -> None:
    noise(tmp_path / "in.wav", 4)
    source = timeline_of(tmp_path / "reel.otio", [("a", tmp_path / "in.wav", 0.4, 3.0)])
    renderer = Rebalancer(tiny_model, threads=1)
    result = job(source, renderer, as_="both", loudness="-30", context="none")
    tracks = tracks_of(result.out)
    assert list(tracks) == ["rebalanced", *ROLES]
    assert [tracks[role]["enabled"] for role in tracks] == [True, False, False, False]
    total = sum(played(clips_of(tracks[role])[0]) for role in ROLES)
    url = clips_of(tracks["rebalanced"])[0]["media_references"]["DEFAULT_MEDIA"]["target_url"]
    mix = sf.read(url.removeprefix("file://"), dtype="float64", always_2d=True)[0]
    assert "gain" not in clips_of(tracks["rebalanced"])[0]["metadata"]["sightmix"]
    assert 20 * np.log10(np.abs(total - mix).max()) <= -100


def test_forms_share_one_rendering_where_they_can(tmp_path: Path) -> None:
    source, renderer = three_clips(tmp_path), FakeRenderer()
    job(source, renderer, as_="keyframes")
    assert len(renderer.calls) == 3
    job(source, renderer, as_="both")
    baked = job(source, renderer)
    assert len(renderer.calls) == 3, "neither 'both' nor a plain mix needs anything new"
    assert list(tracks_of(baked.out)) == ["rebalanced"]
    assert [c.rendition.stems for c in baked.done if c.rendition] == [{}, {}, {}]
    baked = job(source, renderer, stems=True)
    assert len(renderer.calls) == 6, "stems with their gains are other files"
    assert not any(c.rendition.raw_stems for c in baked.done if c.rendition)
    assert "gain" not in clips_of(tracks_of(baked.out)["music"])[0]["metadata"]["sightmix"]
    again = job(source, renderer, as_="keyframes")
    assert len(renderer.calls) == 9
    assert all(c.rendition.raw_stems for c in again.done if c.rendition)


def rendition(folder: Path, levels: list[float]) -> Rendition:
    figures = Loudness(-20, 0, -10, -20, -20)
    times = tuple(0.1 * i - 0.5 for i in range(len(levels)))
    curves = GainCurves(times, {stem: tuple(levels) for stem in STEMS})
    stems = {stem: folder / f"{stem}.wav" for stem in ("speech", "music", "effects")}
    return Rendition("1", folder / "a.wav", Fraction(-1, 2), 48_000, 48_000, 2, figures, figures, curves, stems,
                     raw_stems=True, makeup_db=1.5)  # fmt: skip


def test_points_that_change_nothing_are_left_out(tmp_path: Path) -> None:
    gain = result_tracks(rendition(tmp_path, [0, 0, 0, -3, -3, -3, -3, 2]), form="keyframes")[0].gain
    assert gain == Gain((0.2, 0.3, 0.6, 0.7), (1.5, -1.5, -1.5, 3.5))
    flat = result_tracks(rendition(tmp_path, [-2, -2, -2]), form="both")[1].gain
    assert flat == Gain((0.0,), (-0.5,))


@given(st.lists(st.floats(-60, 12), min_size=1, max_size=60), st.sampled_from([0.05, 1.0]))
def test_few_keyframes_stay_within_their_tolerance(levels: list[float], tolerance: float) -> None:
    x = np.array(levels)
    kept = fewest(x, tolerance)
    assert kept[0] == 0
    assert kept[-1] == len(x) - 1
    assert kept == sorted(set(kept))
    line = np.interp(np.arange(len(x)), kept, x[kept])
    assert np.abs(line - x).max() <= tolerance + 1e-9


def test_straight_lines_need_two_keyframes() -> None:
    assert fewest(np.linspace(-12, 0, 500), 0.05) == [0, 499]
    assert fewest(np.zeros(1), 0.05) == [0]


def volume_of(clip: dict[str, Any]) -> dict[str, Any] | None:
    for effect in clip["effects"]:
        host = effect["metadata"].get("Resolve_OTIO", {"Type": 0})
        if host["Type"] == 62 and host["Parameters"]:
            assert effect["OTIO_SCHEMA"] == "Effect.1"
            assert effect["effect_name"] == "Resolve Effect"
            found: dict[str, Any] = next(p for p in host["Parameters"] if p["Parameter ID"] == "volume")
            return found
    return None


def resolve_timeline(folder: Path, effects: list[Any], **more: Any) -> Path:
    kit.wav(folder / "a.wav", 20)
    clip = kit.clip("a", kit.tr(48, 96), str(folder / "a.wav"), effects=effects,
                    metadata={"Resolve_OTIO": {"Link Group ID": 1}})  # fmt: skip
    track = kit.track("Audio", clip, name="A1", metadata={"Resolve_OTIO": {"Audio Type": "Stereo"}})
    return kit.save(folder / "cut.otio", kit.timeline(track, metadata={"Resolve_OTIO": {}}, **more))


def placed(folder: Path, source: Path, gain: Gain, head: int = 24_000) -> dict[str, Any]:
    timeline = open_timeline(source)
    stem = kit.wav(folder / "stem.wav", 10)
    file = ResultClip(stem, 48_000, 480_000, 2, head)
    write_result(timeline, {1: [ResultTrack("music", file, gain=gain)]}, folder / "new.otio")
    [clip] = clips_of(tracks_of(folder / "new.otio")["music"])
    return clip


def test_resolve_gets_keyframes_counted_from_the_in_point(tmp_path: Path) -> None:
    source = resolve_timeline(tmp_path, [])
    # Half a second of handle: 2 s of file time are 1.5 s of clip, which is frame 36 at 24.
    clip = placed(tmp_path, source, Gain((0.5, 2.0, 3.0), (0.0, -12.0, -12.0)))
    volume = volume_of(clip)
    assert volume is not None
    keys = {int(k): v for k, v in volume["Key Frames"].items()}
    assert sorted(keys) == [0, 36, 96]
    assert [keys[k]["Value"] for k in sorted(keys)] == [0.0, -12.0, -12.0]
    assert {v["Variant Type"] for v in keys.values()} == {"Double"}
    assert volume["Parameter Value"] != volume["Default Parameter Value"] == 0.0
    assert (volume["minValue"], volume["maxValue"], volume["Variant Type"]) == (-100.0, 30.0, "Double")
    assert clip["metadata"]["sightmix"]["gain"] == {"times": [0.5, 2.0, 3.0], "db": [0.0, -12.0, -12.0]}


def test_a_volume_the_editor_set_stays_in_force(tmp_path: Path) -> None:
    parameter = {"Default Parameter Value": 0.0, "Key Frames": {}, "Parameter ID": "volume",
                 "Parameter Value": -10.0, "Variant Type": "Double", "maxValue": 30.0, "minValue": -100.0}  # fmt: skip
    fader = {"Parameter ID": "faderOut", "Parameter Value": 12}
    host = {"Effect Name": "Fairlight Clip Volume and Fades", "Enabled": True, "Name": "Volume", "Type": 62,
            "Display Type": 1, "Parameters": [fader, parameter]}  # fmt: skip
    effect = {"OTIO_SCHEMA": "Effect.1", "metadata": {"Resolve_OTIO": host}, "name": "",
              "effect_name": "Resolve Effect"}  # fmt: skip
    source = resolve_timeline(tmp_path, [effect])
    clip = placed(tmp_path, source, Gain((0.0,), (-4.0,)))
    volume = volume_of(clip)
    assert volume is not None
    assert volume["Parameter Value"] == -14.0
    assert volume["Key Frames"] == {}
    assert clip["metadata"]["sightmix"]["gain"] == {"times": [0.0, 0.5], "db": [-14.0, -14.0]}
    assert clip["effects"][0]["metadata"]["Resolve_OTIO"]["Parameters"][0]["Parameter ID"] == "faderOut"
    parameter["Key Frames"] = {"96": {"Value": -20.0}, "0": {"Value": 0.0}, "48": {"Value": -20.0}}
    resolve_timeline(tmp_path, [effect])
    clip = placed(tmp_path, source, Gain((0.0,), (-4.0,)))
    volume = volume_of(clip)
    assert volume is not None
    gain = clip["metadata"]["sightmix"]["gain"]
    assert gain == {"times": [0.0, 0.5, 2.5, 4.5], "db": [-4.0, -4.0, -24.0, -24.0]}
    assert {int(k): v["Value"] for k, v in volume["Key Frames"].items()} == {0: -4.0, 48: -24.0, 96: -24.0}
    host["Enabled"] = False
    resolve_timeline(tmp_path, [effect])
    volume = volume_of(placed(tmp_path, source, Gain((0.0,), (-4.0,))))
    assert volume is not None
    assert volume["Parameter Value"] == -4.0


def test_unity_needs_no_effect_and_extremes_are_held(tmp_path: Path) -> None:
    source = resolve_timeline(tmp_path, [])
    assert volume_of(placed(tmp_path, source, Gain((0.0,), (0.0,)))) is None
    volume = volume_of(placed(tmp_path, source, Gain((0.0, 4.0), (-240.0, 60.0))))
    assert volume is not None
    values = [v["Value"] for v in volume["Key Frames"].values()]
    assert (min(values), max(values)) == (-100.0, pytest.approx(30.0))


def test_a_retimed_clip_meets_its_curve_where_the_sound_is(tmp_path: Path) -> None:
    source = resolve_timeline(tmp_path, [kit.warp(2.0)])
    volume = volume_of(placed(tmp_path, source, Gain((0.5, 2.5, 2.6), (0.0, 0.0, -6.0)), head=24_000))
    assert volume is not None
    keys = sorted(int(k) for k in volume["Key Frames"])
    assert keys[1] == 24, "two seconds of media are one second at double speed"


def test_other_hosts_get_the_curve_in_our_metadata_alone(tmp_path: Path) -> None:
    kit.wav(tmp_path / "a.wav", 20)
    track = kit.track("Audio", kit.clip("a", kit.tr(48, 96), str(tmp_path / "a.wav")), name="A1")
    source = kit.save(tmp_path / "cut.otio", kit.timeline(track))
    clip = placed(tmp_path, source, Gain((0.0, 1.0), (0.0, -6.0)))
    assert clip["effects"] == []
    assert clip["metadata"]["sightmix"]["gain"]["db"] == [0.0, -6.0]


def test_a_broken_list_of_effects_is_no_obstacle() -> None:
    clip: dict[str, Any] = {"effects": [None, 3, {"metadata": 1}]}
    set_volume(clip, np.array([0.0, -3.0]))
    assert len(clip["effects"]) == 4


def test_the_editors_own_clip_is_not_touched(tmp_path: Path) -> None:
    host = {"Effect Name": "Fairlight Clip Volume and Fades", "Enabled": True, "Name": "Volume", "Type": 62}
    effect = {"OTIO_SCHEMA": "Effect.1", "metadata": {"Resolve_OTIO": host}, "name": "", "effect_name": "x"}
    source = resolve_timeline(tmp_path, [effect])
    placed(tmp_path, source, Gain((0.0,), (-4.0,)))
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("cut.otio", "new.otio"))
    assert after["tracks"]["children"][0] == before["tracks"]["children"][0]


@pytest.mark.parametrize(("suffix", "mark"), [(".xml", "<keyframe>"), (".fcpxml", "<keyframe ")])
def test_formats_of_other_programs_carry_the_curves(tmp_path: Path, suffix: str, mark: str) -> None:
    kit.wav(tmp_path / "a.wav", 20)
    track = kit.track("Audio", kit.clip("a", kit.tr(48, 96), str(tmp_path / "a.wav")), name="A1")
    timeline = open_timeline(kit.save(tmp_path / "cut.otio", kit.timeline(track)))
    file = ResultClip(kit.wav(tmp_path / "stem.wav", 10), 48_000, 480_000, 2, 24_000)
    curve = Gain((0.5, 2.0, 3.0), (0.0, -12.0, -12.0))
    made = write_result(timeline, {1: [ResultTrack("music", file, gain=curve)]}, tmp_path / f"curves{suffix}")
    assert made.read_text().count(mark) >= 2
    assert not list(tmp_path.glob(".*"))
