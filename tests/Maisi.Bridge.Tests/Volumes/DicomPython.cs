using Maisi.Bridge.Python;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>One Python with pydicom for all DICOM tests, and functions in it that change series as damage and scanners do.</summary>
public sealed class DicomPython : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = TestPaths.Temporary();

    /// <summary>Null where there is no pydicom.</summary>
    public PythonRuntime? Runtime { get; private set; }

    public async Task InitializeAsync()
    {
        var options = new PythonOptions { Executable = Environment.GetEnvironmentVariable("MAISI_TEST_PYTHON") };
        foreach (var module in DicomFiles.Modules)
            options.Modules.Add(module);
        options.Paths.Add(_folder.Path);
        await File.WriteAllTextAsync(_folder["change.py"], Changes);
        var runtime = new PythonRuntime(options, NullLoggerFactory.Instance, TimeProvider.System);
        try
        {
            await runtime.InterpreterAsync();
            Runtime = runtime;
        }
        catch (PythonNotFoundException)
        {
            await runtime.DisposeAsync();
        }
    }

    public async Task DisposeAsync()
    {
        if (Runtime is not null)
            await Runtime.DisposeAsync();
        _folder.Dispose();
    }

    private const string Changes = """
        import os, shutil
        import numpy as np
        import pydicom
        from pydicom.uid import generate_uid

        def each(folder, change):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".dcm"):
                    path = os.path.join(folder, name)
                    data = pydicom.dcmread(path)
                    change(int(name[:5]), data)
                    data.save_as(path)

        def one(folder, number, change):
            each(folder, lambda n, d: change(d) if n == number else None)

        def rescale(folder, slope, intercept):
            each(folder, lambda n, d: (setattr(d, "RescaleSlope", slope), setattr(d, "RescaleIntercept", intercept)))

        def tilt(folder, step):
            def move(n, d):
                p, o = np.array(d.ImagePositionPatient, float), np.array(d.ImageOrientationPatient, float)
                d.ImagePositionPatient = [float("%.6f" % v) for v in p + (n - 1) * step * o[3:]]
            each(folder, move)

        def drop(folder): os.unlink(os.path.join(folder, "00004.dcm"))

        def duplicate(folder):
            data = pydicom.dcmread(os.path.join(folder, "00002.dcm"))
            data.SOPInstanceUID = generate_uid()
            data.save_as(os.path.join(folder, "again.dcm"))

        def uneven(folder): one(folder, 6, lambda d: setattr(d, "ImagePositionPatient", [*d.ImagePositionPatient[:2], float(d.ImagePositionPatient[2]) + 0.5]))

        def resize(folder): one(folder, 1, lambda d: (setattr(d, "Rows", 5), setattr(d, "Columns", 4)))

        def second(folder):
            data = pydicom.dcmread(os.path.join(folder, "00002.dcm"))
            data.SeriesInstanceUID, data.SOPInstanceUID, data.SeriesDescription = "1.2.3", generate_uid(), "scout"
            data.save_as(os.path.join(folder, "scout.dcm"))

        def damage(folder):
            path = os.path.join(folder, "00003.dcm")
            raw = bytearray(open(path, "rb").read())
            at = raw.index(b"\x28\x00\x10\x00US")
            raw[at + 6:at + 8] = b"\xff\x7f"
            open(path, "wb").write(bytes(raw))

        def shorten(folder):
            path = os.path.join(folder, "00003.dcm")
            raw = open(path, "rb").read()
            open(path, "wb").write(raw[:-8])

        def nan(folder):
            path = os.path.join(folder, "00003.dcm")
            raw = open(path, "rb").read()
            open(path, "wb").write(raw.replace(b"-31.25", b"nan   "))

        def multiframe(folder): each(folder, lambda n, d: setattr(d, "NumberOfFrames", 2))

        def text(folder):
            for name in os.listdir(folder):
                open(os.path.join(folder, name), "w").write("no DICOM" * 40)

        def empty(folder):
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))

        def read_segmentation(path, folder):
            seg = pydicom.dcmread(path)
            image = pydicom.dcmread(os.path.join(folder, "00001.dcm"))
            frames = seg.pixel_array
            voxels = np.zeros((6, 4, 5), np.uint8)
            places = {tuple(round(float(v), 3) for v in pydicom.dcmread(os.path.join(folder, "%05d.dcm" % (z + 1))).ImagePositionPatient): z for z in range(6)}
            labels = {int(s.SegmentNumber): int(s.SegmentDescription.split()[1]) for s in seg.SegmentSequence}
            for frame, group in zip(frames, seg.PerFrameFunctionalGroupsSequence):
                z = places[tuple(round(float(v), 3) for v in group.PlanePositionSequence[0].ImagePositionPatient)]
                number = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
                assert list(group.FrameContentSequence[0].DimensionIndexValues) == [number, z + 1]
                voxels[z][frame > 0] = labels[number]
            def first(sequence): return sequence[0].CodeValue if sequence else "-"
            segments = []
            for s in seg.SegmentSequence:
                kind = s.SegmentedPropertyTypeCodeSequence[0]
                segments.append(" ".join([s.SegmentDescription.split()[1], s.SegmentLabel, first(s.SegmentedPropertyCategoryCodeSequence), kind.CodeValue,
                    first(kind.get("SegmentedPropertyTypeModifierCodeSequence")), first(s.get("AnatomicRegionSequence")), kind.CodingSchemeDesignator]))
            return {"voxels": voxels, "segments": segments, "patient": str(seg.PatientID), "frame": seg.FrameOfReferenceUID == image.FrameOfReferenceUID,
                    "references": len(seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence), "color": list(seg.SegmentSequence[0].RecommendedDisplayCIELabValue)}
        """;
}
