using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.Training;

namespace Maisi.Bridge.Tests.Training;

public sealed class TrainingRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("maisi-train-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("autoencoder", 1)]
    [InlineData("autoencoder-whole", 1)]
    [InlineData("diffusion-unet", 2)]
    [InlineData("controlnet", 3)]
    public void An_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(string stage, int step)
    {
        var config = TinyTraining.Config();
        var cases = TinyTraining.Cases(config);
        var straight = Path.Combine(_folder, "straight");
        var reference = new TrainingRun(config, straight).Execute(cases, []);

        var broken = Path.Combine(_folder, "broken");
        using var stop = new CancellationTokenSource();
        var progress = new Inline(p =>
        {
            if (p.Stage == stage && p.Done == step)
                stop.Cancel();
        });
        Should.Throw<OperationCanceledException>(() => new TrainingRun(config, broken).Execute(cases, [], progress, stop.Token));
        Directory.Exists(broken).ShouldBeFalse();
        // What a run that is killed while it writes the bundle leaves.
        File.WriteAllText(Directory.CreateDirectory(Path.Combine(broken + ".training", "bundle")).FullName + "/left.txt", "of a killed run");

        var seen = new List<(string Stage, long Done)>();
        var report = new TrainingRun(config, broken, resume: true).Execute(cases, [], new Inline(p => seen.Add((p.Stage, p.Done))));
        seen.ShouldNotContain(p => p.Stage == stage && p.Done <= step);
        seen.ShouldContain(p => p.Stage == "controlnet");
        report.Stages.Select(s => s.Losses).ShouldBe(reference.Stages.Select(s => s.Losses), new SequenceComparer());
        foreach (var file in Directory.EnumerateFiles(Path.Combine(straight, "models")))
            Weights(Path.Combine(broken, "models", Path.GetFileName(file))).ShouldBe(Weights(file), Path.GetFileName(file));
        Directory.GetDirectories(_folder).Select(Path.GetFileName).Order().ShouldBe(["broken", "straight"]);
        File.Exists(Path.Combine(broken, "left.txt")).ShouldBeFalse();
    }

    [Fact]
    public void An_unfinished_training_is_neither_overwritten_nor_mixed_with_another()
    {
        var config = TinyTraining.Config();
        var cases = TinyTraining.Cases(config);
        var output = Path.Combine(_folder, "out");
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => new TrainingRun(config, output).Execute(cases, [], new Inline(_ => stop.Cancel()), stop.Token));

        var refused = Should.Throw<MaisiException>(() => new TrainingRun(config, output).Execute(cases, []));
        refused.Message.ShouldContain("unfinished");
        refused.Hint!.ShouldContain("--resume");
        Should.Throw<MaisiException>(() => new TrainingRun(config with { Seed = 9 }, output, resume: true).Execute(cases, [])).Message.ShouldContain("another config");
        Should.Throw<MaisiException>(() => new TrainingRun(config, output, resume: true).Execute([cases[0], cases[0]], [])).Message.ShouldContain("other data");
        File.Exists(Path.Combine(output + ".training", "autoencoder.safetensors")).ShouldBeTrue();
    }

    private static Dictionary<string, string> Weights(string path)
    {
        using var file = CheckpointFile.Open(path);
        return file.Flatten().ToDictionary(t => t.Key, t =>
        {
            using var tensor = t.Value.ToTensor();
            return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(tensor.bytes));
        });
    }

    private sealed class Inline(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }

    private sealed class SequenceComparer : IEqualityComparer<IReadOnlyList<double>>
    {
        public bool Equals(IReadOnlyList<double>? x, IReadOnlyList<double>? y) => x!.SequenceEqual(y!);

        public int GetHashCode(IReadOnlyList<double> values) => values.Count;
    }
}
