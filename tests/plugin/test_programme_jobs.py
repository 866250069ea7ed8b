"""A timeline balanced as one programme: tracks are stems, clips stay the editor's own, the sum is what counts."""

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
from job_helpers import RATE, FakeRenderer, heard, tone, write
from sightmix.engine.edit import keyframes
from sightmix.engine.edit.categories import Category
from sightmix.engine.edit.lanes import played
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.model import Edit, EditTrack
from sightmix.engine.edit.nodes import follow
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.errors import Cancelled, MediaError, ModelError
from sightmix.engine.programme.loudness import measure_edit
from sightmix.engine.programme.versions import doubled
from sightmix.engine.progress import Progress, Step
from sightmix.plugin.jobs.eta import JOB, fraction
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.results import JobResult
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline
from sightmix.plugin.timeline.load import as_timeline, choose, load

SECONDS = 12
Clip = tuple[str, float, float, float]  # media, record in, media in, seconds


def bursts(path: Path, level_db: float, floor_db: float, seed: int, seconds: float = 20.0) -> Path:
    """Noise that comes and goes every second over a quiet floor, in stereo."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(round(seconds * RATE)) * 10 ** (level_db / 20)
    on = (np.arange(x.size) // (RATE // 2)) % 2 == 0
    x = np.where(on, x, rng.standard_normal(x.size) * 10 ** (floor_db / 20))
    write(path, np.stack([x, x]).astype(np.float32))
    return path


def reel(folder: Path, **tracks: list[Clip]) -> Path:
    """A timeline at 25 fps with an audio track for every name."""
    timeline = otio.schema.Timeline("Reel")
    for name, clips in tracks.items():
        track = otio.schema.Track(name, kind=otio.schema.TrackKind.Audio)
        position = 0.0
        for media, record, start, seconds in clips:
            if record > position:
                track.append(
                    otio.schema.Gap(duration=otio.opentime.RationalTime((record - position) * 25, 25))
                )
            span = otio.opentime.TimeRange(
                otio.opentime.RationalTime(start * 25, 25), otio.opentime.RationalTime(seconds * 25, 25)
            )
            reference = otio.schema.ExternalReference(target_url=str(folder / media))
            track.append(otio.schema.Clip(Path(media).stem, media_reference=reference, source_range=span))
            position = record + seconds
        timeline.tracks.append(track)
    path = folder / "reel.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Dialogue (one take cut in three), music and effects on tracks of their own."""
    bursts(tmp_path / "take.wav", -32, -75, 1)
    tone(tmp_path / "song.wav", 20, -20)
    bursts(tmp_path / "door.wav", -26, -90, 2)
    return reel(
        tmp_path,
        Dialogue=[("take.wav", 0, 0, 4), ("take.wav", 4, 4, 3), ("take.wav", 7, 7, 4)],
        Music=[("song.wav", 0, 0, 6), ("song.wav", 6, 8, 6)],
        SFX=[("door.wav", 1, 0, 4), ("door.wav", 6, 6, 5)],
    )


def job(source: Path, renderer: Any = None, **given: Any) -> JobResult:
    chosen = {name: given.pop(name) for name in ("clips", "tracks", "out", "categories") if name in given}
    settings = JobSettings(**({"style": "full"} | given))
    stage = RebalanceStage(settings, renderer or FakeRenderer())
    request = Job(source, chosen.pop("out", source.parent / "out.otio"), settings, **chosen)
    return run(make_plan(request, open_timeline(source), stage), stage, Progress())


def edit_of(path: Path) -> Edit:
    """What a result holds, ours included."""
    return read_edit(load(path, keep=True).root, Library(path.parent))


def loudness(path: Path) -> float:
    return measure_edit(edit_of(path)).integrated


def audible(path: Path) -> list[EditTrack]:
    edit = played(edit_of(path))
    tracks = [track for track in edit.tracks if track.kind == "audio" and track.enabled]
    return [track for track in tracks if any(clip.enabled for clip in track.clips)]


