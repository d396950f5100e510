using System.Text.Json;
using Maisi.Bridge.TestSupport;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

/// <summary>Parameters after five steps, and learning rates, against Python's torch 1.13.1.</summary>
public sealed class OptimizerTests : TensorTest
{
    public static readonly TheoryData<string, Func<Parameter[], optim.Optimizer>, double[]> Cases = new()
    {
        { "Adam", p => optim.Adam(p, 0.1), [0.780998706817627, -1.517220139503479, 0.9212599396705627, 0.7478768229484558] },
        {
            "Adam with weight decay", p => optim.Adam(p, 0.1, 0.8, 0.9, 1e-6, 0.1),
            [0.7628359794616699, -1.5183812379837036, 0.9105249047279358, 0.7408703565597534]
        },
        { "Adam maximising", p => optim.Adam(p, 0.1, maximize: true), [0.5463898777961731, -2.5017004013061523, 0.000616803765296936, -0.1998879611492157] },
        { "AdamW", p => optim.AdamW(p, 0.1, weight_decay: 0.05), [0.7576413750648499, -1.4743971824645996, 0.9044480323791504, 0.7350811958312988] },
        { "SGD", p => optim.SGD(p, 0.001), [0.9996392130851746, -1.8181339502334595, 0.5560899972915649, 0.31965798139572144] },
        {
            "SGD with momentum", p => optim.SGD(p, 0.001, 0.9, 0.1, 0.01),
            [0.9983706474304199, -1.558441162109375, 0.6352699398994446, 0.34747669100761414]
        },
        {
            "SGD with Nesterov momentum", p => optim.SGD(p, 0.001, 0.9, nesterov: true),
            [0.9913173317909241, -1.4500420093536377, 0.6647026538848877, 0.3586328327655792]
        },
    };

