using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Tests.Training;

public sealed class CaseExportTests
{
    [Fact]
    public void Cases_are_written_as_the_networks_see_them()
    {
        using var folder = TestPaths.Temporary();
        var config = TinyTraining.Config();
        new TrainingRun(config, folder["bundle"]).Execute(TinyTraining.Cases(config), []);
        var settings = BundleSettings.Read(folder["bundle"]);
        var grid = new VolumeGrid(32, 32, 32, Affine.Diagonal(6, 6, 6));
        var (labels, hounsfield) = new HeadPhantom(4).Render([32, 32, 32], [6, 6, 6]);
        var entry = new DatalistEntry(folder["pt_004_ct.nii.gz"], folder["pt_004_label.nii.gz"]);
        VolumeFile.Write(Volume.FromArray<short>([.. hounsfield.Select(h => (short)h)], grid), entry.Image);
        VolumeFile.Write(Volume.FromArray<byte>(labels, grid), entry.Label);

        using var model = ModelBundle.Load(folder["bundle"], settings);
        new CaseExport(settings).Write([entry], folder["out"], model.Autoencoder).ShouldBe(["pt_004"]);
        var seen = TrainingCases.Load([entry], config.Data, null, default)[0];
        var image = VolumeFile.Read(folder["out/images/pt_004_image.nii.gz"]);
        image.Spacing.ShouldBe([12.0, 12, 12]);
        image.ToFloats().Zip(seen.Image).ShouldAllBe(p => Math.Abs(p.First - ((p.Second * 2000) - 1000)) <= 0.501);
        VolumeFile.Read(folder["out/labels/pt_004_label.nii.gz"]).ToArray<byte>().ShouldBe(seen.Labels);
        var reconstructed = VolumeFile.Read(folder["out/reconstructed/pt_004_image.nii.gz"]).ToFloats();
        reconstructed.Min().ShouldBeGreaterThanOrEqualTo(-1000);
        reconstructed.ShouldNotBe(image.ToFloats());
        MaskSource.ReadPairs(folder["out/datalist.json"])[0].Label.ShouldBe(Path.GetFullPath(folder["out/labels/pt_004_label.nii.gz"]));

        Should.Throw<MaisiException>(() => new CaseExport(settings).Write([entry, entry], folder["again"])).Message.ShouldBe("Two cases are called pt_004.");
        Directory.Exists(folder["again"]).ShouldBeFalse();
    }
}
