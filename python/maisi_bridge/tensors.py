"""Tensors that a host process and Python's torch share, where both use the same libtorch: the same object, no copy."""

from __future__ import annotations

import ctypes
from typing import Any

import torch

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def wrap(address: int) -> Any:
    """The tensor behind a TensorImpl pointer, with a reference of its own."""
    return torch._C._wrap_tensor_impl(_new_capsule(address, None, None))


def address(tensor: Any) -> int:
    """A tensor's TensorImpl pointer, valid while the tensor lives."""
    return int(tensor._cdata)
