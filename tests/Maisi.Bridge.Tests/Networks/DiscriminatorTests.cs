using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

public class DiscriminatorTests
{
    [Theory]
    [InlineData("patchdiscriminator_instance")]
    [InlineData("patchdiscriminator_batch")]
    public void Patch_discriminator_computes_what_MONAI_computes(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden(name);
        using var network = golden.Network<PatchDiscriminator>();
        var features = network.call(golden["in/x"]);
        features.Select(f => f.shape).ShouldBe(golden.Info["stage_shapes"]!.AsArray().Select(s => s!.AsArray().Select(e => (long)e!).ToArray()));
        features[0].mean().item<float>().ShouldBe((float)golden.Info["stage0_mean_std"]![0]!, 1e-5f);
        var expected = golden.Sequence("out/features");
        for (var i = 0; i < expected.Length; i++)
            features[i + 1].ShouldMatch(expected[i], name, $"feature {i + 1}");

        if (golden.TryGet("out/train_logits") is not { } logits)
            return;
        network.train();
        network.call(golden["in/x"])[^1].ShouldMatch(logits, name, "logits in training");
        var buffers = network.named_buffers().ToDictionary(b => b.name, b => b.buffer, StringComparer.Ordinal);
        foreach (var key in golden.Under("out/after_train"))
            buffers[key].ShouldMatch(golden["out/after_train/" + key], name, $"running {key}");
    }

    [Theory]
    [InlineData("multiscale_patchdiscriminator_2d")]
    [InlineData("multiscale_patchdiscriminator_3d")]
    public void Multi_scale_discriminator_computes_what_MONAI_computes(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = new Golden(name);
        using var network = golden.Network<MultiScalePatchDiscriminator>();
        var output = network.call(golden["in/x"]);
        Tensor[] logits = golden.Sequence("out/logits"), features = golden.Sequence("out/last_features");
        output.Logits.Count.ShouldBe(logits.Length);
        for (var i = 0; i < logits.Length; i++)
        {
            output.Logits[i].ShouldMatch(logits[i], name, $"logits {i}");
            output.Features[i][^1].ShouldMatch(features[i], name, $"features {i}");
        }
    }

    [Fact]
    public void Too_many_layers_for_the_image_are_refused()
    {
        using var golden = new Golden("multiscale_patchdiscriminator_3d");
        var config = golden.Config.DeepClone().AsObject();
        config["num_layers_d"] = 5;
        Should.Throw<DefinitionException>(() => NetworkFactory.Create(config)).Message.ShouldContain("discriminator 0 has 5 layers, which leave nothing of an image of 16 voxels");
    }

    [Fact]
    public void Adversarial_loss_matches_in_every_variant()
    {
        using var golden = new Golden("patch_adversarial_loss");
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            using var scope = NewDisposeScope();
            var criterion = item!["criterion"]!.ToString() switch
            {
                "bce" => AdversarialCriterion.BinaryCrossEntropy,
                "hinge" => AdversarialCriterion.Hinge,
                _ => AdversarialCriterion.LeastSquares,
            };
            var loss = new PatchAdversarialLoss(criterion, item["reduction"]!.ToString() == "sum", (bool)item["no_activation_leastsq"]!);
            Tensor a = golden["in/a"].requires_grad_(true), b = golden["in/b"];
            var value = loss.Compute(item["input"]!.ToString() == "a" ? [a] : [a, b], (bool)item["target_is_real"]!, (bool)item["for_discriminator"]!);
            value.backward();
            var what = item.ToJsonString();
            value.item<float>().ShouldBe((float)item["value"]!, Math.Max(1e-4f, Math.Abs((float)item["value"]!) * 1e-5f), what);
            a.grad!.sum().item<float>().ShouldBe((float)item["grad_a_sum"]!, 1e-4f, what);
            a.grad!.abs().sum().item<float>().ShouldBe((float)item["grad_a_abs_sum"]!, 1e-4f, what);
        }
        golden.Info["cases"]!.AsArray().Count.ShouldBe(64);
    }

    [Fact]
    public void KL_loss_matches()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("kl_loss");
        KlLoss.Compute(golden["in/z_mu"], golden["in/z_sigma"]).item<float>().ShouldBe((float)golden.Info["value"]!, 1e-4f);
    }
}
