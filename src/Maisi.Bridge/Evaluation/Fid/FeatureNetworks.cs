using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>The feature networks that can be had; weights are the user's, apart from those of our own bundles.</summary>
public static class FeatureNetworks
{
    /// <summary>RadImageNet's ResNet50 without its classifier, 2048 features: upstream's default.</summary>
    /// <param name="weights">RadImageNet-ResNet50_notop.pth.</param>
    /// <param name="device">Where it runs; null for the CPU.</param>
    /// <exception cref="CheckpointException">Not the weights of this network.</exception>
    public static FeatureNetwork RadImageNet(string weights, Device? device = null)
    {
        var network = new RadImageNetResNet50();
        StateDictLoader.Load(network, weights);
        return new SliceNetwork("RadImageNet ResNet50", Hash(weights), network, device);
    }

    /// <summary>
    /// torchvision's squeezenet1_1: its 1000 outputs, as upstream takes them, or the 512 features before the classifier where the file has none.
    /// </summary>
    /// <param name="weights">torchvision's squeezenet1_1 file.</param>
    /// <param name="device">Where it runs; null for the CPU.</param>
    /// <exception cref="CheckpointException">Not the weights of this network.</exception>
    public static FeatureNetwork SqueezeNet(string weights, Device? device = null)
    {
        using var file = CheckpointFile.Open(weights);
        var state = file.StateDict();
        var classifies = state.ContainsKey("classifier.1.weight");
        var network = new SqueezeNet(classifies);
        StateDictLoader.Load(network, state, weights);
        return new SliceNetwork(classifies ? "squeezenet1_1 (1000 outputs)" : "squeezenet1_1 without classifier (512 features)", Hash(weights), network, device);
    }

    /// <summary>
    /// A TorchScript module that takes [B, 3, X, Y] and gives [B, C] or [B, C, x, y]. The file is a program: load only one that you trust.
    /// </summary>
    /// <param name="file">What torch.jit.save wrote.</param>
    /// <param name="device">Where it runs; null for the CPU.</param>
    /// <exception cref="MaisiException">The file is no TorchScript module.</exception>
    public static FeatureNetwork TorchScript(string file, Device? device = null)
    {
        if (!File.Exists(file))
            throw new MaisiException("the TorchScript file does not exist", file);
        try
        {
            return new SliceNetwork($"TorchScript {Path.GetFileName(file)}", Hash(file), new ScriptNetwork(file, device ?? CPU), device);
        }
        catch (ExternalException e)
        {
            throw new MaisiException("the file is no TorchScript module that can be loaded", file, "write it by torch.jit.save(torch.jit.script(network), file)", e);
        }
    }

    /// <summary>The last blocks of the encoder of a MAISI bundle's autoencoder: a substitute where no slice network is at hand.</summary>
    /// <param name="bundle">Folder of the bundle.</param>
    /// <param name="device">Where it runs; null for the CPU.</param>
    /// <exception cref="MaisiException">No such bundle, or no weights in it.</exception>
    public static FeatureNetwork Autoencoder(string bundle, Device? device = null)
    {
        var (network, weights) = BundleAutoencoder.Load(bundle, device ?? CPU);
        // The last block is the convolution to the few channels of the latent; the features before it say more.
        var blocks = network.EncoderBlocks.Take(network.EncoderBlocks.Count - 2).ToArray();
        return new VolumeNetwork($"VAE encoder of {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(bundle)))} (3D substitute)", Hash(weights), volume =>
        {
            using var scope = NewDisposeScope();
            var h = volume;
            foreach (var block in blocks)
                h = block.call(h);
            return h.MoveToOuterDisposeScope();
        }, network.Downsampling, network, device);
    }

    /// <summary>The coarsest features of a segmentation network (SegResNet or SegResNetDS): a substitute that knows anatomy.</summary>
    /// <param name="definition">JSON file with its <c>_target_</c> definition.</param>
    /// <param name="weights">Its checkpoint.</param>
    /// <param name="device">Where it runs; null for the CPU.</param>
    /// <exception cref="MaisiException">Not a segmentation network, or not its weights.</exception>
    public static FeatureNetwork Segmentation(string definition, string weights, Device? device = null)
    {
        var network = NetworkFactory.Create(ReadDefinition(definition));
        try
        {
            StateDictLoader.Load(network, weights);
            network.eval();
            network.to(device ?? CPU);
            var name = $"{network.GetType().Name} of {Path.GetFileName(weights)} (3D substitute)";
            return network switch
            {
                SegResNet plain => new VolumeNetwork(name, Hash(weights), plain.Encode, plain.Divisor, plain, device),
                SegResNetDS supervised => new VolumeNetwork(name, Hash(weights), supervised.Encode, (int)supervised.ShapeFactor.Max(), supervised, device),
                _ => throw new MaisiException($"a {network.GetType().Name} is no segmentation network", definition, "use SegResNet or SegResNetDS"),
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>TorchScript as a network of ours.</summary>
    private sealed class ScriptNetwork(string file, Device device) : nn.Module<Tensor, Tensor>(nameof(ScriptNetwork))
    {
        private readonly jit.ScriptModule<Tensor, Tensor> _script = Load(file, device);

        public override Tensor forward(Tensor input) => _script.call(input);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _script.Dispose();
            base.Dispose(disposing);
        }

        private static jit.ScriptModule<Tensor, Tensor> Load(string file, Device device)
        {
            var script = jit.load<Tensor, Tensor>(file, device.type, device.index);
            script.eval();
            return script;
        }
    }

    /// <summary>SHA-256 of a file.</summary>
    internal static string Hash(string path) => FileHash.OfFile(path, "sha256");

    /// <summary>A JSON object from a file.</summary>
    internal static JsonObject ReadDefinition(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new System.Text.Json.JsonException("the file holds no object");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Text.Json.JsonException)
        {
            throw new MaisiException($"the definition of the network cannot be read: {e.Message}", path, "give a JSON file with _target_ and its arguments", e);
        }
    }
}
