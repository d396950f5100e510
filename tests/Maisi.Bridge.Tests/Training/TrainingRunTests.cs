using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;
using TorchSharp;

namespace Maisi.Bridge.Tests.Training;

public sealed class TrainingRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("maisi-train-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("autoencoder", 1)]
    [InlineData("autoencoder-whole", 1)]
    [InlineData("diffusion-unet", 2)]
    [InlineData("controlnet", 3)]
    [InlineData("mask-autoencoder", 2)]
    [InlineData("mask-diffusion", 1)]
    public void An_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(string stage, int step)
    {
        var config = stage.StartsWith("mask", StringComparison.Ordinal) ? TinyTraining.WithMasks() : TinyTraining.Config();
        var cases = TinyTraining.Cases(config);
        var straight = Path.Combine(_folder, "straight");
        var reference = new TrainingRun(config, straight).Execute(cases, []);

        var broken = Path.Combine(_folder, "broken");
        using var stop = new CancellationTokenSource();
        var progress = new Inline(p =>
        {
            if (p.Stage == stage && p.Done == step)
                stop.Cancel();
        });
        Should.Throw<OperationCanceledException>(() => new TrainingRun(config, broken).Execute(cases, [], progress, stop.Token));
        Directory.Exists(broken).ShouldBeFalse();
        // What a run that is killed while it writes the bundle leaves.
        File.WriteAllText(Directory.CreateDirectory(Path.Combine(broken + ".training", "bundle")).FullName + "/left.txt", "of a killed run");

        var seen = new List<(string Stage, long Done)>();
        var report = new TrainingRun(config, broken, resume: true).Execute(cases, [], new Inline(p => seen.Add((p.Stage, p.Done))));
        seen.ShouldNotContain(p => p.Stage == stage && p.Done <= step);
        var last = config.MaskModel is null ? "controlnet" : "mask-diffusion";
        seen.ShouldContain(p => p.Stage == last);
        report.Stages.Select(s => s.Losses).ShouldBe(reference.Stages.Select(s => s.Losses), new SequenceComparer());
        foreach (var file in Directory.EnumerateFiles(Path.Combine(straight, "models")))
            Weights(Path.Combine(broken, "models", Path.GetFileName(file))).ShouldBe(Weights(file), Path.GetFileName(file));
        Directory.GetDirectories(_folder).Select(Path.GetFileName).Order().ShouldBe(["broken", "straight"]);
        File.Exists(Path.Combine(broken, "left.txt")).ShouldBeFalse();
    }

    [Fact]
    public void A_bundle_with_a_mask_model_makes_label_maps_and_their_images()
    {
        var config = TinyTraining.WithMasks(autoencoderSteps: 120);
        var cases = TinyTraining.Cases(config);
        var bundle = Path.Combine(_folder, "bundle");
        var report = new TrainingRun(config, bundle).Execute(cases, []);
        report.Stages.Select(s => s.Name).ShouldBe(["autoencoder", "autoencoder-whole", "diffusion-unet", "controlnet", "mask-autoencoder", "mask-diffusion"]);
        // Cross-entropy of nine classes starts near ln 9 and falls.
        report.Stages[4].Losses[0].ShouldBeInRange(1, 3);
        report.Stages[4].Losses[^1].ShouldBeLessThan(0.5);
        File.ReadAllText(Path.Combine(bundle, "docs", "training_subjects.json")).ShouldContain("\"head 1\"");

        var settings = BundleSettings.Read(bundle);
        settings.MaskGenerationLatentShape.ShouldBe([4, 4, 4, 4]);
        using var model = ModelBundle.Load(bundle, settings);
        // The autoencoder gives back the label maps that it has learned.
        var classes = MaskModelTrainer.Classes(config.Data);
        classes["body"].ShouldBe((8, 200));
        using var scope = torch.NewDisposeScope();
        using var _ = torch.no_grad();
        var seen = cases[0].Labels.Select(code => (long)classes.Values.First(c => c.Code == code).Class).ToArray();
        var planes = ConditionPlanes.Of(torch.tensor(seen, [1, 1, 16, 16, 16]));
        var found = model.MaskModel.Autoencoder.Decode(model.MaskModel.Autoencoder.Encode(planes).Mu).argmax(1).data<long>().ToArray();
        found.Zip(seen).Count(p => p.First == p.Second).ShouldBeGreaterThan(seen.Length * 9 / 10);

        var options = new GenerationOptions { Kind = PipelineKind.Paired, SynthesizeMask = true };
        var pair = SynthesisPipelines.Create(PipelineKind.Paired, model).Make(options, new SampleInput { RunSeed = 3 });
        pair.Image!.Shape.ShouldBe([16, 16, 16]);
        pair.Labels!.CountLabels().Keys.ShouldBeSubsetOf([0, .. config.Data.Labels.Values]);
        var again = SynthesisPipelines.Create(PipelineKind.Mask, model).Make(options with { Kind = PipelineKind.Mask, SynthesizeMask = false }, new SampleInput { RunSeed = 3 });
        again.Labels!.ToArray<int>().ShouldBe(pair.Labels!.ToArray<int>());

        // Sizes of the bundle's own labels steer it, under their names, and nothing else does.
        settings.AnatomySizeNames.ShouldBe(["brainstem", "spinal cord", "right parotid", "left parotid", "esophagus", "larynx", "mandible"]);
        AnatomySizeConditions.Load(Path.Combine(bundle, settings.AllAnatomySizeCondtionsJson!), 7).Select(p => p[0]).Order().ShouldBe([0.25, 0.75]);
        var sized = SynthesisPipelines.Create(PipelineKind.Mask, model).Make(options with { Kind = PipelineKind.Mask, SynthesizeMask = false, AnatomySizes = [new("larynx", 1)] }, new SampleInput { RunSeed = 3 });
        sized.AnatomyCondition![5].ShouldBe(1);
        var error = Should.Throw<MaisiException>(() => SynthesisPipelines.Create(PipelineKind.Mask, model)
            .Make(options with { Kind = PipelineKind.Mask, SynthesizeMask = false, AnatomySizes = [new("liver", 1)] }, new SampleInput { RunSeed = 3 }));
        error.Message.ShouldBe("The size of 'liver' cannot be chosen in this bundle.");
        error.Hint!.ShouldContain("larynx");

        var page = File.ReadAllText(Path.Combine(bundle, "docs", "training.html"));
        page.ShouldContain("generated under the label map of head 1");
        page.ShouldContain("generated of noise alone");
    }

    [Fact]
    public void A_mask_UNet_of_another_width_than_its_sizes_is_refused_before_it_is_trained()
    {
        var config = TinyTraining.WithMasks();
        config.MaskModel!.SizeLabels = ["larynx", "mandible"];
        var error = Should.Throw<MaisiException>(() => new TrainingRun(config, Path.Combine(_folder, "out")).Execute(TinyTraining.Cases(config), []));
        error.Message.ShouldContain("takes 7 numbers, but 2 sizes");
        error.Where.ShouldBe("mask_model.diffusion_def");
    }

    [Fact]
    public void A_bundle_of_enough_cases_names_their_hounsfield_units()
    {
        var config = TinyTraining.Config();
        var cases = TinyTraining.Cases(config);
        var bundle = Path.Combine(_folder, "bundle");
        new TrainingRun(config, bundle).Execute([.. Enumerable.Range(0, 20).Select(i => cases[i % 2] with { Id = $"{i}" })], []);
        var settings = BundleSettings.Read(bundle);
        var statistics = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(bundle, settings.RealImgMedianStatisticsFile!)))!;
        statistics["mandible"]!["cases"]!.GetValue<int>().ShouldBe(20);
        statistics["mandible"]!["labels"]![0]!.GetValue<int>().ShouldBe(7);
        var grid = new VolumeGrid(16, 16, 16, Affine.Diagonal(12, 12, 12));
        var medians = cases.Select(c => QualityCheck.Medians(
            Volume.FromArray<float>([.. c.Image.Select(v => (v * 2000) - 1000)], grid), Volume.FromArray<byte>(c.Labels, grid), StatisticsBuilder.OrgansOf(settings))["mandible"]).ToArray();
        statistics["mandible"]!["median"]!.GetValue<double>().ShouldBe(medians.Average(), 0.01);
        statistics.AsObject().ContainsKey("body").ShouldBeFalse();
    }

    [Fact]
    public void A_mask_model_with_too_few_classes_is_refused_before_it_is_trained()
    {
        var config = TinyTraining.WithMasks();
        config.MaskModel!.AutoencoderDef["out_channels"] = 5;
        var error = Should.Throw<MaisiException>(() => new TrainingRun(config, Path.Combine(_folder, "out")).Execute(TinyTraining.Cases(config), []));
        error.Message.ShouldContain("9 classes");
        error.Where.ShouldBe("mask_model.autoencoder_def");
    }

    [Fact]
    public void An_unfinished_training_is_neither_overwritten_nor_mixed_with_another()
    {
        var config = TinyTraining.Config();
        var cases = TinyTraining.Cases(config);
        var output = Path.Combine(_folder, "out");
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => new TrainingRun(config, output).Execute(cases, [], new Inline(_ => stop.Cancel()), stop.Token));

        var refused = Should.Throw<MaisiException>(() => new TrainingRun(config, output).Execute(cases, []));
        refused.Message.ShouldContain("unfinished");
        refused.Hint!.ShouldContain("--resume");
        Should.Throw<MaisiException>(() => new TrainingRun(config with { Seed = 9 }, output, resume: true).Execute(cases, [])).Message.ShouldContain("another config");
        Should.Throw<MaisiException>(() => new TrainingRun(config, output, resume: true).Execute([cases[0], cases[0]], [])).Message.ShouldContain("other data");
        File.Exists(Path.Combine(output + ".training", "autoencoder.safetensors")).ShouldBeTrue();
    }

    private static Dictionary<string, string> Weights(string path)
    {
        using var file = CheckpointFile.Open(path);
        return file.Flatten().ToDictionary(t => t.Key, t =>
        {
            using var tensor = t.Value.ToTensor();
            return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(tensor.bytes));
        });
    }

    private sealed class Inline(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }

    private sealed class SequenceComparer : IEqualityComparer<IReadOnlyList<double>>
    {
        public bool Equals(IReadOnlyList<double>? x, IReadOnlyList<double>? y) => x!.SequenceEqual(y!);

        public int GetHashCode(IReadOnlyList<double> values) => values.Count;
    }
}
