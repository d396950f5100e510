using System.Buffers.Binary;
using System.IO.Compression;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

public sealed class NiftiFileTests
{
    private static readonly VolumeGrid _grid = new(5, 4, 3, Affine.FromRows([-1.1, 0.2, 0.1, 7, 0.2, 1.3, -0.3, -8, 0.1, 0.2, 2.2, 9]));

    public static TheoryData<VoxelType> Types => [.. Enum.GetValues<VoxelType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_type_survives_a_round_trip(VoxelType type)
    {
        RoundTrip(type, ".nii");
        RoundTrip(type, ".nii.gz");
    }

    [Fact]
    public void A_link_reads_as_the_file_that_it_leads_to()
    {
        using var folder = TestPaths.Temporary();
        foreach (var ending in new[] { ".nii", ".nii.gz" })
        {
            VolumeFile.Write(Ramp(), folder["a" + ending]);
            File.CreateSymbolicLink(folder["link" + ending], folder["a" + ending]);
            VolumeFile.Read(folder["link" + ending]).ToArray<double>().ShouldBe(Ramp().ToArray<double>());
            VolumeFile.Map(folder["link" + ending]).ToArray<double>().ShouldBe(Ramp().ToArray<double>());
        }
    }

    private static void RoundTrip(VoxelType type, string ending)
    {
        using var folder = TestPaths.Temporary();
        var volume = Ramp().ConvertTo(type);
        VolumeFile.Write(volume, folder["a" + ending]);
        var back = VolumeFile.Read(folder["a" + ending]);
        back.Type.ShouldBe(type);
        back.ToArray<double>().ShouldBe(volume.ToArray<double>());
        back.Affine.MaxDifference(_grid.Affine).ShouldBeLessThan(1e-6);
        Directory.GetFiles(folder.Path).Length.ShouldBe(1);
    }

    [Fact]
    public void Both_byte_orders_read_alike()
    {
        using var folder = TestPaths.Temporary();
        VolumeFile.Write(Ramp().ConvertTo<short>(), folder["little.nii"]);
        var bytes = File.ReadAllBytes(folder["little.nii"]);
        File.WriteAllBytes(folder["big.nii"], BigEndian(bytes));
        var (little, big) = (VolumeFile.Read(folder["little.nii"]), VolumeFile.Read(folder["big.nii"]));
        VolumeFile.ReadInfo(folder["big.nii"]).BigEndian.ShouldBeTrue();
        big.ToFloats().ShouldBe(little.ToFloats());
        big.Affine.ShouldBe(little.Affine);
    }

    [Fact]
    public void Qform_gives_the_same_affine_as_sform_without_shear()
    {
        using var folder = TestPaths.Temporary();
        var rotated = Affine.FromColumns([-0.9 * 0.8, 0.9 * 0.6, 0], [1.2 * 0.6, 1.2 * 0.8, 0], [0, 0, 2.5], [1, -2, 3]);
        VolumeFile.Write(Ramp().WithAffine(rotated), folder["a.nii"]);
        Patch(folder["a.nii"], 254, [0, 0]);
        VolumeFile.ReadInfo(folder["a.nii"]).AffineSource.ShouldBe("qform");
        VolumeFile.Read(folder["a.nii"]).Affine.MaxDifference(rotated).ShouldBeLessThan(1e-6);
        Patch(folder["a.nii"], 252, [0, 0]);
        VolumeFile.Read(folder["a.nii"]).Affine.MaxDifference(Affine.Diagonal(-0.9, 1.2, 2.5, 1.8, -1.8, -2.5)).ShouldBeLessThan(1e-6);
    }

    [Fact]
    public void More_than_32767_voxels_along_an_axis_make_NIfTI_2()
    {
        using var folder = TestPaths.Temporary();
        var volume = Volume.FromArray<byte>([.. Enumerable.Range(0, 40000).Select(i => (byte)i)], new(40000, 1, 1, Affine.Diagonal(0.1, 1, 1)));
        VolumeFile.Write(volume, folder["long.nii.gz"]);
        VolumeFile.ReadInfo(folder["long.nii.gz"]).Format.ShouldBe("NIfTI-2");
        VolumeFile.Read(folder["long.nii.gz"]).ToFloats().ShouldBe(volume.ToFloats());
    }

    [Fact]
    public void Pairs_are_read_by_either_name()
    {
        using var folder = TestPaths.Temporary();
        VolumeFile.Write(Ramp(), folder["a.nii"]);
        var bytes = File.ReadAllBytes(folder["a.nii"]);
        File.WriteAllBytes(folder["a.img"], bytes[352..]);
        File.WriteAllBytes(folder["a.hdr"], bytes[..348]);
        Patch(folder["a.hdr"], 344, "ni1\0"u8.ToArray());
        Patch(folder["a.hdr"], 108, [0, 0, 0, 0]);
        VolumeFile.Read(folder["a.hdr"]).ToFloats().ShouldBe(Ramp().ToFloats());
        VolumeFile.Read(folder["a.img"]).ToFloats().ShouldBe(Ramp().ToFloats());
    }

    [Theory]
    [InlineData("empty", "not a NIfTI")]
    [InlineData("text", "not a NIfTI")]
    [InlineData("cut", "cannot hold")]
    [InlineData("cut gzip", "too early")]
    [InlineData("flipped gzip", "damaged")]
    [InlineData("rubbish after voxels", "more data")]
    [InlineData("endless zeros", "more data")]
    [InlineData("huge dims", "cannot hold")]
    [InlineData("overflowing dims", "more than")]
    [InlineData("negative dim", "size is")]
    [InlineData("no dims", "dim[0]")]
    [InlineData("complex", "complex")]
    [InlineData("no magic", "magic")]
    [InlineData("NaN affine", "not finite")]
    [InlineData("zero affine", "singular")]
    [InlineData("offset", "vox_offset")]
    [InlineData("missing", "no such file")]
    public void Broken_files_are_typed_errors(string kind, string says)
    {
        using var folder = TestPaths.Temporary();
        var path = folder[kind.Contains("gzip", StringComparison.Ordinal) || kind.StartsWith("endless", StringComparison.Ordinal) ? "a.nii.gz" : "a.nii"];
        VolumeFile.Write(Ramp(), path);
        var bytes = File.ReadAllBytes(path);
        switch (kind)
        {
            case "empty": File.WriteAllBytes(path, []); break;
            case "text": File.WriteAllText(path, new string('x', 1000)); break;
            case "cut": File.WriteAllBytes(path, bytes[..^10]); break;
            case "cut gzip": File.WriteAllBytes(path, bytes[..^12]); break;
            case "flipped gzip": Patch(path, bytes.Length / 2 + 30, [.. bytes.Skip(bytes.Length / 2 + 30).Take(8).Select(b => (byte)~b)]); break;
            case "rubbish after voxels": File.WriteAllBytes(path, [.. bytes, 1, 2, 3]); break;
            case "endless zeros": Bomb(path, Uncompressed()); break;
            case "huge dims": Patch(path, 42, [0xff, 0x01, 0xff, 0x01, 0xff, 0x01]); break;
            case "overflowing dims": Patch(path, 42, [0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f]); break;
            case "negative dim": Patch(path, 42, [0xff, 0xff]); break;
            case "no dims": Patch(path, 40, [9, 0]); break;
            case "complex": Patch(path, 70, [32, 0]); break;
            case "no magic": Patch(path, 344, [0, 0, 0, 0]); break;
            case "NaN affine": Patch(path, 280, BitConverter.GetBytes(float.NaN)); break;
            case "zero affine": Patch(path, 280, new byte[48]); break;
            case "offset": Patch(path, 108, BitConverter.GetBytes(12f)); break;
            case "missing": File.Delete(path); break;
        }
        var error = Should.Throw<VolumeFormatException>(() => VolumeFile.Read(path));
        error.Message.ShouldContain(says);
        error.Where.ShouldBe(path);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file()
    {
        using var folder = TestPaths.Temporary();
        File.WriteAllText(folder["a.bin"], "old");
        Should.Throw<InvalidOperationException>(() => AtomicFile.Write(folder["a.bin"], s =>
        {
            s.WriteByte(1);
            throw new InvalidOperationException();
        }));
        File.ReadAllText(folder["a.bin"]).ShouldBe("old");
        Directory.GetFiles(folder.Path).Length.ShouldBe(1);
        Should.Throw<MaisiException>(() => AtomicFile.Write(Path.Combine(folder.Path, "none", "a.bin"), _ => { })).Where!.ShouldContain("none");
    }

    [Fact]
    public void Blocks_of_a_large_file_are_one_member()
    {
        using var folder = TestPaths.Temporary();
        var volume = Large();
        VolumeFile.Write(volume, folder["a.nii.gz"]);
        VolumeFile.Write(volume, folder["a.nii"]);
        var (packed, plain) = (File.ReadAllBytes(folder["a.nii.gz"]), File.ReadAllBytes(folder["a.nii"]));
        // A reader of one member alone, as browsers are: deflate data after the header, then CRC and size, then nothing.
        var header = 12 + BinaryPrimitives.ReadUInt16LittleEndian(packed.AsSpan(10));
        using var deflate = new DeflateStream(new MemoryStream(packed[header..^8]), CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        deflate.CopyTo(unpacked);
        unpacked.ToArray().AsSpan().SequenceEqual(plain).ShouldBeTrue();
        BinaryPrimitives.ReadUInt32LittleEndian(packed.AsSpan()[^8..]).ShouldBe(Crc32.Finish(Crc32.Update(Crc32.Start, plain)));
        BinaryPrimitives.ReadInt32LittleEndian(packed.AsSpan()[^4..]).ShouldBe(plain.Length);
        VolumeFile.Read(folder["a.nii.gz"]).Voxels<int>().SequenceEqual(volume.Voxels<int>()).ShouldBeTrue();
    }

    [Fact]
    public void Sums_of_pieces_are_the_sum_of_the_whole()
    {
        var random = new Random(3);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(1, 5000)];
            random.NextBytes(bytes);
            var cut = random.Next(bytes.Length + 1);
            GzipFile.Join(Of(bytes[..cut]), Of(bytes[cut..]), bytes.Length - cut).ShouldBe(Of(bytes));
        }

        static uint Of(byte[] bytes) => Crc32.Finish(Crc32.Update(Crc32.Start, bytes));
    }

    [Fact]
    public void Several_members_are_read_as_one_file()
    {
        using var folder = TestPaths.Temporary();
        var bytes = Uncompressed();
        using (var file = File.Create(folder["a.nii.gz"]))
        {
            foreach (var part in new[] { bytes[..100], bytes[100..400], bytes[400..] })
            {
                using var gzip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true);
                gzip.Write(part);
            }
        }
        VolumeFile.Read(folder["a.nii.gz"]).ToFloats().ShouldBe(Ramp().ToFloats());
    }

