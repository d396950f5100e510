// monai/networks/nets/controlnet.py and monai/apps/generation/maisi/networks/controlnet_maisi.py (MONAI 1.5);
// Zhang and Agrawala, arXiv:2302.05543.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>What a ControlNet adds to a UNet.</summary>
/// <param name="Down">One tensor per skip connection of the UNet.</param>
/// <param name="Mid">[B, C, ...] for the output of the middle block.</param>
public sealed record ControlNetResiduals(IReadOnlyList<Tensor> Down, Tensor Mid);

/// <summary>What a ControlNet can be told besides latent, timestep and spatial condition.</summary>
public sealed record ControlNetConditions
{
    /// <summary>Nothing, at full strength.</summary>
    public static ControlNetConditions None { get; } = new();

    /// <summary>Factor of every residual.</summary>
    public double ConditioningScale { get; init; } = 1;

    /// <summary>[B, M, cross_attention_dim]: context of the cross-attention.</summary>
    public Tensor? Context { get; init; }

    /// <summary>[B], int64: row of the class embedding.</summary>
    public Tensor? ClassLabels { get; init; }
}

/// <summary>
/// MONAI's ControlNet: the encoder half of a UNet, fed with an embedded spatial condition, with a pointwise convolution for every skip.
/// Input latent [B, in, X, Y(, Z)], timesteps [B], condition [B, cond, 4X, 4Y(, 4Z)] for three embedding stages.
/// </summary>
public class ControlNet : nn.Module<Tensor, Tensor, Tensor, ControlNetConditions, ControlNetResiduals>
{
    private protected readonly Convolution conv_in;
    private protected readonly nn.Module<Tensor, Tensor> time_embed;
    private protected readonly Embedding? class_embedding;
    private protected readonly ControlNetConditionEmbedding controlnet_cond_embedding;
    private protected readonly ModuleList<DiffusionDownBlock> down_blocks;
    private protected readonly ModuleList<nn.Module<Tensor, Tensor>> controlnet_down_blocks;
    private protected readonly DiffusionMidBlock middle_block;
    private protected readonly Convolution controlnet_mid_block;

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public ControlNet(ControlNetConfig config)
        : this(nameof(ControlNet), Checked(config.Shape(), "channels"), config.ConditioningEmbeddingInChannels, config.ConditioningEmbeddingNumChannels)
    {
    }

    private protected ControlNet(string name, DiffusionShape shape, int conditionChannels, IReadOnlyList<int> embeddingChannels)
        : base(name)
    {
        Shape = shape;
        ConditionStages = embeddingChannels.Count - 1;
        long time = shape.TimeEmbedDim;
        conv_in = new Convolution(shape.SpatialDims, shape.InChannels, shape.Channels[0]);
        time_embed = TimestepEmbedding.Mlp(shape.Channels[0], time);
        if (shape.ClassEmbeds is { } rows)
            class_embedding = nn.Embedding(rows, time);
        controlnet_cond_embedding = new ControlNetConditionEmbedding(shape.SpatialDims, conditionChannels, embeddingChannels, shape.Channels[0]);
        down_blocks = nn.ModuleList(Enumerable.Range(0, shape.Channels.Count).Select(level => new DiffusionDownBlock(shape, time, level)).ToArray());
        controlnet_down_blocks = nn.ModuleList(SkipConvolutions(shape).ToArray());
        middle_block = new DiffusionMidBlock(shape, time);
        controlnet_mid_block = Convolution.Pointwise(shape.SpatialDims, shape.Channels[^1], shape.Channels[^1]).Zeroed();
        RegisterComponents();
    }

    /// <summary>The definition that the network was built from.</summary>
    public DiffusionShape Shape { get; }

    /// <summary>How many times the condition is halved on its way to latent resolution.</summary>
    public int ConditionStages { get; }

    /// <summary>One evaluation.</summary>
    /// <param name="x">[B, in, X, Y(, Z)].</param>
    /// <param name="timesteps">[B].</param>
    /// <param name="condition">[B, cond, ...] at image resolution.</param>
    /// <param name="conditions">Class labels, context and strength.</param>
    /// <exception cref="NetworkInputException">A condition is missing, or the network does not take it.</exception>
    public override ControlNetResiduals forward(Tensor x, Tensor timesteps, Tensor condition, ControlNetConditions conditions)
    {
        using var scope = NewDisposeScope();
        var residuals = CallEmbedded(x, timesteps, EmbedCondition(condition), conditions);
        return new ControlNetResiduals([.. residuals.Down.Select(d => d.MoveToOuterDisposeScope())], residuals.Mid.MoveToOuterDisposeScope());
    }

