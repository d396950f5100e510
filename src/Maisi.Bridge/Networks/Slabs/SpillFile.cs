using Microsoft.Win32.SafeHandles;

namespace Maisi.Bridge.Networks;

/// <summary>
/// A temporary file for activations that do not fit into memory. It has no name once it is open, so that nothing stays behind, whatever
/// ends the process; where that is not possible (Windows) it is deleted when it is closed.
/// </summary>
internal sealed class SpillFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly string _folder;

    /// <param name="folder">Where the file is made.</param>
    /// <exception cref="MaisiException">The folder cannot be written.</exception>
    public SpillFile(string folder)
    {
        _folder = folder;
        var path = Path.Combine(folder, $"maisi-spill-{Guid.NewGuid():N}");
        try
        {
            var windows = OperatingSystem.IsWindows();
            _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, windows ? FileOptions.DeleteOnClose : FileOptions.None);
            if (!windows)
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("The temporary file for activations cannot be made", e);
        }
    }

    /// <summary>Writes bytes at a place of the file.</summary>
    /// <exception cref="MaisiException">The disk is full or fails.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (IOException e)
        {
            throw Failed("The temporary file for activations cannot be written", e);
        }
    }

    /// <summary>Reads bytes that were written before.</summary>
    /// <exception cref="MaisiException">The disk fails.</exception>
    public void Read(long offset, Span<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var count = RandomAccess.Read(_handle, bytes, offset);
                if (count == 0)
                    throw new EndOfStreamException("it is shorter than what was written");
                bytes = bytes[count..];
                offset += count;
            }
        }
        catch (IOException e)
        {
            throw Failed("The temporary file for activations cannot be read", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private MaisiException Failed(string what, Exception e) =>
        new($"{what}: {e.Message}", _folder, "Make room there, set TMPDIR to another folder, or allow more memory.", e);
}
