using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>
/// MONAI's transforms as targets, each as array and as dictionary variant, and Compose. What a transform has in MONAI and not here (lazy,
/// dtype other than float32) is an unexpected argument. Source: monai/transforms (1.5).
/// </summary>
internal static class TransformModule
{
    private static readonly (string Module, string Name, string[] Parameters, string[] PerKey, Func<TransformArguments, IVolumeTransform> Make)[] _transforms =
    [
        ("spatial", "Orientation", ["axcodes"], [], a => new Orientation(a.Text("axcodes") ?? throw a.Wrong("axcodes", "is missing"))),
        ("spatial", "Spacing", ["pixdim", "diagonal", "mode", "padding_mode", "align_corners"], ["mode", "padding_mode", "align_corners"],
            a => new Spacing(a.Reals("pixdim"), a.Sampling(), a.Flag("diagonal"), a.Outside(), a.Flag("align_corners"))),
        ("spatial", "Resize", ["spatial_size", "mode", "align_corners", "anti_aliasing"], ["mode", "align_corners", "anti_aliasing"],
            a => new Resize(a.Size("spatial_size"), a.Resizing(), a.Flag("align_corners"), a.Flag("anti_aliasing"))),
        ("spatial", "Zoom", ["zoom", "mode", "keep_size"], ["mode"], a => new Zoom(a.Reals("zoom"), a.Resizing(), a.Flag("keep_size", true))),
        ("spatial", "Rotate", ["angle", "keep_size", "mode", "padding_mode"], ["mode", "padding_mode"],
            a => new Rotate(a.Reals("angle") is [var one] ? [one, 0, 0] : a.Reals("angle"), a.Flag("keep_size", true), a.Sampling(), a.Outside())),
        ("spatial", "Rotate90", ["k", "spatial_axes"], [], a => new Rotate90((a.Ints("k") ?? [1])[0], a.Ints("spatial_axes"))),
        ("spatial", "Flip", ["spatial_axis"], [], a => new Flip(a.Ints("spatial_axis") ?? [0, 1, 2])),
        ("croppad", "SpatialPad", ["spatial_size", "method", "mode", "value"], ["mode"],
            a => new SpatialPad(a.Size("spatial_size"), a.Padding(), a.Real("value") ?? 0, a.Text("method") == "end")),
        ("croppad", "DivisiblePad", ["k", "mode", "value"], ["mode"], a => new DivisiblePad(a.Size("k"), a.Padding(), a.Real("value") ?? 0)),
        ("croppad", "CenterSpatialCrop", ["roi_size"], [], a => new CenterSpatialCrop(a.Size("roi_size"))),
        ("croppad", "SpatialCrop", ["roi_center", "roi_size", "roi_start", "roi_end"], [],
            a => a.Ints("roi_center") is { } center ? SpatialCrop.Around(center, a.Size("roi_size")) : new SpatialCrop(a.Size("roi_start"), a.Size("roi_end"))),
        ("croppad", "ResizeWithPadOrCrop", ["spatial_size", "mode", "value"], ["mode"], a => new ResizeWithPadOrCrop(a.Size("spatial_size"), a.Padding(), a.Real("value") ?? 0)),
        ("intensity", "ScaleIntensityRange", ["a_min", "a_max", "b_min", "b_max", "clip"], [],
            a => new ScaleIntensityRange(a.Number("a_min"), a.Number("a_max"), a.Real("b_min"), a.Real("b_max"), a.Flag("clip"))),
        ("intensity", "ScaleIntensityRangePercentiles", ["lower", "upper", "b_min", "b_max", "clip", "relative", "channel_wise"], [],
            a => new ScaleIntensityRangePercentiles(a.Number("lower"), a.Number("upper"), a.Number("b_min"), a.Number("b_max"), a.Flag("clip"), a.Flag("relative"), a.Flag("channel_wise"))),
        ("intensity", "ScaleIntensity", ["minv", "maxv"], [], a => new ScaleIntensity(a.Real("minv") ?? 0, a.Real("maxv") ?? 1)),
        ("intensity", "NormalizeIntensity", ["nonzero", "channel_wise"], [], a => new NormalizeIntensity(a.Flag("nonzero"), a.Flag("channel_wise"))),
        ("io", "LoadImage", ["image_only", "ensure_channel_first"], [], _ => Unchanged.Instance),
        ("io", "SaveImage", ["output_dir", "output_postfix", "output_ext", "resample", "mode", "separate_folder", "print_log"], ["mode"], _ => Unchanged.Instance),
        ("utility", "EnsureChannelFirst", ["channel_dim"], [], _ => Unchanged.Instance),
        ("utility", "EnsureType", ["data_type", "track_meta"], [], _ => Unchanged.Instance),
    ];

