namespace Maisi.Bridge.Volumes;

/// <summary>How a user's mask is made fit for MAISI.</summary>
public sealed record MaskPreparationOptions
{
    /// <summary>What the labels of the mask mean.</summary>
    public required LabelVocabulary Vocabulary { get; init; }

    /// <summary>CT on the same grid, from which the body is found; null leaves the body as it is.</summary>
    public Volume? Ct { get; init; }

    /// <summary>Resample to a size and spacing that MAISI takes.</summary>
    public bool FixGrid { get; init; } = true;
}

/// <summary>A prepared mask and what was done to it, in plain sentences.</summary>
/// <param name="Mask">MAISI labels in RAS order.</param>
/// <param name="Changes">What was changed.</param>
/// <param name="Warnings">What is still wrong, or was lost.</param>
public sealed record PreparedMask(Volume Mask, IReadOnlyList<string> Changes, IReadOnlyList<string> Warnings);

/// <summary>
/// Makes a mask fit for MAISI's ControlNet, and says what is wrong with one: unknown labels, no body (200), another orientation than
/// RAS, sizes and spacings that the model was not trained on.
/// </summary>
public static class MaskPreparation
{
    /// <summary>Remaps, adds the body, turns to RAS and resamples.</summary>
    /// <exception cref="MaisiException">Labels that the vocabulary lacks, or a CT of another size.</exception>
    public static PreparedMask Prepare(Volume mask, MaskPreparationOptions options)
    {
        var (changes, warnings) = (new List<string>(), new List<string>());
        var result = mask.ConvertTo<int>();
        var unknown = result.CountLabels().Keys.Where(k => !options.Vocabulary.Contains(k)).ToArray();
        if (unknown.Length > 0)
            throw new MaisiException($"the mask has labels that the vocabulary '{options.Vocabulary.Name}' lacks: {string.Join(", ", unknown)}",
                hint: "give the right vocabulary, or a JSON file of your own with a MAISI label for each of yours");
        var map = options.Vocabulary.ToMaisi.Where(m => m.Key != m.Value).ToDictionary();
        var remapped = result.CountLabels().Keys.Where(map.ContainsKey).ToArray();
        result = result.Remap(map);
        if (remapped.Length > 0)
            changes.Add($"{remapped.Length} labels of '{options.Vocabulary.Name}' became MAISI labels");
        if (options.Ct is not null)
        {
            var before = result.CountLabels().GetValueOrDefault(LabelVocabulary.Body);
            result = result.AddBody(options.Ct);
            changes.Add($"the body (200) was found in the CT: {result.CountLabels().GetValueOrDefault(LabelVocabulary.Body) - before} voxels more");
        }
        if (result.Orientation != AxisCodes.RAS)
        {
            changes.Add($"axes were turned from {result.Orientation} to RAS");
            result = result.Reorient(AxisCodes.RAS);
        }
        if (options.FixGrid)
            result = Snap(result, changes, warnings);
        warnings.AddRange(Check(result));
        return new(result.Narrow(), changes, warnings);
    }

    /// <summary>Everything that keeps a mask from being used as it is; empty when nothing does.</summary>
    public static IReadOnlyList<string> Check(Volume mask)
    {
        var problems = new List<string>();
        var labels = mask.CountLabels();
        var maisi = LabelVocabulary.Load("maisi");
        var unknown = labels.Keys.Where(k => !maisi.Contains(k)).ToArray();
        if (unknown.Length > 0)
            problems.Add($"labels that MAISI does not know: {string.Join(", ", unknown)}");
        if (!labels.ContainsKey(LabelVocabulary.Body))
            problems.Add("the body (200) is missing, without which images come out poor: maisi mask prepare --ct CT adds it");
        if (!LabelOperations.HasBodyRegion([.. labels.Keys]))
            problems.Add("no label tells which part of the body it shows, which DDPM models need");
        if (mask.Orientation != AxisCodes.RAS)
            problems.Add($"its axes are {mask.Orientation}, not RAS");
        var grid = mask.Grid.Reorient(AxisCodes.RAS);
        int[] size = [grid.SizeX, grid.SizeY, grid.SizeZ];
        if (!MaskGrid.IsValid(size, grid.Affine.Spacing))
        {
            var (validSize, validSpacing) = MaskGrid.Suggest(size, grid.Affine.Spacing);
            problems.Add($"{grid} voxels of {Millimetres(grid.Affine.Spacing)} are none that the model takes; nearest: {string.Join('×', validSize)} of {Millimetres(validSpacing)}");
        }
        return problems;
    }

    private static Volume Snap(Volume mask, List<string> changes, List<string> warnings)
    {
        var (size, spacing) = MaskGrid.Suggest(mask.Shape, mask.Spacing);
        if (size.SequenceEqual(mask.Shape) && spacing.Zip(mask.Spacing).All(s => Math.Abs(s.First - s.Second) < 1e-6))
            return mask;
        var resampled = mask.ResampleToSpacing(spacing[0], spacing[1], spacing[2], Interpolation.Nearest).CropOrPad(size[0], size[1], size[2]);
        changes.Add($"resampled from {mask.Grid} of {Millimetres(mask.Spacing)} to {resampled.Grid} of {Millimetres(spacing)}");
        var lost = mask.CountLabels().Keys.Except(resampled.CountLabels().Keys).ToArray();
        if (lost.Length > 0)
            warnings.Add($"resampling lost the labels {string.Join(", ", lost)}");
        return resampled;
    }

    private static string Millimetres(IReadOnlyList<double> spacing) => string.Join('×', spacing.Select(s => s.ToString("0.###"))) + " mm";
}
