"""The mix as one works on it: the same gains, loudness and words as a run's, at once and without the network."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sightmix.engine.highlight.listening import Listening, Score
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.hand import Drawn
from sightmix.plugin.jobs.laid import Laid, Parted
from sightmix.plugin.jobs.mix import Look, Mix, read_mix
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.results import JobResult
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.session.sound import Lanes
from sightmix.plugin.session.survey import Surveyed, survey
from sightmix.plugin.timeline import open_timeline
from sightmix.ui.base.source import Source
from sightmix.ui.control.live import AFTER, BEFORE, LiveMix
from sightmix.ui.control.state import Document

sys.path.append(str(Path(__file__).parent.parent / "plugin"))

from job_helpers import FakeRenderer, tone
from test_programme_jobs import bursts, reel

SECONDS = 16
DRAWN = (Drawn("music", (5.0, 7.0, 9.0), (-3.0, -9.0, -1.0)),)


class Moving(FakeRenderer):
    """A network whose gains move, and which counts how often it is asked."""

    def listen(self, score: Score, progress: Progress) -> Listening:
        found = super().listen(score, progress)
        times = np.arange(found.gains.shape[1]) * 1024 / 44_100
        return replace(
            found,
            gains=np.stack([4 * np.sin(times / 2), -6 + 3 * np.cos(times), -2 + 0 * times]).astype("f4"),
        )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    bursts(folder / "take.wav", -32, -75, 1, SECONDS)
    tone(folder / "song.wav", SECONDS, -20)
    bursts(folder / "door.wav", -26, -90, 2, SECONDS)
    tone(folder / "room.wav", SECONDS, -44)  # in phase with the song
    tracks = {"Dialogue": "take.wav", "Music": "song.wav", "SFX": "door.wav", "Wild": "room.wav"}
    return reel(folder, **{name: [(media, 0.0, 0.0, SECONDS)] for name, media in tracks.items()})


def document(seconds: float = SECONDS) -> Document:
    where = Source(Path("reel.otio"))
    return Document(
        where, "Reel", Fraction(25), False, Fraction(0), Fraction(seconds), "otio", False, (), (), ()
    )


def job(source: Path, renderer: Any, drawn: tuple[Drawn, ...] = (), **given: Any) -> JobResult:
    settings = JobSettings(**given)
    stage = RebalanceStage(settings, renderer)
    # One track stays as it is, so that a level cannot be found in one step.
    request = Job(
        source,
        source.parent / "out.otio",
        settings,
        tracks=("A1", "A2", "A3"),
        categories=("A4=mix",),
        drawn=drawn,
    )
    return run(make_plan(request, open_timeline(source), stage), stage, Progress())


def surveyed(source: Path, laid: Laid) -> Iterator[Surveyed]:
    return survey(Lanes(open_timeline(source), laid), Progress())


@pytest.fixture(scope="module")
def mix(source: Path) -> Mix:
    result = job(source, Moving())
    assert result.balance is not None
    return read_mix(result.balance.mix_file)


@pytest.fixture(scope="module")
def stretches(source: Path, mix: Mix) -> list[Surveyed]:
    return list(surveyed(source, mix.laid))


@pytest.fixture
def live(mix: Mix, stretches: list[Surveyed]) -> LiveMix:
    found = LiveMix()
    found.open(document())
    for stretch in stretches:
        found.survey(stretch)
    found.hear(mix)
    return found


def test_points_stay_where_the_hand_put_them_however_the_level_moves(live: LiveMix) -> None:
    live.settings = JobSettings(style="full", loudness="-27", music=-4.0)
    live.drawn = DRAWN
    times, plain = live.plain_table()
    inside = (times >= 5.0) & (times <= 9.0)
    np.testing.assert_allclose(
        plain[1, inside], np.interp(times[inside], DRAWN[0].times, DRAWN[0].db), atol=1e-4
    )
    gain_db = live.figures.gain_db
    assert abs(gain_db) > 1
    np.testing.assert_allclose(live.table()[1], plain + gain_db, atol=1e-4)


OPTIONS: list[tuple[dict[str, Any], tuple[Drawn, ...]]] = [
    ({}, DRAWN),
    ({"style": "full", "loudness": "model"}, ()),
    ({"style": "full", "strength": 0.5, "music": -4.0}, DRAWN),
    ({"style": "full", "loudness": "-27", "dialogue": 3.0}, ()),
    ({"style": "full", "delivery": "netflix"}, DRAWN),
]


@pytest.mark.parametrize(("options", "drawn"), OPTIONS, ids=str)
def test_gains_loudness_and_words_are_those_of_a_run(
    source: Path, live: LiveMix, options: dict[str, Any], drawn: tuple[Drawn, ...]
) -> None:
    renderer = Moving()
    result = job(source, renderer, drawn, true_peak=0.0, **options)
    balance = result.balance
    assert balance is not None
    assert renderer.calls == [], "neither options nor curves ask the network again"
    assert balance.levelled.deepest == 0, "no dips in this material"
    live.settings, live.drawn = JobSettings(true_peak=0.0, **options), drawn
    times, gains = live.table()
    np.testing.assert_allclose(times, balance.times)
    np.testing.assert_allclose(gains, balance.gains, atol=0.05)
    figures = live.figures
    assert figures.complete
    assert figures.before == pytest.approx(balance.levelled.before.integrated, abs=0.1)
    assert figures.after == pytest.approx(balance.levelled.after.integrated, abs=0.1)
    assert figures.gain_db == pytest.approx(balance.levelled.gain_db, abs=0.05)
    assert figures.match_db == pytest.approx(figures.before - figures.after)
    assert [said.text for said in live.sentences] == list(result.said[1:])


def test_nothing_acts_before_anything_was_heard_asked_or_drawn(stretches: list[Surveyed]) -> None:
    live = LiveMix()
    assert live.table()[0].size == 0
    live.open(document())
    for stretch in stretches:
        live.survey(stretch)
    assert live.table()[0].size == 0
    assert not live.heard
    assert live.figures.after == live.figures.before
    live.settings = JobSettings(music=-6.0, loudness="model")
    times, gains = live.table()
    assert times.size == gains.shape[1]
    np.testing.assert_array_equal(gains[1], np.full(times.size, -6, np.float32))
    assert [said.text for said in live.sentences] == ["00:00:00–00:00:16 music −6 dB as asked"]
    live.settings, live.drawn = JobSettings(loudness="model"), DRAWN
    assert live.table()[1][1].min() == pytest.approx(-9, abs=0.1)
    assert live.sentence_at(6.0) == "00:00:05–00:00:09 music −5.5 dB by hand"
    assert live.sentence_at(10.0) == ""


def test_whoever_watches_is_told_of_every_change_and_of_none_that_is_none(live: LiveMix) -> None:
    told: list[int] = []
    live.changed.subscribe(lambda: told.append(1))
    live.settings = JobSettings(strength=0.5)
    live.settings = JobSettings(strength=0.5)
    live.drawn = DRAWN
    live.drawn = DRAWN
    assert len(told) == 2


def test_a_preview_lies_over_what_was_known_and_is_eased_in(live: LiveMix, mix: Mix) -> None:
    live.settings = JobSettings(style="full", loudness="model")
    before = live.table()[1].copy()
    frames, first = 200, 215
    start = first * 1024 / 44_100
    stretch = Mix(
        start,
        frames * 1024 / 44_100,
        Laid({2: "music"}, frozenset({2})),
        {"full": np.full((3, frames), 5.0, np.float32)},
        looks=(Look(start + 1, Path("a.mov"), Fraction(1), "a dog", "effects"),),
    )
    live.hear(stretch)
    after = live.table()[1]
    np.testing.assert_allclose(after[:, first + 10 : first + frames - 10], 5.0)
    outside = np.ones(after.shape[1], bool)
    outside[first : first + frames] = False
    np.testing.assert_array_equal(after[:, outside], before[:, outside])
    assert np.abs(np.diff(after, axis=1)).max() < 2.0, "no step where it begins and ends"
    assert [look.subject for look in live.looks] == ["a dog"]
    live.hear(mix)
    np.testing.assert_array_equal(live.table()[1], before)
    assert live.looks == ()


def test_a_clip_has_stems_over_one_stretch_and_curves_only_there(
    live: LiveMix, mix: Mix, source: Path
) -> None:
    live.unhear()
    stems = {stem: source for stem in ("speech", "music", "effects")}
    styles = {"repair": np.full((3, 86), 6.0, np.float32)}
    for first in (2.0, 8.0):
        laid = Laid({4: "mix"}, frozenset({4}), {4: Parted(stems, round(first * 48_000), 96_000, 48_000)})
        live.hear(Mix(first, 2.0, laid, styles))
    assert live.heard_spans == ((8.0, 10.0),)
    assert live.laid.parted[4].first == 8 * 48_000
    live.hear(Mix(3.0, 2.0, Laid({1: "dialogue"}, frozenset({1})), styles))
    assert live.heard_spans == ((3.0, 5.0), (8.0, 10.0))


def test_a_preview_alone_keeps_its_loudness_and_leaves_the_rest_alone(
    mix: Mix, stretches: list[Surveyed]
) -> None:
    live = LiveMix()
    live.open(document())
    for stretch in stretches:
        live.survey(stretch)
    first, frames = 258, 215
    start, seconds = first * 1024 / 44_100, frames * 1024 / 44_100
    styles = {"full": np.full((3, frames), -6.0, np.float32)}
    live.hear(replace(mix, start=start, duration=seconds, styles=styles, moves={}, doubt={}))
    live.settings = JobSettings(style="full")
    gains = live.table()[1]
    assert not gains[:, :first].any()
    assert not gains[:, first + frames :].any()
    assert live.heard_spans == ((start, start + seconds),)
    # All three stems go down alike, so what keeps the loudness takes nearly all of it back.
    assert np.abs(gains[:, first + 20 : first + frames - 20]).max() < 0.5
    live.settings = JobSettings(style="full", loudness="model")
    np.testing.assert_allclose(live.table()[1][:, first + 20 : first + frames - 20], -6.0, atol=1e-5)


def test_what_is_drawn_of_before_is_the_sum_and_of_after_is_as_loud_as_it_is(
    live: LiveMix, source: Path, mix: Mix
) -> None:
    sound = np.concatenate(list(Lanes(open_timeline(source), mix.laid).blocks()), axis=2).sum(axis=0)
    found = live.waveform(BEFORE, 2.0, 12.0, 50)
    parts = sound[:, 2 * 48_000 : 12 * 48_000].reshape(2, 50, -1)
    np.testing.assert_allclose(found, [parts.min(axis=(0, 2)), parts.max(axis=(0, 2))], atol=1e-6)
    live.settings = JobSettings(
        style="full", strength=0.0, dialogue=-12, music=-12, effects=-12, loudness="model"
    )
    quieter = live.waveform(AFTER, 2.0, 12.0, 50)
    ratio = np.abs(quieter).max(axis=0) / np.abs(found).max(axis=0)
    assert ratio.max() < 10 ** (-9 / 20)
    spectra = [live.spectrogram(side, 2.0, 12.0, 50) for side in (BEFORE, AFTER)]
    assert spectra[0].shape == (64, 50)
    loudest = spectra[0].argmax(axis=0)
    np.testing.assert_allclose(np.take_along_axis(spectra[1] - spectra[0], loudest[None], 0), -12, atol=0.5)


@pytest.mark.parametrize(("span", "columns"), [(0.5, 700), (16.0, 90), (16.0, 3)])
def test_every_zoom_shows_the_same_sound(live: LiveMix, span: float, columns: int) -> None:
    wave = live.waveform(BEFORE, 0.0, span, columns)
    assert wave.shape == (2, columns)
    assert not np.isnan(wave).any()
    assert wave[1].max() == pytest.approx(live.waveform(BEFORE, 0.0, span, 11)[1].max(), abs=1e-6)
    assert not np.isnan(live.spectrogram(AFTER, 0.0, span, columns)).any()
    level = live.level("music", 0.0, span, columns)
    np.testing.assert_allclose(level, level[0], atol=1.0)


def test_what_nobody_looked_at_is_not_a_number(stretches: list[Surveyed]) -> None:
    live = LiveMix()
    live.open(document())
    live.survey(stretches[1])
    assert not live.figures.complete
    wave = live.waveform(BEFORE, 0.0, 20.0, 20)
    np.testing.assert_array_equal(np.isnan(wave[0]), [*[True] * 10, *[False] * 6, *[True] * 4])
    np.testing.assert_array_equal(np.isnan(live.level("music", 0.0, 20.0, 20)), np.isnan(wave[0]))
    np.testing.assert_array_equal(np.isnan(live.spectrogram(BEFORE, 0.0, 20.0, 20)[5]), np.isnan(wave[0]))
    live.survey(stretches[0])
    assert live.figures.complete


def test_momentary_and_short_term_loudness_are_of_what_was_just_heard(live: LiveMix) -> None:
    live.settings = JobSettings(strength=0.0, loudness="model")
    momentary, short = live.loudness_at(BEFORE, 10.0)
    assert live.loudness_at(AFTER, 10.0) == (momentary, short)
    assert live.loudness_at(BEFORE, 0.0) == (-np.inf, -np.inf)
    assert abs(short - live.figures.before) < 3
    live.settings = JobSettings(strength=0.0, loudness="model", dialogue=-20, music=-20, effects=-20)
    assert live.loudness_at(AFTER, 10.0)[1] < short - 10
