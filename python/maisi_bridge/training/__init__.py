"""What a bundle's ``configs/train.json`` takes from here, beside MONAI's own components, to fine-tune a network of the bundle.

MONAI's ``SupervisedTrainer`` runs the loop. These pieces bring a case onto the bundle's grid (:mod:`cases`), noise its latent and ask the
networks (:mod:`iteration`), and read and write the bundle's checkpoints (:mod:`weights`). Needs MONAI, PyTorch and SciPy.
"""

from __future__ import annotations

from maisi_bridge.training.cases import AddBodyd, AnatomyGridd, EncodeLatentd, Mirrord, with_mirror_images
from maisi_bridge.training.iteration import Denoiser, PrepareLatents, condition_planes
from maisi_bridge.training.weights import BundleCheckpoint, RequireFiniteLoss, choose, load_network, scale_factor

__all__ = [
    "AddBodyd",
    "AnatomyGridd",
    "BundleCheckpoint",
    "Denoiser",
    "EncodeLatentd",
    "Mirrord",
    "PrepareLatents",
    "RequireFiniteLoss",
    "choose",
    "condition_planes",
    "load_network",
    "scale_factor",
    "with_mirror_images",
]
