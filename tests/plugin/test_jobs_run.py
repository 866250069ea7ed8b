"""Jobs from timeline to timeline: what is rendered, kept, levelled, refused, resumed and tidied up."""

import errno
import json
import math
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from job_helpers import ALONE, RATE, FakeRenderer, three_clips, timeline_of, tone
from sightmix.engine.errors import Cancelled, MediaError, SettingsError, WriteError
from sightmix.engine.media.reader import probe, read_span
from sightmix.engine.passage import Passage, Rendition
from sightmix.engine.progress import Progress, Step
from sightmix.plugin.jobs.clean import clean, history
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.results import JobResult
from sightmix.plugin.jobs.run import DiskFullError, run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline


def job(source: Path, renderer: Any, progress: Progress | None = None, **given: Any) -> JobResult:
    chosen = {name: given.pop(name) for name in ("clips", "tracks", "out") if name in given}
    settings = JobSettings(**(ALONE | given))
    stage = RebalanceStage(settings, renderer)
    request = Job(source, chosen.pop("out", source.parent / "out.otio"), settings, **chosen)
    return run(make_plan(request, open_timeline(source), stage), stage, progress or Progress())


def statuses(result: JobResult) -> list[str]:
    return [clip.status for clip in result.clips]


def rendition(result: JobResult, index: int) -> Rendition:
    found = result.clips[index - 1].rendition
    assert found is not None
    return found


def result_clips(path: Path) -> list[Any]:
    timeline = otio.adapters.read_from_file(str(path))
    return [clip for track in timeline.tracks if "rebalanced" in track.name for clip in track.find_clips()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return three_clips(tmp_path)


def test_every_clip_is_rendered_and_placed(source: Path) -> None:
    before = {p: p.read_bytes() for p in source.parent.iterdir()}
    result = job(source, FakeRenderer(), handles=6)
    assert statuses(result) == ["rendered"] * 3
    for clip in result.clips:
        path = rendition(result, clip.facts.index).path
        assert path.parent == source.parent / "out.sightmix"
        assert sf.info(path).subtype == "PCM_24"
    made = [rendition(result, clip.facts.index).path.name for clip in result.clips]
    assert made == ["one_rebalanced.wav", "two_rebalanced.wav", "three_rebalanced.wav"]
    assert [clip.name for clip in result_clips(result.out)] == made
    clips = result_clips(result.out)
    assert len(clips) == 3
    assert [c.source_range.duration.to_seconds() for c in clips] == pytest.approx([1.0, 1.2, 1.0])
    assert {p: p.read_bytes() for p in before} == before


def test_handles_are_in_the_file_and_the_timeline_skips_them(source: Path) -> None:
    result = job(source, FakeRenderer(gain_db=0.0), handles=6)
    two = rendition(result, 2)
    assert two.start == Fraction(-6, 25)
    assert two.samples == round((1.2 + 12 / 25) * RATE)
    clip = result_clips(result.out)[1]
    offset = clip.source_range.start_time.to_seconds() - clip.available_range().start_time.to_seconds()
    assert offset == pytest.approx(6 / 25)


def test_at_no_change_the_sound_is_the_originals_to_the_bit(source: Path) -> None:
    result = job(source, FakeRenderer(), strength=0.0)
    for clip in result.clips:
        made = rendition(result, clip.facts.index)
        assert clip.passage is not None
        original = read_span(
            clip.passage.sound.path, clip.passage.rendered_start, clip.passage.rendered_duration
        )
        np.testing.assert_array_equal(sf.read(made.path, dtype="float32")[0].T, original)
        assert made.makeup_db == 0.0


def test_a_second_run_renders_nothing_and_gives_the_same(source: Path) -> None:
    first = job(source, FakeRenderer())
    renderer = FakeRenderer()
    second = job(source, renderer)
    assert renderer.calls == []
    assert statuses(second) == ["cached"] * 3
    assert [c.rendition for c in second.clips] == [c.rendition for c in first.clips]


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        ({"strength": 0.5}, 3),
        ({"cache": False}, 3),
        ({"stems": True}, 3),
        ({"handles": 3}, 3),
        ({"loudness": "-23"}, 0),
        ({"true_peak": -9.0}, 0),
        ({"keep_originals": False}, 0),
        ({"dialect": "plain"}, 0),
        ({"clips": "2"}, 0),
    ],
)
def test_what_makes_a_clip_render_again(source: Path, given: dict[str, Any], calls: int) -> None:
    job(source, FakeRenderer())
    renderer = FakeRenderer()
    job(source, renderer, **given)
    assert len(renderer.calls) == calls


