using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Runtime;

/// <summary>One convolution of <see cref="ConvolutionSelfTest"/>.</summary>
/// <param name="Channels">Input and output channels.</param>
/// <param name="Size">The edge of the volume in voxels.</param>
/// <param name="Seconds">The best of three runs.</param>
/// <param name="GigaflopPerSecond">Multiplications and additions per second, in thousand millions.</param>
/// <param name="Error">The largest difference to float64, relative to the largest value.</param>
public sealed record ConvolutionMeasurement(int Channels, int Size, double Seconds, double GigaflopPerSecond, double Error)
{
    /// <summary>Whether the error is what the dtype allows.</summary>
    public required bool Passed { get; init; }
}

/// <summary>Three 3x3x3 convolutions of the sizes that MAISI's networks use: are they right, and how fast are they here?</summary>
public static class ConvolutionSelfTest
{
    private static readonly (int Channels, int Size)[] Shapes = [(32, 32), (64, 24), (128, 12)];

    /// <summary>Runs the three; about a second on a CPU.</summary>
    /// <param name="device">CPU or CUDA.</param>
    /// <param name="cancellation">Checked between the shapes.</param>
    public static IReadOnlyList<ConvolutionMeasurement> Run(Device device, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        // cuDNN may use TF32, whose mantissa has 10 bits.
        var tolerance = device.type == DeviceType.CUDA ? 5e-3 : 1e-5;
        var results = new List<ConvolutionMeasurement>();
        foreach (var (channels, size) in Shapes)
        {
            cancellation.ThrowIfCancellationRequested();
            results.Add(Measure(channels, size, device, tolerance));
        }
        return results;
    }

    private static ConvolutionMeasurement Measure(int channels, int size, Device device, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var grad = no_grad();
        using var generator = new Generator(1);
        var x = randn([1, channels, size, size, size], generator: generator);
        var weight = randn([channels, channels, 3, 3, 3], generator: generator) * (1 / Math.Sqrt(27 * channels));
        long[] one = [1, 1, 1];
        // float64 convolutions are slow, so the error is taken on one slab of the volume.
        var exact = nn.functional.conv3d(x.narrow(2, 0, 4).to(float64), weight.to(float64), null, one, one).narrow(2, 0, 3);
        var input = x.to(device);
        var kernel = weight.to(device);
        var best = double.MaxValue;
        var error = 0.0;
        for (var run = 0; run < 3; run++)
        {
            using var inner = NewDisposeScope();
            var clock = Stopwatch.StartNew();
            var result = nn.functional.conv3d(input, kernel, null, one, one);
            TensorRuntime.Synchronize(device);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
            error = ((result.narrow(2, 0, 3).cpu().to(float64) - exact).abs().max() / exact.abs().max()).ToDouble();
        }
        var operations = 2.0 * 27 * channels * channels * Math.Pow(size, 3);
        return new(channels, size, best, operations / best / 1e9, error) { Passed = error < tolerance };
    }
}
