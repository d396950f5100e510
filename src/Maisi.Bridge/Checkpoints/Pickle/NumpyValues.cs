using System.Buffers.Binary;

namespace Maisi.Bridge.Checkpoints;

/// <summary>A numpy dtype while a pickle is being read.</summary>
internal sealed class NumpyType(string code)
{
    /// <summary>numpy's code without byte order, for example <c>f8</c>.</summary>
    public string Code { get; } = code.TrimStart('<', '|', '=');

    private bool _bigEndian = code.StartsWith('>');

    /// <summary>The state tuple of a dtype: its second entry is the byte order.</summary>
    public void SetState(PythonTuple? state) => _bigEndian |= state is { Items.Count: > 1 } && state.Items[1] as string == ">";

    /// <summary>One element as a plain number.</summary>
    public object Scalar(byte[] raw)
    {
        if (_bigEndian || raw.Length != Size)
            throw new FormatException("byte order or size");
        return Code switch
        {
            "f8" => BinaryPrimitives.ReadDoubleLittleEndian(raw),
            "f4" => (double)BinaryPrimitives.ReadSingleLittleEndian(raw),
            "f2" => (double)BinaryPrimitives.ReadHalfLittleEndian(raw),
            "i8" => BinaryPrimitives.ReadInt64LittleEndian(raw),
            "i4" => (long)BinaryPrimitives.ReadInt32LittleEndian(raw),
            "i2" => (long)BinaryPrimitives.ReadInt16LittleEndian(raw),
            "i1" => (long)(sbyte)raw[0],
            "u8" => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(raw)),
            "u4" => (long)BinaryPrimitives.ReadUInt32LittleEndian(raw),
            "u2" => (long)BinaryPrimitives.ReadUInt16LittleEndian(raw),
            "u1" => (long)raw[0],
            _ => raw[0] != 0, // b1, see Size
        };
    }

    /// <summary>Bytes per element.</summary>
    public int Size => Code switch
    {
        "f8" or "i8" or "u8" => 8,
        "f4" or "i4" or "u4" => 4,
        "f2" or "i2" or "u2" => 2,
        "i1" or "u1" or "b1" => 1,
        _ => throw new FormatException($"numpy type {Code}"),
    };

    /// <summary>The array of a state's shape and bytes.</summary>
    public NumpyArray Array(long[] shape, byte[] data)
    {
        var count = shape.Aggregate(1L, (a, b) => checked(a * b));
        if (_bigEndian || shape.Any(e => e < 0) || checked(count * Size) != data.Length)
            throw new FormatException("byte order or size");
        return new NumpyArray(Code, shape, data);
    }
}

/// <summary>A numpy array whose state has not been read yet.</summary>
internal sealed class NumpyArrayBuilder
{
    /// <summary>The array of a state (version, shape, dtype, column-major, bytes).</summary>
    public NumpyArray Build(PythonTuple? state, string path)
    {
        try
        {
            if (state is { Items: [_, PythonTuple shape, NumpyType type, false, byte[] data] })
                return type.Array([.. shape.Items.Select(e => (long)e!)], data);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidCastException or NullReferenceException)
        {
            throw new CheckpointException("the checkpoint holds a numpy array that is damaged", path, inner: e);
        }
        throw new CheckpointException("the checkpoint holds a numpy array in a layout that is not supported (column-major, or of objects)", path);
    }
}
