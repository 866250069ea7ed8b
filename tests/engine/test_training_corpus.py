"""The corpus builder against packages made here: a runner stands in for apt and dpkg."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import zipfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sightmix.engine.errors import Cancelled, TrainingError, WriteError
from sightmix.engine.progress import Progress, Step
from sightmix.engine.training.material import corpus as corpus_module
from sightmix.engine.training.material.containers import entries
from sightmix.engine.training.material.corpus import _spread, build_corpus, letterbox, main
from sightmix.engine.training.material.library import Corpus
from sightmix.engine.training.material.packages import fetch_package, run_command
from sightmix.engine.training.material.recipes import RESERVED, load_recipe, refuse_reserved
from sightmix.engine.training.material.sounds import UnusableError, bandwidth, prepare, trim_silence

RATE = 44_100


def tone(seconds: float, hz: float = 440.0, level: float = 0.5, rate: int = RATE) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def noise(seconds: float, seed: int = 0, rate: int = RATE, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)


def encoded(sound: np.ndarray, rate: int = RATE, form: str = "WAV", subtype: str | None = None) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, sound, rate, format=form, subtype=subtype)
    return out.getvalue()


def g722(sound: np.ndarray) -> bytes:
    out = io.BytesIO()
    with av.open(out, mode="w", format="g722") as container:
        stream = container.add_stream("g722", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype("<i2")[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        frame.time_base = Fraction(1, 16_000)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return out.getvalue()


def png(size: tuple[int, int], colour: tuple[int, int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", size, colour).save(out, format="PNG")
    return out.getvalue()


class FakeApt:
    """Runs `apt-get download` and `dpkg-deb -x` on packages that are dictionaries of path → bytes."""

    def __init__(self, packages: dict[str, dict[str, bytes]]) -> None:
        self.packages = packages
        self.calls: list[str] = []

    def __call__(self, command, folder: Path) -> None:
        if command[0] == "apt-get":
            self.calls.append(f"fetch {command[2]}")
            if command[2] in self.packages:
                (folder / f"{command[2]}_1%3a2.0-3_all.deb").write_bytes(b"deb")
            return
        name = Path(command[2]).name.split("_")[0]
        self.calls.append(f"unpack {name}")
        for path, data in self.packages[name].items():
            target = Path(command[3]) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def table(files: dict[str, bytes]) -> bytes:
    offset = 15 + 21 * len(files)
    head = b"QTBL" + b"TST10\0" + b"\0\0\1" + len(files).to_bytes(2, "big")
    body = b""
    for name, data in files.items():
        head += (
            name.encode().ljust(12, b"\0") + b"\1" + offset.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        )
        body += data
        offset += len(data)
    return head + body


def catalogue(files: dict[str, bytes]) -> bytes:
    """OpenTTD's: offsets and sizes, then a title and a WAV file each."""
    rows, body, offset = b"", b"", 8 * len(files)
    for title, data in files.items():
        told = bytes([len(title) + 1]) + title.encode() + b"\0"
        rows += (offset | 1 << 31).to_bytes(4, "little") + len(data).to_bytes(4, "little")
        body += told + data
        offset += len(told) + len(data)
    return rows + body


def group(files: dict[str, bytes | dict]) -> bytes:
    """OpenClonk's: a scrambled header, entries of fixed size, data; a dictionary becomes a group inside."""
    head = bytearray(204)
    head[:24] = b"RedWolf Design GrpFolder"
    head[36:40] = len(files).to_bytes(4, "little")
    for index in range(0, 202, 3):
        head[index], head[index + 2] = head[index + 2], head[index]
    rows, body = b"", b""
    for name, content in files.items():
        data = group(content) if isinstance(content, dict) else content
        numbers = (1, int(isinstance(content, dict)), len(data), 0, len(body))
        row = name.encode().ljust(260, b"\0") + b"".join(n.to_bytes(4, "little") for n in numbers)
        rows += row.ljust(316, b"\0")
        body += data
    return bytes(byte ^ 237 for byte in head) + rows + body


def disguised(data: bytes) -> bytes:
    return b"\x1e\x8c" + gzip.compress(data, mtime=0)[2:]


