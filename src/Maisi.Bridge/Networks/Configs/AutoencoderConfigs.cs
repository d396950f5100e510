namespace Maisi.Bridge.Networks;

/// <summary>What the two KL autoencoders have in common, under the names of the model and not of either configuration.</summary>
/// <param name="SpatialDims">2 or 3.</param>
/// <param name="InChannels">Channels of the image.</param>
/// <param name="OutChannels">Channels of the reconstruction.</param>
/// <param name="LatentChannels">Channels of the latent.</param>
/// <param name="Channels">Channels per level; every level but the last halves the resolution.</param>
/// <param name="ResBlocks">Residual blocks per level.</param>
/// <param name="AttentionLevels">Whether a level has self-attention after each residual block.</param>
/// <param name="NormGroups">Groups of every group norm; divides every entry of <paramref name="Channels"/>.</param>
/// <param name="NormEps">Added to the variance.</param>
/// <param name="EncoderNonlocal">Whether the encoder ends with residual, attention, residual.</param>
/// <param name="DecoderNonlocal">Whether the decoder begins so.</param>
/// <param name="IncludeFc">Whether attention has an output projection.</param>
/// <param name="CombinedLinear">Whether one linear layer makes query, key and value.</param>
/// <param name="ConvTranspose">Whether the decoder upsamples by a transposed convolution.</param>
/// <param name="NormFloat16">Whether MAISI's group norm rounds its normalised values to half.</param>
public sealed record AutoencoderShape(
    int SpatialDims, int InChannels, int OutChannels, int LatentChannels, IReadOnlyList<int> Channels, IReadOnlyList<int> ResBlocks,
    IReadOnlyList<bool> AttentionLevels, int NormGroups, double NormEps, bool EncoderNonlocal, bool DecoderNonlocal, bool IncludeFc,
    bool CombinedLinear, bool ConvTranspose, bool NormFloat16);

/// <summary>Arguments of MONAI 1.5's <c>AutoencoderKL</c>.</summary>
public sealed record AutoencoderKlConfig
{
    public required int SpatialDims { get; init; }
    public int InChannels { get; init; } = 1;
    public int OutChannels { get; init; } = 1;
    public IntPerLevel NumResBlocks { get; init; } = new[] { 2, 2, 2, 2 };
    public IReadOnlyList<int> Channels { get; init; } = [32, 64, 64, 64];
    public IReadOnlyList<bool> AttentionLevels { get; init; } = [false, false, true, true];
    public int LatentChannels { get; init; } = 3;
    public int NormNumGroups { get; init; } = 32;
    public double NormEps { get; init; } = 1e-6;
    public bool WithEncoderNonlocalAttn { get; init; } = true;
    public bool WithDecoderNonlocalAttn { get; init; } = true;
    public bool UseCheckpoint { get; init; }
    public bool UseConvtranspose { get; init; }
    public bool IncludeFc { get; init; } = true;
    public bool UseCombinedLinear { get; init; }

    /// <summary>Accepted: attention always takes the most frugal kernel that the device has; the numbers are the same.</summary>
    public bool UseFlashAttention { get; init; }

    internal AutoencoderShape Shape() => new(
        SpatialDims, InChannels, OutChannels, LatentChannels, Channels, NumResBlocks.For(Channels.Count, "num_res_blocks"), AttentionLevels,
        NormNumGroups, NormEps, WithEncoderNonlocalAttn, WithDecoderNonlocalAttn, IncludeFc, UseCombinedLinear, UseConvtranspose, NormFloat16: false);
}

/// <summary>Arguments of MONAI 1.5's <c>AutoencoderKlMaisi</c>.</summary>
public sealed record AutoencoderKlMaisiConfig
{
    public required int SpatialDims { get; init; }
    public required int InChannels { get; init; }
    public required int OutChannels { get; init; }
    public required IntPerLevel NumResBlocks { get; init; }
    public required IReadOnlyList<int> NumChannels { get; init; }
    public required IReadOnlyList<bool> AttentionLevels { get; init; }
    public int LatentChannels { get; init; } = 3;
    public int NormNumGroups { get; init; } = 32;
    public double NormEps { get; init; } = 1e-6;
    public bool WithEncoderNonlocalAttn { get; init; }
    public bool WithDecoderNonlocalAttn { get; init; }
    public bool IncludeFc { get; init; }
    public bool UseCombinedLinear { get; init; }

    /// <summary>Accepted: attention always takes the most frugal kernel that the device has; the numbers are the same.</summary>
    public bool UseFlashAttention { get; init; }
    public bool UseCheckpointing { get; init; }
    public bool UseConvtranspose { get; init; }

    /// <summary>Accepted: convolutions are always computed whole, which is what the splits approximate to about 5e-6.</summary>
    public int NumSplits { get; init; } = 16;

    /// <summary>Accepted, see <see cref="NumSplits"/>.</summary>
    public int DimSplit { get; init; }
    public bool NormFloat16 { get; init; }

    /// <summary>Accepted: it only makes the original print sizes.</summary>
    public bool PrintInfo { get; init; }

    /// <summary>Accepted: it only makes the original empty CUDA's cache between layers.</summary>
    public bool SaveMem { get; init; } = true;

    internal AutoencoderShape Shape() => new(
        SpatialDims, InChannels, OutChannels, LatentChannels, NumChannels, NumResBlocks.For(NumChannels.Count, "num_res_blocks"), AttentionLevels,
        NormNumGroups, NormEps, WithEncoderNonlocalAttn, WithDecoderNonlocalAttn, IncludeFc, UseCombinedLinear, UseConvtranspose, NormFloat16);
}
