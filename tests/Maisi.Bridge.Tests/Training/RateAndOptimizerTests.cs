using System.Text.Json.Nodes;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>Schedules and optimizers against what PyTorch computed.</summary>
public sealed class RateAndOptimizerTests
{
    [Fact]
    public void Rates_are_those_of_pytorch()
    {
        using var golden = new Golden("optim");
        foreach (var item in golden.Info["polynomial_lr"]!.AsArray())
        {
            var settings = Settings(item!["lr"]!.GetValue<double>(), RateSchedule.Polynomial) with { ScheduleTotal = item["total_iters"]!.GetValue<double>() };
            Compare(item["lrs"]!, settings.RateAt);
        }
        var epochs = golden.Info["vae_warmup_lambda_lr"]!;
        var stepped = Settings(epochs["lr"]!.GetValue<double>(), RateSchedule.EpochSteps) with { StepsPerEpoch = 3 };
        Compare(epochs["lrs"]!, epoch => stepped.RateAt((3 * epoch) + 2));

        static void Compare(JsonNode expected, Func<int, double> rate)
        {
            foreach (var (value, step) in expected.AsArray().Select((v, i) => (v!.GetValue<double>(), i)))
                rate(step).ShouldBe(value, 1e-15, $"step {step}");
        }
    }

    [Theory]
    [InlineData("adam_eps1e-6_lr1e-4", false, 1e-4, 1e-6, 0)]
    [InlineData("adam_lr1e-5", false, 1e-5, 1e-8, 0)]
    [InlineData("adamw_lr1e-5", true, 1e-5, 1e-8, 1e-2)]
    [InlineData("adamw_lr1e-4_wd1e-5", true, 1e-4, 1e-8, 1e-5)]
    public void A_learner_steps_as_pytorchs_optimizer(string name, bool decoupled, double rate, double epsilon, double decay)
    {
        using var golden = new Golden("optim");
        using var scope = NewDisposeScope();
        var weights = new Parameter(golden["in/w0"]);
        using var learner = new Learner("", [weights], Settings(rate, RateSchedule.Constant) with { Decoupled = decoupled, Epsilon = epsilon, WeightDecay = decay });
        var expected = golden[$"out/{name}"];
        for (var step = 0; step < 6; step++)
        {
            learner.Clear();
            learner.Backward((weights * golden[$"in/grads/{step}"]).sum()); // the gradient of w·g is g
            learner.Step(rate);
            weights.detach().ShouldMatch(expected[step], "optim", $"{name} step {step}", 1e-7);
        }
        learner.State.Steps.ShouldBe(6);
    }

    [Fact]
    public void The_gradient_scale_halves_on_overflow_and_grows_after_good_steps()
    {
        using var scope = NewDisposeScope();
        var weights = new Parameter(ones(2));
        var scaler = new GradientScaler(256, growth: 1.5, interval: 2);
        (weights * tensor(new[] { 256f, 512f })).sum().backward();
        scaler.Unscale([weights]).ShouldBeTrue();
        weights.grad!.data<float>().ToArray().ShouldBe([1f, 2f]);
        scaler.Update(true);
        scaler.Scale.ShouldBe(256);
        scaler.Update(true);
        scaler.Scale.ShouldBe(384);
        (weights * tensor(new[] { float.PositiveInfinity, 1f })).sum().backward();
        scaler.Unscale([weights]).ShouldBeFalse();
        scaler.Update(false);
        (scaler.Scale, scaler.GoodSteps).ShouldBe((192, 0));
    }

    private static StageSettings Settings(double rate, RateSchedule schedule) => new() { Name = "test", Iterations = 10, Rate = rate, Schedule = schedule };
}
