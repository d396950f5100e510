using System.Diagnostics;
using System.Globalization;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// FID 2.5D of two sets of volumes from files with squeezenet1_1 (random weights), and HD95 of label maps, against MONAI in Python in turns;
/// and the peak memory of FID for a few and for many volumes, in processes of their own.
/// </summary>
internal sealed class EvaluationBenchmark : IBenchmark
{
    private const string Setup = """
        import numpy as np, nibabel as nib
        for folder in MONAI.split(":"): sys.path.insert(0, folder)
        from monai.metrics import FIDMetric, HausdorffDistanceMetric
        from torch import nn
        class Fire(nn.Module):
            def __init__(self, i, s, e):
                super().__init__(); self.squeeze, self.expand1x1, self.expand3x3 = nn.Conv2d(i, s, 1), nn.Conv2d(s, e, 1), nn.Conv2d(s, e, 3, padding=1)
            def forward(self, x):
                x = torch.relu_(self.squeeze(x)); return torch.cat([torch.relu_(self.expand1x1(x)), torch.relu_(self.expand3x3(x))], 1)
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
        network = nn.ModuleDict({"features": nn.Sequential(nn.Conv2d(3, 64, 3, 2), nn.ReLU(inplace=True), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(), Fire(128, 32, 128),
            Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
            "classifier": nn.Sequential(nn.Dropout(), nn.Conv2d(512, 1000, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1))}).eval()
        import json, struct
        def load():
            data = open(f"{FOLDER}/squeezenet.safetensors", "rb").read(); n = struct.unpack("<Q", data[:8])[0]; head = json.loads(data[8:8 + n])
            network.load_state_dict({k: torch.from_numpy(np.frombuffer(data, np.float32, offset=8 + n + v["data_offsets"][0], count=int(np.prod(v["shape"]))).reshape(v["shape"]).copy()) for k, v in head.items() if k != "__metadata__"})
        load()
        def features(images):
            images = (images - images.min()) / (images.max() - images.min() + 1e-10)
            for c, mean in enumerate((0.406, 0.456, 0.485)): images[:, c] -= mean
            return torch.flatten(network["classifier"](network["features"](images)), 1)
        def volume(path):
            image = torch.from_numpy(np.asanyarray(nib.as_closest_canonical(nib.load(path)).dataobj).astype(np.float32)).clamp(-1000, 1000)[None, None].repeat(1, 3, 1, 1, 1)[:, [2, 1, 0]]
            return [features(torch.cat(torch.unbind(image, dim=d), 0)) for d in (-1, 2, 3)]
        def fid():
            with torch.no_grad():
                rows = [[torch.vstack(p) for p in zip(*[volume(f"{FOLDER}/{s}{i}.nii") for i in range(VOLUMES)])] for s in ("synthetic", "real")]
                return [float(FIDMetric()(a, b)) for a, b in zip(*rows)]
        def maps(name): return torch.from_numpy(np.asanyarray(nib.load(f"{FOLDER}/{name}.nii").dataobj).astype(np.int64))
        def onehot(labels): return torch.nn.functional.one_hot(labels, CLASSES + 1).permute(3, 0, 1, 2)[None].to(torch.uint8)
        def hd95():
            import warnings; warnings.simplefilter("ignore")
            return HausdorffDistanceMetric(percentile=95)(onehot(maps("prediction")), onehot(maps("truth")), spacing=[1.0, 1.0, 2.0])
        case("FID", fid)
        case("HD95", hd95)
        if SHOW: print("Python", [float(f"{v:.6g}") for v in fid()] if SHOW == "fid" else hd95().tolist(), file=sys.stderr)
        """;

    public string Name => "evaluation";

    public string Description => "FID 2.5D and HD95 against MONAI, memory of FID; --task fid|hd95|memory --monai FOLDER[:FOLDER] --volumes 20 --edge 128 --classes 4 --rounds 1 --threads 1 --folder DIR";

    public int Run(BenchmarkOptions options)
    {
        var folder = options.Text("folder", Path.Combine(Path.GetTempPath(), "maisi-evaluation"));
        var (volumes, edge, classes, task) = (options.Number("volumes", 20), options.Number("edge", 128), options.Number("classes", 4), options.Text("task", "fid"));
        torch.set_num_threads(options.Number("threads", 1));
        Directory.CreateDirectory(folder);
        if (options.Number("child", 0) is > 0 and var count)
        {
            Fid(folder, count);
            Console.WriteLine($"{count} + {count} volumes: peak RSS {PeakMebibytes()} MiB");
            return 0;
        }
        Prepare(folder, volumes, edge, classes, task);
        if (task == "memory")
        {
            foreach (var n in new[] { Math.Max(1, volumes / 5), volumes })
                Console.Write(Child(options, folder, n));
            return 0;
        }
        var script = $"MONAI, FOLDER, VOLUMES, CLASSES, SHOW = \"{options.Text("monai", "")}\", \"{folder}\", {volumes}, {classes}, \"{(options.Number("show", 1) > 0 ? task : "")}\"\n{Setup}";
        using var compare = new Comparison(options, script);
        if (task == "hd95")
        {
            Console.WriteLine($"C# [{string.Join(", ", Hd95(folder, classes).Select(v => v.ToString(CultureInfo.InvariantCulture)))}]");
            compare.Case("HD95", () => Hd95(folder, classes), 1);
            return 0;
        }
        Console.WriteLine($"C# [{string.Join(", ", Fid(folder, volumes).Planes.Select(p => p.Fid.Value.ToString("G6", CultureInfo.InvariantCulture)))}]");
        compare.Case("FID", () => Fid(folder, volumes), 1);
        return 0;
    }

