"""DICOM through pydicom: CT and MR series in, CT series and segmentations out. Geometry crosses as RAS+ affines, row by row."""

from __future__ import annotations

from typing import Optional


class DicomError(Exception):
    """Input that cannot be used: what is wrong, where, and what to do, in the layout that the caller takes apart again."""

    def __init__(self, message: str, where: Optional[str] = None, hint: Optional[str] = None) -> None:
        text = message
        if where:
            text += "\nwhere: " + where
        if hint:
            text += "\ndo: " + hint
        super().__init__(text)
