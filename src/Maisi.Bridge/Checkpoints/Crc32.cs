using System.Buffers.Binary;

namespace Maisi.Bridge.Checkpoints;

/// <summary>The checksum of zip archives (polynomial 0xEDB88320), eight bytes at a time.</summary>
internal static class Crc32
{
    public const uint Start = uint.MaxValue;
    private const uint Polynomial = 0xEDB88320;
    private static readonly uint[][] Tables = BuildTables();

    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var low = crc ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = Tables[7][low & 0xff] ^ Tables[6][(low >> 8) & 0xff] ^ Tables[5][(low >> 16) & 0xff] ^ Tables[4][low >> 24]
                ^ Tables[3][high & 0xff] ^ Tables[2][(high >> 8) & 0xff] ^ Tables[1][(high >> 16) & 0xff] ^ Tables[0][high >> 24];
        }
        foreach (var b in bytes)
            crc = (crc >> 8) ^ Tables[0][(crc ^ b) & 0xff];
        return crc;
    }

    public static uint Finish(uint crc) => ~crc;

    private static uint[][] BuildTables()
    {
        var tables = new uint[8][];
        tables[0] = [.. Enumerable.Range(0, 256).Select(i =>
        {
            var value = (uint)i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ Polynomial : value >> 1;
            return value;
        })];
        for (var t = 1; t < tables.Length; t++)
        {
            var previous = tables[t - 1];
            tables[t] = [.. previous.Select(value => (value >> 8) ^ tables[0][value & 0xff])];
        }
        return tables;
    }
}
