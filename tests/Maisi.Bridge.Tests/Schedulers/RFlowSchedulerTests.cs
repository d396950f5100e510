using System.Text.Json.Nodes;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Schedulers;

public class RFlowSchedulerTests
{
    private static readonly RFlowSchedulerConfig Parity = new() { UseDiscreteTimesteps = false, UseTimestepTransform = true, Scale = 1.4 };

    [Fact]
    public void Timesteps_of_every_variant_are_exactly_MONAIs()
    {
        using var golden = new Golden("scheduler_rflow");
        var compared = 0;
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            var scheduler = SchedulerFactory.Create(item!["config"]!.AsObject());
            foreach (var run in item["timesteps"]!.AsArray())
            {
                scheduler.SetTimesteps((int)run!["num_inference_steps"]!, (long)run["input_img_size_numel"]!);
                scheduler.Timesteps.ShouldBe(run["timesteps_numel_as_tensor"]!.AsArray().Select(t => (double)t!), $"{item["name"]} {run["num_inference_steps"]} {run["input_img_size_numel"]}");
                compared++;
            }
        }
        compared.ShouldBe(202);
    }

    [Fact]
    public void Noise_is_added_like_MONAI()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("scheduler_rflow");
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            var scheduler = SchedulerFactory.Create(item!["config"]!.AsObject());
            var t = tensor(item["add_noise_timesteps"]!.AsArray().Select(v => (float)v!).ToArray());
            scheduler.AddNoise(golden["in/sample"], golden["in/noise"], t).ShouldMatch(golden[$"out/{item["name"]}/add_noise"], golden.Name, $"add_noise {item["name"]}", 1e-6);
        }
    }

    [Fact]
    public void Steps_truncate_the_next_timestep_like_MONAI()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("scheduler_rflow");
        var scheduler = ThirtySteps(Parity);
        foreach (var i in new[] { 0, 7, 28, 29 })
        {
            var step = scheduler.Step(golden["in/model_output"], i, golden["in/sample"]);
            step.Previous.ShouldMatch(golden[$"out/step/{i}/prev"], golden.Name, $"step {i}", 1e-6);
            step.Original!.ShouldMatch(golden[$"out/step/{i}/x0"], golden.Name, $"x0 {i}", 1e-6);
        }
        scheduler.StepAt(golden["in/model_output"], scheduler.Timesteps[3], golden["in/sample"]).Previous.ShouldMatch(golden["out/step/no_next/prev"], golden.Name, "no next", 1e-6);
    }

    [Fact]
    public void Thirty_steps_in_a_row_match()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("scheduler_rflow");
        var scheduler = ThirtySteps(Parity);
        var x = golden["in/sample"];
        var trajectory = new List<Tensor>();
        for (var i = 0; i < scheduler.Timesteps.Count; i++)
        {
            x = scheduler.Step((x * 0.5) - (0.1 * Math.Cos(scheduler.Timesteps[i] / 100)), i, x).Previous;
            trajectory.Add(x);
        }
        stack(trajectory.TakeLast(3).ToArray()).ShouldMatch(golden["out/loop30/trajectory_last3"], golden.Name, "30 steps", 1e-5);
    }

    [Fact]
    public void Steps_sum_to_one_only_when_corrected()
    {
        using var golden = new Golden("scheduler_rflow");
        Distance(ThirtySteps(Parity)).ShouldBe((double)golden.Info["sum_of_dt_30_steps_64cubed"]!, 1e-6);
        Distance(ThirtySteps(Parity with { Corrected = true })).ShouldBe(1, 1e-6);

        static double Distance(RFlowScheduler scheduler)
        {
            using var scope = NewDisposeScope();
            var x = zeros(1, ScalarType.Float64);
            for (var i = 0; i < scheduler.Timesteps.Count; i++)
                x = scheduler.Step(ones(1, ScalarType.Float64), i, x).Previous;
            return x.item<double>();
        }
    }

    [Theory]
    [InlineData("uniform", false, true)]
    [InlineData("uniform_discrete", true, true)]
    [InlineData("uniform_no_transform", false, false)]
    public void Training_timesteps_follow_the_draws(string name, bool discrete, bool transform)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("scheduler_rflow");
        var scheduler = new RFlowScheduler(Parity with { UseDiscreteTimesteps = discrete, UseTimestepTransform = transform });
        var t = scheduler.SampleTimesteps(golden[$"in/sample_t/{name}/u"], zeros([8L, 4, 16, 24, 8]));
        t.ShouldMatch(golden[$"out/sample_t/{name}"], golden.Name, $"sample {name}", 1e-3); // on a scale of 1000
    }

    [Fact]
    public void Logit_normal_timesteps_are_the_sigmoid_of_the_draws()
    {
        using var scope = NewDisposeScope();
        var scheduler = new RFlowScheduler(Parity with { UseTimestepTransform = false, SampleMethod = "logit-normal", Loc = 0.5 });
        var t = scheduler.SampleTimesteps(tensor(new[] { -1f, 0f, 2f }), zeros([3L, 1, 2, 2, 2]));
        t.data<float>().ToArray().Select(v => (double)v).ShouldBe(new[] { -0.9, 0.5, 3.3 }.Select(v => 1000 / (1 + Math.Exp(-v))), 1e-3);
    }

    [Fact]
    public void Logit_normal_timesteps_match_for_the_same_seed()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("scheduler_rflow");
        var scheduler = new RFlowScheduler(Parity with { UseTimestepTransform = false, SampleMethod = "logit-normal" });
        using var generator = new Generator(4);
        scheduler.SampleTimesteps(randn(64, generator: generator), zeros([64L, 1, 2, 2, 2])).ShouldMatch(golden["out/sample_t/logit_normal_64"], golden.Name, "sample logit-normal", 1e-3);
    }

    [Fact]
    public void Wrong_requests_are_explained()
    {
        var scheduler = new RFlowScheduler(Parity);
        Should.Throw<SchedulerException>(() => scheduler.SetTimesteps(1001, 1)).Message.ShouldContain("1001 inference steps were asked for, but the model was trained with 1000");
        Should.Throw<SchedulerException>(() => scheduler.SetTimesteps(30)).Message.ShouldContain("needs the number of latent voxels");
        Should.Throw<SchedulerException>(() => new RFlowScheduler(Parity with { SampleMethod = "normal" })).Message.ShouldContain("unknown sample_method 'normal'");
        Should.Throw<Maisi.Bridge.Networks.DefinitionException>(() => SchedulerFactory.Create(JsonNode.Parse("""{"_target_": "RFlowScheduler", "steps": 3}""")!.AsObject()));
    }

    private static RFlowScheduler ThirtySteps(RFlowSchedulerConfig config)
    {
        var scheduler = new RFlowScheduler(config);
        scheduler.SetTimesteps(30, 64 * 64 * 64);
        return scheduler;
    }
}
