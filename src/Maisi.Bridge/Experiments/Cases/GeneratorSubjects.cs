using System.Text.Json;

namespace Maisi.Bridge.Experiments;

/// <summary>Whom the generator of synthetic cases was trained on.</summary>
/// <param name="Source">The file that says so; null when nobody knows.</param>
/// <param name="Patients">Their ids.</param>
internal sealed record GeneratorSubjects(string? Source, IReadOnlyList<string> Patients)
{
    /// <summary>Where a bundle names its training subjects: a JSON list of ids.</summary>
    public const string FileInBundle = "docs/training_subjects.json";

    /// <summary>Finds them by the config, or by the bundle that made the cases.</summary>
    /// <exception cref="MaisiException">Nobody knows, and the config does not allow that.</exception>
    public static GeneratorSubjects Find(ExperimentConfig config)
    {
        if (config.Synthetic is not { } section || !config.Arms.Any(a => a is ArmKind.RealSynthetic or ArmKind.Synthetic))
            return new GeneratorSubjects(null, []);
        var file = section.GeneratorSubjects is { } named ? config.PathOf(named) : Bundle(config, section) is { } bundle ? Path.Combine(bundle, FileInBundle) : null;
        if (file is not null && (section.GeneratorSubjects is not null || File.Exists(file)))
            return new GeneratorSubjects(file, new CaseLists(file, Path.GetDirectoryName(file)!, PatientNames.Pattern(config.Data.PatientPattern)).Subjects());
        if (section.AllowUnknownGenerator)
            return new GeneratorSubjects(null, []);
        throw new ExperimentException("Nobody knows whom the generator was trained on, so that its training subjects could be among the test cases.", file ?? "synthetic",
            "Name them in synthetic.generator_subjects (a datalist or a JSON list), or set synthetic.allow_unknown_generator to true; the report will say so.");
    }

    private static string? Bundle(ExperimentConfig config, SyntheticSection section)
    {
        if (section.Bundle is { } bundle)
            return config.PathOf(bundle);
        // The run's manifest lies beside its datalist and names the bundle's folder.
        var manifest = Path.Combine(Path.GetDirectoryName(config.PathOf(section.Datalist!))!, Generation.SynthesisRun.ManifestName);
        if (!File.Exists(manifest))
            return null;
        using var json = JsonDocument.Parse(File.ReadAllBytes(manifest));
        return json.RootElement.TryGetProperty("bundle_path", out var path) && path.GetString() is { } folder ? Path.GetFullPath(folder) : null;
    }
}
