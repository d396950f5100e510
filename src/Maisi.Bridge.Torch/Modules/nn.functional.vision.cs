namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Pads the last dimensions first: left, right, top, bottom, front, back.</summary>
            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                new Call(Ops.pad).T(input).L(pad).Str(PadMode(mode)).F(mode == PaddingModes.Constant ? value : (double?)null).Run();

            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, pad.ToArray(), mode, value);

            public static Tensor pad(Tensor input, (long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, [pad.Item1, pad.Item2], mode, value);

            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, [pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            /// <summary>Resizes [N, C, spatial...] to a size or by a factor.</summary>
            public static Tensor interpolate(Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest,
                bool? align_corners = null, bool recompute_scale_factor = false, bool antialias = false)
            {
                var rank = (int)x.Dimensions - 2;
                if (size is null == scale_factor is null)
                    throw new ArgumentException("interpolate needs a size or a scale factor, and not both");
                size = size?.Length == 1 ? [.. Enumerable.Repeat(size[0], rank)] : size;
                scale_factor = scale_factor?.Length == 1 ? [.. Enumerable.Repeat(scale_factor[0], rank)] : scale_factor;
                if (mode == InterpolationMode.Area || recompute_scale_factor)
                {
                    var shape = x.shape;
                    size ??= [.. scale_factor!.Select((f, i) => (long)Math.Floor(shape[i + 2] * f))];
                    scale_factor = null;
                }
                var corners = align_corners ?? false;
                return (mode, rank) switch
                {
                    (InterpolationMode.Nearest, 1) => Nearest(Ops.upsample_nearest1d_vec),
                    (InterpolationMode.Nearest, 2) => Nearest(Ops.upsample_nearest2d_vec),
                    (InterpolationMode.Nearest, 3) => Nearest(Ops.upsample_nearest3d_vec),
                    (InterpolationMode.NearestExact, 1) => Nearest(Ops._upsample_nearest_exact1d_vec),
                    (InterpolationMode.NearestExact, 2) => Nearest(Ops._upsample_nearest_exact2d_vec),
                    (InterpolationMode.NearestExact, 3) => Nearest(Ops._upsample_nearest_exact3d_vec),
                    (InterpolationMode.Linear, 1) => Smooth(Ops.upsample_linear1d_vec),
                    (InterpolationMode.Bilinear, 2) => Smooth(antialias ? Ops._upsample_bilinear2d_aa_vec : Ops.upsample_bilinear2d_vec),
                    (InterpolationMode.Bicubic, 2) => Smooth(antialias ? Ops._upsample_bicubic2d_aa_vec : Ops.upsample_bicubic2d_vec),
                    (InterpolationMode.Trilinear, 3) => Smooth(Ops.upsample_trilinear3d_vec),
                    (InterpolationMode.Area, 2) => adaptive_avg_pool2d(x, size!),
                    (InterpolationMode.Area, 3) => adaptive_avg_pool3d(x, size!),
                    _ => throw new ArgumentException($"interpolate: mode {mode} does not work on {rank} spatial dimensions"),
                };

                Tensor Nearest(Op op) => new Call(op).T(x).LOrNone(size).Fs(scale_factor).Run();
                Tensor Smooth(Op op) => new Call(op).T(x).LOrNone(size).B(corners).Fs(scale_factor).Run();
            }

            /// <summary>Values of <paramref name="input"/> at the positions in <paramref name="grid"/> (-1..1, last axis first).</summary>
            public static Tensor grid_sample(Tensor input, Tensor grid, GridSampleMode mode = GridSampleMode.Bilinear,
                GridSamplePaddingMode padding_mode = GridSamplePaddingMode.Zeros, bool? align_corners = null) =>
                new Call(Ops.grid_sampler).T(input).T(grid).I(mode == GridSampleMode.Nearest ? 1 : 0).I(padding_mode switch
                {
                    GridSamplePaddingMode.Border => 1,
                    GridSamplePaddingMode.Reflection => 2,
                    _ => 0,
                }).B(align_corners ?? false).Run();

            /// <summary>The grid of an affine map, for <see cref="grid_sample"/>.</summary>
            public static Tensor affine_grid(Tensor theta, long[]? size = null, bool align_corners = false) =>
                new Call(Ops.affine_grid_generator).T(theta).L(size ?? throw new ArgumentNullException(nameof(size))).B(align_corners).Run();

            private static string PadMode(PaddingModes mode) => mode switch
            {
                PaddingModes.Constant or PaddingModes.Zeros => "constant",
                PaddingModes.Reflect => "reflect",
                PaddingModes.Replicate => "replicate",
                _ => "circular",
            };
        }
    }
}
