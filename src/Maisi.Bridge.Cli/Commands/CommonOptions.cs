using System.CommandLine;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>Options that many commands share.</summary>
internal static class CommonOptions
{
    /// <summary>Data as JSON on stdout.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON on stdout." };

    /// <summary>No progress on stderr.</summary>
    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "No progress on stderr." };

    /// <summary>--device: where networks run.</summary>
    public static Option<string> Device() => new("--device") { Description = "Where networks run: cpu, cuda or cuda:N.", DefaultValueFactory = _ => "cpu" };
}
