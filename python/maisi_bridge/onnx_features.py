"""ResNet18 as ML.NET ships it (NuGet package Microsoft.ML.DnnImageFeaturizer.ResNet18, MIT licence; trained on ImageNet), as a TorchScript
module for `maisi evaluate fid --network torchscript`.

    python -m maisi_bridge.onnx_features ResNet18.onnx resnet18.ts

The ONNX file is read without the onnx package: only the parts of the format that this network uses. The module takes [B, 3, H, W] as FID
2.5D prepares slices (BGR in [0, 1], channel means subtracted), enlarges it to 128x128 pixels, and gives the 512 channels before the pooling.
"""

from __future__ import annotations

import struct
import sys
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

PIXEL_SCALE = 255.0
EDGE = 128


class OnnxNode:
    """One operator: its type, the names of its inputs and outputs, and its integer lists and numbers."""

    def __init__(self, data: bytes) -> None:
        self.inputs: List[str] = []
        self.outputs: List[str] = []
        self.kind = ""
        self.attributes: Dict[str, Any] = {}
        for field, _, value in _fields(data):
            if field == 1:
                self.inputs.append(value.decode())
            elif field == 2:
                self.outputs.append(value.decode())
            elif field == 4:
                self.kind = value.decode()
            elif field == 5:
                name, content = _attribute(value)
                self.attributes[name] = content


def read_graph(path: str) -> Tuple[List[OnnxNode], Dict[str, np.ndarray]]:
    """The operators in order and the constants by name."""
    with open(path, "rb") as file:
        model = file.read()
    graphs = [value for field, _, value in _fields(model) if field == 7]
    if len(graphs) != 1:
        raise ValueError(f"{path}: this is no ONNX model (it has {len(graphs)} graphs)")
    nodes: List[OnnxNode] = []
    constants: Dict[str, np.ndarray] = {}
    for field, _, value in _fields(graphs[0]):
        if field == 1:
            nodes.append(OnnxNode(value))
        elif field == 5:
            name, array = _tensor(value)
            constants[name] = array
    return nodes, constants


class ResidualFeatures(nn.Module):
    """A network of convolutions, batch norms, ReLU, one max pooling and residual sums, run operator by operator."""

    def __init__(self, path: str) -> None:
        super().__init__()
        nodes, constants = read_graph(path)
        nodes = [n for n in nodes if n.kind != "AveragePool"]
        unknown = {n.kind for n in nodes} - {"Conv", "BatchNormalization", "Relu", "MaxPool", "Add"}
        if unknown:
            raise ValueError(f"{path}: operators that are not of a residual network: {', '.join(sorted(unknown))}")
        self.kinds: List[str] = [n.kind for n in nodes]
        self.slots: List[List[int]] = []
        self.strides: List[int] = []
        self.pads: List[List[int]] = []
        self.kernels: List[int] = []
        slot = {}
        layers: List[nn.Module] = []
        for index, node in enumerate(nodes):
            fed = [name for name in node.inputs if name not in constants]
            self.slots.append([slot.get(name, 0) for name in fed])
            slot[node.outputs[0]] = index + 1
            top, left, bottom, right = node.attributes.get("pads") or [0, 0, 0, 0]
            self.pads.append([left, right, top, bottom])
            self.strides.append((node.attributes.get("strides") or [1])[0])
            self.kernels.append((node.attributes.get("kernel_shape") or [1])[0])
            layers.append(_layer(node, constants))
        self.layers = nn.ModuleList(layers)

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        values = [functional.interpolate(slices, size=[EDGE, EDGE], mode="bilinear", align_corners=False) * PIXEL_SCALE]
        for index, layer in enumerate(self.layers):
            kind = self.kinds[index]
            x = values[self.slots[index][0]]
            if kind == "Conv":
                x = layer(functional.pad(x, self.pads[index]))
            elif kind == "MaxPool":
                x = functional.max_pool2d(functional.pad(x, self.pads[index], value=-3.0e38), self.kernels[index], self.strides[index])
            elif kind == "Add":
                x = x + values[self.slots[index][1]]
            else:
                x = layer(x)
            values.append(x)
        return values[-1]


def _layer(node: OnnxNode, constants: Dict[str, np.ndarray]) -> nn.Module:
    parameters = [torch.from_numpy(constants[name].copy()) for name in node.inputs if name in constants]
    if node.kind == "Conv":
        weight = parameters[0]
        layer: nn.Module = nn.Conv2d(weight.shape[1], weight.shape[0], tuple(weight.shape[2:]), stride=node.attributes["strides"][0], bias=len(parameters) > 1)
        state = dict(zip(["weight", "bias"], parameters))
    elif node.kind == "BatchNormalization":
        layer = nn.BatchNorm2d(parameters[0].shape[0], eps=node.attributes["epsilon"])
        state = dict(zip(["weight", "bias", "running_mean", "running_var"], parameters))
    else:
        return nn.ReLU() if node.kind == "Relu" else nn.Identity()
    layer.load_state_dict(state, strict=False)
    return layer


def _varint(data: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _fields(data: bytes) -> Iterator[Tuple[int, int, Any]]:
    """Number, wire type and value of each field of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 1:
            value, at = data[at : at + 8], at + 8
        elif wire == 2:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        elif wire == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}: the file is damaged or no ONNX model")
        yield field, wire, value


def _integers(wire: int, value: Any) -> List[int]:
    if wire == 0:
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(number)
    return numbers


def _attribute(data: bytes) -> Tuple[str, Any]:
    name, content, many = "", None, []
    for field, wire, value in _fields(data):
        if field == 1:
            name = value.decode()
        elif field == 2:
            content = struct.unpack("<f", value)[0]
        elif field == 3:
            content = value
        elif field == 8:
            many += _integers(wire, value)
    return name, many or content


def _tensor(data: bytes) -> Tuple[str, np.ndarray]:
    shape: List[int] = []
    name, raw, floats = "", None, []
    for field, wire, value in _fields(data):
        if field == 1:
            shape += _integers(wire, value)
        elif field == 4:
            floats.append(np.frombuffer(value, "<f4"))
        elif field == 8:
            name = value.decode()
        elif field == 9:
            raw = value
    array = np.frombuffer(raw, "<f4") if raw is not None else np.concatenate(floats) if floats else np.zeros(0, "<f4")
    return name, array.reshape(shape)


def main(arguments: List[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m maisi_bridge.onnx_features MODEL.onnx OUTPUT.ts", file=sys.stderr)
        return 2
    with torch.no_grad():
        torch.jit.trace(ResidualFeatures(arguments[0]).eval(), torch.zeros(2, 3, 64, 64)).save(arguments[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
