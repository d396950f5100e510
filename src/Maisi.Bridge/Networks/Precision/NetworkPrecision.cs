using System.Text.RegularExpressions;
using Maisi.Bridge.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>The arithmetic of a network.</summary>
public enum Precision
{
    /// <summary>Everything in fp32.</summary>
    Float32,

    /// <summary>Weights and activations of convolutions and linear layers in half.</summary>
    Float16,

    /// <summary>The same in bfloat16.</summary>
    BFloat16,

    /// <summary>fp32 weights; suitable operators run in half, as PyTorch's autocast chooses.</summary>
    AutocastFloat16,

    /// <summary>The same in bfloat16.</summary>
    AutocastBFloat16,
}

/// <summary>
/// Prepares networks and their inputs for a precision. Norms and the embeddings of time, class, region and spacing stay in fp32: they
/// hold large or tiny numbers, and cost nothing.
/// </summary>
public static partial class NetworkPrecision
{
    /// <summary>The element type of activations between layers.</summary>
    public static ScalarType ActivationType(this Precision precision) => precision switch
    {
        Precision.Float16 => ScalarType.Float16,
        Precision.BFloat16 => ScalarType.BFloat16,
        _ => ScalarType.Float32,
    };

    /// <summary>Converts a network's convolutions and linear layers, in place.</summary>
    /// <returns>The network.</returns>
    public static T UsePrecision<T>(this T network, Precision precision)
        where T : nn.Module
    {
        var type = precision.ActivationType();
        foreach (var (name, layer) in network.named_modules())
            if (IsComputeLayer(layer) && !Embedding().IsMatch(name))
                layer.to(type);
        return network;
    }

    /// <summary>Until the result is disposed, operators run as the precision asks; only the autocast kinds change anything.</summary>
    public static IDisposable Enter(this Precision precision, Device device) => precision switch
    {
        Precision.AutocastFloat16 => TensorRuntime.Autocast(device, ScalarType.Float16),
        Precision.AutocastBFloat16 => TensorRuntime.Autocast(device, ScalarType.BFloat16),
        _ => TensorRuntime.Autocast(device, ScalarType.BFloat16, enabled: false),
    };

    private static bool IsComputeLayer(nn.Module layer) => layer is Conv2d or Conv3d or ConvTranspose2d or ConvTranspose3d or Linear;

    [GeneratedRegex(@"^(time_embed|top_region_index_layer|bottom_region_index_layer|spacing_layer)\.", RegexOptions.NonBacktracking)]
    private static partial Regex Embedding();
}
