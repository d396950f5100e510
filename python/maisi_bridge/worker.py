"""The Python half of a worker process: it runs the calls that the .NET host hands over and reports events as lines of JSON."""

from __future__ import annotations

import atexit
import faulthandler
import importlib
import json
import logging
import sys
import traceback
from typing import Any, Callable, Dict

from maisi_bridge.session import Event, current
from maisi_bridge.wire import Codec, Handles

LONGEST_MESSAGE = 64 * 1024


class EventHandler(logging.Handler):
    """Forwards records of Python's logging."""

    def __init__(self, send: Callable[[Event], None]) -> None:
        super().__init__()
        self._send_event = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                text += "\n" + "".join(traceback.format_exception(*record.exc_info))
            self._send_event({"type": "log", "level": record.levelno, "logger": record.name, "message": text[:LONGEST_MESSAGE]})
        except Exception:
            self.handleError(record)


class Worker:
    """Runs calls one after the other on the thread that made it, which is Python's main thread."""

    def __init__(self, send_line: Callable[[str], None], config: str) -> None:
        self._send_line = send_line
        settings = json.loads(config)
        self.handles = Handles()
        self._codec = Codec(settings["folders"], self.handles)
        faulthandler.enable()
        # Prints share the pipe of stderr; without line buffering they would come late, or never after a crash.
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        logging.captureWarnings(True)
        root = logging.getLogger()
        root.addHandler(EventHandler(self._send))
        root.setLevel(settings["log_level"])
        current.send = self._send

    def call(self, line: str) -> None:
        """Runs one request and sends its result or its error. Nothing but a defect of this class escapes."""
        request = json.loads(line)
        number = request["id"]
        current.call_id = number
        current.cancel_requested = False
        try:
            function = resolve(request["target"], self)
            args = [self._codec.decode(item) for item in request.get("args", [])]
            kwargs = {name: self._codec.decode(item) for name, item in request.get("kwargs", {}).items()}
            value = function(*args, **kwargs)
            del args, kwargs
            event: Event = {"type": "result", "id": number, "value": self._codec.encode(value)}
        except BaseException as error:
            event = {"type": "error", "id": number, "error": describe(error)}
        finally:
            current.call_id = None
        self._send(event)

    def cancel(self) -> None:
        """Lets running code see that it should stop; called from another thread."""
        current.cancel_requested = True

    def close(self) -> None:
        """What a python process does at its end, except freeing memory."""
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()

    def _send(self, event: Event) -> None:
        # File names can hold bytes that are no text (lone surrogates here); JSON readers refuse them.
        text = json.dumps(event, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        self._send_line(text.encode("utf-8", "replace").decode("utf-8"))


def resolve(target: str, worker: Worker) -> Callable[..., Any]:
    """The function behind ``module:function`` or ``module:Class.method``; ``worker:`` names what this process itself offers."""
    module, colon, path = target.partition(":")
    if not colon or not module or not path:
        raise ValueError("%r is not of the form module:function" % target)
    found: Any = worker.handles if module == "worker" else importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    if not callable(found):
        raise TypeError("%s is a %s and cannot be called" % (target, type(found).__name__))
    return found  # type: ignore[no-any-return]


def describe(error: BaseException) -> Dict[str, Any]:
    """Type, message and traceback of an error, without the frames of this file."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)
    return {"type": name, "message": safe_text(error), "traceback": "".join(lines)[-LONGEST_MESSAGE:]}


def safe_text(error: BaseException) -> str:
    """The error's message, even if its own ``__str__`` raises."""
    try:
        return str(error)[:LONGEST_MESSAGE]
    except Exception:
        return "<%s without a readable message>" % type(error).__name__
