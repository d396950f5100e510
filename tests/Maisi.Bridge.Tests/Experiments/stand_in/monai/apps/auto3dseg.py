"""Makes the folders of the algorithms, and joins the folds: the mean of their thresholds."""

import glob
import json
import os
import shutil

import nibabel
import numpy


class AutoRunner:
    def __init__(self, work_dir, input=None, algos=(), templates_path_or_url=None, analyze=False, algo_gen=False, train=False, ensemble=False, **_):
        self.work_dir, self.input, self.algos, self.templates = work_dir, input, algos, templates_path_or_url
        self.analyze, self.algo_gen, self.ensemble = analyze, algo_gen, ensemble

    def set_analyze_params(self, _):
        pass

    def set_device_info(self, **_):
        pass

    def run(self):
        if self.analyze:
            with open(os.path.join(self.work_dir, "datastats.yaml"), "w", encoding="utf-8") as file:
                file.write("stats: {}\n")
        if self.algo_gen:
            self._generate()
        if self.ensemble:
            self._join()

    def _generate(self):
        with open(os.path.join(self.work_dir, "input.json"), "w", encoding="utf-8") as file:
            json.dump(self.input, file)
        for algorithm in self.algos:
            for fold in range(self.input["num_fold"]):
                folder = os.path.join(self.work_dir, "%s_%d" % (algorithm, fold))
                os.makedirs(os.path.join(folder, "configs"))
                shutil.copytree(os.path.join(self.templates, algorithm, "scripts"), os.path.join(folder, "scripts"))
                with open(os.path.join(folder, "configs", "hyper_parameters.yaml"), "w", encoding="utf-8") as file:
                    json.dump({"folder": folder, "fold": fold, "data_file_base_dir": self.input["dataroot"]}, file)

    def _join(self):
        with open(os.path.join(self.work_dir, "input.json"), encoding="utf-8") as file:
            source = json.load(file)
        thresholds = []
        for path in sorted(glob.glob(os.path.join(self.work_dir, "*_*", "model", "model.json"))):
            with open(path, encoding="utf-8") as file:
                thresholds.append(json.load(file)["threshold"])
        with open(source["datalist"], encoding="utf-8") as file:
            cases = json.load(file)["testing"]
        output = os.path.join(self.work_dir, "ensemble_output")
        os.makedirs(output, exist_ok=True)
        for case in cases:
            image = nibabel.load(os.path.join(source["dataroot"], case["image"]))
            write(image, sum(thresholds) / len(thresholds), os.path.join(output, case["image"].replace(".nii.gz", "_ensemble.nii.gz")))


def write(image, threshold, path):
    """Class 2 is what is brighter than 150 HU, class 1 what is brighter than the threshold."""
    values = numpy.asarray(image.dataobj)
    classes = numpy.where(values > 150, 2, numpy.where(values > threshold, 1, 0)).astype(numpy.uint8)
    nibabel.save(nibabel.Nifti1Image(classes, image.affine), path)