def test_changed_media_render_again_alone(source: Path) -> None:
    job(source, FakeRenderer())
    tone(source.parent / "soft.wav", 3, -25)
    renderer = FakeRenderer()
    job(source, renderer)
    assert renderer.calls == ["two"]


def test_other_weights_render_again(source: Path) -> None:
    job(source, FakeRenderer())
    renderer = FakeRenderer(weights_sha256="cd" * 32)
    job(source, renderer)
    assert len(renderer.calls) == 3


def test_a_truncated_rendition_renders_again(source: Path) -> None:
    first = job(source, FakeRenderer())
    for path in first.folder.rglob(f"{first.clips[1].key[:32]}.wav"):
        os.truncate(path, 1000)
    renderer = FakeRenderer()
    again = job(source, renderer)
    assert renderer.calls == ["two"]
    assert rendition(again, 2).path.stat().st_size > 1000


def test_a_delivered_file_that_was_lost_is_put_back_without_rendering(source: Path) -> None:
    path = rendition(job(source, FakeRenderer()), 1).path
    path.unlink()
    renderer = FakeRenderer()
    job(source, renderer)
    assert renderer.calls == []
    assert path.is_file()


def test_what_an_earlier_result_plays_stays(source: Path) -> None:
    """An editor has imported the first result when the same job runs again with other settings."""
    first = job(source, FakeRenderer(), stems=True)
    played = {
        p: p.read_bytes() for r in map(rendition, [first] * 3, (1, 2, 3)) for p in (r.path, *r.stems.values())
    }
    for strength in (0.9, 0.8, 0.7, 0.6, 0.5):
        job(source, FakeRenderer(), strength=strength)
    assert {p: p.read_bytes() for p in played} == played
    assert not list(source.parent.rglob("*.part"))


def test_cleaning_keeps_what_the_last_results_play_and_foreign_files(source: Path) -> None:
    results = [job(source, FakeRenderer(), strength=s) for s in (0.9, 0.8, 0.7)]
    foreign = results[0].folder / "my notes.txt"
    foreign.write_text("keep")
    files = [[rendition(result, i).path for i in (1, 2, 3)] for result in results]
    told = clean(results[0].folder, keep=2, dry_run=True)
    assert set(files[0]) < set(told.files)
    assert told.bytes > 0
    assert all(path.exists() for path in told.files)
    assert clean(results[0].folder, keep=2).files == told.files
    assert [[p.exists() for p in some] for some in files] == [[False] * 3, [True] * 3, [True] * 3]
    assert foreign.read_text() == "keep"
    renderer = FakeRenderer()
    assert statuses(job(source, renderer, strength=0.8)) == ["cached"] * 3
    with pytest.raises(SettingsError, match="at least 1"):
        clean(results[0].folder, keep=0)
    with pytest.raises(SettingsError, match="no results of sightmix"):
        clean(source.parent)


def test_the_same_result_again_is_one_result(source: Path) -> None:
    first = job(source, FakeRenderer())
    job(source, FakeRenderer(), strength=0.5)
    job(source, FakeRenderer())
    assert len(history(first.folder)) == 2
    clean(first.folder, keep=1)
    assert rendition(first, 1).path.exists()


def test_results_from_before_there_was_a_history_are_known_by_their_report(source: Path) -> None:
    first = job(source, FakeRenderer(), stems=True)
    (first.folder / "history.json").unlink()
    clean(first.folder, keep=1)
    assert all(path.exists() for path in (rendition(first, 1).path, *rendition(first, 1).stems.values()))


def test_a_result_from_before_there_was_a_history_stays_when_another_is_made(source: Path) -> None:
    first = job(source, FakeRenderer())
    (first.folder / "history.json").unlink()
    job(source, FakeRenderer(), strength=0.5)
    assert len(history(first.folder)) == 2
    clean(first.folder)
    assert rendition(first, 1).path.exists()


@pytest.mark.parametrize(
    "text", ["{", '{"schema": "sightmix.history/2"}', '{"schema": "sightmix.history/1"}']
)
def test_a_history_that_cannot_be_read_lets_nothing_go(source: Path, text: str) -> None:
    first = job(source, FakeRenderer())
    job(source, FakeRenderer(), strength=0.5)
    (first.folder / "history.json").write_text(text)
    with pytest.raises(SettingsError, match="nothing was removed"):
        clean(first.folder)
    assert rendition(first, 1).path.exists()


