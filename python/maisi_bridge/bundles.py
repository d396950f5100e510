"""The parts of a MONAI bundle's config that are handed to Python: expressions and components.

The semantics are MONAI's (monai/bundle/config_item.py, monai/utils/module.py): an expression is evaluated with the config's imports in
its namespace and with ``@id`` standing for the referenced value; a component is called, or returned as a callable.
"""

from __future__ import annotations

import functools
import importlib
import pdb
import re
import sys
from typing import Any, Callable, Dict, List, Sequence

from maisi_bridge.wire import Kept

_REFERENCE = re.compile(r"@\w*(?:(?:::|#)\w*)*")
_PLAIN = (type(None), bool, int, float, str)
_namespace: Dict[str, Any] = {}
_imported: List[str] = []


def evaluate(expression: str, references: Dict[str, Any], imports: Sequence[str]) -> Any:
    """The value of an expression; what is not plain data stays here as a handle."""
    for statement in imports:
        if statement not in _imported:
            exec(statement, _namespace)
            _imported.append(statement)
    names = {name.replace("#", "::"): value for name, value in references.items()}

    def local(match: "re.Match[str]") -> str:
        name = match.group(0)[1:].replace("#", "::")
        return "__references[%r]" % name if name in names else match.group(0)

    # One namespace for names and references: a comprehension or a lambda sees globals only.
    scope = dict(_namespace)
    scope["__references"] = names
    return share(eval(_REFERENCE.sub(local, expression), scope))


def instantiate(target: str, mode: str, arguments: Dict[str, Any]) -> Any:
    """Makes a component; ``default`` calls it, ``callable`` returns it (with its arguments bound), ``debug`` calls it in a debugger."""
    component = locate(target)
    if not callable(component):
        return share(component)
    if mode == "callable":
        return Kept(functools.partial(component, **arguments) if arguments else component)
    if mode == "debug":
        return share(pdb.runcall(component, **arguments))
    if mode != "default":
        raise ValueError("unsupported _mode_ %r: one of default, callable, debug" % mode)
    return share(component(**arguments))


def locate(target: str) -> Any:
    """The object behind a dotted path, or behind the bare name of a MONAI class."""
    if "." not in target:
        path = _monai_path(target)
        if path is None:
            raise ModuleNotFoundError("cannot locate %r: give its full path" % target)
        target = path
    parts = target.split(".")
    for count in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:count])
        try:
            found: Any = importlib.import_module(name)
        except ModuleNotFoundError as error:
            # Only the absence of this very module means that its name is an attribute.
            if error.name is None or not (name + ".").startswith(error.name + "."):
                raise
            continue
        for attribute in parts[count:]:
            found = getattr(found, attribute)
        return found
    raise ModuleNotFoundError("cannot locate %r: no module %r" % (target, parts[0]))


def _monai_path(name: str) -> Any:
    try:
        locator: Callable[[], Any] = importlib.import_module("monai.bundle").ComponentLocator
    except ModuleNotFoundError:
        return None
    found = locator().get_component_module_name(name)
    if isinstance(found, list):
        found = found[0] if found else None
    return None if found is None else "%s.%s" % (found, name)


def share(value: Any) -> Any:
    """The value itself when it is plain data or a tensor, else a handle to it."""
    return value if _crosses(value) else Kept(value)


def _crosses(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind in (list, tuple):
        return all(_crosses(item) for item in value)
    if kind is dict:
        return all(_crosses(key) and _crosses(item) for key, item in value.items())
    torch = sys.modules.get("torch")
    return torch is not None and kind is torch.Tensor and not value.requires_grad
