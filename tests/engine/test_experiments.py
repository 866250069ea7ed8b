"""Experiments from checkpoints on a tiny corpus: tables, what is kept, what is missing, and what is said about it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sightmix.engine.errors import Cancelled, SettingsError, TrainingError, WriteError
from sightmix.engine.evaluation import report, run
from sightmix.engine.evaluation.experiments import making
from sightmix.engine.evaluation.experiments.__main__ import main
from sightmix.engine.evaluation.experiments.study import KEPT, Options, Study
from sightmix.engine.evaluation.plans import choose, experiment_from, read_experiment, shipped
from sightmix.engine.evaluation.scoring import Cache, Facts, Job, SceneWindow, Stored, score, subjects_of
from sightmix.engine.evaluation.systems import Workshop, window_of
from sightmix.engine.progress import Progress
from sightmix.engine.training.loop.config import SHIPPED, TrainConfig
from sightmix.engine.training.loop.run import Trainer
from sightmix.engine.training.scenes.filmdata import MuddyMix, build_shards
from sightmix.engine.training.scenes.scene import Scene
from sightmix.engine.training.scenes.settings import SceneConfig
from sightmix.engine.training.scenes.shards import ShardScenes
from sightmix.engine.version import SHIPPED_MODEL
from tiny_training import CONFIG, sound

SET = {"name": "tiny", "split": "validation", "clips": 3, "seconds": 1.5, "scene_options": {"picture": 1.0}}
INPUT = {"name": "input", "kind": "input"}
TRAINED = {"name": "tiny net", "kind": "checkpoint", "run": "tiny", "config": "TINY"}


def experiment(*rows: dict, **more: object) -> dict:
    return {"name": "x", "title": "X", "sets": [SET], "rows": [INPUT, *rows], **more}


def made(*rows: dict, **more: object):
    return experiment_from(experiment(*rows, **more), Path("x.json"))


@pytest.fixture(scope="module")
def trained(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one finished run in it."""
    runs = tmp_path_factory.mktemp("runs")
    Trainer(replace(CONFIG, steps=1, validate_clips=1), tiny_corpus, runs / "tiny").run()
    return runs


def over_clips_alone(result: report.SetResult) -> report.SetResult:
    """A set's result where it is not known which packages its recordings come from."""
    return replace(result, before=Stored(None, result.before.values))


def study(corpus: Path, runs: Path, cache: Path | None = None, **more: object) -> Study:
    workshop = Workshop(corpus, runs, str(runs / "tiny" / "checkpoint.pt"), fit_clips=2)
    return Study(workshop, Cache(cache), Options(**more))


# Experiments as data -----------------------------------------------------------------------------------


