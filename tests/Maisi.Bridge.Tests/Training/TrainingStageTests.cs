using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Training;

/// <summary>The engine on a network of one layer, where every number can be checked.</summary>
public sealed class TrainingStageTests
{
    private static readonly StageSettings Plain = new() { Name = "stage", Iterations = 12, Rate = 0.05 };

    public static TheoryData<string> Variants() => ["plain", "accumulate", "clip", "average", "warmup", "polynomial", "bf16", "patience", "two learners"];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Interrupted_training_of_every_option_goes_on_bit_for_bit(string variant)
    {
        using var folder = TestPaths.Temporary();
        var straight = Train(folder["a"], variant, stopAt: null);
        var broken = Train(folder["b"], variant, stopAt: 5);
        broken.ShouldBeNull();
        var resumed = Train(folder["b"], variant, stopAt: null);
        resumed!.Value.Weights.ShouldBe(straight!.Value.Weights);
        resumed.Value.Summary.Losses.ShouldBe(straight.Value.Summary.Losses);
        resumed.Value.Summary.Iterations.ShouldBe(straight.Value.Summary.Iterations);
        // Every step is in the table once, with the same numbers.
        TrainingLog.Read(folder["b/log/training.csv"]).ShouldBe(TrainingLog.Read(folder["a/log/training.csv"]));
    }

    [Fact]
    public void Two_accumulated_batches_are_one_of_twice_the_size()
    {
        using var folder = TestPaths.Temporary();
        var data = rand([24, 3], generator: new Generator(1));
        float[] Run(string name, int accumulate, int batch) => Weights(folder[name], Plain with { Accumulate = accumulate, Iterations = 4 },
            (layer, step) => (layer.call(data.narrow(0, step.Batch * batch, batch)) - 1).pow(2).mean());
        var (two, one) = (Run("two", 2, 3), Run("one", 1, 6));
        for (var i = 0; i < two.Length; i++)
            two[i].ShouldBe(one[i], 1e-6f);
    }

    [Fact]
    public void Gradients_are_clipped_to_their_norm()
    {
        using var scope = NewDisposeScope();
        var weights = new Parameter(zeros(2));
        using var learner = new Learner("", [weights], Plain with { ClipNorm = 1 });
        learner.Backward((weights * tensor(new[] { 3f, 4f })).sum());
        learner.Step(0.1)!.Value.ShouldBe(5, 1e-6);
        weights.grad!.norm().ToDouble().ShouldBe(1, 1e-5);
    }

