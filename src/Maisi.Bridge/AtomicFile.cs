namespace Maisi.Bridge;

/// <summary>Writes files that are either whole or not there: a temporary file in the same folder, then a rename.</summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/> through <paramref name="write"/>; on any error the old file, if there was one, stays as it was.</summary>
    /// <exception cref="MaisiException">The folder does not exist or cannot be written, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        if (!Directory.Exists(Path.GetDirectoryName(full)))
            throw new MaisiException("the folder does not exist", path, "make the folder, or give another one");
        var temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 20))
                write(stream);
            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new MaisiException("the file could not be written", path, e.Message, e);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
