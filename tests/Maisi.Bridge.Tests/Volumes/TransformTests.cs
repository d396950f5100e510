using System.Text.Json;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>Tensor transforms against MONAI 1.5.0 (golden/transform_spatial, transform_intensity, util_rand_augment).</summary>
public sealed class TransformTests
{
    private static readonly GoldenArrays _spatial = new("transform_spatial"), _intensity = new("transform_intensity"), _random = new("util_rand_augment");

    public static TheoryData<int> Spatial => [.. Enumerable.Range(0, _spatial.Info.GetProperty("cases").GetArrayLength())];

    public static TheoryData<int> Intensity => [.. Enumerable.Range(0, _intensity.Info.GetProperty("cases").GetArrayLength())];

    [Theory]
    [MemberData(nameof(Spatial))]
    public void Spatial_transforms_equal_MONAI(int index)
    {
        using var scope = NewDisposeScope();
        var expected = _spatial.Info.GetProperty("cases")[index];
        expected.TryGetProperty("error", out _).ShouldBeFalse();
        var input = Tensor(_spatial, expected.GetProperty("input").GetString()!, Matrix(_spatial.Info.GetProperty("affines").GetProperty(expected.GetProperty("affine").GetString()!)));
        var result = Make(expected.GetProperty("transform").GetString()!, expected.GetProperty("args")).Apply(input);
        result.Data.shape.ShouldBe(expected.GetProperty("out_shape").EnumerateArray().Select(v => v.GetInt64()));
        result.Affine.MaxDifference(Matrix(expected.GetProperty("out_affine"))).ShouldBeLessThan(1e-9);
        var nearest = expected.GetProperty("args").TryGetProperty("mode", out var mode) && mode.GetString() == "nearest";
        Compare(result.Data, _spatial.Floats(expected.GetProperty("out").GetString()!), nearest ? 0 : 2e-6);
    }

    [Theory]
    [MemberData(nameof(Intensity))]
    public void Intensity_transforms_equal_MONAI(int index)
    {
        using var scope = NewDisposeScope();
        var expected = _intensity.Info.GetProperty("cases")[index];
        var result = Make(expected.GetProperty("transform").GetString()!, expected.GetProperty("args")).Apply(Tensor(_intensity, "in/x", Affine.Identity));
        Compare(result.Data, _intensity.Floats(expected.GetProperty("out").GetString()!), 1e-4);
    }

    [Fact]
    public void Generator_equals_NumPy()
    {
        var expected = _random.Info.GetProperty("numpy_randomstate_7");
        double[] List(string key) => [.. expected.GetProperty(key).EnumerateArray().Select(v => v.GetDouble())];
        double[] Draw(Func<NumpyRandom, double> next, int count)
        {
            var random = new NumpyRandom(7);
            return [.. Enumerable.Range(0, count).Select(_ => next(random))];
        }
        // The fixture draws all kinds from one generator, in this order.
        var one = new NumpyRandom(7);
        double[] Continue(Func<double> next, int count) => [.. Enumerable.Range(0, count).Select(_ => next())];
        Continue(one.NextDouble, 4).ShouldBe(List("random_sample"));
        Continue(() => one.Uniform(-1, 2), 3).ShouldBe(List("uniform(-1,2)"));
        Continue(() => one.Integer(0, 1000), 5).ShouldBe(List("randint(0,1000)"));
        Continue(one.Normal, 3).ShouldBe(List("standard_normal"), 1e-15);
        one.Permutation(6).Select(v => (double)v).ShouldBe(List("permutation_6"));
        Draw(r => r.NextDouble(), 4).ShouldBe(List("random_sample"));
    }

