// Format: torch/serialization.py (PyTorch 2.6).
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Writes .pt files that <c>torch.load(weights_only=True)</c> reads; to read one, see <see cref="CheckpointFile"/>.</summary>
public static class TorchFile
{
    /// <summary>
    /// Writes an object: null, bool, int, long, double, text, a tensor, a list, a <see cref="PythonTuple"/>, a <see cref="PythonDict"/>, or
    /// a dictionary from text to tensors or to any of these. The file appears whole or not at all.
    /// </summary>
    /// <exception cref="CheckpointException">A value of another kind.</exception>
    public static void Save(string path, object root)
    {
        var pickle = new PickleWriter();
        var bytes = pickle.Write(root);
        AtomicFile.Write(path, stream =>
        {
            var zip = new ZipWriter(stream);
            zip.Add("archive/data.pkl", bytes);
            zip.Add("archive/byteorder", "little"u8.ToArray());
            for (var i = 0; i < pickle.Tensors.Count; i++)
            {
                var tensor = pickle.Tensors[i];
                zip.Add($"archive/data/{i}", tensor.numel() * ElementTypes.Size(tensor.dtype), sink => TensorBytes.Write(tensor, sink));
            }
            zip.Add("archive/version", "3\n"u8.ToArray());
            zip.Finish();
        });
    }

    /// <summary>Writes the weights of a network, under a key or as the whole file.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="network">The network.</param>
    /// <param name="key">For example <c>unet_state_dict</c>; null for a plain state dict.</param>
    /// <param name="extra">Further entries beside the weights, such as epoch and scale_factor; only with a key.</param>
    /// <param name="type">Rounds floating-point weights to this type; null keeps theirs.</param>
    public static void SaveNetwork(
        string path, nn.Module network, string? key = null, IReadOnlyDictionary<string, object?>? extra = null, ScalarType? type = null)
    {
        using var scope = NewDisposeScope();
        var weights = network.state_dict();
        if (type is { } target)
            weights = weights.ToDictionary(w => w.Key, w => w.Value.is_floating_point() ? w.Value.detach().to(target) : w.Value, StringComparer.Ordinal);
        if (key is null)
        {
            Save(path, weights);
            return;
        }
        var root = new PythonDict();
        foreach (var (name, value) in extra ?? new Dictionary<string, object?>(StringComparer.Ordinal))
            root.Set(name, value);
        root.Set(key, weights);
        Save(path, root);
    }
}
