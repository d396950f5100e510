// Record format: tensorflow/core/lib/io/record_writer.h; messages: tensorflow/core/util/event.proto and framework/summary.proto.
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Maisi.Bridge.Training;

/// <summary>
/// A TensorBoard event file of scalars: records of a length, its checksum, an Event message and its checksum. A run that goes on writes a
/// further file into the same folder, whose first record tells TensorBoard from which step on older values are void.
/// </summary>
internal sealed class TensorBoardFile : IDisposable
{
    private const uint MaskDelta = 0xa282ead8;
    private const int VarintField = 0, Fixed64Field = 1, BytesField = 2, Fixed32Field = 5;
    private readonly FileStream _stream;
    private readonly TimeProvider _time;

    /// <param name="folder">The log folder; made when it is missing.</param>
    /// <param name="time">The clock of the events.</param>
    public TensorBoardFile(string folder, TimeProvider time)
    {
        Directory.CreateDirectory(folder);
        _time = time;
        // TensorBoard reads the files of a folder in the order of their names, which begin with seconds.
        var number = Directory.EnumerateFiles(folder, "events.out.tfevents.*").Count();
        var path = Path.Combine(folder, $"events.out.tfevents.{time.GetUtcNow().ToUnixTimeSeconds():D10}.{number:D4}.maisi");
        _stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        Write(0, message => Bytes(message, 3, "brain.Event:2"u8));
    }

    /// <summary>Makes values of this step and later ones, written before, void.</summary>
    public void Restart(long step) => Write(step, message => Bytes(message, 7, [(1 << 3) | VarintField, 1])); // session_log { status: START }

    /// <summary>Adds a value.</summary>
    /// <param name="tag">Its name, for instance "autoencoder/loss".</param>
    /// <param name="step">The optimizer step.</param>
    /// <param name="value">The value.</param>
    public void Add(string tag, long step, double value) => Write(step, message =>
    {
        using var entry = new MemoryStream();
        Bytes(entry, 1, Encoding.UTF8.GetBytes(tag));
        entry.WriteByte((2 << 3) | Fixed32Field);
        Span<byte> number = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(number, (float)value);
        entry.Write(number);
        using var summary = new MemoryStream();
        Bytes(summary, 1, entry.ToArray());
        Bytes(message, 5, summary.ToArray());
    });

    /// <summary>Hands everything to the operating system.</summary>
    public void Flush() => _stream.Flush();

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>CRC-32C of the bytes, rotated and shifted as record files want it.</summary>
    internal static uint MaskedChecksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + MaskDelta;
    }

    private void Write(long step, Action<Stream> content)
    {
        using var message = new MemoryStream();
        message.WriteByte((1 << 3) | Fixed64Field);
        Span<byte> number = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(number, _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        message.Write(number);
        message.WriteByte((2 << 3) | VarintField);
        Varint(message, (ulong)step);
        content(message);
        Record(message.ToArray());
    }

    private void Record(ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[sizeof(ulong) + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(head, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[sizeof(ulong)..], MaskedChecksum(head[..sizeof(ulong)]));
        _stream.Write(head);
        _stream.Write(data);
        Span<byte> tail = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(tail, MaskedChecksum(data));
        _stream.Write(tail);
    }

    private static void Bytes(Stream stream, int field, ReadOnlySpan<byte> bytes)
    {
        stream.WriteByte((byte)((field << 3) | BytesField));
        Varint(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void Varint(Stream stream, ulong value)
    {
        for (; value > 0x7f; value >>= 7)
            stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }
}
