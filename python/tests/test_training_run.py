"""A bundle's train configs in MONAI's hands, from the datalist to the checkpoint: one process, and two that share the work over gloo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

EXTRA = [folder for folder in os.environ.get("MAISI_MONAI", "").split(os.pathsep) if folder]
sys.path[:0] = EXTRA
torch = pytest.importorskip("torch", reason="torch is not installed")
for package in ("monai", "ignite", "einops", "scipy", "nibabel", "fire"):
    pytest.importorskip(package, reason="%s is not installed, and MAISI_MONAI names no folder with it" % package)

import nibabel  # noqa: E402
from monai.bundle import ConfigParser  # noqa: E402

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "src/Maisi.Bridge/Training/Templates"
PACKAGE = "monai.apps.generation.maisi.networks."
DENOISER: Dict[str, Any] = {
    "spatial_dims": 3, "in_channels": 4, "num_channels": [8, 16], "attention_levels": [False, False], "num_head_channels": [0, 8],
    "num_res_blocks": 1, "norm_num_groups": 8, "use_flash_attention": False, "num_class_embeds": 8, "resblock_updown": True,
    "include_fc": True,
}
SETTINGS: Dict[str, Any] = {
    "output_size": [16, 16, 16], "spacing": [8.0, 8.0, 8.0], "modality": 1, "intensity": [-1000, 1000], "body_label": 200,
    "anchor_labels": [1], "label_dict": {"left eye": 1, "right eye": 2, "body": 200}, "label_remap": {"9": 0},
    "noise_scheduler": {"_target_": "monai.networks.schedulers.rectified_flow.RFlowScheduler", "use_discrete_timesteps": False},
    "autoencoder_def": {
        "_target_": PACKAGE + "autoencoderkl_maisi.AutoencoderKlMaisi", "spatial_dims": 3, "in_channels": 1, "out_channels": 1,
        "latent_channels": 4, "num_channels": [4, 8], "num_res_blocks": [1, 1], "norm_num_groups": 4, "attention_levels": [False, False],
        "num_splits": 1, "with_encoder_nonlocal_attn": False, "with_decoder_nonlocal_attn": False, "norm_float16": False, "use_convtranspose": False,
    },
    "diffusion_unet_def": {
        "_target_": PACKAGE + "diffusion_model_unet_maisi.DiffusionModelUNetMaisi", **DENOISER, "out_channels": 4,
        "include_top_region_index_input": False, "include_bottom_region_index_input": False, "include_spacing_input": True,
    },
    "controlnet_def": {
        "_target_": PACKAGE + "controlnet_maisi.ControlNetMaisi", **DENOISER, "conditioning_embedding_in_channels": 8,
        "conditioning_embedding_num_channels": [8, 16],
    },
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of networks that have learned nothing, and two patients."""
    for folder in ("configs", "models", "data"):
        (tmp_path / folder).mkdir()
    for name in ("train.json", "multi_gpu_train.json"):
        (tmp_path / "configs" / name).write_text((TEMPLATES / name).read_text())
    (tmp_path / "configs/inference.json").write_text(json.dumps(SETTINGS))
    parser = ConfigParser(SETTINGS)
    torch.manual_seed(0)
    network = {name: parser.get_parsed_content(name + "_def") for name in ("autoencoder", "diffusion_unet", "controlnet")}
    torch.nn.init.normal_(network["diffusion_unet"].out[2].conv.weight, std=0.1)  # zero in a new network, which lets no gradient through
    weights = {name: {key: value.half() for key, value in made.state_dict().items()} for name, made in network.items()}
    torch.save(weights["autoencoder"], tmp_path / "models/autoencoder.pt")
    torch.save({"scale_factor": 0.5, "unet_state_dict": weights["diffusion_unet"]}, tmp_path / "models/diff_unet_3d.pt")
    torch.save({"controlnet_state_dict": weights["controlnet"]}, tmp_path / "models/controlnet_3d.pt")
    random = np.random.default_rng(1)
    for i in range(2):
        label = np.zeros((20, 18, 16), np.uint8)
        label[6:8, 8:10, 7:9], label[12:14, 8:10, 7:9], label[0, 0, 0] = 1, 2, 9
        image = np.full(label.shape, -1000, np.int16)
        image[3:17, 3:15, 3:13] = random.normal(50, 20, (14, 12, 10))
        for kind, voxels in (("image", image), ("label", label)):
            nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-8.0, -8.0, 8.0, 1.0])), tmp_path / ("data/%s%d.nii.gz" % (kind, i)))
    records = [{"image": "image%d.nii.gz" % i, "label": "label%d.nii.gz" % i} for i in range(2)]
    (tmp_path / "data/dataset.json").write_text(json.dumps({"training": records}))
    return tmp_path


