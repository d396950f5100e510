namespace Maisi.Bridge.Cli.Tests;

/// <summary>Runs a command line with its output and errors as text; tests that use it are in the collection "console".</summary>
internal static class CapturedConsole
{
    public static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var capturedOutput = new StringWriter();
        using var capturedError = new StringWriter();
        Console.SetOut(capturedOutput);
        Console.SetError(capturedError);
        try
        {
            var root = new System.CommandLine.RootCommand();
            foreach (var command in CommandCatalog.All())
                root.Subcommands.Add(command);
            return (await CommandRunner.RunAsync(root, arguments), capturedOutput.ToString(), capturedError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }
}
