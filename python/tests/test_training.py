"""What MONAI's trainer takes from us to fine-tune a bundle. MAISI_MONAI names folders with MONAI, ignite and einops, joined by colons."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict

import numpy as np
import pytest

sys.path[:0] = [folder for folder in os.environ.get("MAISI_MONAI", "").split(os.pathsep) if folder]
torch = pytest.importorskip("torch", reason="torch is not installed")
for package in ("monai", "ignite", "einops", "scipy"):
    pytest.importorskip(package, reason="%s is not installed, and MAISI_MONAI names no folder with it" % package)

from monai.apps.generation.maisi.networks.controlnet_maisi import ControlNetMaisi  # noqa: E402
from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import DiffusionModelUNetMaisi  # noqa: E402
from monai.data import MetaTensor  # noqa: E402
from monai.networks.schedulers import DDPMScheduler, RFlowScheduler  # noqa: E402

from maisi_bridge import training  # noqa: E402

ROOT = Path(__file__).parents[2]
SMALL: Dict[str, Any] = {
    "spatial_dims": 3, "in_channels": 4, "num_channels": [8, 16], "attention_levels": [False, False], "num_head_channels": [0, 8],
    "num_res_blocks": 1, "norm_num_groups": 8, "use_flash_attention": False, "num_class_embeds": 8, "resblock_updown": True,
    "include_fc": True,
}


def unet() -> DiffusionModelUNetMaisi:
    torch.manual_seed(1)
    return DiffusionModelUNetMaisi(
        **SMALL, out_channels=4, include_top_region_index_input=False, include_bottom_region_index_input=False, include_spacing_input=True
    )


def controlnet() -> ControlNetMaisi:
    torch.manual_seed(2)
    return ControlNetMaisi(**SMALL, conditioning_embedding_in_channels=8, conditioning_embedding_num_channels=[8, 16, 16])


def golden(name: str) -> Dict[str, np.ndarray]:
    with open(ROOT / "tests/fixtures/golden" / (name + ".safetensors"), "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    kinds = {"F32": np.float32, "U8": np.uint8, "I64": np.int64, "I32": np.int32, "I16": np.int16}
    return {
        name: np.frombuffer(data[entry["data_offsets"][0]:entry["data_offsets"][1]], kinds[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items() if name != "__metadata__"
    }


def test_planes_are_the_bits_of_the_code():
    planes = training.condition_planes(torch.tensor([0, 1, 200], dtype=torch.uint8).reshape(1, 1, 3, 1, 1))
    assert planes.shape == (1, 8, 3, 1, 1)
    assert planes.dtype == torch.float32
    assert planes[0, :, :, 0, 0].T.tolist() == [[0] * 8, [1] + [0] * 7, [0, 0, 0, 1, 0, 0, 1, 1]]


def test_body_envelope_equals_maisi():
    arrays = golden("util_body_envelope")
    made = training.AddBodyd(200, table_box=3)({"image": arrays["in/ct"][None], "label": arrays["in/seg"][None]})
    assert np.array_equal(made["label"][0].numpy(), arrays["out/no_lung_k3"])


def case(spacing: float = 2.0) -> Dict[str, Any]:
    label = np.zeros((1, 12, 10, 8), np.float32)
    label[0, 6:8, 4:6, 2:4] = 3
    label[0, 1, 1, 1] = 4
    image = np.arange(label.size, dtype=np.float32).reshape(label.shape)
    affine = np.diag([spacing] * 3 + [1.0])
    grid = {"affine": torch.from_numpy(affine)}
    return {"image": MetaTensor(torch.from_numpy(image), **grid), "label": MetaTensor(torch.from_numpy(label), **grid)}


def test_the_grid_is_centred_on_the_anchors():
    made = training.AnatomyGridd([4, 4, 4], [2, 2, 2], codes=[3, 4], anchors=[3], outside=-1000)(case())
    assert type(made["image"]) is torch.Tensor and made["image"].dtype == torch.float32 and made["label"].dtype == torch.uint8
    assert torch.allclose(made["image"][0], case()["image"].as_tensor()[0, 5:9, 3:7, 1:5])
    assert made["label"].sum() == 3 * 8 and made["label"][0, 1:3, 1:3, 1:3].eq(3).all()


def test_beyond_the_image_is_air():
    made = training.AnatomyGridd([24, 4, 4], [2, 2, 2], codes=[3, 4], anchors=[3], outside=-1000)(case())
    air = made["image"][0, :, 0, 0] == -1000
    assert air.tolist() == [True] * 5 + [False] * 12 + [True] * 7


def test_cases_that_do_not_fit_are_refused():
    grid = training.AnatomyGridd([4, 4, 4], [2, 2, 2], codes=[3], anchors=[3], outside=-1000)
    with pytest.raises(ValueError, match="code 4.*label_remap"):
        grid(case())
    with pytest.raises(ValueError, match="same grid"):
        grid({"image": case(2)["image"], "label": case(3)["label"]})
    with pytest.raises(ValueError, match="empty"):
        grid({**case(), "label": case()["label"] * 0})
    with pytest.raises(FileNotFoundError, match="2 files.*no_image.*dataset_dir"):
        training.with_mirror_images([{"image": "no_image", "label": "no_label"}])
    with pytest.raises(FileNotFoundError, match="no cases"):
        training.with_mirror_images([])


def test_the_mirror_exchanges_left_and_right():
    mirror = training.Mirrord({"Left eye": 1, "right eye": 2, "nose": 3, "left ear": 4})
    data = {"image": torch.arange(4.0).reshape(1, 4, 1, 1), "label": torch.tensor([1, 2, 3, 4], dtype=torch.uint8).reshape(1, 4, 1, 1)}
    turned = mirror({**data, "mirrored": True})
    assert turned["image"].flatten().tolist() == [3, 2, 1, 0]
    assert turned["label"].flatten().tolist() == [4, 3, 1, 2]
    assert mirror({**data, "mirrored": False})["label"].flatten().tolist() == [1, 2, 3, 4]


def test_rectified_flow_teaches_the_velocity():
    prepare = training.PrepareLatents(RFlowScheduler(use_discrete_timesteps=False), 2.0, modality=1, spacing=[1, 1, 2.5])
    latents, noise = torch.full((1, 4, 2, 2, 2), 3.0), torch.full((1, 4, 2, 2, 2), 1.0)
    noisy, target = prepare.corrupt(latents, noise, torch.tensor([250.0]))
    assert torch.allclose(noisy, torch.full_like(noisy, 2.5))
    assert torch.equal(target, torch.full_like(target, 2.0))
    conditions = prepare.conditions(torch.zeros(2, 1, 8, 8, 8), torch.tensor([250.0, 1.0]))
    assert conditions["spacing_tensor"].tolist() == [[100, 100, 250]] * 2
    assert conditions["class_labels"].tolist() == [1, 1]


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_ddpm_teaches_what_its_prediction_type_says(kind: str):
    scheduler = DDPMScheduler(num_train_timesteps=1000, prediction_type=kind)
    latents, noise, timesteps = torch.full((1, 4, 2, 2, 2), 3.0), torch.full((1, 4, 2, 2, 2), 1.0), torch.tensor([500])
    _, target = training.PrepareLatents(scheduler, 1.0, 1, [1, 1, 1]).corrupt(latents, noise, timesteps)
    kept = scheduler.alphas_cumprod[500]
    wanted = {"epsilon": 1.0, "sample": 3.0, "v_prediction": float(kept.sqrt() * 1 - (1 - kept).sqrt() * 3)}[kind]
    assert torch.allclose(target, torch.full_like(target, wanted), atol=1e-5)
    assert 0 <= training.PrepareLatents(scheduler, 1.0, 1, [1, 1, 1]).timesteps(latents).item() < 1000


def test_a_batch_is_scaled_and_the_body_dropped():
    label = torch.full((2, 1, 8, 8, 8), 200, dtype=torch.uint8)
    batch = {"mean": torch.full((2, 4, 2, 2, 2), 3.0), "spread": torch.zeros(2, 4, 2, 2, 2), "label": label}
    scheduler = RFlowScheduler(use_discrete_timesteps=False)
    for dropout, body in ((0.0, 3), (1.0, 0)):
        noisy, target, args, conditions = training.PrepareLatents(scheduler, 2.0, 1, [1, 1, 1], 200, dropout)(batch)
        share = conditions["timesteps"].reshape(2, 1, 1, 1, 1) / 1000
        assert torch.allclose(noisy, 6.0 - share * target, atol=1e-4)  # noisy = latent + share * (noise - latent)
        assert args == ()
        assert conditions["controlnet_cond"].sum(1).unique().tolist() == [body]


def test_only_the_controlnet_learns():
    frozen, taught = unet(), controlnet()
    torch.nn.init.normal_(frozen.out[2].conv.weight)  # zero in a new network, which lets no gradient through
    label = torch.full((1, 1, 16, 16, 16), 5, dtype=torch.uint8)
    batch = {"mean": torch.randn(1, 4, 4, 4, 4), "spread": torch.ones(1, 4, 4, 4, 4), "label": label}
    noisy, target, _, conditions = training.PrepareLatents(RFlowScheduler(use_discrete_timesteps=False), 1.0, 1, [1, 1, 1])(batch)
    torch.nn.functional.l1_loss(training.Denoiser(frozen)(noisy, taught, **conditions), target).backward()
    assert all(parameter.grad is None for parameter in frozen.parameters())
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in taught.parameters())
    alone = unet().train()
    torch.nn.functional.l1_loss(training.Denoiser()(noisy, alone, **conditions), target).backward()
    assert all(parameter.grad is not None for parameter in alone.parameters())


def test_checkpoints_keep_their_form(tmp_path: Path):
    start = unet()
    half = {name: value.half() for name, value in start.state_dict().items()}
    path = tmp_path / "diff_unet_3d.pt"
    torch.save({"scale_factor": 0.75, "num_train_timesteps": 1000, "unet_state_dict": half}, path)
    assert training.scale_factor(path) == 0.75
    network = training.load_network(unet().float(), path)
    assert all(value.dtype == torch.float32 and torch.equal(value, half[name].float()) for name, value in network.state_dict().items())
    with torch.no_grad():
        network.conv_in.conv.bias.fill_(0.5)
    training.BundleCheckpoint(network, path, tmp_path / "training")(SimpleNamespace())
    again = torch.load(path)
    assert (again["scale_factor"], again["num_train_timesteps"]) == (0.75, 1000)
    assert {value.dtype for value in again["unet_state_dict"].values()} == {torch.float16}
    assert again["unet_state_dict"]["conv_in.conv.bias"].eq(0.5).all()
    before = torch.load(tmp_path / "training" / "diff_unet_3d.before.pt")["unet_state_dict"]
    assert torch.equal(before["conv_in.conv.bias"], half["conv_in.conv.bias"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["diff_unet_3d.pt", "training"]


def test_what_is_wrong_with_a_checkpoint_is_said(tmp_path: Path):
    torch.save({"unet_state_dict": {"a": torch.zeros(1)}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="other.pt.*DiffusionModelUNetMaisi.*inference.json"):
        training.load_network(unet(), tmp_path / "other.pt")
    with pytest.raises(ValueError, match="scale_factor"):
        training.scale_factor(tmp_path / "other.pt")
    with pytest.raises(FileNotFoundError, match="missing.pt"):
        training.load_network(unet(), tmp_path / "missing.pt")
    with pytest.raises(ValueError, match="'vae'.*controlnet or diffusion_unet"):
        training.choose("vae", controlnet=1, diffusion_unet=2)


def test_a_loss_that_is_not_finite_stops_the_training():
    state = SimpleNamespace(output={"loss": torch.tensor(float("nan"))}, iteration=7, epoch=2)
    with pytest.raises(FloatingPointError, match="iteration 7 of epoch 2"):
        training.RequireFiniteLoss()(SimpleNamespace(state=state))
    state.output["loss"] = torch.tensor(1.0)
    training.RequireFiniteLoss()(SimpleNamespace(state=state))
