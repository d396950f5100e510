using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>
/// MONAI's random transforms as targets. After set_random_state the first call draws what MONAI draws; all keys of a dictionary variant
/// get the same. Ranges that are not symmetric about zero are refused for rotation, shift and scale.
/// </summary>
internal static class RandomTransforms
{
    private static readonly string[] _grid = ["rotate_range", "translate_range", "scale_range", "mode", "padding_mode"];
    private static readonly string[] _sampled = ["mode", "padding_mode"];

    /// <summary>Module, name, parameters in MONAI's order, those that may differ by key, and how it is made.</summary>
    public static IReadOnlyList<(string Module, string Name, string[] Parameters, string[] PerKey, Func<TransformArguments, IVolumeTransform> Make)> All { get; } =
    [
        ("spatial", "RandFlip", ["prob", "spatial_axis"], [], a => new RandFlip(Probability(a), a.Ints("spatial_axis") ?? [0, 1, 2])),
        ("spatial", "RandRotate90", ["prob", "max_k", "spatial_axes"], [],
            a => new RandRotate90(Probability(a), (a.Ints("max_k") ?? [3])[0], a.Ints("spatial_axes"), turnsFirst: a.Has("keys"))),
        ("spatial", "RandRotate", ["range_x", "range_y", "range_z", "prob", "keep_size", "mode"], ["mode"], a => new RandRotate(
            [a.Real("range_x") ?? 0, a.Real("range_y") ?? 0, a.Real("range_z") ?? 0], Probability(a), a.Flag("keep_size", true), a.Sampling())),
        ("spatial", "RandZoom", ["prob", "min_zoom", "max_zoom", "mode", "keep_size"], ["mode"],
            a => new RandZoom(Probability(a), a.Real("min_zoom") ?? 0.9, a.Real("max_zoom") ?? 1.1, a.Resizing(), a.Flag("keep_size", true))),
        ("spatial", "RandAffine", ["prob", .. _grid], _sampled, a => new RandAffine(
            Probability(a), Symmetric(a, "rotate_range"), Symmetric(a, "translate_range"), Symmetric(a, "scale_range"), a.Sampling(), a.Outside("reflection"))),
        ("spatial", "Rand3DElastic", ["sigma_range", "magnitude_range", "prob", .. _grid], _sampled, a => new Rand3DElastic(
            Probability(a), Range(a, "sigma_range"), Range(a, "magnitude_range"), Symmetric(a, "rotate_range"), Symmetric(a, "translate_range"), Symmetric(a, "scale_range"),
            a.Sampling(), a.Outside("reflection"))),
        ("croppad", "RandSpatialCrop", ["roi_size", "random_size"], [],
            a => !a.Flag("random_size") ? new RandSpatialCrop(a.Size("roi_size")) : throw a.Wrong("random_size", "must be false: only the place is drawn")),
        ("intensity", "RandGaussianNoise", ["prob", "mean", "std"], [], a => new RandGaussianNoise(Probability(a), a.Real("mean") ?? 0, a.Real("std") ?? 0.1)),
        ("intensity", "RandGaussianSmooth", ["sigma_x", "sigma_y", "sigma_z", "prob"], [], a => new RandGaussianSmooth(
            Probability(a), Array.ConvertAll<string, (double, double)>(["sigma_x", "sigma_y", "sigma_z"], n => Range(a, n, RandGaussianSmooth.DefaultSigma)))),
        ("intensity", "RandScaleIntensity", ["factors", "prob"], [], a => Spread(a, "factors") is var (low, high) ? new RandScaleIntensity(low, high, Probability(a)) : null!),
        ("intensity", "RandShiftIntensity", ["offsets", "prob"], [], a => Spread(a, "offsets") is var (low, high) ? new RandShiftIntensity(low, high, Probability(a)) : null!),
        ("intensity", "RandAdjustContrast", ["prob", "gamma"], [], a => Range(a, "gamma", (0.5, 4.5)) is var (low, high) ? new RandAdjustContrast(Probability(a), low, high) : null!),
        ("intensity", "RandBiasField", ["degree", "coeff_range", "prob"], [],
            a => Range(a, "coeff_range", (0, 0.1)) is var (low, high) ? new RandBiasField((a.Ints("degree") ?? [3])[0], low, high, Probability(a)) : null!),
        ("intensity", "RandGibbsNoise", ["prob", "alpha"], [], a => Range(a, "alpha", (0, 1)) is var (low, high) ? new RandGibbsNoise(low, high, Probability(a)) : null!),
        ("intensity", "RandHistogramShift", ["num_control_points", "prob"], [], a => new RandHistogramShift((a.Ints("num_control_points") ?? [10])[0], Probability(a))),
    ];

    /// <summary>RandCropByPosNegLabeld: a list of dictionaries, each with the same box cut out of all keys.</summary>
    public static TransformFunction CropByLabel(EvaluationContext context, CallArguments arguments)
    {
        const string name = "RandCropByPosNegLabeld";
        string[] names = ["keys", "label_key", "spatial_size", "pos", "neg", "num_samples", "image_key", "image_threshold"];
        arguments.Check(name, 3, names.Length, names);
        var named = ArrayTransform.Named(names, arguments);
        var given = new TransformArguments(name, named, context);
        var keys = named["keys"] is string one ? [one] : PythonTypes.Iterate(named["keys"], context).ToArray();
        var (label, image) = (given.Text("label_key") ?? throw given.Wrong("label_key", "is missing"), given.Text("image_key"));
        var crop = new RandCropByPosNegLabel(
            given.Size("spatial_size"), given.Real("pos") ?? 1, given.Real("neg") ?? 1, (given.Ints("num_samples") ?? [1])[0], given.Real("image_threshold") ?? 0);
        return new(name, Apply, crop.SetRandomState);

        object? Apply(EvaluationContext _, object? value)
        {
            var data = value as DictValue ?? throw new BundleException(BundleErrorKind.TypeError, $"{name} takes a dict of images");
            BundleImage At(object? key) => BundleImage.Of(
                data.TryGetValue(key, out var found) ? found : throw new BundleException(BundleErrorKind.KeyError, $"{name}: the data have no '{key}'"), name);
            var images = keys.Select(At).ToArray();
            var boxes = crop.Crop(At(label).Tensor, image is null ? null : At(image).Tensor, [.. images.Select(i => i.Tensor)]);
            return new ListValue(boxes.Select(box =>
            {
                var sample = new DictValue(data);
                for (var i = 0; i < keys.Length; i++)
                    sample[keys[i]] = images[i] with { Tensor = box[i] };
                return sample;
            }));
        }
    }

    private static double Probability(TransformArguments a) => a.Real("prob") ?? 0.1;

    // One number r an axis, for -r to r.
    private static double[] Symmetric(TransformArguments a, string name) =>
        !a.Has(name) ? [] : a.Reals(name) is { Length: <= 3 } ranges ? ranges : throw a.Wrong(name, "must be at most three numbers");

    private static (double Low, double High) Range(TransformArguments a, string name, (double, double)? otherwise = null) =>
        !a.Has(name) && otherwise is { } range ? range : a.Reals(name) is [var low, var high] ? (low, high) : throw a.Wrong(name, "must be two numbers, from and to");

    // One number r stands for -r to r.
    private static (double Low, double High) Spread(TransformArguments a, string name) => a.Reals(name) switch
    {
        [var r] => (-Math.Abs(r), Math.Abs(r)),
        [var low, var high] => (low, high),
        _ => throw a.Wrong(name, "must be one number or two"),
    };
}
