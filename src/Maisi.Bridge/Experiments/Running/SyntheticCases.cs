using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Experiments;

/// <summary>Makes the synthetic cases of an experiment on the spot: images of label maps of training patients, who are recorded as parents.</summary>
internal static class SyntheticCases
{
    /// <summary>Makes them, or goes on with it.</summary>
    /// <returns>Their datalist; null when the config names one of its own or needs none.</returns>
    /// <exception cref="MaisiException">The bundle cannot be used.</exception>
    public static string? Make(ExperimentConfig config, string output, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (config.Synthetic is not { Bundle: { } bundle } section || !config.Arms.Any(a => a is ArmKind.RealSynthetic or ArmKind.Synthetic))
            return null;
        var parents = ExperimentPlanner.RealCases(config, cancellation).Where(c => !c.Test).OrderBy(c => ExperimentPlanner.Lot($"parent|{c.CaseId}"), StringComparer.Ordinal).ToList();
        var each = (section.Count + parents.Count - 1) / parents.Count;
        var masks = parents.Take((section.Count + each - 1) / each).Select(c => c.Label).ToList();
        var options = new GenerationOptions
        {
            Kind = PipelineKind.FromMask,
            Seed = section.Seed,
            Steps = section.Steps,
            Count = each,
            Retries = 0,
            Device = config.Devices[0],
        };
        var run = new SynthesisRun(config.PathOf(bundle), options, output) { Masks = masks, Resume = true };
        run.Execute(progress, cancellation);
        return Path.Combine(output, RunIndex.DatalistName);
    }
}
