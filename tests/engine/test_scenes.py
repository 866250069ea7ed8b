import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.material import levels
from sightmix.engine.training.scenes import scene as scenes
from sightmix.engine.training.scenes import settings
from sightmix.engine.training.scenes.priors import FILMS
from synthetic_sounds import RATE, BlindSource, SyntheticSource

SOURCE = SyntheticSource()
EVERYTHING = replace(FILMS, silent=(0.0, 0.0, 0.0))


def several(count=14, seconds=4.0, **changes):
    config = replace(settings.PRODUCT, **changes)
    return [scenes.draw_scene(SOURCE, (7, i), seconds, config) for i in range(count)]


@pytest.fixture(scope="module")
def drawn():
    return several()


def test_shapes_and_types(drawn):
    n = 4 * RATE
    for scene in drawn:
        assert scene.stems.shape == (3, n)
        assert (
            scene.stems.dtype
            == scene.gains_db.dtype
            == scene.mix().dtype
            == scene.target().dtype
            == np.float32
        )
        assert scene.gains_db.shape == scene.active.shape == (3, levels.frames_of(n))
        assert scene.mix().shape == scene.target().shape == (n,)
        json.dumps(scene.record)


def test_target_is_the_stems_under_the_interpolated_gains(drawn):
    scene = drawn[0]
    grid = np.arange(scene.gains_db.shape[1]) * 1024 + 512
    gain = [10 ** (np.interp(np.arange(scene.stems.shape[1]), grid, row) / 20) for row in scene.gains_db]
    np.testing.assert_allclose(scene.target(), (scene.stems * np.array(gain)).sum(0), atol=2e-6)


def test_everything_is_finite_below_the_ceiling_and_within_18_db(drawn):
    for scene in drawn:
        assert np.isfinite(scene.stems).all()
        assert np.abs(scene.mix()).max() <= 0.945
        assert np.abs(scene.target()).max() <= 1.0
        assert np.abs(scene.gains_db).max() <= 18.0


def test_the_same_seed_gives_the_same_scene_and_another_another():
    a, b, c = (scenes.draw_scene(SOURCE, seed, 2.0) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.stems, b.stems)
    np.testing.assert_array_equal(a.gains_db, b.gains_db)
    assert a.record == b.record
    assert a.pictures == b.pictures
    assert not np.array_equal(a.stems, c.stems)


def test_splits_and_indices_are_different_scenes():
    train, validation = (scenes.RandomScenes(SOURCE, split, 2.0) for split in ("train", "validation"))
    assert not np.array_equal(train[0].stems, validation[0].stems)
    assert not np.array_equal(train[0].stems, train[1].stems)
    np.testing.assert_array_equal(train.first(2)[1].stems, train[1].stems)


def test_untouched_scenes_are_well_mixed_already():
    for scene in several(4, untouched=1.0):
        np.testing.assert_array_equal(scene.gains_db, 0.0)
        np.testing.assert_array_equal(scene.mix(), scene.target())
        assert scene.record["degradation"]["policy"] == "none"


def test_flat_inputs_leave_the_ducking_to_the_gains_and_ducked_ones_do_not():
    steady = {"untouched": 0.0, "policies": {"moderate": 1.0}, "presence": EVERYTHING, "picture": 0.0}
    for scene in several(6, flat=0.0, **steady):
        np.testing.assert_allclose(np.ptp(scene.gains_db, axis=1), 0.0, atol=1e-4)
    moving = [np.ptp(scene.gains_db, axis=1) for scene in several(6, flat=1.0, **steady)]
    assert np.median([m[1] for m in moving]) > 3.0
    assert all(m[0] < 1e-4 for m in moving)


def test_gains_undo_the_degradation_and_the_guard():
    config = {"flat": 0.0, "untouched": 0.0, "policies": {"paper": 1.0}, "picture": 0.0}
    for scene in several(8, **config):
        changes = np.array(scene.record["degradation"]["changes_db"])
        present = np.array(scene.record["present"])
        wanted = np.clip(-changes - scene.record["guard_db"], -18, 18)
        np.testing.assert_allclose(scene.gains_db[present, 0], wanted[present], atol=2e-3)


