using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>What lies outside a volume when it is sampled.</summary>
public enum SamplePadding
{
    /// <summary>Zero.</summary>
    Zeros,

    /// <summary>The nearest voxel.</summary>
    Border,
}

/// <summary>Sampling of tensors at mapped positions, through the same normalised coordinates as MONAI's AffineTransform and Resample.</summary>
internal static class Sampling
{
    /// <summary>Samples [C,X,Y,Z] where each voxel of the result is mapped to a voxel of the input.</summary>
    /// <param name="data">Input [C,X,Y,Z].</param>
    /// <param name="map">Voxel of the result to voxel of the input.</param>
    /// <param name="size">Voxels of the result.</param>
    /// <param name="mode">Nearest or linear.</param>
    /// <param name="padding">Values outside.</param>
    /// <param name="corners">PyTorch's align_corners for the grid and the sampling; MONAI's normalisation of the map ignores it.</param>
    /// <param name="type">Type of the computation.</param>
    /// <returns>float32 [C, size].</returns>
    public static Tensor Affine(Tensor data, Affine map, int[] size, Interpolation mode, SamplePadding padding, bool corners, ScalarType type)
    {
        using var scope = NewDisposeScope();
        // Element by element, so that half-way positions round alike on every machine and version; PyTorch's affine_grid is a matrix product.
        var axes = Enumerable.Range(0, 3).Select(c => tensor(SamplingMap.Base(size[c], corners), dtype: type, device: data.device)
            .reshape([.. Enumerable.Range(0, 3).Select(d => d == c ? (long)size[c] : 1)])).ToArray();
        var positions = new Tensor[3];
        for (var r = 0; r < 3; r++)
        {
            var n = data.shape[1 + r];
            var (scale, shift) = (2.0 / n, 2.0 / n * map[r, 3] + (1.0 / n - 1));
            Tensor? sum = null;
            for (var c = 0; c < 3; c++)
            {
                var back = 1 / (2.0 / size[c]);
                shift += scale * map[r, c] * (-(1.0 / size[c] - 1) * back);
                var term = axes[c] * (scale * map[r, c] * back);
                sum = sum is null ? term : sum + term;
            }
            positions[2 - r] = (sum! + shift).expand(size[0], size[1], size[2]); // PyTorch lists the last axis first
        }
        var grid = stack(positions, dim: -1).unsqueeze(0);
        return Grid(data, grid, mode, padding, corners).MoveToOuterDisposeScope();
    }

    /// <summary>Samples [C,X,Y,Z] at positions [1,X',Y',Z',3] in PyTorch's coordinates.</summary>
    public static Tensor Grid(Tensor data, Tensor grid, Interpolation mode, SamplePadding padding, bool corners) => mode == Interpolation.Nearest
        ? Nearest(data, grid, padding, corners).to(ScalarType.Float32)
        : nn.functional.grid_sample(data.to(grid.dtype).unsqueeze(0), grid, GridSampleMode.Bilinear,
            padding == SamplePadding.Border ? GridSamplePaddingMode.Border : GridSamplePaddingMode.Zeros, corners).squeeze(0).to(ScalarType.Float32);

    // grid_sample fuses products and sums on some machines, which moves half-way positions to the other voxel; here each step rounds.
    private static Tensor Nearest(Tensor data, Tensor grid, SamplePadding padding, bool corners)
    {
        Tensor? index = null, inside = null;
        for (var axis = 0; axis < 3; axis++)
        {
            var n = data.shape[1 + axis];
            var x = grid.select(-1, 2 - axis).squeeze(0) + 1;
            var voxel = (corners ? x / 2 * (n - 1) : (x * n - 1) / 2).round();
            var clamped = voxel.clamp(0, n - 1);
            var valid = voxel.eq(clamped);
            index = index is null ? clamped : index * n + clamped;
            inside = inside is null ? valid : inside.logical_and(valid);
        }
        var values = data.reshape(data.shape[0], -1).index_select(1, index!.to(ScalarType.Int64).reshape(-1));
        values = values.reshape([data.shape[0], .. index.shape]);
        return padding == SamplePadding.Border ? values : values * inside!.to(values.dtype);
    }

    /// <summary>Blurs each channel of [C,X,Y,Z] with a Gaussian per axis, zero outside: MONAI's GaussianFilter ("erf").</summary>
    public static Tensor Blur(Tensor data, IReadOnlyList<double> sigma, double truncated)
    {
        using var scope = NewDisposeScope();
        var x = data.unsqueeze(1);
        for (var axis = 0; axis < 3; axis++)
        {
            var tail = (int)(Math.Max((float)sigma[axis] * truncated, 0.5) + 0.5);
            var steps = tensor([.. Enumerable.Range(-tail, 2 * tail + 1).Select(i => (float)i)]);
            var t = 0.70710678f / MathF.Abs((float)sigma[axis]);
            var kernel = (((steps + 0.5f) * t).erf() - ((steps - 0.5f) * t).erf()).mul(0.5f).clamp(0);
            long[] shape = [1, 1, 1, 1, 1], pad = [0, 0, 0];
            shape[2 + axis] = 2 * tail + 1;
            pad[axis] = tail;
            x = nn.functional.conv3d(x, kernel.to(data.dtype).to(data.device).reshape(shape), padding: pad);
        }
        return x.squeeze(1).MoveToOuterDisposeScope();
    }
}
