using System.Text.Json;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>Reads the two kinds of requests into orders; everything that can be known to be wrong is refused here, with the path of its field.</summary>
internal sealed class OrderReader(LoadedBundle bundle, MaisiServerOptions options)
{
    // Seeds that the server draws are whole numbers in every client's JSON.
    private const long HighestDrawnSeed = 1L << 53;

    // Where the rules of generation say that something is wrong, and which field that is. Longer names first.
    private static readonly (string Mark, string Field)[] _fields =
    [
        ("--body-region", "body_region"), ("body_region", "body_region"), ("--size-of", "controllable_anatomy_size"), ("controllable", "controllable_anatomy_size"),
        ("--size", "output_size"), ("output_size", "output_size"), ("--spacing", "spacing"), ("spacing", "spacing"), ("--mask-steps", "mask_inference_steps"),
        ("--steps", "num_inference_steps"), ("--guidance", "guidance_scale"), ("--modality", "modality"), ("--anatomy", "anatomy_list"), ("anatomy", "anatomy_list"),
        ("--count", "num_output_samples"), ("--retries", "retries"), ("--database", "anatomy_list"), ("label maps", "anatomy_list"), ("structure", "anatomy_list"),
    ];

    /// <summary>The body of <c>POST /v1/maisi/run</c>.</summary>
    /// <exception cref="RequestProblem">It cannot be made.</exception>
    public Order Run(JsonElement body)
    {
        var fields = new FieldReader(body);
        var count = fields.Required("num_output_samples", fields.Int("num_output_samples", 1, options.MaxSamples), 1);
        var regions = fields.Required("body_region", fields.Names("body_region", BundleLimits.Region, BundleLimits.Regions.Count), []);
        var order = Common(fields, PipelineKind.Paired, count, regions) with { Url = fields.Text("pre_signed_url"), LocalFolder = fields.Text("local_working_dir") };
        if (order is { Url: not null, LocalFolder: not null })
            fields.Refuse("pre_signed_url", "cannot be given together with local_working_dir");
        fields.Finish();
        return Resolve(order);
    }

    /// <summary>The body of <c>POST /v1/jobs</c>.</summary>
    /// <param name="body">The JSON.</param>
    /// <param name="mask">The uploaded label map; null when there is none.</param>
    /// <exception cref="RequestProblem">It cannot be made.</exception>
    public Order Job(JsonElement body, string? mask)
    {
        var fields = new FieldReader(body);
        var kind = fields.Required("kind", fields.Choice("kind", ["paired", "from-mask", "mask", "image"]), "image") switch
        {
            "paired" => PipelineKind.Paired,
            "from-mask" => PipelineKind.FromMask,
            "mask" => PipelineKind.Mask,
            _ => PipelineKind.Image,
        };
        var regions = fields.Names("body_region", BundleLimits.Region, BundleLimits.Regions.Count) ?? [];
        var order = Common(fields, kind, fields.Int("num_output_samples", 1, options.MaxSamples) ?? 1, regions);
        order = order with
        {
            Mask = mask,
            Options = order.Options with
            {
                MaskSteps = fields.Int("mask_inference_steps", 1, 1000),
                GuidanceScale = fields.Number("guidance_scale", 0, 100),
                Modality = fields.Int("modality", 0, 255),
                Retries = fields.Int("retries", 0, 10) ?? order.Options.Retries,
                Grid = fields.Choice("grid", ["auto", "mask", "bundle"]) switch { "mask" => GridChoice.Mask, "bundle" => GridChoice.Bundle, _ => GridChoice.Auto },
            },
        };
        fields.Finish();
        if (kind == PipelineKind.FromMask && mask is null)
            throw RequestProblem.Field("mask", "is required: send the request as multipart/form-data with the parts request (this JSON) and mask (the label map)");
        if (kind != PipelineKind.FromMask && mask is not null)
            throw RequestProblem.Field("mask", "is taken with kind from-mask alone");
        return Resolve(order);
    }

    private Order Common(FieldReader fields, PipelineKind kind, int count, IReadOnlyList<string> regions)
    {
        var (limits, settings) = (bundle.Limits, bundle.Settings);
        var sizes = fields.Sizes("controllable_anatomy_size", settings.SizedStructures) ?? [];
        // A bundle without a database of label maps synthesises them.
        var synthesise = kind == PipelineKind.Paired && (sizes.Count > 0 || !bundle.HasMaskDatabase);
        var size = fields.Three("output_size", limits.Size);
        var spacing = fields.Three("spacing", limits.Spacing.Low, limits.Spacing.High);
        if (size is not null && size.Aggregate(1L, (a, n) => a * n) > options.MaxVoxels)
            fields.Refuse("output_size", $"is more than {options.MaxVoxels} voxels, which is the most that this server makes");
        if (size is null != spacing is null)
            (size, spacing) = (size ?? settings.OutputSize, spacing ?? settings.Spacing);
        return new Order
        {
            Options = new GenerationOptions
            {
                Kind = kind,
                Count = count,
                Seed = fields.Seed("seed") ?? (ulong)Random.Shared.NextInt64(HighestDrawnSeed),
                BodyRegions = regions,
                Anatomy = fields.Names("anatomy_list", name => limits.Anatomy(name, synthesise), 256) ?? [],
                AnatomySizes = sizes,
                SynthesizeMask = synthesise,
                Size = size,
                Spacing = spacing,
                Steps = fields.Int("num_inference_steps", 1, 1000),
                MaskDatabase = kind == PipelineKind.Paired && !synthesise ? options.MaskDatabase : null,
                Memory = options.Memory,
            },
            ImageExtension = fields.Choice("image_output_ext", BundleLimits.Extensions) ?? ".nii.gz",
            LabelExtension = fields.Choice("label_output_ext", BundleLimits.Extensions) ?? ".nii.gz",
        };
    }

    private Order Resolve(Order order)
    {
        if (!bundle.Kinds.Contains(LoadedBundle.KindOf(order.Options.Kind)))
            throw new RequestProblem(StatusCodes.Status422UnprocessableEntity, "not-offered", "The loaded bundle does not make this.",
                $"It makes {string.Join(", ", bundle.Kinds.Select(k => Names.Of(k)))}.", "Ask for one of these, or start the server with another bundle or with a database of label maps.");
        try
        {
            return order with { Options = bundle.Resolve(order.Options) };
        }
        catch (MaisiException e) when (e is not RequestProblem)
        {
            var field = _fields.FirstOrDefault(f => (e.Where ?? e.Message).Contains(f.Mark, StringComparison.Ordinal)).Field ?? "request";
            throw RequestProblem.Field(field, e.Message);
        }
    }
}