def test_every_experiment_that_ships_is_sound() -> None:
    names = [one.name for one in choose([])]
    assert names == list(shipped())
    assert {"table1", "table2", "table3", "table4", "audio-visual", "restraint", "stems", "tracks"} <= set(
        names
    )
    for one in choose([]):
        for row in one.rows:
            if row.kind == "checkpoint" and (SHIPPED / f"{row.config}.json").exists():
                assert row.run


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tilte": "X"}, r"unknown entry 'tilte' \(did you mean 'title'\?\)"),
        (
            {"sets": [{**SET, "scenes": "wel_mixed"}]},
            r"'scenes' does not know 'wel_mixed' \(did you mean 'well_mixed'",
        ),
        ({"sets": [{**SET, "scene_options": {"untuched": 1}}]}, r"did you mean 'untouched'"),
        ({"sets": [{**SET, "scene_options": {"policies": {"hihg": 1}}}]}, r"did you mean 'high'"),
        ({"sets": [{**SET, "clips": "many"}]}, r"sets\[0\]: 'clips' cannot be 'many'"),
        ({"sets": []}, "has no sets"),
        ({"rows": [{"name": "a", "kind": "chekpoint"}]}, r"did you mean 'checkpoint'"),
        ({"rows": [{"name": "a", "kind": "checkpoint", "run": "r"}]}, r"needs 'config'"),
        ({"rows": [{**TRAINED, "run": "../r"}]}, "name of a folder"),
        ({"rows": [{**TRAINED, "overrides": {"step": 1}}]}, r"did you mean 'steps'"),
        ({"rows": [{"name": "a", "kind": "relevel", "prior": "film"}]}, r"did you mean 'films'"),
        ({"rows": [{**TRAINED, "picture": "rigth"}]}, r"did you mean 'right'"),
        ({"rows": [INPUT, INPUT]}, "two rows of one name"),
        ({"measure": "distance"}, r"did you mean 'distances'"),
        ({"against": ["imput"]}, r"did you mean 'input'"),
        ({"against": [["input"]]}, "names of rows"),
        ({"sets": [{**SET, "only": "spotlight"}]}, r"did you mean 'spotlit'"),
        ({"rows": [{**TRAINED, "picture": "permutd"}]}, r"did you mean 'permuted'"),
        ({"rows": [{"name": "a", "kind": "tracks", "style": "repiar"}]}, r"did you mean 'repair'"),
        ({"rows": [{"name": "a", "kind": "tracks", "loudness": "kept"}]}, r"did you mean 'keep'"),
        ({"sets": [{**SET, "joined": 0}]}, "at least one clip"),
        ({"rows": [{**TRAINED, "stages": [2, 2], "overrides": {"steps": 4}}]}, "steps in order, below"),
        ({"rows": [{**TRAINED, "stages": [2]}]}, "steps in order, below"),
    ],
)
def test_a_wrong_entry_is_named_with_the_nearest_known_one(
    change: dict, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({**experiment(), **change}))
    with pytest.raises(SettingsError, match=sentence) as error:
        read_experiment(path)
    assert str(path) in str(error.value)


def test_a_wrong_name_and_a_broken_file_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no experiment called 'tabel1' \(did you mean 'table1'\?\)"):
        choose(["tabel1"])
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(SettingsError, match=r"b\.json cannot be read"):
        choose([str(tmp_path / "b.json")])


def test_the_papers_figures_may_differ_by_set() -> None:
    row = made({"name": "a", "kind": "gain", "paper": {"one": {"MAG": 1.0}}}).row("a")
    assert row.quoted("one") == {"MAG": 1.0}
    assert row.quoted("two") == {}
    assert replace(row, paper={"MAG": 2.0}).quoted("two") == {"MAG": 2.0}


# Tables from checkpoints -------------------------------------------------------------------------------


def test_a_table_of_every_kind_of_row(tiny_corpus: Path, trained: Path) -> None:
    plan = made(
        {"name": "level", "kind": "loudness"},
        {"name": "gain", "kind": "gain"},
        {"name": "relevel", "kind": "relevel", "prior": "films"},
        {
            "name": "relevel true",
            "kind": "relevel",
            "prior": "dnr_v2",
            "stems": "true",
            "paper": {"MAG": 30.0},
        },
        TRAINED,
        {**TRAINED, "name": "blind", "picture": "none"},
        {"name": "again", "kind": "card"},
        {"name": "tracks", "kind": "tracks"},
        {"name": "mended", "kind": "tracks", "style": "repair"},
        {"name": "regressed", "kind": "oracle", "oracle": "levelled_stems"},
        {"name": "ideal", "kind": "oracle", "oracle": "ideal_masks"},
        against=["tiny net"],
    )
    (result,) = study(tiny_corpus, trained).run([plan])
    result = replace(result, sets=(over_clips_alone(result.sets[0]),))
    found = {one.row.name: report.figures(result.sets[0], one, "distances") for one in result.sets[0].rows}
    assert found["ideal"]["MAG"]["mean"] < found["input"]["MAG"]["mean"]
    assert found["ideal"]["MAG"]["improvement"].low > 0
    assert found["input"]["MAG"]["improvement"] == report.Interval(0.0, 0.0, 0.0)
    assert found["again"] == found["tiny net"]
    assert found["blind"] != found["tiny net"]
    assert len({str(found[name]["MAG"]) for name in ("tiny net", "tracks", "input")}) == 3
    assert found["mended"]["MAG"]["mean"] == pytest.approx(found["input"]["MAG"]["mean"], rel=0.05)
    text = report.markdown([result])
    assert "| again |" in text
    assert "| *tiny net* minus | MAG |" in text
    others = [one.row.name for one in result.sets[0].rows if one.row.name != "tiny net"]
    table = text[text.index("| *tiny net* minus") :]
    assert all(f"\n| {name} | " in table for name in others)
    untold = text[text.index("*tiny net* cannot be told in any column from ") :]
    assert "again" in untold[: untold.index(".")]
    assert "MAG 30.00" in text
    by_hand = window_of(tiny_corpus, plan.sets[0])
    error = np.mean(
        [np.mean(np.abs(np.sort(s.mix()) - np.sort(s.target()))) for s in (by_hand[i] for i in range(3))]
    )
    assert found["input"]["W"]["mean"] == pytest.approx(float(error), rel=1e-4)
    values = report.data([result])["experiments"][0]["sets"][0]
    assert len(values["rows"][1]["clips"]) == 3
    assert json.loads(json.dumps(values, allow_nan=False))


