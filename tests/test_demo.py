"""The demo's own arithmetic: what it lays, spoils, measures and shows."""

from fractions import Fraction
from pathlib import Path

import edit
import film
import numpy as np
import opentimelineio as otio
import pytest
import scores
import soundfile
import soundtrack
from sightmix.engine.media.reader import probe
from soundtrack import RATE, Excerpt, Line, Stems


@pytest.fixture(scope="module")
def excerpt() -> Excerpt:
    return Excerpt.read(EXAMPLES / "bbb")


@pytest.fixture
def stems() -> Stems:
    rng = np.random.default_rng(1)
    dialogue, bed = (rng.standard_normal((2, 4 * RATE)).astype(np.float32) * 0.05 for _ in range(2))
    return Stems(dialogue, bed)


EXAMPLES = Path(__file__).parent.parent / "examples"
LINES = (Line(1.0, 2.0, "one"), Line(2.5, 3.5, "two"))


def test_the_excerpt_is_what_its_list_says(excerpt: Excerpt) -> None:
    info = probe(excerpt.picture)
    assert info.video is not None
    assert info.video.rate == excerpt.rate
    assert info.video.duration == info.audio[0].duration == Fraction(excerpt.frames, excerpt.rate) == 120
    assert sum(count for _, count in excerpt.shots) == excerpt.frames
    assert len(excerpt.shots) >= 13
    voice = soundfile.info(excerpt.voice)
    assert voice.duration == 120
    assert all(a.end < b.start for a, b in zip(excerpt.lines, excerpt.lines[1:], strict=False))


def test_the_voice_sounds_where_its_lines_are(excerpt: Excerpt) -> None:
    voice, rate = soundfile.read(excerpt.voice, dtype="float32")
    spoken = np.zeros(voice.size, bool)
    for line in excerpt.lines:
        inside = slice(round(line.start * rate), round((line.end + 0.001) * rate))
        spoken[inside] = True
        assert np.sqrt(np.mean(voice[inside] ** 2)) > 0.03, line.text
    assert not voice[~spoken].any()


def test_the_duck_goes_down_before_a_line_and_comes_back(stems: Stems) -> None:
    curve = 20 * np.log10(soundtrack.duck((Line(1.5, 2.5, "line"),), stems.bed))
    assert curve[0] == curve[-1] == 0.0
    assert curve[2 * RATE] == pytest.approx(-soundtrack.DUCK_DB, abs=1e-3)
    assert curve[round(1.25 * RATE)] == pytest.approx(-soundtrack.DUCK_DB / 2, abs=0.01)
    assert np.max(np.abs(np.diff(curve))) < 0.01


def test_film_sound_that_is_out_of_the_way_is_not_ducked(stems: Stems) -> None:
    assert np.all(soundtrack.duck(LINES, stems.bed * np.float32(0.01)) == 1.0)


def test_a_short_pause_is_part_of_the_speech() -> None:
    assert soundtrack.spoken_stretches(LINES) == [(1.0, 3.5)]
    assert soundtrack.spoken_stretches((Line(0, 1, ""), Line(3, 4, ""))) == [(0, 1), (3, 4)]


def test_muddying_takes_the_loudest_stem_down_and_stays_under_full_scale(stems: Stems) -> None:
    loud = Stems(stems.dialogue * np.float32(2), stems.bed)
    spoilt, changes = soundtrack.muddied(loud)
    assert (changes["dialogue_db"], changes["bed_db"]) == (-9.0, 9.0)
    assert np.max(np.abs(spoilt.mix())) <= soundtrack.CEILING * 1.0001
    wanted = 20 * np.log10(2) - 18.0
    assert np.mean(scores.dialogue_over_bed(spoilt, LINES)) == pytest.approx(wanted, abs=0.1)


def test_gains_are_found_again_in_a_mix(stems: Stems) -> None:
    rng = np.random.default_rng(2)
    mix = (
        stems.dialogue * 2 + stems.bed * 0.5 + rng.standard_normal(stems.bed.shape).astype(np.float32) * 0.005
    )
    dialogue, bed = scores.applied_gains(mix, stems, LINES[0])
    assert dialogue == pytest.approx(6.02, abs=0.05)
    assert bed == pytest.approx(-6.02, abs=0.05)
    before, after = scores.dialogue_over_bed(stems, LINES), scores.balance_after(mix, stems, LINES)
    assert np.subtract(after, before) == pytest.approx([12.04, 12.04], abs=0.1)


def test_lines_over_silence_do_not_count(stems: Stems) -> None:
    stems.bed[:, LINES[0].samples] = 0.0
    assert scores.over_film_sound(stems, LINES) == LINES[1:]


def test_distances_to_itself_are_nothing(stems: Stems) -> None:
    same = scores.distances(stems.bed, stems.bed)
    assert same["MAG"] == same["ENV"] == same["W"] == 0.0


def test_a_track_plays_what_its_clips_show(tmp_path: Path, excerpt: Excerpt) -> None:
    sound = np.linspace(-0.9, 0.9, excerpt.samples, dtype=np.float32)[None].repeat(2, axis=0)
    soundfile.write(tmp_path / "mix down.wav", sound.T, RATE, "PCM_24")
    edit.write_timeline(excerpt, tmp_path / "mix down.wav", tmp_path / "cut.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    assert [len(track) for track in timeline.tracks] == [len(excerpt.shots), 3]
    played = edit.sound_of(timeline.audio_tracks()[0], tmp_path, excerpt.samples)
    assert np.max(np.abs(played - sound)) < 2**-23


def test_the_sound_changes_at_cuts_and_not_too_often(excerpt: Excerpt) -> None:
    points = film.switch_points(excerpt)
    turns = np.diff([0, *points, excerpt.frames]) / excerpt.rate
    assert turns.min() >= 5.0
    assert turns.max() <= 24.0
    assert len(set(points) & set(excerpt.cuts)) >= 10


def test_labels_lie_on_the_picture_and_change_nothing_else(excerpt: Excerpt) -> None:
    import av

    grey = av.VideoFrame.from_ndarray(np.full((540 * 3 // 2, 960), 100, np.uint8), format="yuv420p")
    label = film._label("BEFORE")
    marked = film._marked(grey, label).to_ndarray(format="yuv420p")
    rows, columns = label.shape
    assert np.array_equal(marked[16 : 16 + rows, 16 : 16 + columns], label)
    marked[16 : 16 + rows, 16 : 16 + columns] = 100
    assert np.all(marked[:540] == 100)
    assert label.max() > 200
