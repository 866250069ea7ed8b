"""A stretch tried out: only what sounds there is separated and heard, and it says what a run would say of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf
from job_helpers import RATE, FakeRenderer
from sightmix.engine.errors import Cancelled, MediaError
from sightmix.engine.highlight.listening import Listening, Score
from sightmix.engine.media.reader import probe, read_span
from sightmix.engine.media.writer import WavWriter
from sightmix.engine.passage import Passage, Rendition
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.desk import MARGIN
from sightmix.plugin.jobs.laid import Laid
from sightmix.plugin.jobs.mix import Mix, read_mix, write_mix
from sightmix.plugin.jobs.rebalance import Engines, RebalanceStage
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.session.preview import around, preview
from sightmix.plugin.session.sound import Lanes
from sightmix.plugin.timeline import open_timeline
from test_programme_jobs import bursts, married, source

GRID = 1024 / 44_100
__all__ = ["source"]


class Listener(FakeRenderer):
    """Keeps what it was asked."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.scores: list[Score] = []
        self.passages: list[Passage] = []

    def listen(self, score: Score, progress: Progress) -> Listening:
        self.scores.append(score)
        return super().listen(score, progress)

    def render(self, passage: Passage, *rest: Any) -> Rendition:
        self.passages.append(passage)
        return super().render(passage, *rest)


def tried(path: Path, renderer: FakeRenderer, start: float, seconds: float, **given: Any) -> Mix:
    stage = RebalanceStage(JobSettings(**given), renderer)
    return preview(open_timeline(path), (), start, seconds, path.parent / "scratch", Progress(), stage)


def test_a_stretch_lies_around_the_playhead_inside_the_programme() -> None:
    assert around(100.0, 50.0) == (45.0, 10.0)
    assert around(100.0, 1.0) == (0.0, 10.0)
    assert around(100.0, 99.0) == (90.0, 10.0)
    assert around(4.0, 3.0) == (0.0, 4.0)


def test_known_tracks_are_heard_as_they_are_and_only_there(source: Path) -> None:
    renderer = Listener()
    mix = tried(source, renderer, 5.0, 3.0)
    assert renderer.passages == []
    [score] = renderer.scores
    assert score.samples == 3 * RATE
    heard = np.concatenate(list(score.blocks()), axis=2)
    frame = round(5.0 / GRID)
    first = round(frame * GRID * RATE)
    timeline = open_timeline(source)
    lanes = np.concatenate(list(Lanes(timeline, mix.laid).blocks(first, 3 * RATE)), axis=2)
    np.testing.assert_allclose(heard[:3], lanes[:3], atol=1e-6)
    assert mix.start == pytest.approx(frame * GRID, abs=1 / RATE)
    assert mix.duration == 3.0
    assert set(mix.styles) == {"repair", "full"}
    np.testing.assert_array_equal(mix.styles["full"][:, 5], renderer.moves)
    there = [timeline.clip(index) for index in mix.laid.moved]
    assert all(clip.record_in < mix.start + 3 and clip.record_out > mix.start for clip in there)
    assert len(there) == 6, "take until 5, take from 4, take from 7, both songs, door until 5 and from 6"


def test_of_a_mix_only_the_stretch_is_separated_with_the_shots_seen_there(tmp_path: Path) -> None:
    renderer = Listener()
    mix = tried(married(tmp_path), renderer, 4.0, 4.0)
    spans = [(float(p.sound.start), float(p.sound.duration)) for p in renderer.passages]
    start = mix.start
    # Both clips play film.wav: the first to record second 6, the second from there on, from its second 8.
    little, handle = MARGIN / RATE, 0.01  # more than is heard, so that no resampler comes to an end
    expected = [(start - little, 6 - start + little + handle), (8 - handle, start - 2 + little + handle)]
    np.testing.assert_allclose(spans, expected, atol=1e-4)
    assert set(mix.laid.parted) == {1, 3}
    lanes = np.concatenate(list(Lanes(open_timeline(tmp_path / "reel.otio"), mix.laid).blocks()), axis=2)
    inside = slice(round((start + 0.1) * RATE), round((start + 3.9) * RATE))
    assert np.abs(lanes[0][:, inside]).max() > 0.01
    assert not lanes[0][:, : round(start * RATE) - 2].any(), "outside of the stretch the mix is as it was"


def test_the_same_stretch_again_asks_nobody_whatever_the_options(tmp_path: Path) -> None:
    path, renderer = married(tmp_path), Listener()
    first = tried(path, renderer, 4.0, 4.0)
    calls = list(renderer.calls)
    again = tried(path, renderer, 4.0, 4.0, style="full", strength=0.3, music=-3.0, loudness="-23")
    assert renderer.calls == calls
    np.testing.assert_array_equal(again.styles["repair"], first.styles["repair"])
    assert again.said == first.said
    tried(path, renderer, 5.0, 4.0)
    assert len(renderer.calls) > len(calls)


def test_a_clip_that_cannot_be_separated_stays_as_it_is_and_is_named(tmp_path: Path) -> None:
    path = married(tmp_path)
    renderer = Listener(failing={"film": MediaError("film.wav is torn; copy it again.")})
    mix = tried(path, renderer, 1.0, 3.0)
    assert mix.laid.moved == {2}
    assert any("film.wav is torn" in warning for warning in mix.warnings)


def test_a_file_that_cannot_be_read_costs_the_others_nothing(source: Path) -> None:
    song = source.parent / "song.wav"
    timeline = open_timeline(source)
    song.write_bytes(b"RIFF")
    stage = RebalanceStage(JobSettings(), FakeRenderer())
    mix = preview(timeline, (), 2.0, 3.0, source.parent / "scratch", Progress(), stage)
    assert mix.frames > 100