def test_stems_and_restraint(tiny_corpus: Path, trained: Path) -> None:
    mixed = {**SET, "scene_options": {"untouched": 0.5}, "clips": 6}
    published = {"name": "theirs", "kind": "published", "paper": {"speech": 12.5}, "source": "Somewhere."}
    stems = made({"name": "net", "kind": "card"}, published, measure="stems")
    calm = made({"name": "net", "kind": "card"}, measure="restraint", sets=[mixed])
    results = study(tiny_corpus, trained).run([replace(stems, rows=stems.rows[1:]), calm])
    text = report.markdown(results)
    assert "| theirs | 12.5 dB | – | – |" in text
    assert "Somewhere." in text
    net = report.figures(results[0].sets[0], results[0].sets[0].row("net"), "stems")
    assert net["speech"]["clips"] >= 1
    calm_set = results[1].sets[0]
    nothing = report.figures(calm_set, calm_set.row("input"), "restraint")["change of good mixes"]
    said = report.figures(calm_set, calm_set.row("net"), "restraint")
    some = said["change of good mixes"]
    assert said["muddy mixes nearer"]["clips"] == 6 - some["clips"]
    assert math.isnan(
        report.figures(calm_set, calm_set.row("input"), "restraint")["worth it up to"]["share"].value
    )
    assert nothing["share"].value == 0.0 < some["share"].value
    assert 0 < some["clips"] < 6


def test_a_missing_checkpoint_is_left_out_and_named(tiny_corpus: Path, trained: Path) -> None:
    absent = {"name": "other net", "kind": "checkpoint", "run": "other", "config": "visah"}
    asked = study(tiny_corpus, trained)
    (result,) = asked.run([made(absent, {**absent, "name": "its pair"}, against=["other net"])])
    assert "| other net | not trained |" in report.table(result.sets[0])
    assert "minus" not in report.markdown([result])
    sentence = asked.absent[0]
    assert str(trained / "other" / "checkpoint.pt") in sentence
    assert "--only x --train" in sentence
    assert "\n" not in sentence


def test_a_separator_that_is_not_installed_is_left_out(tiny_corpus: Path, trained: Path) -> None:
    asked = study(tiny_corpus, trained)
    (result,) = asked.run([made({"name": "tiger", "kind": "relevel", "prior": "films", "stems": "tiger"})])
    assert "| tiger | not installed |" in report.table(result.sets[0])
    assert "needs a checkpoint" in asked.absent[0]


