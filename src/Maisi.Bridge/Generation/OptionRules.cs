using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>Fills what was left open from the bundle, and refuses what its networks cannot do, before any work.</summary>
internal static class OptionRules
{
    private const int HighestCtModality = 7, HighestMrModality = 20;

    private static readonly string[] _regions = ["head", "chest", "thorax", "abdomen", "pelvis", "lower"];

    /// <summary>The options with nothing left open.</summary>
    /// <exception cref="MaisiException">The first rule that is broken.</exception>
    public static GenerationOptions Resolve(GenerationOptions options, BundleSettings settings)
    {
        Require(options.Count >= 1, $"At least one sample must be asked for, not {options.Count}.", "--count");
        Require(options.Retries is >= 0 and <= 100, $"The number of retries must be 0 to 100, not {options.Retries}.", "--retries");
        var filled = options with
        {
            Steps = options.Steps ?? settings.NumInferenceSteps,
            MaskSteps = options.UsesMaskModel ? options.MaskSteps ?? settings.MaskGenerationNumInferenceSteps ?? Timesteps(settings.MaskGenerationNoiseScheduler) : options.MaskSteps,
            GuidanceScale = options.GuidanceScale ?? settings.CfgGuidanceScale,
            Modality = options.Modality ?? settings.Modality,
            Size = options.Size ?? (options.Kind is PipelineKind.Image or PipelineKind.Paired ? settings.OutputSize : null),
            Spacing = options.Spacing ?? (options.Kind is PipelineKind.Image or PipelineKind.Paired ? settings.Spacing : null),
            Decode = options.Decode ?? (options.Parity ? DecodeMode.SlidingWindow : DecodeMode.Exact),
            CompactLabels = options.CompactLabels ?? (options.Parity && options.Kind == PipelineKind.Paired),
        };
        CheckSteps(filled, settings);
        Require(filled.GuidanceScale is >= 0 and < double.PositiveInfinity, $"The guidance scale must be 0 or more, not {filled.GuidanceScale}.", "--guidance");
        if (options.Kind != PipelineKind.Mask)
            CheckModality(filled, settings);
        CheckGrid(filled, settings);
        CheckNames(filled, settings);
        return filled;
    }

    /// <summary>The codes of the structures that count.</summary>
    /// <exception cref="MaisiException">The bundle has no such structure.</exception>
    public static int[] AnatomyCodes(GenerationOptions options, BundleSettings settings)
    {
        var maisi = options.UsesMaskModel && settings.AnatomySizeNames is null ? LabelVocabulary.Load("maisi") : null;
        return [.. options.WantedAnatomy.Select(name => maisi?.IdOf(name) ?? settings.CodeOf(name))];
    }

    private static void CheckSteps(GenerationOptions options, BundleSettings settings)
    {
        if (options.Kind != PipelineKind.Mask)
            CheckSteps(options.Steps!.Value, "--steps", settings.NoiseScheduler, options.Force);
        if (options.UsesMaskModel)
            CheckSteps(options.MaskSteps ?? 1000, "--mask-steps", settings.MaskGenerationNoiseScheduler, options.Force);
    }

    private static void CheckSteps(int steps, string option, System.Text.Json.Nodes.JsonObject? scheduler, bool force)
    {
        Require(steps is >= 1 and <= 1000, $"The number of denoising steps must be 1 to 1000, not {steps}.", option);
        var isDdpm = scheduler?["_target_"]?.ToString().EndsWith("DDPMScheduler", StringComparison.Ordinal) == true;
        Require(force || !isDdpm || steps == Timesteps(scheduler), $"This is a DDPM model, which needs all of its {Timesteps(scheduler)} steps, not {steps}: fewer give noise.", option,
            "Leave the option out, or pass --force to see what it gives.");
    }

    private static int Timesteps(System.Text.Json.Nodes.JsonObject? scheduler) => scheduler?["num_train_timesteps"]?.GetValue<int>() ?? 1000;

    private static void CheckModality(GenerationOptions options, BundleSettings settings)
    {
        int[] trained = settings.TrainedModalities ?? [settings.Modality];
        Require(trained.Contains(options.Modality!.Value) || (options.Force && options.Kind == PipelineKind.Image),
            $"The bundle was not trained on modality {options.Modality}; it was trained on {string.Join(", ", trained)}.", "--modality",
            "Other codes would be ignored or give noise. Leave the option out, or take a bundle of that modality.");
    }