def run(bundle: Path, launcher: List[str], configs: List[str], *options: str) -> str:
    path = os.pathsep.join([str(ROOT / "python"), *EXTRA])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [*launcher, "-m", "monai.bundle", "run", "--config_file", str(["configs/" + name for name in configs])]
    command += ["--learning_rate", "0.001", *options]
    done = subprocess.run(command, cwd=bundle, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def controlnet(path: Path) -> Dict[str, Any]:
    return torch.load(path, map_location="cpu")["controlnet_state_dict"]


def differs(left: Dict[str, Any], right: Dict[str, Any]) -> bool:
    return any(not torch.equal(left[name], right[name]) for name in left)


def test_one_process_writes_the_controlnet_back(bundle: Path) -> None:
    start = {name: (bundle / "models" / name).read_bytes() for name in ("autoencoder.pt", "diff_unet_3d.pt", "controlnet_3d.pt")}
    printed = run(bundle, [sys.executable], ["train.json"], "--max_epochs", "2")
    assert printed.count("train_loss:") == 2 * 4, "two cases and their mirror images, twice"
    assert (bundle / "models/autoencoder.pt").read_bytes() == start["autoencoder.pt"]
    assert (bundle / "models/diff_unet_3d.pt").read_bytes() == start["diff_unet_3d.pt"]
    assert (bundle / "training/controlnet_3d.before.pt").read_bytes() == start["controlnet_3d.pt"]
    learned = controlnet(bundle / "models/controlnet_3d.pt")
    assert differs(learned, controlnet(bundle / "training/controlnet_3d.before.pt"))
    assert {value.dtype for value in learned.values()} == {torch.float16}

    (bundle / "models/controlnet_3d.pt").write_bytes(start["controlnet_3d.pt"])
    run(bundle, [sys.executable], ["train.json"], "--max_epochs", "2")
    assert not differs(controlnet(bundle / "models/controlnet_3d.pt"), learned), "an equal seed gives equal bits"

    last = "training/controlnet_checkpoint_epoch=2.pt"
    printed = run(bundle, [sys.executable], ["train.json"], "--max_epochs", "1", "--resume_from", last)
    assert "Restored all variables" in printed
    printed = run(bundle, [sys.executable], ["train.json"], "--max_epochs", "1", "--network", "diffusion_unet")
    assert (bundle / "training/diff_unet_3d.before.pt").read_bytes() == start["diff_unet_3d.pt"]
    checkpoint = torch.load(bundle / "models/diff_unet_3d.pt")
    assert checkpoint["scale_factor"] == 0.5
    assert differs(checkpoint["unet_state_dict"], torch.load(bundle / "training/diff_unet_3d.before.pt")["unet_state_dict"])


def test_two_processes_end_with_equal_weights(bundle: Path) -> None:
    keep = "$torch.save({'controlnet_state_dict': @train#network.module.state_dict()}, @output_dir + '/rank%d.pt' % @rank)"
    (bundle / "configs/keep.json").write_text(json.dumps({"finalize": [keep, "$dist.destroy_process_group()"]}))
    # -r 1 -t 1: without them PyTorch 1.13 starts nothing under Python 3.11.
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "-r", "1", "-t", "1", "--nproc_per_node=2"]
    printed = run(bundle, launcher, ["train.json", "multi_gpu_train.json", "keep.json"], "--max_epochs", "2")
    assert printed.count("train_loss:") == 2 * 2, "each process takes half of the four cases, and the first one reports"
    ranks = [controlnet(bundle / ("training/rank%d.pt" % rank)) for rank in range(2)]
    assert not differs(*ranks)
    written = controlnet(bundle / "models/controlnet_3d.pt")
    assert not differs({name: value.half() for name, value in ranks[0].items()}, written)
    assert differs(written, controlnet(bundle / "training/controlnet_3d.before.pt"))
