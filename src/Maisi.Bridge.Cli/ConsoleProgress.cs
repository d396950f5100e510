namespace Maisi.Bridge.Cli;

/// <summary>Progress on stderr: one line that is rewritten on a terminal, a line every five seconds and per stage elsewhere.</summary>
internal sealed class ConsoleProgress(TextWriter error, bool interactive) : IProgress<WorkProgress>
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private string? stage;
    private long lastLine;
    private int width;

    /// <summary>Progress of this process; silent when asked to be.</summary>
    public static IProgress<WorkProgress> Create(bool quiet) => quiet ? new Silent() : new ConsoleProgress(Console.Error, !Console.IsErrorRedirected);

    /// <inheritdoc/>
    public void Report(WorkProgress value)
    {
        lock (gate)
        {
            var finished = value.Done >= value.Total;
            var due = stage != value.Stage || finished || TimeProvider.System.GetElapsedTime(lastLine) >= (interactive ? TimeSpan.FromMilliseconds(200) : Quiet);
            if (!due)
                return;
            stage = value.Stage;
            lastLine = TimeProvider.System.GetTimestamp();
            var text = Text(value);
            if (interactive)
            {
                error.Write('\r' + text.PadRight(width));
                width = text.Length;
                if (finished)
                    error.WriteLine();
            }
            else
            {
                error.WriteLine(text);
            }
        }
    }

    /// <summary>The line for a state, for instance "denoise 12/30, 8 s left, loss 0.12".</summary>
    internal static string Text(WorkProgress value)
    {
        var text = $"{value.Stage} {value.Done}/{value.Total}";
        if (value.Remaining is { } left && value.Done < value.Total)
            text += left.TotalSeconds < 90 ? $", {Math.Ceiling(left.TotalSeconds):F0} s left" : $", {Math.Ceiling(left.TotalMinutes):F0} min left";
        return value.Detail is null ? text : $"{text}, {value.Detail}";
    }

    private sealed class Silent : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
        }
    }
}
