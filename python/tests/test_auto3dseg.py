"""The modules that stand in for what the algorithm templates import."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """
import sys
from maisi_bridge.auto3dseg import stand_ins
seen = []
stand_ins.provide(lambda tag, value, step: seen.append((tag, value, step)))
import fire
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(log_dir=sys.argv[1])
writer.add_scalar("val/acc", 0.5, 3)
writer.add_scalar("train/loss", 1, global_step=4)
writer.flush()
writer.close()
assert seen == [("val/acc", 0.5, 3), ("train/loss", 1.0, 4)], seen
assert writer.log_dir == sys.argv[1]
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_scalars_reach_the_listener(tmp_path: object) -> None:
    # In a process of its own: the stand-ins stay in sys.modules.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", CHECK, str(tmp_path)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
