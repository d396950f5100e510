using System.Text.Json.Nodes;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Schedulers;

public class DiscreteSchedulerTests
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void DDPM_matches_in_every_variant()
    {
        using var golden = new Golden("scheduler_ddpm");
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            using var scope = NewDisposeScope();
            var name = item!["name"]!.ToString();
            var scheduler = (DDPMScheduler)SchedulerFactory.Create(item["config"]!.AsObject());
            tensor(scheduler.Schedule.Betas.ToArray()).ShouldMatch(golden[$"out/{name}/betas"], golden.Name, $"{name} betas", 1e-6);
            tensor(scheduler.Schedule.AlphasCumprod).ShouldMatch(golden[$"out/{name}/alphas_cumprod"], golden.Name, $"{name} alphas_cumprod", 1e-6);
            foreach (var (steps, expected) in item["timesteps"]!.AsObject())
            {
                scheduler.SetTimesteps(int.Parse(steps));
                scheduler.Timesteps.ShouldBe(expected!.AsArray().Select(t => (double)t!));
            }
            var output = golden[name == "learned_range" ? "in/model_output_8ch" : "in/model_output"];
            foreach (var t in item["steps"]!.AsArray().Select(t => (int)t!))
            {
                var step = scheduler.StepAt(output, t, golden["in/sample"], golden["in/noise"]);
                // the cosine schedule divides by a beta near one at its end: values of several hundred
                ShouldMatchRelative(step.Previous, golden[$"out/{name}/step{t}/prev"], golden.Name, $"{name} step {t}");
                ShouldMatchRelative(step.Original!, golden[$"out/{name}/step{t}/x0"], golden.Name, $"{name} x0 {t}");
            }
            var timesteps = tensor(item["add_noise_timesteps"]!.AsArray().Select(t => (long)t!).ToArray());
            scheduler.AddNoise(golden["in/sample"], golden["in/noise"], timesteps).ShouldMatch(golden[$"out/{name}/add_noise"], golden.Name, $"{name} add_noise", Tolerance);
            scheduler.GetVelocity(golden["in/sample"], golden["in/noise"], timesteps).ShouldMatch(golden[$"out/{name}/velocity"], golden.Name, $"{name} velocity", Tolerance);
        }
    }

    [Fact]
    public void DDIM_matches_in_every_variant()
    {
        using var golden = new Golden("scheduler_ddim");
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            using var scope = NewDisposeScope();
            var name = item!["name"]!.ToString();
            var scheduler = (DDIMScheduler)SchedulerFactory.Create(item["config"]!.AsObject());
            scheduler.SetTimesteps((int)item["num_inference_steps"]!);
            scheduler.Timesteps.ShouldBe(item["timesteps"]!.AsArray().Select(t => (double)t!));
            Tensor output = golden["in/model_output"], sample = golden["in/sample"];
            foreach (var t in item["steps"]!.AsArray().Select(t => (int)t!))
            {
                var key = $"out/{name}/step{t}";
                var step = scheduler.StepAt(output, t, sample);
                ShouldMatchRelative(step.Previous, golden[$"{key}/prev"], golden.Name, $"{name} step {t}");
                ShouldMatchRelative(step.Original!, golden[$"{key}/x0"], golden.Name, $"{name} x0 {t}");
                ShouldMatchRelative(scheduler.StepAt(output, t, sample, 0.7, golden["in/noise"]).Previous, golden[$"{key}/prev_eta0.7"], golden.Name, $"{name} eta {t}");
                if (golden.TryGet($"{key}/reversed") is { } reversed)
                    ShouldMatchRelative(scheduler.ReversedStep(output, t, sample).Previous, reversed, golden.Name, $"{name} reversed {t}");
            }
        }
    }

    [Fact]
    public void PNDM_matches_over_whole_runs()
    {
        using var golden = new Golden("scheduler_pndm");
        foreach (var item in golden.Info["cases"]!.AsArray())
        {
            using var scope = NewDisposeScope();
            var name = item!["name"]!.ToString();
            using var scheduler = (PNDMScheduler)SchedulerFactory.Create(item["config"]!.AsObject());
            scheduler.SetTimesteps((int)item["num_inference_steps_requested"]!);
            scheduler.Timesteps.ShouldBe(item["timesteps"]!.AsArray().Select(t => (double)t!));
            var x = golden["in/sample"];
            var expected = golden[$"out/{name}/trajectory"];
            for (var i = 0; i < scheduler.Timesteps.Count; i++)
            {
                x = scheduler.Step((x * 0.3) + (0.05 * Math.Cos(scheduler.Timesteps[i] / 100)), i, x).Previous;
                ShouldMatchRelative(x, expected[i], golden.Name, $"{name} step {i}");
            }
        }
    }

    [Fact]
    public void Wrong_requests_are_explained()
    {
        using var golden = new Golden("scheduler_ddim");
        Should.Throw<SchedulerException>(() => SchedulerFactory.Create(Definition("""{"_target_": "DDIMScheduler", "steps_offset": 1}"""))).Message
            .ShouldContain("steps_offset is 1, but must be below 1");
        Should.Throw<SchedulerException>(() => SchedulerFactory.Create(Definition("""{"_target_": "DDPMScheduler", "schedule": "cosine", "beta_start": 0.1}"""))).Message
            .ShouldContain("'cosine' has no beta_start");
        Should.Throw<SchedulerException>(() => SchedulerFactory.Create(Definition("""{"_target_": "PNDMScheduler", "prediction_type": "sample"}"""))).Message
            .ShouldContain("predicts noise or velocity");
        Should.Throw<SchedulerException>(() => SchedulerFactory.Create(Definition("""{"_target_": "DDPMScheduler"}""")).SetTimesteps(5000)).Message
            .ShouldContain("5000 inference steps were asked for, but the model was trained with 1000");
    }

    private static JsonObject Definition(string json) => JsonNode.Parse(json)!.AsObject();

    /// <summary>Schedulers divide by small numbers, so that a value of thousands carries an error of its own size.</summary>
    private static void ShouldMatchRelative(Tensor actual, Tensor expected, string fixture, string what)
    {
        using var scope = NewDisposeScope();
        var scale = Math.Max(1, expected.abs().max().item<float>());
        (actual / scale).ShouldMatch(expected / scale, fixture, what, Tolerance);
    }
}
