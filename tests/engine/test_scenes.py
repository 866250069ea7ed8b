"""Scenes mixed and muddied many at once: what holds for every one, what they show, and how they are cut."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from invented_scenes import NAMES, invented_batch, invented_laid, invented_table
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.material import levels
from sightmix.engine.training.scenes import levels as many
from sightmix.engine.training.scenes import settings, showing
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.mixing import mix
from sightmix.engine.training.scenes.priors import FILMS
from sightmix.engine.training.scenes.targets import Sounding

RATE = 44_100
EVERYTHING = replace(FILMS, silent=(0.0, 0.0, 0.0))


def several(count=14, seconds=4.0, first=0, **changes):
    config = replace(settings.PRODUCT, **changes)
    return invented_batch(range(first, first + count), config, seconds)


@pytest.fixture(scope="module")
def drawn():
    return several()


def test_shapes_and_types(drawn):
    n = 4 * RATE
    assert drawn.stems.shape == (14, 3, n)
    assert drawn.mix().shape == (14, n)
    for index in (0, 5):
        scene = drawn.scene(index)
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
        assert scene.active.dtype == bool
        json.dumps(scene.record)
    assert drawn.records()[5] == drawn.scene(5).record


def test_target_is_the_stems_under_the_interpolated_gains(drawn):
    scene = drawn.scene(0)
    grid = np.arange(scene.gains_db.shape[1]) * 1024 + 512
    gain = [10 ** (np.interp(np.arange(scene.stems.shape[1]), grid, row) / 20) for row in scene.gains_db]
    np.testing.assert_allclose(scene.target(), (scene.stems * np.array(gain)).sum(0), atol=2e-6)


def test_everything_is_finite_below_the_ceiling_and_within_18_db():
    batch = several(presence=EVERYTHING, trim_sd=9.0)
    ceiling = 10 ** (-0.5 / 20) + 1e-4
    assert batch.stems.isfinite().all()
    assert batch.mix().abs().max() <= ceiling
    assert (batch.notes.guard_db < 0).any()
    near = [s for s in range(14) if (batch.gains_db[s].abs() < 18.0).all()]
    targets = [np.abs(batch.scene(s).target()).max() for s in near]
    assert max(targets) <= ceiling
    assert max(targets) > 0.9, "some are as loud as may be"
    assert batch.gains_db.abs().max() <= 18.0


def test_a_scene_is_the_same_in_any_company_and_another_seed_gives_another(drawn):
    config = settings.PRODUCT
    alone, other = invented_batch([3], config), invented_batch([3], config, seed=1)
    torch.testing.assert_close(alone.stems[0], drawn.stems[3], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(alone.gains_db[0], drawn.gains_db[3], rtol=0, atol=1e-3)
    assert alone.scene(0).pictures == drawn.scene(3).pictures
    assert alone.records()[0]["degradation"] == drawn.records()[3]["degradation"]
    assert not torch.allclose(alone.gains_db, other.gains_db, atol=0.5)
    validation = invented_batch([3], config, split="validation")
    assert not torch.allclose(alone.gains_db, validation.gains_db, atol=0.5)


def test_untouched_scenes_are_well_mixed_already():
    batch = several(4, untouched=1.0, trim_sd=0.0)
    assert batch.gains_db.abs().max() < 1e-5
    assert {record["degradation"]["policy"] for record in batch.records()} == {"none"}
    assert not batch.notes.flat.any()


def test_flat_inputs_leave_the_ducking_to_the_gains_and_ducked_ones_do_not():
    steady = {"untouched": 0.0, "policies": {"moderate": 1.0}, "presence": EVERYTHING, "picture": 0.0}
    ducked = several(6, flat=0.0, **steady).gains_db
    assert (ducked.amax(-1) - ducked.amin(-1)).max() < 1e-4
    moving = several(6, flat=1.0, **steady).gains_db
    span = moving.amax(-1) - moving.amin(-1)
    assert span[:, 1].median() > 3.0
    assert span[:, 0].max() < 1e-4


def test_flat_inputs_have_the_energy_of_the_ducked_ones():
    steady = {
        "untouched": 0.0,
        "policies": {"none": 1.0},
        "presence": EVERYTHING,
        "picture": 0.0,
        "trim_sd": 0.0,
    }
    level = replace(settings.PRODUCT, **steady, flat=0.0)
    good = invented_batch(range(4), level).stems.square().mean(-1)
    flat = several(4, **{**steady, "policies": {"moderate": 1.0}}, flat=1.0)
    undone = flat.stems * 10 ** (-flat.notes.changes_db / 20)[..., None]
    undone = undone * 10 ** (-flat.notes.guard_db / 20)[:, None, None]
    np.testing.assert_allclose(10 * (undone.square().mean(-1) / good).log10(), 0.0, atol=0.05)


def test_gains_undo_the_degradation_and_the_guard():
    batch = several(8, flat=0.0, untouched=0.0, policies={"paper": 1.0}, picture=0.0)
    for gains, record in zip(batch.gains_db.numpy(), batch.records(), strict=True):
        present = np.array(record["present"])
        wanted = np.clip(-np.array(record["degradation"]["changes_db"]) - record["guard_db"], -18, 18)
        np.testing.assert_allclose(gains[present, 0], wanted[present], atol=2e-3)


def test_the_papers_rule_turns_down_what_is_loudest_in_the_good_mix():
    batch = several(12, untouched=0.0, policies={"paper": 1.0}, presence=EVERYTHING, picture=0.0)
    good = many.loudness(many.apply_gain(batch.stems, batch.gains_db))
    told = batch.notes.loudest
    # Flat or ducked, energies are the same; gated loudness may tell two stems of about one level otherwise.
    clear = (good.max(1).values - good.sort(1).values[:, 1]) > 2.0
    assert clear.sum() >= 6
    np.testing.assert_array_equal(good.argmax(1)[clear], told[clear])
    for record in batch.records():
        changes = record["degradation"]["changes_db"]
        assert int(np.argmin(changes)) == levels.STEMS.index(record["degradation"]["loudest"])
        assert sum(change < 0 for change in changes) == 1


def test_silent_stems_are_silent_inactive_and_without_gain():
    batch = several(20, 2.0, presence=replace(FILMS, silent=(0.5, 0.5, 0.5)))
    there = batch.notes.present
    np.testing.assert_array_equal(batch.stems.abs().amax(-1) > 0, there)
    assert not batch.active[~there].any()
    assert batch.active[there].any(-1).float().mean() > 0.9, "but for a few that are quieter than -60 dBFS"
    assert not batch.gains_db[~there].any()
    assert (~there).any(0).all()
    for record, row in zip(batch.records(), there, strict=True):
        names = ("pack one", "pack two", "pack three")
        assert record["packages"] == [name if here else None for name, here in zip(names, row, strict=True)]


def test_what_is_too_quiet_to_be_heard_is_taken_out():
    laid = invented_laid([0], silent=(0, 0, 0))
    laid.stems[:, 1] *= 1e-4
    batch = mix(laid, Dice("train", [0]), settings.PRODUCT, invented_table())
    assert batch.notes.present.tolist() == [[True, False, True]]
    assert not batch.stems[:, 1].any()
    assert not batch.active[:, 1].any()


def test_activity_is_that_of_the_muddy_stems(drawn):
    found = many.activity(many.decibels(many.frame_power(drawn.stems)))
    assert (found != drawn.active).float().mean() < 0.005


def test_random_scenes_have_constant_gains_at_film_levels():
    config = replace(settings.RANDOM, policies={"paper": 1.0}, presence=EVERYTHING)
    batch = invented_batch(range(4), config, 2.0)
    assert (batch.gains_db.amax(-1) - batch.gains_db.amin(-1)).max() < 1e-4
    good = many.loudness(many.apply_gain(batch.stems, batch.gains_db))
    for record, found in zip(batch.records(), good.tolist(), strict=True):
        assert record["target"]["prior"] == "films"
        assert record["target"]["kind"] == "random"
        apart = np.diff(np.array(found)) - np.diff(record["target"]["levels"])
        if batch.gains_db.abs().max() < 18:
            np.testing.assert_allclose(apart, 0.0, atol=0.1)


def test_a_share_of_scenes_has_random_targets():
    kinds = [record["target"]["kind"] for record in several(40, 1.0, random=0.5).records()]
    assert 10 <= kinds.count("random") <= 30
    assert set(kinds) == {"random", "well_mixed"}


def test_a_wrong_kind_of_target_or_policy_is_named():
    with pytest.raises(TrainingError, match=r"'flat'.*well_mixed, random"):
        several(1, 1.0, target="flat")
    with pytest.raises(TrainingError, match="'hihg'"):
        several(1, 1.0, policies={"hihg": 1.0})


def test_levels_of_all_are_trimmed_alike():
    shared = {"policies": {"low": 1.0}, "untouched": 0.0, "flat": 0.0, "picture": 0.0}
    plain, trimmed = several(8, 2.0, trim_sd=0.0, **shared), several(8, 2.0, trim_sd=4.0, **shared)
    change = many.loudness(trimmed.mix()) - many.loudness(plain.mix())
    # A mix that is nearly too loud cannot be trimmed up.
    quiet = (plain.notes.guard_db == 0) & (trimmed.notes.guard_db == 0) & (trimmed.notes.trim_db < 3.0)
    assert quiet.sum() >= 4
    np.testing.assert_allclose(change[quiet], trimmed.notes.trim_db[quiet], atol=0.3)
    assert trimmed.notes.trim_db.std() > 1.5


def test_deliveries_are_up_to_12_db_common_to_input_and_target_and_never_over():
    plain, delivered = several(16, 2.0), several(16, 2.0, delivery=12.0)
    torch.testing.assert_close(plain.gains_db, delivered.gains_db)
    change = (delivered.stems.square().mean((1, 2)) / plain.stems.square().mean((1, 2))).log10() * 10
    drawn = Dice("train", range(16)).uniform("delivery", low=-12.0, high=12.0)
    np.testing.assert_allclose(change[drawn < 0], drawn[drawn < 0], atol=1e-3)
    assert change.max() > 3.0
    assert (change <= drawn.clamp_min(0.0) + 1e-3).all()
    target = many.apply_gain(delivered.stems, delivered.gains_db).sum(1)
    before = many.apply_gain(plain.stems, plain.gains_db).sum(1)
    ceiling = 10 ** (-0.5 / 20) + 1e-3
    for after, was in ((delivered.mix(), plain.mix()), (target, before)):
        assert (many.peak(after) <= many.peak(was).clamp_min(ceiling)).all()


def test_hard_speech_lies_8_to_25_db_under_the_rest():
    shared = {"untouched": 0.0, "presence": EVERYTHING, "picture": 0.0}
    config = replace(settings.PRODUCT, hard_speech=1.0, **shared)
    batch = invented_batch(range(12), config, 4.0, hard=True)
    assert batch.notes.hard.all()
    power = batch.stems.square().mean(-1)
    lufs = many.loudness(batch.stems)
    rest = 10 * torch.log10((10 ** (lufs[:, 1:] / 10)).sum(1))
    under = (rest - lufs[:, 0]).numpy()
    assert under.min() > 6.0
    assert under.max() < 27.0
    assert np.ptp(under) > 6.0
    assert power.isfinite().all()
    alone = invented_batch(
        range(4), replace(config, presence=replace(FILMS, silent=(0, 1, 1))), 2.0, hard=True
    )
    assert not alone.notes.hard.any(), "speech alone is under nothing"
    untouched = invented_batch(range(4), replace(config, untouched=1.0), 2.0, hard=True)
    assert untouched.gains_db.abs().max() < 1e-5


# Pictures ----------------------------------------------------------------------------------------------


def test_pictures_are_in_order_and_of_the_table():
    batch = several(16, picture=1.0, presence=EVERYTHING)
    counts = set()
    for index in range(16):
        pictures = batch.scene(index).pictures
        starts = [start for start, _ in pictures]
        counts.add(len(starts))
        assert starts == sorted(starts)
        assert starts[0] == 0
        assert {name for _, name in pictures} <= {"e0", "e1", "e2", "other:a", "other:b"}
        seconds = [max(i for i, start in enumerate(starts) if start <= n + 0.5) for n in range(4)]
        wanted = [NAMES.index(pictures[shot][1]) for shot in seconds]
        assert batch.picture[index].tolist() == wanted
    assert counts == {1, 2}, "shots last two seconds at least"
    assert several(4, 2.0, picture=0.0).scene(1).pictures is None
    blind = several(3, 2.0, picture=1.0, blind=1.0)
    assert (blind.picture == -1).all()
    bare = invented_batch(
        range(3), replace(settings.PRODUCT, picture=1.0), 2.0, table=invented_table((), False)
    )
    assert {name for i in range(3) for _, name in bare.scene(i).pictures or ()} <= {"e0", "e1", "e2"}


def test_a_share_of_scenes_has_pictures():
    shown = (several(60, 1.0, picture=0.7).picture >= 0).any(1)
    assert 30 <= int(shown.sum()) <= 53


def shots_of(seed=0, frames=200, cuts=()):
    return showing.draw_shots(Dice("train", [seed]), frames, torch.tensor([cuts]).reshape(1, -1))


def test_one_to_three_shots_of_two_seconds_or_more():
    drawn = showing.draw_shots(Dice("train", range(300)), 431, torch.zeros(300, 0))
    counts = drawn.used.sum(1)
    np.testing.assert_allclose([float((counts == n).float().mean()) for n in (1, 2, 3)], 1 / 3, atol=0.08)
    row = int((counts == 3).nonzero()[0])
    assert drawn.first[row].tolist() == [0, 144, 287]
    assert [int((drawn.of[row] == shot).sum()) for shot in range(3)] == [144, 143, 144]
    np.testing.assert_allclose(drawn.end[row], [431 * k / 3 * 1024 / RATE for k in (1, 2, 3)], rtol=1e-5)
    assert showing.draw_shots(Dice("train", range(50)), 150, torch.zeros(50, 0)).used.sum(1).max() == 1
    cut = shots_of(frames=431, cuts=(2.0, 7.5))
    assert cut.first.tolist() == [[0, 86, 323]]


def test_a_seen_effect_is_shown_where_it_sounds_and_only_there():
    events = showing.Events(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[1]]))
    table = invented_table()
    found = {"here": 0, "nowhere": 0}
    for seed in range(40):
        shots = shots_of(seed)
        rows = showing.show(Dice("train", [seed]), shots, events, table)
        where = showing.seen(shots, events, rows)[0]
        if (rows == 1).any():
            found["here"] += 1
            assert where.max() > 0.9
            assert where[round(1.5 * RATE / 1024)] == pytest.approx(1.0)
            assert not where[round(3.0 * RATE / 1024) :].any()
            assert not where[: round(0.5 * RATE / 1024)].any()
        else:
            found["nowhere"] += 1
            assert not where.any()
            assert set(rows[shots.used].tolist()) <= {3, 4}
    assert 12 <= found["here"] <= 36
    assert found["nowhere"]


def test_any_of_the_effects_that_sound_in_a_shot_is_shown():
    times = torch.tensor([[[0.0, 1.0], [0.5, 4.0], [3.0, 4.0], [0.2, 0.4]]]).expand(300, -1, -1)
    events = showing.Events(times, torch.tensor([[0, 1, 2, -1]]).expand(300, -1))
    shots = showing.Shots(
        torch.tensor([[0, 86]]).expand(300, -1),
        torch.tensor([[0.0, 2.0]]).expand(300, -1),
        (torch.arange(172) >= 86).long().expand(300, -1),
        4.0,
    )
    rows = showing.show(Dice("train", range(300)), shots, events, invented_table())
    first, second = rows.unbind(1)
    assert set(first.tolist()) == {0, 1, 3, 4}
    assert set(second.tolist()) == {1, 2, 3, 4}
    assert float((first < 3).float().mean()) == pytest.approx(0.6, abs=0.08)
    assert float((first == 0).float().mean()) == pytest.approx(0.3, abs=0.08)


def test_what_shows_nothing_that_sounds_is_no_picture_of_an_effect():
    table = invented_table()
    rows = table.neutral(Dice("train", range(200)), "x", 2)
    assert set(rows.flatten().tolist()) == {3, 4}
    assert set(table.subject(Dice("train", range(9)), "x", "music").tolist()) == {6}
    assert (invented_table(neutral=False).neutral(Dice("train", [0]), "x", 2) == -1).all()
    assert (table.subject(Dice("train", [0]), "x", "songs") == -1).all()


def test_one_of_those_that_may_be_is_chosen_evenly():
    mask = torch.tensor([False, True, False, True, True]).expand(3000, -1)
    found = showing.one_of(mask, torch.arange(3000) / 3000)
    assert [int((found == k).sum()) for k in range(5)] == [0, 1000, 0, 1000, 1000]
    assert showing.one_of(torch.zeros(1, 3, dtype=torch.bool), torch.tensor([0.9])).tolist() == [0]


def test_vectors_of_pictures_by_row():
    table = invented_table()
    vectors = {name: np.full(2, k + 1.0, np.float32) for k, name in enumerate(NAMES) if k != 4}
    features, known = table.features(vectors, 2)
    assert features[3].tolist() == [4.0, 4.0]
    assert known.tolist() == [name != NAMES[4] for name in NAMES]
    assert not features[4].any()
    assert not table.features(vectors, 0)[1].any()
    assert invented_table((), False).features({}, 3)[0].shape == (8, 3)


# Composed scenes ---------------------------------------------------------------------------------------

COMPOSED = replace(settings.COMPOSED, presence=EVERYTHING, picture=1.0, untouched=0.0)


def test_composed_scenes_bring_out_what_the_picture_shows():
    batch = invented_batch(range(12), COMPOSED, 6.0)
    told = 0
    for index in range(12):
        scene = batch.scene(index)
        assert scene.record["target"]["kind"] == "spotlit"
        good = levels.decibels(levels.frame_power(scene.target_stems()))
        starts = [start for start, _ in scene.pictures] + [6.0]
        for (start, picture), end in zip(scene.pictures, starts[1:], strict=True):
            if picture.startswith("other"):
                continue
            lead = levels.STEMS.index(picture.split(":")[1])
            middle = slice(*(round((start + share * (end - start)) * RATE / 1024) for share in (0.5, 0.9)))
            loud = [np.percentile(row[middle], 90) for row in good]
            told += lead == int(np.argmax(loud))
            told -= lead != int(np.argmax(loud))
    assert told >= 10, "the stem that leads is nearly always the loudest of its shot"


def test_composed_scenes_without_pictures_of_a_class_fall_back_and_say_so():
    table = invented_table(("speech", "music"))
    batch = invented_batch(range(20), COMPOSED, 4.0, table=table)
    fell = [record for record in batch.records() if record.get("fell_back")]
    assert 2 <= len(fell) <= 16
    for record in batch.records():
        assert (record["target"]["kind"] == "well_mixed") == bool(record.get("fell_back"))
        assert record["target"]["kind"] == "well_mixed" or 2 not in record["target"]["leads"]
    assert not any(record.get("fell_back") for record in several(5, 2.0, composed=0.0).records())


def test_scenes_whose_levels_tell_nothing_never_fall_back():
    config = replace(COMPOSED, level_blind=1.0)
    for table, what in ((invented_table(("speech", "music")), "pictures of effects"),):
        with pytest.raises(TrainingError, match=what):
            invented_batch(range(3), config, 2.0, table=table)
    batch = invented_batch(range(8), replace(config, untouched=1.0), 3.0)
    for record in batch.records():
        assert record["target"]["kind"] == "spotlit"
        assert record["target"]["level_blind"] is True
        assert record["degradation"]["policy"] != "none", "levels of an untouched mix would tell"


def test_muddy_levels_are_the_same_whatever_the_picture_asks_for(monkeypatch):
    """With the leads turned round the input stays as it is, and only the way to the good mix changes."""
    config = replace(COMPOSED, level_blind=1.0)
    as_drawn = invented_batch(range(6), config, 4.0)
    draw = showing.draw_leads

    def turned(dice, name, sounding):
        leads = draw(dice, name, sounding)
        return torch.where(leads >= 0, (leads + 1) % 3, leads) if name == "compose" else leads

    monkeypatch.setattr("sightmix.engine.training.scenes.mixing.draw_leads", turned)
    other = invented_batch(range(6), config, 4.0)
    torch.testing.assert_close(as_drawn.stems, other.stems)
    assert not torch.allclose(as_drawn.gains_db, other.gains_db, atol=1.0)
    told = invented_batch(range(6), COMPOSED, 4.0)
    monkeypatch.undo()
    assert not torch.allclose(told.stems, invented_batch(range(6), COMPOSED, 4.0).stems, atol=1e-3)


def test_nine_shots_in_ten_show_one_of_what_sounds_there():
    sounding = torch.tensor([[True, False, True]]).expand(3000, 1, -1)
    leads = showing.draw_leads(Dice("train", range(3000)), "x", sounding)
    shares = [float((leads == k).float().mean()) for k in (-1, 0, 1, 2)]
    np.testing.assert_allclose(shares, [0.1, 0.45, 0.0, 0.45], atol=0.03)
    nothing = torch.zeros(5, 1, 3, dtype=torch.bool)
    assert (showing.draw_leads(Dice("train", range(5)), "x", nothing) == -1).all()


def test_what_sounds_a_third_of_a_shot_may_lead_it():
    level = torch.full((1, 3, 100), -90.0)
    level[0, 0, :24] = -20.0  # held for 11 frames more: 35
    level[0, 1, :15] = -20.0  # 26
    level[0, 2, :] = -20.0
    sounding = Sounding(torch.tensor([[-23.0, -23.0, -torch.inf]]), level, torch.ones(1))
    shots = showing.Shots(
        torch.tensor([[0, 100]]), torch.tensor([[0.0, torch.inf]]), torch.zeros(1, 100, dtype=torch.long), 2.3
    )
    assert showing.sounding_in(shots, sounding).tolist() == [[[True, False, False], [False] * 3]]


def test_blind_scenes_keep_their_target():
    seen = invented_batch(range(3), COMPOSED)
    blind = invented_batch(range(3), replace(COMPOSED, blind=1.0))
    assert seen.scene(0).pictures
    assert (blind.rows == -1).all()
    torch.testing.assert_close(blind.gains_db, seen.gains_db)
    assert [r["target"] for r in blind.records()] == [r["target"] for r in seen.records()]


# Cutting -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def programmes():
    config = replace(settings.PRODUCT, picture=1.0, presence=EVERYTHING)
    return invented_batch(range(2), config, 12.0, cuts=(2.5, 7.0, 9.9))


def test_windows_follow_one_another_and_have_their_own_pictures(programmes):
    windows = programmes.windows(4.0)
    n, frames = 4 * RATE, levels.frames_of(4 * RATE)
    assert windows.stems.shape == (6, 3, n)
    assert windows.gains_db.shape == windows.active.shape == (6, 3, frames)
    firsts = [0, n // 1024, 2 * n // 1024]
    for row, (scene, first) in enumerate((s, f) for s in range(2) for f in firsts):
        assert torch.equal(windows.stems[row], programmes.stems[scene, :, first * 1024 : first * 1024 + n])
        assert torch.equal(windows.gains_db[row], programmes.gains_db[scene, :, first : first + frames])
        assert torch.equal(windows.active[row], programmes.active[scene, :, first : first + frames])
    for row in range(6):
        scene, window = divmod(row, 3)
        assert (
            windows.picture[row].tolist() == programmes.picture[scene, 4 * window : 4 * window + 4].tolist()
        )
    whole = programmes.scene(0).pictures
    assert [round(start, 3) for start, _ in whole] == [0.0, 2.5, 7.0, 9.9]
    second = windows.scene(1).pictures
    assert [name for _, name in second] == [whole[1][1], whole[2][1]]
    assert second[0][0] == 0.0
    assert second[1][0] == pytest.approx(7.0 - firsts[1] * 1024 / RATE, abs=1e-4)
    assert [name for _, name in windows.scene(2).pictures] == [whole[2][1], whole[3][1]]
    assert windows.scene(2).record["target"] == programmes.scene(0).record["target"]
    assert windows.scene(3).record["target"] == programmes.scene(1).record["target"]


def test_pieces_are_stems_of_the_batchs_scenes_that_sound(programmes):
    dice = Dice("train", [5, 6])
    pieces = programmes.pieces(dice, 3.0, 4)
    n, frames = 3 * RATE, levels.frames_of(3 * RATE)
    assert pieces.stems.shape == (8, 3, n)
    assert pieces.gains_db.shape == (8, 3, frames)
    assert (pieces.picture == -1).all()
    assert pieces.active[:, :2].any(-1).all()
    places = set()
    for piece in range(8):
        for stem in range(3):
            found = [
                (scene, first)
                for scene in range(2)
                for first in range((12 * RATE - n) // 1024 + 1)
                if torch.equal(
                    programmes.gains_db[scene, stem, first : first + frames], pieces.gains_db[piece, stem]
                )
                and torch.allclose(
                    programmes.stems[scene, stem, first * 1024 : first * 1024 + n], pieces.stems[piece, stem]
                )
            ]
            assert found, "a stem with its own gains"
            places.add((stem, *found[0]))
    assert len(places) > 18
    assert {scene for _, scene, _ in places} == {0, 1}
    torch.testing.assert_close(programmes.pieces(dice, 3.0, 4).stems, pieces.stems)


def test_pieces_pass_over_silence_and_stay_within_full_scale():
    batch = invented_batch(range(2), replace(settings.PRODUCT, presence=EVERYTHING), 4.0)
    batch.active[0] = False
    batch.stems[0] = 0.0
    batch.stems[1] *= 4.0 / batch.stems[1].abs().max()
    pieces = batch.pieces(Dice("train", range(2)), 1.0, 20)
    sounding = pieces.stems[:, 1].abs().amax(-1).gt(0).float().mean()
    assert sounding > 0.8, "seven in eight, silence being passed over twice"
    assert sounding < 1.0
    assert pieces.mix().abs().max() <= 1.0 + 1e-6
