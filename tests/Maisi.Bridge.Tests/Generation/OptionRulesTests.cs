using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>What is refused before any work, and what --force lets pass.</summary>
public sealed class OptionRulesTests(OptionRulesTests.Bundles bundles) : IClassFixture<OptionRulesTests.Bundles>, IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    /// <summary>Bundles that are written once.</summary>
    public sealed class Bundles : IDisposable
    {
        private readonly TemporaryFolder _folder = TestPaths.Temporary();
        private readonly Dictionary<string, string> _written = [];

        public string this[string variant] => _written.TryGetValue(variant, out var path) ? path : _written[variant] = TinyMaisi.Write(_folder[variant], variant);

        public void Dispose() => _folder.Dispose();
    }

    public void Dispose() => _temp.Dispose();

    public static TheoryData<string, GenerationOptions, string> Wrong() => new()
    {
        { "rflow", new() { Kind = PipelineKind.Image, Modality = 9 }, "trained on 1" },
        { "rflow", new() { Kind = PipelineKind.Image, BodyRegions = ["chest"] }, "takes no body region" },
        { "ddpm", new() { Kind = PipelineKind.Image }, "must be told the body regions" },
        { "ddpm", new() { Kind = PipelineKind.Image, BodyRegions = ["knee"] }, "trained on head, chest" },
        { "ddpm", new() { Kind = PipelineKind.Image, BodyRegions = ["head"], Steps = 3 }, "all of its 4 steps" },
        { "rflow", new() { Kind = PipelineKind.Image, Size = [32, 33, 32], Spacing = [1, 1, 1] }, "not divisible by 32" },
        { "rflow", new() { Kind = PipelineKind.Image, Size = [32, 32], Spacing = [1, 1, 1] }, "three numbers" },
        { "rflow", new() { Kind = PipelineKind.Image, Spacing = [1, 0, 1] }, "three positive numbers" },
        { "rflow", new() { Kind = PipelineKind.Image, Anatomy = ["liver"] }, "only where label maps" },
        { "rflow", new() { Kind = PipelineKind.Image, Steps = 0 }, "1 to 1000" },
        { "rflow", new() { Kind = PipelineKind.Image, GuidanceScale = -1 }, "0 or more" },
        { "rflow", new() { Kind = PipelineKind.Image, Count = 0 }, "At least one" },
        { "rflow", new() { Kind = PipelineKind.Mask, AnatomySizes = [new("spleen", 0.5)] }, "controllable_anatomy have to be chosen" },
        { "rflow", new() { Kind = PipelineKind.Mask, AnatomySizes = [new("lung tumor", 0.5), new("bone lesion", 0.5)] }, "Only one controllable tumor" },
        { "rflow", new() { Kind = PipelineKind.Mask, Size = [64, 64, 64] }, "belong together" },
        { "rflow", new() { Kind = PipelineKind.Paired, Anatomy = ["knee"] }, "'knee' is not a label" },
        { "rflow", new() { Kind = PipelineKind.Paired, CompactLabels = true }, "none is named" },
        { "rflow", new() { Kind = PipelineKind.Paired, Anatomy = ["liver"] }, "no database" },
        { "rflow", new() { Kind = PipelineKind.Paired, Retries = -1 }, "retries" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Wrong_requests_are_refused_before_any_work(string variant, GenerationOptions options, string expected)
    {
        using var model = Open(variant);
        var e = Should.Throw<MaisiException>(() => SynthesisPipelines.Create(options.Kind, model).Resolve(options));
        e.Message.ShouldContain(expected);
        e.Message.ShouldNotContain("\n");
    }

    [Fact]
    public void Force_goes_on_where_upstream_only_warns()
    {
        using var ddpm = Open("ddpm");
        SynthesisPipelines.Create(PipelineKind.Image, ddpm).Resolve(new GenerationOptions { BodyRegions = ["head"], Steps = 3, Force = true }).Steps.ShouldBe(3);
        using var rflow = Open("rflow");
        SynthesisPipelines.Create(PipelineKind.Image, rflow).Resolve(new GenerationOptions { Modality = 9, Force = true }).Modality.ShouldBe(9);
    }

    [Fact]
    public void A_bundle_with_MAISIs_networks_has_MAISIs_rules()
    {
        using var model = Open("rflow", s =>
        {
            s.Remove("label_dict");
            File.Copy(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow", "configs", "label_dict.json"), _temp["labels.json"], overwrite: true);
            s["label_dict_json"] = _temp["labels.json"];
        });
        model.Settings.HasMaisiRules.ShouldBeTrue();
        model.Settings.HasMaisiLabels.ShouldBeTrue();
        var pipeline = SynthesisPipelines.Create(PipelineKind.Image, model);
        Should.Throw<MaisiException>(() => pipeline.Resolve(new GenerationOptions())).Message.ShouldContain("have to be chosen from [256, 384, 512]");
        Should.Throw<MaisiException>(() => pipeline.Resolve(new GenerationOptions { Size = [256, 256, 128], Spacing = [0.9, 0.9, 1] })).Message.ShouldContain("field of view");
        pipeline.Resolve(new GenerationOptions { Size = [256, 256, 128], Spacing = [1.5, 1.5, 1] }).Steps.ShouldBe(2);
    }

    [Fact]
    public void The_shipped_configs_are_read_with_their_references_and_expressions()
    {
        var ct = BundleSettings.Read(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow"));
        ct.TrainedControlnetPath.ShouldBe("models/controlnet_3d_rflow-ct.pt");
        ct.DiffusionUnetDef["in_channels"]!.GetValue<int>().ShouldBe(4);
        ct.MaskGenerationAutoencoderDef!["out_channels"]!.GetValue<int>().ShouldBe(125);
        ct.LabelDict["lung tumor"].ShouldBe(23);
        (ct.HasMaisiRules, ct.HasMaisiLabels, ct.TakesRegions).ShouldBe((true, true, false));
        var ddpm = BundleSettings.Read(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_ddpm"));
        (ddpm.TakesRegions, ddpm.NumInferenceSteps).ShouldBe((true, 1000));
        var brain = BundleSettings.Read(Path.Combine(TestPaths.Root, "bundles", "maisi_mr_brain_rflow"));
        brain.TrainedControlnetPath.ShouldBeEmpty();
        brain.Modality.ShouldBe(9);
        using var model = ModelBundle.Open("nowhere", brain);
        Should.Throw<MaisiException>(() => SynthesisPipelines.Create(PipelineKind.FromMask, model).Resolve(new GenerationOptions())).Message.ShouldContain("no ControlNet");
        Should.Throw<MaisiException>(() => SynthesisPipelines.Create(PipelineKind.Mask, model).Resolve(new GenerationOptions())).Message.ShouldContain("no mask model");
        Should.Throw<MaisiException>(() => SynthesisPipelines.Create(PipelineKind.Image, model).Resolve(new GenerationOptions())).Message.ShouldContain("checkpoint is missing");
    }

    private ModelBundle Open(string variant, Action<JsonObject>? change = null)
    {
        var path = change is null ? bundles[variant] : TinyMaisi.Write(_temp["bundle"], variant, change);
        return ModelBundle.Open(path, BundleSettings.Read(path));
    }
}
