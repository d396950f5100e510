using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Tests.Bundles;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>The shipped train configs, run from start to end with small networks on drawn heads.</summary>
public sealed class BundleTrainerTests
{
    private static readonly int[] Size = [32, 32, 32];

    [Theory]
    [InlineData("maisi_ct_rflow", "rflow")]
    [InlineData("maisi_ct_ddpm", "ddpm")]
    public void The_three_train_configs_run_one_after_the_other(string bundle, string kind)
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        var regions = kind == "ddpm";
        Data(folder, regions);
        var output = new StringWriter();
        Run(bundle, "train_autoencoder.json", folder, output, new()
        {
            ["autoencoder_def"] = Definition("vae_maisi"),
            ["discriminator_def"] = TinyBundle.Value(JsonNode.Parse(Discriminator)),
            ["finetune"] = false,
            ["autoencoder_train#patch_size"] = new ListValue([16L, 16L, 16L]),
            ["autoencoder_train#val_sliding_window_patch_size"] = new ListValue([32L, 16L, 32L]),
            ["autoencoder_train#n_epochs"] = 2L,
            ["autoencoder_train#val_interval"] = 1L,
            ["autoencoder_train#lr"] = 0.01,
        });
        output.ToString().ShouldContain("perceptual loss: left out");
        output.ToString().ShouldContain("best so far: autoencoder_epoch1.pt");
        var autoencoder = NetworkFactory.Create<AutoencoderKlMaisi>(TinyBundle.Definitions("vae_maisi")["config"]!.AsObject());
        StateDictLoader.Load(autoencoder, folder["models/autoencoder.pt"]);
        StateDictLoader.Load(NetworkFactory.Create<PatchDiscriminator>(JsonNode.Parse(Discriminator)!.AsObject()), folder["models/discriminator.pt"]);
        var log = TrainingLog.Read(folder["models/autoencoder_log/training.csv"]);
        log.Where(e => e.Name == "discriminator").Select(e => e.Step).ShouldBe([1, 2, 3, 4, 5, 6]);
        log.Select(e => e.Name).Distinct().ShouldBe(
            ["reconstruction", "kl", "adversarial", "loss", "discriminator", "learning_rate", "latent_scale", "validation"], ignoreOrder: true);
        File.ReadAllText(folder["models/autoencoder_log/training.html"]).ShouldContain("reconstructed");

        output.GetStringBuilder().Clear();
        Dictionary<string, object?> networks = new()
        {
            ["diffusion_unet_def"] = Definition($"unet_{kind}"),
            ["noise_scheduler"] = TinyBundle.Value(TinyBundle.Definitions($"pipeline_image_{kind}")["noise_scheduler"]),
            ["existing_ckpt_filepath"] = null,
        };
        Run(bundle, "train_diffusion.json", folder, output, new(networks)
        {
            ["autoencoder_def"] = Definition("vae_maisi"),
            ["trained_autoencoder_path"] = "models/autoencoder.pt",
            ["embedding_base_dir"] = "embeddings",
            ["diffusion_unet_train#n_epochs"] = 2L,
            ["diffusion_unet_train#batch_size"] = 2L,
            ["diffusion_unet_train#dim_multiple"] = 32L,
        });
        output.ToString().ShouldContain("latents: 3 written, 0 there already, 0 failed");
        var latent = VolumeFile.Read(folder["embeddings/case1_emb.nii.gz"]);
        latent.Shape.ShouldBe([8, 8, 8, 4]);
        latent.Spacing.ShouldBe([6.0 * 30 / 32, 6.0 * 30 / 32, 6.0 * 30 / 32], 1e-4);
        using (var file = CheckpointFile.Open(folder[$"models/diff_unet_3d_{kind}-ct.pt"]))
        {
            file.Number("epoch").ShouldBe(2);
            file.Number("num_train_timesteps").ShouldBe(regions ? 4 : 1000);
            file.Number("scale_factor")!.Value.ShouldBeInRange(0.05, 50);
            file.Number("loss")!.Value.ShouldBeInRange(0.1, 3);
            StateDictLoader.Load(NetworkFactory.Create<DiffusionModelUNetMaisi>(TinyBundle.Definitions($"unet_{kind}")["config"]!.AsObject()), file.StateDict("unet_state_dict"), "");
        }

