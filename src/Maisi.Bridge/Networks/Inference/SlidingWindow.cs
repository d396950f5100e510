// Port of monai/inferers/utils.py (sliding_window_inference) and monai/data/utils.py (dense_patch_slices, compute_importance_map), MONAI 1.5.
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>How overlapping windows are weighted.</summary>
public enum WindowBlending
{
    /// <summary>Evenly.</summary>
    Constant,

    /// <summary>By a bell around the window's centre.</summary>
    Gaussian,
}

/// <summary>How a volume is cut into windows.</summary>
/// <param name="Roi">Extents of a window.</param>
/// <param name="Overlap">Share of a window that the next one repeats, per axis, in [0, 1).</param>
/// <param name="Blending">How overlapping windows are weighted.</param>
/// <param name="SigmaScale">Deviation of the bell as a share of the window.</param>
/// <param name="BatchSize">Windows per evaluation.</param>
/// <param name="Padding">How an image smaller than a window is extended.</param>
public sealed record SlidingWindowOptions(
    IReadOnlyList<long> Roi, IReadOnlyList<double> Overlap, WindowBlending Blending = WindowBlending.Gaussian, double SigmaScale = 0.125, int BatchSize = 1,
    PaddingModes Padding = PaddingModes.Constant);

/// <summary>Windows done so far.</summary>
public readonly record struct WindowProgress(int Done, int Total);

/// <summary>Runs a network over a volume window by window and blends the results. Outputs may have another resolution than the input.</summary>
public static class SlidingWindow
{
    private const float SmallestWeight = 1e-3f;

    /// <summary>Runs a network with one output.</summary>
    /// <inheritdoc cref="Run(Tensor, Func{Tensor, IReadOnlyList{Tensor}}, SlidingWindowOptions, IProgress{WindowProgress}?, CancellationToken)"/>
    public static Tensor Run(Tensor input, Func<Tensor, Tensor> network, SlidingWindowOptions options, IProgress<WindowProgress>? progress = null, CancellationToken cancel = default) =>
        Run(input, window => [network(window)], options, progress, cancel)[0];

