using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>The <c>scripts</c> of NVIDIA's MAISI bundle, natively.</summary>
internal static class MaisiModule
{
    private const string SamplerPath = "scripts.sample.LDMSampler";
    private const string ImageSamplerPath = "maisi_bridge.ImageSampler";

    /// <summary>Adds the module.</summary>
    public static void Add(TargetRegistryBuilder builder) => builder
        .AddTarget(SamplerPath, () => new SettingsTarget(SamplerPath, typeof(LdmSamplerSettings), (settings, context) =>
            new LdmSampler((LdmSamplerSettings)settings, TimeProvider.System, context.Output, context.Files.Full)))
        .AddTarget(ImageSamplerPath, () => new SettingsTarget(ImageSamplerPath, typeof(ImageSamplerSettings), (settings, context) =>
            new ImageSampler((ImageSamplerSettings)settings, TimeProvider.System, context.Output, context.Files.Full)))
        .AddFunction("scripts.sample.check_input", CheckInput)
        .AddBehaviour(new ReflectedBehaviour(typeof(ImageSampler)))
        .AddBehaviour(new ReflectedBehaviour(typeof(LdmSampler)));

    // check_input(body_region, anatomy_list, label_dict_json, output_size, spacing, controllable_anatomy_size)
    private static object? CheckInput(EvaluationContext context, CallArguments arguments)
    {
        arguments.Check("check_input", 5, 6, "body_region", "anatomy_list", "label_dict_json", "output_size", "spacing", "controllable_anatomy_size");
        T Given<T>(int index, string name) => (T)ValueConverter.To(typeof(T), arguments.Required(index, name, "check_input"), $"check_input(): '{name}'", context)!;
        var sizes = arguments.Optional(5, "controllable_anatomy_size") is { } given
            ? PythonTypes.Iterate(given, context).Select(pair => Size(pair, context)).ToList()
            : null;
        InputValidation.CheckCt(
            Given<int[]>(3, "output_size"), Given<double[]>(4, "spacing"), sizes, Given<string[]>(0, "body_region"), Given<string[]>(1, "anatomy_list"), LabelVocabulary.Load("maisi"));
        return null;
    }

    private static AnatomySize Size(object? pair, EvaluationContext context) => PythonTypes.Iterate(pair, context).ToList() is [string name, var size]
        ? new AnatomySize(name, Numbers.ToDouble(size))
        : throw new BundleException(BundleErrorKind.ValueError, "controllable_anatomy_size holds pairs of a name and a size");
}
