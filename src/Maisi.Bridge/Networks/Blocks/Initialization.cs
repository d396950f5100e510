using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Initial values that differ from PyTorch's defaults.</summary>
internal static class Initialization
{
    /// <summary>Fills every parameter with zeros.</summary>
    public static void Zero(nn.Module module)
    {
        using var noGrad = no_grad();
        foreach (var parameter in module.parameters())
            parameter.zero_();
    }
}
