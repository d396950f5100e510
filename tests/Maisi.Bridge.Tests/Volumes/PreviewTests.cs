using System.Buffers.Binary;
using System.IO.Compression;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Volumes;

public sealed class PreviewTests
{
    [Fact]
    public void A_picture_is_read_back_as_it_was_written()
    {
        using var folder = TestPaths.Temporary();
        var picture = new Raster(7, 5);
        for (var i = 0; i < 35; i++)
            picture[i % 7, i / 7] = new((byte)(i * 37), (byte)(i * 11), (byte)(255 - i));
        PngFile.Write(picture, folder["a.png"]);
        var read = PngReader.Read(folder["a.png"]);
        (read.Width, read.Height).ShouldBe((7, 5));
        for (var y = 0; y < 5; y++)
            read.Row(y).ToArray().ShouldBe(picture.Row(y).ToArray());
        foreach (var cut in new[] { 4, 20, 40, 60 })
        {
            File.WriteAllBytes(folder["cut.png"], File.ReadAllBytes(folder["a.png"])[..cut]);
            Should.Throw<MaisiException>(() => PngReader.Read(folder["cut.png"]));
        }
    }

    [Fact]
    public void A_contact_sheet_has_every_picture_in_its_place()
    {
        (string, Raster)[] pictures = [.. Enumerable.Range(0, 5).Select(i =>
        {
            var picture = new Raster(600, 300);
            picture.Fill(0, 0, 600, 300, new((byte)(50 * i), 100, 200));
            return ($"{i}", picture);
        })];
        var sheet = ContactSheet.Draw(pictures, 216);
        // Two columns of 96 pixels, each picture made smaller to 96×48; three rows of 48 pixels, a caption and gaps.
        (sheet.Width, sheet.Height).ShouldBe((216, 8 + (3 * (48 + 10 + 16))));
        for (var i = 0; i < 5; i++)
            sheet[8 + (i % 2 * 104) + 40, 8 + (i / 2 * 74) + 20].ShouldBe(new Rgb((byte)(50 * i), 100, 200));
        sheet[8 + 104 + 40, 8 + (2 * 74) + 20].ShouldBe(Rgb.Black);
    }

    [Fact]
    public void Right_is_left_front_is_up_and_pixels_are_square()
    {
        // White at the patient's right front, grey at the head; voxels twice as thick along z.
        var voxels = new float[20 * 16 * 10];
        for (var x = 0; x < 20; x++)
            for (var y = 0; y < 16; y++)
                for (var z = 0; z < 10; z++)
                    voxels[(x * 16 + y) * 10 + z] = x >= 15 && y >= 12 ? 100 : z >= 8 ? 50 : 0;
        var image = Volume.FromArray<float>(voxels, new(20, 16, 10, Affine.Diagonal(1, 1, 2)));
        foreach (var stored in new[] { "RAS", "LPI", "SAL" })
        {
            var sheet = PreviewSheet.Draw(image.Reorient(AxisCodes.Parse(stored)), new() { Window = new(0, 100), PanelSize = 200, Center = (17, 13, 8) });
            // Panels: axial 200×160, coronal 200×200, sagittal 160×200, eight pixels apart.
            sheet[8 + 10, 8 + 20 + 15].ShouldBe(Rgb.White);            // axial, top left: right front
            sheet[8 + 190, 8 + 20 + 140].ShouldBe(Rgb.Black);          // axial, bottom right: left back
            sheet[216 + 10, 8 + 100 - 20].ShouldBe(Rgb.White);         // coronal through y = 13, left edge: right
            sheet[216 + 150, 8 + 15].ShouldBe(new Rgb(128, 128, 128)); // coronal, top: head
            sheet[216 + 150, 8 + 150].ShouldBe(Rgb.Black);
            sheet[424 + 15, 8 + 150].ShouldBe(Rgb.White);              // sagittal through x = 17, left: front
            sheet[424 + 100, 8 + 15].ShouldBe(new Rgb(128, 128, 128));
        }
    }

    [Fact]
    public void Labels_are_drawn_in_their_colours_except_hidden_ones()
    {
        var image = Volume.Zeros<short>(new(8, 8, 8, Affine.Identity));
        var labels = Volume.Zeros<byte>(image.Grid);
        labels.Voxels<byte>().Fill(200);
        for (var i = 0; i < 8 * 8 * 4; i++)
            labels.Voxels<byte>()[i] = 3; // the lower half
        var options = new PreviewOptions { Labels = labels, Hidden = new HashSet<int> { 200 }, Opacity = 1, PanelSize = 80, Window = new(0, 1), Naming = l => ($"organ {l}", new(10, 20, 30)) };
        var sheet = PreviewSheet.Draw(image, options);
        sheet[96 + 20, 8 + 60].ShouldBe(new Rgb(10, 20, 30));
        sheet[96 + 20, 8 + 20].ShouldBe(Rgb.Black);
        var other = Volume.Zeros<byte>(new(8, 8, 7, Affine.Identity));
        Should.Throw<MaisiException>(() => PreviewSheet.Draw(image, options with { Labels = other })).Hint!.ShouldContain("resample");
    }

    [Fact]
    public void Png_holds_the_pixels()
    {
        var picture = new Raster(3, 2);
        (picture[0, 0], picture[2, 0], picture[1, 1]) = (new(1, 2, 3), new(250, 0, 9), Rgb.White);
        using var stream = new MemoryStream();
        PngFile.Write(picture, stream);
        var bytes = stream.ToArray();
        BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(16)).ShouldBe(3);
        BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(20)).ShouldBe(2);
        // CRC of an IEND chunk is a constant of the standard.
        bytes[^4..].ShouldBe([0xae, 0x42, 0x60, 0x82]);
        var length = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(33));
        using var zlib = new ZLibStream(new MemoryStream(bytes, 41, length), CompressionMode.Decompress);
        var lines = new byte[2 * 10];
        zlib.ReadExactly(lines);
        lines[..10].ShouldBe([1, 1, 2, 3, 255, 254, 253, 250, 0, 9]);
        lines[10..].ShouldBe([1, 0, 0, 0, 255, 255, 255, 1, 1, 1]);
    }

    [Fact]
    public void Windows_are_presets_or_numbers()
    {
        IntensityWindow.Parse("lung").ShouldBe(new IntensityWindow(-1350, 150));
        IntensityWindow.Parse("-100,300").ShouldBe(new IntensityWindow(-100, 300));
        Should.Throw<MaisiException>(() => IntensityWindow.Parse("3,2")).Hint!.ShouldContain("bone");
        new IntensityWindow(0, 200).Grey(100).ShouldBe((byte)128);
        new IntensityWindow(0, 200).Grey(double.NaN).ShouldBe((byte)0);
    }
}
