using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>The network of the perceptual loss, which needs weights that the user brings.</summary>
internal static class PerceptualNetwork
{
    /// <summary>Share of the slices across each axis, as in MAISI's training.</summary>
    public const double SliceRatio = 0.2;

    /// <summary>Loads it.</summary>
    /// <param name="trunk">torchvision's squeezenet1_1 state dict.</param>
    /// <param name="linear">LPIPS 0.1's linear layers for it.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="MaisiException">A file is not named, missing, or of another network.</exception>
    public static LpipsSqueeze Load(string? trunk, string? linear, Device device)
    {
        if (trunk is null || linear is null)
        {
            throw new MaisiException("The perceptual loss needs weights: perceptual_trunk and perceptual_linear.", "perceptual_weight",
                "Name torchvision's squeezenet1_1-*.pth and the squeeze.pth of LPIPS 0.1, or set perceptual_weight to 0.");
        }
        using CheckpointFile first = CheckpointFile.Open(trunk), second = CheckpointFile.Open(linear);
        var network = new LpipsSqueeze();
        network.LoadWeights(first.StateDict(), second.StateDict());
        network.to(device);
        return network;
    }
}
