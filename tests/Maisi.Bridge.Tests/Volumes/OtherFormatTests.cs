using System.Text;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

/// <summary>NRRD, MetaImage and NumPy files.</summary>
public sealed class OtherFormatTests
{
    private static readonly VolumeGrid _grid = new(4, 3, 5, Affine.FromRows([-1.1, 0.2, 0.1, 7, 0.2, 1.3, -0.3, -8, 0.1, 0.2, 2.2, 9]));

    public static TheoryData<string> Endings => [".nrrd", ".seg.nrrd", ".mha"];

    [Theory]
    [MemberData(nameof(Endings))]
    public void Every_type_and_the_affine_survive_a_round_trip(string ending)
    {
        using var folder = TestPaths.Temporary();
        foreach (var type in Enum.GetValues<VoxelType>())
        {
            var volume = Ramp().ConvertTo(type);
            VolumeFile.Write(volume, folder["a" + ending]);
            var back = VolumeFile.Read(folder["a" + ending]);
            back.Type.ShouldBe(type);
            back.ToArray<double>().ShouldBe(volume.ToArray<double>());
            back.Affine.MaxDifference(_grid.Affine).ShouldBeLessThan(1e-12);
        }
    }

    [Fact]
    public void Numpy_keeps_values_type_and_channels()
    {
        using var folder = TestPaths.Temporary();
        foreach (var type in Enum.GetValues<VoxelType>())
        {
            VolumeFile.Write(Ramp().ConvertTo(type), folder["a.npy"]);
            VolumeFile.Read(folder["a.npy"]).ToArray<double>().ShouldBe(Ramp().ConvertTo(type).ToArray<double>());
        }
        var latent = Volume.FromArray<float>([.. Enumerable.Range(0, 48).Select(i => i / 3f)], new(2, 3, 4, Affine.Identity), channels: 2);
        VolumeFile.Write(latent, folder["l.npy"]);
        var back = VolumeFile.Read(folder["l.npy"]);
        back.Shape.ShouldBe([2, 3, 4, 2]);
        back.ToFloats().ShouldBe(latent.ToFloats());
        // A Fortran-order header over the same bytes is the array turned round.
        var bytes = Encoding.Latin1.GetString(File.ReadAllBytes(folder["a.npy"])).Replace("False", "True ", StringComparison.Ordinal).Replace("(4, 3, 5)", "(5, 3, 4)", StringComparison.Ordinal);
        File.WriteAllBytes(folder["f.npy"], Encoding.Latin1.GetBytes(bytes));
        VolumeFile.Read(folder["f.npy"]).At(1, 2, 3).ShouldBe(Ramp().At(3, 2, 1));
    }

    [Fact]
    public void Detached_raw_voxels_in_RAS_space_and_big_endian()
    {
        using var folder = TestPaths.Temporary();
        File.WriteAllBytes(folder["a.raw"], [0, 1, 0, 2, 0xff, 0xff]);
        File.WriteAllText(folder["a.nhdr"], "NRRD0005\n# comment\ntype: short\ndimension: 3\nspace: right-anterior-superior\nsizes: 3 1 1\nspace directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (1,2,3)\nendian: big\nencoding: raw\ndata file: a.raw\n");
        var volume = VolumeFile.Read(folder["a.nhdr"]);
        volume.ToFloats().ShouldBe([1, 2, -1]);
        volume.Affine.ShouldBe(Affine.Diagonal(2, 3, 4, 1, 2, 3));
        File.WriteAllText(folder["a.mhd"], "ObjectType = Image\r\nNDims = 3\r\nDimSize = 3 1 1\r\nElementType = MET_SHORT\r\nElementByteOrderMSB = True\r\nElementSpacing = 2 3 4\r\nOffset = -1 -2 3\r\nTransformMatrix = -1 0 0 0 -1 0 0 0 1\r\nElementDataFile = a.raw\r\n");
        VolumeFile.Read(folder["a.mhd"]).ToFloats().ShouldBe([1, 2, -1]);
        VolumeFile.Read(folder["a.mhd"]).Affine.ShouldBe(Affine.Diagonal(2, 3, 4, 1, 2, 3));
    }