def test_a_broken_checkpoint_is_one_sentence(tiny_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "checkpoint.pt").write_bytes(b"no")
    with pytest.raises(TrainingError, match="is not a checkpoint"):
        study(tiny_corpus, tmp_path).run([made(TRAINED)])


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Muddy-mix shards of two sets of stems, one for training and one for validation."""
    root = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(3)
    for split in ("train", "validation"):
        folder = root / "stems" / split
        folder.mkdir(parents=True)
        for kind in ("speech", "music", "effects"):
            soundfile.write(folder / f"{kind}.wav", sound(kind, rng, 3.0), 44_100)
        (folder / "sightmix.json").write_text(json.dumps({"split": split}))
    build_shards(
        [root / "stems"], root / "out", MuddyMix(encoder="", seconds=1.5, per_shard=2, licence="CC0")
    )
    return root / "out"


def test_shards_are_measured_as_they_were_built(shards: Path, trained: Path) -> None:
    sets = [SET, {**SET, "name": "high", "scene_options": {"policies": {"high": 1.0}}}]
    plan = made({"name": "level", "kind": "loudness"}, {"name": "net", "kind": "card"}, sets=sets)
    (result,) = study(shards, trained, clips=2).run([plan])
    (only,) = result.sets
    assert only.chosen.name == "clips as they were built"
    built = ShardScenes(shards, "validation", 1.5, SceneConfig())
    wanted = [np.mean(np.abs(np.sort(s.mix()) - np.sort(s.target()))) for s in (built[0], built[1])]
    assert only.before.column("W", range(2)) == pytest.approx(wanted, rel=1e-4)
    assert report.figures(only, only.row("net"), "distances")["MAG"]["mean"] > 0
    with pytest.raises(TrainingError, match="no clips in their test split"):
        study(shards, trained, split="test").run([plan])


def test_wrong_pictures_are_those_of_another_subject() -> None:
    def scene(*names: str) -> Scene:
        return Scene(
            np.zeros((3, 4)), np.zeros((3, 1)), np.zeros((3, 1), bool), {}, tuple((0.0, n) for n in names)
        )

    scenes = [
        scene("subject:speech:man"),
        scene("subject:speech:woman"),
        scene("item-7"),
        *[scene("other:x")] * 9,
    ]
    window = SceneWindow(scenes)
    assert window.shown(0, "right").pictures == ((0.0, "subject:speech:man"),)
    assert window.shown(0, "none").pictures is None
    assert window.shown(0, "wrong").pictures == ((0.0, "item-7"),)
    assert subjects_of(scenes[2].pictures) == {"effects"}
    assert subjects_of(scenes[3].pictures) == {""}


def test_permuted_pictures_are_all_shown_once_and_never_their_own() -> None:
    def scene(name: str | None) -> Scene:
        pictures = None if name is None else ((0.0, name),)
        return Scene(np.zeros((3, 4)), np.zeros((3, 1)), np.zeros((3, 1), bool), {}, pictures)

    window = SceneWindow([scene(f"subject:speech:{k}") for k in range(16)])
    shown = [window.shown(k, "permuted").pictures[0][1] for k in range(16)]
    own = [window.shown(k, "right").pictures[0][1] for k in range(16)]
    assert sorted(shown[:8]) == sorted(own[:8])
    assert sorted(shown[8:]) == sorted(own[8:])
    assert all(a != b for a, b in zip(shown, own, strict=True))
    assert shown == [window.shown(k, "permuted").pictures[0][1] for k in range(16)]
    alone = SceneWindow([scene(None), scene("item-7"), *[scene(None)] * 14])
    assert alone.shown(0, "permuted").pictures == ((0.0, "item-7"),)
    assert alone.shown(1, "permuted").pictures is None


def test_a_scene_says_where_it_comes_from_and_what_it_asks_for() -> None:
    def of(**record: object) -> Facts:
        return Facts.of(Scene(np.zeros((3, 4)), np.zeros((3, 1)), np.zeros((3, 1), bool), record))

    assert of(packages=["a", None, "b"], target={"kind": "spotlit"}) == Facts(("a", None, "b"), "spotlit")
    assert of(film="f") == Facts(("f",), "")
    assert of() == Facts()


# What is said ------------------------------------------------------------------------------------------


def set_of(figures: list[float], facts: list[Facts], only: str = "") -> report.SetResult:
    """A set of an input and of a system whose distances are all given by clip, in units of the input's."""
    plan = made(sets=[{**SET, "only": only, "clips": len(figures)}])
    before, after = Stored(), Stored()
    for clip, (figure, fact) in enumerate(zip(figures, facts, strict=True)):
        before.add(clip, dict.fromkeys(report.DISTANCES, 1.0), fact)
        after.add(clip, dict.fromkeys(report.DISTANCES, figure), fact)
    rows = (report.RowResult(plan.rows[0], before), report.RowResult(made(TRAINED).row("tiny net"), after))
    return report.SetResult(plan.sets[0], before, rows)


