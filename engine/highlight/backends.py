"""Running a highlighting network: one small interface, by ONNX Runtime (no torch needed) or by torch."""

from __future__ import annotations

import copy
import importlib.util
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..files import replacing_path
from ..installation import line_for
from ..onnx_runtime import onnx_runtime
from ..weights.store import Card, load_tensors, weights_path
from .config import HOP, NetworkConfig
from .told import INPUTS as TOLD
from .told import Told

if TYPE_CHECKING:
    from .network import ProductModel, VisAH

Array = NDArray[np.float32]
INPUTS = ("spectrogram", "waveform", "context", "times", "valid")
BACKENDS = ("auto", "onnx", "torch")


class Network(Protocol):
    """A product network: what it sees of a batch of windows in, masks and gains out; the STFT stays outside."""

    @property
    def config(self) -> NetworkConfig:
        """Its sizes."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu" or "cuda…"."""

    def run(
        self,
        spectrogram: Array,
        waveform: Array,
        context: Array,
        times: Array,
        valid: NDArray[np.bool_],
        told: Told | None = None,
    ) -> tuple[Array, Array]:
        """Masks (B, 3, 2048, T) that sum to one and gains (B, 3, T) in dB.

        Takes magnitudes (B, 2048, T), sound (B, 1024·T) at 44.1 kHz, context (B, N, C) at `times` (B, N) seconds
        from the window's start, which of it is `valid` (B, N), and the levels of stems that are known; gains follow
        these, masks never.
        """


def open_network(
    card: Card, device: str = "auto", backend: str = "auto", threads: int | None = None
) -> Network:
    """The network a card describes, its weights verified and strictly loaded.

    `device` is "auto", "cpu", "cuda" or "cuda:n". "auto" takes torch on a CUDA device where there is one, else ONNX
    Runtime. Raises `ModelError` if neither runtime is installed or the card is of another kind.
    """
    if backend not in BACKENDS:
        raise ModelError(f"There is no backend called '{backend}'; use one of {', '.join(BACKENDS)}.")
    if card.kind != "highlight" or card.config.get("network", {}).get("kind") != "product":
        raise ModelError(
            f"The model '{card.name}' cannot rebalance: it is of the kind '{card.kind}', not a stem-and-gain model."
        )
    wants_cuda = device.startswith("cuda")
    if backend == "torch" or (backend == "auto" and device != "cpu" and _torch_has_cuda()):
        return TorchNetwork.open(card, "cuda" if device == "auto" else device)
    if wants_cuda and backend == "auto" and not _onnx_has_cuda():
        raise ModelError(
            f"No CUDA device can be used for '{device}': neither torch nor ONNX Runtime finds one; choose --device cpu."
        )
    return OnnxNetwork.open(card, device, threads)


class OnnxNetwork:
    """A network as an ONNX graph that gets its weights from the card's safetensors file."""

    def __init__(self, session: Any, config: NetworkConfig, device: str) -> None:
        self._session, self.config, self.device = session, config, device
        self._asks = {value.name for value in session.get_inputs()}  # a trunk may do without the waveform

    @classmethod
    def open(cls, card: Card, device: str = "cpu", threads: int | None = None) -> OnnxNetwork:
        """Load the graph beside the weights. Raises `ModelError` if anything is missing or does not fit."""
        try:
            runtime = onnx_runtime()
        except ImportError as error:
            raise ModelError(
                f"Running a model needs ONNX Runtime or torch; install it with `{line_for('cpu')}`, or for an NVIDIA "
                f"graphics card `{line_for('gpu')}`."
            ) from error
        path = weights_path(card)
        graph = path.with_name(str(card.config["graph"]))
        if not graph.exists():
            raise ModelError(f"The model '{card.name}' lacks its graph {graph}; install sightmix again.")
        tensors = load_tensors(path)
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        names = list(tensors)
        options.add_external_initializers(
            names, [runtime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(tensors[n])) for n in names]
        )
        cuda = device.startswith("cuda")
        index = int(device.partition(":")[2] or 0)
        providers: list[Any] = ["CPUExecutionProvider"]
        if cuda:
            providers.insert(0, ("CUDAExecutionProvider", {"device_id": index}))
        try:
            session = runtime.InferenceSession(str(graph), options, providers=providers)
        except Exception as error:
            raise ModelError(
                f"ONNX Runtime cannot run the model '{card.name}': {_first_line(error)}."
            ) from error
        return cls(session, NetworkConfig.from_dict(card.config["network"]), device if cuda else "cpu")

    def run(
        self,
        spectrogram: Array,
        waveform: Array,
        context: Array,
        times: Array,
        valid: NDArray[np.bool_],
        told: Told | None = None,
    ) -> tuple[Array, Array]:
        """See `Network.run`; windows of a batch are run one after the other, which on a CPU costs nothing.

        Raises `ModelError` where levels are told to a graph that was written before it could be told any.
        """
        if told is None:
            told = Told.nothing(len(spectrogram), spectrogram.shape[-1])
        elif self.config.gain_head == "levels" and not self._asks.issuperset(TOLD):
            raise ModelError(
                "The model's graph cannot be told how loud stems are: write it anew with this version's export."
            )
        values = (spectrogram, waveform, context, times, valid, *told.arrays)
        asked = {k: v for k, v in zip((*INPUTS, *TOLD), values, strict=True) if k in self._asks}
        parts = []
        for b in range(spectrogram.shape[0]):
            try:
                parts.append(self._session.run(None, {k: v[b : b + 1] for k, v in asked.items()}))
            except Exception as error:
                raise ModelError(f"ONNX Runtime failed on a window: {_first_line(error)}.") from error
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