        output.GetStringBuilder().Clear();
        Run(bundle, "train_controlnet.json", folder, output, new(networks)
        {
            ["controlnet_def"] = Definition($"controlnet_{kind}"),
            ["data_base_dir"] = ".",
            ["json_data_list"] = "controlnet.json",
            ["trained_diffusion_path"] = $"models/diff_unet_3d_{kind}-ct.pt",
            ["controlnet_train#n_epochs"] = 2L,
            ["exp_name"] = "tiny",
        });
        output.ToString().ShouldContain("best so far: tiny_best.pt");
        using (var file = CheckpointFile.Open(folder["models/tiny_current.pt"]))
            StateDictLoader.Load(NetworkFactory.Create<ControlNetMaisi>(TinyBundle.Definitions($"controlnet_{kind}")["config"]!.AsObject()), file.StateDict("controlnet_state_dict"), "");
        var steps = TrainingLog.Read(folder["models/controlnet_log/training.csv"]);
        steps.Where(e => e.Name == "loss").Select(e => e.Step).ShouldBe([1, 2, 3, 4]); // one of the three cases is in the fold that is held back
        steps.Any(e => e.Name == "region_contrast").ShouldBe(kind == "rflow");
        File.ReadAllText(folder["models/diffusion_unet_log/training.html"]).ShouldContain($"sampled of noise alone, {(regions ? 4 : 30)} steps");
        File.ReadAllText(folder["models/controlnet_log/training.html"]).ShouldContain($"sampled under its label map, {(regions ? 4 : 30)} steps, first channel of the latent");
        Directory.GetDirectories(folder["models"]).Select(Path.GetFileName).Order().ShouldBe(["autoencoder_log", "controlnet_log", "diffusion_unet_log"]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void An_interrupted_adversarial_training_ends_with_the_same_weights(int lines)
    {
        using var folder = TestPaths.Temporary();
        Data(folder, regions: false);
        Train("straight", resume: false, stopAfter: null);
        Should.Throw<OperationCanceledException>(() => Train("broken", resume: false, stopAfter: lines));
        Should.Throw<MaisiException>(() => Train("broken", resume: false, stopAfter: null)).Message.ShouldContain("unfinished");
        Train("broken", resume: true, stopAfter: null);
        foreach (var name in new[] { "autoencoder.pt", "discriminator.pt" })
            Bytes(folder[$"broken/{name}"]).ShouldBe(Bytes(folder[$"straight/{name}"]), name);
        TrainingLog.Read(folder["broken/autoencoder_log/training.csv"]).ShouldBe(TrainingLog.Read(folder["straight/autoencoder_log/training.csv"]));

        void Train(string models, bool resume, int? stopAfter)
        {
            using var stop = new CancellationTokenSource();
            using var scope = NewDisposeScope();
            var section = new AutoencoderTrainSection { PatchSize = [16, 16, 16], NEpochs = 3, ValInterval = 1, Lr = 0.01, Resume = resume, Cache = 0.5, EmaDecay = 0.9, Accumulate = 2 };
            var host = new TrainerHost(folder[models], CPU, 11, new CountingWriter(stopAfter, stop.Cancel)) { Cancellation = stop.Token };
            var records = TrainingRecord.Read(folder["dataset.json"], folder.Path, "training");
            new BundleAutoencoderTrainer(
                NetworkFactory.Create<AutoencoderKlMaisi>(TinyBundle.Definitions("vae_maisi")["config"]!.AsObject()),
                NetworkFactory.Create<PatchDiscriminator>(JsonNode.Parse(Discriminator)!.AsObject()),
                records, [.. records.Take(1)], "ct", null, section, new AugmentationSection { SpacingType = "rand_zoom" }, host).Run();
        }
    }

    [Fact]
    public void Unknown_keys_missing_weights_and_wrong_sizes_are_explained()
    {
        using var folder = TestPaths.Temporary();
        Data(folder, regions: false);
        Dictionary<string, object?> small = new()
        {
            ["autoencoder_def"] = Definition("vae_maisi"),
            ["discriminator_def"] = TinyBundle.Value(JsonNode.Parse(Discriminator)),
        };
        string Error(Dictionary<string, object?> more) => Flat(Should.Throw<MaisiException>(() =>
            Run("maisi_ct_rflow", "train_autoencoder.json", folder, TextWriter.Null, new(small.Concat(more)))));
        Error(new() { ["autoencoder_train#batchsize"] = 2L }).ShouldContain("batchsize");
        Error(new() { ["autoencoder_train#patch_size"] = new ListValue([16L, 16L, 17L]) }).ShouldContain("multiples of 4");
        Error([]).ShouldContain("autoencoder_v1.pt");
        Error(new() { ["finetune"] = false, ["autoencoder_train#precision"] = "fp16" }).ShouldContain("needs CUDA");
        Directory.Exists(folder["models"]).ShouldBeFalse();

        static string Flat(Exception? e) => e is null ? "" : $"{e.Message} {(e as MaisiException)?.Where} {(e as MaisiException)?.Hint} {Flat(e.InnerException)}";
    }

    private const string Discriminator = """
        {"_target_": "monai.networks.nets.patchgan_discriminator.PatchDiscriminator", "spatial_dims": 3, "num_layers_d": 1, "channels": 4,
         "in_channels": 1, "out_channels": 1, "norm": "INSTANCE"}
        """;

    private static object? Definition(string golden) => TinyBundle.Value(TinyBundle.Definitions(golden)["config"]);

    private static void Run(string bundle, string config, TemporaryFolder folder, TextWriter output, Dictionary<string, object?> overrides)
    {
        overrides.TryAdd("model_dir", "models");
        overrides.TryAdd("data_base_dir", ".");
        overrides.TryAdd("json_data_list", "dataset.json");
        if (overrides.ContainsKey("noise_scheduler"))
            overrides["modality_mapping"] = new DictValue([KeyValuePair.Create((object?)"ct", (object?)1L)]);
        overrides["device"] = "$torch.device('cpu')";
        new BundleWorkflow(
            new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path, Output = output },
            [TinyBundle.Config(bundle, config)], [], overrides).Run();
    }

