// Balanced classes as in MONAI's RandCropByLabelClasses; the variations are those of nnU-Net: Isensee et al., Nature Methods 18, 2021.
using Maisi.Bridge.Training;

namespace Maisi.Bridge.Experiments;

/// <summary>
/// Draws training patches: a case, one of its classes (background is one of them), a voxel of it as centre. Everything random comes from
/// one counter, so that a resumed training sees the same patches.
/// </summary>
internal sealed class PatchSampler(IReadOnlyList<PreparedCase> cases, SegResNetOptions options, byte[] mirror, SegmentationAugmentation augmentation)
{
    private const double MostRotation = 15 * Math.PI / 180, LeastZoom = 0.85, MostZoom = 1.18, SpatialShare = 0.5;
    private readonly int[] _size = options.PatchSize;
    private readonly float _low = (float)options.Intensity[0], _range = (float)(options.Intensity[1] - options.Intensity[0]);

    /// <summary>Fills one patch.</summary>
    /// <param name="random">Where choices come from.</param>
    /// <param name="image">Intensities in about [0, 1], [X, Y, Z].</param>
    /// <param name="classes">Class numbers in the same order.</param>
    public void Draw(TrainingRandom random, Span<float> image, Span<long> classes)
    {
        var item = cases[random.Next(cases.Count)];
        var present = Enumerable.Range(0, item.Centres.Length).Where(c => item.Centres[c].Length > 0).ToArray();
        var centres = item.Centres[present[random.Next(present.Length)]];
        var centre = centres[random.Next(centres.Length)];
        var mirrored = options.Mirror && random.Next(2) == 1;
        var turn = Turn(random);
        Sample(item, centre, turn, image, classes);
        if (mirrored)
            Mirror(image, classes);
        Vary(random, image);
    }

    // Rows of the matrix that takes patch offsets to case offsets; null for none.
    private double[]? Turn(TrainingRandom random)
    {
        if (augmentation != SegmentationAugmentation.Classical || random.NextDouble() >= SpatialShare)
            return null;
        var zoom = Between(random, LeastZoom, MostZoom);
        var (a, b, c) = (Between(random, -MostRotation, MostRotation), Between(random, -MostRotation, MostRotation), Between(random, -MostRotation, MostRotation));
        var ((sa, ca), (sb, cb), (sc, cc)) = (Math.SinCos(a), Math.SinCos(b), Math.SinCos(c));
        double[] rotation =
        [
            cb * cc, (sa * sb * cc) - (ca * sc), (ca * sb * cc) + (sa * sc),
            cb * sc, (sa * sb * sc) + (ca * cc), (ca * sb * sc) - (sa * cc),
            -sb, sa * cb, ca * cb,
        ];
        // Angles are of the body, not of its voxels.
        var spacing = options.Spacing;
        return [.. rotation.Select((r, i) => r * zoom * spacing[i % 3] / spacing[i / 3])];
    }

    private void Sample(PreparedCase item, int centre, double[]? turn, Span<float> image, Span<long> classes)
    {
        var (nx, ny, nz) = (item.Grid.SizeX, item.Grid.SizeY, item.Grid.SizeZ);
        var (cx, cy, cz) = (centre / (ny * nz), centre / nz % ny, centre % nz);
        // A patch does not reach over the case's edge where the case is large enough.
        int[] middle = [Inside(cx, nx, _size[0]), Inside(cy, ny, _size[1]), Inside(cz, nz, _size[2])];
        var at = 0;
        for (var x = 0; x < _size[0]; x++)
        {
            for (var y = 0; y < _size[1]; y++)
            {
                for (var z = 0; z < _size[2]; z++, at++)
                {
                    int dx = x - (_size[0] / 2), dy = y - (_size[1] / 2), dz = z - (_size[2] / 2);
                    if (turn is null)
                    {
                        Nearest(item, middle[0] + dx, middle[1] + dy, middle[2] + dz, out image[at], out classes[at]);
                        continue;
                    }
                    Linear(item, middle[0] + (turn[0] * dx) + (turn[1] * dy) + (turn[2] * dz), middle[1] + (turn[3] * dx) + (turn[4] * dy) + (turn[5] * dz),
                        middle[2] + (turn[6] * dx) + (turn[7] * dy) + (turn[8] * dz), out image[at], out classes[at]);
                }
            }
        }
    }

    private static int Inside(int centre, int extent, int patch) =>
        extent <= patch ? extent / 2 : Math.Clamp(centre, patch / 2, extent - patch + (patch / 2));

    private void Nearest(PreparedCase item, int x, int y, int z, out float value, out long code)
    {
        var grid = item.Grid;
        if ((uint)x >= (uint)grid.SizeX || (uint)y >= (uint)grid.SizeY || (uint)z >= (uint)grid.SizeZ)
        {
            (value, code) = (0, 0);
            return;
        }
        var i = (((x * grid.SizeY) + y) * grid.SizeZ) + z;
        (value, code) = ((item.Image[i] - _low) / _range, item.Classes[i]);
    }

    private void Linear(PreparedCase item, double x, double y, double z, out float value, out long code)
    {
        var (i, j, k) = ((int)Math.Floor(x), (int)Math.Floor(y), (int)Math.Floor(z));
        var (u, v, w) = ((float)(x - i), (float)(y - j), (float)(z - k));
        value = 0;
        for (var corner = 0; corner < 8; corner++)
        {
            var (a, b, c) = (corner & 1, (corner >> 1) & 1, corner >> 2);
            var weight = (a == 0 ? 1 - u : u) * (b == 0 ? 1 - v : v) * (c == 0 ? 1 - w : w);
            Nearest(item, i + a, j + b, k + c, out var here, out _);
            value += weight * here;
        }
        Nearest(item, (int)Math.Round(x), (int)Math.Round(y), (int)Math.Round(z), out _, out code);
    }

    private void Mirror(Span<float> image, Span<long> classes)
    {
        var slab = _size[1] * _size[2];
        for (var x = 0; x < _size[0] / 2; x++)
        {
            var other = _size[0] - 1 - x;
            for (var i = 0; i < slab; i++)
            {
                (image[(x * slab) + i], image[(other * slab) + i]) = (image[(other * slab) + i], image[(x * slab) + i]);
                (classes[(x * slab) + i], classes[(other * slab) + i]) = (classes[(other * slab) + i], classes[(x * slab) + i]);
            }
        }
        for (var i = 0; i < classes.Length; i++)
            classes[i] = mirror[classes[i]];
    }

    private void Vary(TrainingRandom random, Span<float> image)
    {
        if (augmentation == SegmentationAugmentation.None)
            return;
        var classical = augmentation == SegmentationAugmentation.Classical;
        var spread = classical ? 0.25 : 0.1;
        var (factor, shift) = ((float)Between(random, 1 - spread, 1 + spread), (float)Between(random, -spread / 2, spread / 2));
        var gamma = classical && random.NextDouble() < 0.3 ? (float)Between(random, 0.7, 1.5) : 1;
        var noise = classical && random.NextDouble() < 0.3 ? (float)Between(random, 0, 0.05) : 0;
        float[]? normal = null;
        if (noise > 0)
            Generation.PhiloxNoise.Fill(normal = new float[image.Length], random.NextSeed());
        for (var i = 0; i < image.Length; i++)
        {
            var value = image[i];
            if (gamma != 1)
                value = MathF.Pow(Math.Clamp(value, 0, 1), gamma);
            image[i] = (value * factor) + shift + (normal is null ? 0 : normal[i] * noise);
        }
    }

    private static double Between(TrainingRandom random, double low, double high) => low + ((high - low) * random.NextDouble());
}
