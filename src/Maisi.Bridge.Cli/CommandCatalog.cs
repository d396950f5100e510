using System.CommandLine;

namespace Maisi.Bridge.Cli;

/// <summary>Every subcommand of <c>maisi</c>, one class per group in <c>Commands/</c>.</summary>
internal static class CommandCatalog
{
    /// <summary>The subcommands in the order in which help lists them.</summary>
    public static IEnumerable<Command> All() =>
    [
        Commands.BundleCommand.Create(),
        Commands.VolumeCommand.Create(),
        Commands.PythonCommand.Create(),
        Commands.PythonCommand.Worker(),
    ];
}
