namespace Maisi.Bridge.Checkpoints;

/// <summary>Reads forward through a range of a file, with a small buffer. What it returns is valid until the next call.</summary>
internal sealed class ByteWindow(FileRegion region, long position)
{
    private const int BufferBytes = 1 << 16;
    private byte[] _buffer = [];
    private long _bufferStart;

    /// <summary>The next byte to be read.</summary>
    public long Position { get; private set; } = position;

    /// <summary>The next <paramref name="count"/> bytes; false when the range ends before.</summary>
    public bool TryTake(long count, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (count < 0 || count > region.Length - Position || count > int.MaxValue / 2)
            return false;
        if (Position < _bufferStart || Position + count > _bufferStart + _buffer.Length)
        {
            _buffer = new byte[Math.Min(Math.Max(count, BufferBytes), region.Length - Position)];
            region.Read(Position, _buffer);
            _bufferStart = Position;
        }
        bytes = _buffer.AsSpan((int)(Position - _bufferStart), (int)count);
        Position += count;
        return true;
    }
}
