using System.Collections.Concurrent;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>How long jobs take, learned from those that ended: an average per kind, size and steps that follows the latest ones.</summary>
internal sealed class DurationEstimate
{
    private const double NewWeight = 0.3;

    private readonly ConcurrentDictionary<string, double> _secondsPerSample = new(StringComparer.Ordinal);

    /// <summary>Learns from a job.</summary>
    public void Learn(GenerationOptions options, TimeSpan taken) =>
        _secondsPerSample.AddOrUpdate(Key(options), _ => taken.TotalSeconds / options.Count, (_, known) => known + (NewWeight * ((taken.TotalSeconds / options.Count) - known)));

    /// <summary>Seconds that a job takes; null when nothing like it has ended yet.</summary>
    public double? Of(GenerationOptions options) => _secondsPerSample.TryGetValue(Key(options), out var seconds) ? seconds * options.Count : null;

    private static string Key(GenerationOptions options) =>
        FormattableString.Invariant($"{options.Kind} {(options.Size is { } s ? string.Join('x', s) : "-")} {options.Steps} {options.MaskSteps} {options.UsesMaskModel}");
}
