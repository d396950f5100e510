using System.Text;

namespace Maisi.Bridge.Cli.Tests;

/// <summary>
/// Runs a command line with its output and errors as text; tests that use it are in the collection "console". What other tests of the
/// process write meanwhile goes where it would have gone.
/// </summary>
internal static class CapturedConsole
{
    public static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var capturedOutput = new OwnWriter(output);
        using var capturedError = new OwnWriter(error);
        Console.SetOut(capturedOutput);
        Console.SetError(capturedError);
        try
        {
            var root = new System.CommandLine.RootCommand();
            foreach (var command in CommandCatalog.All())
                root.Subcommands.Add(command);
            return (await CommandRunner.RunAsync(root, arguments), capturedOutput.Text, capturedError.Text);
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    /// <summary>Keeps what is written by the test that made it and by all that it started; hands on the rest.</summary>
    private sealed class OwnWriter : TextWriter
    {
        private readonly AsyncLocal<bool> _own = new() { Value = true };
        private readonly StringWriter _kept = new();
        private readonly TextWriter _others;

        public OwnWriter(TextWriter others) => _others = others;

        public override Encoding Encoding => _others.Encoding;

        public string Text
        {
            get
            {
                lock (_kept)
                    return _kept.ToString();
            }
        }

        public override void Write(char value)
        {
            if (!_own.Value)
            {
                _others.Write(value);
                return;
            }
            lock (_kept)
                _kept.Write(value);
        }
    }
}
