"""A training of some epochs whose weights are one threshold: it depends on the seed, the fold and the epochs in the history."""

import json
import os
import sys
import time

import monai.utils
from monai.bundle import ConfigParser


def run(config_file):
    settings = ConfigParser()
    settings.read_config(config_file[0])
    monai.utils.set_determinism(seed=0)
    model = os.path.join(settings["folder"], "model")
    os.makedirs(model, exist_ok=True)
    # The import of its parent would take longer than all of this.
    writer = sys.modules["torch.utils.tensorboard"].SummaryWriter(log_dir=model)
    history = os.path.join(model, "history.txt")
    for epoch in range(settings["num_epochs"]):
        with open(history, "a", encoding="utf-8") as file:
            file.write("%d\n" % epoch)
        writer.add_scalar("train/loss", 1 / (epoch + 1), epoch)
        time.sleep(0.05)
    with open(history, encoding="utf-8") as file:
        epochs = len(file.readlines())
    with open(os.path.join(model, "model.json"), "w", encoding="utf-8") as file:
        json.dump({"threshold": 55 + (7 * monai.utils.last_seed + 3 * settings["fold"] + epochs) % 11}, file)
