"""One iteration: noise the latents of a batch, and ask the networks what was added."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import torch
from monai.inferers import Inferer
from monai.networks.schedulers import RFlowScheduler
from monai.networks.schedulers.ddpm import DDPMPredictionType
from monai.networks.schedulers.scheduler import Scheduler

BITS = 8
_SPACING_UNITS = 100  # the UNet is told hundredths of a millimetre


def condition_planes(labels: torch.Tensor) -> torch.Tensor:
    """Label codes [B, 1, X, Y, Z] as bit planes [B, 8, X, Y, Z], the least significant bit first: what the ControlNet sees."""
    codes = labels.to(torch.int64)
    return torch.cat([(codes >> bit) & 1 for bit in range(BITS)], 1).to(torch.float32)


class PrepareLatents:
    """``prepare_batch`` of MONAI's trainer: noised latents, what the network should say to them, and the conditions.

    Batches hold ``mean`` and ``spread`` [B, C, x, y, z] of latents and ``label`` [B, 1, X, Y, Z], as :class:`EncodeLatentd` makes them.

    Args:
        scheduler: RFlowScheduler, which teaches images - noise, or DDPMScheduler, whose prediction_type says what is taught.
        scale_factor: what latents are multiplied with.
        modality: MAISI's code of the modality, the class of every image.
        spacing: millimetres of a voxel of the images along x, y, z.
        body_label: code of the body's envelope.
        body_dropout: share of batches that see the organs without the envelope.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        scale_factor: float,
        modality: int,
        spacing: Sequence[float],
        body_label: int = 200,
        body_dropout: float = 0.0,
    ) -> None:
        self.scheduler = scheduler
        self.scale_factor = scale_factor
        self.modality = modality
        self.spacing = tuple(float(s) * _SPACING_UNITS for s in spacing)
        self.body_label = body_label
        self.body_dropout = body_dropout

    def __call__(
        self, batchdata: Mapping[str, torch.Tensor], device: Any = None, non_blocking: bool = False, **kwargs: Any
    ) -> Tuple[torch.Tensor, torch.Tensor, Tuple[()], Dict[str, torch.Tensor]]:
        """Noisy latents, target, no further arguments, and the keyword arguments of :class:`Denoiser`."""
        moved = [batchdata[key].to(device=device, non_blocking=non_blocking, **kwargs) for key in ("mean", "spread", "label")]
        mean, spread, labels = moved
        latents = (mean + spread * torch.randn_like(mean)) * self.scale_factor
        if torch.rand(()).item() < self.body_dropout:
            labels = labels.masked_fill(labels == self.body_label, 0)
        noise, timesteps = torch.randn_like(latents), self.timesteps(latents)
        noisy, target = self.corrupt(latents, noise, timesteps)
        return noisy, target, (), self.conditions(labels, timesteps)

    def timesteps(self, latents: torch.Tensor) -> torch.Tensor:
        """A random timestep [B] for each latent."""
        if isinstance(self.scheduler, RFlowScheduler):
            return self.scheduler.sample_timesteps(latents)
        return torch.randint(0, self.scheduler.num_train_timesteps, (latents.shape[0],), device=latents.device)

    def corrupt(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Latents noised to given timesteps, and the target of the same shape."""
        noisy = self.scheduler.add_noise(original_samples=latents, noise=noise, timesteps=timesteps)
        if isinstance(self.scheduler, RFlowScheduler):
            return noisy, latents - noise
        if self.scheduler.prediction_type == DDPMPredictionType.EPSILON:
            return noisy, noise
        if self.scheduler.prediction_type == DDPMPredictionType.SAMPLE:
            return noisy, latents
        return noisy, self.scheduler.get_velocity(latents, noise, timesteps)

    def conditions(self, labels: torch.Tensor, timesteps: torch.Tensor) -> Dict[str, torch.Tensor]:
        """What the networks are told beside the noisy latent."""
        batch = labels.shape[0]
        return {
            "timesteps": timesteps,
            "controlnet_cond": condition_planes(labels),
            "class_labels": torch.full((batch,), self.modality, dtype=torch.int64, device=labels.device),
            "spacing_tensor": torch.tensor([self.spacing] * batch, dtype=torch.float32, device=labels.device),
        }


class Denoiser(Inferer):
    """``inferer`` of MONAI's trainer: asks the ControlNet and, with what it says, the frozen UNet; or the UNet alone, when that is trained.

    Args:
        diffusion_unet: the UNet to freeze when a ControlNet is trained; None when the trained network is the UNet.
    """

    def __init__(self, diffusion_unet: Optional[torch.nn.Module] = None) -> None:
        super().__init__()
        self.diffusion_unet = None if diffusion_unet is None else diffusion_unet.requires_grad_(False).eval()

    def __call__(  # type: ignore[override]
        self,
        inputs: torch.Tensor,
        network: torch.nn.Module,
        *,
        timesteps: torch.Tensor,
        controlnet_cond: torch.Tensor,
        class_labels: torch.Tensor,
        spacing_tensor: torch.Tensor,
    ) -> torch.Tensor:
        """The prediction [B, C, x, y, z] for noisy latents; ``network`` is what is trained."""
        told = {"x": inputs, "timesteps": timesteps, "class_labels": class_labels}
        if self.diffusion_unet is None:
            return network(**told, spacing_tensor=spacing_tensor)
        down, mid = network(**told, controlnet_cond=controlnet_cond)
        return self.diffusion_unet(
            **told, spacing_tensor=spacing_tensor, down_block_additional_residuals=tuple(down), mid_block_additional_residual=mid
        )
