using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>A label map as the ControlNet gets it: RAS, the bundle's codes, a grid that the networks can work on.</summary>
public sealed class ConditionMask
{
    private ConditionMask(Volume labels, IReadOnlyList<string> changes, bool hasBody) => (Labels, Changes, HasBody) = (labels, changes, hasBody);

    /// <summary>Label codes as uint8, axes RAS.</summary>
    public Volume Labels { get; }

    /// <summary>What was changed in the file's map, in words.</summary>
    public IReadOnlyList<string> Changes { get; }

    /// <summary>Whether the body's envelope is labelled, so that unlabelled voxels are air.</summary>
    public bool HasBody { get; }

    /// <summary>Reads a label map and brings it to the form that a bundle wants.</summary>
    /// <param name="path">The file.</param>
    /// <inheritdoc cref="Of"/>
    public static ConditionMask Read(string path, BundleSettings settings, GridChoice choice, int divisor, bool force = false) =>
        Of(VolumeFile.Read(path), path, settings, choice, divisor, force);

    /// <summary>Brings a label map to the form that a bundle wants.</summary>
    /// <param name="volume">The label map, any orientation and type.</param>
    /// <param name="path">Where it comes from, for errors.</param>
    /// <param name="settings">The bundle's codes, grid and remap.</param>
    /// <param name="choice">Which grid to use.</param>
    /// <param name="divisor">What every extent must be divisible by: the networks' strides multiplied.</param>
    /// <param name="force">Keeps codes that the bundle does not know, as upstream does; the change is listed.</param>
    /// <exception cref="MaisiException">Not a label map, codes that the bundle does not know, or extents that do not divide.</exception>
    public static ConditionMask Of(Volume volume, string path, BundleSettings settings, GridChoice choice, int divisor, bool force = false)
    {
        var changes = new List<string>();
        var labels = Codes(volume, path, settings, force, changes);
        if (labels.Orientation != AxisCodes.RAS)
        {
            changes.Add($"axes {labels.Orientation} were reordered to RAS");
            labels = labels.Reorient(AxisCodes.RAS);
        }
        labels = settings.HasMaisiRules && choice == GridChoice.Auto ? OnMaisiGrid(labels, changes) : OnGrid(labels, path, settings, choice, divisor, changes);
        var hasBody = labels.Voxels<byte>().Contains((byte)settings.BodyLabel);
        if (!hasBody)
            changes.Add($"the map has no body envelope (code {settings.BodyLabel}): the outline of the body is the model's guess");
        return new ConditionMask(labels, changes, hasBody);
    }

    private static Volume Codes(Volume volume, string path, BundleSettings settings, bool force, List<string> changes)
    {
        if (volume.Channels != 1)
            throw new MaisiException($"A label map has one channel, this file has {volume.Channels}.", path);
        var values = volume.ConvertTo<double>().Voxels<double>();
        var known = new bool[256];
        var target = LabelOperations.CodeTable(settings.LabelRemap);
        foreach (var code in settings.LabelDict.Values.Append(0).Concat(settings.LabelRemap.Keys.Select(int.Parse)))
            known[code] = true;
        var codes = new byte[values.Length];
        var unknown = new SortedDictionary<double, long>();
        var remapped = new SortedDictionary<int, long>();
        for (var i = 0; i < codes.Length; i++)
        {
            var value = values[i];
            if (value is < 0 or > 255 || value != Math.Floor(value) || !known[(int)value])
            {
                unknown[value] = unknown.GetValueOrDefault(value) + 1;
                if (unknown.Count > 1000)
                    break;
                codes[i] = (byte)value;
                continue;
            }
            codes[i] = target[(int)value];
            if (codes[i] != (byte)value)
                remapped[(int)value] = remapped.GetValueOrDefault((int)value) + 1;
        }
        if (unknown.Count > 1000 || unknown.Keys.Any(v => v != Math.Floor(v)))
            throw new MaisiException("This is no label map: it has values that are not whole numbers, or more than 1000 different ones.", path, "Give the label map, not the image.");
        if (unknown.Count > 0 && force && unknown.Keys.All(v => v is >= 0 and <= 255))
        {
            changes.Add($"codes that the bundle does not know were kept: {string.Join(", ", unknown.Take(8).Select(u => $"{u.Key} ({u.Value} voxels)"))}");
        }
        else if (unknown.Count > 0)
        {
            throw new MaisiException(
                $"The map has label codes that the bundle does not know: {string.Join(", ", unknown.Take(8).Select(u => $"{u.Key} ({u.Value} voxels)"))}{(unknown.Count > 8 ? ", ..." : "")}.",
                path, $"Known are 0 background, {string.Join(", ", settings.LabelDict.OrderBy(l => l.Value).Take(24).Select(l => $"{l.Value} {l.Key}"))}.");
        }
        if (remapped.Count > 0)
            changes.Add($"codes were replaced: {string.Join(", ", remapped.Select(r => $"{r.Key} by {target[r.Key]} ({r.Value} voxels)"))}");
        if (!codes.AsSpan().ContainsAnyExcept((byte)0))
            throw new MaisiException("The label map is empty: every voxel is 0.", path, "Give a map in which organs are labelled.");
        return Volume.Wrap<byte>(codes, volume.Grid);
    }

    private static Volume OnGrid(Volume labels, string path, BundleSettings settings, GridChoice choice, int divisor, List<string> changes)
    {
        if (choice != GridChoice.Bundle)
            RequireDivisible(labels, path, divisor);
        if (choice == GridChoice.Mask || (choice == GridChoice.Auto && SpacingAgrees(labels, settings.Spacing)))
            return labels;
        var moved = labels.Resample(AnatomyGrid.Around(labels, settings.AnchorLabels, settings.OutputSize, settings.Spacing), Interpolation.Nearest, 0);
        changes.Add($"the grid {Describe(labels.Grid)} was resampled to the bundle's {Describe(moved.Grid)}, centred on the organs");
        return moved;
    }

    // MAISI takes many sizes and spacings: the map's own where it is one of them, else the nearest over the same field of view, as upstream.
    private static Volume OnMaisiGrid(Volume labels, List<string> changes)
    {
        int[] size = [labels.SizeX, labels.SizeY, labels.SizeZ];
        if (MaskGrid.IsValid(size, labels.Spacing))
            return labels;
        var (wanted, spacing) = MaskGrid.Suggest(size, labels.Spacing);
        var moved = labels.ToRequestedGrid(wanted, spacing);
        changes.Add($"the grid {Describe(labels.Grid)} was resampled to {Describe(moved.Grid)}, the nearest that the networks were trained on");
        return moved;
    }

    private static void RequireDivisible(Volume labels, string path, int divisor)
    {
        if (labels.Shape.All(n => n % divisor == 0))
            return;
        throw new MaisiException(
            $"The map's size {labels.Grid} (RAS) is not divisible by {divisor} along every axis, which the networks need.", path,
            "Crop or pad the map, or pass --grid bundle to resample it to the bundle's grid.");
    }

    private static bool SpacingAgrees(Volume labels, double[] spacing) =>
        labels.Spacing.Zip(spacing).All(s => Math.Abs(s.First - s.Second) <= 0.01 * s.Second);

    private static string Describe(VolumeGrid grid) =>
        $"{grid} at {string.Join("×", grid.Affine.Spacing.Select(s => s.ToString("0.###")))} mm";
}
