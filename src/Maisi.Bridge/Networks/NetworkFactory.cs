using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Builds networks from MONAI's <c>_target_</c> definitions, with references already resolved.</summary>
public static class NetworkFactory
{
    private static readonly Dictionary<string, Func<JsonObject, nn.Module>> Builders = new(StringComparer.Ordinal)
    {
        [nameof(AutoencoderKL)] = d => new AutoencoderKL(DefinitionReader.Read<AutoencoderKlConfig>(d)),
        [nameof(AutoencoderKlMaisi)] = d => new AutoencoderKlMaisi(DefinitionReader.Read<AutoencoderKlMaisiConfig>(d)),
        [nameof(DiffusionModelUNet)] = d => new DiffusionModelUNet(DefinitionReader.Read<DiffusionModelUNetConfig>(d)),
        [nameof(DiffusionModelUNetMaisi)] = d => new DiffusionModelUNetMaisi(DefinitionReader.Read<DiffusionModelUNetMaisiConfig>(d)),
        [nameof(ControlNet)] = d => new ControlNet(DefinitionReader.Read<ControlNetConfig>(d)),
        [nameof(ControlNetMaisi)] = d => new ControlNetMaisi(DefinitionReader.Read<ControlNetMaisiConfig>(d)),
        [nameof(PatchDiscriminator)] = d => new PatchDiscriminator(DefinitionReader.Read<PatchDiscriminatorConfig>(d)),
        [nameof(MultiScalePatchDiscriminator)] = d => new MultiScalePatchDiscriminator(DefinitionReader.Read<MultiScalePatchDiscriminatorConfig>(d)),
        [nameof(SegResNet)] = d => new SegResNet(DefinitionReader.Read<SegResNetConfig>(d)),
        [nameof(SegResNetDS)] = d => new SegResNetDS(DefinitionReader.Read<SegResNetDSConfig>(d)),
    };

    /// <summary>The class names that <see cref="Create(JsonObject)"/> knows, which are MONAI's.</summary>
    public static IReadOnlyCollection<string> Known => Builders.Keys;

    /// <summary>Builds the network that a definition describes.</summary>
    /// <param name="definition">An object with <c>_target_</c> (a dotted path or a bare class name) and that class's arguments.</param>
    /// <exception cref="DefinitionException">Unknown class, unknown or missing argument, or contradicting arguments.</exception>
    public static nn.Module Create(JsonObject definition)
    {
        var target = definition["_target_"]?.ToString()
            ?? throw new DefinitionException("the definition has no _target_", hint: "name the class, for example monai.networks.nets.AutoencoderKL");
        return Builders.TryGetValue(target[(target.LastIndexOf('.') + 1)..], out var build)
            ? build(definition)
            : throw new DefinitionException($"'{target}' is not a network that can be built here", "_target_", $"known: {string.Join(", ", Builders.Keys.Order(StringComparer.Ordinal))}");
    }

    /// <inheritdoc cref="Create(JsonObject)"/>
    public static nn.Module Create(JsonElement definition) =>
        Create(JsonObject.Create(definition) ?? throw new DefinitionException($"the definition is {definition.ValueKind}, not an object"));

    /// <summary>As <see cref="Create(JsonObject)"/>, for a caller that knows which kind of network it needs.</summary>
    /// <typeparam name="T">The kind of network.</typeparam>
    /// <exception cref="DefinitionException">Also when the definition describes another kind.</exception>
    public static T Create<T>(JsonObject definition)
        where T : nn.Module
    {
        var network = Create(definition);
        if (network is T wanted)
            return wanted;
        network.Dispose();
        throw new DefinitionException($"the definition describes a {network.GetType().Name}, but a {typeof(T).Name} is needed here", definition["_target_"]?.ToString());
    }
}
