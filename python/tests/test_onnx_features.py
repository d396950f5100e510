"""The ONNX reader against models that the test writes itself, field by field."""

import struct

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from maisi_bridge import onnx_features  # noqa: E402


def varint(value):
    data = b""
    while value > 127:
        data += bytes([value & 127 | 128])
        value >>= 7
    return data + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(kind, inputs, output, **attributes):
    data = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind)
    for name, value in attributes.items():
        content = field(2, value) if isinstance(value, float) else b"".join(field(8, v) for v in value)
        data += field(5, field(1, name) + content)
    return field(1, data)


def constant(name, array, raw=True):
    shape = b"".join(field(1, n) for n in array.shape)
    values = field(9, array.astype("<f4").tobytes()) if raw else field(4, array.astype("<f4").tobytes())
    return field(5, shape + field(2, 1) + field(8, name) + values)


def model(*parts):
    return field(1, 4) + field(7, b"".join(parts))


def residual(tmp_path):
    draw = np.random.default_rng(0)
    arrays = {
        "w1": draw.normal(size=(4, 3, 3, 3)), "w2": draw.normal(size=(4, 4, 3, 3)),
        "g": draw.uniform(0.5, 2, 4), "b": draw.normal(size=4), "m": draw.normal(size=4), "v": draw.uniform(0.5, 2, 4),
    }
    path = tmp_path / "residual.onnx"
    path.write_bytes(model(
        node("Conv", ["image", "w1"], "a", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0]),
        node("BatchNormalization", ["a", "g", "b", "m", "v"], "n", epsilon=0.25),
        node("Relu", ["n"], "r"),
        node("MaxPool", ["r"], "p", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0]),
        node("Conv", ["p", "w2"], "c", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
        node("Add", ["c", "p"], "s"),
        node("AveragePool", ["s"], "out", kernel_shape=[7, 7]),
        *(constant(name, array, raw=name != "g") for name, array in arrays.items()),
    ))
    return path, {name: torch.tensor(array, dtype=torch.float32) for name, array in arrays.items()}


def test_a_residual_network_computes_what_its_operators_say(tmp_path):
    path, w = residual(tmp_path)
    assert onnx_features.main([str(path), str(tmp_path / "net.ts")]) == 0
    slices = torch.rand(3, 3, 20, 31) - 0.4
    found = torch.jit.load(str(tmp_path / "net.ts"))(slices)
    f = torch.nn.functional
    x = f.interpolate(slices, size=[128, 128], mode="bilinear", align_corners=False) * 255
    x = f.conv2d(f.pad(x, [1, 0, 1, 0]), w["w1"], stride=2)
    x = torch.relu((x - w["m"].view(1, 4, 1, 1)) / torch.sqrt(w["v"].view(1, 4, 1, 1) + 0.25) * w["g"].view(1, 4, 1, 1) + w["b"].view(1, 4, 1, 1))
    pooled = f.max_pool2d(f.pad(x, [1, 0, 1, 0]), 3, 2)
    assert found.shape == (3, 4, 32, 32)
    assert torch.allclose(found, f.conv2d(pooled, w["w2"], padding=1) + pooled, rtol=1e-4, atol=1e-2)


def test_other_operators_and_other_files_are_refused(tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(model(node("Softmax", ["image"], "out")))
    with pytest.raises(ValueError, match="not of a residual network: Softmax"):
        onnx_features.ResidualFeatures(str(path))
    path.write_bytes(b"\x08\x01")
    with pytest.raises(ValueError, match="no ONNX model"):
        onnx_features.read_graph(str(path))


def test_wrong_arguments_print_the_usage(capsys):
    assert onnx_features.main(["one"]) == 2
    assert "usage" in capsys.readouterr().err
