"""Pictures with a known subject: sorted and captioned by a recipe's rules, split by package, drawn in their split."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageFont
from sightmix.engine.errors import TrainingError
from sightmix.engine.training.material.corpus import build_corpus
from sightmix.engine.training.material.library import Corpus, Picture
from sightmix.engine.training.material.packages import Source
from sightmix.engine.training.material.recipes import any_match, load_recipe
from sightmix.engine.training.material.subjects import caption_of, check_pictures, glyph_name, shown
from sightmix.engine.training.scenes.dice import Dice
from sightmix.engine.training.scenes.pictures import (
    PictureTable,
    caption_features,
    compute_captions,
    compute_features,
    main,
    picture_features,
)

RATE = 44_100
SPLITS = ("train", "validation", "test")


def png(*colour: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 30), colour).save(out, format="PNG")
    return out.getvalue()


def sources(*paths: str, **contents: bytes) -> dict[str, Source]:
    found = {path: Source(path, lambda: b"") for path in paths}
    return found | {path: Source(path, lambda data=data: data) for path, data in contents.items()}


def rule(subject: str | None, caption: str, *match: str, **more: object) -> dict[str, object]:
    return {"subject": subject, "caption": caption, "match": list(match), **more}


# ------------------------------------------------------------------------------------------------ rules


def test_the_first_rule_that_fits_says_what_a_picture_shows():
    rules = {
        "drop": ["*/broken*"],
        "subjects": [
            rule("music", "a violin", "*/violin*"),
            rule("music", "{name}, a musical instrument", "*/music/*", unless=["*/ear*"]),
            rule(None, "food", "*/food/*"),
        ],
    }
    found = list(
        shown(
            rules,
            sources(
                "a/music/violin_1.png", "a/music/bass-drum_02.png", "a/music/ear.png", "a/music/drum.svg",
                "a/food/apple.png", "a/music/broken_flute.png", "a/other.png",
            ),
        )
    )  # fmt: skip
    assert [(p.label, p.subject, p.caption) for p in found] == [
        ("apple", None, "food"),
        ("bass-drum_02", "music", "bass drum 02, a musical instrument"),
        ("violin_1", "music", "a violin"),
    ]


def test_a_caption_may_stand_beside_the_picture():
    files = sources("a/x_2.png", **{"a/cow.txt": b"A cow.\nfr.utf8=Une vache.\n", "a/empty.txt": b"\n"})
    assert caption_of("a/cow.png", "{text}", files) == "A cow."
    assert caption_of("a/empty.png", "{text}", files) == "empty"
    assert caption_of("a/x_2.png", "{text}", files) == "x 2"


def test_glyphs_are_called_what_unicode_calls_them():
    assert glyph_name("🎸") == "guitar"
    assert glyph_name("👩🏽‍🎤") == "woman, microphone"
    assert glyph_name("☎️") == "black telephone"


def test_emoji_files_are_found_by_their_code_points_with_and_without_joiners():
    rules = {
        "named": "*/png/{code}.png",
        "subjects": [{"subject": "speech", "caption": "{name}", "glyphs": "👨‍⚕️ 👶 👵"}],
    }
    found = list(shown(rules, sources("e/png/1F468-2695.png", "e/png/1f476.png", "e/svg/1f475.png")))
    assert [(p.source.path, p.caption) for p in found] == [
        ("e/png/1F468-2695.png", "man, staff of aesculapius"),
        ("e/png/1f476.png", "baby"),
    ]
    assert found[0].label == "man_staff_of_aesculapius"


@pytest.fixture(scope="module")
def font() -> bytes:
    # Pillow carries a small outline font; emoji fonts differ by colour and by their one size.
    return ImageFont.load_default(20).path.getvalue()


def glyphs(text: str, font: bytes):
    rules = {"font": "*.ttf", "subjects": [{"subject": "effects", "caption": "{name}", "glyphs": text}]}
    return list(shown(rules, sources(**{"usr/a.ttf": font})))


def test_a_font_draws_its_glyphs(font):
    (hash_sign,) = glyphs("#", font)
    assert (hash_sign.source.path, hash_sign.caption) == ("usr/a.ttf!23.png", "number sign")
    with Image.open(io.BytesIO(hash_sign.source.read())) as image:
        assert image.mode == "RGBA"
        assert 40 < image.width < 110
        assert image.getchannel("A").getextrema() == (0, 255)


def test_what_the_font_cannot_draw_as_one_glyph_is_refused(font):
    (several,) = glyphs("WWW", font)
    with pytest.raises(ValueError, match="no single glyph"):
        several.source.read()
    (blank,) = glyphs("\u2060", font)  # the word joiner draws nothing
    with pytest.raises(ValueError, match="no glyph"):
        blank.source.read()
    assert list(shown({"subjects": [{"subject": None, "caption": "", "glyphs": "#"}]}, {})) == []


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"split": "dev"}, "in split 'dev'; use one of train"),
        ({"subjects": [rule("noise", "x", "*")]}, "show 'noise'; use one of speech, music, effects or null"),
        ({"subjects": [{"subject": None, "caption": "x"}]}, "neither paths to match nor glyphs"),
    ],
)
def test_wrong_picture_rules_are_named(rules, sentence):
    with pytest.raises(TrainingError, match=sentence):
        check_pictures("clips", rules)


def test_the_open_recipe_splits_its_subjects_by_package():
    by_split: dict[str, set[str | None]] = {}
    for package in load_recipe("open").packages:
        check_pictures(package.name, package.pictures or {})
        for entry in (package.pictures or {}).get("subjects", ()):
            by_split.setdefault(package.pictures.get("split", "train"), set()).add(entry["subject"])
    assert by_split == {split: {"speech", "music", "effects", None} for split in SPLITS}


# ------------------------------------------------------------------------------------------------ a corpus


def wav(kind: str) -> bytes:
    out = io.BytesIO()
    seconds = 6 if kind.startswith("music") else 1
    noise = np.random.default_rng(sum(map(ord, kind))).standard_normal(seconds * RATE)
    soundfile.write(out, 0.1 * noise, RATE, format="WAV")
    return out.getvalue()


def package(split: str, colours: int) -> tuple[dict[str, object], dict[str, bytes]]:
    files = {f"{split}/{kind}/{kind}.wav": wav(f"{kind} {split}") for kind in ("speech", "music", "effects")}
    files |= {
        f"{split}/pics/{subject}/{n}_{subject}.png": png(colours, 10 * n, ord(subject[0]))
        for subject in ("talk", "song", "bang", "pear")
        for n in range(3)
    }
    files[f"{split}/pics/song/again.png"] = files[f"{split}/pics/song/1_song.png"]
    pictures = {
        "split": split,
        "most_neutral": 2,
        "subjects": [
            rule("speech", "someone speaking", "*/talk/*"),
            rule("music", "{name}", "*/song/*"),
            rule("effects", "a bang", "*/bang/*"),
            rule(None, "a pear", "*/pear/*"),
        ],
    }
    rules = [
        {"kind": kind, "match": [f"*/{kind}/*"], "split": split} for kind in ("speech", "music", "effects")
    ]
    return {"name": f"{split}-data", "licence": "CC0", "pictures": pictures, "rules": rules}, files


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    packages = {split: package(split, 60 * n) for n, split in enumerate(SPLITS)}

    def run(command, where: Path) -> None:
        if command[0] == "apt-get":
            (where / f"{command[2]}_1_all.deb").write_bytes(b"deb")
            return
        for path, data in packages[Path(command[2]).name.split("-")[0]][1].items():
            target = Path(command[3]) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    recipe = {
        "name": "test",
        "shortest_s": {"speech": 0.4, "music": 5, "effects": 0.25},
        "packages": [described for described, _ in packages.values()],
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return build_corpus(folder / "recipe.json", folder / "cache", folder / "out", run=run)


class ByColour:
    """An encoder whose features are a picture's mean colour."""

    name, dim, size = "colour", 3, 16

    def encode(self, frames):
        return frames.reshape(len(frames), -1, 3).mean(axis=1).astype(np.float32)