class TorchNetwork:
    """The same network in torch, for CUDA and for training."""

    def __init__(self, model: ProductModel, device: str) -> None:
        self.model, self.config, self.device = model.eval().to(device), model.config, device

    @classmethod
    def open(cls, card: Card, device: str = "cpu") -> TorchNetwork:
        """Load the card's weights strictly. Raises `ModelError` if torch is missing or they do not fit."""
        from .network import ProductModel

        model = load_model(card)
        if not isinstance(model, ProductModel):
            raise ModelError(f"The model '{card.name}' is no stem-and-gain model.")
        try:
            return cls(model, device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"torch cannot use the device '{device}': {_first_line(error)}.") from error

    def run(
        self,
        spectrogram: Array,
        waveform: Array,
        context: Array,
        times: Array,
        valid: NDArray[np.bool_],
        told: Told | None = None,
    ) -> tuple[Array, Array]:
        """See `Network.run`."""
        import torch

        def sent(*values: NDArray[Any]) -> tuple[torch.Tensor, ...]:
            return tuple(torch.from_numpy(np.ascontiguousarray(v)).to(self.device) for v in values)

        try:
            with torch.inference_mode():
                masks, gains = self.model(
                    *sent(spectrogram, waveform, context, times, valid), sent(*told.arrays) if told else None
                )
        except torch.cuda.OutOfMemoryError as error:
            raise ModelError(
                f"The GPU {self.device} has no memory left; close other programs or choose --device cpu."
            ) from error
        return masks.cpu().numpy(), gains.cpu().numpy()


def load_model(card: Card) -> VisAH | ProductModel:
    """The card's network in torch with its weights, strictly matched. Raises `ModelError`."""
    try:
        import torch
    except ImportError as error:
        raise ModelError(f"This needs torch; install it with `{line_for('torch')}`.") from error
    from ..weights.store import strict_match
    from .network import build

    model = build(NetworkConfig.from_dict(card.config["network"]))
    tensors = load_tensors(weights_path(card))
    state = model.state_dict()
    strict_match({name: tuple(t.shape) for name, t in state.items()}, tensors)
    model.load_state_dict({name: torch.from_numpy(np.array(t)) for name, t in tensors.items()})
    return model.eval()


def write_graph(model: ProductModel, path: Path, frames: int) -> None:
    """Write the network as an ONNX graph for windows of `frames` frames, without its weights.

    Weights are declared external under their torch names, to be handed to ONNX Runtime from the safetensors file.
    """
    import onnx
    import torch

    config = model.config
    # Equal weights would be merged into one, and the names of the others lost; their values are not kept anyway.
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    n = 4
    example = (
        torch.rand(1, 2048, frames),
        torch.randn(1, frames * HOP) * 0.1,
        torch.randn(1, n, config.context_dim),
        torch.arange(float(n))[None],
        torch.ones(1, n, dtype=torch.bool),
        tuple(torch.from_numpy(v) for v in Told.nothing(1, frames).arrays),
    )
    with replacing_path(path) as partial:
        with warnings.catch_warnings():
            # The tracing exporter keeps torch's names for the weights, which the newer one does not.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                example,
                str(partial),
                input_names=[*INPUTS, *TOLD],
                output_names=["masks", "gains"],
                dynamic_axes={name: {1: "n"} for name in ("context", "times", "valid")},
                opset_version=17,
                dynamo=False,
                do_constant_folding=False,
            )
        graph = onnx.load(str(partial))
        for tensor in graph.graph.initializer:
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            entry = tensor.external_data.add()
            entry.key, entry.value = "location", "weights"
        partial.write_bytes(graph.SerializeToString())


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")


def _torch_has_cuda() -> bool:
    """Whether torch is here, built for CUDA, and finds a device; a build for the CPU is not even imported."""
    try:
        spec = importlib.util.find_spec("torch")
        if spec is None or spec.origin is None:
            return False
        about = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
        if re.search(r"^cuda\b.*=\s*None\s*$", about, re.MULTILINE):
            return False
        import torch
    except (ImportError, OSError):
        return False
    return torch.cuda.is_available()


def _onnx_has_cuda() -> bool:
    try:
        runtime = onnx_runtime()
    except ImportError:
        return False
    return "CUDAExecutionProvider" in runtime.get_available_providers()
