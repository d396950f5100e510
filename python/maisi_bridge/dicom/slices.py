"""What a folder holds: the headers of its DICOM images, and what else lies there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from maisi_bridge.dicom import DicomError
from maisi_bridge.session import cancelled, progress

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "Modality", "SeriesNumber", "SeriesDescription",
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription",
    "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation", "NumberOfFrames", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "GantryDetectorTilt", "InstanceNumber",
]

# Transfer syntaxes with pixels as they are; no compression of the others expands further than deflate.
NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
_EXPANSION = 1032


def transfer_syntax(data: pydicom.Dataset) -> str:
    """The UID of the encoding; empty when the file does not say it."""
    return str(getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", ""))


@dataclass
class Slice:
    """One image of a series. Vectors are DICOM's (LPS), in mm."""

    path: str
    header: pydicom.Dataset
    position: np.ndarray
    row: np.ndarray
    column: np.ndarray
    spacing: Tuple[float, float]
    slope: float
    intercept: float

    @property
    def kind(self) -> Tuple[Any, ...]:
        """What all slices of a volume have in common."""
        h = self.header
        turned = tuple(round(float(v), 3) + 0.0 for v in (*self.row, *self.column))
        return (int(h.Rows), int(h.Columns), tuple(round(s, 4) for s in self.spacing), turned)


@dataclass
class Folder:
    """What was found: images by series, and files that are no image of a volume, with the reason."""

    path: str
    series: Dict[str, List[Slice]] = field(default_factory=dict)
    skipped: Dict[str, List[str]] = field(default_factory=dict)
    damaged: List[str] = field(default_factory=list)

    def skip(self, reason: str, path: str) -> None:
        """Notes a file that is passed over."""
        self.skipped.setdefault(reason, []).append(path)


def scan(path: str) -> Folder:
    """Reads all headers below a folder. A DICOM file that cannot be read is noted, and is for the caller to refuse."""
    found = Folder(path)
    files = sorted(os.path.join(root, name) for root, _, names in os.walk(path) for name in names)
    if not files:
        raise DicomError("the folder is empty", path)
    for number, file in enumerate(files):
        if cancelled():
            raise KeyboardInterrupt
        if number % 50 == 0:
            progress(number / len(files), stage="headers")
        _add(found, file)
    return found


def _add(found: Folder, file: str) -> None:
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)
        header.decode()
        usable = "ImagePositionPatient" in header and "Rows" in header
        if int(header.get("NumberOfFrames") or 1) > 1:
            found.skip("multi-frame objects", file)
        elif usable:
            found.series.setdefault(str(header.SeriesInstanceUID), []).append(_slice(file, header))
        else:
            found.skip("DICOM objects without a place in the patient", file)
    except InvalidDicomError:
        found.skip("other files", file)
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever a damaged byte leads to
        found.damaged.append("%s (%s)" % (os.path.relpath(file, found.path), str(error).split("\n")[0][:120]))


def _slice(file: str, header: pydicom.Dataset) -> Slice:
    orientation = _numbers(header, "ImageOrientationPatient", 6)
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if any(abs(n - 1) > 0.01 for n in lengths) or abs(row @ column) > 0.01:
        raise ValueError("ImageOrientationPatient is not two perpendicular directions")
    spacing = _numbers(header, "PixelSpacing", 2)
    if spacing.min() <= 0:
        raise ValueError("PixelSpacing is not positive")
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise ValueError("a colour image")
    slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        raise ValueError("RescaleSlope or RescaleIntercept is no usable number")
    if int(header.Rows) < 1 or int(header.Columns) < 1:
        raise ValueError("an image without pixels")
    for name in ("BitsAllocated", "PixelRepresentation", "SliceThickness", "SpacingBetweenSlices"):
        float(header.get(name) or 0)
    most = os.path.getsize(file) * (1 if transfer_syntax(header) in NATIVE else _EXPANSION)
    if int(header.Rows) * int(header.Columns) * int(header.get("BitsAllocated") or 16) > most * 8:
        raise ValueError("%d x %d pixels, which the file cannot hold" % (int(header.Columns), int(header.Rows)))
    position = _numbers(header, "ImagePositionPatient", 3)
    return Slice(file, header, position, row / lengths[0], column / lengths[1], (spacing[0], spacing[1]), slope, intercept)


def _numbers(header: pydicom.Dataset, name: str, count: int) -> np.ndarray:
    value = header.get(name)
    values = np.array([float(v) for v in value] if value is not None else [], dtype=np.float64)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ValueError("%s is missing or not %d numbers" % (name, count))
    return values