def test_it_stops_where_it_is_told_to(tmp_path: Path) -> None:
    progress = Progress()
    progress.cancel()
    stage = RebalanceStage(JobSettings(), FakeRenderer())
    with pytest.raises(Cancelled):
        preview(open_timeline(married(tmp_path)), (), 0.0, 3.0, tmp_path / "scratch", progress, stage)


def test_the_end_of_a_programme_is_a_short_stretch(source: Path) -> None:
    mix = tried(source, FakeRenderer(), 11.0, 10.0)
    assert mix.duration == pytest.approx(12 - mix.start, abs=1e-4)
    assert tried(source, FakeRenderer(), 99.0, 10.0).duration == pytest.approx(0.5, abs=0.03)


def test_a_mix_is_the_same_when_it_is_read_again(source: Path, tmp_path: Path) -> None:
    mix = tried(source, FakeRenderer(moves=(6.0, -6.0, 0.0)), 2.0, 6.0)
    write_mix(tmp_path / "a.npz", mix)
    again = read_mix(tmp_path / "a.npz")
    assert mix.moves["full"]
    assert mix.said["full"]
    assert (again.said, again.moves, again.laid, again.looks) == (mix.said, mix.moves, mix.laid, mix.looks)
    for style in mix.styles:
        np.testing.assert_array_equal(again.styles[style], mix.styles[style])
        np.testing.assert_array_equal(again.doubt[style], mix.doubt[style])
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:99])
    with pytest.raises(MediaError, match="run it again"):
        read_mix(tmp_path / "a.npz")


def test_the_model_stays_loaded_from_one_preview_to_the_next(tiny_model: str, tmp_path: Path) -> None:
    path = married(tmp_path)
    engines = Engines()
    mixes = []
    for style in ("repair", "full"):
        settings = JobSettings(model=tiny_model, context="none", device="cpu", style=style)
        stage = engines.stage_for(settings)
        mixes.append(preview(open_timeline(path), (), 1.0, 2.0, tmp_path / "scratch", Progress(), stage))
        loaded = engines.ready(settings)
        assert loaded is engines.loaded(replace(settings, strength=0.1))
    np.testing.assert_array_equal(mixes[0].styles["full"], mixes[1].styles["full"])
    assert mixes[0].styles["full"].any()


class Thirds(FakeRenderer):
    """Gives every stem a third of the sound, at the media's own rate."""

    def render(
        self, passage: Passage, settings: Any, folder: Path, stem_name: str, progress: Progress
    ) -> Rendition:
        made = super().render(passage, settings, folder, stem_name, progress)
        rate = probe(passage.sound.path).audio[0].sample_rate
        x = read_span(passage.sound.path, passage.rendered_start, passage.rendered_duration)
        for path in made.stems.values():
            with WavWriter(path, rate, x.shape[0]) as writer:
                writer.write((x / 3).astype(np.float32))
        return replace(made, sample_rate=rate)


def retimed(folder: Path) -> Path:
    """A mix in dissolves, faster, backwards and at another sample rate."""
    bursts(folder / "film.wav", -26, -40, 3)
    rng = np.random.default_rng(9)
    sf.write(folder / "other.wav", 0.1 * rng.standard_normal((44_100 * 10, 2)), 44_100, subtype="FLOAT")
    track = otio.schema.Track("Mix", kind=otio.schema.TrackKind.Audio)

    def add(name: str, media: str, start: float, seconds: float, scalar: float = 1.0) -> None:
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(start * 25, 25), otio.opentime.RationalTime(seconds * 25, 25)
        )
        reference = otio.schema.ExternalReference(target_url=str(folder / media))
        clip = otio.schema.Clip(name, media_reference=reference, source_range=span)
        if scalar != 1.0:
            clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=scalar))
        track.append(clip)

    def dissolve() -> None:
        half = otio.opentime.RationalTime(10, 25)
        track.append(otio.schema.Transition("SMPTE_Dissolve", in_offset=half, out_offset=half))

    add("plain", "film.wav", 1.0, 3.0)
    dissolve()
    add("fast", "film.wav", 8.0, 3.0, 1.5)
    add("backwards", "other.wav", 3.0, 2.0, -1.0)
    dissolve()
    add("slow", "other.wav", 2.0, 4.0, 0.5)
    timeline = otio.schema.Timeline("Reel")
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(folder / "reel.otio"))
    return folder / "reel.otio"


@pytest.mark.parametrize(("start", "seconds"), [(1.0, 4.0), (2.7, 3.0), (5.5, 3.2), (8.1, 2.0)])
def test_stems_of_a_stretch_and_what_lies_around_them_sum_to_what_was_there(
    tmp_path: Path, start: float, seconds: float
) -> None:
    path = retimed(tmp_path)
    mix = tried(path, Thirds(), start, seconds)
    assert mix.laid.parted
    timeline = open_timeline(path)
    lanes, plain = (
        np.concatenate(list(Lanes(timeline, laid).blocks()), axis=2) for laid in (mix.laid, Laid())
    )
    assert lanes[:3].any()
    np.testing.assert_allclose(lanes.sum(axis=0), plain.sum(axis=0), atol=2e-3)
    difference = np.abs(lanes.sum(axis=0) - plain.sum(axis=0)).max(axis=0)
    assert np.sqrt(np.square(difference).mean()) < 2e-5
    first, last = round(mix.start * RATE) + 50, round((mix.start + mix.duration) * RATE) - 50
    assert not lanes[3][:, first:last].any(), "inside all of it lies in the stems"
    assert not lanes[:3, :, : first - 100].any()
    assert not lanes[:3, :, last + 100 :].any()
