using System.Net;

namespace Maisi.Bridge.Client;

/// <summary>The service refused a request, or a job failed.</summary>
/// <param name="problem">What it said.</param>
public sealed class MaisiServiceException(Problem problem)
    : HttpRequestException(Text(problem), null, (HttpStatusCode)problem.Status)
{
    /// <summary>What the service said.</summary>
    public Problem Problem { get; } = problem;

    private static string Text(Problem problem)
    {
        var fields = problem.Errors is { Count: > 0 } errors ? $" ({string.Join("; ", errors.Select(e => $"{e.Field}: {e.Detail}"))})" : "";
        return $"{problem.Title} {problem.Detail}{fields} {problem.Hint}".Trim();
    }
}