    /// <summary>One evaluation with a condition that is embedded already: it is the same in every denoising step.</summary>
    /// <param name="x">[B, in, X, Y(, Z)].</param>
    /// <param name="timesteps">[B].</param>
    /// <param name="embedded">What <see cref="EmbedCondition"/> gives, [B, ch0, X, Y(, Z)]; left as it is.</param>
    /// <param name="conditions">Class labels, context and strength.</param>
    /// <exception cref="NetworkInputException">A condition is missing, or the network does not take it.</exception>
    public ControlNetResiduals CallEmbedded(Tensor x, Tensor timesteps, Tensor embedded, ControlNetConditions conditions)
    {
        using var scope = NewDisposeScope();
        if (conditions.Context is not null && !Shape.WithConditioning)
            throw new NetworkInputException("context was given, but the network has no cross-attention", "context", "build it with with_conditioning true, or leave the context out");
        Tensor embedding;
        using (Precision.Float32.Enter(x.device))
            embedding = DiffusionEmbedding.TimeAndClass(Shape, time_embed, class_embedding, timesteps, conditions.ClassLabels);
        if (embedding.dtype != x.dtype)
            embedding = embedding.to(x.dtype);
        var h = conv_in.call(x);
        h.add_(embedded);
        var skips = new List<Tensor> { h };
        foreach (var block in down_blocks)
            h = block.Forward(h, embedding, conditions.Context, skips);
        var middle = middle_block.Forward(h, embedding, conditions.Context);
        var down = skips.Select((skip, i) => Scaled(controlnet_down_blocks[i].call(skip), conditions.ConditioningScale).Freeing(skip)).ToArray();
        var mid = Scaled(controlnet_mid_block.call(middle), conditions.ConditioningScale);
        return new ControlNetResiduals([.. down.Select(d => d.MoveToOuterDisposeScope())], mid.MoveToOuterDisposeScope());
    }

    /// <summary>The condition [B, cond, ...] of image resolution at latent resolution: [B, ch0, X, Y(, Z)].</summary>
    public virtual Tensor EmbedCondition(Tensor condition) => controlnet_cond_embedding.call(condition);

    private protected static DiffusionShape Checked(DiffusionShape shape, string channelsName)
    {
        Validate.Diffusion(shape, channelsName, dropout: 0);
        return shape;
    }

    private static Tensor Scaled(Tensor residual, double scale) => scale == 1 ? residual : (residual * scale).Freeing(residual);

    private static IEnumerable<nn.Module<Tensor, Tensor>> SkipConvolutions(DiffusionShape shape)
    {
        // Upstream registers the first one without its wrapper, hence the key controlnet_down_blocks.0.weight.
        var first = shape.SpatialDims == 3
            ? (nn.Module<Tensor, Tensor>)nn.Conv3d(shape.Channels[0], shape.Channels[0], 1)
            : nn.Conv2d(shape.Channels[0], shape.Channels[0], 1);
        Initialization.Zero(first);
        yield return first;
        for (var level = 0; level < shape.Channels.Count; level++)
        {
            var count = shape.ResBlocks[level] + (level < shape.Channels.Count - 1 ? 1 : 0);
            for (var i = 0; i < count; i++)
                yield return Convolution.Pointwise(shape.SpatialDims, shape.Channels[level], shape.Channels[level]).Zeroed();
        }
    }
}

/// <summary>MAISI's ControlNet: the same network, which can recompute the condition embedding in the backward pass.</summary>
public sealed class ControlNetMaisi : ControlNet
{
    private readonly bool _checkpoint;

    /// <param name="config">The arguments of the definition.</param>
    /// <exception cref="DefinitionException">Arguments that contradict each other.</exception>
    public ControlNetMaisi(ControlNetMaisiConfig config)
        : base(nameof(ControlNetMaisi), Checked(config.Shape(), "num_channels"), config.ConditioningEmbeddingInChannels, config.ConditioningEmbeddingNumChannels) =>
        _checkpoint = config.UseCheckpointing;

    /// <inheritdoc/>
    public override Tensor EmbedCondition(Tensor condition) => Checkpointing.Run(_checkpoint, controlnet_cond_embedding, condition);
}
