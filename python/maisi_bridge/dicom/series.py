"""A DICOM series as one volume: slices in order along their normal, every doubt refused."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import pydicom

from maisi_bridge.dicom import DicomError
from maisi_bridge.dicom.slices import NATIVE, Folder, Slice, scan, transfer_syntax
from maisi_bridge.session import cancelled, progress

# Positions are written with few digits: a step may differ from the others by this part of it.
_UNEVEN = 0.05
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def inspect(folder: str, series: Optional[str] = None) -> Dict[str, Any]:
    """Size, place and files of the series in a folder, in order; no pixel is read."""
    found, slices = choose(folder, series)
    ordered, affine, warnings = arrange(slices, folder)
    head = ordered[0].header
    if found.skipped:
        warnings.append("passed over: " + ", ".join("%d %s" % (len(files), reason) for reason, files in sorted(found.skipped.items())))
    return {
        "size": [int(head.Columns), int(head.Rows), len(ordered)],
        "affine": [float(v) for v in affine.reshape(-1)],
        "dtype": _voxel_type(ordered),
        "stored": "%sint%d" % ("" if int(head.get("PixelRepresentation") or 0) else "u", int(head.get("BitsAllocated") or 16)),
        "files": [s.path for s in ordered],
        "slopes": [s.slope for s in ordered],
        "intercepts": [s.intercept for s in ordered],
        "uid": str(head.SeriesInstanceUID),
        "modality": str(head.get("Modality") or ""),
        "description": str(head.get("SeriesDescription") or ""),
        "warnings": warnings,
    }


def load(files: List[str], slopes: List[float], intercepts: List[float], voxels: np.ndarray) -> bool:
    """Fills ``voxels`` [Z,Y,X] with rescaled values; False when a value does not fit its integer type."""
    for z, file in enumerate(files):
        if cancelled():
            raise KeyboardInterrupt
        progress(z / len(files), stage="slices")
        pixels = _pixels(file)
        if pixels.shape != voxels.shape[1:]:
            raise DicomError("a slice has %s pixels and its series has %s" % (pixels.shape, voxels.shape[1:]), file)
        if slopes[z] == 1 and intercepts[z] == 0:
            values = pixels
        elif voxels.dtype.kind == "i":
            values = pixels.astype(np.int64) * int(slopes[z]) + int(intercepts[z])
        else:
            values = pixels * np.float64(slopes[z]) + np.float64(intercepts[z])
        if voxels.dtype.kind == "i":
            limits = np.iinfo(voxels.dtype)
            if values.min() < limits.min or values.max() > limits.max:
                return False
        voxels[z] = values
    return True


def choose(folder: str, series: Optional[str]) -> Tuple[Folder, List[Slice]]:
    """The slices of the one series in a folder, or of the one that was asked for."""
    if not os.path.isdir(folder):
        raise DicomError("there is no such folder", folder)
    found = scan(folder)
    if found.damaged:
        listed = "\n  ".join(found.damaged[:10])
        raise DicomError("%d DICOM file(s) are damaged or not supported:\n  %s" % (len(found.damaged), listed), folder, "copy the series again, or take these files out")
    if not found.series:
        seen = ", ".join("%d %s" % (len(files), reason) for reason, files in sorted(found.skipped.items()))
        hint = "multi-frame (enhanced) objects are not read: make single frames of them, for example with emf2sf" if "multi-frame objects" in found.skipped else None
        raise DicomError("the folder has no DICOM images that form a volume (%s)" % seen, folder, hint)
    if series is not None and series not in found.series:
        raise DicomError("the folder has no series %s; it has:\n  %s" % (series, _list(found)), folder)
    if series is None and len(found.series) > 1:
        raise DicomError("the folder has %d series:\n  %s" % (len(found.series), _list(found)), folder, "choose one with --series UID")
    return found, found.series[series] if series is not None else next(iter(found.series.values()))


def arrange(slices: List[Slice], folder: str) -> Tuple[List[Slice], np.ndarray, List[str]]:
    """Slices in order along their normal, the RAS affine [4,4], and warnings."""
    kinds: Dict[Any, List[Slice]] = {}
    for s in slices:
        kinds.setdefault(s.kind, []).append(s)
    if len(kinds) > 1:
        listed = "\n  ".join("%d of %d x %d pixels, spacing %s, rows along %s" % (len(k), key[1], key[0], key[2], key[3][:3]) for key, k in kinds.items())
        raise DicomError("the images of the series do not form one volume:\n  %s" % listed, folder, "keep one kind, and take the others (often the scout) out of the folder")
    first = slices[0]
    normal = np.cross(first.row, first.column)
    ordered = sorted(slices, key=lambda s: float(s.position @ normal))
    warnings: List[str] = []
    step = _step(ordered, normal, folder, warnings)
    matrix = np.eye(4)
    matrix[:3, 0] = first.row * first.spacing[1]
    matrix[:3, 1] = first.column * first.spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = ordered[0].position
    matrix[:3] = _LPS_TO_RAS @ matrix[:3]
    return ordered, matrix, warnings


def _step(ordered: List[Slice], normal: np.ndarray, folder: str, warnings: List[str]) -> np.ndarray:
    if len(ordered) == 1:
        head = ordered[0].header
        thickness = float(head.get("SpacingBetweenSlices") or head.get("SliceThickness") or 0)
        if thickness <= 0:
            raise DicomError("the series is one slice of unknown thickness", folder)
        warnings.append("the series is one slice; its thickness is taken as spacing")
        return np.asarray(normal * thickness)
    places = np.array([s.position for s in ordered])
    heights = places @ normal
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    _refuse_duplicates(ordered, gaps, max(usual, float(gaps.max())), folder)
    missing = [z for z, gap in enumerate(gaps) if gap > usual * 1.5]
    if missing:
        listed = "\n  ".join("%d missing between %s and %s" % (round(gaps[z] / usual) - 1, _name(ordered[z]), _name(ordered[z + 1])) for z in missing[:10])
        raise DicomError("slices are missing (step %.3f mm):\n  %s" % (usual, listed), folder, "copy the whole series")
    uneven = [z for z, gap in enumerate(gaps) if abs(gap - usual) > max(_UNEVEN * usual, 0.01)]
    if uneven:
        raise DicomError("the distance between slices is not even: %.3f mm, but %.3f mm after %s" % (usual, gaps[uneven[0]], _name(ordered[uneven[0]])), folder,
                         "resample the series to even slices where it was made")
    step = (places[-1] - places[0]) / (len(ordered) - 1)
    off = np.abs(places - (places[0] + np.arange(len(ordered))[:, None] * step)).max()
    if off > max(_UNEVEN * usual, 0.01):
        raise DicomError("the slices do not lie on a line: one is %.3f mm off" % off, folder)
    tilt = float(np.degrees(np.arctan2(np.linalg.norm(step - (step @ normal) * normal), step @ normal)))
    if tilt > 0.1:
        warnings.append("the gantry was tilted by %.1f degrees: the affine is sheared and places every voxel right; resample --like an image with straight axes before use "
                        "with a network" % tilt)
    return np.asarray(step)


def _refuse_duplicates(ordered: List[Slice], gaps: np.ndarray, largest: float, folder: str) -> None:
    twice = [z for z, gap in enumerate(gaps) if gap < max(1e-3, 0.01 * largest)]
    if twice:
        listed = "\n  ".join("%s and %s" % (_name(ordered[z]), _name(ordered[z + 1])) for z in twice[:10])
        raise DicomError("%d position(s) have more than one slice:\n  %s" % (len(twice), listed), folder, "keep one of each: a copy, another phase, or another reconstruction")


def _voxel_type(slices: List[Slice]) -> str:
    whole = all(s.slope == int(s.slope) and s.intercept == int(s.intercept) for s in slices)
    return "int16" if whole and all(int(s.header.get("BitsAllocated") or 16) <= 16 for s in slices) else "int32" if whole else "float32"


def _pixels(file: str) -> np.ndarray:
    try:
        data = pydicom.dcmread(file)
    except Exception as error:
        raise DicomError("a slice cannot be read: %s" % error, file) from error
    try:
        return np.asarray(data.pixel_array)
    except Exception as error:
        syntax = transfer_syntax(data)
        if syntax not in ("", *NATIVE):
            raise DicomError("the pixels are compressed (%s), which this Python cannot unpack" % pydicom.uid.UID(syntax).name, file,
                             "install pylibjpeg or gdcm for it, or unpack the series with dcmdjpeg") from error
        raise DicomError("the pixels cannot be read: %s" % str(error).split("\n")[0], file, "copy the series again") from error


def _list(found: Folder) -> str:
    lines = []
    for uid, slices in found.series.items():
        h = slices[0].header
        lines.append("%s: %s %s '%s', %d images" % (uid, h.get("Modality") or "", h.get("SeriesNumber") or "", h.get("SeriesDescription") or "", len(slices)))
    return "\n  ".join(lines)


def _name(s: Slice) -> str:
    return "%s (%.2f mm)" % (os.path.basename(s.path), float(s.position @ np.cross(s.row, s.column)))