    [Fact]
    public void Random_deformations_equal_MONAI()
    {
        using var scope = NewDisposeScope();
        var mask = new VolumeTensor(tensor(_random.Floats("in/mask"), [1, 20, 18, 16]), Affine.Identity);
        var cases = _random.Info.GetProperty("cases");
        double[] List(int index, string key) => [.. cases[index].GetProperty(key).EnumerateArray().Select(v => v.GetDouble())];

        var turn = Math.PI / 36;
        var elastic = new Rand3DElastic(1, (5, 8), (100, 200), [turn, turn, turn], [2, 2, 2], [0.2, 0.2, 0.2], Interpolation.Nearest);
        elastic.SetRandomState(7);
        var bent = elastic.Apply(mask);
        elastic.Drawn.Sigma.ShouldBe(cases[0].GetProperty("sigma").GetDouble(), 1e-12);
        elastic.Drawn.Magnitude.ShouldBe(cases[0].GetProperty("magnitude").GetDouble(), 1e-12);
        elastic.Grid.Rotate.ShouldBe(List(0, "rotate_params"), 1e-15);
        elastic.Grid.Translate.ShouldBe(List(0, "translate_params"), 1e-15);
        elastic.Grid.Scale.ShouldBe(List(0, "scale_params"), 1e-15);
        Compare(bent.Data, _random.Floats("out/elastic_liver"), 0);

        var affine = new RandAffine(1, [0, 0, 0.1], [5, 5, 0], [0.15, 0.15, 0], Interpolation.Nearest);
        affine.SetRandomState(7);
        var moved = affine.Apply(mask);
        affine.Grid.Rotate.ShouldBe(List(1, "rotate_params"), 1e-15);
        affine.Grid.Translate.ShouldBe(List(1, "translate_params"), 1e-15);
        affine.Grid.Scale.ShouldBe(List(1, "scale_params"), 1e-15);
        affine.Grid.Matrix.ToRows().Zip(_random.Floats("out/affine_bone_matrix"), (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-6);
        Compare(moved.Data, _random.Floats("out/affine_bone"), 0);

        var zoom = new RandZoom(1, 0.8, 1.2, InterpolationMode.Nearest);
        zoom.SetRandomState(7);
        var zoomed = zoom.Apply(mask);
        zoom.Factor.ShouldBe(List(2, "zoom")[0], 1e-15);
        Compare(zoomed.Data, _random.Floats("out/zoom_body"), 0);
    }

    [Fact]
    public void Random_crops_equal_MONAI()
    {
        using var scope = NewDisposeScope();
        var (label, image) = (Tensor(_spatial, "in/crop_label", Affine.Identity), Tensor(_spatial, "in/crop_image", Affine.Identity));
        var items = _spatial.Info.GetProperty("rand_crop_by_pos_neg_label");
        for (var i = 0; i < items.GetArrayLength(); i++)
        {
            var args = items[i].GetProperty("args");
            var crop = new RandCropByPosNegLabel([4, 4, 4], args.GetProperty("pos").GetDouble(), args.GetProperty("neg").GetDouble(), args.GetProperty("num_samples").GetInt32());
            var threshold = args.TryGetProperty("image_threshold", out _) ? image : null;
            crop.SetRandomState(11);
            crop.Centers(label, threshold).ShouldBe(items[i].GetProperty("centers").EnumerateArray().Select(c => c.EnumerateArray().Select(v => v.GetInt32()).ToArray()));
            crop.SetRandomState(11);
            var boxes = crop.Crop(label, threshold, image, label);
            for (var k = 0; k < boxes.Count; k++)
                Compare(boxes[k][0].Data, _spatial.Floats($"out/randcrop{i}/{k}"), 0);
            boxes[0][1].Data.shape.ShouldBe([1, 4, 4, 4]);
        }
        var random = new RandSpatialCrop([4, 4, 4]);
        random.SetRandomState(11);
        Compare(random.Apply(image).Data, _spatial.Floats("out/rand_spatial_crop"), 0);
        Should.Throw<MaisiException>(() => new RandCropByPosNegLabel([40, 4, 4]).Centers(label)).Message.ShouldContain("40×4×4");
    }

    [Fact]
    public void Random_intensities_follow_their_seed_and_probability()
    {
        using var scope = NewDisposeScope();
        var input = Tensor(_spatial, "in/x", Affine.Identity);
        RandomTransform[] transforms = [new RandGaussianNoise(1), new RandGaussianSmooth(1), new RandScaleIntensity(0.9, 1.1, 1), new RandShiftIntensity(-0.05, 0.05, 1), new RandAdjustContrast(1), new RandFlip(1, 0), new RandRotate90(1), new RandRotate([0.1, 0.1, 0.1], 1)];
        foreach (var transform in transforms)
        {
            transform.SetRandomState(3);
            var first = transform.Apply(input).Data;
            transform.SetRandomState(3);
            Compare(transform.Apply(input).Data, first.contiguous().data<float>().ToArray(), 0);
            first.shape.Order().ShouldBe(input.Data.shape.Order());
            (first.shape.SequenceEqual(input.Data.shape) && first.allclose(input.Data)).ShouldBeFalse(transform.GetType().Name);
        }
        var scaled = new RandScaleIntensity(0.9, 1.1, 1);
        var factor = (scaled.Apply(input).Data / input.Data).mean().ToDouble();
        factor.ShouldBeInRange(1.9, 2.1);
        Compare(new RandFlip(0, 0).Apply(input).Data, input.Data.data<float>().ToArray(), 0);
    }

    [Fact]
    public void Volumes_become_tensors_and_come_back()
    {
        using var scope = NewDisposeScope();
        var volume = Volume.FromArray<short>([.. Enumerable.Range(0, 48).Select(i => (short)(i - 20))], new(2, 3, 4, Affine.Diagonal(1, 2, 3)), channels: 2);
        var tensor = volume.ToTensor();
        tensor.Data.shape.ShouldBe([2, 2, 3, 4]);
        tensor.Data[1, 1, 2, 3].ToDouble().ShouldBe(volume.At(1, 2, 3, 1));
        tensor.ToVolume().ToFloats().ShouldBe(volume.ToFloats());
        var labels = volume.ToTensor(ScalarType.Int64);
        labels.Data.dtype.ShouldBe(ScalarType.Int64);
        labels.ToVolume().Type.ShouldBe(VoxelType.Int64);
        labels.ToVolume().Affine.ShouldBe(volume.Affine);
    }

    [Fact]
    public void MR_augmentations_equal_MONAI()
    {
        using var scope = NewDisposeScope();
        var input = new VolumeTensor(tensor([.. Enumerable.Range(0, 120).Select(i => (float)(Math.Sin(i * 0.7) * 0.5 + 0.5))], [1, 4, 5, 6]), Affine.Identity);
        var cases = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Fixture("mr_augmentations.json"))).RootElement.GetProperty("cases").EnumerateArray().ToArray();
        cases.Length.ShouldBe(6);
        foreach (var item in cases)
        {
            var args = item.GetProperty("args");
            double Arg(string key) => args.GetProperty(key).GetDouble();
            RandomTransform transform = item.GetProperty("transform").GetString() switch
            {
                "RandBiasField" => new RandBiasField((int)Arg("degree"), Arg("low"), Arg("high"), 1),
                "RandGibbsNoise" => new RandGibbsNoise(Arg("low"), Arg("high"), 1),
                _ => new RandHistogramShift((int)Arg("points"), 1),
            };
            transform.SetRandomState(item.GetProperty("seed").GetUInt64());
            Compare(transform.Apply(input).Data, [.. item.GetProperty("out").EnumerateArray().Select(v => v.GetSingle())], 1e-5); // values reach 20
        }
    }

    private static IVolumeTransform Make(string name, JsonElement args)
    {
        int[] Ints(string key) => args.TryGetProperty(key, out var v) ? v.ValueKind == JsonValueKind.Array ? [.. v.EnumerateArray().Select(e => e.GetInt32())] : [v.GetInt32()] : [];
        double[] Reals(string key) => args.GetProperty(key).ValueKind == JsonValueKind.Array ? [.. args.GetProperty(key).EnumerateArray().Select(e => e.GetDouble())] : [args.GetProperty(key).GetDouble()];
        double? Real(string key) => args.TryGetProperty(key, out var v) && v.ValueKind == JsonValueKind.Number ? v.GetDouble() : null;
        bool Flag(string key, bool other = false) => args.TryGetProperty(key, out var v) ? v.GetBoolean() : other;
        string Text(string key) => args.TryGetProperty(key, out var v) ? v.GetString()! : "";
        var sample = Text("mode") == "nearest" ? Interpolation.Nearest : Interpolation.Trilinear;
        var resize = Text("mode") switch { "nearest" => InterpolationMode.Nearest, "area" => InterpolationMode.Area, _ => InterpolationMode.Trilinear };
        var pad = Text("mode") switch { "edge" => PaddingModes.Replicate, "reflect" => PaddingModes.Reflect, _ => PaddingModes.Constant };
        return name switch
        {
            "Orientation" => new Orientation(Text("axcodes")),
            "Spacing" => new Spacing(Reals("pixdim"), sample, Flag("diagonal"), Text("padding_mode") == "zeros" ? SamplePadding.Zeros : SamplePadding.Border, Flag("align_corners")),
            "SpatialPad" => new SpatialPad(Ints("spatial_size"), pad, Real("value") ?? 0, Text("method") == "end"),
            "DivisiblePad" => new DivisiblePad(Ints("k")),
            "CenterSpatialCrop" => new CenterSpatialCrop(Ints("roi_size")),
            "ResizeWithPadOrCrop" => new ResizeWithPadOrCrop(Ints("spatial_size")),
            "SpatialCrop" when args.TryGetProperty("roi_center", out _) => SpatialCrop.Around(Ints("roi_center"), Ints("roi_size")),
            "SpatialCrop" => new SpatialCrop(Ints("roi_start"), Ints("roi_end")),
            "Resize" => new Resize(Ints("spatial_size"), resize, Flag("align_corners"), Flag("anti_aliasing")),
            "Flip" => new Flip(Ints("spatial_axis")),
            "Rotate90" => new Rotate90(args.GetProperty("k").GetInt32(), Ints("spatial_axes")),
            "Zoom" => new Zoom(Reals("zoom"), resize, Flag("keep_size", true)),
            "Rotate" => new Rotate(Reals("angle"), Flag("keep_size", true), sample),
            "CropForeground" => new CropForeground(Ints("margin") is { Length: > 0 } m ? m : null, Ints("k_divisible").FirstOrDefault(1), Flag("allow_smaller"),
                Text("select_fn") switch { "v != 0" => v => v.ne(0), "v > 100" => v => v.gt(100), _ => null }),
            "ScaleIntensityRange" => new ScaleIntensityRange(Real("a_min")!.Value, Real("a_max")!.Value, Real("b_min"), Real("b_max"), Flag("clip")),
            "ScaleIntensityRangePercentiles" => new ScaleIntensityRangePercentiles(Real("lower")!.Value, Real("upper")!.Value, Real("b_min")!.Value, Real("b_max")!.Value, Flag("clip"), Flag("relative"), Flag("channel_wise")),
            "ScaleIntensity" => new ScaleIntensity(Real("minv")!.Value, Real("maxv")!.Value),
            "NormalizeIntensity" => new NormalizeIntensity(Flag("nonzero"), Flag("channel_wise")),
            _ => throw new NotSupportedException(name),
        };
    }

    private static VolumeTensor Tensor(GoldenArrays golden, string key, Affine affine) =>
        new(tensor(golden.Floats(key), [.. golden.Shape(key).Select(n => (long)n)]), affine);

    private static void Compare(Tensor ours, float[] theirs, double tolerance)
    {
        var values = ours.to(ScalarType.Float32).contiguous().data<float>().ToArray();
        values.Length.ShouldBe(theirs.Length);
        if (values.Length > 0)
            values.Zip(theirs, (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThanOrEqualTo((float)tolerance);
    }

    private static Affine Matrix(JsonElement rows) => Affine.FromRows(rows.EnumerateArray().SelectMany(r => r.EnumerateArray()).Select(v => v.GetDouble()).ToArray());
}
