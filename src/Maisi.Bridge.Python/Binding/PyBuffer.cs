using System.Runtime.InteropServices;

namespace Python.Runtime;

/// <summary>What a buffer request asks for; the numbers are CPython's.</summary>
[Flags]
public enum PyBUF
{
    /// <summary>Plain contiguous bytes.</summary>
    SIMPLE = 0,

    /// <summary>Writable memory, or an error.</summary>
    WRITABLE = 1,

    /// <summary>The item format.</summary>
    FORMATS = 4,

    /// <summary>The shape of a C-contiguous array.</summary>
    ND = 8,

    /// <summary>Shape and strides.</summary>
    STRIDES = 0x10 | ND,

    /// <summary>C-contiguous, with strides.</summary>
    C_CONTIGUOUS = 0x20 | STRIDES,

    /// <summary>Shape, strides and format of memory that may be read-only.</summary>
    RECORDS_RO = STRIDES | FORMATS,
}

/// <summary>CPython's Py_buffer; its layout has not changed since 3.3.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PyBufferView
{
    public nint Buffer;
    public nint Owner;
    public nint Bytes;
    public nint ItemSize;
    public int ReadOnly;
    public int Dimensions;
    public byte* Format;
    public nint* Shape;
    public nint* Strides;
    public nint* SubOffsets;
    public nint Internal;
}

/// <summary>The memory of a Python object, held in place until disposed.</summary>
public sealed unsafe class PyBuffer : IDisposable
{
    // CPython may point into the view itself, so it must not move.
    private PyBufferView* view = (PyBufferView*)NativeMemory.AllocZeroed((nuint)sizeof(PyBufferView));

    internal PyBuffer(PyObject exporter, PyBUF flags)
    {
        if (CPython.PyObject_GetBuffer(exporter.Handle, view, (int)flags) == 0)
            return;
        NativeMemory.Free(view);
        view = null;
        throw PythonException.Fetch();
    }

    /// <summary>The first byte.</summary>
    public nint Buffer => View.Buffer;

    /// <summary>Bytes.</summary>
    public long Length => View.Bytes;

    /// <summary>Bytes of one item.</summary>
    public long ItemSize => View.ItemSize;

    /// <summary>Number of axes.</summary>
    public int Dimensions => View.Dimensions;

    /// <summary>Whether writing is forbidden.</summary>
    public bool ReadOnly => View.ReadOnly != 0;

    /// <summary>The struct-module code of an item; null unless asked for.</summary>
    public string? Format => Marshal.PtrToStringUTF8((nint)View.Format);

    /// <summary>Items along each axis; null unless asked for.</summary>
    public long[]? Shape => Copy(View.Shape);

    /// <summary>Bytes from an item to the next along each axis; null unless asked for.</summary>
    public long[]? Strides => Copy(View.Strides);

    private ref PyBufferView View
    {
        get
        {
            ObjectDisposedException.ThrowIf(view is null, this);
            return ref *view;
        }
    }

    /// <summary>Copies bytes out of the buffer.</summary>
    public void Read(byte[] buffer, int destinationOffset, int count, nint sourceOffset)
    {
        if (sourceOffset < 0 || count < 0 || sourceOffset + count > Length)
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} bytes at {sourceOffset} of a buffer of {Length}");
        new ReadOnlySpan<byte>((void*)(Buffer + sourceOffset), count).CopyTo(buffer.AsSpan(destinationOffset));
    }

    /// <summary>Copies bytes into the buffer.</summary>
    public void Write(byte[] buffer, int sourceOffset, int count, nint destinationOffset)
    {
        if (ReadOnly)
            throw new InvalidOperationException("the buffer is read-only");
        if (destinationOffset < 0 || count < 0 || destinationOffset + count > Length)
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} bytes at {destinationOffset} of a buffer of {Length}");
        buffer.AsSpan(sourceOffset, count).CopyTo(new Span<byte>((void*)(Buffer + destinationOffset), count));
    }

    /// <summary>Lets the memory go; needs the lock.</summary>
    public void Dispose()
    {
        if (view is null)
            return;
        CPython.PyBuffer_Release(view);
        NativeMemory.Free(view);
        view = null;
    }

    private long[]? Copy(nint* values)
    {
        if (values is null)
            return null;
        var result = new long[Dimensions];
        for (var i = 0; i < result.Length; i++)
            result[i] = values[i];
        return result;
    }
}
