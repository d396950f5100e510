using System.Runtime.CompilerServices;

namespace Maisi.Bridge.TestSupport;

/// <summary>Where tests find the repository, its fixtures, and optional data that is not part of it.</summary>
internal static class TestPaths
{
    /// <summary>The repository root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file under tests/fixtures.</summary>
    public static string Fixture(params string[] parts) => Path.Combine([Root, "tests", "fixtures", .. parts]);

    /// <summary>A golden fixture of MONAI 1.5.0 under tests/fixtures/golden.</summary>
    public static string Golden(params string[] parts) => Path.Combine([Root, "tests", "fixtures", "golden", .. parts]);

    /// <summary>Real CT data (MAISI_TEST_DATA, or ../shared/data beside the repository); null when there is none.</summary>
    public static string? RealData { get; } = FirstFolder(Environment.GetEnvironmentVariable("MAISI_TEST_DATA"), Path.Combine(Root, "..", "shared", "data"));

    /// <summary>Reference files (MAISI_TEST_REFERENCE, or ../shared/reference beside the repository); null when there are none.</summary>
    public static string? Reference { get; } = FirstFolder(Environment.GetEnvironmentVariable("MAISI_TEST_REFERENCE"), Path.Combine(Root, "..", "shared", "reference"));

    /// <summary>A new empty folder, deleted when the returned object is disposed.</summary>
    public static TemporaryFolder Temporary() => new();

    private static string? FirstFolder(params string?[] candidates) => candidates.FirstOrDefault(c => c is not null && Directory.Exists(c)) is { } found ? Path.GetFullPath(found) : null;

    private static string FindRoot([CallerFilePath] string here = "")
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Path.GetDirectoryName(here)! })
        {
            for (var at = new DirectoryInfo(start); at is not null; at = at.Parent)
                if (File.Exists(Path.Combine(at.FullName, "Maisi.Bridge.sln")))
                    return at.FullName;
        }
        throw new DirectoryNotFoundException("Maisi.Bridge.sln not found above the test assembly");
    }
}

/// <summary>A folder that lives as long as a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("maisi-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
