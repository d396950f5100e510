"""Cases on the bundle's grid: where the organs lie, the body round them, the mirror image, the latent. Nothing here is random."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import SpatialResample, Transform
from scipy import ndimage

_AIR = -800.0  # HU
_TABLE_BOX = 5  # voxels


def with_mirror_images(records: Iterable[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Every record of a datalist twice, the second time to be seen in a mirror (:class:`Mirrord`); files must be there."""
    records = list(records)
    missing = [record[key] for record in records for key in ("image", "label") if key not in record or not os.path.isfile(record[key])]
    if missing or not records:
        what = "the datalist has no cases"
        if missing:
            what = "%d files of the datalist are not there, the first is %s" % (len(missing), missing[0])
        raise FileNotFoundError(what + ": name the folder of the data (dataset_dir) and the list (data_list_file_path)")
    return [{**record, "mirrored": mirrored} for record in records for mirrored in (False, True)]


class AnatomyGridd(Transform):
    """Samples ``image`` (linear) and ``label`` (nearest) on a grid centred on the bounding box of the anchor labels, else of all labels.

    Both are in RAS and on one grid; they come out as plain tensors [1, X, Y, Z].

    Args:
        size: voxels along x, y, z.
        spacing: millimetres along x, y, z.
        codes: the label codes that the bundle knows.
        anchors: labels to centre on.
        outside: the image where there is none.
        body_label: code of the body's envelope, known too.
    """

    def __init__(
        self,
        size: Sequence[int],
        spacing: Sequence[float],
        codes: Sequence[int],
        anchors: Sequence[int],
        outside: float,
        body_label: int = 0,
    ) -> None:
        self.size = tuple(int(n) for n in size)
        self.spacing = np.asarray(spacing, dtype=float)
        self.known = np.array([0, body_label, *codes])
        self.anchors = list(anchors)
        self.outside = float(outside)

    def __call__(self, data: Mapping[str, Any]) -> Dict[str, Any]:
        image, label = data["image"], data["label"]
        name = label.meta.get("filename_or_obj", "the label map")
        if image.shape != label.shape or not np.allclose(image.affine, label.affine, atol=1e-2):
            raise ValueError("image and label map do not lie on the same grid: resample %s to its image" % name)
        unknown = np.setdiff1d(np.unique(label.numpy()), self.known)
        if unknown.size:
            raise ValueError("%s has code %g, which the bundle does not know: add it to label_dict or label_remap" % (name, unknown[0]))
        affine = self._affine(label, str(name))
        sample: Dict[str, Any] = {"spatial_size": self.size, "dst_affine": affine, "dtype": torch.float64}
        # Nearest sampling of ones tells where the image ends: more than half a voxel beyond its border.
        inside = SpatialResample(mode="nearest", padding_mode="zeros")(image.clone().fill_(1), **sample).as_tensor() > 0.5
        image = SpatialResample(mode="bilinear", padding_mode="border")(image, **sample).as_tensor()
        label = SpatialResample(mode="nearest", padding_mode="zeros")(label, **sample).as_tensor()
        return {**data, "image": torch.where(inside, image, self.outside).float(), "label": label.to(torch.uint8)}

    def _affine(self, label: MetaTensor, name: str) -> np.ndarray:
        codes = label.numpy()[0]
        wanted = np.isin(codes, self.anchors) & (codes != 0)
        where = np.argwhere(wanted if wanted.any() else codes != 0)
        if not len(where):
            raise ValueError("%s is empty, every voxel is 0: give a map in which organs are labelled" % name)
        middle = np.asarray(label.affine, dtype=float) @ np.append((where.min(0) + where.max(0)) / 2, 1)
        affine = np.diag([*self.spacing, 1.0])
        affine[:3, 3] = middle[:3] - (np.asarray(self.size) - 1) / 2 * self.spacing
        return affine


class AddBodyd(Transform):
    """Labels the body where ``image`` (HU) shows tissue and ``label`` is 0: the envelope that MAISI's ControlNet is told.

    The air of the room is the largest piece below -800 HU; boxes of ``table_box`` voxels free the body from the table.
    """

    def __init__(self, body_label: int, table_box: int = _TABLE_BOX) -> None:
        self.body_label = body_label
        self.table_box = table_box

    def __call__(self, data: Mapping[str, Any]) -> Dict[str, Any]:
        image, label = np.asarray(data["image"])[0], np.asarray(data["label"])[0]
        air = _close(_largest(image < _AIR)) & (label == 0)
        box = np.ones((self.table_box,) * 3, dtype=bool)
        body = ndimage.binary_dilation(_largest(ndimage.binary_erosion(~air, box)), box)
        body = _close(body) & (label == 0)
        return {**data, "label": torch.from_numpy(np.where(body, self.body_label, label).astype(np.uint8))[None]}


class Mirrord(Transform):
    """Turns cases whose ``mirrored`` is true left to right, and takes "left ..." for "right ..." among the labels.

    Args:
        label_dict: names and codes of the labels.
    """

    def __init__(self, label_dict: Mapping[str, int]) -> None:
        names = {name.lower(): code for name, code in label_dict.items()}
        self.partner = torch.arange(256, dtype=torch.uint8)
        for name, code in names.items():
            other = names.get(name.replace("left", "right")) if "left" in name else None
            if other is not None:
                self.partner[code], self.partner[other] = other, code

    def __call__(self, data: Mapping[str, Any]) -> Dict[str, Any]:
        if not data["mirrored"]:
            return dict(data)
        return {**data, "image": data["image"].flip(1), "label": self.partner[data["label"].flip(1).long()]}


class EncodeLatentd(Transform):
    """What the iteration needs of a case: ``mean`` and ``spread`` of the latent of ``image`` [1, X, Y, Z], and ``label`` as uint8.

    Args:
        autoencoder: the bundle's autoencoder, frozen.
        device: where it encodes; the latents come back to the CPU.
    """

    def __init__(self, autoencoder: torch.nn.Module, device: Optional[torch.device] = None) -> None:
        self.autoencoder = autoencoder.requires_grad_(False).eval()
        self.device = device

    def __call__(self, data: Mapping[str, Any]) -> Dict[str, torch.Tensor]:
        image = torch.as_tensor(data["image"], dtype=torch.float32, device=self.device)
        with torch.no_grad():
            mean, spread = self.autoencoder.encode(image[None])
        return {"mean": mean[0].cpu(), "spread": spread[0].cpu(), "label": torch.as_tensor(data["label"]).to(torch.uint8)}


def _close(mask: np.ndarray) -> np.ndarray:
    box = np.ones((3, 3, 3), dtype=bool)
    return ndimage.binary_erosion(ndimage.binary_dilation(mask, box), box, border_value=1)


def _largest(mask: np.ndarray) -> np.ndarray:
    pieces, count = ndimage.label(mask, np.ones((3, 3, 3)))
    if count == 0:
        return mask
    sizes = np.bincount(pieces.ravel())[1:]
    return pieces == count - int(np.argmax(sizes[::-1]))  # of equals the last