def test_no_timeline_is_written_whose_files_could_be_cleaned_away(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = job(source, FakeRenderer())
    before = first.out.read_bytes()
    monkeypatch.setattr("sightmix.plugin.jobs.run.remember", disk_full)
    with pytest.raises(DiskFullError, match="no timeline was written"):
        job(source, FakeRenderer(), strength=0.5)
    assert first.out.read_bytes() == before


def test_the_cache_holds_no_more_than_the_last_results_need(source: Path) -> None:
    for strength in (0.9, 0.8, 0.7, 0.6, 0.5):
        result = job(source, FakeRenderer(), strength=strength)
    assert len(list((result.folder / "cache").glob("*.wav"))) == 3 * 3


def test_clips_that_were_not_chosen_this_time_stay_in_the_cache(source: Path) -> None:
    job(source, FakeRenderer())
    for strength in (0.5, 0.6, 0.7):  # as many as are kept for their own sake
        job(source, FakeRenderer(), clips="1", strength=strength)
    renderer = FakeRenderer()
    assert statuses(job(source, renderer)) == ["rendered", "cached", "cached"]


def test_one_gain_brings_the_programme_to_its_target(source: Path) -> None:
    plain = job(source, FakeRenderer())
    result = job(source, FakeRenderer(), loudness="-27")
    assert result.integrated[1] == pytest.approx(-27.0, abs=0.1)
    shifts = [rendition(result, i).after.integrated - rendition(plain, i).after.integrated for i in (1, 2, 3)]
    assert shifts == pytest.approx([result.gain_db] * 3, abs=0.02)
    assert [rendition(result, i).makeup_db for i in (1, 2, 3)] == pytest.approx(
        [result.gain_db] * 3, abs=1e-3
    )


def test_the_true_peak_ceiling_holds_after_a_loudness_gain(source: Path) -> None:
    result = job(source, FakeRenderer(), loudness="-8", true_peak=-9.0)
    peaks = [rendition(result, i).after.true_peak for i in (1, 2, 3)]
    assert max(peaks) <= -9.0 + 0.05
    assert any("limiter" in warning for warning in rendition(result, 1).warnings)


def test_what_the_limiter_takes_is_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "clicks.wav"
    t = np.arange(RATE * 4) / RATE
    x = 0.1 * np.sin(2 * np.pi * 330 * t)
    x[:: RATE // 2] = 0.7
    sf.write(path, np.stack([x, x], 1), RATE, subtype="PCM_24")
    source = timeline_of(tmp_path / "reel.otio", [("clicks", path, 0.0, 4.0)])
    result = job(source, FakeRenderer(gain_db=0.0), loudness="-16", true_peak=-3.0)
    assert result.integrated[1] == pytest.approx(-16.0, abs=0.1)
    assert rendition(result, 1).after.true_peak <= -3.0 + 0.05
    assert rendition(result, 1).warnings


def test_levels_kept_may_keep_the_peak_they_came_with(tmp_path: Path) -> None:
    hot = tone(tmp_path / "hot.wav", 2, -0.2)
    source = timeline_of(tmp_path / "reel.otio", [("hot", hot, 0.0, 2.0)])
    kept = rendition(job(source, FakeRenderer(gain_db=0.0)), 1)
    assert kept.after.true_peak == pytest.approx(-0.2, abs=0.1)
    assert kept.warnings == ()
    louder = rendition(job(source, FakeRenderer(gain_db=0.15)), 1)
    assert louder.after.true_peak <= kept.before.true_peak + 0.05


def test_stems_go_along_and_get_the_gain(source: Path) -> None:
    result = job(source, FakeRenderer(), stems=True, loudness="-30")
    assert result.gain_db < -5.0
    for i in (1, 2, 3):
        mix = sf.read(rendition(result, i).path)[0]
        stems = [sf.read(path)[0] for path in rendition(result, i).stems.values()]
        assert len(stems) == 3
        np.testing.assert_allclose(sum(stems), mix, atol=1e-6)
        level = rendition(result, i).stem_levels["speech"][1]
        assert level == pytest.approx(-21.0 + result.gain_db, abs=1e-3)


def test_stems_are_left_behind_when_no_longer_wanted(source: Path) -> None:
    job(source, FakeRenderer(), stems=True)
    renderer = FakeRenderer()
    result = job(source, renderer)
    assert renderer.calls == []
    assert all(rendition(result, i).stems == {} for i in (1, 2, 3))
    clean(result.folder, keep=1)
    assert not list(result.folder.glob("*.music.wav"))


@pytest.mark.parametrize(
    "error", [MediaError("two is damaged; copy it again."), ZeroDivisionError("oh"), MemoryError()]
)
def test_one_bad_clip_does_not_take_the_others(source: Path, error: Exception) -> None:
    result = job(source, FakeRenderer(failing={"two": error}))
    assert statuses(result) == ["rendered", "failed", "rendered"]
    reason = result.failed[0].reason
    assert str(error) in reason
    assert reason.endswith(".")
    assert len(result_clips(result.out)) == 2


def test_a_failed_run_removes_nothing(source: Path) -> None:
    first = job(source, FakeRenderer())
    job(source, FakeRenderer(failing={"two": MediaError("no.")}), strength=0.5)
    assert all(rendition(first, i).path.exists() for i in (1, 2, 3))


def test_without_a_finished_clip_there_is_no_timeline_but_a_report(source: Path) -> None:
    failing = {name: MediaError(f"{name} is damaged.") for name in ("one", "two", "three")}
    result = job(source, FakeRenderer(failing=failing))
    assert statuses(result) == ["failed"] * 3
    assert not result.out.exists()
    assert json.loads((result.folder / "report.json").read_text())["summary"]["failed"] == 3


class Removing(FakeRenderer):
    """Takes the media away when the first clip is done."""

    def render(self, passage: Passage, *rest: Any) -> Rendition:
        done = super().render(passage, *rest)
        (passage.sound.path.parent / "soft.wav").unlink(missing_ok=True)
        return done


def test_media_that_go_away_mid_run_fail_their_clip(source: Path) -> None:
    result = job(source, Removing())
    assert statuses(result) == ["rendered", "failed", "rendered"]
    assert "soft.wav does not exist" in result.failed[0].reason


class Cutting(FakeRenderer):
    """Cuts the media short, or puts other media of the same length in its place, when the first clip is done."""

    def __init__(self, keep: int) -> None:
        super().__init__()
        self.keep = keep

    def render(self, passage: Passage, *rest: Any) -> Rendition:
        done = super().render(passage, *rest)
        path = passage.sound.path.parent / "soft.wav"
        if self.calls == [passage.name] or not self.keep:
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2] if self.keep else data[:-1000] + bytes(1000))
        return done


