using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>
/// The configs of a bundle for MONAI's trainer: what they say here, and that their cases and losses are ours in MONAI. MAISI_MONAI names
/// folders with MONAI, ignite and einops, joined by colons; MAISI_MONAI_PYTHON the Python with torch.
/// </summary>
public sealed class BundleTrainConfigTests : IDisposable
{
    private const string Script = """
        import json, os, sys
        import numpy as np
        import torch
        from monai.bundle import ConfigParser

        bundle, data, output = sys.argv[1:]
        os.chdir(bundle)
        result = {}
        for name in ("controlnet", "diffusion_unet"):
            parser = ConfigParser()
            parser.read_config("configs/train.json")
            parser["dataset_dir"], parser["network"] = data, name
            parser.parse(True)
            get = parser.get_parsed_content
            dataset, prepare, inferer, network = (get("train#" + part) for part in ("dataset", "prepare_batch", "inferer", "network"))
            loss = get("loss")
            losses = []
            for i in range(len(dataset)):
                item = dataset[i]
                if name == "controlnet":
                    item["mean"].numpy().tofile("%s/mean%d" % (output, i))
                    item["label"].numpy().tofile("%s/label%d" % (output, i))
                noise = torch.from_numpy(np.fromfile("%s/noise%d" % (output, i), np.float32)).reshape(1, *item["mean"].shape)
                timesteps = torch.tensor([200.0 + 150 * i])
                noisy, target = prepare.corrupt(item["mean"][None] * prepare.scale_factor, noise, timesteps)
                with torch.no_grad():
                    losses.append(loss(inferer(noisy, network, **prepare.conditions(item["label"][None], timesteps)), target).item())
            result[name] = losses
        several = ConfigParser()
        several.read_config(["configs/train.json", "configs/multi_gpu_train.json"])
        several.parse(True)
        result["ids"] = sorted(several.ref_resolver.items)
        print(json.dumps(result))
        """;

    private readonly TemporaryFolder _folder = TestPaths.Temporary();
    private readonly TrainingConfig _config = TinyTraining.Config();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_trained_bundle_holds_them_and_refers_to_its_own_networks()
    {
        var parser = Parser(Train(), BundleTrainConfigs.Single);
        Numbers(parser, "output_size").ShouldBe([16, 16, 16]);
        Numbers(parser, "spacing").ShouldBe([12, 12, 12]);
        parser.GetParsedContent("body_dropout").ShouldBe(0.25);
        parser.GetParsedContent("batch_size").ShouldBe(2L);
        parser.GetParsedContent("noise_scheduler").ShouldBeOfType<RFlowScheduler>();
        parser.GetParsedContent("controlnet_def").ShouldBeOfType<ControlNetMaisi>();
        var error = Should.Throw<BundleException>(() => parser.GetParsedContent("train::prepare_batch"));
        error.Message.ShouldContain("maisi_bridge.training");
        error.Hint!.ShouldContain("--allow-python");
    }

    [Fact]
    public void Several_devices_change_device_sampler_and_network_alone()
    {
        var bundle = Path.Combine(TestPaths.Root, "bundles", "maisi_headneck_small");
        string[] Ids(params string[] files) => [.. Parser(bundle, files).Items.Keys.Order(StringComparer.Ordinal)];
        string[] one = Ids(BundleTrainConfigs.Single), several = Ids(BundleTrainConfigs.Single, BundleTrainConfigs.Distributed);
        one.Except(several).ShouldBeEmpty();
        several.Except(one).Where(id => !id.StartsWith("imports", StringComparison.Ordinal)).ShouldBe([
            "finalize", "finalize::0", "initialize::2", "initialize::3", "train::dataloader::sampler", "train::network::_target_",
            "train::network::device_ids", "train::network::module", "train::sampler", "train::sampler::_target_", "train::sampler::dataset",
            "train::sampler::even_divisible", "train::sampler::shuffle",
        ], ignoreOrder: true);
    }

    [Theory]
    [InlineData(BundleTrainConfigs.Single)]
    [InlineData(BundleTrainConfigs.Distributed)]
    public void The_shipped_bundle_has_what_would_be_written_today(string name)
    {
        var file = Path.Combine(TestPaths.Root, "bundles", "maisi_headneck_small", "configs", name);
        var shipped = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        var written = JsonNode.Parse(BundleTrainConfigs.Text(name, _config))!.AsObject();
        foreach (var own in (string[])["body_dropout", "batch_size", "weight_decay"])
            shipped.Remove(own).ShouldBe(written.Remove(own));
        shipped.ToJsonString().ShouldBe(written.ToJsonString());
    }

