using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Training;

/// <summary>
/// A drawn head and neck: ellipsoids and tubes with Hounsfield units, every one of another size and place. It lets the program
/// train and generate where no data is at hand, and is no substitute for patients.
/// </summary>
public sealed class HeadPhantom
{
    /// <summary>The labels that the phantom draws, OpenKBP's numbers and MAISI's 200 for the rest of the body.</summary>
    public const byte Brainstem = 1, SpinalCord = 2, RightParotid = 3, LeftParotid = 4, Mandible = 7, Body = 200;

    private readonly ulong seed;
    private readonly double scale;
    private readonly double tilt;
    private readonly double[] shift;

    /// <summary>Draws the plan of one phantom; equal seeds give equal phantoms.</summary>
    public HeadPhantom(ulong seed)
    {
        this.seed = seed;
        scale = 0.9 + (0.2 * Draw(0));
        tilt = (Draw(1) - 0.5) * 0.3;
        shift = [(Draw(2) - 0.5) * 12, (Draw(3) - 0.5) * 12, (Draw(4) - 0.5) * 12];
    }

    /// <summary>Voxels of the phantom on a RAS grid centred on it.</summary>
    /// <param name="size">Voxels along right, anterior, superior.</param>
    /// <param name="spacing">Millimetres along the same axes.</param>
    /// <returns>Labels and Hounsfield units in [X, Y, Z] order, Z fastest.</returns>
    public (byte[] Labels, float[] Hounsfield) Render(int[] size, double[] spacing)
    {
        var labels = new byte[size[0] * size[1] * size[2]];
        var hu = new float[labels.Length];
        var noise = new float[labels.Length];
        PhiloxNoise.Fill(noise, SampleSeed.Stream(seed, SeedStream.Latent));
        Parallel.For(0, size[0], x =>
        {
            for (var y = 0; y < size[1]; y++)
            {
                for (var z = 0; z < size[2]; z++)
                {
                    var at = (((x * size[1]) + y) * size[2]) + z;
                    var (label, value, grain) = Tissue(
                        (x - ((size[0] - 1) / 2.0)) * spacing[0], (y - ((size[1] - 1) / 2.0)) * spacing[1], (z - ((size[2] - 1) / 2.0)) * spacing[2]);
                    labels[at] = label;
                    hu[at] = value + (grain * noise[at]);
                }
            }
        });
        return (labels, hu);
    }

    private double Draw(ulong index) => PhiloxNoise.Uniform(SampleSeed.Stream(seed, SeedStream.Augmentation), index);

    /// <summary>The tissue at a point in millimetres: label, mean HU and noise of the acquisition.</summary>
    private (byte Label, float Hounsfield, float Noise) Tissue(double right, double anterior, double superior)
    {
        var (cos, sin) = (Math.Cos(tilt), Math.Sin(tilt));
        var x = (((right - shift[0]) * cos) + ((anterior - shift[1]) * sin)) / scale;
        var y = (((anterior - shift[1]) * cos) - ((right - shift[0]) * sin)) / scale;
        var z = (superior - shift[2]) / scale;
        var head = Ellipsoid(x, y + 5, z - 35, 72, 88, 95);
        var neck = z < 0 ? Ellipse(x, y + 12, 56, 58) : 9;
        if (Math.Min(head, neck) > 1)
            return (0, -1000, 0);
        if (Ellipsoid(x, y + 22, z - 12, 15, 13, 24) < 1)
            return (Brainstem, 30, 12);
        if (z < 0 && Ellipse(x, y + 38, 6.5, 6.5) < 1)
            return (SpinalCord, 25, 12);
        if (z < 0 && Ellipse(x, y + 38, 16, 15) < 1)
            return (Body, 550, 60);
        if (Ellipsoid(x - 56, y + 4, z + 4, 12, 17, 24) < 1)
            return (RightParotid, -25, 15);
        if (Ellipsoid(x + 56, y + 4, z + 4, 12, 17, 24) < 1)
            return (LeftParotid, -25, 15);
        var jaw = Ellipse(x, y - 8, 50, 66);
        if (y > -4 && z is < -18 and > -46 && jaw is < 1 and > 0.66)
            return (Mandible, 950, 120);
        if (z < 8 && Ellipse(x, y + 2, 9, 8) < 1)
            return (Body, -1000, 8);
        var skull = Ellipsoid(x, y + 10, z - 42, 66, 78, 80);
        if (z > -4 && skull is < 1 and > 0.82)
            return (Body, 900, 90);
        if (z > -4 && skull <= 0.82)
            return (Body, 35, 10);
        return Math.Min(head, neck) > 0.9 ? (Body, -90f, 15f) : (Body, 50f, 18f);
    }

    private static double Ellipsoid(double x, double y, double z, double a, double b, double c) => ((x * x) / (a * a)) + ((y * y) / (b * b)) + ((z * z) / (c * c));

    private static double Ellipse(double x, double y, double a, double b) => ((x * x) / (a * a)) + ((y * y) / (b * b));
}
