"""Both backends run the same weights to the same numbers; what is missing or wrong is one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sightmix.engine.errors import ModelError, TrainingError
from sightmix.engine.highlight import backends
from sightmix.engine.highlight.backends import OnnxNetwork, TorchNetwork, load_model, open_network
from sightmix.engine.highlight.config import HOP, WINDOW_FRAMES, NetworkConfig
from sightmix.engine.highlight.network import build
from sightmix.engine.highlight.spectral import magnitudes
from sightmix.engine.highlight.told import Told
from sightmix.engine.training.loop.config import TrainConfig
from sightmix.engine.training.loop.export import corpus_credits, export
from sightmix.engine.weights.store import load_card, read_card, write_card
from small_networks import SMALL as SMALL_NETWORK

SMALL = replace(SMALL_NETWORK, context_dim=1280, gain_head="levels", gain_layers=2)


def checkpoint(path: Path, network: NetworkConfig = SMALL, seed: int = 0) -> Path:
    """A checkpoint as the training loop writes it, with every weight shaken away from zero."""
    torch.manual_seed(seed)
    model = build(network)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    config = TrainConfig(name="tiny", network=network.to_dict())
    torch.save({"average": model.state_dict(), "step": 7, "config": json.dumps(asdict(config))}, path)
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    export(
        checkpoint(folder / "checkpoint.pt"),
        folder,
        name="tiny",
        licence="CC0-1.0",
        trained_on=["noise: 0 h"],
    )
    visah = replace(SMALL, kind="visah", context_dim=0)
    export(
        checkpoint(folder / "visah.pt", visah),
        folder,
        name="tiny-visah",
        licence="CC0-1.0",
        trained_on=["noise: 0 h"],
    )
    return folder


def test_gains_can_be_raised_on_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path))
    trained = checkpoint(tmp_path / "checkpoint.pt")
    options = {"licence": "CC0-1.0", "trained_on": ["noise: 0 h"]}
    plain = load_model(export(trained, tmp_path, name="plain", **options))
    raised = load_model(export(trained, tmp_path, name="raised", raise_db=1.5, **options))
    mix = torch.rand(1, 2048, 12), torch.rand(1, 12 * 1024), torch.zeros(1, 1, 1280), torch.zeros(1, 1)
    with torch.no_grad():
        (masks, before), (same, after) = plain(*mix), raised(*mix)
    assert torch.equal(masks, same)
    assert float((after - before).min()) > 0.1
    assert float((after - before).max()) < 1.6
    visah = checkpoint(tmp_path / "visah.pt", replace(SMALL, kind="visah", context_dim=0))
    with pytest.raises(TrainingError, match="sets no gains"):
        export(visah, tmp_path, name="visah", raise_db=1.5, **options)


@pytest.fixture
def store(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(root))
    return root


def window(batch: int = 2, vectors: int = 10):
    rng = np.random.default_rng(1)
    wave = (0.1 * rng.standard_normal((batch, WINDOW_FRAMES * HOP))).astype(np.float32)
    return (
        np.stack([magnitudes(w) for w in wave]),
        wave,
        rng.standard_normal((batch, vectors, 1280)).astype(np.float32),
        np.tile(np.arange(vectors, dtype=np.float32), (batch, 1)),
        np.tile(np.arange(vectors) < 6, (batch, 1)),
    )


def test_backends_agree_and_batches_equal_items(store: Path) -> None:
    card = load_card("tiny")
    onnx, torched = OnnxNetwork.open(card, threads=1), TorchNetwork.open(card)
    assert onnx.config == torched.config == SMALL
    batch = window()
    for mine, theirs in zip(onnx.run(*batch), torched.run(*batch), strict=True):
        assert np.abs(mine - theirs).max() < 1e-4
    alone = [torched.run(*(v[i : i + 1] for v in batch)) for i in range(2)]
    for k, whole in enumerate(torched.run(*batch)):
        assert np.abs(whole - np.concatenate([a[k] for a in alone])).max() < 1e-4
    masks, _ = onnx.run(*batch)
    assert np.abs(masks.sum(1) - 1).max() < 1e-6


def test_a_trunk_without_a_waveform_runs_everywhere_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    banded = replace(SMALL, trunk="bands", band_width=16, band_layers=2)
    export(
        checkpoint(tmp_path / "b.pt", banded),
        tmp_path,
        name="b",
        licence="CC0-1.0",
        trained_on=["noise: 0 h"],
    )
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path))
    card, batch = load_card("b"), window()
    for mine, theirs in zip(
        OnnxNetwork.open(card, threads=1).run(*batch), TorchNetwork.open(card).run(*batch), strict=True
    ):
        assert np.abs(mine - theirs).max() < 1e-4


def told_of(batch) -> Told:
    """Other stems in the first window than in the second, one of which is known, one partly, one not."""
    parts = np.array([[0.7, 0.02, 0.2], [0.01, 0.5, 0.4]], np.float32)[:, :, None, None] * batch[0][:, None]
    return Told.of(parts, np.array([[0.0, 0.4, 1.0], [0.0, 0.0, 0.0]]))


def test_backends_agree_on_what_they_are_told(store: Path) -> None:
    card, batch = load_card("tiny"), window()
    onnx, told = OnnxNetwork.open(card, threads=1), told_of(batch)
    masks, gains = onnx.run(*batch, told=told)
    for mine, theirs in zip((masks, gains), TorchNetwork.open(card).run(*batch, told=told), strict=True):
        assert np.abs(mine - theirs).max() < 1e-4
    alone = onnx.run(*batch)
    assert np.array_equal(alone[0], masks)
    assert np.abs(alone[1] - gains).max(axis=(1, 2)).min() > 0.01


def test_a_graph_from_before_runs_but_cannot_be_told(store: Path) -> None:
    network, batch = OnnxNetwork.open(load_card("tiny"), threads=1), window(1)
    before = SimpleNamespace(
        get_inputs=lambda: [
            value for value in network._session.get_inputs() if value.name in backends.INPUTS
        ],
        run=lambda names, values: network._session.run(
            names, {**values, **dict(zip(backends.TOLD, Told.nothing(1, WINDOW_FRAMES).arrays, strict=True))}
        ),
    )
    old = OnnxNetwork(before, network.config, "cpu")
    for mine, theirs in zip(old.run(*batch), network.run(*batch), strict=True):
        assert np.array_equal(mine, theirs)
    with pytest.raises(ModelError, match="cannot be told how loud"):
        old.run(*batch, told=Told.nothing(1, WINDOW_FRAMES))
    plain = OnnxNetwork(before, replace(network.config, gain_head="plain"), "cpu")
    told = Told.of(batch[0][:, None].repeat(3, 1), np.zeros((1, 3)))
    assert np.array_equal(plain.run(*batch, told=told)[1], old.run(*batch)[1]), (
        "what it has no use for it is not told"
    )


@pytest.mark.parametrize("vectors", [1, 10, 25])
def test_any_number_of_context_vectors(store: Path, vectors: int) -> None:
    card = load_card("tiny")
    batch = window(1, vectors)
    mine, theirs = OnnxNetwork.open(card, threads=1).run(*batch), TorchNetwork.open(card).run(*batch)
    assert np.abs(mine[1] - theirs[1]).max() < 1e-4


def test_weights_are_half_precision_and_the_graph_holds_none(store: Path) -> None:
    card = load_card("tiny")
    values = sum(p.numel() for p in build(SMALL).parameters())
    assert 2 * values < card.size < 2.2 * values + 60_000
    assert card.config["steps"] == 7
    assert card.trained_on == ("noise: 0 h",)


def test_onnx_runs_where_torch_is_not_installed(store: Path) -> None:
    code = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ModuleNotFoundError('No module named torch')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "import numpy as np\n"
        "from sightmix.engine.highlight.rebalance import Rebalancer\n"
        "from sightmix.engine.highlight.config import HOP, WINDOW_FRAMES as T\n"
        "r = Rebalancer('tiny', threads=1)\n"
        "m, g = r.network.run(np.ones((1,2048,T),np.float32), np.ones((1,T*HOP),np.float32),\n"
        "  np.ones((1,10,1280),np.float32), np.zeros((1,10),np.float32), np.ones((1,10),bool))\n"
        "assert abs(m.sum(1) - 1).max() < 1e-5 and g.shape == (1, 3, T)\n"
        "assert 'torch' not in sys.modules\n"
        "print('fine')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fine", done.stderr


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.parametrize(
    "trunk", [{}, {"trunk": "bands", "band_width": 16, "band_layers": 2}], ids=["hybrid", "bands"]
)
def test_gains_alone_are_those_beside_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, trunk: dict[str, Any]
) -> None:
    card = export(
        checkpoint(tmp_path / "b.pt", replace(SMALL, **trunk)),
        tmp_path,
        name="b",
        licence="CC0-1.0",
        trained_on=["x"],
    )
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(tmp_path))
    batch = window()
    told = told_of(batch)
    network = open_network(card, "cpu", backend, 1)
    expected = network.run(*batch, told)[1]
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(network.gains(*batch, told), expected, atol=1e-5)
    before = {name: value for name, value in card.config.items() if name != "told_graph"}
    old = open_network(replace(card, config=before), "cpu", backend, 1)
    np.testing.assert_allclose(old.gains(*batch, told), expected, atol=1e-5)


def test_a_graph_of_gains_alone_that_is_gone_is_missed(store: Path) -> None:
    card = load_card("tiny")
    network = open_network(replace(card, config={**card.config, "told_graph": "gone.onnx"}), "cpu", "onnx")
    empty = np.zeros((1, 1, 1280), np.float32), np.zeros((1, 1), np.float32), np.zeros((1, 1), bool)
    quiet = np.zeros((1, 2048, WINDOW_FRAMES), np.float32), np.zeros((1, WINDOW_FRAMES * HOP), np.float32)
    with pytest.raises(ModelError, match=r"lacks its graph .*gone\.onnx"):
        network.gains(*quiet, *empty, Told.nothing(1, WINDOW_FRAMES))


def test_what_is_wrong_is_one_sentence(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = load_card("tiny")
    with pytest.raises(ModelError, match="no backend called 'tpu'"):
        open_network(card, backend="tpu")
    with pytest.raises(ModelError, match="cannot rebalance"):
        open_network(load_card("tiny-visah"))
    with pytest.raises(ModelError, match="cannot rebalance"):
        open_network(load_card("efficientnet-lite0"))
    monkeypatch.setattr(backends, "_torch_has_cuda", lambda: False)
    monkeypatch.setattr(backends, "_onnx_has_cuda", lambda: False)
    with pytest.raises(ModelError, match="choose --device cpu"):
        open_network(card, "cuda")
    with pytest.raises(ModelError, match="lacks its graph"):
        OnnxNetwork.open(replace(card, config={**card.config, "graph": "gone.onnx"}))


@pytest.mark.parametrize(
    ("version", "finds", "wanted"),
    [
        ("cuda: Optional[str] = '12.8'", True, True),
        ("cuda: Optional[str] = '12.8'", False, False),
        ("cuda: Optional[str] = None", True, False),
        ("cuda = None", True, False),
    ],
)
def test_a_cuda_device_is_found_by_a_torch_built_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, finds: bool, wanted: bool
) -> None:
    (tmp_path / "version.py").write_text(f"__version__ = '2'\n{version}\n")
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: finds)
    assert backends._torch_has_cuda() is wanted
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    assert backends._torch_has_cuda() is False
    spec.origin = None
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: spec)
    assert backends._torch_has_cuda() is False
    spec.origin = str(tmp_path / "gone" / "__init__.py")
    assert backends._torch_has_cuda() is False


def test_onnx_says_whether_it_has_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    for providers, wanted in ((["CUDAExecutionProvider", "CPUExecutionProvider"], True), (["CPU"], False)):
        runtime = SimpleNamespace(get_available_providers=lambda p=providers: p)
        monkeypatch.setattr(backends, "onnx_runtime", lambda r=runtime: r)
        assert backends._onnx_has_cuda() is wanted

    def missing() -> None:
        raise ImportError

    monkeypatch.setattr(backends, "onnx_runtime", missing)
    assert backends._onnx_has_cuda() is False
    with pytest.raises(ModelError, match="needs ONNX Runtime or torch"):
        OnnxNetwork.open(load_card("efficientnet-lite0"))


@pytest.mark.parametrize(
    ("device", "backend", "torch_cuda", "onnx_cuda", "wanted"),
    [
        ("auto", "auto", True, False, ("torch", "cuda")),
        ("auto", "auto", False, False, ("onnx", "auto")),
        ("cpu", "auto", True, True, ("onnx", "cpu")),
        ("cpu", "torch", False, False, ("torch", "cpu")),
        ("auto", "torch", False, False, ("torch", "cuda")),
        ("cuda:1", "auto", True, False, ("torch", "cuda:1")),
        ("cuda:1", "auto", False, True, ("onnx", "cuda:1")),
        ("cuda", "onnx", True, False, ("onnx", "cuda")),
        ("cpu", "onnx", True, False, ("onnx", "cpu")),
    ],
)
def test_which_backend_is_taken(
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    backend: str,
    torch_cuda: bool,
    onnx_cuda: bool,
    wanted: tuple[str, str],
) -> None:
    monkeypatch.setattr(backends, "_torch_has_cuda", lambda: torch_cuda)
    monkeypatch.setattr(backends, "_onnx_has_cuda", lambda: onnx_cuda)
    monkeypatch.setattr(TorchNetwork, "open", lambda card, device: ("torch", device))
    monkeypatch.setattr(OnnxNetwork, "open", lambda card, device, threads: ("onnx", device))
    assert open_network(load_card("tiny"), device, backend) == wanted


def test_strict_loading(store: Path) -> None:
    card = load_card("tiny")
    wider = {**card.config, "network": {**card.config["network"], "decoder_layers": 2}}
    with pytest.raises(ModelError, match="missing"):
        load_model(replace(card, config=wider))
    assert load_model(card).config == SMALL


def test_a_broken_card_or_checkpoint(root: Path, tmp_path: Path) -> None:
    (tmp_path / "junk.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        export(tmp_path / "junk.pt", tmp_path, name="x", licence="x", trained_on=["x"])
    state = torch.load(checkpoint(tmp_path / "big.pt"), weights_only=True)
    next(iter(state["average"].values())).fill_(1e9)
    torch.save(state, tmp_path / "big.pt")
    with pytest.raises(TrainingError, match="half precision"):
        export(tmp_path / "big.pt", tmp_path, name="x", licence="x", trained_on=["x"])
    card = read_card(root / "cards" / "tiny.json")
    with pytest.raises(ModelError, match="unknown entries"):
        load_model(replace(card, config={**card.config, "network": {"chanels": 4}}))
    assert write_card(card, tmp_path).exists()


def test_credits_name_package_hours_and_licence(tmp_path: Path) -> None:
    items = [
        {"package": "a", "kind": "speech", "split": "train", "samples": 44100 * 3600, "licence": "GPL-2"},
        {"package": "a", "kind": "effects", "split": "train", "samples": 44100 * 1800, "licence": "GPL-2"},
        {"package": "b", "kind": "music", "split": "validation", "samples": 44100, "licence": "CC0"},
    ]
    (tmp_path / "corpus.json").write_text(json.dumps({"sample_rate": 44100, "items": items}))
    assert corpus_credits(tmp_path) == ["a: 0.50 h effects, 1.00 h speech; GPL-2"]
