"""Checkpoints of a bundle: networks start from them, and what was learned goes back into them."""

from __future__ import annotations

import math
import os
import re
import shutil
from pathlib import Path
from typing import Any, Dict, Mapping, TypeVar, Union

import torch
from ignite.engine import Engine, Events

PathLike = Union[str, "os.PathLike[str]"]
Choice = TypeVar("Choice")

# The keys under which a checkpoint keeps weights; a file without any of them is the state dict itself.
_KEYS = ("controlnet_state_dict", "unet_state_dict")
# Before 2.1 the restricted reader of PyTorch knows no floating-point numbers, such as the scale factor.
_RESTRICTED = tuple(int(n) for n in re.findall(r"\d+", torch.__version__)[:2]) >= (2, 1)


def load_network(network: torch.nn.Module, path: PathLike) -> torch.nn.Module:
    """Gives a network the weights of a checkpoint, in the network's own precision, and returns it.

    Raises ValueError when names or shapes differ, FileNotFoundError when there is no such file.
    """
    try:
        network.load_state_dict(_weights(_read(path)))
    except RuntimeError as error:
        raise ValueError("%s does not hold weights of this %s: compare the definition in configs/inference.json. %s"
                         % (path, type(network).__name__, error)) from error
    return network


def scale_factor(path: PathLike) -> float:
    """What latents are multiplied with before diffusion: ``scale_factor`` of the diffusion UNet's checkpoint."""
    checkpoint = _read(path)
    if "scale_factor" not in checkpoint:
        raise ValueError("%s has no scale_factor: give the checkpoint of the diffusion UNet (trained_diffusion_path)" % path)
    return float(checkpoint["scale_factor"])


def choose(name: str, **candidates: Choice) -> Choice:
    """The candidate of that name; ValueError names the candidates."""
    if name not in candidates:
        raise ValueError("network is %r, but what can be trained is %s" % (name, " or ".join(candidates)))
    return candidates[name]


class RequireFiniteLoss:
    """Handler: a loss that is not finite stops the training with an error, before the weights are saved."""

    def attach(self, engine: Engine) -> None:
        """Looks at the loss of every iteration of the trainer."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        loss = float(engine.state.output["loss"])
        if not math.isfinite(loss):
            raise FloatingPointError("the loss is %s in iteration %d of epoch %d: lower learning_rate, or look for broken cases"
                                     % (loss, engine.state.iteration, engine.state.epoch))


class BundleCheckpoint:
    """Handler: at the end of the training the bundle's checkpoint gets the new weights; everything else in it, and its precision, stays.

    Args:
        network: the trained network, wrapped in DistributedDataParallel or not.
        path: the checkpoint that the training started from. It is replaced at once, or not at all.
        backup_dir: gets a copy of the replaced file, with ``.before`` in its name.
    """

    def __init__(self, network: torch.nn.Module, path: PathLike, backup_dir: PathLike) -> None:
        self.network = network
        self.path = Path(path)
        self.backup = Path(backup_dir) / (self.path.stem + ".before" + self.path.suffix)

    def attach(self, engine: Engine) -> None:
        """Saves when the trainer has completed."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        checkpoint = _read(self.path)
        before = _weights(checkpoint)
        network = getattr(self.network, "module", self.network)
        weights = {name: value.detach().cpu().to(before[name].dtype) for name, value in network.state_dict().items()}
        self.backup.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, self.backup)
        key = _key(checkpoint)
        unfinished = self.path.with_name(self.path.name + ".unfinished")
        torch.save(weights if key is None else {**checkpoint, key: weights}, unfinished)
        os.replace(unfinished, self.path)


def _read(path: PathLike) -> Dict[str, Any]:
    if not os.path.isfile(path):
        raise FileNotFoundError("%s is not there: run in the bundle's folder, or name the checkpoint (trained_..._path)" % path)
    found = torch.load(path, map_location="cpu", weights_only=_RESTRICTED)
    if not isinstance(found, dict):
        raise ValueError("%s holds a %s, not a checkpoint" % (path, type(found).__name__))
    return found


def _key(checkpoint: Mapping[str, Any]) -> Union[str, None]:
    return next((key for key in _KEYS if key in checkpoint), None)


def _weights(checkpoint: Mapping[str, Any]) -> Dict[str, torch.Tensor]:
    key = _key(checkpoint)
    return dict(checkpoint if key is None else checkpoint[key])
