using System.CommandLine;

namespace Maisi.Bridge.Cli;

/// <summary>Runs a command line and turns errors into one screen on stderr and an exit code.</summary>
internal static class CommandRunner
{
    /// <summary>0 done, 1 a defect of the program, 2 wrong input, 130 cancelled.</summary>
    public const int Ok = 0, Defect = 1, WrongInput = 2, Cancelled = 130;

    // A training's step may take that long, and its state is saved after it. The server minds its signals itself.
    private static readonly TimeSpan TerminationTime = TimeSpan.FromMinutes(1);

    /// <summary>Parses and invokes; stack traces are shown only when MAISI_DEBUG is set to 1.</summary>
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var debug = Environment.GetEnvironmentVariable("MAISI_DEBUG") == "1";
        // A token such as @net is a reference of a bundle config, not a response file.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"maisi: {error.Message}");
            await Console.Error.WriteLineAsync($"  help: maisi {string.Join(' ', Path(parsed))} --help".Replace("  --help", " --help", StringComparison.Ordinal));
            return WrongInput;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = args is ["serve", ..] ? null : TerminationTime });
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("maisi: cancelled");
            return Cancelled;
        }
        catch (MaisiException e)
        {
            await Console.Error.WriteLineAsync(Describe(e));
            if (debug)
                await Console.Error.WriteLineAsync(e.ToString());
            return WrongInput;
        }
        catch (Exception e) when (!debug)
        {
            await Console.Error.WriteLineAsync($"maisi: unexpected {e.GetType().Name}: {e.Message}\n  This is a defect. MAISI_DEBUG=1 shows the stack trace.");
            return Defect;
        }
    }

    /// <summary>The one-screen text of an error: what, where, what to do.</summary>
    public static string Describe(MaisiException e)
    {
        var text = $"maisi: {e.Message}";
        if (e.Where is not null)
            text += $"\n  where: {e.Where}";
        if (e.Hint is not null)
            text += $"\n  do: {e.Hint}";
        return text;
    }

    private static Stack<string> Path(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (var at = parsed.CommandResult; at is not null && at.Command is not RootCommand; at = at.Parent as System.CommandLine.Parsing.CommandResult)
            names.Push(at.Command.Name);
        return names;
    }
}
