"""What pictures show, in words: told apart, said only where sure, made of training pictures, read when asked."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sightmix.engine.context import subjects
from sightmix.engine.context.encoders import DEFAULT_ENCODER
from sightmix.engine.context.subjects import KNOWN_SUBJECTS, KnownSubjects, discriminable, known_subjects
from sightmix.engine.errors import ModelError, TrainingError
from sightmix.engine.roles import STEMS
from sightmix.engine.training.material.library import Picture
from sightmix.engine.training.scenes import known
from sightmix.engine.training.scenes.known import Rule, Shown, discriminants, judged, number_of, read_rules
from sightmix.engine.weights import load_card, weights_path

RULES = (
    Rule("a dog", "effects", "an animal", r"\bdog\b"),
    Rule("a cat", "effects", "an animal", r"\bcat\b"),
    Rule("a guitar", "music", "", "guitar"),
)
# Chances are the softmax of four numbers here, one each of a feature's squares.
TOY = KnownSubjects(
    [rule.name for rule in RULES],
    [rule.kind for rule in RULES],
    [rule.family for rule in RULES],
    np.eye(4, dtype=np.float32),
    np.zeros(4, np.float32),
    temperature=0.1,
    threshold=0.8,
    family_threshold=0.9,
)


def pictures(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32) ** 2


def test_a_picture_is_named_where_one_subject_is_sure_and_by_its_family_where_only_that_is():
    dog, cat_or_dog, guitar, nothing, anything = TOY.nearest(
        pictures((1, 0, 0, 0), (1, 1, 0, 0), (0, 0, 1, 0.4), (0, 0, 0, 1), (1, 1, 1, 1))
    )
    assert dog is not None
    assert (dog.name, dog.kind) == ("a dog", "effects")
    assert dog.score == pytest.approx(np.exp(10) / (np.exp(10) + 3))
    assert cat_or_dog is not None
    assert (cat_or_dog.name, cat_or_dog.kind) == ("an animal", "effects")
    powers = np.exp(10 / np.sqrt(2))
    assert cat_or_dog.score == pytest.approx(2 * powers / (2 * powers + 2))
    assert guitar is not None
    assert (guitar.name, guitar.kind) == ("a guitar", "music")
    assert nothing is None
    assert anything is None


def test_nothing_is_said_below_the_thresholds():
    rows = pictures((1, 0, 0, 0), (1, 1, 0, 0))
    assert replace(TOY, threshold=1.0, family_threshold=1.0).nearest(rows) == [None, None]
    assert replace(TOY, families=["", "", ""]).nearest(rows)[1] is None


def test_of_another_encoders_features_nothing_is_known():
    assert TOY.nearest(np.ones((2, 5), np.float32)) == [None, None]
    assert subjects.nearest(np.ones((2, 768), np.float32)) == [None, None]
    assert subjects.nearest(np.zeros((0, 1280), np.float32)) == []


def test_how_bright_a_feature_is_tells_nothing():
    row = np.array([[0.0, 2.0, 3.0, 0.5]], np.float32)
    np.testing.assert_allclose(discriminable(row * 7), discriminable(row), rtol=1e-6)
    assert np.isfinite(discriminable(np.zeros((1, 4), np.float32))).all()


def test_what_is_shipped_is_small_and_fits_its_card():
    card, shipped = load_card(KNOWN_SUBJECTS), known_subjects()
    assert weights_path(card).stat().st_size <= 300_000
    assert card.config["encoder"] == DEFAULT_ENCODER
    assert shipped.weights.shape == (len(shipped.names) + 1, load_card(DEFAULT_ENCODER).config["dim"])
    assert set(shipped.kinds) == set(STEMS)
    assert [(rule.name, rule.kind, rule.family) for rule in read_rules()] == list(
        zip(shipped.names, shipped.kinds, shipped.families, strict=True)
    )
    # Every name stands in a sentence before "is seen".
    assert all(name.split()[0] in ("a", "an", "someone", "written") for name in shipped.names)
    assert card.results["validation"]["precision"] >= known.PRECISION
    assert subjects.nearest(np.zeros((1, 1280), np.float32)) == [None]


def test_a_subject_is_found_at_its_own_mean():
    shipped = known_subjects()
    rng = np.random.default_rng(3)
    # Along a subject's own discriminant, away from a picture of nothing in particular.
    towards = shipped.weights[:-1] - shipped.weights[-1]
    base = np.abs(rng.normal(0.02, 0.01, 1280)).astype(np.float32)
    strong = np.maximum(base + 2 * towards / np.linalg.norm(towards, axis=1, keepdims=True), 0) ** 2
    found = shipped.nearest(strong.astype(np.float32))
    right = [s is not None and s.name == name for s, name in zip(found, shipped.names, strict=True)]
    assert np.mean(right) > 0.9


def test_it_is_read_when_asked_and_not_before():
    script = (
        "import sys; from sightmix.engine.context import subjects; "
        "assert 'safetensors' not in sys.modules and 'onnxruntime' not in sys.modules; "
        "import numpy; subjects.nearest(numpy.zeros((1, 1280), 'f')); assert 'safetensors' in sys.modules; "
        "assert 'torch' not in sys.modules and 'onnxruntime' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_missing_file_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(subjects, "weights_path", lambda card: tmp_path / "absent.safetensors")
    with pytest.raises(ModelError, match="absent"):
        known_subjects.__wrapped__()


# ------------------------------------------------------------------------------------- how they are made


def picture(caption: str, subject: str | None, split: str = "train", number: int = 0) -> Picture:
    return Picture(f"pictures/clips-x-{caption}-{number}.png", caption, split, None, subject, caption)


def test_a_picture_is_of_the_first_rule_that_fits_its_caption_and_its_kind():
    assert number_of(picture("A Dog and a cat.", "effects"), RULES) == 0
    assert number_of(picture("a cat", "effects"), RULES) == 1
    assert number_of(picture("a guitar", "effects"), RULES) == known.UNKNOWN
    assert number_of(picture("a guitar", "music"), RULES) == 2
    assert number_of(picture("a dog's bowl", None), RULES) == 3


def blobs(count: int, spread: float, seed: int) -> Shown:
    """Pictures about four corners, of the three rules and of nothing."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(4).repeat(count)
    corners = np.eye(4, 12) + 0.1
    return Shown(
        (np.abs(corners[numbers] + rng.normal(0, spread, (4 * count, 12))) ** 2).astype(np.float32),
        numbers,
        {"clips": 4 * count},
    )


