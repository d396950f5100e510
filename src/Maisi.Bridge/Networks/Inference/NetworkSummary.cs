using System.Text.RegularExpressions;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>One weighted layer.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Kind">Its type.</param>
/// <param name="Parameters">Weights and biases.</param>
/// <param name="Flops">Floating-point operations of one evaluation (a multiplication and an addition are two); null without a shape.</param>
/// <param name="OutputBytes">Bytes of its output in fp32; null without a shape.</param>
public sealed record LayerCost(string Name, string Kind, long Parameters, double? Flops, double? OutputBytes);

/// <summary>What a network is made of and what one evaluation costs.</summary>
/// <param name="Network">Class.</param>
/// <param name="Parameters">Number of weights.</param>
/// <param name="Tensors">Entries of the state dict.</param>
/// <param name="Layers">Weighted layers, in order.</param>
/// <param name="Flops">Operations of one evaluation, attention scores included; null when they cannot be told.</param>
/// <param name="LargestOutputBytes">Largest output of a layer, in fp32.</param>
/// <param name="AllOutputsBytes">All outputs together: about what training keeps for the backward pass.</param>
public sealed record NetworkSummary(
    string Network, long Parameters, int Tensors, IReadOnlyList<LayerCost> Layers, double? Flops, double? LargestOutputBytes, double? AllOutputsBytes)
{
    /// <summary>Summarises a network; on the meta device it costs no memory.</summary>
    /// <param name="network">The network.</param>
    /// <param name="shape">[B, C, X, Y(, Z)] of the image (autoencoder) or latent (diffusion networks); null for layers and parameters alone.</param>
    /// <exception cref="NetworkInputException">A shape for a network whose resolutions are not known here.</exception>
    public static NetworkSummary Of(nn.Module network, IReadOnlyList<long>? shape = null)
    {
        var reduction = shape is null ? null : LayerResolution.Of(network);
        var layers = network.named_modules().Where(m => m.module is Conv2d or Conv3d or ConvTranspose2d or ConvTranspose3d or Linear)
            .Select(m => Cost(m.name, m.module, shape, reduction)).ToArray();
        double? scores = shape is null ? null : AttentionFlops(network, shape, reduction!);
        var weights = network.parameters().Sum(p => p.numel());
        return new NetworkSummary(
            network.GetType().Name, weights, network.state_dict().Count, layers,
            shape is null ? null : layers.Sum(l => l.Flops) + scores, shape is null ? null : layers.Max(l => l.OutputBytes), shape is null ? null : layers.Sum(l => l.OutputBytes));
    }

    private static LayerCost Cost(string name, nn.Module layer, IReadOnlyList<long>? shape, Func<string, double?>? reduction)
    {
        var weight = layer.get_parameter("weight")!;
        var parameters = layer.parameters(false).Sum(p => p.numel());
        if (shape is null)
            return new LayerCost(name, layer.GetType().Name, parameters, null, null);
        var positions = Positions(shape, reduction!(name));
        var transposed = layer is ConvTranspose2d or ConvTranspose3d;
        var outChannels = transposed ? weight.shape[1] : weight.shape[0];
        // a transposed convolution spends its weights per input voxel, of which there are fewer
        var applications = transposed ? positions / Math.Pow(2, shape.Count - 2) : positions;
        return new LayerCost(name, layer.GetType().Name, parameters, 2.0 * applications * weight.numel(), sizeof(float) * positions * outChannels);
    }

    /// <summary>Voxels at a resolution, times the batch; a layer without resolution works once per sample.</summary>
    private static double Positions(IReadOnlyList<long> shape, double? reduction) =>
        reduction is { } r ? shape.Skip(2).Aggregate((double)shape[0], (product, extent) => product * (extent / r)) : shape[0];

    /// <summary>q·kᵀ and the weighted values of every self-attention: 4·N²·C.</summary>
    private static double AttentionFlops(nn.Module network, IReadOnlyList<long> shape, Func<string, double?> reduction) => network.named_modules()
        .Where(m => m.module is SelfAttentionBlock)
        .Sum(m =>
        {
            var positions = Positions(shape, reduction(m.name)) / shape[0];
            return 4.0 * shape[0] * positions * positions * (m.module.get_parameter("to_v.weight") ?? m.module.get_parameter("qkv.weight"))!.shape[1];
        });
}

