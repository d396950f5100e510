using System.Collections.Concurrent;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Experiments;

/// <summary>SHA-256 of files, each read once.</summary>
internal sealed class FileHashes
{
    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <summary>The hash of a file.</summary>
    public string Of(string path) => _known.GetOrAdd(path, p => HashedFile.Of(p).Sha256);

    /// <summary>Reads the files of cases on all cores.</summary>
    public void Read(IEnumerable<ExperimentCase> cases, CancellationToken cancellation) =>
        Parallel.ForEach(cases.SelectMany(c => new[] { c.Image, c.Label }), new ParallelOptions { CancellationToken = cancellation }, path => Of(path));
}

/// <summary>
/// What a list of cases must keep so that a result on it means something: every case once, every patient in one fold or in the test set,
/// nothing synthetic made from a test patient, no subject of the generator validated or tested on.
/// </summary>
internal static class CaseContract
{
    /// <summary>How far corners of an image and its label map may lie apart, in the unit of their grids.</summary>
    public const double GridTolerance = 1e-2;

    /// <summary>Checks cases before folds are given to those that have none.</summary>
    /// <exception cref="ExperimentException">Something is twice, or a synthetic case comes from a test patient.</exception>
    public static void CheckIdentity(IReadOnlyList<ExperimentCase> cases, FileHashes hashes)
    {
        Unique(cases, c => c.CaseId, (c, other) => $"The case id '{c.CaseId}' is used twice, first at {other.Where}.");
        Unique(cases, c => Path.GetFullPath(c.Image), (_, other) => $"The image is listed twice, first at {other.Where}.");
        Unique(cases, c => Path.GetFullPath(c.Label), (_, other) => $"The label map is listed twice, first at {other.Where}.");
        Unique(cases, c => hashes.Of(c.Image), (c, other) => $"The image has the same bytes as that of '{other.CaseId}' at {other.Where}.");
        if (!cases.Any(c => c.Test))
            throw new ExperimentException("There is no test case: the comparison needs held-out real cases.", cases.Count > 0 ? cases[0].Where : "data", "Add \"testing\" to the datalist, or name data.test_patients.");
        if (!cases.Any(c => c is { Test: false, Synthetic: false }))
            throw new ExperimentException("There is no real training case.", "data");
    }

    /// <summary>Checks cases that have their folds.</summary>
    /// <param name="cases">All of them.</param>
    /// <param name="folds">How many folds there are.</param>
    /// <exception cref="ExperimentException">A patient is in two places, or a fold has nobody.</exception>
    public static void CheckFolds(IReadOnlyList<ExperimentCase> cases, int folds)
    {
        var places = new Dictionary<string, (string Place, ExperimentCase Case)>(StringComparer.Ordinal);
        foreach (var item in cases.Where(c => !c.Synthetic))
        {
            var place = Place(item);
            if (!item.Test && !item.TrainOnly && (item.Fold is not { } fold || fold >= folds))
            {
                throw new ExperimentException($"The case '{item.CaseId}' is in {place} of {folds}, numbered from 0.", item.Where,
                    "Every real training case has a \"fold\" (or \"train_only\"), or none has and data.assign_folds is true.");
            }
            if (!places.TryAdd(item.PatientId, (place, item)) && places[item.PatientId] is var (before, first) && before != place)
            {
                throw new ExperimentException($"The patient '{item.PatientId}' is in {place} here and in {before} at {first.Where}.", item.Where,
                    "All images of a patient belong to one fold, or to the test set.");
            }
        }
        var empty = Enumerable.Range(0, folds).FirstOrDefault(f => !cases.Any(c => c.Fold == f), -1);
        if (empty >= 0)
            throw new ExperimentException($"Fold {empty} of {folds} has no case to validate on.", "folds", "Give cases to every fold from 0, or change the number of folds.");
        foreach (var item in cases.Where(c => c.Synthetic))
            if (item.Parents.FirstOrDefault(p => places.TryGetValue(p, out var at) && at.Case.Test) is { } parent)
                throw new ExperimentException($"The synthetic case '{item.CaseId}' was made from the test patient '{parent}'.", item.Where, "Leave it out, or take the patient out of the test set.");
    }

    /// <summary>Refuses images and label maps that do not lie on the same grid, by their headers.</summary>
    /// <exception cref="ExperimentException">There is one, or a header is damaged.</exception>
    public static void CheckGrids(IReadOnlyList<ExperimentCase> cases, CancellationToken cancellation)
    {
        foreach (var item in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            var (image, label) = (Header(item.Image, item), Header(item.Label, item));
            if (image.Channels != 1)
                throw new ExperimentException($"The image of '{item.CaseId}' has {image.Channels} channels, and experiments take one.", item.Where);
            if (!image.Grid.Matches(label.Grid, GridTolerance))
            {
                throw new ExperimentException($"Image ({image.Grid}) and label map ({label.Grid}) of '{item.CaseId}' do not lie on the same grid.", item.Where,
                    "Resample the label map to the image.");
            }
        }
    }

    /// <summary>Refuses patients that the generator was trained on in the test set or in a validation.</summary>
    /// <param name="cases">All cases.</param>
    /// <param name="subjects">The generator's training subjects.</param>
    /// <param name="source">Where they are named.</param>
    /// <exception cref="ExperimentException">There is one.</exception>
    public static void CheckGenerator(IReadOnlyList<ExperimentCase> cases, IReadOnlyCollection<string> subjects, string source)
    {
        var known = subjects.ToHashSet(StringComparer.Ordinal);
        if (cases.FirstOrDefault(c => c is { Synthetic: false, TrainOnly: false } && known.Contains(c.PatientId)) is { } contaminated)
        {
            throw new ExperimentException(
                $"The patient '{contaminated.PatientId}' is in {Place(contaminated)}, but the generator was trained on it (says {source}).", contaminated.Where,
                contaminated.Test ? "Test on patients that the generator has never seen." : "Set \"train_only\": true: the patient is then trained on in all folds and validated in none.");
        }
    }

    private static VolumeInfo Header(string file, ExperimentCase item)
    {
        try
        {
            return VolumeFile.ReadInfo(file);
        }
        catch (MaisiException e)
        {
            throw new ExperimentException($"A file of '{item.CaseId}' cannot be read: {Path.GetFileName(file)}: {e.Message}", item.Where, e.Hint);
        }
    }

    private static string Place(ExperimentCase item) => item switch
    {
        { Test: true } => "the test set",
        { TrainOnly: true } => "the training of all folds",
        { Fold: { } fold } => $"fold {fold}",
        _ => "no fold",
    };

    private static void Unique(IReadOnlyList<ExperimentCase> cases, Func<ExperimentCase, string> key, Func<ExperimentCase, ExperimentCase, string> message)
    {
        var seen = new Dictionary<string, ExperimentCase>(StringComparer.Ordinal);
        foreach (var item in cases)
            if (!seen.TryAdd(key(item), item))
                throw new ExperimentException(message(item, seen[key(item)]), item.Where);
    }
}
