using Maisi.Bridge.Bundles;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>The autoencoder of a MAISI bundle.</summary>
internal static class BundleAutoencoder
{
    private const string Config = "configs/inference.json", Definition = "autoencoder_def", WeightsKey = "trained_autoencoder_path";

    /// <summary>Loads it from configs/inference.json and the checkpoint that it names.</summary>
    /// <exception cref="MaisiException">The folder is no bundle, or has no weights.</exception>
    public static (AutoencoderKlMaisi Network, string Weights) Load(string bundle, Device device)
    {
        var config = Path.Combine(bundle, Config);
        if (!File.Exists(config))
            throw new MaisiException("the folder is no MAISI bundle", bundle, $"it needs {Config}");
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard() });
        parser.ReadConfig(config);
        var weights = Path.GetFullPath(parser.GetParsedContent(WeightsKey)?.ToString() ?? "", Path.GetFullPath(bundle));
        if (!File.Exists(weights))
            throw new MaisiException("the bundle has no weights of its autoencoder", weights, "train the bundle with 'maisi train', or put its weights there");
        var network = AutoencoderKlMaisi.FromBundle(config, Definition, weights);
        network.to(device);
        return (network, weights);
    }
}
