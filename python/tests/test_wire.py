import math
import os
import pathlib
import sys

import pytest

from maisi_bridge.wire import Codec, Handles, Kept, WireError

numpy = pytest.importorskip("numpy")


@pytest.fixture
def codec(tmp_path):
    return Codec([str(tmp_path)], Handles())


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**63 - 1, -(2**63), 2**63, -(3**100), 0.1, 1e300, "", "größer 肺", b"\x00\xff", [], [1, ["x"]], (), (1, ("a",)), {}, {"a": {"b": 1}}, {"$": 1}, {1: "x", (2, 3): None}],
)
def test_values_round_trip(codec, value):
    back = codec.decode(codec.encode(value))
    assert back == value
    assert type(back) is type(value)


def test_floats_that_json_lacks(codec):
    assert codec.decode(codec.encode(math.inf)) == math.inf
    assert codec.decode(codec.encode(-math.inf)) == -math.inf
    assert math.isnan(codec.decode(codec.encode(math.nan)))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0, 5)])
def test_arrays_round_trip(codec, dtype, shape):
    array = numpy.arange(int(numpy.prod(shape))).reshape(shape).astype(dtype)
    back = codec.decode(codec.encode(array))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert (back == array).all()


def test_views_are_packed(codec):
    array = numpy.arange(24).reshape(4, 6)[::2, 1::2]
    assert (codec.decode(codec.encode(array)) == array).all()
    assert (codec.decode(codec.encode(array.T)) == array.T).all()


def test_numpy_scalars_become_numbers(codec):
    assert codec.encode(numpy.float32(0.5)) == 0.5
    assert codec.encode(numpy.int64(7)) == 7
    assert codec.encode(numpy.bool_(True)) is True


def test_received_arrays_write_through(codec):
    reference = codec.encode(numpy.zeros(4, "float32"))
    codec.decode(reference)[2] = 5
    assert codec.decode(reference)[2] == 5


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "bfloat16", "bool"])
def test_tensors_round_trip(codec, dtype):
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    back = codec.decode(codec.encode(tensor.t()))
    assert back.dtype is tensor.dtype
    assert torch.equal(back, tensor.t())
    assert codec.decode(codec.encode(tensor[:0])).shape == (0, 3)


def test_paths_become_text(codec):
    assert codec.encode(pathlib.Path("a") / "b") == os.path.join("a", "b")


@pytest.mark.parametrize("value", [object(), {1, 2}, numpy.array(["x"]), numpy.array([1], dtype=">i4" if sys.byteorder == "little" else "<i4")])
def test_what_cannot_cross_is_named(codec, value):
    with pytest.raises(WireError, match=r"result\['a'\]\[1\]"):
        codec.encode({"a": [0, value]})


def test_handles_live_until_released():
    handles = Handles()
    codec = Codec([], handles)
    value = object()
    sent = codec.encode(Kept(value))
    assert sent["type"] == "builtins.object"
    assert codec.decode(sent) is value
    handles.release([sent["id"]])
    assert len(handles) == 0
    with pytest.raises(WireError, match="released"):
        codec.decode(sent)


def test_the_next_folder_serves_when_the_first_fails(tmp_path):
    codec = Codec([str(tmp_path / "missing"), str(tmp_path)], Handles())
    reference = codec.encode(numpy.ones(3))
    assert os.path.dirname(reference["file"]) == str(tmp_path)


def test_no_folder_at_all_is_an_error(tmp_path):
    with pytest.raises(OSError):
        Codec([str(tmp_path / "missing")], Handles()).encode(numpy.ones(3))
    assert list(tmp_path.iterdir()) == []