def said_of(one: report.SetResult) -> str:
    plan = made(TRAINED, against=["tiny net"])
    return report.markdown([report.Result(plan, (one,))])


def test_scenes_with_another_target_are_counted_and_left_out() -> None:
    facts = [Facts((), kind) for kind in ("spotlit", "spotlit", "well_mixed", "random")]
    found = set_of([0.5, 0.5, 9.0, 9.0], facts, only="spotlit")
    assert found.clips == [0, 1]
    assert report.figures(found, found.row("tiny net"), "distances")["MAG"]["mean"] == 0.5
    text = said_of(found)
    assert "2 clips of 1.5 s" in text
    assert "left out of 4, for want of pictures that ask for one stem: 1 random and 1 well_mixed" in text
    assert "intervals are over clips alone" in text


def test_packages_are_counted_and_widen_the_intervals() -> None:
    rng = np.random.default_rng(0)
    names = [(f"s{rng.integers(3)}", f"m{k % 4}", None if k % 3 else "e") for k in range(36)]
    figures = [0.5 + 0.1 * (k % 4) for k in range(36)]
    known, unknown = (set_of(figures, [Facts(n) for n in kind]) for kind in (names, [()] * 36))
    wide, narrow = (
        report.figures(one, one.row("tiny net"), "distances")["MAG"]["improvement"]
        for one in (known, unknown)
    )
    assert wide.value == narrow.value
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    text = said_of(known)
    assert "come from 3 speech, 4 music and 1 effects packages, intervals are over clips and packages" in text
    assert "nothing is known of other packages of effects" in text
    assert report.data([report.Result(made(TRAINED), (known,))])["experiments"][0]["sets"][0]["packages"] == {
        "speech": 3, "music": 4, "effects": 1
    }  # fmt: skip


def test_it_says_which_rows_are_beaten_and_where() -> None:
    better, worse, unsure = (report.Interval(v, v - 1, v + 1) for v in (2.0, -2.0, 0.5))
    found = {
        "a": {"MAG": better, "W_matched": better},
        "b": {"MAG": better, "W_matched": unsure},
        "c": {"MAG": better, "W_matched": worse},
        "d": {"MAG": unsure, "W_matched": unsure},
        "e": {"MAG": worse, "W_matched": worse},
        "f": {"MAG": better, "W_matched": better},
    }
    assert report.verdict("x", found) == (
        "*x* is better in every column than a and f. *x* is worse in every column than e. "
        "*x* is better in MAG, with no difference told in the rest, than b. "
        "*x* is better in MAG and worse in W at equal loudness than c. "
        "*x* cannot be told in any column from d."
    )


def test_a_difference_is_told_by_its_interval_alone() -> None:
    found = set_of([0.5] * 20, [Facts()] * 20)
    assert "*tiny net* is better in every column than input." in said_of(found)
    mixed = set_of([0.5, 1.6] * 10, [Facts()] * 20)
    assert "*tiny net* cannot be told in any column from input." in said_of(mixed)


# What is kept ------------------------------------------------------------------------------------------


class Counting:
    """Scenes that count how often each was drawn."""

    def __init__(self, scenes: SceneWindow) -> None:
        self.scenes, self.drawn = scenes, []

    def __getitem__(self, index: int) -> Scene:
        self.drawn.append(index)
        return self.scenes[index]


def test_an_interrupted_run_goes_on_and_draws_nothing_twice(tiny_corpus: Path, tmp_path: Path) -> None:
    plan = made()
    scenes = Counting(window_of(tiny_corpus, plan.sets[0]))
    about = {"system": "half"}

    def half(scene: Scene) -> np.ndarray:
        return 0.5 * scene.mix()

    def interrupted(scene: Scene) -> np.ndarray:
        if len(scenes.drawn) == 3:
            raise KeyboardInterrupt
        return half(scene)

    first = Cache(tmp_path).open(about)
    with pytest.raises(KeyboardInterrupt):
        score(SceneWindow(scenes), [Job(lambda: interrupted, first, 4)])
    assert sorted(first.values) == [0, 1]
    with first.path.open("a") as file:
        file.write('{"clip": 2, "MA')  # what a kill leaves
    again = Cache(tmp_path).open(about)
    assert again.values == first.values
    scenes.drawn.clear()
    score(SceneWindow(scenes), [Job(lambda: half, again, 4), Job(lambda: half, other := Stored(), 4)])
    assert scenes.drawn == [0, 1, 2, 3]
    assert again.values == other.values == Cache(tmp_path).open(about).values
    scenes.drawn.clear()
    score(
        SceneWindow(scenes), [Job(lambda: pytest.fail("built for nothing"), Cache(tmp_path).open(about), 4)]
    )
    assert scenes.drawn == []


