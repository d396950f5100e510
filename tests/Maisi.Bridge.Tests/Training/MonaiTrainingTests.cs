using System.Diagnostics;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>
/// Two hundred steps beside MONAI's own networks and PyTorch's optimizers, on the same data, noise and weights. MAISI_MONAI names a MONAI
/// checkout (and einops, joined by a colon, where Python has none), MAISI_MONAI_PYTHON the Python with torch.
/// </summary>
public sealed class MonaiTrainingTests
{
    private const int Steps = 200, Cases = 4;
    private const double Rate = 1e-4;

    private const string Script = """
        import json, struct, sys
        import numpy as np
        import torch
        import torch.nn.functional as F
        from monai.apps.generation.maisi.networks.autoencoderkl_maisi import AutoencoderKlMaisi
        from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import DiffusionModelUNetMaisi
        from monai.losses import PatchAdversarialLoss
        from monai.networks.nets import PatchDiscriminator

        def read(path):
            with open(path, "rb") as f:
                header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
                data = f.read()
            kinds = {"F32": np.float32, "I64": np.int64}
            return {k: torch.from_numpy(np.frombuffer(data[v["data_offsets"][0]:v["data_offsets"][1]], kinds[v["dtype"]]).reshape(v["shape"]).copy())
                    for k, v in header.items() if k != "__metadata__"}

        def network(kind, name, tensors):
            made = kind(**{k: v for k, v in config[name].items() if k != "_target_"})
            made.load_state_dict({k[len(name) + 1:]: v for k, v in tensors.items() if k.startswith(name + "/")})
            return made.train()

        torch.set_num_threads(1)
        config = json.load(open(sys.argv[1]))
        t = read(sys.argv[2])
        steps, rate, losses = config["steps"], config["rate"], []
        if "unet" in config:
            unet = network(DiffusionModelUNetMaisi, "unet", t)
            optimizer = torch.optim.Adam(unet.parameters(), lr=rate)
            schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=steps, power=2.0) if hasattr(torch.optim.lr_scheduler, "PolynomialLR") \
                else torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: (1 - s / steps) ** 2)
            for i in range(steps):
                optimizer.zero_grad(set_to_none=True)
                out = unet(x=t["noisy"][i], timesteps=t["timesteps"][i], spacing_tensor=t["spacing"], class_labels=t["classes"])
                loss = F.l1_loss(out, t["target"][i])
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append([loss.item()])
        else:
            vae, critic = network(AutoencoderKlMaisi, "vae", t), network(PatchDiscriminator, "critic", t)
            g, d = torch.optim.Adam(vae.parameters(), lr=rate, eps=1e-8), torch.optim.Adam(critic.parameters(), lr=rate, eps=1e-8)
            adversarial = PatchAdversarialLoss(criterion="least_squares")
            for i in range(steps):
                g.zero_grad(set_to_none=True)
                d.zero_grad(set_to_none=True)
                x = t["images"][i % len(t["images"])]
                mu, sigma = vae.encode(x)
                out = vae.decode(mu + sigma * t["noise"][i])
                kl = 0.5 * torch.sum(mu ** 2 + sigma ** 2 - torch.log(sigma ** 2 + 1e-10) - 1) / mu.shape[0]
                fooled = adversarial(critic(out.contiguous().float())[-1], target_is_real=True, for_discriminator=False)
                loss = F.l1_loss(out, x) + 1e-7 * kl + 0.1 * fooled
                loss.backward()
                g.step()
                fake = adversarial(critic(out.contiguous().detach())[-1], target_is_real=False, for_discriminator=True)
                real = adversarial(critic(x.contiguous().detach())[-1], target_is_real=True, for_discriminator=True)
                judged = (fake + real) * 0.5
                judged.backward()
                d.step()
                losses.append([loss.item(), judged.item()])
        print(json.dumps(losses))
        """;

    [SkippableFact]
    public async Task Diffusion_training_follows_monai_for_two_hundred_steps()
    {
        SkipWithoutMonai();
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        using var golden = new Golden("unet_rflow");
        var network = golden.Network<DiffusionModelUNetMaisi>();
        var scheduler = SchedulerFactory.Create(JsonNode.Parse(File.ReadAllText(Path.Combine(TestPaths.Root, "configs", "train_phantom.json")))!["noise_scheduler"]!.AsObject());
        var objective = new DiffusionObjective(scheduler);
        var random = new TrainingRandom(21);
        // 16³ so that the lowest level has more than one voxel: norms of one voxel turn rounding errors into signs.
        var latents = Enumerable.Range(0, Cases).Select(i => PhiloxNoise.Normal([1, 4, 16, 16, 16], (ulong)(50 + i))).ToList();
        var batches = Enumerable.Range(0, Steps).Select(i => objective.Corrupt(latents[i % Cases], random)).ToList();
        Tensor spacing = tensor(new[] { 150f, 150, 200 }, [1, 3]), classes = tensor(new[] { 1L });
        var tensors = Weights("unet", network);
        (tensors["noisy"], tensors["target"]) = (Stack(batches.Select(b => b.Noisy)), Stack(batches.Select(b => b.Target)));
        (tensors["timesteps"], tensors["spacing"], tensors["classes"]) = (Stack(batches.Select(b => b.Timesteps.to(ScalarType.Float32))), spacing, classes);
        var theirs = Python(folder, new JsonObject { ["unet"] = golden.Config.DeepClone() }, tensors);

        var settings = new StageSettings { Name = "unet", Iterations = Steps, Rate = Rate, Decoupled = false, Schedule = RateSchedule.Polynomial };
        var conditions = new UNetConditions { Spacing = spacing, ClassLabels = classes };
        network.train();
        var learner = new Learner("", network.parameters(), settings);
        var ours = Train(settings, [learner], folder["state"], step =>
            step.Learn(learner, "loss", (network.call(batches[step.Number].Noisy, batches[step.Number].Timesteps, conditions) - batches[step.Number].Target).abs().mean()), "loss");
        Compare(ours, await theirs);
    }

