using System.Text.Json;
using Maisi.Bridge.Client;

namespace Maisi.Bridge.Server;

/// <summary>The names of the wire for enumerations.</summary>
internal static class Names
{
    /// <summary>The name of a kind.</summary>
    public static string Of(JobKind kind) => JsonSerializer.SerializeToElement(kind, ClientJson.Default.JobKind).GetString()!;

    /// <summary>The name of a state.</summary>
    public static string Of(JobState state) => JsonSerializer.SerializeToElement(state, ClientJson.Default.JobState).GetString()!;

    /// <summary>The state of a name; null when there is none.</summary>
    public static JobState? State(string name) => Enum.GetValues<JobState>().Where(s => Of(s) == name).Select(s => (JobState?)s).FirstOrDefault();
}
