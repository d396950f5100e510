using System.Text.Json;

namespace Maisi.Bridge.Server;

/// <summary>Who did what and who was refused, as lines of JSON in <c>audit.jsonl</c> of the data folder; a full file becomes <c>audit.1.jsonl</c>.</summary>
internal sealed class AuditLog(DataFolder folder, TimeProvider time, ILogger<AuditLog> log)
{
    private const long MaxBytes = 64L << 20;
    private const int MaxText = 200;

    private readonly Lock _gate = new();
    private readonly string _path = Path.Combine(folder.Root, "audit.jsonl");

    /// <summary>Adds a line.</summary>
    public void Write(HttpContext context, string client, int status)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(new
        {
            time = time.GetUtcNow(),
            client,
            address = context.Connection.RemoteIpAddress?.ToString(),
            method = context.Request.Method,
            path = Cut(context.Request.Path.Value ?? ""),
            status,
            trace = context.TraceIdentifier,
        });
        try
        {
            lock (_gate)
            {
                if (File.Exists(_path) && new FileInfo(_path).Length > MaxBytes)
                    File.Move(_path, Path.Combine(folder.Root, "audit.1.jsonl"), overwrite: true);
                using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
                file.Write([.. line, (byte)'\n']);
            }
        }
        catch (IOException e)
        {
            ServerLog.CannotAudit(log, e);
        }
    }

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];
}
