using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Evaluation;

/// <summary>Images for evaluations: smooth random anatomy in HU, and a small slice network.</summary>
internal static class EvaluationPhantoms
{
    public const int Edge = 24;

    /// <summary>A cube of balls of random place, size and HU in air: every seed another patient.</summary>
    public static Volume Patient(int seed, double noise = 0, int edge = Edge)
    {
        var random = new Random(seed);
        var grid = new VolumeGrid(edge, edge, edge, Affine.Diagonal(3, 3, 3));
        var volume = Volume.Zeros<float>(grid);
        var voxels = volume.Voxels<float>();
        voxels.Fill(-1000);
        for (var ball = 0; ball < 14; ball++)
        {
            var (x, y, z, r, value) = (random.NextDouble() * edge, random.NextDouble() * edge, random.NextDouble() * edge, edge * (0.08 + 0.17 * random.NextDouble()), (float)(random.NextDouble() * 1400 - 400));
            for (var i = 0; i < voxels.Length; i++)
                if (Math.Pow(i % edge - x, 2) + Math.Pow(i / edge % edge - y, 2) + Math.Pow(i / edge / edge - z, 2) < r * r)
                    voxels[i] = value;
        }
        for (var i = 0; i < voxels.Length && noise > 0; i++)
            voxels[i] += (float)(noise * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return volume;
    }

    /// <summary>Writes patients of these seeds.</summary>
    public static string[] Write(string folder, IEnumerable<int> seeds, double noise = 0)
    {
        Directory.CreateDirectory(folder);
        return [.. seeds.Select(seed =>
        {
            var path = Path.Combine(folder, $"p{seed:000}.nii.gz");
            VolumeFile.Write(Patient(seed, noise), path);
            return path;
        })];
    }

    /// <summary>A convolution and a ReLU with fixed random weights: [B, 3, H, W] to [B, 12, h, w].</summary>
    public static nn.Module<Tensor, Tensor> SmallNetwork()
    {
        var convolution = nn.Conv2d(3, 12, 5, 2, 2);
        using var noGrad = no_grad();
        var random = new Random(7);
        foreach (var parameter in convolution.parameters())
            parameter.copy_(tensor([.. Enumerable.Range(0, (int)parameter.numel()).Select(_ => (float)(random.NextDouble() - 0.5))], parameter.shape));
        return nn.Sequential(convolution, nn.ReLU());
    }
}
