using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>
/// Files that nibabel writes are read, and files written here are read by nibabel, with equal voxels and affines: random sizes, types,
/// byte orders, affines (oblique, flipped, sheared), scalings, NIfTI-1 and -2. MAISI_FUZZ sets the count (default 40).
/// </summary>
public sealed class NibabelRoundTripTests
{
    // Writes count cases: theirs_N.nii[.gz] and what they mean in N.json; then, called with "check", compares ours_N with it.
    private const string Script = """
        import json, os, sys
        import numpy as np
        import nibabel as nib
        mode, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
        types = [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64]
        for n in range(count):
            r = np.random.RandomState(n)
            size = tuple(int(v) for v in r.randint(1, 9, 3))
            if n % 7 == 0:
                size = size[:2] + (1,)
            if n % 9 == 0:
                size = size + (int(r.randint(2, 5)),)
            kind = types[n % len(types)]
            limits = (-1000, 1000) if np.issubdtype(kind, np.floating) else (max(np.iinfo(kind).min, -2**40), min(np.iinfo(kind).max, 2**40))
            data = (r.uniform(*limits, size=size)).astype(kind)
            q, _ = np.linalg.qr(r.randn(3, 3))
            affine = np.eye(4)
            affine[:3, :3] = np.diag(r.choice([-1, 1], 3)) if n % 3 == 0 else q
            affine[:3, :3] = affine[:3, :3] @ np.diag(r.uniform(0.3, 6, 3))
            if n % 5 == 0:
                affine[0, 1] += 0.1
            affine[:3, 3] = r.uniform(-300, 300, 3)
            two = n % 4 == 3
            image, header = (nib.Nifti2Image, nib.Nifti2Header) if two else (nib.Nifti1Image, nib.Nifti1Header)
            big = n % 2 == 1
            h = header(endianness='>' if big else '<')
            h.set_data_dtype(kind)
            im = image(data, affine, header=h)
            which = ['sform', 'qform', 'both', 'none'][n % 4 if n % 5 else 2]
            im.header.set_sform(affine, 1 if which in ('sform', 'both') else 0)
            im.header.set_qform(affine, 1 if which in ('qform', 'both') else 0)
            scaled = n % 6 == 5 and np.issubdtype(kind, np.integer) and np.dtype(kind).itemsize <= 2
            name = os.path.join(folder, 'theirs_%d.nii' % n + ('' if n % 8 == 0 else '.gz'))
            if mode == 'write':
                nib.save(im, name)
                if scaled:
                    import gzip
                    opener = gzip.open if name.endswith('gz') else open
                    raw = bytearray(opener(name, 'rb').read())
                    at = 176 if two else 112
                    raw[at:at + (16 if two else 8)] = np.array([0.37, -12.5], ('>' if big else '<') + ('f8' if two else 'f4')).tobytes()
                    with opener(name, 'wb') as f:
                        f.write(bytes(raw))
                back = nib.load(name)
                values = np.asarray(back.dataobj)
                full = values.reshape(values.shape + (1,) * (3 - values.ndim)) if values.ndim < 3 else values
                json.dump({'file': name, 'shape': list(full.shape), 'affine': back.affine.tolist(), 'spacing': [float(z) for z in np.sqrt((back.affine[:3, :3] ** 2).sum(0))],
                           'axcodes': ''.join(nib.aff2axcodes(back.affine)), 'values': [float(v) for v in full.astype(np.float64).flatten(order='F')]}, open(os.path.join(folder, '%d.json' % n), 'w'))
            else:
                theirs = nib.load(name)
                ours = nib.load(os.path.join(folder, 'ours_%d.nii' % n + ('.gz' if n % 2 else '')))
                a, b = np.asarray(theirs.dataobj), np.asarray(ours.dataobj)
                a = a.reshape(b.shape) if a.ndim != b.ndim else a
                tolerance = 0 if not scaled else 1e-7 * np.abs(a).max() + 1e-6
                assert a.shape == b.shape, (n, a.shape, b.shape)
                assert np.abs(a.astype(np.float64) - b.astype(np.float64)).max() <= tolerance, n
                assert scaled or ours.get_data_dtype() == theirs.get_data_dtype().newbyteorder('<'), (n, ours.get_data_dtype())
                assert np.abs(ours.affine - theirs.affine).max() < 1e-4, (n, ours.affine, theirs.affine)
                if n % 5:
                    assert np.abs(ours.header.get_qform() - theirs.affine).max() < 2e-3, (n, ours.header.get_qform(), theirs.affine)
        print(count)
        """;

    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? Math.Min(n, 2000) : 40;

    [SkippableFact]
    public void Files_go_both_ways_unchanged()
    {
        using var folder = TestPaths.Temporary();
        File.WriteAllText(folder["cases.py"], Script);
        var probe = Python(folder, "-c", "import nibabel, numpy");
        Skip.If(probe.Code != 0, "no python3 with nibabel and numpy: set MAISI_TEST_PYTHON");
        Run(folder, "write");
        for (var n = 0; n < Count; n++)
        {
            var expected = JsonDocument.Parse(File.ReadAllBytes(folder[$"{n}.json"])).RootElement;
            var volume = VolumeFile.Read(expected.GetProperty("file").GetString()!);
            volume.Shape.ShouldBe(expected.GetProperty("shape").EnumerateArray().Select(v => v.GetInt32()), $"case {n}");
            double[] rows = [.. expected.GetProperty("affine").EnumerateArray().SelectMany(r => r.EnumerateArray()).Select(v => v.GetDouble())];
            volume.Affine.ToRows().ShouldBe(rows, 1e-9, $"case {n}");
            volume.Orientation.ToString().ShouldBe(expected.GetProperty("axcodes").GetString(), $"case {n}");
            double[] values = [.. expected.GetProperty("values").EnumerateArray().Select(v => v.GetDouble())];
            var ours = volume.ConvertTo<double>().Voxels<double>().ToArray();
            var scaled = VolumeFile.ReadInfo(expected.GetProperty("file").GetString()!).IsScaled;
            ours.ShouldBe(scaled ? [.. values.Select(v => (double)(float)v)] : values, $"case {n}");
            VolumeFile.Write(volume, folder[$"ours_{n}.nii" + (n % 2 == 1 ? ".gz" : "")]);
        }
        Run(folder, "check");
    }

    private static void Run(TemporaryFolder folder, string mode)
    {
        var (code, output) = Python(folder, folder["cases.py"], mode, folder.Path, Count.ToString(CultureInfo.InvariantCulture));
        code.ShouldBe(0, output);
    }

    private static (int Code, string Output) Python(TemporaryFolder folder, params string[] arguments)
    {
        var python = Environment.GetEnvironmentVariable("MAISI_TEST_PYTHON") ?? (File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3");
        var start = new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.Path };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
