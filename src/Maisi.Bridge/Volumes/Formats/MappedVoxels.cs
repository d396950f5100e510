using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// Voxels that stay in their file and come into memory when they are touched. What is written to them stays private to this process.
/// The file stays mapped until the process ends: a span does not keep its memory alive, so unmapping when the volume is collected could
/// pull it away from under a reader. Pages that were only read cost no memory that the system could not take back.
/// </summary>
internal sealed unsafe class MappedVoxels<T> : MemoryManager<T> where T : unmanaged
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _first;
    private readonly int _count;

    /// <param name="path">The file.</param>
    /// <param name="offset">First byte of the voxels.</param>
    /// <param name="count">Voxels.</param>
    public MappedVoxels(string path, long offset, int count)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(offset, (long)count * sizeof(T), MemoryMappedFileAccess.CopyOnWrite);
        byte* page = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref page);
        _first = page + _view.PointerOffset;
        _count = count;
    }

    /// <inheritdoc/>
    public override Span<T> GetSpan() => new(_first, _count);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new((T*)_first + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