    /// <summary>Three drawn heads of 30³ voxels, the datalist of the images, and one of latents and label maps.</summary>
    private static void Data(TemporaryFolder folder, bool regions)
    {
        JsonArray images = [], latents = [];
        for (var i = 1; i <= 3; i++)
        {
            var (_, hounsfield) = new HeadPhantom((ulong)i).Render([30, 30, 30], [6, 6, 6]);
            // Volumes keep x fastest, drawn heads z.
            var grid = new VolumeGrid(30, 30, 30, Affine.Diagonal(6, 6, 6));
            VolumeFile.Write(new VolumeTensor(tensor(hounsfield.Select(h => (float)h).ToArray(), [1, 30, 30, 30]), grid.Affine).ToVolume(), folder[$"case{i}.nii.gz"]);
            var (labels, _) = new HeadPhantom((ulong)i).Render(Size, [6, 6, 6]);
            var codes = labels.Select((l, at) => l == HeadPhantom.Brainstem || at % 37 == 0 ? 23 : l == 0 ? 0 : 28).ToArray();
            VolumeFile.Write(new VolumeTensor(tensor(codes, [1, 32, 32, 32]), grid.Affine).ToVolume().ConvertTo<short>(), folder[$"label{i}.nii.gz"]);
            var image = new JsonObject { ["image"] = $"case{i}.nii.gz", ["modality"] = "ct" };
            var latent = new JsonObject
            {
                ["image"] = $"embeddings/case{i}_emb.nii.gz", ["label"] = $"label{i}.nii.gz", ["fold"] = i - 1, ["spacing"] = new JsonArray(1.5, 1.5, 1.5), ["modality"] = "ct",
            };
            foreach (var record in regions ? new[] { image, latent } : [])
                (record["top_region_index"], record["bottom_region_index"]) = (new JsonArray(1, 0, 0, 0), new JsonArray(0, 1, 0, 0));
            images.Add((JsonNode)image);
            latents.Add((JsonNode)latent);
        }
        File.WriteAllText(folder["dataset.json"], new JsonObject { ["training"] = images, ["validation"] = new JsonArray(images[0]!.DeepClone()) }.ToJsonString());
        File.WriteAllText(folder["controlnet.json"], new JsonObject { ["training"] = latents }.ToJsonString());
    }

    private static byte[] Bytes(string path)
    {
        using var file = CheckpointFile.Open(path);
        return [.. file.Flatten().OrderBy(t => t.Key, StringComparer.Ordinal).SelectMany(t =>
        {
            using var tensor = t.Value.ToTensor();
            return tensor.bytes.ToArray();
        })];
    }

    private sealed class CountingWriter(int? stopAfter, Action stop) : StringWriter
    {
        private int _lines;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (++_lines == stopAfter)
                stop();
        }
    }
}