    /// <summary>Runs a network with several outputs.</summary>
    /// <param name="input">[B, C, X, Y(, Z)].</param>
    /// <param name="network">Window [b, C, ...] to outputs, each [b, C', ...] at its own scale.</param>
    /// <param name="options">How to cut.</param>
    /// <param name="progress">Hears after every evaluation.</param>
    /// <param name="cancel">Stops between windows.</param>
    /// <returns>Every output over the whole volume.</returns>
    /// <exception cref="NetworkInputException">An overlap outside of [0, 1), or another number of extents than the input has.</exception>
    public static IReadOnlyList<Tensor> Run(
        Tensor input, Func<Tensor, IReadOnlyList<Tensor>> network, SlidingWindowOptions options, IProgress<WindowProgress>? progress = null, CancellationToken cancel = default)
    {
        using var scope = NewDisposeScope();
        long[] image = input.shape[2..], roi = [.. options.Roi];
        Check(options, image.Length);
        var padded = Pad(input, roi, options.Padding, out var before);
        long[] extents = padded.shape[2..];
        var starts = WindowStarts(extents, roi, ScanInterval(extents, roi, options.Overlap));
        var weights = options.Blending == WindowBlending.Gaussian ? ImportanceMap(roi, options.SigmaScale) : ones(roi);
        weights = weights.reshape([1, 1, .. roi]).to(input.dtype).to(input.device);
        var blends = new List<WindowBlend>();
        var total = starts.Count * (int)input.shape[0];
        for (var first = 0; first < total; first += options.BatchSize)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var places = Enumerable.Range(first, Math.Min(options.BatchSize, total - first)).Select(i => (Sample: i / starts.Count, Start: starts[i % starts.Count])).ToArray();
            var windows = cat(places.Select(p => Window(padded.narrow(0, p.Sample, 1), p.Start, roi)).ToArray(), 0);
            var outputs = network(windows);
            for (var i = 0; i < outputs.Count; i++)
            {
                if (blends.Count <= i)
                    blends.Add(new WindowBlend(input.shape[0], extents, roi, weights, outputs[i], starts));
                for (var w = 0; w < places.Length; w++)
                    blends[i].Add(places[w].Sample, places[w].Start, outputs[i].narrow(0, w, 1));
            }
            progress?.Report(new WindowProgress(Math.Min(first + options.BatchSize, total), total));
        }
        return [.. blends.Select(b => b.Finish(image, roi, before).MoveToOuterDisposeScope())];
    }

    /// <summary>Distance of neighbouring windows per axis.</summary>
    public static long[] ScanInterval(IReadOnlyList<long> image, IReadOnlyList<long> roi, IReadOnlyList<double> overlap) =>
        [.. roi.Select((r, i) => r == image[i] ? r : Math.Max((long)(r * (1 - overlap[i])), 1))];

    /// <summary>Starts of the windows, first axis slowest; the last window of an axis ends at the image's end.</summary>
    public static IReadOnlyList<long[]> WindowStarts(IReadOnlyList<long> image, IReadOnlyList<long> roi, IReadOnlyList<long> interval)
    {
        IEnumerable<long[]> all = [[]];
        for (var axis = 0; axis < image.Count; axis++)
        {
            var starts = new List<long>();
            for (var start = 0L; ; start += interval[axis])
            {
                starts.Add(Math.Min(start, image[axis] - roi[axis]));
                if (start + roi[axis] >= image[axis])
                    break;
            }
            all = all.SelectMany(prefix => starts.Select(start => (long[])[.. prefix, start]));
        }
        return [.. all];
    }

    /// <summary>The bell of a window: a product of one per axis, in fp32, nowhere below its own minimum or 1e-3, whichever is larger.</summary>
    public static Tensor ImportanceMap(IReadOnlyList<long> roi, double sigmaScale)
    {
        using var scope = NewDisposeScope();
        var map = ones(1);
        for (var axis = 0; axis < roi.Count; axis++)
        {
            var sigma = roi[axis] * sigmaScale;
            var x = arange(-(roi[axis] - 1) / 2.0, ((roi[axis] - 1) / 2.0) + 1, 1, ScalarType.Float32);
            var bell = (x.pow(2) / (-2 * sigma * sigma)).exp();
            map = axis == 0 ? bell : map.unsqueeze(-1) * bell;
        }
        return map.clamp_min(Math.Max(map.min().item<float>(), SmallestWeight)).MoveToOuterDisposeScope();
    }

    internal static Tensor Window(Tensor volume, long[] start, long[] size)
    {
        for (var axis = 0; axis < start.Length; axis++)
            volume = volume.narrow(axis + 2, start[axis], size[axis]);
        return volume;
    }

    private static Tensor Pad(Tensor input, long[] roi, PaddingModes mode, out long[] before)
    {
        var missing = roi.Select((r, i) => Math.Max(r - input.shape[i + 2], 0)).ToArray();
        before = [.. missing.Select(m => m / 2)];
        if (missing.All(m => m == 0))
            return input;
        var pad = new List<long>();
        for (var axis = roi.Length - 1; axis >= 0; axis--)
            pad.AddRange([before[axis], missing[axis] - before[axis]]);
        return nn.functional.pad(input, [.. pad], mode);
    }

    private static void Check(SlidingWindowOptions options, int axes)
    {
        if (options.Roi.Count != axes || options.Overlap.Count != axes)
            throw new NetworkInputException($"the windows have {options.Roi.Count} extents and {options.Overlap.Count} overlaps, but the image has {axes} axes", "roi_size");
        if (options.Roi.FirstOrDefault(r => r < 1, 1) is var small and < 1)
            throw new NetworkInputException($"a window of extent {small} was asked for, but the least is 1", "roi_size");
        if (options.Overlap.FirstOrDefault(o => o is < 0 or >= 1 or double.NaN, 0) is var wrong and not 0)
            throw new NetworkInputException($"the overlap is {wrong}, but must be at least 0 and below 1", "overlap");
    }
}
