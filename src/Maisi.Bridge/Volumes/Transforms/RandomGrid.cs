using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Random rotation, shift and scale of sampling positions. Source: monai/transforms/spatial/array.py (RandAffineGrid).</summary>
/// <param name="rotate">Largest angle (radians) about each axis; axes that are left out are not drawn and do not change, as for the others.</param>
/// <param name="translate">Largest shift (voxels) along each axis.</param>
/// <param name="scale">Largest change of the factor 1 along each axis.</param>
public sealed class RandomGrid(double[] rotate, double[] translate, double[] scale)
{
    private NumpyRandom _random = new(0);

    /// <summary>Angles in radians.</summary>
    public double[] Rotate { get; private set; } = [];

    /// <summary>Shifts in voxels.</summary>
    public double[] Translate { get; private set; } = [];

    /// <summary>Factors.</summary>
    public double[] Scale { get; private set; } = [];

    /// <summary>Rotation, then shift, then scale, with positions counted from the middle.</summary>
    public Affine Matrix => Rotation(Rotate).Multiply(Affine.Diagonal(1, 1, 1, Translate[0], Translate[1], Translate[2])).Multiply(Affine.Diagonal(Scale[0], Scale[1], Scale[2]));

    /// <summary>Rotations about the three axes, multiplied in this order.</summary>
    public static Affine Rotation(IReadOnlyList<double> angles)
    {
        var (sx, cx) = Math.SinCos(angles[0]);
        var (sy, cy) = Math.SinCos(angles[1]);
        var (sz, cz) = Math.SinCos(angles[2]);
        return Affine.FromRows([1, 0, 0, 0, 0, cx, -sx, 0, 0, sx, cx, 0])
            .Multiply(Affine.FromRows([cy, 0, sy, 0, 0, 1, 0, 0, -sy, 0, cy, 0]))
            .Multiply(Affine.FromRows([cz, -sz, 0, 0, sz, cz, 0, 0, 0, 0, 1, 0]));
    }

    /// <summary>Starts the generator anew.</summary>
    public void SetRandomState(ulong seed) => _random = new(seed);

    /// <summary>Draws new parameters.</summary>
    public void Draw()
    {
        Rotate = Axes(rotate, 0);
        Translate = Axes(translate, 0);
        Scale = Axes(scale, 1);
    }

    private double[] Axes(double[] ranges, double middle)
    {
        double[] axes = [middle, middle, middle];
        for (var i = 0; i < ranges.Length; i++)
            axes[i] += _random.Uniform(-ranges[i], ranges[i]);
        return axes;
    }

    /// <summary>Positions of all voxels counted from the middle, one tensor [X,Y,Z] per axis.</summary>
    internal static Tensor[] Identity(int[] size, Device device)
    {
        long[][] shapes = [[size[0], 1, 1], [1, size[1], 1], [1, 1, size[2]]];
        return [.. size.Select((n, a) => linspace(-(n - 1) / 2.0, (n - 1) / 2.0, n, ScalarType.Float64, device).reshape(shapes[a]).expand(size[0], size[1], size[2]))];
    }

    /// <summary>The matrix applied to positions, in single precision as in MONAI.</summary>
    internal Tensor[] Move(Tensor[] positions)
    {
        var x = Array.ConvertAll(positions, p => p.to(ScalarType.Float32));
        var m = Matrix;
        return [.. Enumerable.Range(0, 3).Select(r => x[0] * (float)m[r, 0] + x[1] * (float)m[r, 1] + x[2] * (float)m[r, 2] + (float)m[r, 3])];
    }

    /// <summary>Positions in PyTorch's coordinates: [1,X,Y,Z,3], last axis first, double precision.</summary>
    internal static Tensor Normalise(Tensor[] positions, int[] size) =>
        stack([.. Enumerable.Range(0, 3).Select(i => positions[2 - i].to(ScalarType.Float64) * (2.0 / Math.Max(2, size[2 - i])))], dim: -1).unsqueeze(0);
}
