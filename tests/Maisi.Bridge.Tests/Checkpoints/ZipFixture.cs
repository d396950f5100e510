using System.IO.Compression;

namespace Maisi.Bridge.Tests.Checkpoints;

/// <summary>Small zip archives with stored entries.</summary>
internal static class ZipFixture
{
    public static void Write(string path, params (string Name, byte[] Content)[] entries)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, content) in entries)
        {
            using var stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            stream.Write(content);
        }
    }
}