def test_tracks_of_one_kind_come_back_as_the_same_clips_under_curves(source: Path) -> None:
    renderer = FakeRenderer()
    result = job(source, renderer, loudness="model")
    assert renderer.calls == ["listening to Reel"], "nothing had to be separated"
    assert not list(result.folder.glob("*.wav"))
    assert [clip.status for clip in result.clips] == ["rendered"] * 7
    names = [track.name for track in audible(result.out)]
    assert names == ["Dialogue rebalanced", "Music rebalanced", "SFX rebalanced"]
    before = {
        (clip.media.url, clip.start, clip.duration, clip.source_in)
        for t in edit_of(source).tracks
        for clip in t.clips
    }
    for track, gain in zip(audible(result.out), renderer.moves, strict=True):
        for clip in track.clips:
            assert clip.media is not None
            assert (clip.media.url, clip.start, clip.duration, clip.source_in) in before
            assert clip.gain is not None
            assert keyframes.at(clip.gain, Fraction(1)) == pytest.approx(gain, abs=0.01)


def test_the_sum_is_the_stems_under_their_gains(source: Path) -> None:
    result = job(source, loudness="model", true_peak=0.0)
    parts = []
    for name, gain in zip(("Dialogue", "Music", "SFX"), FakeRenderer().moves, strict=True):
        alone = otio.adapters.read_from_file(str(source))
        for track in alone.tracks:
            track.enabled = track.name == name
        path = source.with_name(f"{name}.otio")
        otio.adapters.write_to_file(alone, str(path))
        parts.append(heard(path, SECONDS) * 10 ** (gain / 20))
    np.testing.assert_allclose(heard(result.out, SECONDS), sum(parts), atol=2e-5)


@pytest.mark.parametrize("suffix", [".otio", ".xml"])
def test_loudness_is_kept_and_everything_is_heard_once(source: Path, suffix: str) -> None:
    result = job(source, out=source.with_name(f"out{suffix}"))
    assert result.balance is not None
    after = loudness(result.out)
    assert after == pytest.approx(loudness(source), abs=0.1)
    assert after == pytest.approx(result.balance.levelled.after.integrated, abs=0.1)
    sounding = sorted(
        (c.media.name, c.start) for t in audible(result.out) for c in t.clips if c.enabled and c.media
    )
    assert len(sounding) == 7
    assert len(set(sounding)) == 7


@pytest.mark.parametrize("form", ["auto", "keyframes", "baked", "both", "stems"])
def test_a_figure_is_met_by_the_sum_in_every_form(source: Path, form: str) -> None:
    result = job(source, as_=form, loudness="-23")
    figures = measure_edit(edit_of(result.out))
    assert figures.integrated == pytest.approx(-23.0, abs=0.1)
    assert figures.true_peak <= -1.0 + 0.1


def test_a_delivery_spec_is_met_by_the_sum(source: Path) -> None:
    figures = measure_edit(edit_of(job(source, delivery="ebu-r128").out))
    assert figures.integrated == pytest.approx(-23.0, abs=0.1)
    assert figures.true_peak <= -1.0


def test_curves_run_on_over_the_cuts_of_a_take(source: Path) -> None:
    class Riding(FakeRenderer):
        def listen(self, score: Any, progress: Progress) -> Any:
            found = super().listen(score, progress)
            found.gains[:] = np.linspace(-5, 5, found.gains.shape[1])
            return found

    [dialogue, *_] = audible(job(source, Riding(), loudness="model").out)
    for left, right in zip(dialogue.clips, dialogue.clips[1:], strict=False):
        assert left.gain is not None
        assert right.gain is not None
        assert left.end == right.start
        last, first = keyframes.at(left.gain, left.duration), keyframes.at(right.gain, Fraction(0))
        assert last == pytest.approx(first, abs=0.1)
        assert last == pytest.approx(-5 + 10 * float(left.end) / SECONDS, abs=0.15)