    [Fact]
    public void The_average_is_swapped_in_for_validation_only()
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        var weights = new Parameter(zeros(1));
        var settings = Plain with { Iterations = 3, EmaDecay = 0.5, ValidateEvery = 1, Rate = 1, Decoupled = false };
        var seen = new List<double>();
        var raw = new List<double>();
        var learner = new Learner("", [weights], settings);
        using var stage = new TrainingStage(settings, [learner], new TrainingRandom(1))
        {
            Validate = _ =>
            {
                seen.Add(weights.ToDouble());
                return 0;
            },
        };
        stage.Run(step =>
        {
            raw.Add(weights.ToDouble());
            step.Learn(learner, "loss", weights.sum());
        }, TrainingStore.Open(folder["s"], "", false), null, default);
        // Adam on a constant gradient goes down by its rate; the average follows with weights 1 − (1 + n) / (10 + n), later one half.
        raw.ShouldBe([0, -1, -2], 1e-4);
        var average = 0.0;
        var expected = Enumerable.Range(1, 3).Select(n => average += (1 - Math.Min(0.5, (1.0 + n) / (10.0 + n))) * (-n - average)).ToList();
        seen.ShouldBe(expected, 1e-4);
        weights.ToDouble().ShouldBe(expected[^1], 1e-4);
    }

    [Fact]
    public void Training_ends_early_with_the_best_weights()
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        var weights = new Parameter(zeros(1));
        var settings = Plain with { Iterations = 100, ValidateEvery = 2, Patience = 3, Rate = 1, Decoupled = false };
        var learner = new Learner("", [weights], settings);
        var moments = new List<StageMoment>();
        using var stage = new TrainingStage(settings, [learner], new TrainingRandom(1))
        {
            Validate = _ => Math.Abs(weights.ToDouble() + 6), // best after six steps of one
            Checkpoint = moments.Add,
        };
        var summary = stage.Run(step => step.Learn(learner, "loss", weights.sum()), TrainingStore.Open(folder["s"], "", false), null, default);
        summary.Iterations.ShouldBe(12);
        weights.ToDouble().ShouldBe(-6, 1e-3);
        moments.Where(m => m.Best).Select(m => m.Step).ShouldBe([2, 4, 6]);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_with_its_batch_kept()
    {
        using var folder = TestPaths.Temporary();
        using var scope = NewDisposeScope();
        var weights = new Parameter(ones(1));
        var learner = new Learner("", [weights], Plain);
        using var stage = new TrainingStage(Plain, [learner], new TrainingRandom(1));
        var error = Should.Throw<MaisiException>(() => stage.Run(step =>
        {
            var images = tensor(new[] { 1f, step.Number == 2 ? float.NaN : 2f });
            step.Show(("images", images));
            step.Learn(learner, "loss", (weights * images).sum());
        }, TrainingStore.Open(folder["s"], "", false), null, default));
        error.Message.ShouldContain("step 3");
        var file = folder["s/stage.step3.batch.safetensors"];
        error.Hint!.ShouldContain(file);
        var kept = SafetensorsFile.Load(file)["images"].data<float>().ToArray();
        kept[0].ShouldBe(1f);
        kept[1].ShouldBe(float.NaN);
        weights.isfinite().all().ToBoolean().ShouldBeTrue();
    }

    [Fact]
    public void Half_is_refused_on_a_cpu_with_the_reason()
    {
        var error = Should.Throw<MaisiException>(() => new Learner("", [new Parameter(zeros(1))], Plain with { Precision = TrainingPrecision.Float16 }));
        error.Message.ShouldContain("needs CUDA");
        error.Hint!.ShouldContain("bf16");
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        Should.Throw<MaisiException>(() => new EngineOptions { EmaDecay = 1 }.Over(Plain)).Message.ShouldContain("ema_decay");
        Should.Throw<MaisiException>(() => new EngineOptions { Accumulate = 0 }.Over(Plain)).Message.ShouldContain("accumulate");
        new EngineOptions { ClipNorm = 2, Schedule = RateSchedule.Polynomial }.Over(Plain).ShouldBe(Plain with { ClipNorm = 2, Schedule = RateSchedule.Polynomial });
    }

    private static (float[] Weights, StageSummary Summary)? Train(string folder, string variant, int? stopAt)
    {
        var settings = variant switch
        {
            "accumulate" => Plain with { Accumulate = 3 },
            "clip" => Plain with { ClipNorm = 0.1 },
            "average" => Plain with { EmaDecay = 0.9 },
            "warmup" => Plain with { Schedule = RateSchedule.WarmupCosine, WarmupSteps = 4 },
            "polynomial" => Plain with { Schedule = RateSchedule.Polynomial, Decoupled = false, StepsPerEpoch = 4 },
            "bf16" => Plain with { Precision = TrainingPrecision.BFloat16 },
            "patience" => Plain with { ValidateEvery = 2, Patience = 4, EmaDecay = 0.9 },
            _ => Plain,
        };
        using var scope = NewDisposeScope();
        var layer = Layer();
        var second = new Parameter(ones(1));
        var random = new TrainingRandom(4);
        Learner first = new("", layer.parameters(), settings), other = new("other", [second], settings);
        using var log = new TrainingLog(Path.Combine(folder, "log"));
        using var stop = new CancellationTokenSource();
        using var stage = new TrainingStage(settings, variant == "two learners" ? [first, other] : [first], random)
        {
            Log = log,
            Validate = variant == "patience" ? _ => layer.get_parameter("weight")!.abs().sum().ToDouble() : null,
        };
        try
        {
            var summary = stage.Run(step =>
            {
                if (step.Number == stopAt && step.Part == 0)
                    stop.Cancel();
                var images = tensor(new[] { random.NextDouble(), random.NextDouble(), random.NextDouble() }).to(ScalarType.Float32);
                Tensor loss;
                using (settings.Autocast(CPU))
                    loss = (layer.call(images) - 1).abs().mean();
                step.Learn(first, "loss", loss);
                if (variant == "two learners")
                    step.Learn(other, "other", (second - images.mean()).pow(2).sum());
            }, TrainingStore.Open(Path.Combine(folder, "state"), variant, resume: true), null, stop.Token);
            return ([.. layer.parameters().Append(second).SelectMany(p => p.detach().reshape(-1).data<float>().ToArray())], summary);
        }
        catch (OperationCanceledException) when (stopAt is not null)
        {
            return null;
        }
    }

    private static Linear Layer()
    {
        var layer = nn.Linear(3, 4);
        WeightInitialization.Draw(nn.Sequential(("layer", layer)), 3);
        return layer;
    }

    private static float[] Weights(string folder, StageSettings settings, Func<Linear, TrainingStep, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        var layer = Layer();
        var learner = new Learner("", layer.parameters(), settings);
        using var stage = new TrainingStage(settings, [learner], new TrainingRandom(1));
        stage.Run(step => step.Learn(learner, "loss", loss(layer, step)), TrainingStore.Open(folder, "", false), null, default);
        return [.. layer.parameters().SelectMany(p => p.detach().reshape(-1).data<float>().ToArray())];
    }
}
