namespace Maisi.Bridge.Networks;

/// <summary>Checks that constructors share. Every message names both numbers.</summary>
internal static class Validate
{
    public static void SpatialDims(int spatialDims)
    {
        if (spatialDims is not (2 or 3))
            throw new DefinitionException($"spatial_dims is {spatialDims}, but only 2 and 3 are supported", "spatial_dims");
    }

    public static void Groups(IReadOnlyList<int> channels, int groups, string argument)
    {
        if (groups < 1)
            throw new DefinitionException($"norm_num_groups is {groups}, but must be at least 1", "norm_num_groups");
        foreach (var c in channels)
            if (c < 1 || c % groups != 0)
                throw new DefinitionException($"{argument} contains {c}, which is not a positive multiple of norm_num_groups {groups}", argument, "change one of the two");
    }

    public static void SameLength(int expected, string expectedName, int actual, string actualName)
    {
        if (expected != actual)
            throw new DefinitionException($"{actualName} has {actual} entries, but {expectedName} has {expected}", actualName, "give one entry per level");
    }

    public static void Diffusion(DiffusionShape shape, string channelsName, double dropout)
    {
        SpatialDims(shape.SpatialDims);
        Groups(shape.Channels, shape.NormGroups, channelsName);
        SameLength(shape.Channels.Count, channelsName, shape.AttentionLevels.Count, "attention_levels");
        if (shape.WithConditioning != shape.CrossAttentionDim.HasValue)
            throw new DefinitionException(
                $"with_conditioning is {shape.WithConditioning}, but cross_attention_dim is {shape.CrossAttentionDim?.ToString() ?? "null"}", "cross_attention_dim",
                "give both, or neither");
        if (dropout != 0)
            throw new DefinitionException($"dropout_cattn is {dropout}, but only 0 is supported", "dropout_cattn");
        for (var i = 0; i < shape.Channels.Count; i++)
        {
            var needsHeads = shape.AttentionLevels[i] || i == shape.Channels.Count - 1;
            if (needsHeads && (shape.HeadChannels[i] < 1 || shape.Channels[i] % shape.HeadChannels[i] != 0))
                throw new DefinitionException(
                    $"level {i} has {shape.Channels[i]} channels, which num_head_channels {shape.HeadChannels[i]} does not divide", "num_head_channels",
                    "the last level needs heads too: the middle block always has attention");
        }
    }

    public static void Autoencoder(AutoencoderShape shape, string channelsName)
    {
        SpatialDims(shape.SpatialDims);
        Groups(shape.Channels, shape.NormGroups, channelsName);
        SameLength(shape.Channels.Count, channelsName, shape.AttentionLevels.Count, "attention_levels");
    }
}
