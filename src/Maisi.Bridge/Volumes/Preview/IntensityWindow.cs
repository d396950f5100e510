namespace Maisi.Bridge.Volumes;

/// <summary>Values shown as black and as white.</summary>
/// <param name="Low">Shown black, as everything below.</param>
/// <param name="High">Shown white, as everything above.</param>
public sealed record IntensityWindow(double Low, double High)
{
    /// <summary>Usual CT windows in HU, by name.</summary>
    public static IReadOnlyDictionary<string, IntensityWindow> Presets { get; } = new Dictionary<string, IntensityWindow>(StringComparer.OrdinalIgnoreCase)
    {
        ["soft"] = new(-160, 240),
        ["abdomen"] = new(-150, 250),
        ["lung"] = new(-1350, 150),
        ["bone"] = new(-450, 1050),
        ["brain"] = new(0, 80),
        ["liver"] = new(-45, 105),
        ["wide"] = new(-1000, 1000),
        ["projection"] = new(-50, 1100),
    };

    /// <summary>A preset name, or "low,high".</summary>
    /// <exception cref="MaisiException">Neither.</exception>
    public static IntensityWindow Parse(string text)
    {
        if (Presets.TryGetValue(text, out var preset))
            return preset;
        var parts = text.Split(',');
        return parts.Length == 2 && double.TryParse(parts[0], out var low) && double.TryParse(parts[1], out var high) && low < high
            ? new(low, high)
            : throw new MaisiException($"'{text}' is not a window", hint: $"give low,high or one of {string.Join(", ", Presets.Keys)}");
    }

    /// <summary>0 to 255.</summary>
    public byte Grey(double value) => double.IsNaN(value) ? (byte)0 : (byte)Math.Round(Math.Clamp((value - Low) / (High - Low), 0, 1) * 255);

    /// <summary>
    /// The soft-tissue window for CT (a minimum below -100), a window for bone and vessels for projections of it, where soft tissue lies
    /// behind everything; otherwise the range of the values.
    /// </summary>
    public static IntensityWindow For(Volume volume, PreviewKind kind = PreviewKind.Planes)
    {
        var values = volume.ConvertTo<float>().Voxels<float>();
        var (low, high) = (float.MaxValue, float.MinValue);
        foreach (var v in values)
            if (float.IsFinite(v))
                (low, high) = (Math.Min(low, v), Math.Max(high, v));
        return low < -100 ? Presets[kind == PreviewKind.Projection ? "projection" : "soft"] : low < high ? new(low, high) : new(low - 0.5, low + 0.5);
    }
}
