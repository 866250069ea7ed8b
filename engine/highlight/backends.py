"""Running a highlighting network: one small interface, by ONNX Runtime (no torch needed) or by torch."""

from __future__ import annotations

import copy
import importlib.util
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    import torch

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

    def gains(
        self,
        spectrogram: Array,
        waveform: Array,
        context: Array,
        times: Array,
        valid: NDArray[np.bool_],
        told: Told,
    ) -> Array:
        """The gains of `run` alone, of stems whose levels are all `told` (none `heard`): less than half the work."""


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

    def __init__(
        self, session: Any, config: NetworkConfig, device: str, told_session: Callable[[], Any] | None = None
    ) -> None:
        self._session, self.config, self.device = session, config, device
        self._asks = {value.name for value in session.get_inputs()}  # a trunk may do without the waveform
        self._open_told = told_session
        self._told: Any = None

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
        values = {
            name: runtime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(tensor))
            for name, tensor in load_tensors(path).items()
        }
        cuda = device.startswith("cuda")
        index = int(device.partition(":")[2] or 0)
        providers: list[Any] = ["CPUExecutionProvider"]
        if cuda:
            providers.insert(0, ("CUDAExecutionProvider", {"device_id": index}))

        def session(name: str) -> Any:
            graph = path.with_name(name)
            if not graph.exists():
                raise ModelError(f"The model '{card.name}' lacks its graph {graph}; install sightmix again.")
            options = runtime.SessionOptions()
            options.log_severity_level = 3
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            if threads is not None:
                options.intra_op_num_threads = threads
            content = graph.read_bytes()
            names = [name for name in values if _declares(content, name)]  # it takes no others
            options.add_external_initializers(names, [values[name] for name in names])
            try:
                return runtime.InferenceSession(str(graph), options, providers=providers)
            except Exception as error:
                raise ModelError(
                    f"ONNX Runtime cannot run the model '{card.name}': {_first_line(error)}."
                ) from error

        told = card.config.get("told_graph")
        return cls(
            session(str(card.config["graph"])),
            NetworkConfig.from_dict(card.config["network"]),
            device if cuda else "cpu",
            (lambda: session(str(told))) if told else None,
        )

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
        masks, gains = _ran(self._session, dict(zip((*INPUTS, *TOLD), values, strict=True)))
        return masks, gains

    def gains(
        self,
        spectrogram: Array,
        waveform: Array,
        context: Array,
        times: Array,
        valid: NDArray[np.bool_],
        told: Told,
    ) -> Array:
        """See `Network.gains`; a model without a graph for it does the whole work."""
        if self._open_told is None:
            return self.run(spectrogram, waveform, context, times, valid, told)[1]
        if self._told is None:
            self._told = self._open_told()
        values = (spectrogram, waveform, context, times, valid, *told.arrays)
        (gains,) = _ran(self._told, dict(zip((*INPUTS, *TOLD), values, strict=True)))
        return gains


def _declares(graph: bytes, name: str) -> bool:
    """Whether a graph has a weight of this name: field 8 of a TensorProto (onnx.proto), a text after its length."""
    text = name.encode()
    return bytes([0x42, len(text)]) + text in graph


def _ran(session: Any, values: Mapping[str, NDArray[Any]]) -> list[Array]:
    """What a session gives for a batch, one window after the other, of the values it asks for."""
    asks = {value.name for value in session.get_inputs()}
    parts = []
    for b in range(len(values[INPUTS[0]])):
        try:
            parts.append(session.run(None, {k: v[b : b + 1] for k, v in values.items() if k in asks}))
        except Exception as error:
            raise ModelError(f"ONNX Runtime failed on a window: {_first_line(error)}.") from error
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


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
        with self._computing():
            masks, gains = self.model(
                *self._sent(spectrogram, waveform, context, times, valid),
                self._sent(*told.arrays) if told else None,
            )
            return masks.cpu().numpy(), gains.cpu().numpy()

    def gains(
        self,
        spectrogram: Array,
        waveform: Array,
        context: Array,
        times: Array,
        valid: NDArray[np.bool_],
        told: Told,
    ) -> Array:
        """See `Network.gains`; a model that can be told nothing does the whole work."""
        if self.config.gain_head != "levels":
            return self.run(spectrogram, waveform, context, times, valid, told)[1]
        with self._computing():
            sent = self._sent(spectrogram, waveform, context, times, valid, told.power, told.unsure)
            gains: Array = self.model.told_gains(*sent).cpu().numpy()
        return gains

    def _sent(self, *values: NDArray[Any]) -> tuple[torch.Tensor, ...]:
        """Arrays as tensors on the network's device."""
        import torch

        return tuple(torch.from_numpy(np.ascontiguousarray(v)).to(self.device) for v in values)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute without gradients; a GPU that runs out of memory is a sentence."""
        import torch

        try:
            with torch.inference_mode():
                yield
        except torch.cuda.OutOfMemoryError as error:
            raise ModelError(
                f"The GPU {self.device} has no memory left; close other programs or choose --device cpu."
            ) from error


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


def write_graph(model: ProductModel, path: Path, frames: int, told: bool = False) -> None:
    """Write the network as an ONNX graph for windows of `frames` frames, without its weights.

    With `told` it gives the gains alone, as `ProductModel.told_gains` does. Weights are declared external under their
    torch names, to be handed to ONNX Runtime from the safetensors file.
    """
    import onnx
    import torch

    config = model.config
    inputs, outputs = [*INPUTS, *TOLD], ["masks", "gains"]
    # Equal weights would be merged into one, and the names of the others lost; their values are not kept anyway.
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    if told:
        inputs, outputs = inputs[:-1], outputs[1:]
        model.forward = model.told_gains  # type: ignore[method-assign, assignment]
    n = 4
    example = (
        torch.rand(1, 2048, frames),
        torch.randn(1, frames * HOP) * 0.1,
        torch.randn(1, n, config.context_dim),
        torch.arange(float(n))[None],
        torch.ones(1, n, dtype=torch.bool),
    )
    levels = tuple(torch.from_numpy(v) for v in Told.nothing(1, frames).arrays)
    with replacing_path(path) as partial:
        with warnings.catch_warnings():
            # The tracing exporter keeps torch's names for the weights, which the newer one does not.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                (*example, *levels[:-1]) if told else (*example, levels),
                str(partial),
                input_names=inputs,
                output_names=outputs,
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
