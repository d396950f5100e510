using System.Text.Json;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>A latent with its conditions, as training reads it.</summary>
/// <param name="Latent">[C, x, y, z], not scaled.</param>
/// <param name="Labels">[1, X, Y, Z] as int32; null without.</param>
/// <param name="Spacing">Millimetres × 100.</param>
/// <param name="Modality">The code.</param>
/// <param name="Top">Uppermost body region × 100; null without.</param>
/// <param name="Bottom">Lowest body region × 100; null without.</param>
internal sealed record LatentCase(Tensor Latent, Tensor? Labels, float[] Spacing, int Modality, float[]? Top, float[]? Bottom)
{
    private const float ConditionScale = 100;

    /// <summary>Reads a latent and the JSON beside it.</summary>
    /// <exception cref="MaisiException">A file is missing or broken, or the modality is not in the mapping.</exception>
    public static LatentCase Read(string path, IReadOnlyDictionary<string, int> mapping)
    {
        if (!File.Exists(path) || !File.Exists(path + ".json"))
            throw new MaisiException("There is no latent, or no conditions beside it.", path, "Make latents with create_latents() or 'maisi train latents'.");
        LatentSidecar sidecar;
        try
        {
            sidecar = JsonSerializer.Deserialize(File.ReadAllText(path + ".json"), Loose.LatentSidecar) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new MaisiException($"The conditions of the latent do not fit: {e.Message}", path + ".json", "They are {\"spacing\", \"modality\", ...}.", e);
        }
        return Of(Volume(path), null, sidecar.Spacing, sidecar.Modality, sidecar.TopRegionIndex, sidecar.BottomRegionIndex, mapping, path);
    }

    /// <summary>Reads a case of a ControlNet's datalist: a latent, a label map, and the conditions in the record.</summary>
    /// <exception cref="MaisiException">Something is missing or broken.</exception>
    public static LatentCase Read(TrainingRecord record, IReadOnlyDictionary<string, int> mapping)
    {
        using var scope = NewDisposeScope();
        if (record.Label is null || record.Spacing is null)
            throw new MaisiException("The case has no label or no spacing.", record.Image, "A ControlNet's datalist has {\"image\", \"label\", \"spacing\", ...}.");
        var ras = new Orientation("RAS");
        var labels = ras.Apply(VolumeFile.Read(record.Label).ToTensor(ScalarType.Int32)).Data;
        var latent = ras.Apply(VolumeFile.Read(record.Image).ToTensor()).Data;
        return Of(latent.DetachFromDisposeScope(), labels.DetachFromDisposeScope(), record.Spacing, record.Modality, record.TopRegion, record.BottomRegion, mapping, record.Image);
    }

    private static readonly LooseJson Loose = LooseJson.Default;

    private static Tensor Volume(string path)
    {
        using var scope = NewDisposeScope();
        return VolumeFile.Read(path).ToTensor().Data.DetachFromDisposeScope();
    }

    private static LatentCase Of(
        Tensor latent, Tensor? labels, float[] spacing, string? modality, float[]? top, float[]? bottom, IReadOnlyDictionary<string, int> mapping, string where)
    {
        var code = 0;
        if (modality is not null && !int.TryParse(modality, out code) && !mapping.TryGetValue(modality, out code))
            throw new MaisiException($"The modality '{modality}' is not in the modality mapping.", where, $"It has: {string.Join(", ", mapping.Keys)}.");
        return new LatentCase(latent, labels, Hundredfold(spacing)!, code, Hundredfold(top), Hundredfold(bottom));
    }

    private static float[]? Hundredfold(float[]? values) => values is null ? null : [.. values.Select(v => v * ConditionScale)];
}

/// <summary>Cases put together.</summary>
/// <param name="Cases">The cases, which the batch does not own.</param>
/// <param name="Latents">[B, C, x, y, z].</param>
/// <param name="Labels">[B, 1, X, Y, Z]; null without.</param>
internal sealed record LatentBatch(IReadOnlyList<LatentCase> Cases, Tensor Latents, Tensor? Labels) : IDisposable
{
    /// <summary>Puts cases together.</summary>
    /// <exception cref="MaisiException">They have different shapes.</exception>
    public static LatentBatch Of(IReadOnlyList<LatentCase> cases)
    {
        using var scope = NewDisposeScope();
        if (cases.Any(c => !c.Latent.shape.SequenceEqual(cases[0].Latent.shape)))
            throw new MaisiException("The latents of a batch have different shapes.", "batch_size", "Set batch_size to 1, or resize all images alike.");
        return new LatentBatch(cases, stack(cases.Select(c => c.Latent).ToArray()).DetachFromDisposeScope(),
            cases[0].Labels is null ? null : stack(cases.Select(c => c.Labels!).ToArray()).DetachFromDisposeScope());
    }

    /// <summary>Spacings [B, 3].</summary>
    public Tensor Spacing(Device device) => Rows(Cases.Select(c => c.Spacing), device);

    /// <summary>Modality codes [B].</summary>
    public long[] Modalities => [.. Cases.Select(c => (long)c.Modality)];

    /// <summary>Uppermost and lowest body regions [B, 4] each.</summary>
    /// <exception cref="MaisiException">A case has none.</exception>
    public (Tensor Top, Tensor Bottom) Regions(Device device)
    {
        if (Cases.Any(c => c.Top is null || c.Bottom is null))
            throw new MaisiException("The UNet takes body regions, but a case has none.", "top_region_index", "Add top_region_index and bottom_region_index to the cases.");
        return (Rows(Cases.Select(c => c.Top!), device), Rows(Cases.Select(c => c.Bottom!), device));
    }

    public void Dispose()
    {
        Latents.Dispose();
        Labels?.Dispose();
    }

    private static Tensor Rows(IEnumerable<float[]> rows, Device device)
    {
        var all = rows.ToList();
        return tensor(all.SelectMany(r => r).ToArray(), [all.Count, all[0].Length]).to(device);
    }
}

// What upstream's own tools write beside a latent may hold more than is used here.
[System.Text.Json.Serialization.JsonSourceGenerationOptions(
    PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip)]
[System.Text.Json.Serialization.JsonSerializable(typeof(LatentSidecar))]
internal sealed partial class LooseJson : System.Text.Json.Serialization.JsonSerializerContext;