def test_other_systems_scenes_and_damaged_lines_are_told_apart(tmp_path: Path) -> None:
    one = Cache(tmp_path).open({"system": 1})
    one.add(0, {"MAG": 1.0})
    one.add(1, {"MAG": math.nan}, facts := Facts(("a", None, "b"), "spotlit"))
    assert Cache(tmp_path).open({"system": 2}).values == {}
    text = one.path.read_text().splitlines()
    one.path.write_text("\n".join([text[0], "garbage", "[1]", text[2]]) + "\n")
    again = Cache(tmp_path).open({"system": 1})
    assert list(again.values) == [1]
    assert again.facts == {1: facts}
    one.path.write_text(text[0] + '\n{"clip": 0, "MAG": 1.0}\n')  # of a clip of which nothing else is known
    assert Cache(tmp_path).open({"system": 1}).values == {}


def test_a_second_command_reads_what_the_first_kept(
    tiny_corpus: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(TRAINED)
    (first,) = study(tiny_corpus, trained, tmp_path).run([plan])
    monkeypatch.setattr(Workshop, "build", lambda *_: pytest.fail("nothing is missing"))
    (second,) = study(tiny_corpus, trained, tmp_path).run([plan])
    assert report.data([first]) == report.data([second])
    fewer = study(tiny_corpus, trained, tmp_path, clips=2).run([plan])[0].sets[0]
    assert fewer.clips == [0, 1]
    assert (
        len(report.data([replace(first, sets=(fewer,))])["experiments"][0]["sets"][0]["rows"][0]["clips"])
        == 2
    )


def test_it_can_be_stopped_and_a_full_disk_is_one_sentence(
    tiny_corpus: Path, trained: Path, tmp_path: Path
) -> None:
    progress = Progress()
    progress.cancel()
    stopped = study(tiny_corpus, trained)
    stopped.progress = progress
    with pytest.raises(Cancelled):
        stopped.run([made()])
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="Figures cannot be kept"):
        Cache(tmp_path / "file" / "deep").open({})


# Training what is missing ------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "TINY.json"
    path.write_text(json.dumps(asdict(replace(CONFIG, validate_clips=1))))
    return str(path)


def test_training_makes_what_is_missing_once(tiny_corpus: Path, tmp_path: Path, config: str) -> None:
    runs = tmp_path / "runs"
    row = {**TRAINED, "config": config, "overrides": {"steps": 2, "network": {"encoder_layers": 0}}}
    plan = made(row, {**row, "name": "second", "run": "second", "start": "tiny"})
    (result,) = study(tiny_corpus, runs, runs / KEPT, train=True).run([plan])
    assert not any(one.mark or one.note for one in result.sets[0].rows)
    made_of = TrainConfig.read(runs / "tiny" / making.CONFIG)
    assert (made_of.name, made_of.steps) == ("tiny", 2)
    assert made_of.network["encoder_layers"] == 0
    assert made_of.network["width"] == CONFIG.network["width"]
    log = (runs / "second" / "log.jsonl").read_text()
    assert "weights taken over" in log
    before = (runs / "tiny" / "checkpoint.pt").stat().st_mtime_ns
    study(tiny_corpus, runs, runs / KEPT, train=True).run([plan])
    assert (runs / "tiny" / "checkpoint.pt").stat().st_mtime_ns == before


