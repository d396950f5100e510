using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>A box of a fixed size at a random place. Source of all in this file: monai/transforms/croppad/array.py.</summary>
/// <param name="roiSize">Voxels; an axis that is smaller stays.</param>
public sealed class RandSpatialCrop(int[] roiSize) : ISeededTransform
{
    private NumpyRandom _random = new(0);

    /// <inheritdoc/>
    public void SetRandomState(ulong seed) => _random = new(seed);

    /// <inheritdoc/>
    public VolumeTensor Apply(VolumeTensor input)
    {
        int[] size = [.. roiSize.Select((s, i) => s > 0 ? Math.Min(s, input.Size[i]) : input.Size[i])];
        int[] start = [.. size.Select((s, i) => (int)_random.Integer(0, input.Size[i] - s + 1))];
        return new SpatialCrop(start, [.. start.Zip(size, (b, s) => b + s)]).Apply(input);
    }
}

/// <summary>Boxes whose middle lies on a label with a given probability, else on background.</summary>
/// <param name="spatialSize">Voxels of each box.</param>
/// <param name="pos">Weight of boxes round labelled voxels.</param>
/// <param name="neg">Weight of boxes round the others.</param>
/// <param name="numSamples">How many boxes.</param>
/// <param name="imageThreshold">Background is only where the image exceeds this; used when an image is given.</param>
public sealed class RandCropByPosNegLabel(int[] spatialSize, double pos = 1, double neg = 1, int numSamples = 1, double imageThreshold = 0)
{
    private NumpyRandom _random = new(0);

    /// <summary>Starts the generator anew.</summary>
    public void SetRandomState(ulong seed) => _random = new(seed);

    /// <summary>Draws the middles of the boxes.</summary>
    /// <param name="label">Labels; above 0 is foreground in any channel.</param>
    /// <param name="image">Where background may lie; null for everywhere.</param>
    /// <exception cref="MaisiException">The box is larger than the volume.</exception>
    public IReadOnlyList<int[]> Centers(VolumeTensor label, VolumeTensor? image = null)
    {
        var size = label.Size;
        var box = spatialSize.Select((s, i) => s > 0 ? s : size[i]).ToArray();
        if (box.Zip(size).Any(p => p.First > p.Second))
            throw new MaisiException($"a box of {string.Join('×', box)} voxels does not fit into a volume of {string.Join('×', size)}", hint: "pad the volume first, or crop smaller boxes");
        var (foreground, background) = Split(label, image);
        var share = foreground.Length == 0 ? 0 : background.Length == 0 ? 1 : pos / (pos + neg);
        return [.. Enumerable.Range(0, numSamples).Select(_ =>
        {
            var from = _random.NextDouble() < share ? foreground : background;
            var index = from[_random.Integer(0, from.Length)];
            int[] center = [index / (size[1] * size[2]), index / size[2] % size[1], index % size[2]];
            return center.Select((c, i) => Inside(c, box[i], size[i])).ToArray();
        })];
    }

    /// <summary>Draws boxes and cuts them out of volumes on the same grid, such as an image and its labels.</summary>
    public IReadOnlyList<VolumeTensor[]> Crop(VolumeTensor label, VolumeTensor? image, params VolumeTensor[] volumes) =>
        [.. Centers(label, image).Select(c => volumes.Select(v => SpatialCrop.Around(c, spatialSize).Apply(v)).ToArray())];

    private (int[] Foreground, int[] Background) Split(VolumeTensor label, VolumeTensor? image)
    {
        using var scope = NewDisposeScope();
        var inside = label.Data.gt(0).any(0).cpu().contiguous().data<bool>().ToArray();
        var allowed = image?.Data.gt(imageThreshold).any(0).cpu().contiguous().data<bool>().ToArray();
        var all = Enumerable.Range(0, inside.Length);
        return ([.. all.Where(i => inside[i])], [.. all.Where(i => !inside[i] && (allowed is null || allowed[i]))]);
    }

    // The nearest middle whose box lies inside.
    private static int Inside(int center, int box, int size)
    {
        var first = box / 2;
        var last = (int)(size + 1 - box / 2.0);
        return Math.Min(Math.Max(center, first), (first == last ? last + 1 : last) - 1);
    }
}
