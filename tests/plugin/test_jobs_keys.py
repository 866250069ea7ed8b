"""Cache keys change with everything that went in, and with nothing else."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sightmix.engine.errors import MediaError
from sightmix.engine.passage import Channel, Note, Passage, Shot, Sound
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card
from sightmix.plugin.jobs.keys import Identities, delivery_key, rendition_key, sampled_hash, span_key
from sightmix.plugin.jobs.rebalance import RebalanceStage
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.jobs.stage import Identity

SETTINGS = {"strength": 1.0, "stems": False}


@pytest.fixture
def passage(tmp_path: Path) -> Passage:
    sound, picture = tmp_path / "a.wav", tmp_path / "a.mov"
    sound.write_bytes(os.urandom(300_000))
    picture.write_bytes(b"picture" * 1000)
    shot = Shot(Fraction(0), Fraction(5), picture)
    return Passage(
        "1", "a", Sound(sound, Fraction(1, 3), Fraction(5)), Fraction(1, 2), Fraction(1, 2), (shot,)
    )


def key(passage: Passage, settings: dict[str, Any] = SETTINGS, weights: str = "00") -> str:
    return rendition_key(passage, identity(settings, weights), Identities())


def identity(
    settings: dict[str, Any] = SETTINGS, weights: str = "00", encoder: str = "11", stage: str = "rebalance"
) -> Identity:
    return Identity(stage, "model", weights, {"model": weights, "encoder": encoder}, settings)


def changed(passage: Passage) -> dict[str, Passage]:
    sound, shot = passage.sound, passage.shots[0]
    return {
        "start": replace(passage, sound=replace(sound, start=Fraction(1, 3) + Fraction(1, 48_000))),
        "duration": replace(passage, sound=replace(sound, duration=Fraction(4))),
        "channels": replace(passage, sound=replace(sound, channels=(Channel(0, 1),))),
        "head": replace(passage, head=Fraction(0)),
        "tail": replace(passage, tail=Fraction(1)),
        "shot moved": replace(passage, shots=(replace(shot, media_start=Fraction(1)),)),
        "shot speed": replace(passage, shots=(replace(shot, speed=Fraction(2)),)),
        "shot gone": replace(passage, shots=(replace(shot, path=None),)),
        "note": replace(passage, notes=(Note(Fraction(0), Fraction(1), "door slams"),)),
    }


def test_every_fact_of_a_passage_counts(passage: Passage) -> None:
    keys = {name: key(other) for name, other in changed(passage).items()}
    assert len({key(passage), *keys.values()}) == len(keys) + 1


def test_settings_weights_encoder_and_stage_count(passage: Passage) -> None:
    plain = key(passage)
    others = [
        identity({"strength": 0.5}),
        identity(weights="01"),
        identity(encoder="12"),
        identity(stage="foley"),
    ]
    keys = {rendition_key(passage, other, Identities()) for other in others}
    assert len(keys | {plain}) == 5


def test_a_rebalance_is_known_without_loading_anything() -> None:
    code = "import sys; from sightmix.plugin.jobs.rebalance import stage_for; "
    code += (
        "from sightmix.plugin.jobs.settings import JobSettings; found = stage_for(JobSettings()).identity; "
    )
    code += "print(found.model, len(found.models), 'onnxruntime' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [SHIPPED_MODEL, "2", "False", "False"]


def test_stems_do_not_count_and_the_picture_encoder_does() -> None:
    plain = RebalanceStage(JobSettings()).identity
    assert RebalanceStage(JobSettings(stems=True)).identity == plain
    assert RebalanceStage(JobSettings(as_="both")).identity == plain
    [encoder] = [name for name in plain.models if name != plain.model]
    assert plain.models[encoder] == load_card(encoder).sha256
    blind = RebalanceStage(JobSettings(context="none")).identity
    assert set(blind.models) == {plain.model}
    assert blind != plain


def test_names_and_the_place_on_the_timeline_do_not_count(passage: Passage) -> None:
    assert key(replace(passage, identifier="9", name="b")) == key(passage)
    assert key(replace(passage, record_start=Fraction(7), record_offset=Fraction(3600))) == key(passage)


@pytest.mark.parametrize("name", ["a.wav", "a.mov"])
def test_changed_media_count(passage: Passage, tmp_path: Path, name: str) -> None:
    plain = key(passage)
    path = tmp_path / name
    state = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert key(passage) != plain


def test_a_newer_file_of_the_same_content_counts(passage: Passage) -> None:
    plain = key(passage)
    os.utime(passage.sound.path, (1, 1))
    assert key(passage) != plain


def test_missing_sound_is_an_error_and_missing_picture_a_fact(passage: Passage) -> None:
    plain = key(passage)
    assert passage.shots[0].path is not None
    passage.shots[0].path.unlink()
    assert key(passage) != plain
    passage.sound.path.unlink()
    with pytest.raises(MediaError, match="cannot be read"):
        key(passage)


def test_the_span_is_the_media_alone(passage: Passage) -> None:
    spans = {name: span_key(other) for name, other in changed(passage).items()}
    same = {name for name, span in spans.items() if span == span_key(passage)}
    assert same == {"head", "tail", "shot moved", "shot speed", "shot gone", "note"}


def test_the_sample_sees_head_middle_and_tail_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "long"
    size = 10_000_000
    path.write_bytes(bytes(size))
    plain = sampled_hash(path)
    for place in (0, size // 2, size - 1):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\1")
        assert sampled_hash(path) != plain
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\0")
    assert sampled_hash(path) == plain
    path.write_bytes(bytes(size + 1))
    assert sampled_hash(path) != plain


def test_what_is_done_afterwards_has_a_key_of_its_own() -> None:
    stages = [(0.0, -1.0), (1.0, -1.0), (0.0, -2.0)]
    assert len({delivery_key("k", stage) for stage in stages} | {delivery_key("l", stages[0]), "k"}) == 5
