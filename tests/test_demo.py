"""The demo's own arithmetic: what it lays, spoils, measures and shows."""

import itertools
import json
from dataclasses import replace
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
import tracks
from edit import Laid
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.reader import probe
from soundtrack import RATE, Excerpt, Line, Stems
from tracks import Added


@pytest.fixture(scope="module")
def excerpt() -> Excerpt:
    return Excerpt.read(EXAMPLES / "bbb")


@pytest.fixture(scope="module")
def short(excerpt: Excerpt) -> Excerpt:
    """Its first seven seconds: three shots, and a line."""
    return replace(excerpt, frames=168, cuts=excerpt.cuts[:2], lines=excerpt.lines[:1])


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


def test_a_timeline_sounds_as_its_audible_tracks_add_up(tmp_path: Path, short: Excerpt) -> None:
    ramp = np.linspace(-0.4, 0.4, short.samples, dtype=np.float32)[None].repeat(2, axis=0)
    cue, muted = ramp[:, ::-1] * np.float32(0.5), ramp * 0 + np.float32(0.1)
    for name, sound in {"mix down": ramp, "cue": cue, "muted": muted}.items():
        soundfile.write(tmp_path / f"{name}.wav", sound.T, RATE, "PCM_24")
    laid = [
        Laid("A1", tmp_path / "mix down.wav", ((0, 50), (50, short.frames))),
        Laid("Music", tmp_path / "cue.wav", ((24, 48), (48, 60), (80, 81))),
        Laid("Muted", tmp_path / "muted.wav", ((0, short.frames),)),
    ]
    edit.write_timeline(short, laid, tmp_path / "cut.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    assert [len(list(track.find_clips())) for track in timeline.tracks] == [len(short.shots), 2, 3, 1]
    assert [track.name for track in timeline.audio_tracks()] == ["A1", "Music", "Muted"]
    timeline.tracks[3].enabled = False
    timeline.tracks[2].metadata["sightmix"] = {"generated": True}  # tracks of a result are heard too
    otio.adapters.write_to_file(timeline, str(tmp_path / "cut.otio"))
    played = edit.heard(tmp_path / "cut.otio")
    expected = ramp.copy()
    for first, last in ((24, 60), (80, 81)):
        where = slice(first * RATE // short.rate, last * RATE // short.rate)
        expected[:, where] += cue[:, where]
    assert played.shape == expected.shape
    assert np.max(np.abs(played - expected)) < 2**-21


def test_the_mixdown_is_cut_into_scenes_without_a_hole(excerpt: Excerpt) -> None:
    clips = edit.in_scenes(excerpt)
    assert (clips[0][0], clips[-1][1], len(clips)) == (0, excerpt.frames, 3)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(clips))


def test_the_free_material_is_there_and_fits_the_film(excerpt: Excerpt) -> None:
    folder = EXAMPLES / "tracks"
    described = json.loads((folder / "tracks.json").read_text(encoding="utf-8"))["tracks"]
    assert [track["name"] for track in described] == ["Music", "SFX", "Ambience"]
    credits = (folder / "CREDITS.md").read_text(encoding="utf-8")
    for track in described:
        assert all(f"`{clip['file']}`" in credits for clip in track["clips"])
        places = [tracks.place(folder, clip, excerpt) for clip in track["clips"]]
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
        assert places[-1][1] <= excerpt.frames


@pytest.fixture
def added(short: Excerpt, tmp_path: Path) -> tuple[Added, ...]:
    """Two cues of a track and a hum, over the first line of the short excerpt and after it."""
    rng = np.random.default_rng(5)
    for name, seconds, channels in (("cue", 2.0, 2), ("hum", 3.04, 1)):
        sound = rng.standard_normal((round(seconds * 44_100), channels)) * 0.01
        soundfile.write(tmp_path / f"{name}.flac", sound, 44_100)
    cues = [{"file": "cue.flac", "at": 0.5}, {"file": "cue.flac", "at": 2.5}]
    described = [
        {"name": "Music", "lufs": -30.0, "clips": cues},
        {"name": "Ambience", "lufs": -42.0, "clips": [{"file": "hum.flac", "at": 1.0}]},
    ]
    (tmp_path / "tracks.json").write_text(json.dumps({"tracks": described}), encoding="utf-8")
    return tracks.added_tracks(tmp_path, short)


def test_what_is_added_is_as_loud_as_said_and_lies_in_its_clips(
    short: Excerpt, added: tuple[Added, ...]
) -> None:
    assert [track.clips for track in added] == [((12, 60), (60, 108)), ((24, 96),)]
    for track, lufs in zip(added, (-30.0, -42.0), strict=True):
        assert measure(track.sound, RATE).integrated == pytest.approx(lufs, abs=0.1)
        assert not track.sound[:, outside(track.clips, short)].any()
        first, last = track.clips[0]
        assert (
            track.sound[:, first * RATE // short.rate : last * RATE // short.rate].any(axis=0).mean() > 0.99
        )


def outside(clips: tuple[tuple[int, int], ...], excerpt: Excerpt) -> np.ndarray:
    """Which samples of the excerpt lie in no clip."""
    found = np.ones(excerpt.samples, bool)
    for first, last in clips:
        found[first * RATE // excerpt.rate : last * RATE // excerpt.rate] = False
    return found


def test_every_track_is_laid_with_its_sound_and_goes_down_under_the_dialogue(
    short: Excerpt, added: tuple[Added, ...], tmp_path: Path
) -> None:
    good = soundtrack.good_stems(short, tuple(track.sound for track in added))
    laid = tracks.laid_tracks(short, good, added, tmp_path)
    assert [track.name for track, _ in laid] == ["Dialogue", "Film", "Music", "Ambience"]
    assert [track.media.name for track, _ in laid] == [
        "dialogue.wav",
        "film.wav",
        "music.wav",
        "ambience.wav",
    ]
    for track, sound in laid:
        if track.name != "Film":
            assert not sound[:, outside(track.clips, short)].any(), track.name
    assert len(laid[0][0].clips) == len(short.lines) == 1
    ducked = soundtrack.duck(short.lines, soundtrack.total((good.bed, *(track.sound for track in added))))
    assert 20 * np.log10(ducked.min()) < -6.0  # they are loud, so it goes down, and
    for before, after in zip(added, good.more, strict=True):
        line = short.lines[0].samples
        rest = 20 * np.log10(np.abs(after[:, line]).max() / np.abs(before.sound[:, line]).max())
        assert -soundtrack.DUCK_DB - 0.1 < rest < -4.0, before.name  # so do they


def test_all_that_lies_under_the_dialogue_is_spoilt_alike(stems: Stems) -> None:
    more = (stems.bed[:, ::-1] * np.float32(0.5), stems.bed * 0)
    together = Stems(stems.dialogue * np.float32(2), stems.bed, more)
    spoilt, changes = soundtrack.muddied(together)
    assert (changes["dialogue_db"], changes["bed_db"]) == (-9.0, 9.0)
    for before, after in zip(together.beds, spoilt.beds, strict=True):
        np.testing.assert_allclose(after, before * 10 ** ((9.0 + changes["both_db"]) / 20), rtol=1e-5)
    assert np.max(np.abs(spoilt.mix())) <= soundtrack.CEILING * 1.0001


def test_gains_of_several_tracks_are_found_again_and_a_silent_one_has_none(stems: Stems) -> None:
    rng = np.random.default_rng(4)
    music = rng.standard_normal(stems.bed.shape).astype(np.float32) * np.float32(0.05)
    known = Stems(stems.dialogue, stems.bed, (music, stems.bed * 0))
    mix = known.dialogue * 2 + known.bed * 0.5 + music * 0.25
    found = scores.applied_gains(mix, known, LINES[0])
    assert found == pytest.approx((6.02, -6.02, -12.04, 0.0), abs=0.01)
    # Beds of one level, at 0 dB together 3 LU louder than each: 10 lg(0.25 + 0.0625) from one of them.
    before, after = scores.dialogue_over_bed(known, LINES), scores.balance_after(mix, known, LINES)
    assert np.subtract(after, before) == pytest.approx(6.02 + 3.01 + 5.05, abs=0.15)


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
