using System.IO.Compression;

namespace Maisi.Bridge.Server;

/// <summary>A ZIP of a job's files, written as it is sent.</summary>
internal static class ResultArchive
{
    /// <summary>Writes the ZIP.</summary>
    /// <param name="record">An ended job.</param>
    /// <param name="run">The folder of its files.</param>
    /// <param name="target">Where the bytes go.</param>
    /// <param name="token">Ends it.</param>
    public static async Task WriteAsync(JobRecord record, string run, Stream target, CancellationToken token)
    {
        await using var zip = await ZipArchive.CreateAsync(target, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, token);
        foreach (var file in ResultFiles.Asked(record))
        {
            var isPacked = file.Name.EndsWith(".gz", StringComparison.Ordinal) || file.Name.EndsWith(".nrrd", StringComparison.Ordinal);
            var entry = zip.CreateEntry(file.Name, isPacked ? CompressionLevel.NoCompression : CompressionLevel.Fastest);
            entry.LastWriteTime = record.Created;
            await using var content = await entry.OpenAsync(token);
            await using var source = new FileStream(Path.Combine(run, file.Name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, useAsync: true);
            await source.CopyToAsync(content, token);
        }
    }
}
