"""A label map as a DICOM segmentation: one binary segment per label, coded and with a colour."""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import SegmentationStorage

from maisi_bridge.dicom import DicomError
from maisi_bridge.dicom.objects import cielab, code, directions, ds, identity, item, make_uid, new_object, save
from maisi_bridge.dicom.series import arrange, choose
from maisi_bridge.dicom.slices import Slice
from maisi_bridge.session import cancelled, progress

_ANATOMY = ("123037004", "Anatomical Structure")
_ALTERED = ("49755003", "Morphologically Altered Structure")
_SIDES = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}
_PURPOSE = ("121322", "Source image for image processing operation")
_DERIVATION = ("113076", "Segmentation")
_SEGMENT_NUMBER, _SEGMENT_SEQUENCE = 0x0062000B, 0x0062000A
_POSITION, _POSITION_SEQUENCE = 0x00200032, 0x00209113


def write_segmentation(
    voxels: np.ndarray, affine: List[float], path: str, segments: List[Mapping[str, Any]], about: Mapping[str, Any],
    source: Optional[str] = None, series: Optional[str] = None,
) -> Mapping[str, str]:
    """Writes labels [Z,Y,X] as one SEG file. With ``source``, the folder of the CT on the same grid, it belongs to that study."""
    frames = _frames(voxels, segments, path)
    matrix = np.array(affine, dtype=np.float64).reshape(4, 4)
    row, column, normal, origin, spacing = directions(matrix)
    digest = hashlib.sha256(np.ascontiguousarray(voxels).data).hexdigest() + hashlib.sha256(matrix.tobytes()).hexdigest()
    uids = identity(about, digest)
    data = new_object(SegmentationStorage, make_uid(uids["series"], "SEG"), "SEG", about)
    images = _source(data, source, series, voxels.shape, matrix) if source is not None else []
    if images:
        head = images[0].header
        uids = {"study": str(head.StudyInstanceUID), "series": make_uid("SEG", str(head.SeriesInstanceUID), digest), "frame": str(head.FrameOfReferenceUID)}
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = uids["study"], uids["series"], uids["frame"]
    data.SeriesNumber, data.InstanceNumber = 300, 1
    data.ImageType, data.ContentLabel, data.ContentDescription, data.ContentCreatorName = ["DERIVED", "PRIMARY"], "SEGMENTATION", about["series_description"], ""
    data.SegmentationType, data.LossyImageCompression, data.SegmentsOverlap = "BINARY", "00", "NO"
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 1, 1, 0
    data.Rows, data.Columns, data.NumberOfFrames = voxels.shape[1], voxels.shape[2], len(frames)
    present = sorted({number for number, _ in frames})
    data.SegmentSequence = Sequence([_segment(n + 1, segments[number], about) for n, number in enumerate(present)])
    _dimensions(data)
    measures = item(PixelSpacing=ds(spacing[1], spacing[0]), SliceThickness=ds(spacing[2]), SpacingBetweenSlices=ds(spacing[2]))
    data.SharedFunctionalGroupsSequence = Sequence([item(
        PixelMeasuresSequence=Sequence([measures]), PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=ds(*row, *column))]))])
    data.PerFrameFunctionalGroupsSequence = Sequence([
        _frame(present.index(number) + 1, z, origin + z * spacing[2] * normal, images[z] if images else None) for number, z in frames])
    data.PixelData = _pack(voxels, segments, frames)
    scratch = os.path.join(os.path.dirname(os.path.abspath(path)), ".%s.%s" % (os.path.basename(path), uuid.uuid4().hex))
    try:
        save(data, scratch)
        os.replace(scratch, path)
    except OSError as error:
        raise DicomError("the file could not be written: %s" % error.strerror, path) from error
    finally:
        if os.path.exists(scratch):
            os.unlink(scratch)
    return {**uids, "instance": str(data.SOPInstanceUID)}


def _frames(voxels: np.ndarray, segments: List[Mapping[str, Any]], path: str) -> List[Tuple[int, int]]:
    """Segment (its place in the list) and slice of every frame that is not empty, segment by segment."""
    places = {int(s["label"]): n for n, s in enumerate(segments)}
    frames = [(places[int(label)], z) for z in range(voxels.shape[0]) for label in np.unique(voxels[z]) if label]
    if not frames:
        raise DicomError("the label map is empty: a segmentation needs a segment", path)
    return sorted(frames)


