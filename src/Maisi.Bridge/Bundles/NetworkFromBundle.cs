using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Networks straight from a bundle's configuration: <c>AutoencoderKlMaisi.FromBundle("configs/inference.json", "autoencoder_def", weights)</c>.
/// </summary>
public static class NetworkFromBundle
{
    /// <summary>Builds the network that a configuration defines under an id, in eval mode.</summary>
    /// <typeparam name="T">The kind of network.</typeparam>
    /// <param name="config">Configuration file, JSON or YAML.</param>
    /// <param name="id">Where it defines the network.</param>
    /// <param name="weights">Checkpoint to load; null leaves random weights.</param>
    /// <exception cref="BundleException">The configuration cannot be read or resolved, or has something else under the id.</exception>
    /// <exception cref="CheckpointException">The weights are not of this network.</exception>
    public static T Create<T>(string config, string id, string? weights = null)
        where T : nn.Module
    {
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard() });
        parser.ReadConfig(config);
        using var skip = weights is null ? null : TensorRuntime.SkipInitialization();
        var network = parser.GetParsedContent(id) as T
            ?? throw new BundleException(BundleErrorKind.ValueError, $"'{id}' of {config} is not of type {typeof(T).Name}");
        if (weights is not null)
            StateDictLoader.Load(network, weights);
        network.eval();
        return network;
    }
}

/// <summary>MAISI's autoencoder from a bundle.</summary>
public static class AutoencoderFromBundle
{
    extension(AutoencoderKlMaisi)
    {
        /// <inheritdoc cref="NetworkFromBundle.Create{T}"/>
        public static AutoencoderKlMaisi FromBundle(string config, string id = "autoencoder_def", string? weights = null) =>
            NetworkFromBundle.Create<AutoencoderKlMaisi>(config, id, weights);
    }
}

/// <summary>MAISI's diffusion UNet from a bundle.</summary>
public static class DiffusionUNetFromBundle
{
    extension(DiffusionModelUNetMaisi)
    {
        /// <inheritdoc cref="NetworkFromBundle.Create{T}"/>
        public static DiffusionModelUNetMaisi FromBundle(string config, string id = "diffusion_unet_def", string? weights = null) =>
            NetworkFromBundle.Create<DiffusionModelUNetMaisi>(config, id, weights);
    }
}

/// <summary>MAISI's ControlNet from a bundle.</summary>
public static class ControlNetFromBundle
{
    extension(ControlNetMaisi)
    {
        /// <inheritdoc cref="NetworkFromBundle.Create{T}"/>
        public static ControlNetMaisi FromBundle(string config, string id = "controlnet_def", string? weights = null) =>
            NetworkFromBundle.Create<ControlNetMaisi>(config, id, weights);
    }
}
