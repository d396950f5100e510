using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Benchmarks;

/// <summary>All denoising steps of one sample under a label map, NVIDIA's rflow definitions with random weights, against the same loop on MONAI.</summary>
internal sealed class SamplingBenchmark : IBenchmark
{
    private const string Script = """
        import json
        for folder in MONAI.split(":"): sys.path.insert(0, folder)
        from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import DiffusionModelUNetMaisi
        from monai.apps.generation.maisi.networks.controlnet_maisi import ControlNetMaisi
        from monai.networks.schedulers.rectified_flow import RFlowScheduler
        def build(cls, name):
            config = json.load(open(f"{DEFINITIONS}/{name}.json")); del config["_target_"]; config["use_flash_attention"] = False
            return cls(**config).eval()
        unet, control = build(DiffusionModelUNetMaisi, "diffusion_unet_rflow"), build(ControlNetMaisi, "controlnet_rflow")
        scheduler = RFlowScheduler(num_train_timesteps=1000, use_discrete_timesteps=False, use_timestep_transform=True, sample_method="uniform", scale=1.4)
        condition = torch.randint(0, 2, (1, 8, *[EXTENT * 4] * 3)).float()
        classes, spacing = torch.tensor([1]), torch.tensor([[150.0, 150.0, 200.0]])
        def sample():
            with torch.no_grad():
                latent = torch.randn(1, 4, EXTENT, EXTENT, EXTENT)
                scheduler.set_timesteps(num_inference_steps=STEPS, input_img_size_numel=EXTENT ** 3)
                following = torch.cat((scheduler.timesteps[1:], torch.zeros(1)))
                for t, after in zip(scheduler.timesteps, following):
                    when = torch.Tensor((t,))
                    down, mid = control(x=latent, timesteps=when, controlnet_cond=condition, class_labels=classes)
                    output = unet(x=latent, timesteps=when, class_labels=classes, spacing_tensor=spacing,
                                  down_block_additional_residuals=down, mid_block_additional_residual=mid)
                    latent, _ = scheduler.step(output, t, latent, after)
        case("sampling", sample)
        """;

    public string Name => "sampling";

    public string Description => "all steps of a sample under a label map against MONAI; --monai FOLDER[:FOLDER] --steps 30 --extent 32 --rounds 1 --threads 1";

    public int Run(BenchmarkOptions options)
    {
        var definitions = options.Text("definitions", Path.Combine("tests", "fixtures", "approvals"));
        var (steps, extent) = (options.Number("steps", 30), options.Number("extent", 32));
        var script = $"MONAI, DEFINITIONS, STEPS, EXTENT = {PythonPeer.Quote(options.Text("monai", ""))}, {PythonPeer.Quote(definitions)}, {steps}, {extent}\n{Script}";
        using var comparison = new Comparison(options, script);
        using var scope = NewDisposeScope();
        var unet = Build<DiffusionModelUNetMaisi>(definitions, "diffusion_unet_rflow");
        var control = Build<ControlNetMaisi>(definitions, "controlnet_rflow");
        var scheduler = new RFlowScheduler(new RFlowSchedulerConfig { UseDiscreteTimesteps = false, UseTimestepTransform = true, Scale = 1.4 });
        var sampler = new LatentDiffusionSampler(unet, control, scheduler);
        var conditions = new ImageConditions { Mask = randint(0, 128, [1L, 1, extent * 4, extent * 4, extent * 4]), Spacing = [1.5, 1.5, 2], Modality = 1 };
        comparison.Case("sampling", () => sampler.Sample(conditions, randn([1L, 4, extent, extent, extent]), _ => throw new InvalidOperationException(), steps, 0).Dispose(), 1, warmUp: false);
        return 0;
    }

    private static T Build<T>(string definitions, string name)
        where T : nn.Module
    {
        var network = NetworkFactory.Create<T>(JsonNode.Parse(File.ReadAllText(Path.Combine(definitions, name + ".json")))!.AsObject());
        network.eval();
        return network;
    }
}
