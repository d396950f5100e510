using System.Text.Json.Serialization.Metadata;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>The trainers that the train configs of bundles name.</summary>
internal static class TrainerModule
{
    /// <summary>Adds them.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        Target<AutoencoderArguments>(builder, "maisi_bridge.AutoencoderTrainer", Autoencoder);
        Target<DiffusionArguments>(builder, "maisi_bridge.DiffusionTrainer", Diffusion);
        Target<ControlNetArguments>(builder, "maisi_bridge.ControlNetTrainer", ControlNet);
        Target<MaskAutoencoderArguments>(builder, "maisi_bridge.MaskAutoencoderTrainer", MaskAutoencoder);
        Target<MaskDiffusionArguments>(builder, "maisi_bridge.MaskDiffusionTrainer", MaskDiffusion);
        builder
            .AddBehaviour(new ReflectedBehaviour(typeof(BundleMaskAutoencoderTrainer)))
            .AddBehaviour(new ReflectedBehaviour(typeof(BundleMaskDiffusionTrainer)))
            .AddBehaviour(new ReflectedBehaviour(typeof(BundleAutoencoderTrainer)))
            .AddBehaviour(new ReflectedBehaviour(typeof(BundleDiffusionTrainer)))
            .AddBehaviour(new ReflectedBehaviour(typeof(BundleControlNetTrainer)));
    }

    private static void Target<T>(TargetRegistryBuilder builder, string path, Func<T, EvaluationContext, object> make) =>
        builder.AddTarget(path, () => new SettingsTarget(path, typeof(T), (arguments, context) => make((T)arguments, context)));

    private static BundleAutoencoderTrainer Autoencoder(AutoencoderArguments a, EvaluationContext context) => new(
        a.Autoencoder, a.Discriminator, a.Records("training", context, required: true), a.Records("validation", context, required: false), a.Modality, a.Full(a.Pretrained, context),
        Section(a.Settings, SectionJson.Default.AutoencoderTrainSection, "autoencoder_train", context),
        Section(a.DataOption, SectionJson.Default.AugmentationSection, "data_option", context), a.Host(context));

    private static BundleDiffusionTrainer Diffusion(DiffusionArguments a, EvaluationContext context) => new(
        a.Autoencoder, a.DiffusionUnet, a.NoiseScheduler, a.Records("training", context, required: true, present: false),
        Section(a.Settings, SectionJson.Default.DiffusionTrainSection, "diffusion_unet_train", context),
        new DiffusionPlaces(
            context.Files.Full(a.TrainedAutoencoderPath), "json_data_list", context.Files.Full(a.EmbeddingBaseDir), a.Full(a.ExistingCkptFilepath, context), a.ModelFilename),
        a.ModalityMapping, a.Host(context));

    private static BundleControlNetTrainer ControlNet(ControlNetArguments a, EvaluationContext context) => new(
        a.DiffusionUnet, a.Controlnet, a.NoiseScheduler, a.Records("training", context, required: true),
        Section(a.Settings, SectionJson.Default.ControlNetTrainSection, "controlnet_train", context),
        context.Files.Full(a.TrainedDiffusionPath), a.Full(a.ExistingCkptFilepath, context), a.ExpName, a.ModalityMapping, a.Host(context));

    private static BundleMaskAutoencoderTrainer MaskAutoencoder(MaskAutoencoderArguments a, EvaluationContext context) => new(
        a.MaskAutoencoder, a.Records("training", context, required: true), Section(a.Settings, SectionJson.Default.MaskTrainSection, "mask_autoencoder_train", context),
        a.LabelRemap, a.Full(a.ExistingCkptFilepath, context), a.Host(context));

    private static BundleMaskDiffusionTrainer MaskDiffusion(MaskDiffusionArguments a, EvaluationContext context) => new(
        a.MaskAutoencoder, context.Files.Full(a.TrainedMaskAutoencoderPath), a.MaskDiffusionUnet, a.NoiseScheduler, a.Records("training", context, required: true),
        Section(a.Settings, SectionJson.Default.MaskTrainSection, "mask_diffusion_train", context), a.LabelRemap, a.Full(a.ExistingCkptFilepath, context), a.Host(context));

    private static T Section<T>(object? value, JsonTypeInfo<T> type, string name, EvaluationContext context) =>
        SectionJson.Read(JsonText.Write(value, context.Types), type, name);

    /// <summary>The arguments that all trainers have.</summary>
    private abstract record Arguments
    {
        /// <summary>A datalist, or several.</summary>
        public required object JsonDataList { get; init; }

        /// <summary>The folder of its paths, or one for each.</summary>
        public required object DataBaseDir { get; init; }

        /// <summary>The section of the config.</summary>
        public required object Settings { get; init; }

        public required string ModelDir { get; init; }
        public object? Device { get; init; }
        public long? RandomSeed { get; init; }

        public TrainerHost Host(EvaluationContext context) =>
            new(context.Files.Full(ModelDir), device(DeviceValue.Of(Device ?? "cpu").Text), unchecked((ulong)(RandomSeed ?? 0)), context.Output) { Cancellation = context.Cancellation };

        public string? Full(string? path, EvaluationContext context) => path is null ? null : context.Files.Full(path);

        public IReadOnlyList<TrainingRecord> Records(string part, EvaluationContext context, bool required, bool present = true)
        {
            string[] lists = Paths(JsonDataList, "json_data_list", context), folders = Paths(DataBaseDir, "data_base_dir", context);
            if (lists.Length != folders.Length)
                throw new MaisiException($"json_data_list names {lists.Length} files and data_base_dir {folders.Length} folders.", "data_base_dir", "Give one folder for each list.");
            TrainingRecord[] records = [.. lists.Zip(folders).SelectMany(p => TrainingRecord.Read(p.First, p.Second, part))];
            return records.Length == 0 && !required ? records : present ? TrainingRecord.Require(records, lists[0]) : records;
        }

        private static string[] Paths(object value, string name, EvaluationContext context) =>
            [.. (value is string one ? [one] : (string[])ValueConverter.To(typeof(string[]), value, name, context)!).Select(context.Files.Full)];
    }

    private sealed record AutoencoderArguments : Arguments
    {
        public required AutoencoderKlMaisi Autoencoder { get; init; }
        public required PatchDiscriminator Discriminator { get; init; }
        public string Modality { get; init; } = "ct";
        public string? Pretrained { get; init; }
        public object DataOption { get; init; } = new DictValue();
    }

    private sealed record DiffusionArguments : Arguments
    {
        public required AutoencoderKlMaisi Autoencoder { get; init; }
        public required string TrainedAutoencoderPath { get; init; }
        public required DiffusionModelUNetMaisi DiffusionUnet { get; init; }
        public string? ExistingCkptFilepath { get; init; }
        public required Scheduler NoiseScheduler { get; init; }
        public required string EmbeddingBaseDir { get; init; }
        public IReadOnlyDictionary<string, int> ModalityMapping { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);
        public required string ModelFilename { get; init; }
    }

    private sealed record ControlNetArguments : Arguments
    {
        public required DiffusionModelUNetMaisi DiffusionUnet { get; init; }
        public required string TrainedDiffusionPath { get; init; }
        public required ControlNetMaisi Controlnet { get; init; }
        public string? ExistingCkptFilepath { get; init; }
        public required Scheduler NoiseScheduler { get; init; }
        public IReadOnlyDictionary<string, int> ModalityMapping { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);
        public required string ExpName { get; init; }
    }

    private record MaskAutoencoderArguments : Arguments
    {
        public required AutoencoderKlMaisi MaskAutoencoder { get; init; }
        public required IReadOnlyDictionary<string, int[]> LabelRemap { get; init; }
        public string? ExistingCkptFilepath { get; init; }
    }

    private sealed record MaskDiffusionArguments : MaskAutoencoderArguments
    {
        public required string TrainedMaskAutoencoderPath { get; init; }
        public required DiffusionModelUNet MaskDiffusionUnet { get; init; }
        public required Scheduler NoiseScheduler { get; init; }
    }
}
