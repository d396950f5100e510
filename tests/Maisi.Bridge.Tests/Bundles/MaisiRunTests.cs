using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>The shipped inference configs, in the shape of NVIDIA's own, run from start to end with the small golden networks.</summary>
public sealed class MaisiRunTests
{
    [Theory]
    [InlineData("maisi_ct_rflow", "rflow", 2)]
    [InlineData("maisi_ct_ddpm", "ddpm", 4)]
    public void The_inference_config_samples_an_image_of_a_mask(string bundle, string kind, int steps)
    {
        using var folder = TestPaths.Temporary();
        var overrides = TinyBundle.Prepare(folder, kind, steps);
        var log = new StringWriter();
        var first = Run(bundle, folder, overrides, log);
        var (image, label) = (VolumeFile.Read(first[0]), VolumeFile.Read(first[1]));
        var mask = Varied(folder);
        image.Shape.ShouldBe(TinyBundle.Size);
        image.Spacing.ShouldBe(TinyBundle.Spacing, 1e-6);
        var (voxels, codes, saved) = (image.ToFloats(), mask.ToArray<int>(), label.ToArray<int>());
        voxels.Min().ShouldBe(-1000f);
        voxels.Max().ShouldBeLessThanOrEqualTo(1000f);
        for (var i = 0; i < voxels.Length; i++)
        {
            saved[i].ShouldBe(codes[i] == 1 ? 1 : 0);
            if (codes[i] == 0)
                voxels[i].ShouldBe(-1000f);
        }
        voxels.Where((_, i) => codes[i] != 0).Distinct().Count().ShouldBeGreaterThan(1000);
        log.ToString().ShouldContain("saved");
        // The same seed gives the same image, another one another.
        VolumeFile.Read(Run(bundle, folder, overrides, log)[0]).ToFloats().ShouldBe(voxels);
        overrides["random_seed"] = 8L;
        VolumeFile.Read(Run(bundle, folder, overrides, log)[0]).ToFloats().ShouldNotBe(voxels);
    }

