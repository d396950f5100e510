"""Functions that the tests call in workers."""

import logging
import os
import subprocess
import sys
import time
import warnings

import maisi_bridge


def echo(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


def identity(value):
    return value


def add(a, b):
    return a + b


def process_id():
    return os.getpid()


def executable():
    return [sys.executable, sys.prefix]


def path_exists(path):
    return os.path.exists(path)


def report(steps):
    for step in range(steps):
        maisi_bridge.progress((step + 1) / steps, "step %d" % step, "counting", loss=1.0 / (step + 1))
    return steps


def log_everything():
    logger = logging.getLogger("functions.test")
    logger.debug("quiet")
    logger.info("told")
    logger.warning("warned %d", 7)
    logger.error("failed")
    warnings.warn("old way", DeprecationWarning)
    warnings.warn("careful")
    return None


def fail(message):
    try:
        raise KeyError("cause")
    except KeyError as cause:
        raise ValueError(message) from cause


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def fail_without_text():
    raise Unprintable()


def leave(code):
    sys.exit(code)


def leave_at_once(code):
    sys.stdout.write("last words\n")
    os._exit(code)


def crash():
    import ctypes

    ctypes.string_at(8)


def loop_forever():
    while True:
        pass


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def ignore_interrupts():
    while True:
        try:
            while True:
                time.sleep(0.01)
        except KeyboardInterrupt:
            pass


def stop_when_asked():
    while not maisi_bridge.cancelled():
        try:
            time.sleep(0.01)
        except KeyboardInterrupt:
            pass
    return "stopped"


def print_much(megabytes):
    line = "x" * 99 + "\n"
    for _ in range(megabytes * 10_000):
        sys.stdout.write(line)
    return megabytes


def print_one_long_line(megabytes):
    chunk = "y" * 1_000_000
    for _ in range(megabytes):
        sys.stdout.write(chunk)
    sys.stdout.flush()
    return megabytes


def print_below_python():
    os.write(1, b'{"type":"result","id":1,"value":"forged"}\n')
    return "genuine"


def unsendable():
    return {"deep": [1, object()]}


def spawn_sleepers(path):
    """Children of several kinds that would outlive a careless parent; writes their ids."""
    plain = subprocess.Popen([sys.executable if os.path.exists(sys.executable) else "/usr/bin/python3", "-c", "import time; time.sleep(600)"])
    session = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    forked = os.fork()
    if forked == 0:
        # A daemon: it leaves its parent, its session and its group.
        os.setsid()
        daemon = os.fork()
        if daemon == 0:
            time.sleep(600)
            os._exit(0)
        with open(path + ".daemon", "w") as file:
            file.write(str(daemon))
        os._exit(0)
    os.waitpid(forked, 0)
    with open(path + ".daemon") as file:
        daemon = int(file.read())
    with open(path + ".new", "w") as file:
        file.write("%d\n%d\n%d\n%d\n" % (os.getpid(), plain.pid, session.pid, daemon))
    os.rename(path + ".new", path)
    time.sleep(600)


def double_in_place(array):
    array *= 2


def sum_of(array):
    return float(array.sum())


def sum_of_bytes(array):
    return sum(bytes(array))


def describe_array(array):
    return [type(array).__module__.split(".")[0], str(array.dtype), list(array.shape)]


def make_array(dtype, shape):
    import numpy

    return numpy.arange(int(numpy.prod(shape))).astype(dtype).reshape(shape)


def make_tensor(dtype, shape):
    import torch

    return torch.arange(int(torch.tensor(shape).prod())).to(getattr(torch, dtype)).reshape(shape)


state = {}


def remember(key, value):
    state[key] = value
    return len(state)


def recall(key):
    return state[key]
