using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Training;

/// <summary>
/// Further views of every training case: its grid moved, turned and scaled at random before the volume is resampled onto it, so that a view
/// is as sharp as the case itself. The diffusion networks and the mask model learn from them; the autoencoder draws patches anyway.
/// </summary>
public sealed record CaseVariantOptions
{
    /// <summary>Views beside the case itself.</summary>
    public int Count { get; set; } = 2;

    /// <summary>Largest shift along each axis in millimetres.</summary>
    public double Shift { get; set; } = 6;

    /// <summary>Largest turn about each axis in degrees.</summary>
    public double Rotation { get; set; } = 4;

    /// <summary>Largest relative change of size.</summary>
    public double Zoom { get; set; } = 0.05;

    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="MaisiException">An option is out of its range.</exception>
    internal void Check()
    {
        Require(Count is >= 0 and <= 100, nameof(Count), Count, "0 to 100");
        Require(Shift is >= 0 and <= 1000, nameof(Shift), Shift, "0 to 1000 mm");
        Require(Rotation is >= 0 and <= 180, nameof(Rotation), Rotation, "0 to 180 degrees");
        Require(Zoom is >= 0 and <= 0.5, nameof(Zoom), Zoom, "0 to 0.5");
    }

    /// <summary>A grid as another view of what it shows: the same voxels, moved, turned and scaled about its centre.</summary>
    /// <param name="grid">The case's grid.</param>
    /// <param name="random">Draws shift, turn and size.</param>
    internal VolumeGrid Of(VolumeGrid grid, TrainingRandom random)
    {
        double Draw(double most) => ((2 * random.NextDouble()) - 1) * most;
        var (shiftX, shiftY, shiftZ) = (Draw(Shift), Draw(Shift), Draw(Shift));
        var (x, y, z) = (Draw(Rotation), Draw(Rotation), Draw(Rotation));
        var zoom = 1 + Draw(Zoom);
        var centre = grid.Affine.Apply((grid.SizeX - 1) / 2.0, (grid.SizeY - 1) / 2.0, (grid.SizeZ - 1) / 2.0);
        var turned = Turn(0, x).Multiply(Turn(1, y)).Multiply(Turn(2, z)).Multiply(Affine.Diagonal(zoom, zoom, zoom));
        var view = Affine.Diagonal(1, 1, 1, centre.X + shiftX, centre.Y + shiftY, centre.Z + shiftZ)
            .Multiply(turned).Multiply(Affine.Diagonal(1, 1, 1, -centre.X, -centre.Y, -centre.Z));
        return grid with { Affine = view.Multiply(grid.Affine) };
    }

    private static Affine Turn(int axis, double degrees)
    {
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        return Affine.FromRows(axis switch
        {
            0 => [1, 0, 0, 0, 0, cos, -sin, 0, 0, sin, cos, 0],
            1 => [cos, 0, sin, 0, 0, 1, 0, 0, -sin, 0, cos, 0],
            _ => [cos, -sin, 0, 0, sin, cos, 0, 0, 0, 0, 1, 0],
        });
    }

    private static void Require(bool inside, string name, object value, string range)
    {
        if (!inside)
            throw new MaisiException($"{name} of the variants is {value}; it must be {range}.", $"data.variants.{name.ToLowerInvariant()}");
    }
}