class ByLength:
    name, dim = "length", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32)


@pytest.fixture(scope="module")
def described(built) -> tuple[Corpus, ByLength]:
    texts = ByLength()
    # The 9 neutral pictures less one a package, and 3 of each class; the doubled one counts once.
    assert compute_features(built.root, ByColour(), texts=texts) == 3 * (2 + 3 + 3 + 3)
    return built, texts


def test_pictures_with_a_subject_are_listed_with_their_captions(built):
    assert len(built.subjects) == 27
    song = next(p for p in built.subjects if p.label == "1_song" and p.split == "test")
    assert (song.subject, song.caption, song.item_id) == ("music", "1 song", None)
    assert song.id == f"subject:music:{Path(song.file).stem}"
    assert built.picture(song)[112, 112].tolist() == [120, 10, ord("s")]
    assert {(p.split, p.subject, p.caption) for p in built.distractors} == {
        (split, None, "a pear") for split in SPLITS
    }
    assert all(p.id == f"other:{Path(p.file).stem}" for p in built.distractors)


def test_lists_written_before_there_were_subjects_still_load(built, tmp_path):
    manifest = json.loads((built.root / "corpus.json").read_text())
    del manifest["subjects"]
    for entry in manifest["distractors"]:
        del entry["subject"], entry["caption"]
    (tmp_path / "corpus.json").write_text(json.dumps(manifest | {"items": []}))
    old = Corpus(tmp_path)
    assert old.subjects == ()
    assert {p.caption for p in old.distractors} == {""}
    assert asdict(old.distractors[0])["subject"] is None


