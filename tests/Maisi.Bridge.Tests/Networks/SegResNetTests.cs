using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

/// <summary>
/// The fixtures were recorded by running MONAI 1.5.0 on torch 1.13: seeded normal weights (norm weights around 1, running variances in
/// [0.5, 1.5]), a uniform input, the output in eval mode, all outputs in training mode, and gradients of the loss in the fixture's JSON.
/// </summary>
public class SegResNetTests
{
    [Theory]
    [InlineData("segresnet_3d")]
    [InlineData("segresnet_2d")]
    [InlineData("segresnet_ds_3d")]
    [InlineData("segresnet_ds_aniso")]
    [InlineData("segresnet_deconv_2d")]
    [InlineData("segresnet_pixelshuffle_3d")]
    [InlineData("segresnet_ds_linear_aniso")]
    [InlineData("segresnet_ds_pixelshuffle_2d")]
    [InlineData("segresnet_ds_deconvgroup_2d")]
    public void Outputs_and_gradients_are_those_of_MONAI(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(name, TestPaths.Fixture("networks", name));
        using var network = golden.Network<nn.Module>();
        var x = golden["in/x"];
        using (no_grad())
            Run(network, x).ShouldHaveSingleItem().ShouldMatch(golden["out/y"], name, "eval");

        network.train();
        var outputs = Run(network, x);
        var expected = golden.Sequence("out/train");
        outputs.Count.ShouldBe(expected.Length);
        for (var i = 0; i < expected.Length; i++)
            outputs[i].ShouldMatch(expected[i], name, $"training output {i}");
        var loss = (outputs[0] - golden["in/target"]).abs().mean();
        foreach (var output in outputs.Skip(1))
            loss = loss + output.mean();
        loss.backward();
        foreach (var key in golden.Under("grad"))
            network.get_parameter(key)!.grad!.ShouldMatch(golden["grad/" + key], name, $"grad {key}");
        golden.Under("grad").Count().ShouldBeGreaterThanOrEqualTo(3);
    }

    [Fact]
    public void Extents_that_do_not_divide_are_named()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("segresnet_ds_aniso", TestPaths.Fixture("networks", "segresnet_ds_aniso"));
        using var network = golden.Network<SegResNetDS>();
        network.ShapeFactor.ShouldBe(new long[] { 4, 4, 1 });
        Should.Throw<NetworkInputException>(() => network.call(zeros([1L, 1, 8, 6, 5]))).Message.ShouldContain("extents [8, 6, 5], which must be divisible by [4, 4, 1]");
    }

    private static IReadOnlyList<Tensor> Run(nn.Module network, Tensor x) => network is SegResNetDS supervised ? supervised.call(x) : [((SegResNet)network).call(x)];
}