def test_discriminants_tell_apart_what_they_were_made_of_and_what_they_were_not():
    found = judged(discriminants(blobs(30, 0.1, 1), RULES), blobs(30, 0.1, 2))
    result = known.measured(found, blobs(50, 0.1, 3))
    assert result["pictures"] == 200
    assert result["that_sound"] == 150
    assert result["named"] >= 140
    assert result["precision"] >= 0.98
    assert result["precision_of_kind"] >= result["precision"]


def test_thresholds_leave_out_what_would_mostly_be_wrong():
    found = judged(discriminants(blobs(30, 0.1, 1), RULES), blobs(200, 0.55, 2))
    unseen = blobs(400, 0.55, 3)
    sure = known.measured(found, unseen)
    careless = known.measured(replace(found, threshold=0.0), unseen)
    assert careless["named"] == 1600
    assert 20 < sure["named"] < 1000
    assert sure["precision"] > 0.88 > careless["precision"]


def test_a_threshold_is_the_lowest_that_keeps_the_precision():
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    assert known._threshold(scores, np.array([True, True, False, False])) == 0.8 + 0.001
    assert known._threshold(scores, np.array([False, False, False, False])) == 1.0
    assert known._threshold(scores / 2, np.array([True, True, True, True])) == 0.5
    assert known._threshold(np.zeros(0, np.float32), np.zeros(0, bool)) == 1.0


def test_a_rule_without_a_picture_is_refused():
    train = blobs(5, 0.1, 1)
    kept = train.numbers != 1
    with pytest.raises(TrainingError, match="a cat"):
        discriminants(Shown(train.features[kept], train.numbers[kept], {}), RULES)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus with described pictures of the toy rules, 12 of each in each split."""
    captions = [("a dog", "effects"), ("a cat", "effects"), ("a guitar", "music"), ("bread", None)]
    listed, vectors = [], {}
    for seed, split in enumerate(("train", "validation", "test")):
        shown = blobs(12, 0.1, seed)
        for place, (row, number) in enumerate(zip(shown.features, shown.numbers, strict=True)):
            one = picture(*captions[number], split, 100 * seed + place)
            listed.append(one)
            vectors[one.id] = row
    packages = {name: {"licence": "CC0", "credit": "Nobody"} for name in ("clips", "clips-x")}
    manifest = {"version": 1, "sample_rate": 44_100, "items": [], "packages": packages, "pictures": []}
    manifest["subjects"] = [asdict(p) for p in listed if p.subject]
    manifest["distractors"] = [asdict(p) for p in listed if not p.subject]
    (tmp_path / "corpus.json").write_text(json.dumps(manifest), encoding="utf-8")
    np.savez(
        tmp_path / "pictures.npz", names=np.array(list(vectors)), features=np.stack(list(vectors.values()))
    )
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"subjects": [asdict(rule) for rule in RULES]}), encoding="utf-8")
    monkeypatch.setattr(known.read_rules, "__defaults__", (rules,))
    return tmp_path


def test_the_command_writes_a_card_with_licences_that_is_read_back(corpus, tmp_path, monkeypatch, capsys):
    assert known.main([str(corpus), "--root", str(tmp_path / "own")]) == 0
    assert "validation: {'pictures': 48, 'that_sound': 36" in capsys.readouterr().out
    # The shipped card of this name comes first among the roots, so it is not there for this.
    monkeypatch.setattr("sightmix.engine.weights.store.PACKAGED", tmp_path / "nowhere")
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path / "own"))
    card = load_card(KNOWN_SUBJECTS)
    assert card.trained_on == ("clips-x: 48 pictures; CC0",)
    assert card.credit == "Nobody"
    assert [entry["pictures"] for entry in card.config["subjects"]] == [12, 12, 12]
    read = known_subjects.__wrapped__()
    named = read.nearest(blobs(1, 0.0, 0).features)
    assert [subject and subject.name for subject in named] == ["a dog", "a cat", "a guitar", None]


def test_the_same_corpus_gives_the_same_bytes(corpus, tmp_path):
    first, second = (known.make(corpus, tmp_path / name) for name in ("one", "two"))
    assert first == second


def test_a_folder_that_does_not_do_is_one_sentence(corpus, tmp_path, capsys):
    assert known.main([str(tmp_path / "absent"), "--root", str(tmp_path)]) == 1
    assert "no corpus in" in capsys.readouterr().err
    (corpus / "pictures.npz").unlink()
    assert known.main([str(corpus), "--root", str(tmp_path)]) == 1
    assert "no described pictures" in capsys.readouterr().err


def test_rules_that_cannot_be_read_are_one_sentence(tmp_path):
    broken = tmp_path / "rules.json"
    broken.write_text('{"subjects": [{"name": "a dog"}]}', encoding="utf-8")
    with pytest.raises(TrainingError, match=r"rules\.json cannot be read"):
        read_rules(broken)
