using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>What a diffusion UNet can be told besides the noisy latent and the timestep. Which of these a network needs is its definition's choice.</summary>
public sealed record UNetConditions
{
    /// <summary>Nothing at all.</summary>
    public static UNetConditions None { get; } = new();

    /// <summary>[B, M, cross_attention_dim]: context of the cross-attention.</summary>
    public Tensor? Context { get; init; }

    /// <summary>[B], int64: row of the class embedding (MAISI: the modality code).</summary>
    public Tensor? ClassLabels { get; init; }

    /// <summary>ControlNet's residuals, one per skip connection.</summary>
    public IReadOnlyList<Tensor>? DownBlockAdditionalResiduals { get; init; }

    /// <summary>ControlNet's residual for the middle block.</summary>
    public Tensor? MidBlockAdditionalResidual { get; init; }

    /// <summary>[B, 4]: one-hot of the topmost body region, times 100.</summary>
    public Tensor? TopRegionIndex { get; init; }

    /// <summary>[B, 4]: one-hot of the lowest body region, times 100.</summary>
    public Tensor? BottomRegionIndex { get; init; }

    /// <summary>[B, 3]: voxel spacing in mm, times 100.</summary>
    public Tensor? Spacing { get; init; }
}
