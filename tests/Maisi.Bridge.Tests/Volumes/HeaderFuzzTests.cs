using System.Globalization;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>
/// Files with damaged headers are read or refused with a typed error, and no more memory is taken than the file could hold.
/// MAISI_FUZZ sets the count per format (default 400).
/// </summary>
public sealed class HeaderFuzzTests
{
    private static int Count => int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 400;

    public static TheoryData<string> Endings => [".nii", ".nii.gz", ".nii2", ".nrrd", ".mha", ".npy"];

    [Theory]
    [MemberData(nameof(Endings))]
    public void Damaged_headers_never_crash(string ending)
    {
        using var folder = TestPaths.Temporary();
        var two = ending == ".nii2";
        var path = folder["a" + (two ? ".nii" : ending)];
        var grid = two ? new VolumeGrid(33000, 1, 1, Affine.Identity) : new VolumeGrid(4, 3, 5, Affine.Diagonal(-1, 1, 2, 3, 4, 5));
        VolumeFile.Write(Volume.FromArray<short>([.. Enumerable.Range(0, (int)grid.Count).Select(i => (short)i)], grid), path);
        var whole = File.ReadAllBytes(path);
        var random = new Random(7);
        var (read, refused) = (0, 0);
        for (var n = 0; n < Count; n++)
        {
            var bytes = Mutate(whole, random);
            File.WriteAllBytes(path, bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                VolumeFile.Read(path);
                read++;
            }
            catch (VolumeFormatException)
            {
                refused++;
            }
            // Deflate expands at most 1032 times; a volume may need a second copy for scaling, in a wider type.
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan((bytes.LongLength + 4096) * 1032 * 5 + (1 << 21));
        }
        (read + refused).ShouldBe(Count);
        refused.ShouldBeGreaterThan(0);
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var bytes = whole.ToArray();
        var header = Math.Min(bytes.Length, 560);
        for (var k = random.Next(1, 6); k > 0; k--)
        {
            var at = random.Next(header);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes[at] = 0xff; break;
                case 3: bytes[at] = (byte)('0' + random.Next(10)); break;
                case 4: Array.Copy(bytes, random.Next(at + 1), bytes, at, Math.Min(random.Next(1, 9), header - at)); break;
                default: bytes = random.Next(8) == 0 ? bytes[..random.Next(bytes.Length)] : bytes; break;
            }
            header = Math.Min(bytes.Length, header);
            if (header < 16)
                break;
        }
        return bytes;
    }
}
