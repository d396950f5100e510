using System.Text;
using Maisi.Bridge.Networks;
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>What loading did.</summary>
/// <param name="Loaded">Keys that got a value.</param>
/// <param name="Notes">What was renamed, filled in or ignored on the way, in words.</param>
public sealed record LoadReport(int Loaded, IReadOnlyList<string> Notes);

/// <summary>Loads weights into networks, strictly: every key must be there with the right shape, after the renames that MONAI knows too.</summary>
public static class StateDictLoader
{
    private const int ListedKeys = 6;

    /// <summary>Opens a checkpoint and loads its weights, tensor by tensor, straight into the network.</summary>
    /// <param name="network">A network on any device, of any element type.</param>
    /// <param name="path">The checkpoint.</param>
    /// <param name="key">Entry of the checkpoint that holds the weights; null to find it.</param>
    /// <exception cref="CheckpointException">The file is unusable, or its keys and shapes are not the network's.</exception>
    public static LoadReport Load(nn.Module network, string path, string? key = null)
    {
        using var file = CheckpointFile.Open(path);
        return Load(network, file.StateDict(key), path);
    }

    /// <summary>Loads weights into a network.</summary>
    /// <param name="network">A network on any device, of any element type.</param>
    /// <param name="weights">The weights, in an open file.</param>
    /// <param name="source">Where they come from, for errors.</param>
    /// <exception cref="CheckpointException">Keys or shapes are not the network's; the network is left as it was.</exception>
    public static LoadReport Load(nn.Module network, IReadOnlyDictionary<string, StoredTensor> weights, string? source = null)
    {
        using var noGrad = no_grad();
        var own = network.state_dict();
        var migration = new KeyMigration(own.Keys, [.. weights.Keys], network is AutoencoderKlBase);
        var misshapen = migration.Plan
            .Where(p => p.Value.Origin == KeyOrigin.Checkpoint && !weights[p.Value.Key].Shape.SequenceEqual(own[p.Key].shape))
            .Select(p => p.Key).ToArray();
        if (migration.Missing.Count + migration.Unexpected.Count + misshapen.Length > 0)
            throw Mismatch(network, source, own, weights, migration, misshapen);
        foreach (var (key, (origin, name)) in migration.Plan)
        {
            switch (origin)
            {
                case KeyOrigin.Checkpoint:
                    weights[name].CopyTo(own[key]);
                    break;
                case KeyOrigin.Identity:
                    using (var identity = eye(own[key].shape[0]))
                        own[key].copy_(identity);
                    break;
                default:
                    own[key].zero_();
                    break;
            }
        }
        return new LoadReport(migration.Plan.Count, migration.Notes);
    }

    /// <summary>
    /// Copies every key that both sides have with the same shape, and leaves the rest: how a ControlNet starts from its UNet.
    /// </summary>
    /// <returns>The keys that were copied and those that were not, each sorted.</returns>
    public static (IReadOnlyList<string> Copied, IReadOnlyList<string> Unchanged) CopyMatching(nn.Module target, nn.Module source)
    {
        using var noGrad = no_grad();
        var theirs = source.state_dict();
        List<string> copied = [], unchanged = [];
        foreach (var (key, tensor) in target.state_dict().OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            var matches = theirs.TryGetValue(key, out var value) && value.shape.SequenceEqual(tensor.shape);
            if (matches)
                tensor.copy_(value!);
            (matches ? copied : unchanged).Add(key);
        }
        return (copied, unchanged);
    }

    private static CheckpointException Mismatch(
        nn.Module network, string? source, Dictionary<string, Tensor> own, IReadOnlyDictionary<string, StoredTensor> weights, KeyMigration migration, string[] misshapen)
    {
        var text = new StringBuilder($"the checkpoint is not one of this {network.GetType().Name}");
        var facts = ArchitectureFacts.Differences(
            own.ToDictionary(p => p.Key, p => (IReadOnlyList<long>)p.Value.shape, StringComparer.Ordinal),
            weights.ToDictionary(p => p.Key, p => p.Value.Shape, StringComparer.Ordinal));
        List("differs in", facts);
        List($"{misshapen.Length} of another shape", [.. misshapen.Select(k => $"{k}: checkpoint [{string.Join(", ", weights[migration.Plan[k].Key].Shape)}], network [{string.Join(", ", own[k].shape)}]")]);
        List($"{migration.Missing.Count} missing from the checkpoint", migration.Missing);
        List($"{migration.Unexpected.Count} that the network does not have", migration.Unexpected);
        return new CheckpointException(text.ToString(), source, facts.Count > 0 ? "change the definition to what the checkpoint has, or take the checkpoint of this definition" : "take the checkpoint of this network");

        void List(string title, IReadOnlyList<string> lines)
        {
            if (lines.Count == 0)
                return;
            text.Append($"\n  {title}:");
            foreach (var line in lines.Take(ListedKeys))
                text.Append($"\n    {line}");
            if (lines.Count > ListedKeys)
                text.Append($"\n    ... and {lines.Count - ListedKeys} more");
        }
    }
}
