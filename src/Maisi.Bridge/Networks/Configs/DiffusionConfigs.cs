namespace Maisi.Bridge.Networks;

/// <summary>What the diffusion UNets and ControlNets have in common, under the names of the model and not of any configuration.</summary>
/// <param name="SpatialDims">2 or 3.</param>
/// <param name="InChannels">Channels of the noisy latent.</param>
/// <param name="Channels">Channels per level; every level but the last halves the resolution.</param>
/// <param name="ResBlocks">Residual blocks per level (the decoder has one more).</param>
/// <param name="AttentionLevels">Whether a level has attention.</param>
/// <param name="HeadChannels">Channels per attention head; ignored where a level has no attention.</param>
/// <param name="NormGroups">Groups of every group norm; divides every entry of <paramref name="Channels"/>.</param>
/// <param name="NormEps">Added to the variance.</param>
/// <param name="ResblockUpdown">Whether residual blocks change the resolution, instead of a strided convolution or upsampling.</param>
/// <param name="WithConditioning">Whether attention is a spatial transformer with cross-attention.</param>
/// <param name="TransformerLayers">Transformer blocks in each spatial transformer.</param>
/// <param name="CrossAttentionDim">Width of the context; null without conditioning.</param>
/// <param name="ClassEmbeds">Rows of the class embedding; null for none.</param>
/// <param name="UpcastAttention">Whether scores are computed in fp32.</param>
/// <param name="IncludeFc">Whether self-attention has an output projection.</param>
/// <param name="CombinedLinear">Whether one linear layer makes query, key and value.</param>
public sealed record DiffusionShape(
    int SpatialDims, int InChannels, IReadOnlyList<int> Channels, IReadOnlyList<int> ResBlocks, IReadOnlyList<bool> AttentionLevels,
    IReadOnlyList<int> HeadChannels, int NormGroups, double NormEps, bool ResblockUpdown, bool WithConditioning, int TransformerLayers,
    int? CrossAttentionDim, int? ClassEmbeds, bool UpcastAttention, bool IncludeFc, bool CombinedLinear)
{
    /// <summary>Width of the time embedding before conditions are appended.</summary>
    internal int TimeEmbedDim => Channels[0] * 4;
}

/// <summary>Arguments that MONAI 1.5's diffusion UNets and ControlNets share, with their common defaults.</summary>
public abstract record DiffusionConfig
{
    public required int SpatialDims { get; init; }
    public required int InChannels { get; init; }
    public IntPerLevel NumResBlocks { get; init; } = new[] { 2, 2, 2, 2 };
    public IReadOnlyList<bool> AttentionLevels { get; init; } = [false, false, true, true];
    public int NormNumGroups { get; init; } = 32;
    public double NormEps { get; init; } = 1e-6;
    public bool ResblockUpdown { get; init; }
    public IntPerLevel NumHeadChannels { get; init; } = 8;
    public bool WithConditioning { get; init; }
    public int TransformerNumLayers { get; init; } = 1;
    public int? CrossAttentionDim { get; init; }
    public int? NumClassEmbeds { get; init; }
    public bool UpcastAttention { get; init; }
    public bool UseCombinedLinear { get; init; }

    /// <summary>Accepted: attention always takes the most frugal kernel that the device has; the numbers are the same.</summary>
    public bool UseFlashAttention { get; init; }

    private protected DiffusionShape Shape(IReadOnlyList<int> channels, bool includeFc) => new(
        SpatialDims, InChannels, channels, NumResBlocks.For(channels.Count, "num_res_blocks"), AttentionLevels,
        NumHeadChannels.For(AttentionLevels.Count, "num_head_channels"), NormNumGroups, NormEps, ResblockUpdown, WithConditioning,
        TransformerNumLayers, CrossAttentionDim, NumClassEmbeds, UpcastAttention, includeFc, UseCombinedLinear);
}

/// <summary>Arguments of MONAI 1.5's <c>DiffusionModelUNet</c>.</summary>
public sealed record DiffusionModelUNetConfig : DiffusionConfig
{
    public required int OutChannels { get; init; }
    public IReadOnlyList<int> Channels { get; init; } = [32, 64, 64, 64];

    /// <summary>Dropout of the transformers in training; only 0 is supported, which is what every MAISI model uses.</summary>
    public double DropoutCattn { get; init; }
    public bool IncludeFc { get; init; } = true;

    internal DiffusionShape Shape() => Shape(Channels, IncludeFc);
}

/// <summary>Arguments of MONAI 1.5's <c>DiffusionModelUNetMaisi</c>.</summary>
public sealed record DiffusionModelUNetMaisiConfig : DiffusionConfig
{
    public required int OutChannels { get; init; }
    public IReadOnlyList<int> NumChannels { get; init; } = [32, 64, 64, 64];
    public bool IncludeFc { get; init; }

    /// <summary>Dropout of the transformers in training; only 0 is supported, which is what every MAISI model uses.</summary>
    public double DropoutCattn { get; init; }
    public bool IncludeTopRegionIndexInput { get; init; }
    public bool IncludeBottomRegionIndexInput { get; init; }
    public bool IncludeSpacingInput { get; init; }

    internal DiffusionShape Shape() => Shape(NumChannels, IncludeFc);
}

/// <summary>Arguments of MONAI 1.5's <c>ControlNet</c>.</summary>
public sealed record ControlNetConfig : DiffusionConfig
{
    public IReadOnlyList<int> Channels { get; init; } = [32, 64, 64, 64];
    public int ConditioningEmbeddingInChannels { get; init; } = 1;
    public IReadOnlyList<int> ConditioningEmbeddingNumChannels { get; init; } = [16, 32, 96, 256];
    public bool IncludeFc { get; init; } = true;

    internal DiffusionShape Shape() => Shape(Channels, IncludeFc);
}

/// <summary>Arguments of MONAI 1.5's <c>ControlNetMaisi</c>.</summary>
public sealed record ControlNetMaisiConfig : DiffusionConfig
{
    public IReadOnlyList<int> NumChannels { get; init; } = [32, 64, 64, 64];
    public int ConditioningEmbeddingInChannels { get; init; } = 1;
    public IReadOnlyList<int> ConditioningEmbeddingNumChannels { get; init; } = [16, 32, 96, 256];

    /// <summary>Recompute the condition embedding in the backward pass instead of keeping its activations.</summary>
    public bool UseCheckpointing { get; init; } = true;
    public bool IncludeFc { get; init; }

    internal DiffusionShape Shape() => Shape(NumChannels, IncludeFc);
}