@pytest.mark.parametrize("form", ["baked", "both", "stems"])
def test_new_sound_sounds_as_the_curves_do(source: Path, form: str) -> None:
    curves = heard(job(source).out, SECONDS)
    result = job(source, as_=form, out=source.with_name(f"{form}.otio"))
    files = heard(result.out, SECONDS)
    assert np.abs(files - curves).max() < 2e-3
    assert np.sqrt(np.mean((files - curves) ** 2)) < 1e-4
    made = [clip.rendition for clip in result.clips]
    assert all(one is not None and one.path.is_file() for one in made)
    if form == "both":
        muted = [t for t in edit_of(result.out).tracks if t.name.endswith(("dialogue", "music", "effects"))]
        assert muted
        assert not any(track.enabled for track in muted)


def test_no_strength_changes_nothing(source: Path) -> None:
    result = job(source, strength=0.0)
    np.testing.assert_array_equal(heard(result.out, SECONDS), heard(source, SECONDS))


def test_what_is_asked_of_a_stem_is_done(source: Path) -> None:
    plain, asked = (
        job(source, strength=0.0, loudness="model", dialogue=db, out=source.with_name(f"{db}.otio"))
        for db in (0.0, 6.0)
    )
    gains = [audible(result.out)[0].clips[0].gain for result in (plain, asked)]
    assert gains[1] is not None
    assert keyframes.at(gains[1], Fraction(1)) == pytest.approx(6.0, abs=0.01)
    assert any("dialogue" in sentence for sentence in asked.said)


def test_a_second_run_hears_nothing_again_and_gives_the_same(source: Path) -> None:
    first = job(source, as_="baked")
    made = {p: p.read_bytes() for p in (first.out, *first.folder.glob("*.wav"))}
    renderer = FakeRenderer()
    second = job(source, renderer, as_="baked")
    assert renderer.calls == []
    assert {p: p.read_bytes() for p in (second.out, *second.folder.glob("*.wav"))} == made


def test_a_rerun_starts_from_the_originals(source: Path) -> None:
    first = job(source)
    second = job(first.out, out=source.with_name("again.otio"))
    assert [t.name for t in audible(second.out)] == [t.name for t in audible(first.out)]
    np.testing.assert_allclose(heard(second.out, SECONDS), heard(first.out, SECONDS), atol=1e-6)


def test_what_the_user_says_counts_and_is_remembered(source: Path) -> None:
    result = job(source, categories=("A3=music",), loudness="model")
    assert result.clips[1].category.kind in ("music", "dialogue", "effects")
    kinds = {clip.facts.track: clip.category.kind for clip in result.clips}
    assert kinds == {"Dialogue": "dialogue", "Music": "music", "SFX": "music"}
    [*_, effects] = audible(result.out)
    assert effects.clips[0].gain is not None
    assert keyframes.at(effects.clips[0].gain, Fraction(1)) == pytest.approx(-4.0, abs=0.01)
    again = job(result.out, out=source.with_name("again.otio"))
    assert {c.facts.track: c.category.kind for c in again.clips} == kinds


def married(folder: Path) -> Path:
    """A mix on a track that says so, beside a track of music."""
    bursts(folder / "film.wav", -26, -70, 3)
    tone(folder / "song.wav", 20, -24)
    return reel(folder, Mix=[("film.wav", 0, 0, 6), ("film.wav", 6, 8, 6)], Music=[("song.wav", 0, 0, 12)])


def test_a_mix_is_separated_and_comes_back_as_new_sound(tmp_path: Path) -> None:
    source, renderer = married(tmp_path), FakeRenderer()
    result = job(source, renderer)
    assert sorted(renderer.calls) == ["film", "film", "listening to Reel"]
    [mix, music] = audible(result.out)
    assert all(
        clip.media and clip.media.path and clip.media.path.parent == result.folder for clip in mix.clips
    )
    assert all(clip.media and clip.media.name == "song.wav" for clip in music.clips)
    assert loudness(result.out) == pytest.approx(loudness(source), abs=0.1)
    assert result.balance is not None
    assert result.balance.separated
    assert result.balance.null_dbfs < -90