def test_silent_stems_are_silent_inactive_and_without_gain():
    seen = np.zeros(3, bool)
    for scene in several(20, seconds=2.0, presence=replace(FILMS, silent=(0.5, 0.5, 0.5))):
        for k, there in enumerate(scene.record["present"]):
            if not there:
                seen[k] = True
                assert not scene.stems[k].any()
                assert not scene.active[k].any()
                assert not scene.gains_db[k].any()
            else:
                assert scene.active[k].any()
    assert seen.all()


def test_random_scenes_have_constant_gains_at_film_levels():
    config = replace(settings.RANDOM, policies={"paper": 1.0})
    for i in range(4):
        scene = scenes.draw_scene(SOURCE, i, 2.0, config)
        assert np.ptp(scene.gains_db, axis=1).max() < 1e-4
        assert scene.record["target"]["prior"] == "films"


def test_pictures_are_in_order_and_a_seen_effect_is_brought_forward():
    shown = several(16, picture=1.0, presence=EVERYTHING, flat=0.0, untouched=1.0)
    for scene in shown:
        starts = [start for start, _ in scene.pictures]
        assert starts == sorted(starts)
        assert starts[0] == 0
        assert {name for _, name in scene.pictures} <= {"p0", "p1", "p2"}
    hidden = scenes.draw_scene(BlindSource(), 0, 2.0, replace(settings.PRODUCT, picture=1.0))
    assert hidden.pictures is None


def test_seen_effects_change_the_gain_where_they_sound():
    frames = 200
    effects = scenes._Effects(np.zeros(frames * 1024, np.float32), 1.0, ((1.0, 2.0, "p1"),))
    config = replace(settings.PRODUCT, picture=1.0)
    seen = [scenes._show(effects, SOURCE, frames, config, np.random.default_rng(i)) for i in range(30)]
    here = [s for pictures, s in seen if any(name == "p1" for _, name in pictures) and s.max() > 0.9]
    nowhere = [s for pictures, s in seen if all(name != "p1" for _, name in pictures)]
    assert here
    assert nowhere
    assert all(s[round(3.0 * RATE / 1024) :].max() == 0 for s in here)
    assert all(s.max() == 0 for s in nowhere)


def test_later_lines_are_asked_for_near_the_speaker():
    source = SyntheticSource()
    scenes.draw_scene(source, 0, 4.0, replace(settings.PRODUCT, presence=EVERYTHING))
    assert source.asked_near > 0


