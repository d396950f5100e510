using Maisi.Bridge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

public class WeightInitializationTests
{
    [Fact]
    public void Weights_follow_the_laws_of_pytorch_and_the_seed_alone()
    {
        using var scope = NewDisposeScope();
        using var first = Layers();
        using var second = Layers();
        manual_seed(1);
        WeightInitialization.Draw(first, 5);
        manual_seed(2);
        WeightInitialization.Draw(second, 5);
        foreach (var (name, parameter) in first.named_parameters())
            parameter.allclose(second.get_parameter(name)!, 0, 0).ShouldBeTrue(name);

        // Uniform within 1/sqrt(4 * 27): the standard deviation is bound / sqrt(3).
        var bound = 1 / Math.Sqrt(4 * 27);
        var convolution = first.get_parameter("0.weight")!;
        convolution.abs().max().ToDouble().ShouldBeInRange(0.99 * bound, bound);
        convolution.std().ToDouble().ShouldBe(bound / Math.Sqrt(3), bound * 0.02);
        convolution.mean().ToDouble().ShouldBe(0, bound * 0.03);
        first.get_parameter("0.bias")!.abs().max().ToDouble().ShouldBeInRange(0.5 * bound, bound);
        first.get_parameter("1.weight")!.eq(1).all().ToBoolean().ShouldBeTrue();
        first.get_parameter("2.weight")!.eq(0).all().ToBoolean().ShouldBeTrue();
        var embedding = first.get_parameter("3.weight")!;
        embedding.std().ToDouble().ShouldBe(1, 0.03);

        WeightInitialization.Draw(second, 6);
        second.get_parameter("0.weight")!.allclose(convolution, 0, 0).ShouldBeFalse();
    }

    private static nn.Module Layers()
    {
        var zero = nn.Conv3d(32, 4, 1);
        using (no_grad())
        {
            foreach (var parameter in zero.parameters())
                parameter.zero_();
        }
        return nn.ModuleList<nn.Module>(nn.Conv3d(4, 32, 3), nn.GroupNorm(8, 32), zero, nn.Embedding(64, 64));
    }
}