GAME = {
    "usr/share/doc/game-data/copyright": b"License: GPL-2+\n",
    "usr/share/game/voice/hello.wav": encoded(np.pad(tone(1.0), RATE // 2)),
    "usr/share/game/voice/click.wav": encoded(tone(0.1)),
    "usr/share/game/music/theme.flac": encoded(np.stack([tone(8), tone(8, 660)], 1), form="FLAC"),
    "usr/share/game/sfx/rain.wav": encoded(noise(2)),
    "usr/share/game/sfx/menu.wav": encoded(noise(1, 5)),
    "usr/share/game/sfx/broken.wav": b"RIFF but then nothing of the kind",
    "usr/share/game/sfx/nothing.wav": encoded(np.zeros(RATE, np.float32)),
    "usr/share/game/sfx/readme.txt": b"not a sound",
}
STAMPS = {
    "usr/share/stamps/cow.ogg": encoded(noise(1, 1), form="OGG", subtype="VORBIS"),
    "usr/share/stamps/cow.png": png((400, 100), (255, 0, 0, 255)),
    "usr/share/stamps/calf.png": png((40, 80), (0, 255, 0, 255)),
    "usr/share/stamps/cow_desc.ogg": encoded(tone(1, 520), form="OGG", subtype="VORBIS"),
    "usr/share/stamps/apple.png": png((50, 50), (0, 0, 255, 255)),
    "usr/share/stamps/pear.png": b"no picture",
    "usr/share/stamps/letters/a.png": png((50, 50), (0, 0, 0, 255)),
    "usr/share/stamps/more.pk3": zipped({"wind.wav": encoded(noise(1, 2)), "empty/": b""}),
    "usr/share/stamps/queen.1c": table({"A1.SB": encoded(tone(1, 300)), "B1.SB": encoded(tone(1, 350))}),
}
STAMPS["usr/share/stamps/calf.ogg"] = STAMPS["usr/share/stamps/cow.ogg"]


def recipe_file(folder: Path, **changes) -> Path:
    packages = [
        {
            "name": "game-data",
            "licence": "GPL-2+",
            "credit": "The Game Team",
            "licences": {"CC0": ["*/rain.wav"]},
            "rules": [
                {"kind": "drop", "match": ["*/menu.*"]},
                {"kind": "speech", "match": ["*/voice/*"], "split": "validation"},
                {"kind": "music", "match": ["*/music/*"], "split": "validation"},
                {"kind": "effects", "match": ["*/sfx/*"], "split": "validation"},
            ],
        },
        {
            "name": "stamps",
            "licence": "GPL-3+",
            "archives": ["*.pk3"],
            "containers": ["*.1c"],
            "pictures": {"match": ["*.png"], "distractors": 5, "distractors_unless": ["*/letters/*"]},
            "rules": [
                {"kind": "speech", "match": ["*_desc.ogg", "*.sb"], "licence": "own"},
                {"kind": "effects", "match": ["*"]},
            ],
        },
    ]
    content = {
        "name": "test",
        "shortest_s": {"speech": 0.4, "music": 5, "effects": 0.25},
        "packages": packages,
    }
    path = folder / "recipe.json"
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


@pytest.fixture
def apt() -> FakeApt:
    return FakeApt({"game-data": dict(GAME), "stamps": dict(STAMPS)})


@pytest.fixture
def built(tmp_path, apt) -> Corpus:
    return build_corpus(recipe_file(tmp_path), tmp_path / "cache", tmp_path / "out", run=apt)


# ------------------------------------------------------------------------------------------------ a finished corpus


def test_files_are_sorted_by_the_first_rule_that_fits(built):
    sorted_as = {Path(item.source).name: (item.kind, item.split) for item in built.items()}
    assert sorted_as == {
        "hello.wav": ("speech", "validation"),
        "theme.flac": ("music", "validation"),
        "rain.wav": ("effects", "validation"),
        "calf.ogg": ("effects", "train"),
        "cow_desc.ogg": ("speech", "train"),
        "more.pk3!wind.wav": ("effects", "train"),
        "queen.1c!A1.SB": ("speech", "train"),
        "queen.1c!B1.SB": ("speech", "train"),
    }


def test_items_come_by_kind_and_split(built):
    assert {item.kind for item in built.items("speech")} == {"speech"}
    assert [item.label for item in built.items("effects", "validation")] == ["rain"]
    assert built.items("music", "train") == []
    assert built.hours()["music"]["validation"] == pytest.approx(8 / 3600, rel=0.02)


def test_audio_is_what_went_in(built):
    (item,) = built.items("effects", "validation")
    sound = built.audio(item)
    assert sound.dtype == np.float32
    assert sound.shape == (2 * RATE,)
    expected = noise(2)
    assert np.abs(sound - (expected - expected.mean())).max() < 2 / 32768
    assert item.rms_db == pytest.approx(-20, abs=0.1)
    assert item.peak == pytest.approx(np.abs(sound).max(), abs=1e-3)


def test_items_lie_back_to_back(built):
    lengths: Counter[str] = Counter()
    for item in built.items():
        assert item.start == lengths[item.file]
        lengths[item.file] += item.samples
    for name, samples in lengths.items():
        assert (built.root / name).stat().st_size == 2 * samples


def test_licences_and_versions_are_stated(built):
    licences = {Path(item.source).name: item.licence for item in built.items()}
    assert licences["rain.wav"] == "CC0"
    assert licences["hello.wav"] == "GPL-2+"
    assert licences["cow_desc.ogg"] == "own"
    assert built.packages["game-data"]["version"] == "1:2.0-3"
    assert built.packages["game-data"]["credit"] == "The Game Team"
    assert (built.root / "licences/game-data.txt").read_text() == "License: GPL-2+\n"


def test_unusable_files_become_warnings(built):
    warnings = json.loads((built.root / "corpus.json").read_text())["warnings"]
    said = {Path(line.split()[0]).name: line for line in warnings}
    assert set(said) == {"broken.wav", "nothing.wav", "click.wav", "pear.png"}
    assert "cannot be decoded" in said["broken.wav"]
    assert all(line.endswith("left out.") for line in warnings)


def test_pictures_belong_to_their_sounds(built):
    (effect,) = [item for item in built.items("effects") if item.label == "calf"]
    assert {(entry.label, entry.item_id) for entry in built.pictures} == {
        ("calf", effect.id),
        ("cow", effect.id),
    }
    assert [(entry.label, entry.item_id) for entry in built.distractors] == [("apple", None)]
    cow = next(entry for entry in built.pictures if entry.label == "cow")
    pixels = built.picture(cow)
    assert pixels.shape == (224, 224, 3)
    assert pixels[112, 112].tolist() == [255, 0, 0]
    assert pixels[10, 112].tolist() == [128, 128, 128]


def test_small_pictures_are_scaled_up():
    pixels = np.asarray(letterbox(png((20, 40), (0, 255, 0, 255))))
    assert pixels[3, 112].tolist() == [0, 255, 0]
    assert pixels[112, 20].tolist() == [128, 128, 128]


def test_a_pickled_corpus_carries_no_samples(built):
    data = pickle.dumps(built)
    assert len(data) < 20_000
    again = pickle.loads(data)
    item = again.items("speech")[0]
    assert np.array_equal(again.audio(item), built.audio(item))


def test_every_sound_is_in_one_split_only(built):
    assert max(Counter(item.source for item in built.items()).values()) == 1
    assert len({item.id for item in built.items()}) == len(built.items())


# --------------------------------------------------------------------------------------------- stopping and resuming


def test_a_stopped_build_goes_on_where_it_was(tmp_path, apt):
    recipe = recipe_file(tmp_path)
    progress = Progress()

    def stop_in_second(step: Step) -> None:
        if step.item == "stamps" and step.unit == "files" and step.done == 2:
            progress.cancel()

    progress.observe = stop_in_second
    with pytest.raises(Cancelled):
        build_corpus(recipe, tmp_path / "cache", tmp_path / "out", progress, run=apt)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert not any(".part" in name or "stamps" in name for name in left)
    assert not list((tmp_path / "cache").glob("unpacked-*"))
    assert {item.package for item in Corpus(tmp_path / "out").items()} == {"game-data"}

    apt.calls.clear()
    whole = build_corpus(recipe, tmp_path / "cache", tmp_path / "out", run=apt)
    assert apt.calls == ["unpack stamps"]
    assert {item.package for item in whole.items()} == {"game-data", "stamps"}


def test_a_recording_in_two_splits_is_refused(tmp_path, apt):
    apt.packages["game-data"]["usr/share/game/sfx/wind.wav"] = encoded(noise(1, 2) / 3)
    with pytest.raises(TrainingError, match=r"(?s)One recording serves two splits.*wind\.wav.*wind\.wav"):
        build_corpus(recipe_file(tmp_path), tmp_path / "cache", tmp_path / "out", run=apt)


def test_what_a_killed_build_left_is_cleared(tmp_path, apt):
    (tmp_path / "out").mkdir()
    (tmp_path / "cache/unpacked-game-data-x1").mkdir(parents=True)
    (tmp_path / "out/.speech-game-data.i16.12345678.sightmix.part").write_bytes(b"half")
    build_corpus(recipe_file(tmp_path), tmp_path / "cache", tmp_path / "out", run=apt)
    assert not list((tmp_path / "out").rglob("*.part"))
    assert not list((tmp_path / "cache").glob("unpacked-*"))


def test_a_second_build_does_nothing(built, tmp_path, apt):
    apt.calls.clear()
    before = (built.root / "corpus.json").read_bytes()
    build_corpus(tmp_path / "recipe.json", tmp_path / "cache", built.root, run=apt)
    assert apt.calls == []
    assert (built.root / "corpus.json").read_bytes() == before


def test_a_changed_rule_rebuilds_its_package_only(built, tmp_path, apt):
    path = tmp_path / "recipe.json"
    content = json.loads(path.read_text())
    for rule in content["packages"][0]["rules"][1:]:
        rule["split"] = "test"
    path.write_text(json.dumps(content))
    apt.calls.clear()
    again = build_corpus(path, tmp_path / "cache", built.root, run=apt)
    assert apt.calls == ["unpack game-data"]
    assert [item.label for item in again.items("speech", "test")] == ["hello"]


def test_no_list_speaks_of_replaced_samples(built, tmp_path, apt, monkeypatch):
    path = tmp_path / "recipe.json"
    content = json.loads(path.read_text())
    content["packages"][0]["rules"][0]["match"] = ["*/nothing.wav"]
    path.write_text(json.dumps(content))

    def die(self) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus_module._PackageBuilder, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        build_corpus(path, tmp_path / "cache", built.root, run=apt)
    assert {item.package for item in Corpus(built.root).items()} == {"stamps"}


def test_only_the_packages_asked_for(tmp_path, apt):
    one = build_corpus(recipe_file(tmp_path), tmp_path / "c", tmp_path / "o", packages=["stamps"], run=apt)
    assert list(one.packages) == ["stamps"]
    with pytest.raises(TrainingError, match="has no package game; it has game-data, stamps"):
        build_corpus(tmp_path / "recipe.json", tmp_path / "c", tmp_path / "o", packages=["game"], run=apt)


def test_a_full_disk_is_one_sentence(tmp_path, apt, monkeypatch):
    def full(self, *args) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(corpus_module._PackageBuilder, "_store", full)
    with pytest.raises(WriteError, match="No space left on device"):
        build_corpus(recipe_file(tmp_path), tmp_path / "cache", tmp_path / "out", run=apt)
    assert not list((tmp_path / "out").rglob("*.part"))


# ---------------------------------------------------------------------------------------------------------- fetching


def test_a_package_in_the_cache_is_not_downloaded(tmp_path, apt):
    deb = tmp_path / "game-data_1.0_all.deb"
    deb.write_bytes(b"deb")
    assert fetch_package("game-data", tmp_path, apt) == deb
    assert apt.calls == []


def test_a_package_apt_does_not_know(tmp_path, apt):
    with pytest.raises(TrainingError, match="apt-get gave no file for other-data"):
        fetch_package("other-data", tmp_path, apt)


def test_commands_that_fail_say_why(tmp_path):
    with pytest.raises(TrainingError, match=r"ls .* failed: .*nowhere"):
        run_command(["ls", "nowhere-at-all"], tmp_path)
    with pytest.raises(TrainingError, match="no-such-program is needed"):
        run_command(["no-such-program"], tmp_path)
    run_command(["true"], tmp_path)


def test_damaged_archives_are_named(tmp_path, apt):
    apt.packages["stamps"]["usr/share/stamps/more.pk3"] = b"no zip"
    with pytest.raises(TrainingError, match=r"more.pk3 inside the package is damaged"):
        build_corpus(recipe_file(tmp_path), tmp_path / "cache", tmp_path / "out", run=apt)
    apt.packages["stamps"]["usr/share/stamps/more.pk3"] = zipped({})
    apt.packages["stamps"]["usr/share/stamps/queen.1c"] = b"another format"
    with pytest.raises(TrainingError, match=r"queen.1c has no table of contents"):
        build_corpus(recipe_file(tmp_path), tmp_path / "cache", tmp_path / "out", run=apt)


# ---------------------------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize(
    "name",
    [
        "drascula",
        "drascula-music",
        "beneath-a-steel-sky",
        "supertuxkart-data",
        "openarena-data",
        "openarena-081-maps",
        "nexuiz-data",
        "nexuiz-music",
        "singularity-music",
        "freecol",
        "psychopy-demos",
        "stempeg",
    ],
)
def test_reserved_packages_are_refused_by_name(name, tmp_path, apt):
    with pytest.raises(TrainingError, match=f"{name} is reserved for evaluation; take it out"):
        refuse_reserved(name)
    with pytest.raises(TrainingError, match="reserved"):
        fetch_package(name, tmp_path, apt)
    package = {"name": name, "licence": "free", "rules": []}
    with pytest.raises(TrainingError, match="reserved"):
        build_corpus(recipe_file(tmp_path, packages=[package]), tmp_path, tmp_path / "out", run=apt)
    with pytest.raises(TrainingError, match="reserved"):
        build_corpus(recipe_file(tmp_path), tmp_path, tmp_path / "out", packages=[name], run=apt)
    assert apt.calls == []


def test_recipes_that_cannot_be_followed(tmp_path):
    with pytest.raises(TrainingError, match=r"There is no recipe opne; recipes that come along: .*open"):
        load_recipe("opne")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(TrainingError, match="not well formed"):
        load_recipe(tmp_path / "bad.json")
    bad_kind = {"name": "a", "licence": "x", "rules": [{"kind": "noise", "match": ["*"]}]}
    with pytest.raises(TrainingError, match="'noise'; use one of speech, music, effects, drop"):
        load_recipe(recipe_file(tmp_path, packages=[bad_kind]))
    bad_split = {"name": "a", "licence": "x", "rules": [{"kind": "music", "match": ["*"], "split": "dev"}]}
    with pytest.raises(TrainingError, match="split 'dev'"):
        load_recipe(recipe_file(tmp_path, packages=[bad_split]))


def test_the_open_recipe_is_sound():
    recipe = load_recipe("open")
    names = [package.name for package in recipe.packages]
    assert len(set(names)) == len(names)
    splits = {(rule.kind, rule.split) for package in recipe.packages for rule in package.rules}
    for kind in ("speech", "music", "effects"):
        assert {split for k, split in splits if k == kind} == {"train", "validation", "test"}
    for package in recipe.packages:
        assert package.licence
        assert package.credit
        music = [rule for rule in package.rules if rule.kind == "music"]
        # No single long recording may stand for a package that is capped.
        assert all((rule.item_s or 0) <= 720 for rule in music)
        assert all(rule.item_s for rule in music if rule.total_s)


def test_a_package_serves_one_split(tmp_path):
    rules = [{"kind": "speech", "match": ["*a"]}, {"kind": "music", "match": ["*b"], "split": "test"}]
    sounds = {"name": "game", "licence": "x", "rules": rules}
    with pytest.raises(TrainingError, match="puts game in test and train; give all sounds and pictures"):
        load_recipe(recipe_file(tmp_path, packages=[sounds]))
    pictures = {"name": "stamps", "licence": "x", "rules": rules[:1], "pictures": {"split": "validation"}}
    with pytest.raises(TrainingError, match="puts stamps in train and validation"):
        load_recipe(recipe_file(tmp_path, packages=[pictures]))
    dropped = {"name": "game", "licence": "x", "rules": [{"kind": "drop", "match": ["*a"]}, rules[1]]}
    assert load_recipe(recipe_file(tmp_path, packages=[dropped])).packages[0].rules[1].split == "test"


@pytest.mark.parametrize(
    ("package", "path", "kind", "split"),
    [
        ("tuxpaint-stamps-default", "usr/share/stamps/animals/cow_desc_fr.ogg", "speech", "train"),
        ("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps/animals/birds/hen.ogg", "effects", "train"),
        ("tuxpaint-stamps-default", "stamps/animals/mammals/bovines/cow_white.ogg", "effects", "train"),
        ("tuxpaint-stamps-default", "stamps/hobbies/music/string/cello.ogg", None, None),
        ("hedgewars-data", "games/hedgewars/Data/Sounds/voices/British/Amazing.ogg", "speech", "train"),
        ("hedgewars-data", "games/hedgewars/Data/Music/Jungle.ogg", "music", "train"),
        ("hedgewars-data", "games/hedgewars/Data/Sounds/explosion.ogg", "effects", "train"),
        ("hedgewars-data", "games/hedgewars/Data/Sounds/1C.ogg", None, None),
        ("warzone2100-data", "warzone2100/base.wz!audio/tutorial/tut1.ogg", "speech", "train"),
        ("warzone2100-data", "warzone2100/base.wz!audio/sfx/weapons/gun.ogg", "effects", "train"),
        ("0ad-data", "mods/public/public.zip!audio/music/Elysian_Fields.ogg", "music", "train"),
        ("0ad-data", "mods/public/public.zip!audio/actor/human/death/male_death_01.ogg", None, None),
        ("ufoai-sound", "base/0snd.pk3!sound/ambience/fire1.ogg", None, None),
        ("ufoai-music", "base/0music.pk3!music/PsymongN1.ogg", None, None),
        ("fillets-ng-data-nl", "fillets-ng/sound/cave/nl/cav-m-hlava.ogg", "speech", "validation"),
    ],
)
def test_what_the_open_recipe_says_of_a_file(package, path, kind, split):
    recipe = next(entry for entry in load_recipe("open").packages if entry.name == package)
    index = recipe.rule_for(path)
    if kind is None:
        assert index is None
    else:
        assert index is not None
        assert (recipe.rules[index].kind, recipe.rules[index].split) == (kind, split)


def test_reserved_patterns_spare_the_open_recipe():
    assert len(RESERVED) >= 10
    for package in load_recipe("open").packages:
        refuse_reserved(package.name)


def test_caps_take_an_even_choice(tmp_path):
    files = {f"music/{number:02}.wav": encoded(noise(6, number, 8000), 8000) for number in range(10)}
    rules = [{"kind": "music", "match": ["*"], "total_s": 15, "item_s": 5}]
    path = recipe_file(tmp_path, packages=[{"name": "songs", "licence": "free", "rules": rules}])
    songs = build_corpus(path, tmp_path / "c", tmp_path / "o", run=FakeApt({"songs": files}))
    assert [item.samples for item in songs.items()] == [5 * RATE] * 3
    assert sorted(item.label for item in songs.items()) == ["00", "02", "05"]


@given(st.integers(1, 200), st.integers(1, 200))
def test_every_beginning_of_a_spread_is_even(count, taken):
    paths = [f"{number:04}" for number in range(count)]
    spread = _spread(paths)
    assert sorted(spread) == paths
    chosen = sorted(int(path) for path in spread[: min(taken, count)])
    gaps = np.diff([-1, *chosen, count])
    assert gaps.max() <= 3 * count / len(chosen) + 2


# ----------------------------------------------------------------------------------------------- reading a bad corpus


def test_corpora_that_cannot_be_read(built, tmp_path):
    with pytest.raises(TrainingError, match=r"no corpus in .*; build one first"):
        Corpus(tmp_path / "nowhere")
    manifest = json.loads((built.root / "corpus.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(built.root, other)
    (other / "corpus.json").write_text(json.dumps(manifest | {"version": 2}))
    with pytest.raises(TrainingError, match="another version"):
        Corpus(other)
    (other / "corpus.json").write_text("[")
    with pytest.raises(TrainingError, match="cannot be read"):
        Corpus(other)
    (other / "corpus.json").write_text(json.dumps(manifest))
    with (other / "effects-game-data.i16").open("r+b") as file:
        file.truncate(1000)
    cut = Corpus(other)
    with pytest.raises(TrainingError, match="is cut short"):
        cut.audio(cut.items("effects", "validation")[0])
    (other / "effects-game-data.i16").unlink()
    with pytest.raises(TrainingError, match=r"effects-game-data.i16 is missing"):
        Corpus(other)


# ------------------------------------------------------------------------------------------------------------ sounds


def test_silence_is_cut_at_both_ends():
    sound = np.concatenate([np.zeros(RATE), tone(1.0), np.zeros(RATE // 2)]).astype(np.float32)
    kept = trim_silence(sound)
    assert RATE <= kept.size <= RATE + int(0.08 * RATE)
    assert kept[0] == 0.0
    middle = kept[RATE // 4 : RATE // 2]
    assert np.abs(middle).max() == pytest.approx(0.5, abs=1e-3)


def test_quiet_hiss_counts_as_silence_and_pauses_stay():
    hiss = noise(3.0, level=3e-4)
    hiss[RATE : RATE + RATE // 4] += tone(0.25)
    hiss[2 * RATE : 2 * RATE + RATE // 4] += tone(0.25)
    kept = trim_silence(hiss)
    assert 1.25 * RATE <= kept.size <= 1.35 * RATE


def test_cuts_in_noise_are_faded():
    sound = np.concatenate([np.full(RATE, 1e-4), noise(0.5, 3), np.full(RATE, 1e-4)]).astype(np.float32)
    kept = trim_silence(sound)
    assert kept[0] == 0.0
    assert kept[-1] == 0.0


def test_nothing_but_silence_leaves_nothing():
    assert trim_silence(np.zeros(RATE, np.float32)).size == 0
    assert trim_silence(np.zeros(0, np.float32)).size == 0


def test_sound_without_silence_is_untouched():
    sound = noise(1.0)
    assert np.array_equal(trim_silence(sound), sound)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100])
def test_bandwidth_finds_where_a_narrow_source_stops(rate):
    sound = prepare(encoded(noise(2.0, rate=rate), rate), ".wav", 0.25)
    assert 0.45 * rate <= bandwidth(sound) <= 0.54 * rate


def test_bandwidth_of_a_tone_and_of_nothing():
    assert bandwidth(tone(1.0, 1000)) == pytest.approx(1000, abs=300)
    assert bandwidth(np.zeros(RATE, np.float32)) == 0.0
    assert bandwidth(tone(0.02, 5000)) > 4000


@pytest.mark.parametrize(
    ("form", "subtype", "suffix"),
    [
        ("WAV", "PCM_U8", ".wav"),
        ("WAV", "PCM_24", ".wav"),
        ("FLAC", "PCM_16", ".flac"),
        ("OGG", "VORBIS", ".ogg"),
        ("OGG", "OPUS", ".opus"),
        ("MP3", "MPEG_LAYER_III", ".mp3"),
    ],
)
def test_what_packages_hold_is_decoded(form, subtype, suffix):
    both = np.stack([tone(1.0, 440, 0.5, 48_000), tone(1.0, 440, 0.3, 48_000)], axis=1)
    sound = prepare(encoded(both, 48_000, form, subtype), suffix, 0.25)
    assert abs(sound.size - RATE) < 3000
    middle = sound[10_000:30_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(middle.size)))
    assert np.argmax(spectrum) * RATE / middle.size == pytest.approx(440, abs=3)


def test_telephone_prompts_are_decoded():
    sound = prepare(g722(tone(1.0, 440, 0.5, 16_000)), ".g722", 0.25)
    assert abs(sound.size - RATE) < 2000
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.05)


def test_mp3_without_a_telling_name():
    data = encoded(tone(1.0, 440, 0.5, 11_025), 11_025, "MP3", "MPEG_LAYER_III")
    assert prepare(data, ".sb", 0.25).size > 0.9 * RATE


def test_offset_is_removed_and_peaks_are_safe():
    sound = prepare(encoded(np.float32(0.3) + tone(1.0), subtype="FLOAT"), ".wav", 0.25)
    assert abs(float(sound.mean())) < 1e-3
    loud = prepare(encoded(3 * tone(1.0), subtype="FLOAT"), ".wav", 0.25)
    assert float(np.abs(loud).max()) == pytest.approx(0.999, abs=1e-4)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be decoded"),
        (b"OggS" + bytes(100), "cannot be decoded"),
        (encoded(np.zeros(0, np.float32)), "too short"),
        (encoded(tone(0.2)), "too short"),
        (encoded(np.concatenate([np.zeros(RATE, np.float32), tone(0.1)])), "once its silence is cut"),
        (encoded(tone(1.0, level=1e-3)), "all but silent"),
        (encoded(np.full(RATE, np.nan, np.float32), subtype="FLOAT"), "not numbers"),
        (encoded(tone(1.0), 2_000), "impossible sample rate"),
    ],
)
def test_unusable_sounds_say_why(data, why):
    with pytest.raises(UnusableError, match=why):
        prepare(data, ".wav", 0.25)


# -------------------------------------------------------------------------------------------------- the command line


def test_the_command_line_builds_and_counts(tmp_path, apt, monkeypatch, capsys):
    for name in apt.packages:
        apt(["apt-get", "download", name], tmp_path)
    monkeypatch.setattr(corpus_module.build_corpus, "__defaults__", (None, None, apt))
    arguments = [
        "--recipe",
        str(recipe_file(tmp_path)),
        "--cache",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*arguments, "--packages", "game-data"]) == 0
    said = capsys.readouterr()
    assert "music  train 0.00 h  validation 0.00 h  test 0.00 h" in said.out
    assert "0/1 game-data" in said.err
    assert main([*arguments, "--packages", "freecol"]) == 1
    assert "reserved for evaluation" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ containers


def contents(path: Path, data: bytes) -> dict[str, bytes]:
    path.write_bytes(data)
    return dict(entries(path, path.name))


def test_catalogues_are_read_by_their_titles(tmp_path):
    rain, horn = encoded(noise(0.1)), encoded(tone(0.2))
    packed = catalogue({'"Rain/hail". By A. License: CC0.': rain, "horn": horn})
    assert contents(tmp_path / "a.cat", packed) == {"000 Rain hail.wav": rain, "001 horn.wav": horn}


def test_groups_are_read_with_the_groups_inside_them(tmp_path):
    packed = disguised(group({"a.ogg": b"one", "Sub.ocg": {"b.wav": b"two", "Deep.ocg": {"c.wav": b""}}}))
    expected = {"a.ogg": b"one", "Sub.ocg/b.wav": b"two", "Sub.ocg/Deep.ocg/c.wav": b""}
    assert contents(tmp_path / "Sound.ocg", packed) == expected


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.cat", catalogue({"horn": b"not a WAV file"})),
        ("a.cat", catalogue({"horn": encoded(tone(0.1))})[:20]),
        ("a.cat", b"\0"),
        ("a.ocg", disguised(group({"a": b"b"}))[:-12]),
        ("a.ocg", disguised(b"no group" * 40)),
        ("a.ocg", disguised(group({"a": b"b"})[:250])),
        ("queen.1c", table({"A1.SB": b"x"})[:20]),
    ],
    ids=["no sound", "short entry", "short head", "short gzip", "no group", "short group", "short table"],
)
def test_damaged_containers_are_told_in_one_sentence(tmp_path, name, data):
    with pytest.raises(TrainingError, match=f"The container {name} inside the package is damaged"):
        contents(tmp_path / name, data)
