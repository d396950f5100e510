using Maisi.Bridge.Bundles;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Discriminators, losses, optimizers and schedules as configs name them.</summary>
public sealed class TrainingTargetTests
{
    private const string Net = """ "net": {"_target_": "PatchDiscriminator", "spatial_dims": 3, "channels": 4, "in_channels": 1, "num_layers_d": 1, "norm": "INSTANCE"} """;

    [Fact]
    public void An_optimizer_steps_at_the_rate_of_its_schedule()
    {
        using var folder = TestPaths.Temporary();
        var parser = Read(folder, $$$"""
            { {{{Net}}},
              "optimizer": {"_target_": "torch.optim.Adam", "params": "$@net.parameters()", "lr": 0.01, "eps": 1e-6},
              "schedule": {"_target_": "torch.optim.lr_scheduler.PolynomialLR", "optimizer": "@optimizer", "total_iters": 4, "power": 2.0},
              "rates": {"_target_": "torch.optim.lr_scheduler.LambdaLR", "optimizer": {"_target_": "torch.optim.AdamW", "params": "$@net.parameters()", "lr": 0.1}, "lr_lambda": "$lambda epoch: 0.01 if epoch < 2 else 1"}}
            """);
        var optimizer = (optim.Optimizer)parser.GetParsedContent("optimizer")!;
        var schedule = (optim.lr_scheduler.LRScheduler)parser.GetParsedContent("schedule")!;
        schedule.step();
        optimizer.ParamGroups.Single().LearningRate.ShouldBe(0.01 * 0.75 * 0.75, 1e-9);
        var rates = (optim.lr_scheduler.LRScheduler)parser.GetParsedContent("rates")!;
        rates.get_last_lr().ShouldBe([0.001], 1e-9);
        rates.step();
        rates.step();
        rates.get_last_lr().ShouldBe([0.1], 1e-9);
        optimizer.parameters().Count().ShouldBe(((nn.Module)parser.GetParsedContent("net")!).parameters().Count());
    }

    [Fact]
    public void Losses_compute()
    {
        using var folder = TestPaths.Temporary();
        var parser = Read(folder, """
            { "l1": {"_target_": "torch.nn.L1Loss", "reduction": "sum"}, "mse": {"_target_": "torch.nn.MSELoss"},
              "a": "$torch.tensor([1.0, 2.0])", "b": "$torch.tensor([3.0, 5.0])", "sum": "$@l1(@a, @b).item()", "mean": "$@mse(@a, @b).item()",
              "adversarial": {"_target_": "monai.losses.adversarial_loss.PatchAdversarialLoss", "criterion": "least_squares", "no_activation_leastsq": true}}
            """);
        parser.GetParsedContent("sum").ShouldBe(5.0);
        parser.GetParsedContent("mean").ShouldBe(6.5);
        var adversarial = (PatchAdversarialLoss)parser.GetParsedContent("adversarial")!;
        adversarial.Compute([tensor(new[] { 3f })], targetIsReal: true, forDiscriminator: true).ToDouble().ShouldBe(4.0);
    }

    [Fact]
    public void A_discriminator_judges_through_an_expression()
    {
        using var folder = TestPaths.Temporary();
        var net = (PatchDiscriminator)Read(folder, "{" + Net + "}").GetParsedContent("net")!;
        using var x = zeros([1, 1, 8, 8, 8]);
        net.call(x).Count.ShouldBe(3);
    }

    [Fact]
    public void Parameters_must_come_from_a_network()
    {
        using var folder = TestPaths.Temporary();
        var error = Should.Throw<BundleException>(() => Read(folder, """{"o": {"_target_": "torch.optim.Adam", "params": [1, 2]}}""").GetParsedContent("o"));
        error.Message.ShouldContain("parameters of a network");
        error.Hint.ShouldBe("write $@network.parameters()");
    }

    private static ConfigParser Read(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["c.json"], text);
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path });
        parser.ReadConfig("c.json");
        return parser;
    }
}
