using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Maisi.Bridge.Volumes;

/// <summary>The voxels of a volume as little-endian bytes for writing, in pieces of less than 2 GiB and without a copy.</summary>
internal static class VoxelBytes
{
    private const int Piece = 1 << 24;

    /// <summary>The bytes, in the order of the file.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Of(Volume volume) => volume.Apply(new Cast());

    /// <summary>Some bytes of an array of voxels.</summary>
    public static Memory<byte> Part<T>(T[] voxels, long first, int count) where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        var (from, skip) = Math.DivRem(first, size);
        var elements = (int)((skip + count + size - 1) / size);
        return new CastMemory<T>(voxels.AsMemory((int)from, elements)).Memory.Slice((int)skip, count);
    }

    private readonly struct Cast : IVoxelFunction<IEnumerable<ReadOnlyMemory<byte>>>
    {
        public IEnumerable<ReadOnlyMemory<byte>> Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            if (!BitConverter.IsLittleEndian)
                throw new PlatformNotSupportedException("volumes are written on little-endian machines only");
            return Enumerable.Range(0, (voxels.Length + Piece - 1) / Piece)
                .Select(i => (ReadOnlyMemory<byte>)new CastMemory<T>(voxels.Slice(i * Piece, Math.Min(Piece, voxels.Length - i * Piece))).Memory);
        }
    }

    private sealed class CastMemory<T>(Memory<T> voxels) : MemoryManager<byte> where T : unmanaged
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(voxels.Span);

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
