using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>Messages of the service: events 11000 to 11099.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(11000, LogLevel.Information, "{Bundle} is loaded on {Device}")]
    public static partial void Ready(ILogger log, string bundle, string device);

    [LoggerMessage(11001, LogLevel.Critical, "the weights of {Bundle} cannot be loaded")]
    public static partial void CannotLoad(ILogger log, string bundle, Exception e);

    [LoggerMessage(11002, LogLevel.Information, "job {Job} accepted: {Kind}, {Count} samples, seed {Seed}, client '{Client}'")]
    public static partial void Accepted(ILogger log, string job, PipelineKind kind, int count, ulong seed, string client);

    [LoggerMessage(11003, LogLevel.Information, "job {Job} {State} after {Seconds:F1} s {Detail}")]
    public static partial void Ended(ILogger log, string job, JobState state, double seconds, string detail);

    [LoggerMessage(11004, LogLevel.Error, "job {Job} failed")]
    public static partial void JobFailed(ILogger log, string job, Exception e);

    [LoggerMessage(11005, LogLevel.Information, "job {Job} is taken up again (begun {Starts} times before)")]
    public static partial void TakenUp(ILogger log, string job, int starts);

    [LoggerMessage(11006, LogLevel.Error, "job {Job} is given up: the server ended {Starts} times while it ran")]
    public static partial void GivenUp(ILogger log, string job, int starts);

    [LoggerMessage(11007, LogLevel.Information, "job {Job} is deleted by retention, {Bytes} bytes")]
    public static partial void Expired(ILogger log, string job, long bytes);

    [LoggerMessage(11008, LogLevel.Error, "{Job} cannot be stored")]
    public static partial void CannotStore(ILogger log, string job, Exception e);

    [LoggerMessage(11009, LogLevel.Information, "stopping: no new jobs; what runs has {Seconds} s to end")]
    public static partial void Draining(ILogger log, double seconds);

    [LoggerMessage(11010, LogLevel.Warning, "{Method} {Path} refused with {Status}: {Detail}")]
    public static partial void Refused(ILogger log, string method, string path, int status, string detail);

    [LoggerMessage(11011, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger log, string method, string path, Exception e);

    [LoggerMessage(11012, LogLevel.Error, "the audit log cannot be written")]
    public static partial void CannotAudit(ILogger log, Exception e);

    [LoggerMessage(11013, LogLevel.Warning, "keys travel in clear text to {Address}: put TLS in front of it")]
    public static partial void ClearText(ILogger log, string address);
}