def test_an_unfinished_run_says_where_it_stands_and_goes_on(
    tiny_corpus: Path, tmp_path: Path, config: str
) -> None:
    trainer = Trainer(replace(CONFIG, steps=3, validate_clips=1), tiny_corpus, tmp_path / "tiny")
    next(trainer._steps())
    trainer.save()
    row = {**TRAINED, "config": config, "overrides": {"steps": 3}}
    (result,) = study(tiny_corpus, tmp_path).run([made(row)])
    assert "| tiny net (step 1 of 3) |" in report.table(result.sets[0])
    (result,) = study(tiny_corpus, tmp_path, train=True).run([made(row)])
    assert "| tiny net |" in report.table(result.sets[0])


def test_a_run_in_stages_keeps_each_and_says_what_it_cost(
    tiny_corpus: Path, tmp_path: Path, config: str
) -> None:
    row = {**TRAINED, "config": config, "overrides": {"steps": 2, "warmup": 1}, "stages": [1]}
    on = {**TRAINED, "name": "further", "run": "further", "config": config, "overrides": {"steps": 1}}
    plan = made({**on, "start": "tiny"}, row)
    (result,) = study(tiny_corpus, tmp_path, train=True, clips=1).run([plan])
    assert "weights taken over" in (tmp_path / "further" / "log.jsonl").read_text()
    other, one = result.sets[0].rows[1:]
    assert [point.spent.steps for point in one.curve] == [1, 2]
    assert [point.spent.clips for point in other.curve] == [1, 2, 3]
    costs = [point.spent.core_seconds for point in other.curve]
    assert 0.0 < costs[0] < costs[1] < costs[2]
    assert other.spent.core_seconds == costs[2]
    assert one.curve[-1].stored is one.stored
    assert one.curve[0].stored.values != one.curve[1].stored.values
    text = report.markdown([result])
    assert f"| tiny net ({one.spent.core_seconds / 60:.1f} core-minutes, 2 steps, 2 clips) |" in text
    assert "| core-minutes: MAG; at equal loudness |" in text