    [SkippableFact]
    public async Task MONAI_sees_our_cases_and_finds_our_losses()
    {
        Skip.If(string.IsNullOrEmpty(Environment.GetEnvironmentVariable("MAISI_MONAI")), "MAISI_MONAI names no MONAI checkout");
        var bundle = Train();
        using var scope = NewDisposeScope();
        using var __ = no_grad();
        var (autoencoder, unet, controlNet, scale) = Networks(bundle);
        var cases = TrainingCases.Load(Phantoms().Training, _config.Data, null, default);
        var partner = TrainingCase.MirrorPartners(_config.Data.Labels);
        TrainingCase[] all = [.. cases.SelectMany(c => new[] { c, c.Mirrored(_config.Data.Size, partner) })];
        var noise = all.Select((_, i) => PhiloxNoise.Normal([1, 4, 4, 4, 4], (ulong)(80 + i))).ToArray();
        for (var i = 0; i < all.Length; i++)
            File.WriteAllBytes(_folder[$"noise{i}"], MemoryMarshal.AsBytes(noise[i].data<float>().ToArray().AsSpan()).ToArray());
        var found = await Python(bundle);

        var objective = new DiffusionObjective(SchedulerFactory.Create(_config.NoiseScheduler));
        var conditions = new UNetConditions { ClassLabels = tensor(new[] { 1L }), Spacing = tensor(new[] { 1200f, 1200, 1200 }, [1, 3]) };
        for (var i = 0; i < all.Length; i++)
        {
            var labels = File.ReadAllBytes(_folder[$"label{i}"]);
            labels.Zip(all[i].Labels).Count(p => p.First != p.Second).ShouldBe(0, $"labels of {all[i].Id}");
            var (mean, _) = autoencoder.Encode(tensor(all[i].Image, [1, 1, 16, 16, 16]));
            var theirs = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(_folder[$"mean{i}"])).ToArray();
            var distance = theirs.Zip(mean.data<float>().ToArray(), (a, b) => Math.Abs(a - b)).Max();
            distance.ShouldBeLessThan(1e-4f, $"latent of {all[i].Id}");
            var batch = objective.At(mean * scale, noise[i], tensor(new[] { 200f + (150 * i) }));
            var planes = ConditionPlanes.Of(tensor(all[i].Labels, [1, 1, 16, 16, 16]));
            var (noisy, timesteps) = (batch.Noisy, batch.Timesteps);
            var (down, mid) = controlNet.call(noisy, timesteps, planes, new ControlNetConditions { ClassLabels = conditions.ClassLabels });
            var guided = conditions with { DownBlockAdditionalResiduals = down, MidBlockAdditionalResidual = mid };
            var (withMask, alone) = (Error(unet.call(noisy, timesteps, guided), batch), Error(unet.call(noisy, timesteps, conditions), batch));
            Math.Abs(withMask - alone).ShouldBeGreaterThan(1e-3); // or the ControlNet would not be seen
            found["controlnet"]![i]!.GetValue<double>().ShouldBe(withMask, 1e-4, $"ControlNet, {all[i].Id}");
            found["diffusion_unet"]![i]!.GetValue<double>().ShouldBe(alone, 1e-4, $"UNet, {all[i].Id}");
        }
        Parser(bundle, BundleTrainConfigs.Single, BundleTrainConfigs.Distributed).Items.Keys.Order(StringComparer.Ordinal)
            .ShouldBe(found["ids"]!.AsArray().Select(i => i!.GetValue<string>()).Order(StringComparer.Ordinal));
    }

    private static double Error(Tensor prediction, DiffusionBatch batch) => (prediction - batch.Target).abs().mean().ToDouble();

    private string Train()
    {
        var bundle = _folder["bundle"];
        new TrainingRun(_config with { HalfWeights = true }, bundle).Execute(TinyTraining.Cases(_config), []);
        return bundle;
    }

    // Patients on a finer grid than the bundle's, with codes that the config remaps and without the body's label. No voxel of the bundle's
    // grid lies half-way between two of theirs, where the last bit decides which is the nearest.
    private Datalist Phantoms()
    {
        var list = new JsonArray();
        var grid = new VolumeGrid(40, 42, 44, Affine.Diagonal(5.2, 5.1, 4.9, -90, -110, -120));
        for (var i = 1; i <= 2; i++)
        {
            var (labels, hounsfield) = new HeadPhantom((ulong)i).Render([40, 42, 44], [5.2, 5.1, 4.9]);
            var body = (byte)(i == 1 ? 8 : 0);
            short[] image = [.. hounsfield.Select(h => (short)h)];
            byte[] codes = [.. labels.Select(l => l == HeadPhantom.Body ? body : l)];
            VolumeFile.Write(Volume.FromArray<short>(image, grid), _folder[$"image{i}.nii.gz"]);
            VolumeFile.Write(Volume.FromArray<byte>(codes, grid), _folder[$"label{i}.nii.gz"]);
            list.Add(new JsonObject { ["image"] = $"image{i}.nii.gz", ["label"] = $"label{i}.nii.gz" });
        }
        File.WriteAllText(_folder["dataset.json"], new JsonObject { ["training"] = list }.ToJsonString());
        return Datalist.Read(_folder["dataset.json"], null);
    }

    // Four steps leave the outputs of both networks near zero, where nothing that goes in could be seen: they are drawn anew.
    private (AutoencoderKlMaisi, DiffusionModelUNetMaisi, ControlNetMaisi, double Scale) Networks(string bundle)
    {
        var models = Path.Combine(bundle, "models");
        var autoencoder = Load<AutoencoderKlMaisi>(_config.AutoencoderDef, Path.Combine(models, "autoencoder.pt"), null);
        var unet = Load<DiffusionModelUNetMaisi>(_config.DiffusionUnetDef, Path.Combine(models, "diff_unet_3d.pt"), "unet_state_dict");
        var controlNet = Load<ControlNetMaisi>(_config.ControlnetDef, Path.Combine(models, "controlnet_3d.pt"), "controlnet_state_dict");
        using var checkpoint = CheckpointFile.Open(Path.Combine(models, "diff_unet_3d.pt"));
        var scale = checkpoint.Number("scale_factor")!.Value;
        Draw(unet, name => name == "out.2.conv.weight").ShouldBe(1);
        Draw(controlNet, name => name.StartsWith("controlnet_down_blocks", StringComparison.Ordinal)).ShouldBeGreaterThan(3);
        TorchFile.SaveNetwork(Path.Combine(models, "controlnet_3d.pt"), controlNet, "controlnet_state_dict");
        var extra = new Dictionary<string, object?> { ["scale_factor"] = scale, ["num_train_timesteps"] = 1000L };
        TorchFile.SaveNetwork(Path.Combine(models, "diff_unet_3d.pt"), unet, "unet_state_dict", extra);
        return (autoencoder, unet, controlNet, scale);
    }

    private static int Draw(nn.Module network, Func<string, bool> wanted)
    {
        var found = network.named_parameters().Where(p => wanted(p.name)).ToList();
        foreach (var (name, parameter) in found)
            parameter.copy_(PhiloxNoise.Uniform(parameter.shape, (ulong)name.Length, 0.1));
        return found.Count;
    }

    private static T Load<T>(JsonObject definition, string path, string? key)
        where T : nn.Module
    {
        var network = NetworkFactory.Create<T>(definition);
        StateDictLoader.Load(network, path, key);
        network.eval();
        return network;
    }

    private async Task<JsonObject> Python(string bundle)
    {
        var python = Environment.GetEnvironmentVariable("MAISI_MONAI_PYTHON") ?? "python3";
        var start = new ProcessStartInfo(python, ["-c", Script, bundle, _folder.Path, _folder.Path])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder.Path,
            Environment = { ["PYTHONPATH"] = $"{Environment.GetEnvironmentVariable("MAISI_MONAI")}:{Path.Combine(TestPaths.Root, "python")}" },
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await error);
        return JsonNode.Parse((await output).Trim().Split('\n')[^1])!.AsObject();
    }

    private static ConfigParser Parser(string bundle, params string[] names)
    {
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = bundle });
        parser.ReadConfig(names.Select(n => $"configs/{n}"));
        return parser;
    }

    private static double[] Numbers(ConfigParser parser, string id) =>
        [.. ((IEnumerable<object?>)parser.GetParsedContent(id)!).Select(v => Convert.ToDouble(v, CultureInfo.InvariantCulture))];
}