def test_features_and_captions_have_the_pictures_ids(described):
    corpus, texts = described
    ids = {p.id for p in (*corpus.subjects, *corpus.distractors)}
    frames, captions = picture_features(corpus.root), caption_features(corpus.root)
    assert set(frames) == set(captions) == ids
    assert sorted(texts.asked) == sorted(set(texts.asked))
    bang = next(p for p in corpus.subjects if p.subject == "effects")
    assert captions[bang.id].tolist() == [len("a bang"), 1]
    assert frames[bang.id] == pytest.approx(corpus.picture(bang).mean(axis=(0, 1)), abs=1)


DICE = Dice("x", range(400))


def names(table, rows):
    return {table.names[row] if row >= 0 else None for row in rows.tolist()}


def test_a_table_has_its_own_splits_pictures_only(described):
    corpus, _ = described
    split_of = {p.id: p.split for p in (*corpus.subjects, *corpus.distractors)}
    for split in SPLITS:
        table = PictureTable.of(corpus, split, picture_features(corpus.root))
        for kind in ("speech", "music", "effects"):
            drawn = names(table, table.subject(DICE, "a", kind))
            assert len(drawn) == 3
            assert all(name.startswith(f"subject:{kind}:") and split_of[name] == split for name in drawn)
        unrelated = names(table, table.neutral(DICE, "a"))
        assert len(unrelated) == 2
        assert all(name.startswith("other:") and split_of[name] == split for name in unrelated)


def test_no_subject_without_features(built):
    table = PictureTable.of(built, "train", {})
    assert names(table, table.subject(DICE, "a", "music")) == {None}
    assert names(table, table.neutral(DICE, "a")) == {None}
    assert not table
    assert not table.has("music")