    [Fact]
    public void Blocks_are_checked_when_they_are_read_in_parallel()
    {
        using var folder = TestPaths.Temporary();
        var volume = Large();
        VolumeFile.Write(volume, folder["a.nii.gz"]);
        var whole = File.ReadAllBytes(folder["a.nii.gz"]);
        Patch(folder["a.nii.gz"], whole.Length - 2000, [1, 2, 3, 4]);
        Should.Throw<VolumeFormatException>(() => VolumeFile.Read(folder["a.nii.gz"]));
        File.WriteAllBytes(folder["a.nii.gz"], whole[..^3000]);
        Should.Throw<VolumeFormatException>(() => VolumeFile.Read(folder["a.nii.gz"]));
        // Other gzip after ours is read in order.
        using var tail = new MemoryStream();
        using (var gzip = new GZipStream(tail, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(new byte[100]);
        File.WriteAllBytes(folder["a.nii.gz"], [.. whole, .. tail.ToArray()]);
        VolumeFile.Read(folder["a.nii.gz"]).Voxels<int>().SequenceEqual(volume.Voxels<int>()).ShouldBeTrue();
    }

    [Fact]
    public void A_wrong_list_of_blocks_never_gives_other_voxels()
    {
        using var folder = TestPaths.Temporary();
        VolumeFile.Write(Ramp(), folder["a.nii.gz"]);
        var whole = File.ReadAllBytes(folder["a.nii.gz"]);
        var header = 12 + BinaryPrimitives.ReadUInt16LittleEndian(whole.AsSpan(10));
        var refused = 0;
        foreach (var at in Enumerable.Range(0, header).Concat(Enumerable.Range(whole.Length - 10, 10)))
        {
            foreach (var change in new byte[] { 1, 0x80, 0xff })
            {
                var bytes = whole.ToArray();
                bytes[at] ^= change;
                File.WriteAllBytes(folder["b.nii.gz"], bytes);
                try
                {
                    VolumeFile.Read(folder["b.nii.gz"]).ToFloats().ShouldBe(Ramp().ToFloats());
                }
                catch (VolumeFormatException)
                {
                    refused++;
                }
            }
        }
        // Those of the magic number, the method, the flags, the length of the list, and of the CRC and size at the end.
        refused.ShouldBeGreaterThan(30);
    }

    [Fact]
    public void Mapped_voxels_equal_read_ones_and_writes_stay_private()
    {
        using var folder = TestPaths.Temporary();
        VolumeFile.Write(Ramp(), folder["a.nii"]);
        var mapped = VolumeFile.Map(folder["a.nii"]);
        mapped.ToFloats().ShouldBe(Ramp().ToFloats());
        mapped.Reorient(AxisCodes.RAS).ToFloats().ShouldBe(Ramp().Reorient(AxisCodes.RAS).ToFloats());
        mapped.Voxels<float>()[0] = 99;
        mapped.At(0, 0, 0).ShouldBe(99);
        VolumeFile.Read(folder["a.nii"]).At(0, 0, 0).ShouldBe(0);
        VolumeFile.Write(Ramp().ConvertTo<double>(), folder["d.nii"]);
        VolumeFile.Map(folder["d.nii"]).ToFloats().ShouldBe(Ramp().ToFloats());
    }

    // More than one block.
    private static Volume Large() => Volume.Wrap<int>(Enumerable.Range(0, 160 * 160 * 120).Select(i => i * 31 % 1000).ToArray(), new(160, 160, 120, Affine.Identity));

    private static Volume Ramp() => Volume.FromArray<float>([.. Enumerable.Range(0, 60).Select(i => (float)i)], _grid);

    private static byte[] Uncompressed()
    {
        using var folder = TestPaths.Temporary();
        VolumeFile.Write(Ramp(), folder["a.nii"]);
        return File.ReadAllBytes(folder["a.nii"]);
    }

    private static void Bomb(string path, byte[] start)
    {
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        gzip.Write(start);
        var zeros = new byte[1 << 20];
        for (var i = 0; i < 64; i++)
            gzip.Write(zeros);
    }

    private static void Patch(string path, int at, byte[] bytes)
    {
        using var file = File.OpenWrite(path);
        file.Position = at;
        file.Write(bytes);
    }

    // Swaps each field of a NIfTI-1 header and int16 voxels.
    private static byte[] BigEndian(byte[] little)
    {
        var big = little.ToArray();
        (int At, int Size, int Count)[] fields = [(0, 4, 1), (40, 2, 8), (70, 2, 2), (76, 4, 8), (108, 4, 3), (252, 2, 2), (256, 4, 18), (352, 2, (little.Length - 352) / 2)];
        foreach (var (at, size, count) in fields)
            for (var i = 0; i < count; i++)
                big.AsSpan(at + i * size, size).Reverse();
        BinaryPrimitives.ReadInt32BigEndian(big).ShouldBe(348);
        return big;
    }
}