def _source(data: FileDataset, folder: str, series: Optional[str], shape: Tuple[int, ...], matrix: np.ndarray) -> List[Slice]:
    """The images that were segmented; takes over their patient and study."""
    _, slices = choose(folder, series)
    images, place, _ = arrange(slices, folder)
    head = images[0].header
    if (len(images), int(head.Rows), int(head.Columns)) != tuple(shape) or np.abs(place - matrix).max() > 0.01:
        raise DicomError("the labels are not on the grid of the series", folder, "resample the labels with --like an image of the series and --labels")
    for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription"):
        setattr(data, name, head.get(name, ""))
    if "FrameOfReferenceUID" not in head:
        raise DicomError("the series has no frame of reference, so nothing can be placed beside it", folder)
    instances = [item(ReferencedSOPClassUID=s.header.SOPClassUID, ReferencedSOPInstanceUID=s.header.SOPInstanceUID) for s in images]
    data.ReferencedSeriesSequence = Sequence([item(SeriesInstanceUID=head.SeriesInstanceUID, ReferencedInstanceSequence=Sequence(instances))])
    return images


def _segment(number: int, segment: Mapping[str, Any], about: Mapping[str, Any]) -> Any:
    category = _ALTERED if segment.get("altered") else _ANATOMY
    result = item(
        SegmentNumber=number, SegmentLabel=segment["name"][:64], SegmentDescription="label %d" % segment["label"],
        SegmentAlgorithmType=about["algorithm_type"], SegmentedPropertyCategoryCodeSequence=code(*category),
        SegmentedPropertyTypeCodeSequence=code(segment["code"], segment["meaning"], segment["scheme"]),
        RecommendedDisplayCIELabValue=cielab(tuple(segment["color"])))
    if about["algorithm_type"] != "MANUAL":
        result.SegmentAlgorithmName = about["algorithm"]
    side: Dict[str, Sequence] = {}
    if segment.get("side"):
        side["side"] = code(*_SIDES[segment["side"]])
    if segment.get("region"):
        region = code(segment["region"]["code"], segment["region"]["meaning"])
        if side:
            region[0].AnatomicRegionModifierSequence = side["side"]
        result.AnatomicRegionSequence = region
    elif side:
        result.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = side["side"]
    return result


def _dimensions(data: FileDataset) -> None:
    uid = make_uid(str(data.SOPInstanceUID), "dimensions")
    data.DimensionOrganizationSequence = Sequence([item(DimensionOrganizationUID=uid)])
    data.DimensionIndexSequence = Sequence([
        item(DimensionOrganizationUID=uid, DimensionIndexPointer=_SEGMENT_NUMBER, FunctionalGroupPointer=_SEGMENT_SEQUENCE, DimensionDescriptionLabel="Segment"),
        item(DimensionOrganizationUID=uid, DimensionIndexPointer=_POSITION, FunctionalGroupPointer=_POSITION_SEQUENCE, DimensionDescriptionLabel="Position")])


def _frame(segment: int, z: int, position: np.ndarray, image: Optional[Slice]) -> Any:
    frame = item(
        FrameContentSequence=Sequence([item(DimensionIndexValues=[segment, z + 1])]),
        PlanePositionSequence=Sequence([item(ImagePositionPatient=ds(*position))]),
        SegmentIdentificationSequence=Sequence([item(ReferencedSegmentNumber=segment)]))
    if image is not None:
        reference = item(ReferencedSOPClassUID=image.header.SOPClassUID, ReferencedSOPInstanceUID=image.header.SOPInstanceUID,
                         PurposeOfReferenceCodeSequence=code(*_PURPOSE, "DCM"))
        frame.DerivationImageSequence = Sequence([item(SourceImageSequence=Sequence([reference]), DerivationCodeSequence=code(*_DERIVATION, "DCM"))])
    return frame


def _pack(voxels: np.ndarray, segments: List[Mapping[str, Any]], frames: List[Tuple[int, int]]) -> bytes:
    """One bit per pixel, the first in the lowest bit; frames follow each other without padding (PS3.5 8.1.1)."""
    packed = bytearray()
    rest = np.zeros(0, dtype=bool)
    for n, (number, z) in enumerate(frames):
        if n % 100 == 0:
            if cancelled():
                raise KeyboardInterrupt
            progress(n / len(frames), stage="frames")
        bits = np.concatenate([rest, (voxels[z] == segments[number]["label"]).reshape(-1)])
        whole = bits.size // 8 * 8
        packed += np.packbits(bits[:whole], bitorder="little").tobytes()
        rest = bits[whole:]
    packed += np.packbits(rest, bitorder="little").tobytes()
    return bytes(packed) + b"\0" * (len(packed) % 2)
