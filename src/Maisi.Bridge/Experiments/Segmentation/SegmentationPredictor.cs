using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Experiments;

/// <summary>
/// Segments a case: sliding windows with Gaussian weights, the mean over the networks and, where mirrors are on, over the case and its
/// mirror image.
/// </summary>
internal sealed class SegmentationPredictor(IReadOnlyList<SegResNetDS> networks, SegResNetOptions options, byte[] mirror, Device device)
{
    /// <summary>Class numbers on the network's grid, [X, Y, Z].</summary>
    public byte[] OnNetworkGrid(PreparedCase item, double overlap, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        return Probabilities(item, overlap, cancellation).argmax(0).to(ScalarType.Byte).cpu().contiguous().data<byte>().ToArray();
    }

    /// <summary>Class numbers on the grid of the image file: probabilities are brought there by trilinear interpolation, then the largest wins.</summary>
    public Volume OnImageGrid(PreparedCase item, CancellationToken cancellation)
    {
        float[][] channels;
        using (NewDisposeScope())
        {
            var probabilities = Probabilities(item, options.Overlap, cancellation).cpu();
            channels = [.. Enumerable.Range(0, (int)probabilities.shape[0]).Select(c => probabilities[c].contiguous().data<float>().ToArray())];
        }
        var result = new byte[item.Original.Count];
        var best = new float[item.Original.Count];
        for (var c = 0; c < channels.Length; c++)
        {
            // Outside of what the network saw everything is background.
            var there = Volume.FromArray<float>(channels[c], item.Grid).Resample(item.Original, Interpolation.Trilinear, c == 0 ? 1 : 0).Voxels<float>();
            for (var i = 0; i < best.Length; i++)
                if (there[i] > best[i])
                    (best[i], result[i]) = (there[i], (byte)c);
        }
        return Volume.Wrap<byte>(result, item.Original);
    }

    // [C, X, Y, Z].
    private Tensor Probabilities(PreparedCase item, double overlap, CancellationToken cancellation)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (low, range) = ((float)options.Intensity[0], (float)(options.Intensity[1] - options.Intensity[0]));
        var values = Array.ConvertAll(item.Image, v => (v - low) / range);
        var image = tensor(values, [1, 1, item.Grid.SizeX, item.Grid.SizeY, item.Grid.SizeZ]).to(device);
        var windows = new SlidingWindowOptions([.. options.PatchSize.Select(p => (long)p)], [overlap, overlap, overlap]);
        return SlidingWindow.Run(image, Window, windows, null, cancellation)[0].MoveToOuterDisposeScope();
    }

    private Tensor Window(Tensor window)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        var count = 0;
        foreach (var network in networks)
        {
            Add(network.call(window)[0].softmax(1));
            if (options.Mirror)
                Add(network.call(window.flip([2]))[0].softmax(1).flip([2]).index_select(1, tensor(Array.ConvertAll(mirror, m => (long)m), device: device)));
        }
        return (sum! / count).MoveToOuterDisposeScope();

        void Add(Tensor probabilities)
        {
            sum = sum is null ? probabilities : sum + probabilities;
            count++;
        }
    }
}
