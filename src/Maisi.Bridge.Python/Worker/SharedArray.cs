using System.IO.MemoryMappedFiles;

namespace Maisi.Bridge.Python;

/// <summary>What an array becomes in Python.</summary>
public enum PythonArrayKind
{
    /// <summary>A numpy array (a memoryview where numpy is absent).</summary>
    Numpy,

    /// <summary>A torch tensor on the CPU.</summary>
    Torch,
}

/// <summary>
/// An array in memory that this process and a worker share: row-major, contiguous. As an argument it reaches Python without a copy and
/// what Python writes into it is seen here; as a result its memory is read here without a copy. Dispose frees the memory.
/// </summary>
public sealed unsafe class SharedArray : IDisposable
{
    private readonly Lock gate = new();
    private FileStream? stream;
    private MemoryMappedFile? file;
    private MemoryMappedViewAccessor? view;
    private byte* address;

    private SharedArray(string dtype, IReadOnlyList<long> shape, PythonArrayKind kind, string? path, FileStream? stream)
    {
        DType = dtype;
        Shape = shape;
        Kind = kind;
        FilePath = path;
        ByteLength = SizeOf(dtype, shape);
        this.stream = stream;
    }

    /// <summary>The element type by its name in numpy and torch: float32, int16, uint8, bool, bfloat16, ...</summary>
    public string DType { get; }

    /// <summary>Elements along each axis.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>What it is, or becomes, in Python.</summary>
    public PythonArrayKind Kind { get; }

    /// <summary>Its size in bytes.</summary>
    public long ByteLength { get; }

    /// <summary>Its first byte; 0 for an array without elements.</summary>
    public nint Address
    {
        get
        {
            lock (gate)
            {
                ObjectDisposedException.ThrowIf(stream is null && ByteLength > 0, this);
                if (address is null && stream is not null)
                    Map(stream);
                return (nint)address;
            }
        }
    }

    /// <summary>The file behind it while another process may still open it.</summary>
    internal string? FilePath { get; private set; }

    /// <summary>The memory, for arrays up to 2 GiB.</summary>
    public Span<byte> Bytes => new((void*)Address, checked((int)ByteLength));

    /// <summary>The elements, for arrays up to 2^31 of them.</summary>
    /// <exception cref="InvalidOperationException">T has another size than the element type.</exception>
    public Span<T> Span<T>()
        where T : unmanaged
    {
        if (sizeof(T) != ItemSize(DType))
            throw new InvalidOperationException($"{typeof(T)} has {sizeof(T)} bytes and an element of {DType} has {ItemSize(DType)}");
        return new Span<T>((void*)Address, checked((int)(ByteLength / sizeof(T))));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            if (address is not null)
            {
                address = null;
                view!.SafeMemoryMappedViewHandle.ReleasePointer();
                view.Dispose();
                file!.Dispose();
            }
            stream?.Dispose();
            stream = null;
        }
        Forget();
    }

    /// <summary>A new array of zeros, in the first folder that has room for it.</summary>
    internal static SharedArray Create(IReadOnlyList<string> folders, string dtype, IReadOnlyList<long> shape, PythonArrayKind kind) =>
        // Reserving the space now makes a full /dev/shm an error here and not a SIGBUS on first touch.
        Create(folders, dtype, shape, kind, SizeOf(dtype, shape), default);

    /// <summary>A new array with content, in the first folder that has room for it.</summary>
    /// <exception cref="ArgumentException">The content has another length than the array.</exception>
    internal static SharedArray Create(IReadOnlyList<string> folders, string dtype, IReadOnlyList<long> shape, PythonArrayKind kind, ReadOnlySpan<byte> content)
    {
        if (content.Length != SizeOf(dtype, shape))
            throw new ArgumentException($"the content has {content.Length} bytes and the array {SizeOf(dtype, shape)}", nameof(content));
        return Create(folders, dtype, shape, kind, 0, content);
    }

    private static SharedArray Create(
        IReadOnlyList<string> folders, string dtype, IReadOnlyList<long> shape, PythonArrayKind kind, long reserve, ReadOnlySpan<byte> content)
    {
        if (SizeOf(dtype, shape) == 0)
            return new SharedArray(dtype, shape, kind, null, null);
        for (var i = 0; ; i++)
        {
            var path = Path.Combine(folders[i], Guid.NewGuid().ToString("N"));
            FileStream? stream = null;
            try
            {
                stream = Open(path, FileMode.CreateNew, reserve);
                if (reserve > 0)
                    stream.SetLength(reserve);
                RandomAccess.Write(stream.SafeFileHandle, content, 0);
                return new SharedArray(dtype, shape, kind, path, stream);
            }
            catch (IOException) when (i + 1 < folders.Count)
            {
                stream?.Dispose();
                File.Delete(path);
            }
        }
    }

    private static FileStream Open(string path, FileMode mode, long reserve) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.ReadWrite,
        Share = FileShare.ReadWrite | FileShare.Delete,
        PreallocationSize = reserve,
        BufferSize = 0,
    });

    /// <summary>The array in a file that a worker wrote. The file's name goes at once, so that nothing is left after a crash.</summary>
    internal static SharedArray Adopt(string? path, string dtype, IReadOnlyList<long> shape, PythonArrayKind kind)
    {
        if (path is null)
            return new SharedArray(dtype, shape, kind, null, null);
        var array = new SharedArray(dtype, shape, kind, path, Open(path, FileMode.Open, 0));
        array.Forget();
        return array;
    }

    /// <summary>Bytes per element of a dtype.</summary>
    /// <exception cref="ArgumentException">The name is unknown.</exception>
    public static int ItemSize(string dtype) => dtype switch
    {
        "bool" or "uint8" or "int8" => 1,
        "int16" or "uint16" or "float16" or "bfloat16" => 2,
        "int32" or "uint32" or "float32" => 4,
        "int64" or "uint64" or "float64" or "complex64" => 8,
        "complex128" => 16,
        _ => throw new ArgumentException($"unknown element type {dtype}", nameof(dtype)),
    };

    private static long SizeOf(string dtype, IReadOnlyList<long> shape) => shape.Aggregate((long)ItemSize(dtype), (product, n) => checked(product * n));

    private void Map(FileStream opened)
    {
        file = MemoryMappedFile.CreateFromFile(opened, null, ByteLength, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        view = file.CreateViewAccessor();
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref address);
    }

    private void Forget()
    {
        if (FilePath is not null)
            File.Delete(FilePath);
        FilePath = null;
    }
}
