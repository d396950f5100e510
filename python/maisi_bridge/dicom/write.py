"""A volume as a CT series, one file per slice."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from typing import Any, List, Mapping

import numpy as np
from pydicom.uid import CTImageStorage

from maisi_bridge.dicom import DicomError
from maisi_bridge.dicom.objects import directions, ds, identity, make_uid, new_object, save
from maisi_bridge.session import cancelled, progress


def write_series(voxels: np.ndarray, affine: List[float], folder: str, about: Mapping[str, Any]) -> Mapping[str, str]:
    """Writes HU [Z,Y,X] (int16) as a CT series into a new or empty folder: all files or none. Gives the UIDs."""
    parent = os.path.dirname(os.path.abspath(folder))
    if not os.path.isdir(parent):
        raise DicomError("the folder does not exist", parent)
    if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise DicomError("the output exists and is no empty folder: two series in one folder could not be told apart", folder, "give a new folder")
    matrix = np.array(affine, dtype=np.float64).reshape(4, 4)
    row, column, normal, origin, spacing = directions(matrix)
    uids = identity(about, hashlib.sha256(np.ascontiguousarray(voxels).data).hexdigest() + hashlib.sha256(matrix.tobytes()).hexdigest())
    scratch = tempfile.mkdtemp(prefix=".dicom-", dir=parent)
    try:
        for z in range(voxels.shape[0]):
            if cancelled():
                raise KeyboardInterrupt
            progress(z / voxels.shape[0], stage="slices")
            data = new_object(CTImageStorage, make_uid(uids["series"], str(z)), "CT", about)
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = uids["study"], uids["series"], uids["frame"]
            data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = 1, z + 1, 1
            data.ImageType, data.PatientPosition, data.KVP = ["DERIVED", "SECONDARY", "AXIAL"], "HFS", None
            data.ImageOrientationPatient = ds(*row, *column)
            data.ImagePositionPatient = ds(*(origin + z * spacing[2] * normal))
            data.PixelSpacing, data.SliceThickness, data.SpacingBetweenSlices = ds(spacing[1], spacing[0]), ds(spacing[2]), ds(spacing[2])
            data.SliceLocation = ds(float((origin + z * spacing[2] * normal) @ normal))
            data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
            data.Rows, data.Columns = voxels.shape[1:]
            data.BitsAllocated = data.BitsStored = 16
            data.HighBit, data.PixelRepresentation = 15, 1
            data.RescaleSlope, data.RescaleIntercept, data.RescaleType = "1", "0", "HU"
            data.WindowCenter, data.WindowWidth = "40", "400"
            data.PixelData = voxels[z].astype("<i2").tobytes()
            save(data, os.path.join(scratch, "%05d.dcm" % (z + 1)))
        os.chmod(scratch, 0o755)
        if os.path.isdir(folder):
            os.rmdir(folder)
        os.rename(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return uids
