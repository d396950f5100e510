using Maisi.Bridge.Generation;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>
/// Draws initial weights by PyTorch's laws, but each parameter from a stream of its own: the same seed gives the same weights on every
/// device and whatever else draws numbers in the process.
/// </summary>
internal static class WeightInitialization
{
    /// <summary>
    /// Embeddings N(0, 1); weights of convolutions and linear layers and their biases uniform within ±1/√fan_in (what kaiming_uniform
    /// with a = √5 comes to). Norms, and what a network sets to zero on purpose, stay as they are.
    /// </summary>
    public static void Draw(nn.Module network, ulong seed)
    {
        using var _ = no_grad();
        long stream = 0;
        foreach (var (_, module) in network.named_modules())
        {
            var own = module.named_parameters(recurse: false).ToDictionary(p => p.name, p => p.parameter);
            if (!own.TryGetValue("weight", out var weight) || weight.dim() < 2)
                continue;
            var bound = 1 / Math.Sqrt(weight.numel() / (double)weight.shape[0]);
            foreach (var parameter in own.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value))
            {
                using var scope = NewDisposeScope();
                var key = SampleSeed.Of(seed, stream++);
                if (parameter.count_nonzero().ToInt64() == 0)
                    continue;
                parameter.copy_(module is Embedding ? PhiloxNoise.Normal(parameter.shape, key) : PhiloxNoise.Uniform(parameter.shape, key, bound));
            }
        }
    }

    /// <summary>A discriminator's weights as MONAI draws them: convolutions N(0, 0.02²), norms N(1, 0.02²), biases of convolutions uniform within ±1/√fan_in.</summary>
    public static void DrawDiscriminator(nn.Module network, ulong seed)
    {
        Draw(network, seed);
        using var _ = no_grad();
        long stream = -1;
        foreach (var (_, parameter) in network.named_parameters().Where(p => p.name.EndsWith("weight", StringComparison.Ordinal)))
        {
            using var scope = NewDisposeScope();
            parameter.copy_((PhiloxNoise.Normal(parameter.shape, SampleSeed.Of(seed, stream--)) * 0.02) + (parameter.dim() == 1 ? 1 : 0));
        }
    }
}
