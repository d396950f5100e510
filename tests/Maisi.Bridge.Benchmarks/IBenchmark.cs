using System.Globalization;

namespace Maisi.Bridge.Benchmarks;

/// <summary>A benchmark of its own name; found by reflection, so a new file is all it takes.</summary>
internal interface IBenchmark
{
    /// <summary>What the command line calls it.</summary>
    string Name { get; }

    /// <summary>What it measures, and its options.</summary>
    string Description { get; }

    /// <summary>Measures and prints; gives the exit code.</summary>
    int Run(BenchmarkOptions options);
}

/// <summary>Options of the form --name value.</summary>
internal sealed class BenchmarkOptions(string[] arguments)
{
    public int Number(string name, int otherwise) => Text(name, "") is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    public string Text(string name, string otherwise)
    {
        var at = Array.IndexOf(arguments, "--" + name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : otherwise;
    }
}
