// The renames follow load_old_state_dict of monai/networks/nets/{autoencoderkl,diffusion_model_unet,controlnet}.py (MONAI 1.5).
namespace Maisi.Bridge.Checkpoints;

/// <summary>Where the value of one key of a network comes from.</summary>
internal enum KeyOrigin
{
    /// <summary>The checkpoint's key.</summary>
    Checkpoint,

    /// <summary>The identity, for a projection that the old network did not have.</summary>
    Identity,

    /// <summary>Zeros, likewise.</summary>
    Zeros,
}

/// <summary>Which key of the checkpoint each key of the network is loaded from, and what was done to make them fit.</summary>
internal sealed class KeyMigration
{
    private const string DataParallelPrefix = "module.";

    /// <summary>Network key to origin and checkpoint key.</summary>
    public Dictionary<string, (KeyOrigin Origin, string Key)> Plan { get; } = new(StringComparer.Ordinal);

    /// <summary>Network keys without a value.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Checkpoint keys that nothing takes.</summary>
    public List<string> Unexpected { get; } = [];

    /// <summary>What was renamed, filled in or ignored, in words.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Matches the keys of a checkpoint to those of a network.</summary>
    /// <param name="network">Keys of the network.</param>
    /// <param name="checkpoint">Keys of the checkpoint.</param>
    /// <param name="isAutoencoder">Whether the network is a KL autoencoder, whose old attention had no projection that was used.</param>
    public KeyMigration(IReadOnlyCollection<string> network, IReadOnlyCollection<string> checkpoint, bool isAutoencoder)
    {
        var available = checkpoint.ToHashSet(StringComparer.Ordinal);
        var prefix = checkpoint.Count > 0 && checkpoint.All(k => k.StartsWith(DataParallelPrefix, StringComparison.Ordinal)) && network.All(k => !k.StartsWith(DataParallelPrefix, StringComparison.Ordinal))
            ? DataParallelPrefix
            : "";
        if (prefix.Length > 0)
            Notes.Add("the prefix 'module.' of a data-parallel checkpoint was dropped");
        int renamed = 0, filled = 0;
        foreach (var key in network)
        {
            if (available.Remove(prefix + key))
                Plan[key] = (KeyOrigin.Checkpoint, prefix + key);
            else if (OldNames(key, isAutoencoder).FirstOrDefault(old => available.Remove(prefix + old)) is { } oldName)
                (Plan[key], renamed) = ((KeyOrigin.Checkpoint, prefix + oldName), renamed + 1);
            else if (isAutoencoder && OldAttentionWithoutProjection(key, prefix, checkpoint))
                (Plan[key], filled) = ((key.EndsWith(".weight", StringComparison.Ordinal) ? KeyOrigin.Identity : KeyOrigin.Zeros, key), filled + 1);
            else
                Missing.Add(key);
        }
        if (renamed > 0)
            Notes.Add($"{renamed} keys of a MONAI Generative checkpoint were renamed");
        if (filled > 0)
            Notes.Add($"{filled} attention projections that the checkpoint's network did not have were set to the identity");
        Unexpected.AddRange(checkpoint.Where(available.Contains));
        IgnoreUnusedProjections(network, prefix, isAutoencoder);
    }

    private static IEnumerable<string> OldNames(string key, bool isAutoencoder)
    {
        if (key.Contains(".attn.to_", StringComparison.Ordinal))
            yield return key.Replace(".attn.to_", ".to_", StringComparison.Ordinal);
        if (!isAutoencoder && key.Contains(".attn.out_proj.", StringComparison.Ordinal))
            yield return key.Replace(".attn.out_proj.", ".proj_attn.", StringComparison.Ordinal);
        if (key.Contains(".out_proj.", StringComparison.Ordinal))
            yield return key.Replace(".out_proj.", ".to_out.0.", StringComparison.Ordinal);
        if (key.Contains(".postconv.", StringComparison.Ordinal))
            yield return key.Replace(".postconv.", ".conv.", StringComparison.Ordinal);
    }

    private static bool OldAttentionWithoutProjection(string key, string prefix, IReadOnlyCollection<string> checkpoint)
    {
        var at = key.IndexOf(".attn.out_proj.", StringComparison.Ordinal);
        return at >= 0 && checkpoint.Contains($"{prefix}{key[..at]}.to_q.weight", StringComparer.Ordinal);
    }

    /// <summary>MONAI 1.4 always created self-attention's projection, used or not; the old autoencoder too.</summary>
    private void IgnoreUnusedProjections(IReadOnlyCollection<string> network, string prefix, bool isAutoencoder)
    {
        var unused = Unexpected.Where(key =>
        {
            foreach (var name in isAutoencoder ? [".attn.out_proj.", ".proj_attn."] : new[] { ".attn.out_proj." })
            {
                var at = key.IndexOf(name, StringComparison.Ordinal);
                if (at >= prefix.Length && network.Contains($"{key[prefix.Length..at]}.attn.to_q.weight", StringComparer.Ordinal))
                    return true;
            }
            return false;
        }).ToArray();
        if (unused.Length == 0)
            return;
        Unexpected.RemoveAll(unused.Contains);
        Notes.Add($"{unused.Length} attention projections were ignored: the network does not use them (include_fc is false), and MONAI 1.4 wrote them all the same");
    }
}