    // The same work as in Python: no cache, no interval, no other scores than FID cost anything to speak of.
    private static FidResult Fid(string folder, int volumes)
    {
        using var network = FeatureNetworks.SqueezeNet(Path.Combine(folder, "squeezenet.safetensors"));
        string[] Files(string set) => [.. Enumerable.Range(0, volumes).Select(i => Path.Combine(folder, $"{set}{i}.nii"))];
        return new FidEvaluator(network, new() { Resamples = 0, SampledSlices = 200 }).Run(Files("real"), Files("synthetic"));
    }

    private static double[] Hd95(string folder, int classes)
    {
        Volume prediction = VolumeFile.Read(Path.Combine(folder, "prediction.nii")), truth = VolumeFile.Read(Path.Combine(folder, "truth.nii"));
        return [.. SegmentationMetrics.Compute(prediction, truth, [.. Enumerable.Range(1, classes)]).Select(s => s.HausdorffDistance)];
    }

    private static void Prepare(string folder, int volumes, int edge, int classes, string task)
    {
        if (task == "hd95")
        {
            VolumeFile.Write(Blobs(edge, classes, 0), Path.Combine(folder, "truth.nii"));
            VolumeFile.Write(Blobs(edge, classes, 3), Path.Combine(folder, "prediction.nii"));
        }
        using (var network = new SqueezeNet(withClassifier: true))
        {
            // Random weights of the usual size let hardly anything through so many layers.
            using (torch.no_grad())
                foreach (var weight in network.parameters().Where(p => p.dim() > 1))
                    weight.mul_(2);
            SafetensorsFile.Save(Path.Combine(folder, "squeezenet.safetensors"), network.state_dict());
        }
        for (var i = 0; i < volumes && task != "hd95"; i++)
            foreach (var (set, noise) in new[] { ("real", 15), ("synthetic", 40) })
                VolumeFile.Write(Noisy(edge, i, noise), Path.Combine(folder, $"{set}{i}.nii"));
    }

    private static Volume Noisy(int edge, int seed, int noise)
    {
        var random = new Random(seed * 100 + noise);
        var volume = Volume.Zeros<short>(new(edge, edge, edge, Affine.Diagonal(1.5, 1.5, 1.5)));
        var voxels = volume.Voxels<short>();
        for (var i = 0; i < voxels.Length; i++)
        {
            var (x, y, z) = (i % edge - edge / 2, i / edge % edge - edge / 2, i / edge / edge - edge / 2);
            var inside = x * x + y * y + (z * z / 2) < edge * edge / 6;
            voxels[i] = (short)((inside ? 40 + seed * 3 + (x + y * 3) / 8 % 4 * 50 : -1000) + random.Next(-noise, noise + 1));
        }
        return volume;
    }

    // Ellipsoids that fill the picture, with rough surfaces; shifted by some voxels.
    private static Volume Blobs(int edge, int classes, int shift)
    {
        var volume = Volume.Zeros<byte>(new(edge, edge, edge, Affine.Diagonal(1, 1, 2)));
        var random = new Random(9 + shift);
        var voxels = volume.Voxels<byte>();
        for (var i = 0; i < voxels.Length; i++)
        {
            var (x, y, z) = (i % edge + shift + random.Next(3), i / edge % edge + random.Next(3), i / edge / edge - shift);
            for (var c = 1; c <= classes; c++)
            {
                var (cx, cy, cz, r) = (edge * (0.3 + 0.4 * (c % 2)), edge * (0.3 + 0.4 * (c / 2 % 2)), edge * 0.5, edge * 0.24);
                if (Math.Pow(x - cx, 2) + Math.Pow(y - cy, 2) + Math.Pow((z - cz) / 1.7, 2) < r * r)
                    voxels[i] = (byte)c;
            }
        }
        return volume;
    }

    private static string Child(BenchmarkOptions options, string folder, int count)
    {
        string[] arguments = ["evaluation", "--child", $"{count}", "--folder", folder, "--threads", options.Text("threads", "1")];
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    private static long PeakMebibytes() => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