@pytest.mark.parametrize("unit", ["programme", "clip"])
@pytest.mark.parametrize("form", ["auto", "baked", "both", "keyframes", "stems"])
def test_stems_beside_a_mix_do_not_sound_twice(tmp_path: Path, unit: str, form: str) -> None:
    source = married(tmp_path)
    result = job(source, unit=unit, stems=True, as_=form)
    if unit == "programme":  # the fake renderer's own curves are not those of its mix
        assert loudness(result.out) == pytest.approx(loudness(source), abs=0.15)
    assert not doubled(edit_of(result.out))


def test_the_parts_of_a_mix_join_the_stems_they_belong_to(tmp_path: Path) -> None:
    result = job(married(tmp_path), as_="keyframes", loudness="model")
    tracks = {track.name: track for track in audible(result.out)}
    assert set(tracks) == {"Mix dialogue", "Mix music", "Mix effects", "Music rebalanced"}
    for name, gain in (("Mix dialogue", 4.0), ("Mix music", -4.0), ("Music rebalanced", -4.0)):
        for clip in tracks[name].clips:
            assert clip.gain is not None
            assert keyframes.at(clip.gain, Fraction(1)) == pytest.approx(gain, abs=0.05)


@pytest.mark.parametrize("suffix", [".fcpxml", ".aaf", ".xml"])
def test_originals_of_new_sound_are_silent_in_every_format(tmp_path: Path, suffix: str) -> None:
    if suffix == ".aaf":
        pytest.importorskip("aaf2")
    source = married(tmp_path)
    result = job(source, out=tmp_path / f"out{suffix}", as_="baked")
    document = as_timeline(load(result.out, keep=True))
    edit = read_edit(follow(document.root, choose(document, None)), Library(document.base))
    media = {
        clip.media.name
        for track in played(edit).tracks
        if track.kind == "audio" and track.enabled
        for clip in track.clips
        if clip.enabled and clip.media
    }
    assert media
    assert not media & {"film.wav", "song.wav", "film", "song"}


def test_a_mix_that_cannot_be_separated_stays_and_the_rest_goes_on(tmp_path: Path) -> None:
    source = married(tmp_path)
    result = job(source, FakeRenderer(failing={"film": MediaError("film is damaged.")}))
    assert [(clip.facts.name, clip.status) for clip in result.clips] == [
        ("film", "failed"),
        ("song", "rendered"),
        ("film", "failed"),
    ]
    assert [track.name for track in audible(result.out)] == ["Mix", "Music rebalanced"]
    assert loudness(result.out) == pytest.approx(loudness(source), abs=0.1)


def test_clips_that_were_not_chosen_stay_as_they_are_and_are_part_of_the_sum(source: Path) -> None:
    result = job(source, tracks=("Dialogue",), loudness="-16")
    names = [track.name for track in audible(result.out)]
    assert names == ["Music", "SFX", "Dialogue rebalanced"]
    assert loudness(result.out) == pytest.approx(-16.0, abs=0.1)


def test_originals_can_be_kept(source: Path) -> None:
    assert len(audible(job(source, keep_originals=True).out)) == 6


def test_the_report_tells_the_programme(source: Path) -> None:
    result = job(source)
    data = json.loads((result.folder / "report.json").read_text())
    programme = data["programme"]
    assert programme["after"]["integrated"] == pytest.approx(programme["before"]["integrated"], abs=0.1)
    assert set(programme["gains"]) == {"times", "speech", "music", "effects"}
    assert programme["null_dbfs"] is None
    assert programme["said"] == list(result.said)
    assert {clip["category"]["kind"] for clip in data["clips"]} == {"dialogue", "music", "effects"}
    page = (result.folder / "report.html").read_text()
    assert "The programme" in page
    for sentence in result.said:
        assert sentence.split()[0] in page


def test_a_plan_says_what_every_clip_holds_and_why(source: Path) -> None:
    from sightmix.plugin.jobs.plan import plan_data

    settings = JobSettings()
    stage = RebalanceStage(settings, FakeRenderer())
    request = Job(source, source.parent / "out.otio", settings)
    data = plan_data(make_plan(request, open_timeline(source), stage))
    assert [clip["status"] for clip in data["clips"]] == ["to ride"] * 7
    assert data["clips"][0]["category"]["reason"] == "its name says “dialogue”"
    assert data["bytes_needed"] == 0


