using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Experiments;

/// <summary>
/// Runs an experiment: synthetic cases, plan, every arm and fold with every seed, ensembles on the test set, statistics, report. What is
/// done is kept; the next run goes on where this one was stopped and ends with the same numbers.
/// </summary>
/// <param name="config">The experiment.</param>
/// <param name="output">Its folder.</param>
public sealed class ExperimentRunner(ExperimentConfig config, string output)
{
    /// <summary>Runs what is not done yet.</summary>
    /// <exception cref="MaisiException">The data is wrong, the plan would leak, or a training failed; the message says which.</exception>
    public async Task<ExperimentResults> RunAsync(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var folder = ExperimentFolder.Begin(output);
        try
        {
            folder.CheckConfig(config);
            var generated = await Task.Factory.StartNew(
                () => SyntheticCases.Make(config, folder.Synthetic, progress, cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            var plan = ExperimentPlanner.Plan(config, generated, cancellation);
            folder.Keep(config, plan);
            await using var trainer = Trainer(plan, folder);
            await TrainAsync(plan, folder, trainer, progress, cancellation);
            foreach (var (arm, seed) in Ensembles())
                await TestAsync(plan, folder, trainer, arm, seed, progress, cancellation);
            return Finish(folder, plan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var error = new MaisiException($"The experiment stopped: {e.Message}", folder.Root, "Make room, or the folder writable; the same command then goes on where it stopped.", e);
            folder.Fail(error);
            throw error;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            folder.Fail(e);
            throw;
        }
    }

    /// <summary>Where the experiment in a folder stands.</summary>
    /// <exception cref="MaisiException">There is none.</exception>
    public static ExperimentStatus Status(string output)
    {
        using var folder = ExperimentFolder.Look(output);
        var (plan, config) = folder.Planned();
        var runner = new ExperimentRunner(config, output);
        var units = runner.Units(plan).Select(u => One(u.Folder, folder.Result(u.Folder, ExperimentJson.Default.UnitResult)?.Validation));
        var tests = runner.Ensembles().Select(e => ExperimentFolder.Test(e.Arm, e.Seed)).Select(name => One(name, folder.Result(name, ExperimentJson.Default.TestResult)?.Cases));
        return new ExperimentStatus
        {
            Units = [.. units, .. tests],
            Finished = File.Exists(Path.Combine(folder.Root, ExperimentFolder.ResultsName)),
            LastError = folder.LastError(),
        };

        UnitStatus One(string name, IReadOnlyList<CaseScore>? scores) => new(
            name, scores is not null ? UnitState.Done : folder.Begun(name) ? UnitState.Begun : UnitState.Waiting,
            scores?.SelectMany(s => s.Dice.Values).DefaultIfEmpty(double.NaN).Average() is { } mean && double.IsFinite(mean) ? mean : null);
    }

    /// <summary>Computes the statistics of an experiment whose trainings are all done, and writes its results and report again.</summary>
    /// <exception cref="MaisiException">There is no experiment, or a training is not done.</exception>
    public static ExperimentResults Report(string output)
    {
        using var folder = ExperimentFolder.Look(output);
        var (plan, config) = folder.Planned();
        if (Status(output).Units.FirstOrDefault(u => u.State != UnitState.Done) is { } open)
            throw new MaisiException($"The experiment is not finished: {open.Name} is not done.", output, "Go on with it: 'maisi experiment run'.");
        return new ExperimentRunner(config, output).Finish(folder, plan);
    }

    private ISegmentationTrainer Trainer(ExperimentPlan plan, ExperimentFolder folder) => config.Trainer == TrainerKind.Auto3DSeg
        ? new Auto3DSegTrainer(config, plan, folder)
        : new SegResNetTrainer(config, plan, folder);

    // Fold by fold, so that the arms can be compared long before the end.
    private IEnumerable<TrainingUnit> Units(ExperimentPlan plan) =>
        from seed in config.Seeds
        from fold in Enumerable.Range(0, config.Folds)
        from arm in plan.Arms
        select new TrainingUnit(arm.Arm, seed, arm.Folds[fold], "");

    private IEnumerable<(ArmKind Arm, ulong Seed)> Ensembles() => from seed in config.Seeds from arm in config.Arms select (arm, seed);

    private async Task TrainAsync(ExperimentPlan plan, ExperimentFolder folder, ISegmentationTrainer trainer, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var cases = plan.Cases.ToDictionary(c => c.CaseId, StringComparer.Ordinal);
        var open = new ConcurrentQueue<TrainingUnit>(Units(plan).Where(u => folder.Result(u.Folder, ExperimentJson.Default.UnitResult) is null));
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var workers = config.Devices.Select(device => WorkAsync(device)).ToList();
        try
        {
            await Task.WhenAll(workers);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The first failure stops the trainings on the other devices: it is the one to tell.
            await workers.First(w => w.IsFaulted);
        }

        async Task WorkAsync(string device)
        {
            try
            {
                while (open.TryDequeue(out var next))
                {
                    failed.Token.ThrowIfCancellationRequested();
                    await TrainAsync(next with { Device = device }, folder, trainer, cases, progress, failed.Token);
                }
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }
    }

    private async Task TrainAsync(
        TrainingUnit unit, ExperimentFolder folder, ISegmentationTrainer trainer, Dictionary<string, ExperimentCase> cases, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(folder.Root, unit.Folder));
        TrainedUnit trained;
        try
        {
            trained = await trainer.TrainAsync(unit, Named(unit.Folder, progress), cancellation);
        }
        catch (MaisiException e) when (e is not ExperimentException)
        {
            throw new MaisiException($"The training {unit.Folder} failed: {e.Message}", e.Where, e.Hint ?? "The same command goes on with this training.", e);
        }
        var result = new UnitResult
        {
            Arm = unit.Arm,
            Seed = unit.Seed,
            Fold = unit.Fold.Fold,
            Steps = trained.Steps,
            TrainingCases = [unit.Fold.TrainReal.Count, unit.Fold.TrainSynthetic.Count],
            Seconds = trained.Seconds,
            ProcessorSeconds = trained.ProcessorSeconds,
            Validation = [.. unit.Fold.Validation.Select(id => Score(folder, cases[id], $"{unit.Folder}/validation/{id}.nii.gz"))],
            Models = trained.Models,
            Curve = trained.Curve,
            Versions = trained.Versions,
        };
        folder.Done(unit.Folder, result, ExperimentJson.Default.UnitResult);
        trainer.Forget(unit);
    }

    private async Task TestAsync(
        ExperimentPlan plan, ExperimentFolder folder, ISegmentationTrainer trainer, ArmKind arm, ulong seed, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var name = ExperimentFolder.Test(arm, seed);
        if (folder.Result(name, ExperimentJson.Default.TestResult) is not null)
            return;
        var clock = new StageClock(name, plan.Test.Count, null);
        var units = Units(plan).Where(u => u.Arm == arm && u.Seed == seed).Select(u => folder.Result(u.Folder, ExperimentJson.Default.UnitResult)!).ToList();
        Directory.CreateDirectory(Path.Combine(folder.Root, name));
        await trainer.TestAsync(arm, seed, units, config.Devices[0], Named(name, progress), cancellation);
        var cases = plan.Cases.ToDictionary(c => c.CaseId, StringComparer.Ordinal);
        var scores = plan.Test.Select(id => Score(folder, cases[id], $"{name}/{id}.nii.gz")).ToList();
        folder.Done(name, new TestResult { Arm = arm, Seed = seed, Cases = scores, Seconds = Math.Round(clock.Elapsed.TotalSeconds, 1) }, ExperimentJson.Default.TestResult);
    }

    private CaseScore Score(ExperimentFolder folder, ExperimentCase item, string prediction) =>
        CaseScoring.Score(item, Path.Combine(folder.Root, prediction), prediction, config.Classes);

    private ExperimentResults Finish(ExperimentFolder folder, ExperimentPlan plan)
    {
        var results = new ExperimentResults
        {
            Config = config,
            Plan = plan.Fingerprint,
            Units = [.. Units(plan).Select(u => folder.Result(u.Folder, ExperimentJson.Default.UnitResult)!)],
            Tests = [.. Ensembles().Select(e => folder.Result(ExperimentFolder.Test(e.Arm, e.Seed), ExperimentJson.Default.TestResult)!)],
            Comparisons = [],
            Versions = ProgramInfo.Versions(),
            Notes = Notes(plan),
        };
        var ratio = plan.Arms[0].Folds.Average(f => f.Validation.Count / (double)Math.Max(1, f.TrainReal.Count + f.TrainSynthetic.Count));
        results = results with
        {
            Comparisons = ArmComparison.Compare([.. config.Arms.Select(results.Scores)], [.. config.Classes.Select(c => c.Name)], ratio, config.Statistics),
        };
        folder.Write("scores.csv", Csv(results));
        folder.Write(ExperimentFolder.ResultsName, results.ToJson());
        ExperimentReport.Write(results, plan, folder);
        return results;
    }

    private List<string> Notes(ExperimentPlan plan)
    {
        var notes = new List<string>();
        var patients = plan.Cases.Where(c => c.Test).Select(c => c.PatientId).Distinct(StringComparer.Ordinal).Count();
        if (patients < config.Statistics.LeastPatients)
            notes.Add($"{patients} test patients are too few for a conclusion.");
        if (config.Seeds.Length < 3)
            notes.Add($"{(config.Seeds.Length == 1 ? "One seed" : "Two seeds")}: three or more would show how much of a difference is chance of the training.");
        if (plan.Cases.Any(c => c.Synthetic) && plan.GeneratorSource is null)
            notes.Add("Nobody knows whom the generator was trained on: it may have seen test patients.");
        return notes;
    }

    private string Csv(ExperimentResults results)
    {
        var csv = new StringBuilder("part,arm,seed,fold,case,patient,class,dice,hd95_mm,voxels_predicted,voxels_truth\n");
        foreach (var unit in results.Units)
            foreach (var item in unit.Validation)
                Rows("validation", unit.Arm, unit.Seed, unit.Fold.ToString(CultureInfo.InvariantCulture), item);
        foreach (var test in results.Tests)
            foreach (var item in test.Cases)
                Rows("test", test.Arm, test.Seed, "", item);
        return csv.ToString();

        void Rows(string part, ArmKind arm, ulong seed, string fold, CaseScore item)
        {
            foreach (var name in config.Classes.Select(c => c.Name))
            {
                csv.Append(CultureInfo.InvariantCulture, $"{part},{ArmNames.Of(arm)},{seed},{fold},{item.CaseId},{item.PatientId},{name},");
                csv.Append(CultureInfo.InvariantCulture, $"{Number(item.Dice, name)},{Number(item.Hausdorff95, name)},{item.Voxels[name][0]},{item.Voxels[name][1]}\n");
            }
        }

        static string Number(IReadOnlyDictionary<string, double> values, string name) => values.TryGetValue(name, out var value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
    }

    private static NamedProgress? Named(string name, IProgress<WorkProgress>? progress) => progress is null ? null : new NamedProgress(name, progress);

    private sealed class NamedProgress(string name, IProgress<WorkProgress> target) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => target.Report(value with { Stage = $"{name} {value.Stage}" });
    }
}
