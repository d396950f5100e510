using System.CommandLine;
using Maisi.Bridge.Cli.Commands;

namespace Maisi.Bridge.Cli;

/// <summary>Every subcommand of <c>maisi</c>, one class per group in <c>Commands/</c>.</summary>
internal static class CommandCatalog
{
    /// <summary>The subcommands that a command line needs: making all of them takes longer than resolving a config.</summary>
    public static IEnumerable<Command> For(string[] args) => args is ["bundle", ..] ? [BundleCommand.Create()] : All();

    /// <summary>The subcommands in the order in which help lists them.</summary>
    public static IEnumerable<Command> All() =>
    [
        QuickstartCommand.Create(),
        GenerateCommand.Create(),
        ReplayCommand.Create(),
        ServeCommand.Create(),
        TrainCommand.Create(),
        ExperimentCommand.Create(),
        BundleCommand.Create(),
        EvaluateCommand.Create(),
        NetworkCommand.Create(),
        VolumeCommand.Create(),
        MaskCommand.Create(),
        DoctorCommand.Create(),
        PythonCommand.Create(),
        PythonCommand.Worker(),
    ];
}