    [SkippableFact]
    public async Task Adversarial_training_follows_monai_for_two_hundred_steps()
    {
        SkipWithoutMonai();
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        using var golden = new Golden("vae_maisi");
        var network = golden.Network<AutoencoderKlMaisi>();
        var definition = JsonNode.Parse("""
            {"_target_": "monai.networks.nets.patchgan_discriminator.PatchDiscriminator", "spatial_dims": 3, "num_layers_d": 1, "channels": 4,
             "in_channels": 1, "out_channels": 1, "norm": "INSTANCE"}
            """)!.AsObject();
        var critic = NetworkFactory.Create<PatchDiscriminator>(definition);
        WeightInitialization.DrawDiscriminator(critic, 3);
        critic.train();
        var images = Enumerable.Range(0, Cases).Select(i => nn.functional.avg_pool3d(PhiloxNoise.Normal([1, 1, 48, 48, 48], (ulong)(70 + i)), [3, 3, 3]).sigmoid()).ToList();
        var seeds = new TrainingRandom(31);
        var noise = Enumerable.Range(0, Steps).Select(_ => PhiloxNoise.Normal([1, 4, 4, 4, 4], seeds.NextSeed())).ToList();
        var tensors = Weights("vae", network).Concat(Weights("critic", critic)).ToDictionary(StringComparer.Ordinal);
        (tensors["images"], tensors["noise"]) = (Stack(images), Stack(noise));
        var theirs = Python(folder, new JsonObject { ["vae"] = golden.Config.DeepClone(), ["critic"] = definition }, tensors);

        var settings = new StageSettings { Name = "vae", Iterations = Steps, Rate = Rate, Decoupled = false };
        network.train();
        Learner generator = new("", network.parameters(), settings), judge = new("critic", critic.parameters(), settings);
        var objective = new AutoencoderObjective(network, new AutoencoderWeights { Kl = 1e-7, Adversarial = 0.1, Parity = true }, critic);
        var random = new TrainingRandom(31);
        var ours = Train(settings, [generator, judge], folder["state"],
            step => objective.Learn(step, generator, judge, images[step.Number % Cases], random, settings), "loss", "discriminator");
        Compare(ours, await theirs);
    }

    private static List<double[]> Train(StageSettings settings, IReadOnlyList<Learner> learners, string state, Action<TrainingStep> body, params string[] names)
    {
        var losses = new List<double[]>();
        using var stage = new TrainingStage(settings, learners, new TrainingRandom(1));
        stage.Run(step =>
        {
            body(step);
            losses.Add([.. names.Select(n => step.Losses[n])]);
        }, TrainingStore.Open(state, "", resume: false), null, default);
        return losses;
    }

    private static void Compare(List<double[]> ours, List<double[]> theirs)
    {
        ours.Count.ShouldBe(Steps);
        theirs.Count.ShouldBe(Steps);
        for (var i = 0; i < Steps; i++)
            ours[i].ShouldBe(theirs[i], 1e-3, $"step {i + 1}");
        if (Environment.GetEnvironmentVariable("MAISI_PARITY_REPORT") is { Length: > 0 } report)
            File.AppendAllText(report, $"training\t{Steps} steps\t{ours.Zip(theirs, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max():e2}\n");
        ours[^Cases..].Average(l => l[0]).ShouldBeLessThan(ours[..Cases].Average(l => l[0]) * 0.98); // it has learned something that could have gone wrong
    }

    private static Dictionary<string, Tensor> Weights(string name, nn.Module network) =>
        network.state_dict().ToDictionary(p => $"{name}/{p.Key}", p => p.Value.clone(), StringComparer.Ordinal);

    private static Tensor Stack(IEnumerable<Tensor> tensors) => stack([.. tensors]);

    private static void SkipWithoutMonai() => Skip.If(string.IsNullOrEmpty(Environment.GetEnvironmentVariable("MAISI_MONAI")), "MAISI_MONAI names no MONAI checkout");

    private static async Task<List<double[]>> Python(TemporaryFolder folder, JsonObject config, Dictionary<string, Tensor> tensors)
    {
        (config["steps"], config["rate"]) = (Steps, Rate);
        File.WriteAllText(folder["config.json"], config.ToJsonString());
        SafetensorsFile.Save(folder["data.safetensors"], tensors);
        var python = Environment.GetEnvironmentVariable("MAISI_MONAI_PYTHON") ?? "python3";
        var start = new ProcessStartInfo(python, ["-c", Script, folder["config.json"], folder["data.safetensors"]])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.Path,
            Environment = { ["PYTHONPATH"] = Environment.GetEnvironmentVariable("MAISI_MONAI") },
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
        return [.. JsonNode.Parse((await output).Trim().Split('\n')[^1])!.AsArray().Select(row => row!.AsArray().Select(v => v!.GetValue<double>()).ToArray())];
    }
}