def test_high_shelf_and_low_pass_do_what_they_say():
    t = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * f * t).astype(np.float32) for f in (60.0, 12_000.0))
    rms = lambda x: 20 * np.log10(np.sqrt(np.mean(x[RATE // 2 :] ** 2)) * np.sqrt(2))  # noqa: E731
    assert rms(scenes._tilt(low, 6.0, 1500.0)) == pytest.approx(0.0, abs=0.1)
    assert rms(scenes._tilt(high, 6.0, 1500.0)) == pytest.approx(6.0, abs=0.2)
    assert rms(scenes._low_pass(high, 5000.0)) < -40
    assert rms(scenes._low_pass(low, 5000.0)) == pytest.approx(0.0, abs=0.1)


def test_put_cuts_at_both_edges():
    stem = np.zeros(5, np.float32)
    scenes._put(stem, np.arange(1, 5, dtype=np.float32), -2)
    scenes._put(stem, np.arange(1, 5, dtype=np.float32), 3)
    scenes._put(stem, np.ones(3, np.float32), 50)
    scenes._put(stem, np.ones(3, np.float32), -50)
    np.testing.assert_array_equal(stem, [3, 4, 0, 1, 2])


@dataclass(frozen=True)
class Item:
    kind: str
    package: str
    number: int
    start: int
    samples: int


class ListedCorpus:
    """Two packages a kind; sample i of recording k is k + i/1e6."""

    def items(self, kind, split):
        assert split == "train"
        return [Item(kind, f"pack{k // 20}", k, 0, 1000 if kind != "music" else 50_000) for k in range(40)]

    def audio(self, item):
        return (item.number + np.arange(item.start, item.start + item.samples) / 1e6).astype(np.float32)


def test_corpus_source_hands_out_excerpts_and_neighbours():
    source = scenes.CorpusSource(
        ListedCorpus(), "train", lambda item: f"pic{item.number}" if item.number < 2 else None
    )
    rng = np.random.default_rng(0)
    excerpt = source.draw("music", rng, 4000).audio
    assert excerpt.shape == (4000,)
    assert np.ptp(excerpt) == pytest.approx(4e-3, rel=0.01)
    assert source.draw("effects", rng, 4000).audio.shape == (1000,)
    first = source.draw("speech", rng, 4000)
    for _ in range(20):
        other = source.draw("speech", rng, 4000, near=first)
        assert other.package == first.package
        assert abs(float(other.audio[0]) - float(first.audio[0])) <= 10
    assert {source.draw_picture(rng) for _ in range(20)} == {"pic0", "pic1"}
    assert scenes.CorpusSource(ListedCorpus(), "train").draw_picture(rng) is None


def test_a_corpus_without_a_kind_says_which():
    corpus = ListedCorpus()
    corpus.items = lambda kind, split: [] if kind == "music" else ListedCorpus.items(corpus, kind, split)
    with pytest.raises(TrainingError, match="no music in its train split"):
        scenes.CorpusSource(corpus, "train")


class SubjectSource(SyntheticSource):
    """Pictures named by whose sound they show."""

    def draw_picture(self, rng):
        return "nothing"

    def draw_subject(self, rng, kind):
        return f"subject:{kind}"


def test_composed_scenes_bring_out_what_the_picture_shows():
    config = replace(settings.PRESETS["composed"], presence=EVERYTHING, picture=1.0)
    found = [scenes.draw_scene(SubjectSource(), (11, i), 6.0, config) for i in range(12)]
    told = 0
    for scene in found:
        assert scene.record["target"]["kind"] == "spotlit"
        good = levels.decibels(levels.frame_power(scene.target_stems()))
        starts = [start for start, _ in scene.pictures] + [6.0]
        for (start, picture), end in zip(scene.pictures, starts[1:], strict=True):
            if picture == "nothing":
                continue
            lead = levels.STEMS.index(picture.split(":")[1])
            middle = slice(*(round((start + share * (end - start)) * RATE / 1024) for share in (0.5, 0.9)))
            loud = [np.percentile(row[middle], 90) for row in good]
            told += lead == int(np.argmax(loud))
            told -= lead != int(np.argmax(loud))
    assert told >= 10, "the stem that leads is nearly always the loudest of its shot"


def test_composed_scenes_need_pictures_of_subjects_and_fall_back():
    config = replace(settings.PRODUCT, composed=1.0)
    scene = scenes.draw_scene(BlindSource(), 4, 4.0, config)
    assert scene.pictures is None
    assert scene.record["target"]["kind"] == "well_mixed"


def test_blind_scenes_keep_their_target():
    config = replace(settings.PRESETS["composed"], presence=EVERYTHING)
    for seed in range(3):
        seen = scenes.draw_scene(SubjectSource(), seed, 4.0, config)
        blind = scenes.draw_scene(SubjectSource(), seed, 4.0, replace(config, blind=1.0))
        assert seen.pictures
        assert blind.pictures is None
        assert blind.record["target"] == seen.record["target"]


def test_a_share_of_scenes_has_random_targets():
    kinds = [scene.record["target"]["kind"] for scene in several(20, 1.0, random=0.5)]
    assert 4 <= kinds.count("random") <= 16
    assert set(kinds) == {"random", "well_mixed"}
