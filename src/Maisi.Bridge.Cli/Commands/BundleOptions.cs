using System.CommandLine;
using System.Runtime.CompilerServices;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Interop;
using Maisi.Bridge.Python;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>
/// Commands with MONAI's way of arguments: options are shown by help, and every other <c>--key value</c> overrides the config. The tokens
/// are read as Python Fire reads them, not by the option parser.
/// </summary>
internal static class BundleOptions
{
    /// <summary>A command whose action gets MONAI-style arguments.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    /// <param name="positional">Parameters that may be given without a key, in order.</param>
    /// <param name="options">Options with their descriptions, for help.</param>
    /// <param name="action">What it does; the result is the exit code.</param>
    /// <param name="alias">MONAI's name of the command, when it is not the same with underscores.</param>
    public static Command Create(
        string name, string description, IReadOnlyList<string> positional, IReadOnlyList<(string Name, string Description)> options,
        Func<BundleArguments, CancellationToken, Task<int>> action, string? alias = null)
    {
        var command = new Command(name, description) { TreatUnmatchedTokensAsErrors = false };
        if (alias is not null || name.Contains('-'))
            command.Aliases.Add(alias ?? name.Replace('-', '_'));
        foreach (var (option, text) in options)
        {
            var added = new Option<string[]>($"--{option}") { Description = text, Arity = ArgumentArity.ZeroOrMore, AllowMultipleArgumentsPerToken = false };
            if (option.Contains('_'))
                added.Aliases.Add($"--{option.Replace('_', '-')}");
            command.Options.Add(added);
        }
        command.SetAction((result, cancellation) =>
        {
            var tokens = result.Tokens.Select(t => t.Value).ToList();
            var start = tokens.IndexOf("bundle") + 2;
            return action(BundleArguments.Parse(tokens[start..], positional, Environment.CurrentDirectory), cancellation);
        });
        return command;
    }

    /// <summary>How the command reads and resolves configs; takes its own options out of the arguments.</summary>
    public static ConfigParserOptions ParserOptions(BundleArguments arguments) => new()
    {
        Registry = TargetRegistryBuilder.Standard(),
        Output = Console.Out,
        Warn = message => Console.Error.WriteLine($"warning: {message}"),
        AllowedFolders = arguments.TakeList("allow_path"),
        Python = arguments.TakeFlag("allow_python") ? Python() : null,
    };

    // Of its own, so that the Python host is loaded only where it is asked for.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static IPythonEvaluator Python() => new PythonEvaluator(new PythonRuntime(new PythonOptions(), StandardErrorLogs.Factory(), TimeProvider.System));

    /// <summary>The options that every command with a config has.</summary>
    public static (string Name, string Description)[] Config { get; } =
    [
        ("config_file", "Config file, or a list: \"['a.json','b.json']\"; later files win."),
        ("meta_file", "Metadata file; default metadata.json beside the config."),
        ("args_file", "JSON or YAML file with defaults for all of these arguments."),
        ("allow_python", "Hand what is not native to Python: the bundle can then run any code."),
        ("allow_path", "Folder outside the bundle that macros may read and in which expressions may make folders."),
    ];
}
