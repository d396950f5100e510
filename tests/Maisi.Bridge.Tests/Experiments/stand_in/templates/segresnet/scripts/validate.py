"""Predictions of a fold's validation cases."""

import json
import os

import nibabel
from monai.apps.auto3dseg import write
from monai.bundle import ConfigParser


def run(config_file, **options):
    settings = ConfigParser()
    settings.read_config(config_file[0])
    with open(os.path.join(settings["folder"], "model", "model.json"), encoding="utf-8") as file:
        threshold = json.load(file)["threshold"]
    with open(settings["data_list_file_path"], encoding="utf-8") as file:
        cases = [case for case in json.load(file)["training"] if case["fold"] == settings["fold"]]
    output = options["validate#output_path"]
    os.makedirs(output, exist_ok=True)
    for case in cases:
        write(nibabel.load(os.path.join(settings["data_file_base_dir"], case["image"])), threshold, os.path.join(output, case["image"]))
