using System.Runtime.CompilerServices;
using Maisi.Bridge.Checkpoints;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles;

/// <summary>Writes weights in another format, after loading them strictly into their network when a config names it.</summary>
public static class CheckpointExporter
{
    /// <summary>Converts a checkpoint.</summary>
    /// <param name="source">A .pt or .safetensors file.</param>
    /// <param name="key">The entry that holds the weights; null: found.</param>
    /// <param name="target">A .safetensors or .pt file.</param>
    /// <param name="parser">A config with the network; null: the weights are converted as they are.</param>
    /// <param name="networkId">The id of the network.</param>
    /// <returns>How many tensors were written.</returns>
    /// <exception cref="MaisiException">The weights do not fit the network, or a format is not known.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Export(string source, string? key, string target, ConfigParser? parser, string networkId)
    {
        var isTorch = Path.GetExtension(target).ToLowerInvariant() switch
        {
            ".safetensors" => false,
            ".pt" or ".pth" => true,
            var other => throw new BundleException(BundleErrorKind.ValueError, $"cannot write '{other}' files", hint: "end the name in .safetensors or .pt; TorchScript and ONNX need 'python -m monai.bundle'"),
        };
        using var scope = TorchSharp.torch.NewDisposeScope();
        List<KeyValuePair<string, Tensor>> tensors;
        if (parser is null)
        {
            using var file = CheckpointFile.Open(source);
            tensors = [.. file.StateDict(key).Select(p => KeyValuePair.Create(p.Key, p.Value.ToTensor()))];
        }
        else
        {
            if (parser.GetParsedContent(networkId) is not nn.Module network)
                throw new BundleException(BundleErrorKind.ValueError, $"'{networkId}' is not a network", hint: "name it with --net_id");
            StateDictLoader.Load(network, source, key);
            tensors = [.. network.state_dict()];
        }
        if (isTorch)
            TorchFile.Save(target, tensors.ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal));
        else
            SafetensorsFile.Save(target, tensors);
        return tensors.Count;
    }
}