    private static void CheckGrid(GenerationOptions options, BundleSettings settings)
    {
        if (options.Size is not { } size || options.Spacing is not { } spacing)
        {
            Require(options.Size is null == options.Spacing is null, "Size and spacing belong together.", "--size", "Give both, or none.");
            return;
        }
        Require(size.Length == 3, $"A size has three numbers, not {size.Length}.", "--size", "Give x,y,z, for instance 256,256,128.");
        Require(spacing.Length == 3 && spacing.All(s => double.IsFinite(s) && s > 0), "A spacing has three positive numbers.", "--spacing", "Give x,y,z in millimetres, for instance 1.5,1.5,2.");
        if (options.Kind == PipelineKind.Mask)
            return;
        if (settings.HasMaisiRules)
            CheckMaisiGrid(options, size, spacing);
        var divisor = ModelBundle.DivisorOf(settings);
        Require(size.All(n => n > 0 && n % divisor == 0), $"The size {string.Join("×", size)} is not divisible by {divisor} along every axis, which the networks need.", "--size",
            $"The bundle's own is {string.Join("×", settings.OutputSize)}.");
    }

    private static void CheckMaisiGrid(GenerationOptions options, int[] size, double[] spacing)
    {
        var maisi = LabelVocabulary.Load("maisi");
        var isPaired = options.Kind == PipelineKind.Paired;
        if (options.Modality is >= 1 and <= HighestCtModality)
            InputValidation.CheckCt(size, spacing, isPaired ? options.AnatomySizes : null, options.BodyRegions, options.Anatomy, maisi);
        else if (options.Modality is > HighestCtModality and <= HighestMrModality && !(options.Force && !isPaired))
            InputValidation.CheckMr(size, spacing, options.Anatomy, maisi);
    }

    private static void CheckNames(GenerationOptions options, BundleSettings settings)
    {
        var (sizes, regions) = (options.AnatomySizes, options.BodyRegions);
        if (options.Kind is PipelineKind.Image or PipelineKind.FromMask)
        {
            Require(options.Anatomy.Count == 0 && sizes.Count == 0, "Structures can be asked for only where label maps are chosen or made.", "--anatomy", "Use 'maisi generate paired'.");
            Require(regions.Count == 0 || settings.TakesRegions, "This bundle's UNet takes no body region: it would be ignored.", "--body-region",
                "Leave it out; the size and spacing choose what is shown.");
        }
        if (options.Kind == PipelineKind.Image && settings.TakesRegions)
            Require(regions.Count > 0, "This bundle's UNet must be told the body regions.", "--body-region", $"Name one or more of {string.Join(", ", _regions)}.");
        if (regions.FirstOrDefault(r => !_regions.Contains(r)) is { } unknown)
            throw new MaisiException($"The bundle was not trained on a body region '{unknown}'; it was trained on {string.Join(", ", _regions)}.", "--body-region");
        if (options.UsesMaskModel)
            CheckSizes(sizes, settings);
        AnatomyCodes(options, settings);
        if (options.Kind == PipelineKind.Paired)
            Require(options.UsesMaskModel || options.Anatomy.Count > 0 || !options.CompactLabels!.Value, "Compact labels number the wanted structures, but none is named.", "--anatomy");
    }

    private static void CheckSizes(IReadOnlyList<AnatomySize> sizes, BundleSettings settings)
    {
        if (settings.AnatomySizeNames is not { } names)
        {
            InputValidation.CheckSizes(sizes);
            return;
        }
        foreach (var (name, size) in sizes)
        {
            Require(names.Contains(name), $"The size of '{name}' cannot be chosen in this bundle.", "--size-of", $"It has {string.Join(", ", names)}.");
            Require(size is -1 or (>= 0 and <= 1), $"The size of '{name}' must be from 0 to 1, or -1 for absent, not {size}.", "--size-of");
            Require(sizes.Count(s => s.Name == name) == 1, $"The size of '{name}' is given more than once.", "--size-of");
        }
    }

    private static void Require(bool holds, string message, string where, string? hint = null)
    {
        if (!holds)
            throw new MaisiException(message, where, hint);
    }
}