/// <summary>At which resolution each layer of a network works: extent of the input over extent of the layer's output.</summary>
internal static partial class LayerResolution
{
    /// <summary>From a layer's name to its resolution; null for a layer that works on vectors.</summary>
    /// <exception cref="NetworkInputException">The network's resolutions are not known here.</exception>
    public static Func<string, double?> Of(nn.Module network) => network switch
    {
        DiffusionUNet unet => name => Diffusion(name, unet.Shape, conditionStages: 0),
        ControlNet control => name => Diffusion(name, control.Shape, control.ConditionStages),
        AutoencoderKlBase autoencoder => Autoencoder(autoencoder),
        _ => throw new NetworkInputException($"the cost of a {network.GetType().Name} for a shape is not known here", "--shape", "leave the shape out"),
    };

    private static double? Diffusion(string name, DiffusionShape shape, int conditionStages)
    {
        if (Vector().IsMatch(name))
            return null;
        var match = Block().Match(name);
        var last = shape.Channels.Count - 1;
        if (name.StartsWith("controlnet_cond_embedding.", StringComparison.Ordinal))
            return Math.Pow(2, ConditionLevel(name, conditionStages) - conditionStages);
        if (name.StartsWith("controlnet_down_blocks.", StringComparison.Ordinal))
            return Math.Pow(2, SkipLevel(int.Parse(name.Split('.')[1]), shape));
        if (name.StartsWith("middle_block", StringComparison.Ordinal) || name.StartsWith("controlnet_mid_block", StringComparison.Ordinal))
            return Math.Pow(2, last);
        if (!match.Success)
            return 1;
        var index = int.Parse(match.Groups[2].ValueSpan);
        var level = match.Groups[1].Value == "down" ? index : last - index;
        if (name.Contains(".downsampler.", StringComparison.Ordinal))
            level++;
        if (name.Contains(".upsampler.", StringComparison.Ordinal))
            level--;
        return Math.Pow(2, level);
    }

    private static int ConditionLevel(string name, int stages)
    {
        var parts = name.Split('.');
        return parts[1] switch
        {
            "conv_in" => 0,
            "conv_out" => stages,
            _ => (int.Parse(parts[2]) + 1) / 2,
        };
    }

    /// <summary>Level of a skip connection: the first, then per level its residual blocks and, at the next resolution, its downsampling.</summary>
    private static int SkipLevel(int index, DiffusionShape shape)
    {
        var level = 0;
        for (var left = index - 1; left >= shape.ResBlocks[level]; level++)
            left -= shape.ResBlocks[level] + 1;
        var reducing = Enumerable.Range(0, level + 1).Sum(l => shape.ResBlocks[l] + 1);
        return index == reducing && level < shape.Channels.Count - 1 ? level + 1 : level;
    }

    private static Func<string, double?> Autoencoder(AutoencoderKlBase network)
    {
        var encoder = Cumulative(network.EncoderBlocks, 1);
        var decoder = Cumulative(network.DecoderBlocks, network.Downsampling);
        return name =>
        {
            var parts = name.Split('.');
            return parts[0] switch
            {
                "encoder" => encoder[int.Parse(parts[2])],
                "decoder" => decoder[int.Parse(parts[2])],
                _ => network.Downsampling,
            };
        };
    }

    private static double[] Cumulative(IReadOnlyList<nn.Module<Tensor, Tensor>> blocks, double start)
    {
        var at = start;
        return [.. blocks.Select(block => at *= block switch
        {
            AutoencoderDownsample => 2,
            MaisiUpsample or NearestUpsample or DeconvUpsample => 0.5,
            _ => 1,
        })];
    }

    [GeneratedRegex(@"^(time_embed|class_embedding|top_region_index_layer|bottom_region_index_layer|spacing_layer)\b|\.time_emb_proj$|\.attn2\.to_[kv]$", RegexOptions.NonBacktracking)]
    private static partial Regex Vector();

    [GeneratedRegex(@"^(down|up)_blocks\.(\d{1,3})\.", RegexOptions.NonBacktracking)]
    private static partial Regex Block();
}
