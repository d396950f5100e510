"""What all objects that are written here share: identity, geometry, codes, colours."""

from __future__ import annotations

import uuid
from typing import Any, Dict, Mapping, Tuple

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from maisi_bridge.dicom import DicomError

# Names the UIDs that are made here; they follow from the content, so that the same volume gives the same object.
_NAMESPACE = uuid.UUID("5c1c5d0e-2f5b-5a0e-9c0b-0f6a8f0d7d11")
_IMPLEMENTATION = "2.25.122477203283846527961386471209513401617"
_SYNTHETIC_DATA = 0x0008001C


def make_uid(*parts: str) -> str:
    """A UID under 2.25 that follows from its parts."""
    return "2.25.%d" % uuid.uuid5(_NAMESPACE, "\0".join(parts)).int


def new_object(sop_class: str, instance: str, modality: str, about: Mapping[str, Any]) -> FileDataset:
    """An object with its identity, patient, study and equipment; ``about`` has the texts."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "MAISI_BRIDGE"
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.is_little_endian, data.is_implicit_VR = True, False
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, instance, modality
    data.PatientID, data.PatientName = about["patient_id"], about["patient_name"]
    data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = data.AccessionNumber = data.StudyID = ""
    data.StudyDate = data.SeriesDate = data.ContentDate = about["date"]
    data.StudyTime = data.SeriesTime = data.ContentTime = about["time"]
    data.StudyDescription, data.SeriesDescription = about["study_description"], about["series_description"]
    data.Manufacturer, data.ManufacturerModelName = "Maisi.Bridge", "Maisi.Bridge"
    data.SoftwareVersions, data.DeviceSerialNumber = about["software"], "0"
    data.PositionReferenceIndicator = ""
    if about["synthetic"]:
        data.add_new(_SYNTHETIC_DATA, "CS", "YES")
    return data


def directions(affine: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and slice direction, origin (all LPS) and spacing of a RAS affine [4,4] whose axes are perpendicular."""
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    axes = lps[:3, :3] / spacing
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3 or np.linalg.det(axes) < 0:
        raise DicomError("the axes of the volume are not perpendicular, which a DICOM series cannot say", None, "resample the volume to straight axes first")
    return axes[:, 0], axes[:, 1], axes[:, 2], lps[:3, 3], spacing


def ds(*values: float) -> Any:
    """Numbers as DICOM's decimal strings of at most 16 characters."""
    texts = [format_number_as_ds(round(float(v), 10) + 0.0) for v in values]
    return texts[0] if len(texts) == 1 else texts


def item(**elements: Any) -> pydicom.Dataset:
    """A dataset of these elements."""
    data = pydicom.Dataset()
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def code(value: str, meaning: str, scheme: str = "SCT") -> Sequence:
    """A code sequence of one code; long codes go where they fit."""
    name = "CodeValue" if len(value) <= 16 else "LongCodeValue"
    return Sequence([item(**{name: value}, CodingSchemeDesignator=scheme, CodeMeaning=meaning[:64])])


def cielab(rgb: Tuple[int, int, int]) -> list[int]:
    """An sRGB colour (0 to 255) as DICOM's CIELab of three 16-bit numbers (PS3.3 C.10.7.1.1), white point D65."""
    linear = np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.array(rgb) / 255.0])
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    xyz = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lightness, a, b = 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])
    return [int(round(float(np.clip(v, 0, 65535)))) for v in (lightness * 65535 / 100, (a + 128) * 65535 / 255, (b + 128) * 65535 / 255)]


def save(data: FileDataset, path: str) -> None:
    """Writes an object with its file header."""
    pydicom.dcmwrite(path, data, write_like_original=False)


def identity(about: Mapping[str, Any], digest: str) -> Dict[str, str]:
    """UIDs of a new study whose content has this digest."""
    key = (digest, str(about["patient_id"]), str(about["study_description"]), str(about["series_description"]))
    return {name: make_uid(name, *key) for name in ("study", "series", "frame")}
