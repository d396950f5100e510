using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Evaluation;

/// <summary>Voxels of one label on both sides, and the box that holds them.</summary>
internal sealed class LabelOverlap
{
    private int _x0 = int.MaxValue, _y0 = int.MaxValue, _z0 = int.MaxValue, _x1 = -1, _y1 = -1, _z1 = -1;

    /// <summary>A label that occurs on neither side.</summary>
    public static LabelOverlap None { get; } = new();

    public long Predicted { get; private set; }

    public long Truth { get; private set; }

    public long Both { get; private set; }

    /// <summary>Counts all labels in one pass over the volume.</summary>
    public static Dictionary<int, LabelOverlap> Count(ReadOnlyMemory<int> prediction, ReadOnlyMemory<int> truth, (int X, int Y, int Z) size)
    {
        var all = new Dictionary<int, LabelOverlap>();
        Parallel.For(0, size.Z, () => new Dictionary<int, LabelOverlap>(), (z, _, own) =>
        {
            for (var y = 0; y < size.Y; y++)
            {
                var at = (z * size.Y + y) * size.X;
                CountRow(prediction.Span.Slice(at, size.X), truth.Span.Slice(at, size.X), y, z, own);
            }
            return own;
        }, own =>
        {
            lock (all)
                foreach (var (label, part) in own)
                    Entry(all, label).Merge(part);
        });
        return all;
    }

    /// <summary>The masks of a label on both sides, cut to the voxels that either has.</summary>
    public (BinaryMask Prediction, BinaryMask Truth) Cut(int label, ReadOnlyMemory<int> prediction, ReadOnlyMemory<int> truth, (int X, int Y, int Z) size)
    {
        var grid = new VolumeGrid(_x1 - _x0 + 1, _y1 - _y0 + 1, _z1 - _z0 + 1, Affine.Identity);
        BinaryMask Side(ReadOnlyMemory<int> labels)
        {
            var cut = new byte[grid.Count];
            for (var z = 0; z < grid.SizeZ; z++)
                for (var y = 0; y < grid.SizeY; y++)
                {
                    var row = labels.Span.Slice(((z + _z0) * size.Y + y + _y0) * size.X + _x0, grid.SizeX);
                    var target = cut.AsSpan((z * grid.SizeY + y) * grid.SizeX, grid.SizeX);
                    for (var x = 0; x < row.Length; x++)
                        target[x] = row[x] == label ? (byte)1 : (byte)0;
                }
            return BinaryMask.Of(Volume.Wrap<byte>(cut, grid), 1);
        }
        return (Side(prediction), Side(truth));
    }

    /// <summary>Refuses what is no label map.</summary>
    /// <exception cref="MaisiException">Several channels, or values that are not whole numbers.</exception>
    public static void RequireLabels(Volume volume, string what)
    {
        if (volume.Channels != 1)
            throw new MaisiException($"{what} has {volume.Channels} channels", hint: "a label map has one whole number per voxel; take the channel of the largest value first");
        if (!volume.Type.IsFloat())
            return;
        foreach (var value in volume.ConvertTo<double>().Voxels<double>())
            if (value != Math.Floor(value))
                throw new MaisiException($"{what} has the value {value}, which is no label", hint: "labels are whole numbers; this looks like an image");
    }

    // Labels come in runs, so that a dictionary is asked once per run.
    private static void CountRow(ReadOnlySpan<int> prediction, ReadOnlySpan<int> truth, int y, int z, Dictionary<int, LabelOverlap> own)
    {
        for (var from = 0; from < prediction.Length;)
        {
            var (p, t) = (prediction[from], truth[from]);
            var to = from + 1;
            while (to < prediction.Length && prediction[to] == p && truth[to] == t)
                to++;
            var predicted = Entry(own, p);
            predicted.Predicted += to - from;
            predicted.Include(from, to - 1, y, z);
            var real = p == t ? predicted : Entry(own, t);
            real.Truth += to - from;
            if (p == t)
                real.Both += to - from;
            else
                real.Include(from, to - 1, y, z);
            from = to;
        }
    }

    private static LabelOverlap Entry(Dictionary<int, LabelOverlap> all, int label)
    {
        if (!all.TryGetValue(label, out var entry))
            all[label] = entry = new LabelOverlap();
        return entry;
    }

    private void Include(int first, int last, int y, int z)
    {
        (_x0, _x1) = (Math.Min(_x0, first), Math.Max(_x1, last));
        (_y0, _y1) = (Math.Min(_y0, y), Math.Max(_y1, y));
        (_z0, _z1) = (Math.Min(_z0, z), Math.Max(_z1, z));
    }

    private void Merge(LabelOverlap other)
    {
        Predicted += other.Predicted;
        Truth += other.Truth;
        Both += other.Both;
        Include(other._x0, other._x1, other._y0, other._z0);
        Include(other._x0, other._x1, other._y1, other._z1);
    }
}