def test_pictures_paired_with_a_sound_show_effects(built, tmp_path):
    manifest = json.loads((built.root / "corpus.json").read_text())
    item = next(i for i in manifest["items"] if i["kind"] == "effects" and i["split"] == "train")
    picture = {"file": "pictures/cow.png", "label": "cow", "split": "train", "item_id": item["id"]}
    manifest |= {"pictures": [picture], "subjects": [], "distractors": []}
    (tmp_path / "corpus.json").write_text(json.dumps(manifest))
    for name in {i["file"] for i in manifest["items"]}:
        (tmp_path / name).symlink_to(built.root / name)
    features = {item["id"]: np.zeros(3, np.float32)}
    table = PictureTable.of(Corpus(tmp_path), "train", features)
    assert names(table, table.subject(DICE, "a", "effects")) == {item["id"]}
    assert names(table, table.subject(DICE, "a", "speech")) == {None}
    assert names(table, table.neutral(DICE, "a")) == {item["id"]}, "there is no other picture"
    assert not PictureTable.of(Corpus(tmp_path), "test", features).names


def test_an_effect_is_never_shown_as_nothing_that_sounds(described):
    """Where any picture shows nothing that sounds: else the same picture would mean both."""
    corpus, _ = described
    item = next(i for i in corpus.items("effects", "train"))
    features = {**picture_features(corpus.root), item.id: np.zeros(3, np.float32)}
    table = PictureTable.of(corpus, "train", features)
    assert item.id in table.names
    assert all(name.startswith("other:") for name in names(table, table.neutral(DICE, "a", 3).flatten()))


def test_a_films_frames_are_shared_out_by_time(built):
    frames = {f"other:film:{t}": np.zeros(3, np.float32) for t in range(20)}
    seen = {}
    for split in SPLITS:
        table = PictureTable.of(built, split, frames)
        drawn = names(table, table.neutral(DICE, "a"))
        seen[split] = {int(name.rpartition(":")[2]) for name in drawn}
    assert seen == {"train": set(range(14)), "validation": {14, 15, 16}, "test": {17, 18, 19}}


def test_nothing_is_captioned_where_there_are_no_captions(tmp_path):
    entry = asdict(Picture("pictures/a.png", "a", "train"))
    (tmp_path / "corpus.json").write_text(json.dumps({"distractors": [entry]}))
    assert compute_captions(tmp_path, ByLength()) == 0
    assert caption_features(tmp_path) == {}


def test_the_command_describes_a_corpus(built, monkeypatch, capsys):
    module = "sightmix.engine.training.scenes.pictures"
    monkeypatch.setattr(f"{module}.load_encoder", lambda threads: ByColour())
    monkeypatch.setattr(f"{module}.load_sentence_encoder", lambda threads: ByLength())
    assert main([str(built.root), "--captions"]) == 0
    assert capsys.readouterr().out == f"33 pictures described in {built.root}.\n"
    assert main([str(built.root / "nowhere")]) == 1
    assert "has no readable corpus.json" in capsys.readouterr().err
    assert main([str(built.root), "--film", "a.mp4", "soon"]) == 1


@pytest.mark.parametrize(
    "name",
    ["town/windmill", "people/fireman240a", "easter/chick-hatched", "easter/bunny", "town/blacksmith",
     "christmas/santa", "symbols/music/note", "animals/birds/hen", "vehicles/train", "medieval/mermaid"],
)  # fmt: skip
def test_what_sounds_is_no_stamp_of_nothing_that_sounds(name):
    stamps = next(package for package in load_recipe("open").packages if package.name.startswith("tuxpaint"))
    assert any_match(f"usr/share/tuxpaint/stamps/{name}.png", stamps.pictures["distractors_unless"])


def test_no_pattern_or_glyph_of_the_open_recipe_both_sounds_and_does_not():
    for package in load_recipe("open").packages:
        rules = (package.pictures or {}).get("subjects", ())
        said: dict[bool, set[str]] = {True: set(), False: set()}
        for rule in rules:
            said[rule["subject"] is not None] |= {*rule.get("match", ()), *rule.get("glyphs", "").split()}
        assert not said[True] & said[False], package.name
