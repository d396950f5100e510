"""What an interpreter says about itself, as one line of JSON: the record that ``maisi doctor`` shows."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import sys
import sysconfig
from typing import Any, Dict, List, Optional

ALWAYS = ("torch", "monai", "numpy")


def libpython() -> Optional[str]:
    """The shared library that a host process opens, or None for a build that has only a static one."""
    if sys.platform == "win32":
        name = "python%d%d.dll" % sys.version_info[:2]
        folders = [sys.base_prefix, os.path.dirname(sys.executable)]
        names = [name]
    else:
        get = sysconfig.get_config_var
        names = [n for n in (get("INSTSONAME"), get("LDLIBRARY")) if n and not n.endswith(".a")]
        folders = [f for f in (get("LIBDIR"), get("PYTHONFRAMEWORKPREFIX"), os.path.join(sys.base_prefix, "lib"), get("LIBPL")) if f]
    for folder in folders:
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return os.path.abspath(path)
    return None


def module_version(name: str) -> Optional[str]:
    """The version of an importable module ("" when it has none), or None when it cannot be found. Imports nothing."""
    try:
        if importlib.util.find_spec(name) is None:
            return None
    except (ImportError, ValueError):
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def torch_record() -> Optional[Dict[str, Optional[str]]]:
    """PyTorch's version, CUDA version and libtorch, read from its files: importing it takes seconds."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    folder = os.path.dirname(spec.origin)
    version: Dict[str, Any] = {}
    with open(os.path.join(folder, "version.py"), encoding="utf-8") as file:
        exec(compile(file.read(), file.name, "exec"), version)
    names = ("libtorch_cpu.so", "torch_cpu.dll", "libtorch_cpu.dylib")
    found = [p for p in (os.path.join(folder, "lib", n) for n in names) if os.path.exists(p)]
    return {
        "version": version["__version__"],
        "cuda": version.get("cuda"),
        "libtorch": os.path.realpath(found[0]) if found else None,
    }


def record(modules: List[str]) -> Dict[str, Any]:
    """The whole record."""
    versions = {name: module_version(name) for name in dict.fromkeys([*ALWAYS, *modules])}
    return {
        "version": "%d.%d.%d" % sys.version_info[:3],
        "executable": sys.executable,
        "libpython": libpython(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "paths": sys.path[1:],
        "modules": {name: version for name, version in versions.items() if version is not None},
        "torch": torch_record(),
    }


def main(modules: List[str]) -> None:
    """Prints the record as the last line of standard output."""
    print(json.dumps(record(modules)))