def listened_again(source: Path, change: Any, **given: Any) -> bool:
    """Whether a second run listens anew after `change` was made to the timeline."""
    job(source, **given)
    timeline = otio.adapters.read_from_file(str(source))
    change(timeline)
    otio.adapters.write_to_file(timeline, str(source))
    renderer = FakeRenderer()
    job(source, renderer, **given)
    return bool(renderer.calls)


def _dissolve(timeline: Any) -> None:
    half = otio.opentime.RationalTime(10, 25)
    timeline.tracks[0].insert(1, otio.schema.Transition("SMPTE_Dissolve", in_offset=half, out_offset=half))


def _marker(timeline: Any) -> None:
    span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(25, 25))
    timeline.tracks.markers.append(otio.schema.Marker("storm", span))


def _mute(timeline: Any) -> None:
    timeline.tracks[2].enabled = False


def _rename(timeline: Any) -> None:
    timeline.tracks[2].name = "Music 2"


def _unchanged(timeline: Any) -> None:
    assert timeline.tracks


@pytest.mark.parametrize(
    ("change", "again"),
    [(_unchanged, False), (_dissolve, True), (_marker, True), (_mute, True), (_rename, True)],
)
def test_what_was_heard_counts_as_long_as_nothing_changes_it(source: Path, change: Any, again: bool) -> None:
    assert listened_again(source, change) is again


class Losing(FakeRenderer):
    """Loses a file the first time it listens."""

    lost: Path = Path()

    def listen(self, score: Any, progress: Progress) -> Any:
        self.lost.unlink(missing_ok=True)
        return super().listen(score, progress)


def test_media_that_vanishes_takes_only_its_own_clips_with_it(source: Path) -> None:
    renderer = Losing()
    renderer.lost = source.with_name("song.wav")
    result = job(source, renderer)
    failed = [clip for clip in result.clips if clip.status == "failed"]
    assert {clip.facts.name for clip in failed} == {"song"}
    assert all("song.wav" in clip.reason for clip in failed)
    assert {clip.status for clip in result.clips} == {"failed", "rendered"}
    assert [track.name for track in audible(result.out)] == ["Music", "Dialogue rebalanced", "SFX rebalanced"]


