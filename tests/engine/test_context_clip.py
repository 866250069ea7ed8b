"""CLIP through its real loading code, with a tiny network of fixed weights in place of the big one."""

import re
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sightmix.engine.context.captions import load_text_encoder
from sightmix.engine.context.encoders import load_encoder
from sightmix.engine.errors import ModelError
from sightmix.engine.installation import line_for
from sightmix.engine.weights import Card, add_card, load_card, make_card

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not find_spec("open_clip"), reason="the extra `clip` is not installed")

TINY = {
    "embed_dim": 12,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 10, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def network():
    """A tiny CLIP with the same weights on every run."""
    from sightmix.engine.compat import ensure_torchvision

    ensure_torchvision()
    import open_clip

    torch.manual_seed(3)
    return open_clip.CLIP(**TINY).eval()


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(folder))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return folder


def card_for(path, **config):
    values = {"kind": "clip", "licence": "MIT", "trained_on": "nothing"}
    return make_card(path, name="tiny-clip", config={"architecture": TINY, **config}, **values)


def save_safetensors(network, path):
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, str(path))
    return path


@pytest.fixture
def tiny(network, root):
    add_card(card_for(save_safetensors(network, root / "tiny.safetensors")))
    return load_encoder("tiny-clip", threads=1)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(5).integers(0, 256, (20, 32, 32, 3), np.uint8)


def test_features_have_the_models_width_and_length_one(tiny, frames):
    features = tiny.encode(frames)
    assert (tiny.name, tiny.dim, tiny.size, tiny.warnings) == ("tiny-clip", 12, 32, ())
    assert features.shape == (20, 12)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-6)


def test_each_picture_is_computed_from_its_own_alone(tiny, frames):
    together = tiny.encode(frames)
    alone = np.concatenate([tiny.encode(frames[i : i + 1]) for i in range(len(frames))])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_features_equal_the_networks_own(tiny, frames, network):
    mean = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
    std = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
    planes = ((frames / np.float32(255) - mean) / std).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        expected = network.visual(torch.tensor(planes)).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(tiny.encode(frames), expected, atol=1e-5)


def test_texts_share_the_space(tiny, network):
    texts = ["a door slams in an empty hall", "rain", "", "word " * 100]
    features = tiny.encode_texts(texts)
    assert features.shape == (4, 12)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(tiny.encode_texts(["rain"])[0], features[1], atol=1e-5)
    assert not np.allclose(features[0], features[1], atol=1e-2)
    assert tiny.encode_texts([]).shape == (0, 12)


def test_the_text_side_serves_as_text_encoder(tiny, monkeypatch):
    monkeypatch.setattr("sightmix.engine.context.captions.CLIP_ENCODER", "tiny-clip")
    encoder = load_text_encoder("tiny-clip", threads=1)
    assert (encoder.name, encoder.dim) == ("tiny-clip", 12)
    np.testing.assert_allclose(encoder.encode(["rain"]), tiny.encode_texts(["rain"]), atol=1e-6)


def test_an_archive_as_openai_publishes_them(network, root, frames, tiny):
    """A TorchScript archive in half precision, with three numbers beside the weights."""
    import copy

    half = copy.deepcopy(network).half()
    for name, number in (("input_resolution", 32), ("context_length", 10), ("vocab_size", 49408)):
        half.__dict__.pop(name, None)
        half.register_buffer(name, torch.tensor(number))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        example = (torch.zeros(1, 3, 32, 32).half(), torch.zeros(1, 10, dtype=torch.long))
        torch.jit.save(torch.jit.trace(half, example, check_trace=False), str(root / "tiny.pt"))
    add_card(card_for(root / "tiny.pt"))
    encoder = load_encoder("tiny-clip", threads=1)
    np.testing.assert_allclose(encoder.encode(frames), tiny.encode(frames), atol=5e-3)


def test_the_hubs_cache_is_used_and_never_asked_for_more(network, root, tmp_path, monkeypatch, frames, tiny):
    import huggingface_hub

    path = save_safetensors(network, root / "open_clip_model.safetensors")
    card = card_for(path, hub="somebody/tiny")
    add_card(Card(**{**card.__dict__, "file": "not-here.pt"}))
    asked = []

    def lookup(repository, name):
        asked.append((repository, name))
        return str(path)

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lookup)
    encoder = load_encoder("tiny-clip", threads=1)
    assert asked == [("somebody/tiny", "open_clip_model.safetensors")]
    np.testing.assert_array_equal(encoder.encode(frames), tiny.encode(frames))


def test_open_clips_own_cache_is_searched(network, root, tmp_path, frames, tiny):
    cache = tmp_path / "home" / ".cache" / "clip"
    cache.mkdir(parents=True)
    (root / "tiny.safetensors").rename(cache / "tiny.safetensors")
    np.testing.assert_array_equal(load_encoder("tiny-clip", threads=1).encode(frames), tiny.encode(frames))


def test_absent_weights_name_file_size_and_place(root, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    with pytest.raises(ModelError) as caught:
        load_encoder("clip-vit-l-14")
    for part in (
        "ViT-L-14.pt",
        "932.8 MB",
        "openaipublic",
        "sightmix models fetch clip-vit-l-14",
        "SIGHTMIX_WEIGHTS",
    ):
        assert part in str(caught.value)


def test_weights_of_another_model_are_refused(network, root):
    from safetensors.torch import save_file

    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    state["visual.projection"] = state.pop("visual.proj")
    save_file(state, str(root / "tiny.safetensors"))
    add_card(card_for(root / "tiny.safetensors"))
    with pytest.raises(
        ModelError, match=r"'tiny-clip' do not fit.*missing 'visual.proj' \(is it 'visual.projection'"
    ):
        load_encoder("tiny-clip")


def test_an_unreadable_archive_is_one_sentence(root):
    (root / "tiny.pt").write_bytes(b"no archive")
    add_card(card_for(root / "tiny.pt"))
    with pytest.raises(ModelError, match=r"tiny.pt cannot be read"):
        load_encoder("tiny-clip")


def test_an_architecture_open_clip_lacks(root, network):
    path = save_safetensors(network, root / "tiny.safetensors")
    add_card(card_for(path, architecture="ViT-Z-99"))
    with pytest.raises(ModelError, match="does not know 'ViT-Z-99'"):
        load_encoder("tiny-clip")


def test_the_big_models_architecture_is_known_with_quick_gelu(root):
    from open_clip import get_model_config

    card = load_card("clip-vit-l-14")
    architecture = get_model_config(card.config["architecture"])
    assert architecture["quick_gelu"] is True
    assert architecture["embed_dim"] == card.config["dim"] == 768
    assert architecture["vision_cfg"]["image_size"] == card.config["size"] == 224


def test_cuda_without_a_device_runs_on_the_cpu_and_says_so(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    encoder = load_encoder("tiny-clip", device="cuda")
    assert encoder.device == "cpu"
    assert encoder.warnings == ("The encoder 'tiny-clip' runs on the CPU: torch finds no CUDA device.",)


def test_a_full_gpu_gives_advice(tiny, frames, monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("out of memory")

    monkeypatch.setattr(tiny._model, "encode_image", full)
    with pytest.raises(ModelError, match="choose the CPU"):
        tiny.encode(frames)


def test_threads_are_given_back(tiny, frames):
    before = torch.get_num_threads()
    tiny.encode(frames[:1])
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("package", ["torch", "open_clip"])
def test_without_the_extra_it_is_named(tiny, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError, match=re.escape(line_for("clip"))):
        load_encoder("tiny-clip")
