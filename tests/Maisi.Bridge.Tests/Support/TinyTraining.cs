using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;

namespace Maisi.Bridge.Tests.Support;

/// <summary>A training of seconds: drawn heads of 16³ voxels, a handful of steps of each network.</summary>
internal static class TinyTraining
{
    public static TrainingConfig Config()
    {
        var config = Read("train_phantom.json");
        return config with
        {
            Data = config.Data with { Size = [16, 16, 16], Spacing = [12, 12, 12] },
            AutoencoderTrain = new AutoencoderTrainOptions { Iterations = 3, WholeIterations = 2, PatchSize = [16, 16, 8] },
            DiffusionUnetTrain = new StageTrainOptions { Iterations = 4, BatchSize = 2 },
            ControlnetTrain = new StageTrainOptions { Iterations = 4, BatchSize = 2 },
        };
    }

    /// <summary>The same with the networks that make label maps, as the large head-and-neck config has them.</summary>
    public static TrainingConfig WithMasks(int autoencoderSteps = 4) => Config() with
    {
        MaskModel = Read("train_headneck.json").MaskModel! with
        {
            AutoencoderTrain = new MaskAutoencoderTrainOptions { Iterations = autoencoderSteps, Lr = 4e-3 },
            DiffusionTrain = new StageTrainOptions { Iterations = 4, BatchSize = 2 },
            NumInferenceSteps = 3,
        },
    };

    private static TrainingConfig Read(string name) => TrainingConfig.Parse(File.ReadAllText(Path.Combine(TestPaths.Root, "configs", name)), name);

    public static List<TrainingCase> Cases(TrainingConfig config) => [.. Enumerable.Range(1, 2).Select(i =>
    {
        var (labels, hounsfield) = new HeadPhantom((ulong)i).Render(config.Data.Size, config.Data.Spacing);
        return new TrainingCase($"head {i}", [.. hounsfield.Select(h => (float)Math.Clamp((h + 1000) / 2000, 0, 1))], labels);
    })];
}
