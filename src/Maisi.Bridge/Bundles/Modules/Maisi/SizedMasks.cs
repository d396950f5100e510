// Path A of the class LDMSampler of NVIDIA's MAISI bundle (scripts/sample.py): label maps of wanted sizes, by the mask model.
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Synthesises label maps whose organs and tumours have the sizes that a bundle asks for (<c>controllable_anatomy_size</c>).</summary>
internal sealed class SizedMasks
{
    // What MAISI's mask model was trained on.
    private static readonly double[] _spacing = [1.5, 1.5, 1.5];

    private readonly LdmSamplerSettings _settings;
    private readonly AnatomySize[] _sizes;
    private readonly double[] _condition;
    private readonly MaskModel _model;
    private readonly long[] _shape;
    private readonly MaskSynthesis _synthesis;

    /// <param name="settings">The arguments of the bundle; its list of sizes is not empty.</param>
    /// <param name="full">The absolute form of a path of the bundle.</param>
    /// <exception cref="BundleException">Sizes that cannot be asked for, or a mask model that is not whole.</exception>
    public SizedMasks(LdmSamplerSettings settings, Func<string, string> full)
    {
        _settings = settings;
        _sizes = [.. settings.ControllableAnatomySize.Select(Size)];
        try
        {
            InputValidation.CheckSizes(_sizes);
        }
        catch (MaisiException e)
        {
            throw new BundleException(BundleErrorKind.ValueError, e.Message, hint: e.Hint);
        }
        _condition = AnatomySizeConditions.Prepare([.. _sizes.Select(s => (s.Name, s.Size))],
            AnatomySizeConditions.Load(full(Given(settings.AllAnatomySizeCondtionsJson, "all_anatomy_size_condtions_json"))));
        _model = new MaskModel(
            Given(settings.MaskGenerationAutoencoder, "mask_generation_autoencoder"), Given(settings.MaskGenerationDiffusionUnet, "mask_generation_diffusion_unet"),
            Given(settings.MaskGenerationNoiseScheduler, "mask_generation_noise_scheduler"),
            TensorBehaviour.Number(Given(settings.MaskGenerationScaleFactor, "mask_generation_scale_factor")));
        _shape = [1, .. Given(settings.MaskGenerationLatentShape, "mask_generation_latent_shape").Select(n => (long)n)];
        _synthesis = new MaskSynthesis(_model, MaskSynthesis.CodesOf(settings.LabelDictRemapJson is { } remap ? full(remap) : null));
    }

    /// <summary>The structures, in the order in which their sizes were given.</summary>
    public IEnumerable<string> Names => _sizes.Select(s => s.Name);

    /// <summary>The structures that the label map must show: all but those that were asked to be absent.</summary>
    public IEnumerable<string> Expected => _sizes.Where(s => s.Size >= 0).Select(s => s.Name);

    /// <summary>Makes a label map on the wanted grid, axes RAS.</summary>
    /// <param name="seed">The seed of the sample.</param>
    /// <param name="device">Where the networks lie.</param>
    /// <param name="windows">Windows of the decoder.</param>
    public Volume Make(ulong seed, Device device, SlidingWindowOptions windows)
    {
        using var scope = NewDisposeScope();
        var latent = _synthesis.Denoise(_condition, Noise(0), step => Noise(step + 1), _settings.MaskGenerationNumInferenceSteps ?? 1000);
        return _synthesis.Decode(latent, _spacing, windows, null).PostProcess(AnatomySizeConditions.TargetTumour(_condition)).ToRequestedGrid(_settings.OutputSize, _settings.Spacing);

        Tensor Noise(int draw) => PhiloxNoise.Normal(_shape, SampleSeed.Stream(seed, SeedStream.MaskLatent, draw)).to(device);
    }

    private static AnatomySize Size(object given) => given is Expressions.ListValue { Count: 2 } pair && pair[0] is string name && pair[1] is long or double
        ? new AnatomySize(name, Convert.ToDouble(pair[1], System.Globalization.CultureInfo.InvariantCulture))
        : throw new BundleException(BundleErrorKind.ValueError, $"controllable_anatomy_size holds {given}, which is no pair of a name and a size", hint: "for instance [[\"liver\", 0.5]]");

    private static T Given<T>(T? value, string name)
        where T : class => value ?? throw new BundleException(BundleErrorKind.ValueError, $"controllable_anatomy_size needs {name}", hint: "give it to LDMSampler, as NVIDIA's inference.json does");
}
