"""Values to JSON and back. Arrays go through files in shared memory and never through JSON.

Plain JSON values stand for themselves; everything else is an object whose key ``$`` names its kind: ``float`` (not finite), ``int``
(over 64 bits), ``bytes``, ``tuple``, ``dict`` (keys that are not text, or the key ``$``), ``array`` and ``handle``.
"""

from __future__ import annotations

import base64
import math
import mmap
import os
import sys
import uuid
from typing import Any, Callable, Dict, List, Optional, Sequence

KIND = "$"
_INT64 = 1 << 63


class WireError(TypeError):
    """A value that cannot cross to the other process."""


class Handles:
    """Objects that stay in this process and are named by number on the other side."""

    def __init__(self) -> None:
        self._objects: Dict[int, Any] = {}
        self._next = 1

    def __len__(self) -> int:
        return len(self._objects)

    def keep(self, value: Any) -> int:
        """Keeps an object until it is released; returns its number."""
        number = self._next
        self._next += 1
        self._objects[number] = value
        return number

    def get(self, number: int) -> Any:
        """The object behind a number."""
        try:
            return self._objects[number]
        except KeyError:
            raise WireError("the object behind handle %d has been released" % number) from None

    def release(self, numbers: Sequence[int]) -> None:
        """Forgets objects."""
        for number in numbers:
            self._objects.pop(number, None)


class Kept:
    """Marks a result that stays here as a handle."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Codec:
    """Encodes results and decodes arguments. ``folders`` hold the array files: the first with enough room is used."""

    def __init__(self, folders: Sequence[str], handles: Handles) -> None:
        self._folders = folders
        self._handles = handles

    def encode(self, value: Any, where: str = "result") -> Any:
        """A JSON value for a Python value; ``where`` names it in errors."""
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return int(value) if -_INT64 <= value < _INT64 else {KIND: "int", "value": str(value)}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {KIND: "float", "value": str(float(value))}
        if isinstance(value, (bytes, bytearray)):
            return {KIND: "bytes", "value": base64.b64encode(value).decode("ascii")}
        if isinstance(value, (list, tuple)):
            items = [self.encode(item, "%s[%d]" % (where, i)) for i, item in enumerate(value)]
            return items if isinstance(value, list) else {KIND: "tuple", "items": items}
        if isinstance(value, dict):
            return self._encode_dict(value, where)
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(value, Kept):
            return self._encode_handle(value.value)
        array = self._encode_array(value, where)
        if array is not None:
            return array
        kind = "%s.%s" % (type(value).__module__, type(value).__qualname__)
        raise WireError("%s is a %s, which cannot cross to the caller: return numbers, text, lists, dicts or arrays" % (where, kind))

    def decode(self, value: Any) -> Any:
        """The Python value of a JSON value."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get(KIND)
        if kind is None:
            return {key: self.decode(item) for key, item in value.items()}
        decoders: Dict[str, Callable[[Dict[str, Any]], Any]] = {
            "float": lambda v: float(v["value"]),
            "int": lambda v: int(v["value"]),
            "bytes": lambda v: base64.b64decode(v["value"]),
            "tuple": lambda v: tuple(self.decode(item) for item in v["items"]),
            "dict": lambda v: {self.decode(key): self.decode(item) for key, item in v["items"]},
            "array": decode_array,
            "handle": lambda v: self._handles.get(v["id"]),
        }
        return decoders[kind](value)

    def _encode_dict(self, value: Dict[Any, Any], where: str) -> Any:
        if all(isinstance(key, str) for key in value) and KIND not in value:
            return {key: self.encode(item, "%s[%r]" % (where, key)) for key, item in value.items()}
        items = [[self.encode(key, where), self.encode(item, "%s[%r]" % (where, key))] for key, item in value.items()]
        return {KIND: "dict", "items": items}

    def _encode_handle(self, value: Any) -> Dict[str, Any]:
        kind = type(value)
        return {KIND: "handle", "id": self._handles.keep(value), "type": "%s.%s" % (kind.__module__, kind.__qualname__)}

    def _encode_array(self, value: Any, where: str) -> Any:
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            tensor = value.detach().cpu().contiguous()
            name = str(tensor.dtype).replace("torch.", "")
            # Through bytes, because numpy has no bfloat16; a tensor of no elements has no bytes to view.
            data = memoryview(tensor.reshape(-1).view(torch.uint8).numpy()) if tensor.numel() else memoryview(b"")
            return self._write(data, name, list(tensor.shape), "torch")
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self.encode(value.item(), where)
        if numpy is not None and isinstance(value, numpy.ndarray):
            if value.dtype.kind not in "biufc" or not value.dtype.isnative:
                raise WireError("%s is an array of %s, which has no form on the other side" % (where, value.dtype))
            packed = numpy.ascontiguousarray(value)
            data = memoryview(packed.reshape(-1).view(numpy.uint8)) if packed.size else memoryview(b"")
            return self._write(data, packed.dtype.name, list(value.shape), "numpy")
        if isinstance(value, memoryview):
            return self._write(value.cast("B"), "uint8", [value.nbytes], "numpy")
        return None

    def _write(self, data: memoryview, dtype: str, shape: List[int], kind: str) -> Dict[str, Any]:
        return {KIND: "array", "dtype": dtype, "shape": shape, "as": kind, "file": self._store(data) if data.nbytes else None}

    # write() instead of a mapping: a full /dev/shm is an error to handle, where touching a mapped page would be a SIGBUS.
    def _store(self, data: memoryview) -> str:
        problem: Optional[OSError] = None
        for folder in self._folders:
            path = os.path.join(folder, uuid.uuid4().hex)
            try:
                with open(path, "xb", buffering=0) as file:
                    rest = data
                    while rest.nbytes:
                        rest = rest[file.write(rest):]
                return path
            except OSError as error:
                problem = error
                if os.path.exists(path):
                    os.unlink(path)
        raise problem if problem is not None else WireError("no folder for arrays")


def decode_array(value: Dict[str, Any]) -> Any:
    """An array over the caller's shared memory: writing into it is seen by the caller. numpy, torch, or a memoryview without numpy."""
    dtype, shape = value["dtype"], value["shape"]
    memory: Any = bytearray()
    if value["file"] is not None:
        with open(value["file"], "r+b") as file:
            memory = mmap.mmap(file.fileno(), 0)
    if value["as"] == "torch":
        import torch

        kind = getattr(torch, dtype)
        return torch.frombuffer(memory, dtype=kind).reshape(shape) if value["file"] else torch.empty(shape, dtype=kind)
    try:
        import numpy
    except ImportError:
        return memoryview(memory)
    if dtype == "bfloat16":
        raise WireError("numpy has no bfloat16: send the array as torch")
    return numpy.frombuffer(memory, dtype=dtype).reshape(shape)
