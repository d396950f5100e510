using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

public class FeatureNetworkTests
{
    /// <summary>The fixture holds LPIPS's published layers, so it is not part of this repository.</summary>
    [SkippableFact]
    public void LPIPS_on_slices_computes_what_MONAI_computes()
    {
        Skip.If(TestPaths.Reference is null, "no reference folder (MAISI_TEST_REFERENCE)");
        using var scope = NewDisposeScope();
        using var golden = new Golden("perceptual_squeeze", Path.Combine(TestPaths.Reference!, "golden", "perceptual_squeeze"));
        using var network = new LpipsSqueeze();
        var trunk = golden.Info["trunk_params"]!.AsArray().Select(p => p![0]!.ToString()).ToHashSet(StringComparer.Ordinal);
        FillByFormula(network.named_parameters().Where(p => p.name.StartsWith("net.", StringComparison.Ordinal)).Select(p => p.parameter));
        trunk.Count.ShouldBe(network.named_parameters().Count(p => p.name.StartsWith("net.", StringComparison.Ordinal)));
        var linear = golden.Weights();
        for (var i = 0; i < 7; i++)
            linear[$"lin{i}.model.1.weight"].CopyTo(network.get_parameter($"lins.{i}.model.1.weight")!);

        Tensor x = golden["in/x"], y = golden["in/y"];
        var slice = x.select(2, 10);
        using (no_grad())
        {
            network.Features(slice)[6].ShouldMatch(golden["out/feature6"], golden.Name, "feature 6");
            var perLayer = network.PerLayer(slice, y.select(2, 10)).Select(l => (double)l.mean().item<float>()).ToArray();
            perLayer.ShouldBe(golden.Info["per_layer_2d_slice10_axis2"]!.AsArray().Select(v => (double)v!), 1e-5);
            network.call(slice, y.select(2, 10)).mean().item<float>().ShouldBe((float)golden.Info["value_2d_slice10_axis2"]!, 1e-5f);
        }
        x.requires_grad = true;
        var orders = new Queue<Tensor>(golden.Sequence("in/randperm"));
        var loss = new SlicePerceptualLoss(network, 0.2).Compute(x, y, n =>
        {
            var order = orders.Dequeue();
            order.shape[0].ShouldBe(n);
            return order;
        });
        loss.item<float>().ShouldBe((float)golden.Info["value_fake3d"]!, 1e-5f);
        loss.backward();
        x.grad!.ShouldMatch(golden["out/grad_x"], golden.Name, "grad x");
    }

    /// <summary>
    /// Recorded by running radimagenet_models/models/resnet.py of github.com/Warvito/radimagenet-models with weights by formula (see
    /// <see cref="FillByFormula"/>) on torch.rand(1, 3, 64, 48) of seed 10.
    /// </summary>
    [Fact]
    public void RadImageNet_ResNet50_computes_what_the_original_computes()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden("radimagenet_resnet50", TestPaths.Fixture("networks", "radimagenet_resnet50"));
        using var network = new RadImageNetResNet50();
        network.state_dict().ToDictionary(p => p.Key, p => string.Join(",", p.Value.shape), StringComparer.Ordinal)
            .ShouldBe(golden.Info["keys"]!.AsObject().ToDictionary(p => p.Key, p => string.Join(",", p.Value!.AsArray().Select(e => (long)e!)), StringComparer.Ordinal), ignoreOrder: true);
        FillByFormula(network.parameters());
        network.call(golden["in/x"]).ShouldMatch(golden["out/y"], golden.Name, "forward");
    }

    [Fact]
    public void LPIPS_weights_load_from_torchvisions_and_LPIPSs_files()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        using LpipsSqueeze source = new(), target = new();
        var weights = source.state_dict();
        SafetensorsFile.Save(folder["trunk.safetensors"], weights.Where(w => w.Key.StartsWith("net.", StringComparison.Ordinal))
            .Select(w => KeyValuePair.Create(w.Key[4..], w.Value)).Append(KeyValuePair.Create("classifier.1.weight", ones(2))));
        SafetensorsFile.Save(folder["lpips.safetensors"], Enumerable.Range(0, 7).Select(i => KeyValuePair.Create($"lin{i}.model.1.weight", weights[$"lins.{i}.model.1.weight"])));
        using CheckpointFile trunk = CheckpointFile.Open(folder["trunk.safetensors"]), linear = CheckpointFile.Open(folder["lpips.safetensors"]);
        target.LoadWeights(trunk.StateDict(), linear.StateDict());
        foreach (var (key, tensor) in target.state_dict())
            tensor.ShouldMatch(weights[key], "lpips", key, tolerance: 0);
    }

    /// <summary>Pseudo-random weights that need no file: see "trunk_weights" in the fixture.</summary>
    private static void FillByFormula(IEnumerable<Tensor> parameters)
    {
        using var noGrad = no_grad();
        var k = 0;
        foreach (var parameter in parameters)
        {
            k++;
            var shape = parameter.shape;
            var scale = shape.Length > 1 ? Math.Sqrt(6.0 / shape[1..].Aggregate(1L, (a, b) => a * b)) : 0.1;
            var values = new float[parameter.numel()];
            for (var i = 0; i < values.Length; i++)
            {
                var u = 43758.5453 * Math.Sin((12.9898 * (i + 1)) + (78.233 * k));
                values[i] = (float)(scale * ((2 * (u - Math.Floor(u))) - 1));
            }
            using var filled = tensor(values);
            using var shaped = filled.reshape(shape);
            parameter.copy_(shaped);
        }
    }
}
