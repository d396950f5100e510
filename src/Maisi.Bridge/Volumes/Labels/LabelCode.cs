using System.Text.Json;

namespace Maisi.Bridge.Volumes;

/// <summary>What a label is in SNOMED CT, for DICOM segmentations.</summary>
/// <param name="Value">Code.</param>
/// <param name="Meaning">Its text.</param>
/// <param name="Side">"left" or "right"; null when the code says it or there are no sides.</param>
/// <param name="Region">Where a lesion or a vessel is; null for anatomy that says it itself.</param>
/// <param name="IsAltered">True for tumours, lesions and cysts ("Morphologically Altered Structure"), false for anatomy.</param>
public sealed record LabelCode(string Value, string Meaning, string? Side = null, LabelCode? Region = null, bool IsAltered = false)
{
    /// <summary>The code of an entry of a vocabulary; null when it has none.</summary>
    internal static LabelCode? From(JsonElement entry) => entry.TryGetProperty("code", out var value)
        ? new(value.GetString()!, entry.GetProperty("meaning").GetString()!,
            entry.TryGetProperty("side", out var side) ? side.GetString() : null,
            entry.TryGetProperty("region", out var region) ? From(region) : null,
            entry.TryGetProperty("altered", out var altered) && altered.GetBoolean())
        : null;
}
