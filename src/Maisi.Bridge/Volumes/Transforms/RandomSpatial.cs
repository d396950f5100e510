using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>Random reversal of axes. Source of all in this file: monai/transforms/spatial/array.py.</summary>
/// <param name="prob">Probability.</param>
/// <param name="spatialAxis">Axes from 0.</param>
public sealed class RandFlip(double prob, params int[] spatialAxis) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input) => new Flip(spatialAxis).Apply(input);
}

/// <summary>Random quarter turns in a plane.</summary>
/// <param name="prob">Probability.</param>
/// <param name="maxK">Most quarter turns.</param>
/// <param name="spatialAxes">The plane, two axes from 0; null for 0 and 1.</param>
/// <param name="turnsFirst">Draws the turns before it draws whether to turn, as MONAI's dictionary variant does.</param>
public sealed class RandRotate90(double prob, int maxK = 3, int[]? spatialAxes = null, bool turnsFirst = false) : RandomTransform(prob)
{
    private int _turns;

    /// <inheritdoc/>
    public override VolumeTensor Apply(VolumeTensor input)
    {
        if (turnsFirst)
            _turns = Turns();
        return base.Apply(input);
    }

    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input) => new Rotate90(turnsFirst ? _turns : Turns(), spatialAxes).Apply(input);

    private int Turns() => (int)Random.Integer(0, maxK) + 1;
}

/// <summary>Random turns about the three axes.</summary>
/// <param name="range">Largest angle (radians) about each axis.</param>
/// <param name="prob">Probability.</param>
/// <param name="keepSize">As in <see cref="Rotate"/>.</param>
/// <param name="mode">Nearest for labels.</param>
public sealed class RandRotate(double[] range, double prob, bool keepSize = true, Interpolation mode = Interpolation.Trilinear) : RandomTransform(prob)
{
    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input) => new Rotate([.. range.Select(r => Random.Uniform(-r, r))], keepSize, mode).Apply(input);
}

/// <summary>Random zoom, one factor for all axes.</summary>
/// <param name="prob">Probability.</param>
/// <param name="minZoom">Smallest factor.</param>
/// <param name="maxZoom">Largest factor.</param>
/// <param name="mode">As in <see cref="Resize"/>.</param>
/// <param name="keepSize">As in <see cref="Zoom"/>.</param>
public sealed class RandZoom(double prob, double minZoom = 0.9, double maxZoom = 1.1, InterpolationMode mode = InterpolationMode.Area, bool keepSize = true) : RandomTransform(prob)
{
    /// <summary>The factor of the last call.</summary>
    public double Factor { get; private set; } = 1;

    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        Factor = Random.Uniform(minZoom, maxZoom);
        return new Zoom([Factor], mode, keepSize).Apply(input);
    }
}

/// <summary>
/// Random rotation, shift and scale round the middle. As in MONAI the parameters are drawn twice for each call and the second draw is
/// used, and the affine of the image is not changed.
/// </summary>
/// <param name="prob">Probability.</param>
/// <param name="rotate">Largest angle (radians) about each axis.</param>
/// <param name="translate">Largest shift (voxels) along each axis.</param>
/// <param name="scale">Largest change of the factor 1 along each axis.</param>
/// <param name="mode">Nearest for labels.</param>
/// <param name="padding">Values outside.</param>
public sealed class RandAffine(double prob, double[] rotate, double[] translate, double[] scale, Interpolation mode = Interpolation.Trilinear, SamplePadding padding = SamplePadding.Zeros)
    : RandomTransform(prob)
{
    /// <summary>The parameters of the last call.</summary>
    public RandomGrid Grid { get; } = new(rotate, translate, scale);

    /// <inheritdoc/>
    public override void SetRandomState(ulong seed)
    {
        base.SetRandomState(seed);
        Grid.SetRandomState(seed);
    }

    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        Grid.Draw();
        Grid.Draw();
        var positions = Grid.Move(RandomGrid.Identity(input.Size, input.Data.device));
        return input with { Data = Sampling.Grid(input.Data, RandomGrid.Normalise(positions, input.Size), mode, padding, corners: false).MoveToOuterDisposeScope() };
    }
}

/// <summary>Random smooth deformation with rotation, shift and scale; parameters of the affine part are drawn twice, as in MONAI.</summary>
/// <param name="prob">Probability.</param>
/// <param name="sigma">Range of the width (voxels) of the smoothing.</param>
/// <param name="magnitude">Range of the factor on the smoothed offsets.</param>
/// <param name="rotate">Largest angle (radians) about each axis.</param>
/// <param name="translate">Largest shift (voxels) along each axis.</param>
/// <param name="scale">Largest change of the factor 1 along each axis.</param>
/// <param name="mode">Nearest for labels.</param>
/// <param name="padding">Values outside.</param>
public sealed class Rand3DElastic(double prob, (double Low, double High) sigma, (double Low, double High) magnitude, double[] rotate, double[] translate, double[] scale,
    Interpolation mode = Interpolation.Trilinear, SamplePadding padding = SamplePadding.Zeros) : RandomTransform(prob)
{
    /// <summary>The affine parameters of the last call.</summary>
    public RandomGrid Grid { get; } = new(rotate, translate, scale);

    /// <summary>Width and factor of the last call.</summary>
    public (double Sigma, double Magnitude) Drawn { get; private set; }

    /// <inheritdoc/>
    public override void SetRandomState(ulong seed)
    {
        base.SetRandomState(seed);
        Grid.SetRandomState(seed);
    }

    /// <inheritdoc/>
    protected override VolumeTensor Transform(VolumeTensor input)
    {
        using var scope = NewDisposeScope();
        var offsets = new float[3 * input.Grid.Count];
        for (var i = 0; i < offsets.Length; i++)
            offsets[i] = (float)Random.Uniform(-1, 1);
        var factor = Random.Uniform(magnitude.Low, magnitude.High);
        var width = Random.Uniform(sigma.Low, sigma.High);
        Drawn = (width, factor);
        Grid.Draw();
        Grid.Draw();
        var smooth = Sampling.Blur(tensor(offsets, [3, input.Size[0], input.Size[1], input.Size[2]]).to(input.Data.device), [width, width, width], truncated: 3);
        var positions = RandomGrid.Identity(input.Size, input.Data.device).Select((g, i) => g + smooth[i] * factor).ToArray();
        var grid = RandomGrid.Normalise(Grid.Move(positions), input.Size);
        return input with { Data = Sampling.Grid(input.Data, grid, mode, padding, corners: false).MoveToOuterDisposeScope() };
    }
}
