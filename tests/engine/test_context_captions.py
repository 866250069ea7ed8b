"""Captions from the timeline's notes, and T5 through its real loading code with a tiny network."""

import json
import re
import sys
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.engine.context.captions import T5Encoder, caption_track, load_text_encoder
from sightmix.engine.errors import ModelError, SettingsError
from sightmix.engine.installation import line_for
from sightmix.engine.passage import Note

F = Fraction


def note(start, duration, text):
    return Note(F(start), F(duration), text)


def test_each_second_is_captioned_with_what_overlaps_it():
    notes = [
        note(2, 2, "Rain on the roof."),
        note(F(5, 2), 0, "A door slams."),
        note(-5, 6, "Wide: harbour."),
    ]
    assert caption_track(notes, F(0), F(5)) == (
        (F(1, 2), "Wide: harbour."),
        (F(5, 2), "Rain on the roof. A door slams."),
        (F(7, 2), "Rain on the roof."),
    )


def test_a_text_is_said_once_and_blanks_are_nothing():
    notes = [note(0, 9, "rain"), note(0, 9, " rain "), note(0, 9, "  "), note(0, 9, "")]
    assert caption_track(notes, F(0), F(1)) == ((F(1, 2), "rain"),)


def test_the_last_step_may_be_short():
    assert caption_track([note(0, 9, "x")], F(1, 3), F(3, 2)) == ((F(5, 6), "x"), (F(19, 12), "x"))


def test_no_notes_no_captions():
    assert caption_track([], F(0), F(10)) == ()
    assert caption_track([note(0, 1, "x")], F(0), F(0)) == ()
    assert caption_track([note(20, 1, "x")], F(0), F(10)) == ()


def test_impossible_rate_is_refused():
    with pytest.raises(SettingsError, match="must be positive"):
        caption_track([], F(0), F(1), F(0))


@given(
    st.lists(st.tuples(st.integers(-300, 900), st.integers(0, 400), st.sampled_from("abcd")), max_size=6),
    st.integers(-200, 500),
    st.integers(1, 800),
    st.sampled_from([F(1, 2), F(1), F(3)]),
)
def test_every_note_in_the_window_is_told_where_it_is(spans, start, duration, per_second):
    notes = [note(F(a, 100), F(d, 100), text) for a, d, text in spans]
    start, duration = F(start, 100), F(duration, 100)
    track = caption_track(notes, start, duration, per_second)
    moments = [time for time, _ in track]
    assert moments == sorted(set(moments))
    assert all(start < time < start + duration for time in moments)
    told = {letter for _, text in track for letter in text.split()}
    inside = {
        n.text
        for n in notes
        if n.start < start + duration and (n.start + n.duration > start or start <= n.start)
    }
    assert told == inside


# --- T5

needs_transformers = pytest.mark.skipif(
    not (find_spec("torch") and find_spec("transformers")), reason="the extra `captions` is not installed"
)
WORDS = ["<pad>", "</s>", "<unk>", "a", "door", "slams", "rain", "falls", "slowly"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A T5 encoder of 16 numbers with its tokenizer, saved as transformers saves the big one."""
    import torch
    from sightmix.engine.context.tokens import transformers_for
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    transformers = transformers_for("The text encoder", "captions")
    path = tmp_path_factory.mktemp("models") / "tiny-t5"
    torch.manual_seed(11)
    config = transformers.T5Config(
        vocab_size=len(WORDS),
        d_model=16,
        d_kv=4,
        d_ff=24,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
    )
    transformers.T5EncoderModel(config).save_pretrained(path)
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def roots(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(folder.parent))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)


TEXTS = ["rain falls", "a door slams", "rain falls slowly a door slams", "rain", ""]


@needs_transformers
def test_a_text_is_the_mean_over_its_tokens(folder):
    import torch

    encoder = load_text_encoder(str(folder), threads=1)
    assert isinstance(encoder, T5Encoder)
    assert (encoder.dim, encoder.warnings) == (16, ())
    features = encoder.encode(TEXTS)
    assert features.shape == (5, 16)
    assert features.dtype == np.float32
    with torch.inference_mode():
        states = encoder._model(input_ids=torch.tensor([[6, 7, 1]])).last_hidden_state[0]
    np.testing.assert_allclose(features[0], states.mean(0).numpy(), atol=1e-5)


@needs_transformers
def test_padding_changes_nothing(folder):
    encoder = load_text_encoder(str(folder))
    together = encoder.encode(TEXTS * 3)
    for i, text in enumerate(TEXTS):
        np.testing.assert_allclose(encoder.encode([text])[0], together[i], atol=1e-5)
        np.testing.assert_allclose(together[i + 10], together[i], atol=1e-5)
    assert encoder.encode([]).shape == (0, 16)


@needs_transformers
def test_a_folder_is_found_by_name_among_the_roots(folder, roots):
    encoder = load_text_encoder("tiny-t5")
    assert encoder.name == "tiny-t5"
    assert encoder.encode(["rain"]).shape == (1, 16)


@needs_transformers
def test_the_hubs_cache_is_used_and_never_asked_for_more(folder, monkeypatch, tmp_path):
    import huggingface_hub

    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    asked = []

    def lookup(repository, name):
        asked.append((repository, name))
        return str(folder / "config.json")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lookup)
    assert load_text_encoder().dim == 16
    assert asked == [("google/t5-v1_1-xxl", "config.json")]


def test_absent_model_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path / "mine"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr("sightmix.engine.context.captions._in_hub_cache", lambda model: None)
    with pytest.raises(ModelError) as caught:
        load_text_encoder("t5-v1_1-xxl")
    for part in ("4.8 billion parameters", "google/t5-v1_1-xxl", str(tmp_path / "mine"), "SIGHTMIX_WEIGHTS"):
        assert part in str(caught.value)
    with pytest.raises(ModelError, match=r"no text encoder called 't5-v1-xxl'.*did you mean 't5-v1_1-xxl'"):
        load_text_encoder("t5-v1-xxl")


@needs_transformers
def test_a_folder_without_weights_is_one_sentence(folder, tmp_path):
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        load_text_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)


@needs_transformers
def test_weights_that_do_not_fit_are_refused(folder, tmp_path):
    from safetensors.numpy import load_file, save_file

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["encoder.final_layer_norm.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"do not fit a T5 encoder: 'encoder.final_layer_norm.weight'"):
        load_text_encoder(str(tmp_path))


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({}))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=re.escape(line_for("captions"))):
        load_text_encoder(str(tmp_path))
