// Common part of monai/networks/nets/diffusion_model_unet.py and monai/apps/generation/maisi/networks/diffusion_model_unet_maisi.py
// (MONAI 1.5); Rombach et al., arXiv:2112.10752; Pinaya et al., arXiv:2209.07162.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// A UNet that predicts noise, sample or velocity from a noisy latent, the timestep and conditions.
/// Input [B, in, X, Y(, Z)] and timesteps [B]; output [B, out, X, Y(, Z)]. Every extent must be divisible by 2^(levels - 1).
/// </summary>
public abstract class DiffusionUNet : nn.Module<Tensor, Tensor, UNetConditions, Tensor>
{
    private protected readonly Convolution conv_in;
    private protected readonly nn.Module<Tensor, Tensor> time_embed;
    private protected readonly Embedding? class_embedding;
    private protected readonly nn.Module<Tensor, Tensor>? top_region_index_layer;
    private protected readonly nn.Module<Tensor, Tensor>? bottom_region_index_layer;
    private protected readonly nn.Module<Tensor, Tensor>? spacing_layer;
    private protected readonly ModuleList<DiffusionDownBlock> down_blocks;
    private protected readonly DiffusionMidBlock middle_block;
    private protected readonly ModuleList<DiffusionUpBlock> up_blocks;
    private protected readonly nn.Module<Tensor, Tensor> @out;
    private readonly bool _residualReachesMiddle;

    private protected DiffusionUNet(string name, DiffusionShape shape, int outChannels, bool topRegion, bool bottomRegion, bool spacing, bool residualReachesMiddle)
        : base(name)
    {
        Shape = shape;
        _residualReachesMiddle = residualReachesMiddle;
        long time = shape.TimeEmbedDim;
        conv_in = new Convolution(shape.SpatialDims, shape.InChannels, shape.Channels[0]);
        time_embed = TimestepEmbedding.Mlp(shape.Channels[0], time);
        if (shape.ClassEmbeds is { } rows)
            class_embedding = nn.Embedding(rows, time);
        if (topRegion)
            top_region_index_layer = TimestepEmbedding.Mlp(4, time);
        if (bottomRegion)
            bottom_region_index_layer = TimestepEmbedding.Mlp(4, time);
        if (spacing)
            spacing_layer = TimestepEmbedding.Mlp(3, time);
        var embedding = time * (1 + new[] { topRegion, bottomRegion, spacing }.Count(used => used));
        var levels = Enumerable.Range(0, shape.Channels.Count).ToArray();
        down_blocks = nn.ModuleList(levels.Select(level => new DiffusionDownBlock(shape, embedding, level)).ToArray());
        middle_block = new DiffusionMidBlock(shape, embedding);
        up_blocks = nn.ModuleList(levels.Reverse().Select(level => new DiffusionUpBlock(shape, embedding, level)).ToArray());
        @out = nn.Sequential(
            new GroupNorm32(shape.NormGroups, shape.Channels[0], shape.NormEps), nn.SiLU(), new Convolution(shape.SpatialDims, shape.Channels[0], outChannels).Zeroed());
        RegisterComponents();
    }

    /// <summary>The definition that the network was built from.</summary>
    public DiffusionShape Shape { get; }

    /// <summary>Whether the network takes the topmost body region.</summary>
    public bool TakesTopRegion => top_region_index_layer is not null;

    /// <summary>Whether the network takes the lowest body region.</summary>
    public bool TakesBottomRegion => bottom_region_index_layer is not null;

    /// <summary>Whether the network takes the voxel spacing.</summary>
    public bool TakesSpacing => spacing_layer is not null;

    /// <summary>One evaluation.</summary>
    /// <param name="x">[B, in, X, Y(, Z)].</param>
    /// <param name="timesteps">[B].</param>
    /// <param name="conditions">What the definition asks for.</param>
    /// <returns>[B, out, X, Y(, Z)].</returns>
    /// <exception cref="NetworkInputException">A condition is missing, or the network does not take it.</exception>
    public override Tensor forward(Tensor x, Tensor timesteps, UNetConditions conditions)
    {
        using var scope = NewDisposeScope();
        var embedding = Embed(x, timesteps, conditions);
        if (conditions.Context is not null && !Shape.WithConditioning)
            throw new NetworkInputException("context was given, but the network has no cross-attention", "context", "build it with with_conditioning true, or leave the context out");
        var h = conv_in.call(x);
        var skips = new List<Tensor> { h };
        foreach (var block in down_blocks)
            h = block.Forward(h, embedding, conditions.Context, skips);
        if (conditions.DownBlockAdditionalResiduals is { } residuals)
        {
            AddResiduals(skips, residuals);
            // Upstream's MAISI network adds in place, and its last skip is the very tensor that enters the middle block.
            h = _residualReachesMiddle ? skips[^1] : h;
        }
        var middle = middle_block.Forward(h, embedding, conditions.Context);
        if (conditions.MidBlockAdditionalResidual is { } residual)
            middle.add_(residual);
        h = middle;
        var remaining = new Stack<Tensor>(skips);
        foreach (var block in up_blocks)
            h = block.Forward(h, embedding, conditions.Context, remaining);
        return @out.call(h).MoveToOuterDisposeScope();
    }

    /// <summary>The embedding that every residual block receives: [B, 4·ch0·(1 + conditions)].</summary>
    internal Tensor Embed(Tensor x, Tensor timesteps, UNetConditions conditions)
    {
        using var fullPrecision = Precision.Float32.Enter(x.device);
        var time = DiffusionEmbedding.TimeAndClass(Shape, time_embed, class_embedding, timesteps, conditions.ClassLabels);
        var parts = new List<Tensor> { time };
        Append(top_region_index_layer, conditions.TopRegionIndex, "top_region_index_tensor");
        Append(bottom_region_index_layer, conditions.BottomRegionIndex, "bottom_region_index_tensor");
        Append(spacing_layer, conditions.Spacing, "spacing_tensor");
        var embedding = parts.Count == 1 ? parts[0] : cat(parts, 1);
        return embedding.dtype == x.dtype ? embedding : embedding.to(x.dtype);

        void Append(nn.Module<Tensor, Tensor>? layer, Tensor? condition, string name)
        {
            if (layer is null)
                return; // upstream ignores a condition that the definition does not ask for
            if (condition is null)
                throw new NetworkInputException($"{name} is missing, but the network was built to take it", name, $"pass {name}");
            parts.Add(layer.call(condition.to(time.dtype)));
        }
    }

    private static void AddResiduals(List<Tensor> skips, IReadOnlyList<Tensor> residuals)
    {
        if (residuals.Count != skips.Count)
            throw new NetworkInputException($"{residuals.Count} residuals were given, but the network has {skips.Count} skip connections", "down_block_additional_residuals", "use a ControlNet with the same levels");
        for (var i = 0; i < skips.Count; i++)
            skips[i] = skips[i] + residuals[i];
    }
}