    public static readonly TheoryData<string, Func<optim.Optimizer, optim.lr_scheduler.LRScheduler>, double[]> Schedules = new()
    {
        { "StepLR", o => optim.lr_scheduler.StepLR(o, 3, 0.5), [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025] },
        { "MultiStepLR", o => optim.lr_scheduler.MultiStepLR(o, [2, 5], 0.1), [0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001] },
        { "ExponentialLR", o => optim.lr_scheduler.ExponentialLR(o, 0.9), [0.1, 0.09, 0.081, 0.0729, 0.06561] },
        {
            "CosineAnnealingLR", o => optim.lr_scheduler.CosineAnnealingLR(o, 4, 0.01),
            [0.1, 0.08681980515339464, 0.055, 0.023180194846605363, 0.01, 0.023180194846605363, 0.055, 0.08681980515339469, 0.1, 0.0868198051533947]
        },
        { "LinearLR", o => optim.lr_scheduler.LinearLR(o, 0.1, 1.0, 4), [0.01, 0.0325, 0.055, 0.0775, 0.1, 0.1, 0.1] },
        { "ConstantLR", o => optim.lr_scheduler.ConstantLR(o, 0.5, 3), [0.05, 0.05, 0.05, 0.1, 0.1] },
        { "MultiplicativeLR", o => optim.lr_scheduler.MultiplicativeLR(o, _ => 0.95), [0.1, 0.095, 0.09025, 0.0857375] },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Five_steps_are_those_of_python_torch(string name, Func<Parameter[], optim.Optimizer> make, double[] expected)
    {
        var parameters = NewParameters();
        using var optimizer = make(parameters);
        for (var i = 0; i < 5; i++)
            Step(optimizer, parameters);
        Close(cat([parameters[0], parameters[1]]), expected, 2e-6);
        name.ShouldNotBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Schedules), DisableDiscoveryEnumeration = true)]
    public void Learning_rates_are_those_of_python_torch(string name, Func<optim.Optimizer, optim.lr_scheduler.LRScheduler> make, double[] expected)
    {
        using var optimizer = optim.SGD(NewParameters(), 0.1);
        Rates(optimizer, make(optimizer), expected.Length).ShouldBe(expected, 1e-12, name);
        // A jump gives what walking there gives.
        var jumping = make(optim.SGD(NewParameters(), 0.1));
        jumping.step(expected.Length - 1);
        jumping.get_last_lr().Single().ShouldBe(expected[^1], 1e-12);
    }

    [Fact]
    public void Schedules_of_the_training_recipes_match_the_golden_file()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(TestPaths.Golden("optim.json")));
        foreach (var polynomial in golden.RootElement.GetProperty("polynomial_lr").EnumerateArray())
        {
            using var optimizer = optim.Adam(NewParameters(), polynomial.GetProperty("lr").GetDouble());
            var schedule = optim.lr_scheduler.PolynomialLR(optimizer, polynomial.GetProperty("total_iters").GetDouble(), polynomial.GetProperty("power").GetDouble());
            var expected = polynomial.GetProperty("lrs").EnumerateArray().Select(v => v.GetDouble()).ToArray();
            Rates(optimizer, schedule, expected.Length).ShouldBe(expected, 1e-17);
        }
        var warmup = golden.RootElement.GetProperty("vae_warmup_lambda_lr");
        using var vae = optim.Adam(NewParameters(), warmup.GetProperty("lr").GetDouble());
        var lambda = optim.lr_scheduler.LambdaLR(vae, e => e < 10 ? 0.01 : e < 20 ? 0.1 : 1);
        var rates = warmup.GetProperty("lrs").EnumerateArray().Select(v => v.GetDouble()).ToArray();
        Rates(vae, lambda, rates.Length).ShouldBe(rates, 1e-17);
    }

    [Fact]
    public void State_survives_a_restart()
    {
        var parameters = NewParameters();
        using var optimizer = optim.AdamW(parameters, 0.1, weight_decay: 0.05);
        Step(optimizer, parameters);
        Step(optimizer, parameters);
        var copies = parameters.Select(p => new Parameter(p.detach().clone())).ToArray();
        using var resumed = optim.AdamW(copies, 0.5);
        resumed.load_state_dict(optimizer.state_dict());
        resumed.ParamGroups.Single().LearningRate.ShouldBe(0.1);
        ((AdamW.State)resumed.state_dict().State[0]).step.ShouldBe(2);
        for (var i = 0; i < 3; i++)
        {
            Step(optimizer, parameters);
            Step(resumed, copies);
        }
        Values(copies[0]).ShouldBe(Values(parameters[0]));
        Should.Throw<ArgumentException>(() => optim.AdamW(copies[..1]).load_state_dict(optimizer.state_dict())).Message.ShouldContain("2 parameters");
    }

    [Fact]
    public void Groups_have_rates_of_their_own_and_parameters_without_gradients_stay()
    {
        var parameters = NewParameters();
        var idle = new Parameter(ones(2));
        using var optimizer = optim.Adam([new Adam.ParamGroup([parameters[0]], 0.1), new Adam.ParamGroup([parameters[1], idle], 0.0)]);
        var before = Values(parameters[0]);
        Step(optimizer, parameters);
        Values(parameters[0]).ShouldNotBe(before);
        Close(parameters[1], [0.3]);
        Values(idle).ShouldBe([1, 1]);
        optimizer.ParamGroups.Count().ShouldBe(2);
        Should.Throw<ArgumentException>(() => optimizer.add_param_group(new Adam.ParamGroup([idle]))).Message.ShouldContain("one group");
    }

    [Fact]
    public void Gradients_are_clipped_by_their_joint_norm()
    {
        var parameters = NewParameters();
        parameters[0].grad = tensor(new float[] { 3, 0, 0 });
        parameters[1].grad = tensor(new float[] { 4 });
        nn.utils.clip_grad_norm_(parameters, 1.0).ShouldBe(5, 1e-6);
        Close(parameters[0].grad!, [0.6, 0, 0], 1e-5);
        nn.utils.clip_grad_norm_(parameters, 10).ShouldBe(1, 1e-5);
        Close(parameters[1].grad!, [0.8], 1e-5);
        nn.utils.clip_grad_value_(parameters, 0.5);
        Close(parameters[1].grad!, [0.5]);
    }

    private static Parameter[] NewParameters() => [new(tensor(new float[] { 1, -2, 0.5f })), new(tensor(new[] { 0.3f }))];

    private static void Step(optim.Optimizer optimizer, Parameter[] parameters)
    {
        using var scope = NewDisposeScope();
        optimizer.zero_grad();
        var linear = (parameters[0] * tensor(new float[] { 1, 2, 3 })).sum() + parameters[1] - 1;
        (linear.pow(2).sum() + parameters[0].pow(4).sum()).backward();
        optimizer.step();
    }

    private static double[] Rates(optim.Optimizer optimizer, optim.lr_scheduler.LRScheduler schedule, int count)
    {
        var rates = new double[count];
        for (var i = 0; i < count; i++)
        {
            rates[i] = optimizer.ParamGroups.First().LearningRate;
            optimizer.step();
            schedule.step();
        }
        return rates;
    }
}
