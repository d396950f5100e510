import json
import logging
import warnings

import pytest

import maisi_bridge
from maisi_bridge.session import current
from maisi_bridge.worker import EventHandler, Worker, resolve


@pytest.fixture
def worker(tmp_path):
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    lines = []
    made = Worker(lines.append, json.dumps({"folders": [str(tmp_path)], "log_level": logging.INFO}))
    made.events = lambda: [json.loads(line) for line in lines]
    yield made
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    current.send = None


def call(worker, target, *args, **kwargs):
    worker.call(json.dumps({"id": 5, "target": target, "args": args, "kwargs": kwargs}))
    return worker.events()[-1]


def test_a_result_is_sent(worker):
    assert call(worker, "math:sqrt", 16) == {"type": "result", "id": 5, "value": 4.0}
    assert call(worker, "builtins:sorted", [3, 1, 2], reverse=True)["value"] == [3, 2, 1]


def test_methods_of_classes_resolve(worker):
    assert call(worker, "fractions:Fraction.from_float", 0.5)["error"]["type"] == "maisi_bridge.wire.WireError"
    assert call(worker, "datetime:date.fromisoformat", "x")["error"]["type"] == "ValueError"


@pytest.mark.parametrize("target", ["math", "math:", ":sqrt", "math:pi", "math:nothing", "no_such_module:f"])
def test_bad_targets_are_errors(worker, target):
    assert call(worker, target)["type"] == "error"


def test_errors_carry_the_traceback_without_this_package(worker):
    error = call(worker, "json:loads", "{")["error"]
    assert error["type"] == "json.decoder.JSONDecodeError"
    assert "decoder.py" in error["traceback"]
    assert "maisi_bridge" not in error["traceback"]


def test_even_exit_and_interrupt_are_errors(worker):
    assert call(worker, "sys:exit", 3)["error"]["type"] == "SystemExit"


def test_logging_and_warnings_become_events(worker):
    logging.getLogger("a.b").debug("quiet")
    logging.getLogger("a.b").warning("loud %d", 3)
    warnings.warn("careful")
    logs = [event for event in worker.events() if event["type"] == "log"]
    assert (logs[0]["logger"], logs[0]["level"], logs[0]["message"]) == ("a.b", 30, "loud 3")
    assert logs[1]["logger"] == "py.warnings"
    assert "UserWarning: careful" in logs[1]["message"]


def test_exceptions_in_logs_keep_their_traceback(worker):
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger("x").exception("went wrong")
    assert "ZeroDivisionError" in worker.events()[-1]["message"]


def test_text_that_is_no_unicode_is_replaced(worker):
    logging.getLogger("x").warning("file \udcff")
    assert worker.events()[-1]["message"] == "file ?"


def test_progress_outside_a_call_does_nothing(worker):
    maisi_bridge.progress(0.5)
    assert worker.events() == []


def test_progress_within_a_call(worker):
    current.call_id = 9
    maisi_bridge.progress(1.5, "nearly", "train", loss=0.25)
    assert worker.events() == [{"type": "progress", "id": 9, "fraction": 1.0, "message": "nearly", "stage": "train", "values": {"loss": 0.25}}]
    current.call_id = None


def test_cancelled_is_seen(worker):
    assert not maisi_bridge.cancelled()
    worker.cancel()
    assert maisi_bridge.cancelled()
    call(worker, "math:sqrt", 1)
    assert not maisi_bridge.cancelled(), "the next call starts afresh"


def test_resolve_offers_the_handles(worker):
    number = worker.handles.keep("kept")
    assert call(worker, "worker:release", [number])["value"] is None
    assert len(worker.handles) == 0
    assert resolve("worker:release", worker) == worker.handles.release


def test_a_handler_that_cannot_send_does_not_raise(capsys):
    def broken(event):
        raise OSError("gone")

    logger = logging.Logger("alone")
    logger.addHandler(EventHandler(broken))
    logger.error("x")
    assert "gone" in capsys.readouterr().err