    [Fact]
    public void The_networks_see_the_mask_with_its_axes_in_order()
    {
        using var scope = torch.NewDisposeScope();
        using var folder = TestPaths.Temporary();
        var overrides = TinyBundle.Prepare(folder, "rflow", 2);
        var image = VolumeFile.Read(Run("maisi_ct_rflow", folder, overrides, TextWriter.Null)[0]);
        using var golden = new Golden("pipeline_image_rflow");
        var networks = TinyMaisi.ImageNetworks(golden, "rflow", weaken: false);
        var mask = Varied(folder);
        var same = new ImageSynthesis(networks).Sample(new ImageRequest
        {
            Grid = mask.Grid,
            Mask = mask,
            Modality = 1,
            Steps = 2,
            Seed = SampleSeed.Of(7, 0),
            Windows = new SlidingWindowOptions([8, 8, 8], [0.25, 0.25, 0.25]),
        });
        // Voxel (x, y, z) of the file is element [0, 0, x, y, z] of the tensor. The scale factor was rounded to float32: 0.05 HU of 2000.
        image.ToFloats().Zip(same.Image.data<float>().ToArray(), (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(0.05f);
    }

    [Fact]
    public void A_checkpoint_of_another_network_is_an_error_with_the_place_in_the_config()
    {
        using var folder = TestPaths.Temporary();
        var overrides = TinyBundle.Prepare(folder, "rflow", 2);
        File.Copy(folder["autoencoder_v1.pt"], folder["controlnet_3d_rflow-ct.pt"], overwrite: true);
        var error = Should.Throw<BundleException>(() => Run("maisi_ct_rflow", folder, overrides, TextWriter.Null));
        error.Kind.ShouldBe(BundleErrorKind.RuntimeError);
        error.Id.ShouldBe("load_controlnet");
        error.Chain.ShouldBe(["run::0", "ldm_sampler", "load_controlnet"]);
        error.Message.ShouldContain("controlnet_state_dict");
    }

    /// <summary>With sizes of organs the masks are synthesised: seed and sizes alone decide, whatever the database holds.</summary>
    [Fact]
    public void Sizes_of_organs_make_the_masks_synthesised_ones()
    {
        using var folder = TestPaths.Temporary();
        var overrides = TinyBundle.Prepare(folder, "rflow", 2);
        TinyBundle.PrepareMasks(folder, overrides, "liver", -1);
        File.Delete(folder["masks/m.nii.gz"]);
        var image = Image(overrides);
        image.Shape.ShouldBe(TinyBundle.Size);
        image.Spacing.ShouldBe(TinyBundle.Spacing, 1e-6);
        // Air is where the mask has no label, and the synthesised mask has both.
        var air = Air(image);
        air.ShouldBeInRange(1, image.ToFloats().Length - 1000);
        Image(overrides).ToFloats().ShouldBe(image.ToFloats());
        Air(Image(new(overrides) { ["random_seed"] = 8L })).ShouldNotBe(air);
        Air(Image(new(overrides) { ["controllable_anatomy_size"] = new ListValue([new ListValue(["stomach", -1L])]) })).ShouldNotBe(air);

        Volume Image(Dictionary<string, object?> values) => VolumeFile.Read(Run("maisi_ct_rflow", folder, values, TextWriter.Null)[0]);

        static int Air(Volume image) => image.ToFloats().Count(v => v == -1000);
    }

    [Theory]
    [InlineData("spleen", 0.5, "have to be chosen from")]
    [InlineData("liver", 1.5, "have to be between 0 and 1")]
    public void Sizes_that_cannot_be_had_are_an_error_of_the_sampler(string organ, double size, string message)
    {
        using var folder = TestPaths.Temporary();
        var overrides = TinyBundle.Prepare(folder, "rflow", 2);
        TinyBundle.PrepareMasks(folder, overrides, organ, size);
        var error = Should.Throw<BundleException>(() => Run("maisi_ct_rflow", folder, overrides, TextWriter.Null));
        error.Id.ShouldBe("ldm_sampler");
        error.Message.ShouldContain(message);
    }

    /// <summary>The mask of the database as the first sample of seed 7 sees it.</summary>
    private static Volume Varied(TemporaryFolder folder) =>
        VolumeFile.Read(folder["masks/m.nii.gz"]).Narrow().Augment(SampleSeed.Stream(SampleSeed.Of(7, 0), SeedStream.Augmentation));

    private static IReadOnlyList<string> Run(string bundle, TemporaryFolder folder, Dictionary<string, object?> overrides, TextWriter log)
    {
        var registry = TargetRegistryBuilder.Standard();
        var workflow = new BundleWorkflow(
            new ConfigParserOptions { Registry = registry, WorkingDirectory = folder.Path, Output = log },
            [TinyBundle.Config(bundle, "inference.json")], [], overrides);
        var files = (ListValue)((ListValue)workflow.Run()[0]!)[0]!;
        return [.. files.Cast<string>()];
    }

    /// <summary>NV-Generate keeps paths, networks and the request in three flat files: merged over the bundle's wiring they run as they are.</summary>
    [Fact]
    public void Environment_network_and_inference_files_are_merged_and_run()
    {
        using var folder = TestPaths.Temporary();
        var values = TinyBundle.Prepare(folder, "rflow", 2);
        foreach (var group in values.GroupBy(p => p.Key.EndsWith("_def", StringComparison.Ordinal) || p.Key == "noise_scheduler" ? "config_network_rflow.json"
            : p.Key.EndsWith("_dir", StringComparison.Ordinal) || p.Key.EndsWith("_json", StringComparison.Ordinal) || p.Key.EndsWith("_file", StringComparison.Ordinal) ? "environment_rflow-ct.json" : "config_infer.json"))
            File.WriteAllText(folder[group.Key], JsonText.Write(new DictValue(group.Select(p => KeyValuePair.Create((object?)p.Key, p.Value))), new TypeTable([]), 2));
        var workflow = new BundleWorkflow(
            new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path },
            [TinyBundle.Config("maisi_ct_rflow", "inference.json"), "environment_rflow-ct.json", "config_network_rflow.json", "config_infer.json"], [], []);
        var pair = (ListValue)((ListValue)workflow.Run()[0]!)[0]!;
        var merged = VolumeFile.Read((string)pair[0]!).ToFloats();
        // Numbers that went through text may differ in their last digits: 0.05 HU of 2000.
        var direct = VolumeFile.Read(Run("maisi_ct_rflow", folder, values, TextWriter.Null)[0]).ToFloats();
        direct.Zip(merged, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(0.05f);
        merged.Distinct().Count().ShouldBeGreaterThan(100);
    }

    [Theory]
    [InlineData("maisi_mr_rflow")]
    [InlineData("maisi_mr_brain_rflow")]
    public void The_MR_config_samples_images_without_a_mask(string bundle)
    {
        using var folder = TestPaths.Temporary();
        var values = TinyBundle.PrepareImages(folder);
        var image = VolumeFile.Read(Images(values)[0]);
        image.Shape.ShouldBe(TinyBundle.Size);
        image.Spacing.ShouldBe(TinyBundle.Spacing, 1e-6);
        image.Type.ShouldBe(VoxelType.Int16);
        var voxels = image.ToArray<short>();
        voxels.Min().ShouldBeGreaterThanOrEqualTo((short)0);
        voxels.Distinct().Count().ShouldBeGreaterThan(100);
        VolumeFile.Read(Images(values)[0]).ToArray<short>().ShouldBe(voxels);
        // What the image depends on: seed, modality and guidance. Two images of a run differ.
        foreach (var (key, value) in new (string, object)[] { ("random_seed", 1L), ("modality", 10L), ("cfg_guidance_scale", 0.0) })
            VolumeFile.Read(Images(new(values) { [key] = value })[0]).ToArray<short>().ShouldNotBe(voxels, key);
        var two = Images(new(values) { ["num_output_samples"] = 2L });
        VolumeFile.Read(two[0]).ToArray<short>().ShouldBe(voxels);
        VolumeFile.Read(two[1]).ToArray<short>().ShouldNotBe(voxels);

        IReadOnlyList<string> Images(Dictionary<string, object?> overrides)
        {
            var workflow = new BundleWorkflow(
                new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path }, [TinyBundle.Config(bundle, "inference.json")], [], overrides);
            return [.. ((ListValue)workflow.Run()[0]!).Cast<string>()];
        }
    }

    [Fact]
    public void An_image_size_that_the_autoencoder_cannot_halve_is_refused()
    {
        using var folder = TestPaths.Temporary();
        var values = TinyBundle.PrepareImages(folder);
        values["output_size"] = new ListValue([32L, 33L, 64L]);
        var workflow = new BundleWorkflow(
            new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder.Path }, [TinyBundle.Config("maisi_mr_rflow", "inference.json")], [], values);
        var error = Should.Throw<BundleException>(() => workflow.Run());
        error.Id.ShouldBe("image_sampler");
        error.Message.ShouldContain("multiple of 4");
    }
}
