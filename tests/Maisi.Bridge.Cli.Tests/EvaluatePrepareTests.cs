using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Tests;

/// <summary><c>maisi evaluate prepare</c>.</summary>
[Collection(nameof(TinyBundle))]
public sealed class EvaluatePrepareTests(TinyBundle bundle)
{
    [Fact]
    public async Task Real_cases_come_to_the_bundles_grid()
    {
        var (code, output, error) = await Maisi.RunAsync(bundle[""], ["evaluate", "prepare", bundle.Path, "-d", bundle["datalist.json"], "--part", "training", "--reconstruct", "-o", "real", "-q"]);
        code.ShouldBe(0, error);
        output[^1].ShouldBe("real/datalist.json");
        error.ShouldContain("3 cases on ");
        var image = VolumeFile.Read(bundle["real/images/head2_image.nii.gz"]);
        VolumeFile.Read(bundle["real/labels/head2_label.nii.gz"]).Grid.Matches(image.Grid).ShouldBeTrue();
        VolumeFile.Read(bundle["real/reconstructed/head2_image.nii.gz"]).Grid.Matches(image.Grid).ShouldBeTrue();

        var scored = await Maisi.RunAsync(bundle[""], ["evaluate", "image", "real/reconstructed", "--against", "real/images", "-q"]);
        scored.Code.ShouldBe(0, scored.Error);
        string.Join('\n', scored.Output).ShouldContain("PSNR");
    }

    [Fact]
    public async Task A_list_without_that_part_is_refused()
    {
        var (code, _, error) = await Maisi.RunAsync(bundle[""], ["evaluate", "prepare", bundle.Path, "-d", bundle["datalist.json"], "-o", "none"]);
        code.ShouldBe(2);
        error.ShouldContain("no list \"validation\"");
        Directory.Exists(bundle["none"]).ShouldBeFalse();
    }
}
