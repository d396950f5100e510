namespace Maisi.Bridge.Training;

/// <summary>What a training learns from.</summary>
/// <param name="Cases">What all networks learn from.</param>
/// <param name="Validation">What none learns from.</param>
public sealed record TrainingData(IReadOnlyList<TrainingCase> Cases, IReadOnlyList<TrainingCase> Validation)
{
    /// <summary>Further views of the cases, for all networks but the autoencoder of images.</summary>
    public IReadOnlyList<TrainingCase> Variants { get; init; } = [];

    /// <summary>Where the cases are from, for the bundle's card; null says nothing of it.</summary>
    public Datalist? Source { get; init; }
}

/// <summary>A case on the training grid.</summary>
/// <param name="Id">The name of the image file.</param>
/// <param name="Image">Intensities in [0, 1], [X, Y, Z] with Z fastest.</param>
/// <param name="Labels">Label codes in the same order.</param>
public sealed record TrainingCase(string Id, float[] Image, byte[] Labels)
{
    /// <summary>The case seen in a mirror: left and right exchanged, labels of paired organs too.</summary>
    /// <param name="size">Voxels along x, y, z.</param>
    /// <param name="partner">For each code the code of its mirror organ.</param>
    public TrainingCase Mirrored(int[] size, byte[] partner)
    {
        var slab = size[1] * size[2];
        var image = new float[Image.Length];
        var labels = new byte[Labels.Length];
        for (var x = 0; x < size[0]; x++)
        {
            var from = (size[0] - 1 - x) * slab;
            Array.Copy(Image, from, image, x * slab, slab);
            for (var i = 0; i < slab; i++)
                labels[(x * slab) + i] = partner[Labels[from + i]];
        }
        return new TrainingCase(Id + " mirrored", image, labels);
    }

    /// <summary>Mirror organs by name: "left parotid" and "right parotid" are partners, an unpaired organ is its own.</summary>
    public static byte[] MirrorPartners(IReadOnlyDictionary<string, int> labels)
    {
        var partner = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        foreach (var (name, code) in labels)
        {
            if (name.Contains("left", StringComparison.OrdinalIgnoreCase)
                && labels.TryGetValue(name.Replace("left", "right", StringComparison.OrdinalIgnoreCase), out var other))
            {
                (partner[code], partner[other]) = ((byte)other, (byte)code);
            }
        }
        return partner;
    }
}
