using System.CommandLine;
using Maisi.Bridge.Cli.Commands;

namespace Maisi.Bridge.Cli;

/// <summary>Every subcommand of <c>maisi</c>, one class per group in <c>Commands/</c>.</summary>
internal static class CommandCatalog
{
    /// <summary>The subcommands in the order in which help lists them.</summary>
    public static IEnumerable<Command> All() =>
    [
        QuickstartCommand.Create(),
        GenerateCommand.Create(),
        ReplayCommand.Create(),
        TrainCommand.Create(),
        BundleCommand.Create(),
        NetworkCommand.Create(),
        VolumeCommand.Create(),
        MaskCommand.Create(),
        DoctorCommand.Create(),
        PythonCommand.Create(),
        PythonCommand.Worker(),
    ];
}
