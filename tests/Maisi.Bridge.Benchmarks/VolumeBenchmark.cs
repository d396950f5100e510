using System.Diagnostics;
using System.Globalization;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// Volumes against nibabel and SciPy, in turns: a 512×512×256 int16 .nii.gz, Spacing from 1.5 to 1 mm, connected components of a label map,
/// distance transform; and the peak memory of reading, in a process of its own.
/// </summary>
internal sealed class VolumeBenchmark : IBenchmark
{
    private const string Setup = """
        import os
        import numpy as np, nibabel as nib, scipy.ndimage as ndi
        ct = nib.load(f"{FOLDER}/ct.nii.gz")
        voxels = np.asarray(ct.dataobj)
        labels = np.asarray(nib.load(f"{FOLDER}/labels.nii.gz").dataobj)
        small = torch.from_numpy(np.ascontiguousarray(voxels[:256, :256, :128]).astype(np.float64))[None, None]
        ids = [int(v) for v in np.unique(labels) if v]
        full = np.ones((3, 3, 3))
        mask = np.ascontiguousarray(labels[:128, :128, :128] > 0)
        def spacing():
            size = [round((n - 1) * 1.5) + 1 for n in small.shape[2:]]
            theta = torch.tensor([[[1.0 * (d / 1.5) / n, 0, 0, 0] for n, d in zip(small.shape[2:], size)]], dtype=torch.float64)
            theta = torch.diag_embed(theta[0, :, 0])
            theta = torch.cat([theta, torch.zeros(3, 1, dtype=torch.float64)], 1)[None]
            grid = torch.nn.functional.affine_grid(theta, [1, 1] + size, align_corners=False)
            torch.nn.functional.grid_sample(small, grid, mode="bilinear", padding_mode="border", align_corners=False).float()
        case("read .nii.gz", lambda: np.asarray(nib.load(f"{FOLDER}/python.nii.gz").dataobj))
        case("read own .nii.gz", lambda: np.asarray(nib.load(f"{FOLDER}/ct.nii.gz").dataobj))
        case("write .nii.gz", lambda: nib.save(nib.Nifti1Image(voxels, ct.affine), f"{FOLDER}/p.nii.gz"))
        case("Spacing 256x256x128", spacing)
        case("Spacing, SciPy", lambda: ndi.zoom(small[0, 0].numpy(), 1.5, order=1))
        case("components, one label", lambda: ndi.label(labels == ids[0], full))
        case("components, all labels", lambda: [ndi.label(labels == i, full) for i in ids])
        case("distances 128^3", lambda: ndi.distance_transform_edt(mask, (1, 1, 2)))
        if not os.path.exists(f"{FOLDER}/python.nii.gz"): nib.save(nib.Nifti1Image(voxels, ct.affine), f"{FOLDER}/python.nii.gz")
        """;

    public string Name => "volumes";

    public string Description => "NIfTI, Spacing, components and distances against nibabel, SciPy and torch; --threads 2 --rounds 3 --folder DIR";

    public int Run(BenchmarkOptions options)
    {
        if (options.Text("read", "") is { Length: > 0 } file)
        {
            Console.WriteLine(ReadAndReport(file));
            return 0;
        }
        var folder = options.Text("folder", Path.Combine(Path.GetTempPath(), "maisi-volumes"));
        Directory.CreateDirectory(folder);
        var (ct, labels) = Phantoms();
        VolumeFile.Write(ct, Path.Combine(folder, "ct.nii.gz"));
        VolumeFile.Write(labels, Path.Combine(folder, "labels.nii.gz"));
        var part = ct.CropOrPad(256, 256, 128);
        var mask = BinaryMask.Where<byte>(labels.CropOrPad(128, 128, 128), v => v > 0);
        using (var compare = new Comparison(options, $"FOLDER = \"{folder}\"\n{Setup}"))
        {
            compare.Case("read .nii.gz", () => VolumeFile.Read(Path.Combine(folder, "python.nii.gz")), 1);
            compare.Case("read own .nii.gz", () => VolumeFile.Read(Path.Combine(folder, "ct.nii.gz")), 1);
            compare.Case("write .nii.gz", () => VolumeFile.Write(ct, Path.Combine(folder, "c.nii.gz")), 1);
            compare.Case("Spacing 256x256x128", () => part.ResampleToSpacing(1, 1, 1, Interpolation.Trilinear), 1);
            compare.Case("Spacing, SciPy", () => part.ResampleToSpacing(1, 1, 1, Interpolation.Trilinear), 1);
            compare.Case("components, one label", () => ConnectedComponents.Find(labels, Connectivity.Corners), 1);
            compare.Case("components, all labels", () => ConnectedComponents.Find(labels, Connectivity.Corners), 1);
            compare.Case("distances 128^3", () => DistanceTransform.Euclidean(mask, [1, 1, 2]), 1);
        }
        foreach (var name in new[] { "python.nii.gz", "ct.nii.gz" })
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true, ArgumentList = { Name, "--read", Path.Combine(folder, name) } };
            using var process = Process.Start(start)!;
            Console.WriteLine($"{name}: {process.StandardOutput.ReadToEnd().Trim()}");
        }
        return 0;
    }

    private static string ReadAndReport(string file)
    {
        var volume = VolumeFile.Read(file);
        var peak = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        var (kib, voxels) = (long.Parse(peak, CultureInfo.InvariantCulture), (long)volume.Count * volume.Type.Size() / 1024);
        return $"peak RSS {kib / 1024} MiB for {voxels / 1024} MiB of voxels: {(double)kib / voxels:F2}";
    }

    // A CT of balls and noise with 20 labels: compresses as real ones do, about two to one.
    private static (Volume Ct, Volume Labels) Phantoms()
    {
        var random = new Random(1);
        var grid = new VolumeGrid(512, 512, 256, Affine.Diagonal(1.5, 1.5, 1.5));
        var (ct, labels) = (Volume.Zeros<short>(grid), Volume.Zeros<byte>(new(256, 256, 256, grid.Affine)));
        var voxels = ct.Voxels<short>();
        for (var i = 0; i < voxels.Length; i++)
        {
            var (x, y) = (i % 512 - 256, i / 512 % 512 - 256);
            voxels[i] = x * x + y * y < 200 * 200 ? (short)(40 + random.Next(-15, 16) + (i / 7919 % 5) * 20) : (short)-1000;
        }
        for (var ball = 0; ball < 60; ball++)
        {
            var (cx, cy, cz, r) = (random.Next(256), random.Next(256), random.Next(256), random.Next(8, 30));
            for (var z = Math.Max(0, cz - r); z < Math.Min(256, cz + r); z++)
                for (var y = Math.Max(0, cy - r); y < Math.Min(256, cy + r); y++)
                    for (var x = Math.Max(0, cx - r); x < Math.Min(256, cx + r); x++)
                        if ((x - cx) * (x - cx) + (y - cy) * (y - cy) + (z - cz) * (z - cz) < r * r)
                            labels.Voxels<byte>()[x + 256 * (y + 256 * z)] = (byte)(1 + ball % 20);
        }
        return (ct, labels);
    }
}
