"""Geometry, order and refusals of DICOM series, with files that pydicom itself makes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict

import pytest

np = pytest.importorskip("numpy")
pydicom = pytest.importorskip("pydicom")

from maisi_bridge.dicom import DicomError  # noqa: E402
from maisi_bridge.dicom.objects import cielab, ds, make_uid  # noqa: E402
from maisi_bridge.dicom.segmentation import write_segmentation  # noqa: E402
from maisi_bridge.dicom.series import inspect, load  # noqa: E402
from maisi_bridge.dicom.write import write_series  # noqa: E402

ABOUT: Dict[str, Any] = dict(
    patient_id="P1", patient_name="Doe^J", study_description="S", series_description="D", date="20260102", time="030405", software="t", synthetic=False,
    algorithm="A", algorithm_type="AUTOMATIC")


def series(folder: Path, affine: Any, voxels: Any) -> None:
    write_series(voxels, [float(v) for v in affine.reshape(-1)], str(folder), ABOUT)


def numbers(shape: Any) -> Any:
    return np.random.RandomState(3).randint(-1000, 2000, shape).astype(np.int16)


@pytest.mark.parametrize("seed", range(8))
def test_random_rotations_come_back(tmp_path: Path, seed: int) -> None:
    r = np.random.RandomState(seed)
    q, _ = np.linalg.qr(r.randn(3, 3))
    q[:, 2] *= np.sign(np.linalg.det(q))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = q * r.uniform(0.4, 5, 3), r.uniform(-500, 500, 3)
    voxels = numbers((5, 4, 3))
    series(tmp_path / "s", affine, voxels)
    # The order on disk says nothing: names are shuffled.
    for n, name in enumerate(sorted(os.listdir(tmp_path / "s"))):
        os.rename(tmp_path / "s" / name, tmp_path / "s" / ("%d.bin" % (n * 7 % 5)))
    plan = inspect(str(tmp_path / "s"))
    assert plan["size"] == [3, 4, 5]
    assert np.abs(np.array(plan["affine"]).reshape(4, 4) - affine).max() < 1e-6
    read = np.empty((5, 4, 3), plan["dtype"])
    assert load(plan["files"], plan["slopes"], plan["intercepts"], read)
    assert (read == voxels).all()


def test_each_slice_has_its_own_rescaling(tmp_path: Path) -> None:
    voxels = numbers((3, 4, 3))
    series(tmp_path / "s", np.diag([-1.0, -1.0, 2.0, 1.0]), voxels)
    for n, path in enumerate(sorted((tmp_path / "s").iterdir())):
        data = pydicom.dcmread(path)
        data.RescaleSlope, data.RescaleIntercept = n + 1, -n
        data.save_as(path)
    plan = inspect(str(tmp_path / "s"))
    read = np.empty((3, 4, 3), plan["dtype"])
    assert load(plan["files"], plan["slopes"], plan["intercepts"], read)
    assert (read == voxels * np.array([1, 2, 3])[:, None, None] - np.array([0, 1, 2])[:, None, None]).all()


def test_one_slice_takes_its_thickness(tmp_path: Path) -> None:
    series(tmp_path / "s", np.diag([-1.0, -1.0, 3.5, 1.0]), numbers((1, 4, 3)))
    plan = inspect(str(tmp_path / "s"))
    assert plan["affine"][10] == 3.5
    assert "thickness" in plan["warnings"][0]


def test_left_handed_axes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match="not perpendicular"):
        series(tmp_path / "s", np.diag([1.0, -1.0, 1.0, 1.0]), numbers((2, 2, 2)))
    assert os.listdir(tmp_path) == []


def test_frames_are_packed_across_bytes(tmp_path: Path) -> None:
    labels = np.random.RandomState(1).randint(0, 4, (7, 5, 3)).astype(np.int16)  # 15 pixels: no frame ends on a byte
    segments = [dict(label=n, name="s%d" % n, code="1", meaning="M", scheme="SCT", color=[n, 0, 0]) for n in (1, 2, 3)]
    write_segmentation(labels, [-1.0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], str(tmp_path / "a.dcm"), segments, ABOUT)
    seg = pydicom.dcmread(tmp_path / "a.dcm")
    found = np.zeros_like(labels)
    for frame, group in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence):
        found[int(group.PlanePositionSequence[0].ImagePositionPatient[2])][frame > 0] = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
    assert (found == labels).all()


def test_colours_are_those_of_the_standard_formula() -> None:
    def scaled(lightness: float, a: float, b: float) -> Any:
        return np.array([lightness * 655.35, (a + 128) * 257, (b + 128) * 257])

    assert np.abs(np.array(cielab((255, 255, 255))) - scaled(100, 0, 0)).max() < 5
    assert np.abs(np.array(cielab((255, 0, 0))) - scaled(53.24, 80.09, 67.20)).max() < 10
    assert np.abs(np.array(cielab((0, 0, 255))) - scaled(32.30, 79.19, -107.86)).max() < 10
    assert cielab((0, 0, 0)) == [0, 32896, 32896]


def test_numbers_and_names_fit_their_elements() -> None:
    assert max(len(t) for t in ds(1 / 3, -123456.789012345, 1e-7, 0.1 + 0.2)) <= 16
    assert ds(0.1 + 0.2) == "0.3"
    assert make_uid("a", "b") == make_uid("a", "b") != make_uid("ab", "")
    assert len(make_uid("x")) <= 64


def test_headers_that_claim_more_than_the_file_holds_are_refused(tmp_path: Path) -> None:
    series(tmp_path / "s", np.diag([-1.0, -1.0, 2.0, 1.0]), numbers((2, 4, 3)))
    for path in (tmp_path / "s").iterdir():
        data = pydicom.dcmread(path)
        data.Rows = data.Columns = 60000
        data.save_as(path)
    with pytest.raises(DicomError, match="cannot hold"):
        inspect(str(tmp_path / "s"))


@pytest.mark.filterwarnings("ignore")
def test_damaged_slices_are_read_or_refused(tmp_path: Path) -> None:
    series(tmp_path / "s", np.diag([-1.0, -1.0, 2.0, 1.0]), numbers((2, 4, 3)))
    path = tmp_path / "s" / "00002.dcm"
    whole = path.read_bytes()
    r = np.random.RandomState(5)
    refused = 0
    count = int(os.environ.get("MAISI_FUZZ", 100))
    for _ in range(count):
        raw = bytearray(whole)
        for _ in range(r.randint(1, 6)):
            at = r.randint(0, len(raw))
            raw[at] = [r.randint(256), raw[at] ^ 1 << r.randint(8), 255, 57][r.randint(4)]
            if r.randint(30) == 0:
                raw = raw[: max(140, at)]
        path.write_bytes(bytes(raw))
        try:
            plan = inspect(str(tmp_path / "s"))
            load(plan["files"], plan["slopes"], plan["intercepts"], np.empty(plan["size"][::-1], plan["dtype"]))
        except DicomError:
            refused += 1
    assert 0 < refused < count