    /// <summary>Adds them.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        foreach (var (module, name, parameters, perKey, make) in _transforms.Concat(RandomTransforms.All))
        {
            Func<TransformArguments, ImageFunction> prepare = name switch
            {
                "LoadImage" => a => new(value => BundleImage.Load(value, a)),
                "SaveImage" => a => new(value => BundleImage.Of(value, name).Save(a)),
                _ => a => ImageFunction.Of(make(a), name),
            };
            Register(builder, $"monai.transforms.{module}.array.{name}", name, new ArrayTransform(name, parameters, prepare));
            Register(builder, $"monai.transforms.{module}.dictionary.{name}d", name + "d", new DictionaryTransform(name + "d", parameters, perKey, prepare));
        }
        Register(builder, "monai.transforms.croppad.array.CropForeground", "CropForeground", new ArrayTransform(
            "CropForeground", ["select_fn", "margin", "k_divisible", "allow_smaller"], a => ImageFunction.Of(Foreground(a), "CropForeground")));
        Register(builder, "monai.transforms.croppad.dictionary.CropForegroundd", "CropForegroundd", new NativeFunction("CropForegroundd", CropForegrounds));
        Register(builder, "monai.transforms.croppad.dictionary.RandCropByPosNegLabeld", "RandCropByPosNegLabeld", new NativeFunction("RandCropByPosNegLabeld", RandomTransforms.CropByLabel));
        Register(builder, "monai.transforms.compose.Compose", "Compose", new NativeFunction("Compose", Compose));
        builder.AddBehaviour(new BundleImageBehaviour()).AddBehaviour(new TransformFunctionBehaviour());
    }

    private static void Register(TargetRegistryBuilder builder, string path, string name, Callable target) =>
        builder.AddTarget(path, () => target).AddValue($"monai.transforms.{name}", () => target);

    private static CropForeground Foreground(TransformArguments a) =>
        new(a.Ints("margin"), (a.Ints("k_divisible") ?? [1])[0], a.Flag("allow_smaller"), a.Selection("select_fn"));

    // One box, that of the foreground of source_key, for all keys.
    private static NativeFunction CropForegrounds(EvaluationContext context, CallArguments arguments)
    {
        string[] names = ["keys", "source_key", "select_fn", "margin", "k_divisible", "allow_smaller"];
        arguments.Check("CropForegroundd", 2, names.Length, names);
        var named = ArrayTransform.Named(names, arguments);
        var given = new TransformArguments("CropForegroundd", named, context);
        var keys = named["keys"] is string one ? [one] : PythonTypes.Iterate(named["keys"], context).ToArray();
        var (source, crop) = (given.Text("source_key") ?? throw given.Wrong("source_key", "is missing"), Foreground(given));
        return new("CropForegroundd", (_, a) =>
        {
            var data = a.Required(0, "data", "CropForegroundd") as DictValue ?? throw new BundleException(BundleErrorKind.TypeError, "CropForegroundd takes a dict of images");
            object? At(object? key) => data.TryGetValue(key, out var value) ? value : throw new BundleException(BundleErrorKind.KeyError, $"CropForegroundd: the data have no '{key}'");
            var box = crop.Box(BundleImage.Of(At(source), "CropForegroundd").Tensor);
            var result = new DictValue(data);
            foreach (var key in keys)
            {
                var image = BundleImage.Of(At(key), "CropForegroundd");
                result[key] = image with { Tensor = CropForeground.Crop(image.Tensor, box.Start, box.End) };
            }
            return result;
        });
    }

    private static TransformFunction Compose(EvaluationContext context, CallArguments arguments)
    {
        arguments.Check("Compose", 1, 1, "transforms");
        Callable[] steps = [.. PythonTypes.Iterate(arguments.Required(0, "transforms", "Compose"), context).Select((step, i) => step as Callable
            ?? throw new BundleException(BundleErrorKind.TypeError, $"Compose(): transforms[{i}] is a {PythonTypes.NameOf(step)} and cannot be called"))];
        var compose = new TransformFunction("Compose", (c, data) => steps.Aggregate(data, (value, step) => ForEach(value, item => step.Call(c, new CallArguments(item)))), seed =>
        {
            var random = new NumpyRandom(seed);
            foreach (var step in steps.OfType<TransformFunction>().Where(s => s.IsRandom))
                step.Seed((ulong)random.Integer(0, 1L << 32));
        });
        compose.Seed(0);
        return compose;
    }

    // After a step that made several samples of one, the next steps see them one by one.
    private static object? ForEach(object? value, Func<object?, object?> step) => value is ListValue samples ? new ListValue(samples.Select(s => ForEach(s, step))) : step(value);

    private sealed class Unchanged : IVolumeTransform
    {
        public static Unchanged Instance { get; } = new();

        public VolumeTensor Apply(VolumeTensor input) => input;
    }
}
