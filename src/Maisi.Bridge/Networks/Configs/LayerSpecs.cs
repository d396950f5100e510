using System.Text.Json;
using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>A layer as MONAI's configurations name it: a name in any case, or a list of the name and its arguments.</summary>
/// <param name="Name">The name in lower case.</param>
/// <param name="Arguments">Its arguments.</param>
[JsonConverter(typeof(LayerSpecConverter))]
public sealed record LayerSpec(string Name, IReadOnlyDictionary<string, JsonElement> Arguments)
{
    /// <summary>A layer without arguments.</summary>
    public static implicit operator LayerSpec(string name) => new(name.ToLowerInvariant(), new Dictionary<string, JsonElement>(StringComparer.Ordinal));

    /// <summary>The normalisation layer for feature maps of 2 or 3 dimensions.</summary>
    /// <param name="spatialDims">2 or 3.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="affine">Whether an instance norm that does not say so has weights.</param>
    /// <exception cref="DefinitionException">A norm that is not supported.</exception>
    internal nn.Module<Tensor, Tensor> Norm(int spatialDims, int channels, bool affine = false)
    {
        var eps = Number("eps", 1e-5);
        switch (Name)
        {
            case "batch":
                return spatialDims == 3 ? nn.BatchNorm3d(channels, eps) : nn.BatchNorm2d(channels, eps);
            case "instance" or "instance_nvfuser":
                affine = Arguments.TryGetValue("affine", out var given) ? given.GetBoolean() : affine;
                return spatialDims == 3 ? nn.InstanceNorm3d(channels, eps, 0.1, affine) : nn.InstanceNorm2d(channels, eps, 0.1, affine);
            case "group":
                var groups = (int)Number("num_groups", 0);
                Validate.Groups([channels], groups, "channels");
                return new GroupNorm32(groups, channels, eps);
            default:
                throw new DefinitionException($"norm '{Name}' is not supported", "norm", "use batch, instance or group");
        }
    }

    /// <summary>The activation as a function that may change its input.</summary>
    /// <exception cref="DefinitionException">An activation that is not supported.</exception>
    internal Func<Tensor, Tensor> Activation()
    {
        var slope = Number("negative_slope", 0.01);
        return Name switch
        {
            "relu" => x => x.relu_(),
            "leakyrelu" => x => nn.functional.leaky_relu(x, slope, true),
            "swish" or "silu" => x => x.silu_(),
            _ => throw new DefinitionException($"activation '{Name}' is not supported", "act", "use relu, leakyrelu or swish"),
        };
    }

    private double Number(string argument, double otherwise) => Arguments.TryGetValue(argument, out var value) ? value.GetDouble() : otherwise;

    private sealed class LayerSpecConverter : JsonConverter<LayerSpec>
    {
        public override LayerSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
                return reader.GetString()!;
            var parts = JsonSerializer.Deserialize<JsonElement[]>(ref reader, options)!;
            if (parts.Length is 0 or > 2 || parts[0].ValueKind != JsonValueKind.String || (parts.Length == 2 && parts[1].ValueKind != JsonValueKind.Object))
                throw new JsonException("expected a name, or a list of a name and an object");
            var arguments = parts.Length == 1 ? [] : parts[1].EnumerateObject().ToDictionary(p => p.Name, p => p.Value.Clone(), StringComparer.Ordinal);
            return new LayerSpec(parts[0].GetString()!.ToLowerInvariant(), arguments);
        }

        public override void Write(Utf8JsonWriter writer, LayerSpec value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new object[] { value.Name, value.Arguments }, options);
    }
}