@pytest.mark.parametrize("keep", [1, 0])
def test_media_cut_short_or_replaced_mid_run_fail_their_clip(source: Path, keep: int) -> None:
    result = job(source, Cutting(keep))
    assert statuses(result) == ["rendered", "failed", "rendered"]
    assert "soft.wav is not what it was when the timeline was read" in result.failed[0].reason
    again = job(source, FakeRenderer())
    assert statuses(again)[0] == "cached"
    assert statuses(again)[1] != "cached"


def disk_full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Filling(FakeRenderer):
    """Fills the disk at the second clip."""

    def render(self, passage: Passage, *rest: Any) -> Rendition:
        if self.calls:
            try:
                disk_full()
            except OSError as error:
                raise WriteError("The file cannot be written.") from error
        return super().render(passage, *rest)


def test_a_full_disk_stops_the_job_and_the_next_run_goes_on(source: Path) -> None:
    with pytest.raises(DiskFullError, match="1 of 3 clips are rendered and kept"):
        job(source, Filling())
    assert not (source.parent / "out.otio").exists()
    renderer = FakeRenderer()
    result = job(source, renderer)
    assert renderer.calls == ["two", "three"]
    assert statuses(result) == ["cached", "rendered", "rendered"]


def test_a_disk_that_fills_while_sidecars_are_written_stops_the_job(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightmix.plugin.jobs.cache.write_text", disk_full)
    with pytest.raises(DiskFullError, match="0 of 3 clips"):
        job(source, FakeRenderer())


def test_too_small_a_disk_is_seen_beforehand(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("sightmix.plugin.jobs.disk.shutil.disk_usage", lambda path: usage)
    renderer = FakeRenderer()
    with pytest.raises(WriteError, match=r"needs about \d+ MB .* 1 MB free"):
        job(source, renderer)
    assert renderer.calls == []


def test_cancel_keeps_what_is_finished_and_writes_no_timeline(source: Path) -> None:
    progress = Progress()

    def observe(step: Step) -> None:
        if step.item == "two" and step.stage == "rebalance":
            progress.cancel()

    progress.observe = observe
    with pytest.raises(Cancelled, match="1 of 3 clips are rendered and kept"):
        job(source, FakeRenderer(pause=0.05), progress)
    assert not (source.parent / "out.otio").exists()
    renderer = FakeRenderer()
    job(source, renderer)
    assert renderer.calls == ["two", "three"]


def test_the_same_span_twice_is_rendered_once(tmp_path: Path) -> None:
    media = tone(tmp_path / "a.wav", 2)
    source = timeline_of(tmp_path / "reel.otio", [("a", media, 0.0, 1.0), ("gap", media, 1.0, 0.2)])
    data = json.loads(source.read_text())
    track = data["tracks"]["children"][0]
    data["tracks"]["children"].append({**track, "name": "A2"})
    source.write_text(json.dumps(data))
    renderer = FakeRenderer()
    result = job(source, renderer)
    assert len(result.clips) == 4
    assert sorted(renderer.calls) == ["a", "gap"]


def test_a_moved_clip_is_stamped_anew_without_rendering(source: Path) -> None:
    first = job(source, FakeRenderer(), handles=0)
    before = sf.read(rendition(first, 1).path)[0]
    data = json.loads(source.read_text())
    data["tracks"]["children"][0]["children"].reverse()
    source.write_text(json.dumps(data))
    renderer = FakeRenderer()
    moved = job(source, renderer, handles=0)
    assert renderer.calls == []
    stamps = [probe(rendition(moved, i).path).timecode for i in (1, 2, 3)]
    assert stamps == [Fraction(n, 25) for n in (0, 25, 55)]
    assert [clip.facts.name for clip in moved.clips] == ["three", "two", "one"]
    np.testing.assert_array_equal(sf.read(rendition(moved, 3).path)[0], before)


def test_files_are_stamped_with_their_first_sample(source: Path) -> None:
    data = json.loads(source.read_text())
    data["global_start_time"] = {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": 90000.0}
    source.write_text(json.dumps(data))
    result = job(source, FakeRenderer(), handles=5)
    assert probe(rendition(result, 2).path).timecode == 3600 + Fraction(20, 25)


def test_tracks_and_numbers_choose_clips(source: Path) -> None:
    assert statuses(job(source, FakeRenderer(), clips="1,3")) == ["rendered", "left out", "rendered"]
    assert statuses(job(source, FakeRenderer(), tracks=("a1",))) == ["cached", "rendered", "cached"]
    with pytest.raises(SettingsError, match=r"--track A7 fits no audio track of .*; it has A1 'A1'\."):
        job(source, FakeRenderer(), tracks=("A1", "A7"))
    with pytest.raises(SettingsError, match="together"):
        job(source, FakeRenderer(), tracks=("A1",), clips="1")


def test_offline_clips_are_left_out_unless_named(source: Path) -> None:
    (source.parent / "soft.wav").unlink()
    result = job(source, FakeRenderer())
    assert statuses(result) == ["rendered", "left out", "rendered"]
    assert result.clips[1].reason
    result = job(source, FakeRenderer(), clips="1-2")
    assert statuses(result) == ["cached", "failed", "left out"]


def test_a_timeline_with_nothing_online_is_refused(source: Path) -> None:
    for name in ("soft.wav", "loud.wav"):
        (source.parent / name).unlink()
    with pytest.raises(SettingsError, match="None of the 3 audio clips"):
        job(source, FakeRenderer())


def test_results_never_go_over_input_media_or_strangers(source: Path) -> None:
    folder = source.parent
    stranger = folder / "other.otio"
    stranger.write_text('{"OTIO_SCHEMA": "Timeline.1"}')
    cases = {
        folder / "reel": "replace the input",
        folder / "." / "reel.otio": "replace the input",
        stranger: "was not written by sightmix",
        folder / "missing" / "x.otio": "does not exist",
        folder / "film.prproj": "only its own program writes a Premiere project; name it .xml",
        folder / "film.mp4": "a result is a timeline; name it .otio",
    }
    for out, what in cases.items():
        with pytest.raises((SettingsError, WriteError), match=what):
            job(source, FakeRenderer(), out=out)
    assert stranger.read_text() == '{"OTIO_SCHEMA": "Timeline.1"}'
    assert not list(folder.glob("*.sightmix"))


def test_a_link_to_the_input_is_the_input(source: Path) -> None:
    link = source.parent / "link.otio"
    link.symlink_to(source)
    with pytest.raises(SettingsError, match="replace the input"):
        job(source, FakeRenderer(), out=link)


def test_media_in_the_result_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out.sightmix"
    folder.mkdir()
    media = tone(folder / "a.wav", 1)
    source = timeline_of(tmp_path / "reel.otio", [("a", media, 0.0, 1.0)])
    with pytest.raises(SettingsError, match="result's own files"):
        job(source, FakeRenderer())


def test_an_own_earlier_result_is_replaced(source: Path) -> None:
    first = job(source, FakeRenderer())
    text = first.out.read_text()
    (first.folder / "report.json").unlink()
    job(source, FakeRenderer(), strength=0.5)
    assert first.out.read_text() != text
    assert len(result_clips(first.out)) == 3


def test_half_written_files_of_a_killed_run_are_cleared(source: Path) -> None:
    folder = source.parent / "out.sightmix" / "cache"
    folder.mkdir(parents=True)
    (folder / ".abc.wav.12345678.sightmix.part").write_bytes(b"half")
    job(source, FakeRenderer())
    assert not list(folder.glob(".*"))


def test_the_result_says_how_it_was_made(source: Path) -> None:
    result = job(source, FakeRenderer(), music=-2.0)
    text = result.out.read_text()
    assert '"model": "fake-1"' in text
    assert '"weights_sha256": "abab' in text
    assert '"music": -2.0' in text


def test_muting_originals_disables_them(source: Path) -> None:
    result = job(source, FakeRenderer(), keep_originals=False)
    timeline = otio.adapters.read_from_file(str(result.out))
    assert [track.enabled for track in timeline.tracks] == [False, True]


def test_the_plan_counts_bytes(source: Path) -> None:
    request = Job(source, source.parent / "o", JobSettings(handles=0, **ALONE))
    plan = make_plan(request, open_timeline(source), RebalanceStage(request.settings, FakeRenderer()))
    assert plan.bytes_needed == pytest.approx(3.2 * RATE * 2 * 3, rel=0.01)
    assert plan.out == source.parent / "o.otio"
    settings = JobSettings(**(ALONE | {"handles": 0, "stems": True, "loudness": "-23"}))
    stems = make_plan(
        replace(request, settings=settings), plan.timeline, RebalanceStage(settings, FakeRenderer())
    )
    assert stems.bytes_needed == 8 * plan.bytes_needed


def test_silence_has_no_gain(tmp_path: Path) -> None:
    media = tone(tmp_path / "a.wav", 2, -math.inf)
    source = timeline_of(tmp_path / "reel.otio", [("a", media, 0.0, 2.0)])
    result = job(source, FakeRenderer(), loudness="-23")
    assert result.gain_db == 0.0
    assert rendition(result, 1).after.integrated == -math.inf
    data = json.loads((result.folder / "report.json").read_text())
    assert data["summary"]["integrated_after"] is None


def test_planning_touches_nothing(source: Path) -> None:
    before = sorted(p.name for p in source.parent.iterdir())
    stage = RebalanceStage(JobSettings(**ALONE))
    make_plan(Job(source, source.parent / "o", stage.settings), open_timeline(source), stage)
    assert stage.device == "", "nothing is loaded for a plan"
    assert sorted(p.name for p in source.parent.iterdir()) == before


def test_what_came_in_above_full_scale_and_grew_is_held_at_full_scale(tmp_path: Path) -> None:
    t = np.arange(2 * RATE) / RATE
    square = np.clip(3 * np.sin(2 * np.pi * 11_000 * t), -1, 1)
    sf.write(tmp_path / "a.wav", np.stack([square, square], axis=1), RATE, subtype="PCM_24")
    source = timeline_of(tmp_path / "reel.otio", [("a", tmp_path / "a.wav", 0.0, 2.0)])
    result = job(source, FakeRenderer(gain_db=3.0))
    assert statuses(result) == ["rendered"], result.clips[0].reason
    assert rendition(result, 1).before.true_peak > 0
    assert rendition(result, 1).after.true_peak <= 0.05
