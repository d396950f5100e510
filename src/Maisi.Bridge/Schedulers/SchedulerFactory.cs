using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;

namespace Maisi.Bridge.Schedulers;

/// <summary>Builds schedulers from MONAI's <c>_target_</c> definitions, with references already resolved.</summary>
public static class SchedulerFactory
{
    private static readonly Dictionary<string, Func<JsonObject, Scheduler>> Builders = new(StringComparer.Ordinal)
    {
        [nameof(DDPMScheduler)] = d => Ddpm(DefinitionReader.Read<DdpmConfig>(d)),
        [nameof(DDIMScheduler)] = d => Ddim(DefinitionReader.Read<DdimConfig>(d)),
        [nameof(PNDMScheduler)] = d => Pndm(DefinitionReader.Read<PndmConfig>(d)),
        [nameof(RFlowScheduler)] = d => new RFlowScheduler(DefinitionReader.Read<RFlowSchedulerConfig>(d)),
    };

    /// <summary>The class names that <see cref="Create"/> knows, which are MONAI's.</summary>
    public static IReadOnlyCollection<string> Known => Builders.Keys;

    /// <summary>Builds the scheduler that a definition describes.</summary>
    /// <exception cref="DefinitionException">Unknown class, or unknown or mistyped argument.</exception>
    /// <exception cref="SchedulerException">A value that the scheduler does not have.</exception>
    public static Scheduler Create(JsonObject definition)
    {
        var target = definition["_target_"]?.ToString()
            ?? throw new DefinitionException("the definition has no _target_", hint: "name the class, for example monai.networks.schedulers.DDPMScheduler");
        return Builders.TryGetValue(target[(target.LastIndexOf('.') + 1)..], out var build)
            ? build(definition)
            : throw new DefinitionException($"'{target}' is not a scheduler that can be built here", "_target_", $"known: {string.Join(", ", Builders.Keys.Order(StringComparer.Ordinal))}");
    }

    private static DDPMScheduler Ddpm(DdpmConfig c) => new(c.NumTrainTimesteps, c.NoiseSchedule(), Variance(c.VarianceType), c.Clip(), Prediction(c.PredictionType));

    private static DDIMScheduler Ddim(DdimConfig c) => new(c.NumTrainTimesteps, c.NoiseSchedule(), c.Clip(), c.SetAlphaToOne, c.StepsOffset, Prediction(c.PredictionType));

    private static PNDMScheduler Pndm(PndmConfig c) => new(c.NumTrainTimesteps, c.NoiseSchedule(), c.SkipPrkSteps, c.SetAlphaToOne, Prediction(c.PredictionType), c.StepsOffset);

    private static PredictionType Prediction(string name) => name switch
    {
        "epsilon" => PredictionType.Epsilon,
        "sample" => PredictionType.Sample,
        "v_prediction" => PredictionType.VPrediction,
        _ => throw new SchedulerException($"unknown prediction_type '{name}'", "prediction_type", "use epsilon, sample or v_prediction"),
    };

    private static VarianceType Variance(string name) => name switch
    {
        "fixed_small" => VarianceType.FixedSmall,
        "fixed_large" => VarianceType.FixedLarge,
        "learned" => VarianceType.Learned,
        "learned_range" => VarianceType.LearnedRange,
        _ => throw new SchedulerException($"unknown variance_type '{name}'", "variance_type", "use fixed_small, fixed_large, learned or learned_range"),
    };

    private abstract record DiscreteConfig
    {
        public int NumTrainTimesteps { get; init; } = 1000;
        public string Schedule { get; init; } = "linear_beta";
        public string PredictionType { get; init; } = "epsilon";
        public double? BetaStart { get; init; }
        public double? BetaEnd { get; init; }
        public double? SigRange { get; init; }
        public double? S { get; init; }

        public NoiseSchedule NoiseSchedule() => Schedulers.NoiseSchedule.Create(Schedule, NumTrainTimesteps, new NoiseScheduleArguments(BetaStart, BetaEnd, SigRange, S));
    }

    private abstract record ClippingConfig : DiscreteConfig
    {
        public bool ClipSample { get; init; } = true;
        public double ClipSampleMin { get; init; } = -1;
        public double ClipSampleMax { get; init; } = 1;

        public SampleClip? Clip() => ClipSample ? new SampleClip(ClipSampleMin, ClipSampleMax) : null;
    }

    private sealed record DdpmConfig : ClippingConfig
    {
        public string VarianceType { get; init; } = "fixed_small";
    }

    private sealed record DdimConfig : ClippingConfig
    {
        public bool SetAlphaToOne { get; init; } = true;
        public int StepsOffset { get; init; }
    }

    private sealed record PndmConfig : DiscreteConfig
    {
        public bool SkipPrkSteps { get; init; }
        public bool SetAlphaToOne { get; init; }
        public int StepsOffset { get; init; }
    }
}
