using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>MONAI's transforms as bundle configs name them, on the golden inputs: array and dictionary variants, alone and composed.</summary>
public sealed class TransformTargetTests
{
    private static readonly GoldenArrays _spatial = new("transform_spatial"), _intensity = new("transform_intensity");

    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var (name, golden) in new[] { ("spatial", _spatial), ("intensity", _intensity) })
                for (var i = 0; i < golden.Info.GetProperty("cases").GetArrayLength(); i++)
                    data.Add(name, i);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_golden_case_runs_from_a_config(string fixture, int index)
    {
        using var scope = NewDisposeScope();
        var golden = fixture == "spatial" ? _spatial : _intensity;
        var item = golden.Info.GetProperty("cases")[index];
        var affine = item.TryGetProperty("affine", out var place) ? Rows(golden.Info.GetProperty("affines").GetProperty(place.GetString()!)) : Affine.Identity;
        var input = new BundleImage(new(Values(golden, item.TryGetProperty("input", out var key) ? key.GetString()! : "in/x"), affine));
        var name = item.GetProperty("transform").GetString()!;
        var arguments = JsonNode.Parse(item.GetProperty("args").GetRawText())!.AsObject();
        if (arguments["select_fn"] is { } select)
            arguments["select_fn"] = $"$lambda v: {select.GetValue<string>()}";
        var array = arguments.DeepClone().AsObject();
        array["_target_"] = name;
        var dictionary = arguments.DeepClone().AsObject();
        (dictionary["_target_"], dictionary["keys"]) = ($"monai.transforms.{name}d", new JsonArray("image"));
        if (name == "CropForeground")
            dictionary["source_key"] = "image";
        var config = new JsonObject
        {
            ["array"] = array,
            ["both"] = new JsonObject { ["_target_"] = "Compose", ["transforms"] = new JsonArray(dictionary) },
            ["one"] = "$@array(@given)",
            ["two"] = "$@both({'image': @given, 'other': 1})['image']",
        };
        foreach (var id in new[] { "one", "two" })
        {
            var result = (BundleImage)Resolve(config, id, input)!;
            result.Tensor.Data.shape.ShouldBe(golden.Shape(item.GetProperty("out").GetString()!).Select(n => (long)n));
            if (item.TryGetProperty("out_affine", out var outAffine))
                result.Tensor.Affine.MaxDifference(Rows(outAffine)).ShouldBeLessThan(1e-9);
            var expected = golden.Floats(item.GetProperty("out").GetString()!);
            var ours = result.Tensor.Data.to(ScalarType.Float32).contiguous().data<float>().ToArray();
            ours.Zip(expected, (a, b) => Math.Abs(a - b)).DefaultIfEmpty().Max().ShouldBeLessThan(fixture == "spatial" ? 2e-6f : 2e-4f);
        }
    }

    [Fact]
    public void A_composed_pipeline_reads_turns_resamples_and_writes_files()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        var cases = _spatial.Info.GetProperty("cases").EnumerateArray().ToList();
        var affine = Rows(_spatial.Info.GetProperty("affines").GetProperty("lps"));
        VolumeFile.Write(new VolumeTensor(Values(_spatial, "in/x"), affine).ToVolume(), folder["image.nii.gz"]);
        VolumeFile.Write(new VolumeTensor(Values(_spatial, "in/label"), affine).ToVolume(), folder["label.nii.gz"]);
        File.WriteAllText(folder["config.json"], """
            {
              "load": {"_target_": "LoadImaged", "keys": ["image", "label"], "image_only": true},
              "channel": {"_target_": "EnsureChannelFirstd", "keys": ["image", "label"]},
              "turn": {"_target_": "Orientationd", "keys": ["image", "label"], "axcodes": "RAS"},
              "space": {"_target_": "monai.transforms.Spacingd", "keys": ["image", "label"], "pixdim": [1.0, 1.25, 1.5], "mode": ["bilinear", "nearest"]},
              "save": {"_target_": "SaveImaged", "keys": "label", "output_dir": "out", "output_postfix": "seg", "separate_folder": false, "resample": true},
              "oriented": "$monai.transforms.Compose([@load, @channel, @turn])({'image': 'image.nii.gz', 'label': 'label.nii.gz'})",
              "imports": ["$import monai"],
              "spaced": {"_target_": "Compose", "transforms": ["@load", "@space", "@save"]},
              "run": "$@spaced({'image': 'image.nii.gz', 'label': 'label.nii.gz'})"
            }
            """);
        var parser = Parser(folder.Path);
        parser.ReadConfig(folder["config.json"]);
        var oriented = (Maisi.Bridge.Bundles.Expressions.DictValue)parser.GetParsedContent("oriented")!;
        Same(oriented["image"]!, cases.First(c => c.GetProperty("transform").GetString() == "Orientation" && c.GetProperty("affine").GetString() == "lps"));
        var spaced = (Maisi.Bridge.Bundles.Expressions.DictValue)parser.GetParsedContent("run")!;
        foreach (var (key, mode) in new[] { ("image", "bilinear"), ("label", "nearest") })
            Same(spaced[key]!, cases.First(c => c.GetProperty("transform").GetString() == "Spacing" && c.GetProperty("affine").GetString() == "lps" && c.GetProperty("args").GetProperty("mode").GetString() == mode));
        var saved = VolumeFile.Read(folder["out/label_seg.nii.gz"]);
        saved.Grid.Matches(VolumeFile.ReadInfo(folder["label.nii.gz"]).Grid).ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"_target_": "Spacing", "pixdim": 1, "lazy": true}""", "unexpected keyword argument 'lazy'")]
    [InlineData("""{"_target_": "Spacing", "pixdim": 1, "mode": "cubic"}""", "must be nearest or bilinear")]
    [InlineData("""{"_target_": "Spacingd", "keys": ["image"], "pixdim": 1, "mode": ["nearest", "nearest"]}""", "2 values for 1 keys")]
    [InlineData("""{"_target_": "Flipd", "keys": ["nothing"]}""", "no 'nothing'")]
    [InlineData("""{"_target_": "Compose", "transforms": [3]}""", "transforms[0] is a int")]
    [InlineData("""{"_target_": "RandAffine", "prob": 1}""", "is 'reflection', but must be border or zeros")]
    [InlineData("""{"_target_": "RandSpatialCrop", "roi_size": 2, "random_size": true}""", "only the place is drawn")]
    [InlineData("""{"_target_": "SpatialPad", "spatial_size": [1, 2]}""", "one number or three")]
    public void What_is_not_supported_is_an_error_of_the_config(string target, string says)
    {
        using var scope = NewDisposeScope();
        var config = new JsonObject { ["t"] = JsonNode.Parse(target), ["run"] = target.Contains("keys", StringComparison.Ordinal) ? "$@t({'image': @given})" : "$@t(@given)" };
        var input = new BundleImage(new(zeros(1, 2, 2, 2), Affine.Identity));
        Should.Throw<BundleException>(() => Resolve(config, "run", input)).Message.ShouldContain(says);
    }

    /// <summary>The parameters, one seed for all keys, and Compose's seeds: those that NumPy's RandomState(7).randint(2**32, dtype=uint32) draws.</summary>
    [Fact]
    public void Random_transforms_draw_as_they_do_in_code_and_the_same_for_all_keys()
    {
        using var scope = NewDisposeScope();
        var input = new BundleImage(new(arange(2 * 5 * 6 * 7, ScalarType.Float32).reshape(2, 5, 6, 7), Affine.Identity));
        var config = JsonNode.Parse("""
            {
              "affine": {"_target_": "RandAffined", "keys": ["image", "label"], "prob": 1.0, "rotate_range": [0.2, 0, 0.1], "scale_range": 0.1, "mode": ["bilinear", "nearest"], "padding_mode": "border"},
              "noise": {"_target_": "monai.transforms.RandGaussianNoised", "keys": "image", "prob": 1.0, "std": 0.5},
              "crop": {"_target_": "RandCropByPosNegLabeld", "keys": ["image", "label"], "label_key": "label", "spatial_size": 3, "num_samples": 2},
              "all": {"_target_": "Compose", "transforms": ["@affine", "@noise", "@crop"]},
              "run": "$@all.set_random_state(7)({'image': @given, 'label': @given})",
              "again": "$@all.set_random_state(7)({'image': @given, 'label': @given})"
            }
            """)!.AsObject();
        uint[] seeds = [327741615, 976413892, 3349725721];
        double[] rotate = [0.2, 0, 0.1];
        RandAffine bilinear = new(1, rotate, [], [0.1], Interpolation.Trilinear, SamplePadding.Border), nearest = new(1, rotate, [], [0.1], Interpolation.Nearest, SamplePadding.Border);
        var noise = new RandGaussianNoise(1, 0, 0.5);
        var crop = new RandCropByPosNegLabel([3, 3, 3], numSamples: 2);
        bilinear.SetRandomState(seeds[0]);
        nearest.SetRandomState(seeds[0]);
        noise.SetRandomState(seeds[1]);
        crop.SetRandomState(seeds[2]);
        var (image, label) = (noise.Apply(bilinear.Apply(input.Tensor)), nearest.Apply(input.Tensor));
        var expected = crop.Crop(label, null, image, label);

        foreach (var id in new[] { "run", "again" })
        {
            var samples = Resolve(config, id, input).ShouldBeOfType<Maisi.Bridge.Bundles.Expressions.ListValue>();
            samples.Count.ShouldBe(2);
            for (var i = 0; i < 2; i++)
            {
                var sample = (Maisi.Bridge.Bundles.Expressions.DictValue)samples[i]!;
                (((BundleImage)sample["image"]!).Tensor.Data - expected[i][0].Data).abs().max().ToDouble().ShouldBe(0);
                (((BundleImage)sample["label"]!).Tensor.Data - expected[i][1].Data).abs().max().ToDouble().ShouldBe(0);
            }
        }
        bilinear.Grid.Scale[1..].ShouldBe([1, 1], "an axis without a range does not change");
    }

    private static object? Resolve(JsonObject config, string id, BundleImage given)
    {
        var registry = new TargetRegistryBuilder().AddStandard().AddFunction("test.given", (_, _) => given).Build();
        config = config.DeepClone().AsObject();
        config["given"] = new JsonObject { ["_target_"] = "test.given" };
        using var folder = TestPaths.Temporary();
        File.WriteAllText(folder["c.json"], config.ToJsonString());
        var parser = new ConfigParser(new() { Registry = registry, WorkingDirectory = folder.Path });
        parser.ReadConfig(folder["c.json"]);
        return parser.GetParsedContent(id);
    }

    private static ConfigParser Parser(string folder) => new(new() { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder, AllowedFolders = [folder] });

    private static void Same(object image, System.Text.Json.JsonElement item)
    {
        var result = ((BundleImage)image).Tensor;
        result.Affine.MaxDifference(Rows(item.GetProperty("out_affine"))).ShouldBeLessThan(1e-5); // NIfTI's affine is float32
        var expected = _spatial.Floats(item.GetProperty("out").GetString()!);
        result.Data.contiguous().data<float>().ToArray().Zip(expected, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(2e-5f);
    }

    private static Tensor Values(GoldenArrays golden, string key) => tensor(golden.Floats(key), [.. golden.Shape(key).Select(n => (long)n)]);

    private static Affine Rows(System.Text.Json.JsonElement rows) => Affine.FromRows(rows.EnumerateArray().SelectMany(r => r.EnumerateArray()).Select(v => v.GetDouble()).ToArray());
}