class Cutting(Losing):
    """Cuts a file short while the programme is listened to."""

    def listen(self, score: Any, progress: Progress) -> Any:
        os.truncate(self.lost, self.lost.stat().st_size // 2)
        return FakeRenderer.listen(self, score, progress)


def test_media_cut_short_takes_only_its_own_clips_with_it(source: Path) -> None:
    renderer = Cutting()
    renderer.lost = source.with_name("song.wav")
    result = job(source, renderer)
    failed = [clip for clip in result.clips if clip.status == "failed"]
    assert {clip.facts.name for clip in failed} == {"song"}
    assert all("song.wav is not what it was" in clip.reason for clip in failed)
    assert {clip.status for clip in result.clips} == {"failed", "rendered"}


def test_media_that_vanishes_beside_what_was_chosen_is_told(source: Path) -> None:
    renderer = Losing()
    renderer.lost = source.with_name("song.wav")
    result = job(source, renderer, tracks=("Dialogue",))
    assert not result.failed
    assert result.balance is not None
    assert [warning for warning in result.balance.warnings if "song.wav" in warning]


def planned(source: Path, ear: Any) -> Any:
    """The plan of a job whose stage has this ear."""

    class Stage(RebalanceStage):
        def ear(self, progress: Progress) -> Any:
            return lambda clips: ear(clips, progress)

    settings = JobSettings()
    stage = Stage(settings, FakeRenderer())
    request = Job(source, source.parent / "out.otio", settings)
    progress = Progress()
    return make_plan(request, open_timeline(source), stage, progress)


def test_where_nothing_can_listen_what_nothing_tells_of_is_a_mix(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 4)
    source = reel(tmp_path, One=[("a.wav", 0, 0, 2)], Music=[("a.wav", 0, 2, 2)])

    def deaf(*_: object) -> Category:
        raise ModelError("There is no ONNX Runtime here; install it.")

    plan = planned(source, deaf)
    assert {task.facts.track: task.known for task in plan.tasks} == {"One": False, "Music": True}
    told = [loss.text for loss in plan.losses]
    assert [text for text in told if "There is no ONNX Runtime here" in text]
    assert [text for text in told if text.startswith("A1 'One' is taken for a mix")]
    assert len(told) == 2


def test_doubts_are_told_with_what_a_result_lacks(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 4)
    source = reel(tmp_path, One=[("a.wav", 0, 0, 2)])
    plan = planned(source, lambda *_: Category("music", "ear", 0.6, "music is heard"))
    stage = RebalanceStage(plan.job.settings, FakeRenderer())
    result = run(plan, stage, Progress())
    [doubt] = [loss.text for loss in result.losses]
    assert doubt.startswith("A1 'One' is taken for a mix, since it may hold music (music is heard)")
    report = json.loads((result.folder / "report.json").read_text())
    assert [loss["text"] for loss in report["losses"]] == [doubt]


def test_listening_to_tracks_can_be_stopped(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 4)
    source = reel(tmp_path, One=[("a.wav", 0, 0, 2)])

    def ear(_: object, progress: Progress) -> Category:
        progress.cancel()
        progress.check()
        return Category()

    with pytest.raises(Cancelled):
        planned(source, ear)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        RebalanceStage(JobSettings()).ear(progress)(open_timeline(source).clips)  # type: ignore[misc]


def test_the_job_is_not_done_before_the_programme_was_heard(source: Path) -> None:
    class Hearing(FakeRenderer):
        def listen(self, score: Any, progress: Progress) -> Any:
            progress.report("listen", score.name, score.seconds / 2, score.seconds)
            return super().listen(score, progress)

    steps: list[Step] = []
    settings = JobSettings(style="full")
    stage = RebalanceStage(settings, Hearing())
    plan = make_plan(Job(source, source.parent / "out.otio", settings), open_timeline(source), stage)
    run(plan, stage, Progress(steps.append))
    whole = [fraction(step) for step in steps if step.stage == JOB]
    heard_at = next(i for i, step in enumerate(steps) if step.stage == "listen")
    assert max(fraction(step) for step in steps[:heard_at] if step.stage == JOB) == 0
    assert fraction(steps[heard_at + 1]) == pytest.approx(0.5)
    assert whole[-1] == 1.0
    assert whole == sorted(whole)


@pytest.mark.parametrize(("name", "form"), [("Dialogue", "auto"), ("Dialogue", "baked"), ("Mix", "auto")])
def test_a_stereo_sound_on_two_mono_tracks_sounds_once(tmp_path: Path, name: str, form: str) -> None:
    rng = np.random.default_rng(4)
    write(tmp_path / "pair.wav", (0.05 * rng.standard_normal((2, 4 * RATE))).astype(np.float32))
    timeline = otio.schema.Timeline("Reel")
    for channel, place in enumerate(("L", "R")):
        track = otio.schema.Track(f"{name} {place}", kind=otio.schema.TrackKind.Audio)
        words = {
            "Resolve_OTIO": {
                "Channels": [{"Source Channel ID": channel, "Source Track ID": 0}],
                "Link Group ID": 7,
            }
        }
        span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 25), otio.opentime.RationalTime(100, 25))
        reference = otio.schema.ExternalReference(target_url=str(tmp_path / "pair.wav"))
        track.append(otio.schema.Clip("pair", media_reference=reference, source_range=span, metadata=words))
        timeline.tracks.append(track)
    source = tmp_path / "reel.otio"
    otio.adapters.write_to_file(timeline, str(source))
    result = job(source, as_=form, strength=0.0, loudness="model")
    [clip] = result.clips
    assert clip.status == "rendered", clip.reason
    assert not doubled(edit_of(result.out))
    if form == "auto" and name == "Dialogue":
        np.testing.assert_allclose(heard(result.out, 4), heard(source, 4), atol=1e-6)
    else:  # the two halves are one stereo file now, each in its own channel
        assert np.abs(heard(result.out, 4)).max() > 0.05
