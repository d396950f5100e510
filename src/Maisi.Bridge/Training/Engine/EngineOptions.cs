using System.Text.Json.Serialization;
using Maisi.Bridge.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Training;

/// <summary>The arithmetic of a training; weights and optimizer state are fp32 always.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingPrecision>))]
public enum TrainingPrecision
{
    /// <summary>Everything in fp32.</summary>
    [JsonStringEnumMemberName("fp32")]
    Float32,

    /// <summary>Autocast to bfloat16.</summary>
    [JsonStringEnumMemberName("bf16")]
    BFloat16,

    /// <summary>Autocast to half with scaled gradients; CUDA only.</summary>
    [JsonStringEnumMemberName("fp16")]
    Float16,
}

/// <summary>How the learning rate changes with the optimizer steps.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RateSchedule>))]
public enum RateSchedule
{
    /// <summary>The same rate throughout.</summary>
    [JsonStringEnumMemberName("constant")]
    Constant,

    /// <summary>(1 − step/total)², as MAISI's diffusion and ControlNet training.</summary>
    [JsonStringEnumMemberName("polynomial")]
    Polynomial,

    /// <summary>A linear warm-up, then half a cosine down to a fiftieth.</summary>
    [JsonStringEnumMemberName("warmup_cosine")]
    WarmupCosine,

    /// <summary>A hundredth for ten epochs, a tenth for ten more, then the full rate, as MAISI's autoencoder training.</summary>
    [JsonStringEnumMemberName("epoch_steps")]
    EpochSteps,
}

/// <summary>
/// Options that every trainer has, beside those of its own section. What is left out takes the trainer's default, so that a config from
/// before an option existed trains as it did.
/// </summary>
public record EngineOptions
{
    /// <summary>The arithmetic.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TrainingPrecision? Precision { get; set; }

    /// <summary>Batches whose gradients are averaged into one optimizer step.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Accumulate { get; set; }

    /// <summary>Largest joint norm of the gradients; 0 switches clipping off.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ClipNorm { get; set; }

    /// <summary>Decay of the moving average of the weights; 0 switches it off.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? EmaDecay { get; set; }

    /// <summary>How the learning rate changes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RateSchedule? Schedule { get; set; }

    /// <summary>Optimizer steps of the warm-up; a twentieth of all when left out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? WarmupSteps { get; set; }

    /// <summary>Validations without improvement after which the training ends early, with the best weights.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Patience { get; set; }

    /// <summary>Optimizer steps between validations.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ValidateEvery { get; set; }

    /// <summary>The settings with these options in place of theirs.</summary>
    /// <exception cref="MaisiException">An option is out of its range.</exception>
    internal StageSettings Over(StageSettings defaults)
    {
        RequireRange(Accumulate is null or >= 1, "accumulate", Accumulate);
        RequireRange(ClipNorm is null or >= 0, "clip_norm", ClipNorm);
        RequireRange(EmaDecay is null or (>= 0 and < 1), "ema_decay", EmaDecay);
        RequireRange(WarmupSteps is null or >= 0, "warmup_steps", WarmupSteps);
        RequireRange(Patience is null or >= 1, "patience", Patience);
        RequireRange(ValidateEvery is null or >= 1, "validate_every", ValidateEvery);
        return defaults with
        {
            Precision = Precision ?? defaults.Precision,
            Accumulate = Accumulate ?? defaults.Accumulate,
            ClipNorm = ClipNorm ?? defaults.ClipNorm,
            EmaDecay = EmaDecay ?? defaults.EmaDecay,
            Schedule = Schedule ?? defaults.Schedule,
            WarmupSteps = WarmupSteps ?? defaults.WarmupSteps,
            Patience = Patience ?? defaults.Patience,
            ValidateEvery = ValidateEvery ?? defaults.ValidateEvery,
        };
    }

    private static void RequireRange(bool inside, string name, object? value)
    {
        if (!inside)
            throw new MaisiException($"The training option {name} is {value}, which is out of its range.", name, "See src/docs/training.md for what it takes.");
    }
}

/// <summary>What a stage does, every option decided.</summary>
internal sealed record StageSettings
{
    public required string Name { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int Iterations { get; init; }

    /// <summary>Peak learning rate.</summary>
    public required double Rate { get; init; }

    /// <summary>AdamW, which shrinks weights themselves, or Adam.</summary>
    public bool Decoupled { get; init; } = true;

    public double Epsilon { get; init; } = 1e-8;

    public double WeightDecay { get; init; }

    public RateSchedule Schedule { get; init; } = RateSchedule.Constant;

    /// <summary>Total of the polynomial schedule, which upstream computes as a fraction; null is <see cref="Iterations"/>.</summary>
    public double? ScheduleTotal { get; init; }

    public int? WarmupSteps { get; init; }

    public int StepsPerEpoch { get; init; } = 1;

    public int Accumulate { get; init; } = 1;

    public double ClipNorm { get; init; }

    public double EmaDecay { get; init; }

    public TrainingPrecision Precision { get; init; }

    public double InitialScale { get; init; } = 65536;

    public double ScaleGrowth { get; init; } = 2;

    public int? Patience { get; init; }

    /// <summary>Optimizer steps between validations; null: never.</summary>
    public int? ValidateEvery { get; init; }

    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double RateAt(int step) => Rate * Schedule switch
    {
        RateSchedule.Polynomial => LearningRate.Polynomial(step, ScheduleTotal ?? Iterations),
        RateSchedule.WarmupCosine => LearningRate.WarmupCosine(step, Iterations, WarmupSteps),
        RateSchedule.EpochSteps => LearningRate.EpochSteps(step / StepsPerEpoch),
        _ => 1,
    };

    /// <summary>Operators run as the precision asks until the result is disposed.</summary>
    public IDisposable? Autocast(Device device) => Precision switch
    {
        TrainingPrecision.Float16 => TensorRuntime.Autocast(device, ScalarType.Float16),
        TrainingPrecision.BFloat16 => TensorRuntime.Autocast(device, ScalarType.BFloat16),
        _ => null,
    };

    /// <summary>Refuses what the device cannot do.</summary>
    /// <exception cref="MaisiException">Half on a CPU, or no autocast at all.</exception>
    public void Check(Device device)
    {
        if (Precision == TrainingPrecision.Float32)
            return;
        if (!TensorRuntime.HasAutocast)
            throw new MaisiException("This tensor library has no autocast, so that training runs in fp32 only.", Name, "Set precision to fp32, or take the libtorch binding.");
        if (Precision == TrainingPrecision.Float16 && device.type != DeviceType.CUDA)
        {
            throw new MaisiException("Training in fp16 needs CUDA: on a CPU libtorch has no half autocast, and half gradients lose their small values.", Name,
                "Set precision to bf16 or fp32, or train on a GPU.");
        }
    }
}
