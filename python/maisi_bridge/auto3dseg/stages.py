"""The stages of Auto3DSeg, each for a process of its own. Results are JSON texts."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import sys
from typing import Any, Dict, List

import maisi_bridge
from maisi_bridge.auto3dseg import stand_ins


def prepare(settings: Dict[str, Any]) -> str:
    """Analyses the data, unless statistics are given, and generates the algorithms; then writes each fold's plan into its configs.

    ``settings``: work_dir, data_root, datalist, class_names, modality, templates, algorithms, num_fold, data_stats (a file to take instead
    of analysing, or None), device, overrides, and per fold ``folds[k]``: datalist, num_epochs, num_epochs_per_validation.
    """
    stand_ins.provide()
    import monai
    import numpy
    import torch
    from monai.apps.auto3dseg import AutoRunner
    from monai.bundle import ConfigParser

    work_dir = settings["work_dir"]
    os.makedirs(work_dir, exist_ok=True)
    given = settings["data_stats"]
    if given is not None:
        shutil.copyfile(given, os.path.join(work_dir, "datastats.yaml"))
    # Keys with '#' in the input break the ensemble: they go into the generated files instead.
    deep = {key: value for key, value in settings["overrides"].items() if "#" in key}
    flat = {key: value for key, value in settings["overrides"].items() if "#" not in key}
    source = {
        "modality": settings["modality"],
        "datalist": settings["datalist"],
        "dataroot": settings["data_root"],
        "class_names": settings["class_names"],
        "sigmoid": False,
        "num_fold": settings["num_fold"],
        **flat,
    }
    runner = AutoRunner(
        work_dir=work_dir, input=source, algos=settings["algorithms"], templates_path_or_url=settings["templates"],
        analyze=given is None, algo_gen=True, train=False, ensemble=False, not_use_cache=True, allow_skip=False,
    )
    runner.set_analyze_params({"device": "cpu" if settings["device"] == "cpu" else "cuda", "worker": 0, "do_ccp": False})
    runner.run()
    for algorithm in settings["algorithms"]:
        for number, fold in enumerate(settings["folds"]):
            path = os.path.join(work_dir, "%s_%d" % (algorithm, number), "configs", "hyper_parameters.yaml")
            parser = ConfigParser(globals=False)
            parser.read_config(path)
            for key, value in deep.items():
                parser[key] = value
            parser["data_list_file_path"] = fold["datalist"]
            parser["num_epochs"] = fold["num_epochs"]
            parser["num_epochs_per_validation"] = fold["num_epochs_per_validation"]
            ConfigParser.export_config_file(parser.get(), path, fmt="yaml", default_flow_style=None, sort_keys=False)
    versions = {
        "python": sys.version.split()[0], "torch": torch.__version__, "monai": monai.__version__, "numpy": numpy.__version__,
        "templates_sha256": _hash_of(settings["templates"]),
    }
    return json.dumps(versions)


def train(folder: str, seed: int) -> str:
    """Trains one fold's algorithm; returns what it logged: a list of [tag, epoch, value]."""
    scalars: List[List[Any]] = []
    epochs = _epochs(folder)

    def listen(tag: str, value: float, epoch: int) -> None:
        scalars.append([tag, epoch, value])
        maisi_bridge.progress(fraction=min(1.0, (epoch + 1) / max(1, epochs)), stage="train", **{tag: value})

    stand_ins.provide(listen)
    _seed(seed)
    _script(folder, "train").run(config_file=_configs(folder))
    return json.dumps(scalars)


def validate(folder: str, output: str) -> str:
    """Writes a prediction of every validation case of a fold, by the checkpoint that the training chose."""
    stand_ins.provide()
    _script(folder, "validate").run(config_file=_configs(folder), **{"validate#save_mask": True, "validate#output_path": output})
    return "{}"


def ensemble(work_dir: str, device: str) -> str:
    """Writes the prediction of every test case by the best algorithm of each fold together, to ``ensemble_output``."""
    stand_ins.provide()
    from monai.apps.auto3dseg import AutoRunner

    runner = AutoRunner(work_dir=work_dir, input=None, analyze=False, algo_gen=False, train=False, ensemble=True)
    runner.set_device_info(cuda_visible_devices="" if device == "cpu" else device, cmd_prefix=sys.executable)
    runner.run()
    return "{}"


def _configs(folder: str) -> List[str]:
    configs = os.path.join(folder, "configs")
    return sorted(os.path.join(configs, name) for name in os.listdir(configs))


def _epochs(folder: str) -> int:
    from monai.bundle import ConfigParser

    parser = ConfigParser(globals=False)
    parser.read_config(os.path.join(folder, "configs", "hyper_parameters.yaml"))
    return int(parser["num_epochs"])


def _script(folder: str, name: str) -> Any:
    """A script of the algorithm as a module; scripts import their neighbours by name."""
    sys.path.insert(0, os.path.join(folder, "scripts"))
    return importlib.import_module(name)


def _seed(seed: int) -> None:
    """The templates seed with 0 when they are told to be deterministic; the experiment's seed takes its place."""
    import monai.utils

    original = monai.utils.set_determinism

    def set_determinism(seed_: Any = None, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("seed", None)
        original(seed, *args, **kwargs)

    monai.utils.set_determinism = set_determinism


def _hash_of(folder: str) -> str:
    digest = hashlib.sha256()
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".py", ".yaml")):
                with open(os.path.join(place, name), "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()
