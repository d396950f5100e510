using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using Microsoft.Extensions.DependencyInjection;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>The pipelines with small real networks.</summary>
public sealed class SynthesisPipelineTests : IDisposable
{
    private readonly TemporaryFolder _temp = TestPaths.Temporary();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("rflow", 1, -1000, 1000)]
    [InlineData("rflow", 9, 0, short.MaxValue)]
    [InlineData("ddpm", 1, -1000, 1000)]
    public void Images_without_a_map_have_the_range_of_their_modality(string variant, int modality, short low, short high)
    {
        using var model = Open(variant, s => s["modality"] = modality);
        var pipeline = SynthesisPipelines.Create(PipelineKind.Image, model);
        var options = new GenerationOptions { BodyRegions = variant == "ddpm" ? ["chest", "abdomen"] : [] };
        var image = pipeline.Make(options, new SampleInput { RunSeed = 3 }).Image!;
        image.Shape.ShouldBe(TinyMaisi.Size);
        image.Spacing.ShouldBe(TinyMaisi.Spacing, 1e-6);
        image.Type.ShouldBe(VoxelType.Int16);
        var voxels = image.ToArray<short>();
        voxels.Min().ShouldBeGreaterThanOrEqualTo(low);
        voxels.Max().ShouldBeLessThanOrEqualTo(high);
        voxels.Distinct().Count().ShouldBeGreaterThan(100);
        pipeline.Make(options, new SampleInput { RunSeed = 3 }).Image!.ToArray<short>().ShouldBe(voxels);
        pipeline.Make(options, new SampleInput { RunSeed = 3, Index = 1 }).Image!.ToArray<short>().ShouldNotBe(voxels);
        // Upstream cuts decimals off, where the default rounds: never more than one apart.
        var cut = pipeline.Make(options with { Parity = true, Decode = DecodeMode.Exact }, new SampleInput { RunSeed = 3 }).Image!.ToArray<short>();
        cut.Zip(voxels, (a, b) => Math.Abs(a - b)).Max().ShouldBe(1);
        if (variant == "ddpm")
            pipeline.Make(options with { BodyRegions = ["head"] }, new SampleInput { RunSeed = 3 }).Image!.ToArray<short>().ShouldNotBe(voxels);
        else
            pipeline.Make(options with { GuidanceScale = 3 }, new SampleInput { RunSeed = 3 }).Image!.ToArray<short>().ShouldNotBe(voxels);
    }

    [Fact]
    public void A_label_map_follows_the_sizes_and_comes_on_the_wanted_grid()
    {
        using var model = Open("rflow");
        var pipeline = SynthesisPipelines.Create(PipelineKind.Mask, model);
        var given = pipeline.Make(new GenerationOptions { AnatomySizes = [new("liver", 0.7), new("lung tumor", 0.2)] }, new SampleInput());
        // The second patient is closest: |0.8 - 0.7| + |0.1 - 0.2|.
        given.AnatomyCondition!.ShouldBe([0.9, 0.7, 0.7, 0.6, 0.5, 0.2, -1, -1, -1, -1]);
        given.Labels!.Shape.ShouldBe([32, 32, 32]);
        given.Labels.Spacing.ShouldBe([1.5, 1.5, 1.5], 1e-9);
        var moved = pipeline.Make(
            new GenerationOptions { AnatomySizes = [new("liver", 0.7), new("lung tumor", 0.2)], Size = [48, 48, 16], Spacing = [1, 1, 3] }, new SampleInput()).Labels!;
        moved.Shape.ShouldBe([48, 48, 16]);
        moved.Spacing.ShouldBe([1, 1, 3], 1e-9);
        // Without sizes each sample has those of a patient.
        var conditions = Enumerable.Range(0, 6).Select(i => pipeline.Make(new GenerationOptions(), new SampleInput { RunSeed = 1, Index = i }).AnatomyCondition!).ToList();
        conditions.Select(c => c[0]).Distinct().Count().ShouldBeGreaterThan(1);
        conditions.ShouldAllBe(c => c[0] == 0.1 || c[0] == 0.9 || c[0] == 0.5);
    }

    [Fact]
    public void Pairs_out_of_a_database_use_masks_in_turn_and_are_checked()
    {
        var database = TinyMaisi.WriteDatabase(_temp["masks"], TinyMaisi.Trunk(1), TinyMaisi.Trunk(2), TinyMaisi.Trunk(3), TinyMaisi.Trunk(4, tumour: true), TinyMaisi.Trunk(5, [40, 40, 72]));
        using var model = Open("rflow");
        var pipeline = SynthesisPipelines.Create(PipelineKind.Paired, model);
        var options = new GenerationOptions { Anatomy = ["liver"], BodyRegions = ["chest"], MaskDatabase = database, Count = 3 };
        var samples = Enumerable.Range(0, 4).Select(i => pipeline.Make(options, new SampleInput { RunSeed = 5, Index = i })).ToList();
        // The three masks of that size and without a tumour first; the fourth sample takes any that is close.
        samples.Take(3).Select(s => s.Mask!.Path).Distinct().Count().ShouldBe(3);
        samples.ShouldAllBe(s => !s.Mask!.Path.EndsWith("mask3.nii.gz"));
        foreach (var sample in samples)
        {
            sample.Labels!.Shape.ShouldBe(TinyMaisi.Size);
            sample.Labels.CountLabels().ShouldContainKey(1);
            sample.Attempts.ShouldHaveSingleItem().Quality.ShouldBeNull();
            var (codes, values) = (sample.Labels.ToArray<short>(), sample.Image!.ToArray<short>());
            codes.Zip(values).Where(p => p.First == 0).ShouldAllBe(p => p.Second == -1000);
        }
        var tumour = pipeline.Make(options with { Anatomy = ["lung tumor"] }, new SampleInput { RunSeed = 5 });
        tumour.Mask!.Path.ShouldEndWith("mask3.nii.gz");
        tumour.Labels!.CountLabels().ShouldContainKey(23);
    }

    [Fact]
    public void A_failed_check_is_retried_with_other_masks_and_seeds_and_the_best_is_kept()
    {
        var database = TinyMaisi.WriteDatabase(_temp["masks"], TinyMaisi.Trunk(1), TinyMaisi.Trunk(2), TinyMaisi.Trunk(3));
        // No image can have a liver of 2000 HU, and every one has this lung.
        File.WriteAllText(_temp["real.json"], """
            {"liver": {"percentile_0_5": 1990, "percentile_99_5": 2010, "sigma_6_low": 1990, "sigma_6_high": 2010},
             "lung": {"percentile_0_5": -1000, "percentile_99_5": 1000, "sigma_6_low": -1000, "sigma_6_high": 1000}}
            """);
        using var model = Open("rflow");
        var pipeline = SynthesisPipelines.Create(PipelineKind.Paired, model);
        var options = new GenerationOptions { Anatomy = ["liver"], MaskDatabase = database, Count = 2, Statistics = _temp["real.json"], Retries = 2 };
        var sample = pipeline.Make(options, new SampleInput { RunSeed = 1 });
        sample.Attempts.Count.ShouldBe(3);
        sample.Attempts.Select(a => a.Mask).Distinct().Count().ShouldBe(3);
        sample.Attempts.Select(a => a.Seed).Distinct().Count().ShouldBe(3);
        sample.Attempts.ShouldAllBe(a => a.Passed == false && a.Quality!.Count == 2 && a.Quality.Count(o => o.IsOutlier) == 1);
        var best = sample.Attempts.Single(a => a.Kept);
        best.Quality!.Single(o => o.Organ == "liver").Median.ShouldBe(sample.Attempts.Max(a => a.Quality!.Single(o => o.Organ == "liver").Median));
        best.Mask.ShouldBe(Path.GetFileName(sample.Mask!.Path));
        pipeline.Make(options with { Retries = 0 }, new SampleInput { RunSeed = 1 }).Attempts.ShouldHaveSingleItem().Kept.ShouldBeTrue();

        // Upstream goes through one list: with two samples wanted of three masks it may drop one image, then keeps what comes.
        var parity = options with { Parity = true };
        var first = pipeline.Make(parity, new SampleInput { RunSeed = 1 });
        first.Attempts.Select(a => a.Kept).ShouldBe([false, true]);
        var second = pipeline.Make(parity, new SampleInput { RunSeed = 1, Index = 1, UsedCandidates = 2 });
        second.Attempts.Select(a => a.Kept).ShouldBe([true]);
        second.Mask!.Path.ShouldNotBe(first.Mask!.Path);
        first.Image!.Type.ShouldBe(VoxelType.Float32);
    }

    [Fact]
    public void A_pair_with_a_synthesised_map_has_the_image_of_that_map()
    {
        using var model = Open("rflow", s => s["output_size"] = new JsonArray(32, 32, 32));
        var pipeline = SynthesisPipelines.Create(PipelineKind.Paired, model);
        var pair = pipeline.Make(new GenerationOptions { SynthesizeMask = true, Spacing = [1.5, 1.5, 1.5], Size = [32, 32, 32] }, new SampleInput { RunSeed = 2 });
        var alone = SynthesisPipelines.Create(PipelineKind.Mask, model).Make(new GenerationOptions(), new SampleInput { RunSeed = 2 });
        pair.Labels!.ToArray<short>().ShouldBe(alone.Labels!.ToArray<short>());
        pair.AnatomyCondition.ShouldBe(alone.AnatomyCondition);
        pair.Image!.Shape.ShouldBe([32, 32, 32]);
        pair.Image.ToArray<short>().Distinct().Count().ShouldBeGreaterThan(50);
    }

    [Fact]
    public void A_container_hands_out_pipelines_by_their_kind()
    {
        var path = TinyMaisi.Write(_temp["bundle"], "rflow");
        using var provider = new ServiceCollection().AddMaisiModel(path).BuildServiceProvider();
        foreach (var kind in Enum.GetValues<PipelineKind>())
            provider.GetRequiredKeyedService<ISynthesisPipeline>(kind).Kind.ShouldBe(kind);
        using var scope = NewDisposeScope();
        var mask = TinyMaisi.Trunk(1);
        var made = provider.GetRequiredKeyedService<ISynthesisPipeline>(PipelineKind.FromMask).Make(new GenerationOptions(), new SampleInput { Mask = mask });
        made.Image!.Grid.Matches(mask.Grid).ShouldBeTrue();
        made.Seconds.Denoise.ShouldBeGreaterThan(0);
    }

    private ModelBundle Open(string variant, Action<JsonObject>? change = null)
    {
        var path = TinyMaisi.Write(_temp["bundle"], variant, change);
        return ModelBundle.Open(path, BundleSettings.Read(path));
    }
}