    [Fact]
    public void Segmentations_carry_names_and_colours()
    {
        using var folder = TestPaths.Temporary();
        VolumeFile.Write(Volume.FromArray<byte>([0, 1, 3, 0], new(2, 2, 1, Affine.Identity)), folder["a.seg.nrrd"], vocabulary: LabelVocabulary.Load("openkbp"));
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(folder["a.seg.nrrd"]));
        text.ShouldContain("Segment0_Name:=1 brainstem\n");
        text.ShouldContain("Segment1_LabelValue:=3\n");
        text.ShouldContain("Segment1_Color:=0.321569 0.8 0.721569\n");
    }

    [Theory]
    [InlineData("a.nrrd", "not a NRRD", "hello")]
    [InlineData("a.nrrd", "no 'encoding'", "NRRD0004\ntype: short\n\n")]
    [InlineData("a.nrrd", "bzip2", "NRRD0004\nencoding: bzip2\n\n")]
    [InlineData("a.nrrd", "cannot hold", "NRRD0004\ntype: short\ndimension: 3\nsizes: 999 999 999\nencoding: raw\n\nxx")]
    [InlineData("a.nrrd", "not a size", "NRRD0004\ntype: short\ndimension: 3\nsizes: 99999 99999 99999\nencoding: raw\n\nxx")]
    [InlineData("a.nrrd", "not 3 numbers", "NRRD0004\ntype: short\ndimension: 3\nsizes: 1 2\nencoding: raw\n\nxx")]
    [InlineData("a.nhdr", "only one file beside", "NRRD0004\ntype: short\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: ../../etc/passwd\n\n")]
    [InlineData("a.nrrd", "do not span", "NRRD0004\ntype: short\ndimension: 3\nsizes: 1 1 1\nspace: lps\nspace directions: (1,0,0) (1,0,0) (0,0,1)\nencoding: raw\n\nxx")]
    [InlineData("a.mha", "not a MetaImage", "hello")]
    [InlineData("a.mha", "MET_WHAT", "NDims = 3\nDimSize = 1 1 1\nElementType = MET_WHAT\nElementDataFile = LOCAL\n")]
    [InlineData("a.mhd", "missing", "NDims = 3\nDimSize = 1 1 1\nElementType = MET_SHORT\nElementDataFile = none.raw\n")]
    [InlineData("a.mha", "are damaged", "NDims = 3\nDimSize = 1 1 1\nElementType = MET_SHORT\nCompressedData = True\nElementDataFile = LOCAL\nx 000000")] // zlib with a dictionary
    [InlineData("a.npy", "not a NumPy", "hello")]
    [InlineData("b.nrrd", "no such file", null)]
    public void Broken_files_are_typed_errors(string name, string says, string? content)
    {
        using var folder = TestPaths.Temporary();
        if (content is not null)
            File.WriteAllText(folder[name], content);
        Should.Throw<VolumeFormatException>(() => VolumeFile.Read(folder[name])).Message.ShouldContain(says);
    }

    [Fact]
    public void Endings_choose_the_format()
    {
        VolumeFile.Stem("/x/case_1.nii.gz").ShouldBe("case_1");
        VolumeFile.Stem("case.seg.nrrd").ShouldBe("case");
        VolumeFile.IsVolume("a.json").ShouldBeFalse();
        Should.Throw<MaisiException>(() => VolumeFile.Write(Ramp(), "a.jpg")).Hint!.ShouldContain(".nii.gz");
        Should.Throw<MaisiException>(() => VolumeFile.Write(Volume.Zeros<float>(_grid, 2), Path.Combine(Path.GetTempPath(), "a.mha"))).Hint!.ShouldContain(".nii.gz");
    }

    private static Volume Ramp() => Volume.FromArray<float>([.. Enumerable.Range(0, 60).Select(i => (float)i)], _grid);
}
