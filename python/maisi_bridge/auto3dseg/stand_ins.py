"""Modules that the algorithm templates import and that a worker can do without."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any, Callable, Optional

ScalarListener = Callable[[str, float, int], None]


def provide(listener: Optional[ScalarListener] = None) -> None:
    """Lets ``import fire`` and ``torch.utils.tensorboard`` succeed, and tells the listener every logged scalar.

    fire makes command lines of the templates' functions, which are called directly here. TensorBoard's writer is wrapped where there is
    one, so that its event files are written as usual.
    """
    if importlib.util.find_spec("fire") is None:
        fire = types.ModuleType("fire")
        fire.Fire = _no_command_line  # type: ignore[attr-defined]
        sys.modules["fire"] = fire
    base: Any = _Silent
    if importlib.util.find_spec("tensorboard") is not None:
        from torch.utils import tensorboard

        base = tensorboard.SummaryWriter
    else:
        tensorboard = types.ModuleType("torch.utils.tensorboard")  # type: ignore[assignment]
        sys.modules["torch.utils.tensorboard"] = tensorboard

    class SummaryWriter(base):  # type: ignore[misc]
        def add_scalar(self, tag: str, scalar_value: Any, global_step: Any = None, *args: Any, **kwargs: Any) -> None:
            super().add_scalar(tag, scalar_value, global_step, *args, **kwargs)
            if listener is not None:
                listener(tag, float(scalar_value), int(global_step or 0))

    tensorboard.SummaryWriter = SummaryWriter  # type: ignore[attr-defined,misc]


def _no_command_line(*_: Any, **__: Any) -> None:
    raise RuntimeError("the templates' functions are called without their command line")


class _Silent:
    """A writer that keeps nothing."""

    def __init__(self, log_dir: Optional[str] = None, *_: Any, **__: Any) -> None:
        self.log_dir = log_dir

    def add_scalar(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None