def test_a_killed_run_in_stages_goes_on(
    tiny_corpus: Path, tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = made({**TRAINED, "config": config, "overrides": {"steps": 2}, "stages": [1]}).row("tiny net")
    real, steps = making.train, []

    def train(config: TrainConfig, *args: object, **kwargs: object) -> object:
        steps.append((config.steps, config.decay))
        if len(steps) == 2:
            raise KeyboardInterrupt
        return real(config, *args, **kwargs)

    monkeypatch.setattr(making, "train", train)
    with pytest.raises(KeyboardInterrupt):
        making.make(row, tiny_corpus, tmp_path)
    assert not making.is_done(row, tmp_path)
    assert making.make(row, tiny_corpus, tmp_path)
    assert making.is_done(row, tmp_path)
    assert steps == [(1, 1), (2, 1), (2, 1)]


def test_rows_of_one_policy_learn_from_the_same_scenes(tiny_corpus: Path, tmp_path: Path) -> None:
    product = TrainConfig.read(SHIPPED / "product.json")
    rows = [row for one in choose([]) for row in one.rows if row.kind == "checkpoint"]
    assert {"learn2remix", "lce", "visah-frames", "product-same-minutes"} <= {row.run for row in rows}
    for row in rows:
        found = making.configuration(row, tiny_corpus, tmp_path)
        assert (found.scenes, found.scene_options, found.seconds) == (
            product.scenes,
            product.scene_options,
            product.seconds,
        )
    assert product.scene_options["random"] > 0


def test_a_stop_while_training_says_so(
    tiny_corpus: Path, tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped:
        stop = True

    monkeypatch.setattr(making, "train", lambda *_, **__: Stopped)
    with pytest.raises(Cancelled, match="goes on with it"):
        study(tiny_corpus, tmp_path, train=True).run([made({**TRAINED, "config": config})])


def test_what_cannot_be_trained_is_one_sentence(tiny_corpus: Path, tmp_path: Path, config: str) -> None:
    def train(**change: object) -> None:
        study(tiny_corpus, tmp_path / "runs", train=True).run([made({**TRAINED, "config": config, **change})])

    with pytest.raises(
        SettingsError, match=r"configuration 'visha' that there is not \(did you mean 'visah'"
    ):
        train(config="visha")
    with pytest.raises(TrainingError, match=r"'nothing', which is no model and has no checkpoint"):
        train(start="nothing")
    with pytest.raises(TrainingError, match=r"experiment\.json: steps must be more than 0"):
        train(overrides={"steps": 0})


def test_a_run_may_begin_with_a_cards_weights(tiny_model: str, tiny_corpus: Path, tmp_path: Path) -> None:
    from sightmix.engine.training.loop.checkpoints import averaged

    row = made({**TRAINED, "start": tiny_model}).row("tiny net")
    network, weights, step = averaged(making.beginning(row, tmp_path))
    assert (network.width, step) == (32, 0)
    assert "gain.out.weight" in weights


# The report --------------------------------------------------------------------------------------------


def result(name: str, title: str) -> report.Result:
    plan = experiment_from({**experiment(), "name": name, "title": title, "about": "| a | b"}, Path("x.json"))
    return report.Result(plan, ())


def test_only_the_marked_section_changes(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    before, after = "# Title\r\n\nüber alles  \n", "\n\n## Rest\nlast line without end"
    path.write_bytes(f"{before}{report.BEGIN}\nold\n{report.END}{after}".encode())
    one, two = (f"<!-- experiment: {x} -->\n## {x.upper()}\n\n| a | b\n\n" for x in ("one", "two"))
    report.update_report(path, [result("one", "ONE"), result("two", "TWO")])
    expected = f"{before}{report.BEGIN}\n\n{report.LEGEND}\n\n{one}{two}{report.END}{after}"
    assert path.read_bytes().decode() == expected
    report.update_report(path, [result("two", "AGAIN")])
    assert path.read_bytes().decode() == expected.replace("TWO", "AGAIN")
    assert [p.name for p in tmp_path.iterdir()] == ["RESULTS.md"]


@pytest.mark.parametrize(
    "text", ["", f"{report.END} {report.BEGIN}", report.BEGIN, f"{report.BEGIN * 2}{report.END}"]
)
def test_a_report_without_its_markers_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "R.md"
    path.write_text(text)
    with pytest.raises(SettingsError, match="needs the line"):
        report.update_report(path, [])
    assert path.read_text() == text
    with pytest.raises(SettingsError, match="cannot be read"):
        report.update_report(tmp_path / "none.md", [])


def test_the_command_fills_report_and_json(
    tiny_corpus: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plan.json"
    absent = {"name": "other net", "kind": "checkpoint", "run": "other", "config": "visah"}
    path.write_text(json.dumps(experiment(TRAINED, absent)))
    results = tmp_path / "R.md"
    results.write_text(f"top\n{report.BEGIN}\n{report.END}\nend\n")
    place = ["--corpus", str(tiny_corpus), "--runs", str(trained), "--only", str(path), "--clips", "2"]
    assert main([*place, "--report", str(results), "--json", str(tmp_path / "r.json")]) == 0
    out, err = capsys.readouterr()
    assert "| tiny net |" in out
    assert "no checkpoint" in err
    assert all(line in results.read_text() for line in out.splitlines())
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == report.SCHEMA
    assert (trained / KEPT).is_dir()
    assert main([*place[:-1], "2", "--only", "tabel1"]) == 2
    assert "did you mean 'table1'" in capsys.readouterr().err
    assert main([*place, "--model", str(tmp_path / "none.pt")]) == 2
    assert "none.pt cannot be read" in capsys.readouterr().err
    assert main(["--corpus", str(tmp_path), *place[2:]]) == 2
    assert "\n" not in capsys.readouterr().err.strip()


def test_any_model_beside_the_simple_ones(
    tiny_corpus: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(trained / "tiny" / "checkpoint.pt")
    out = tmp_path / "f.json"
    options = ["--clips", "2", "--seconds", "1.5", "--fit-clips", "2", "--json", str(out)]
    assert run.main(["--corpus", str(tiny_corpus), "--model", model, *options]) == 0
    assert f"| {model}, no picture |" in capsys.readouterr().out
    assert [one["measure"] for one in json.loads(out.read_text())["experiments"]] == [
        "distances",
        "stems",
        "restraint",
    ]
    assert run.main(["--corpus", str(tiny_corpus), "--model", f"{SHIPPED_MODEL}a", *options]) == 2
    assert "did you mean 'sightmix-" in capsys.readouterr().err
