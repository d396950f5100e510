using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Cli.Tests;

[Collection(nameof(TinyBundle))]
public sealed class ServeCommandTests(TinyBundle bundle)
{
    [Theory]
    [InlineData("--device", "tpu", "There is no device 'tpu'.")]
    [InlineData("--memory", "much", "much")]
    [InlineData("--local-folder", "not/absolute", "is no folder of this machine")]
    public async Task A_setting_that_does_not_fit_is_told_before_anything_listens(string option, string value, string message)
    {
        using var temp = TestPaths.Temporary();
        var (code, output, error) = await Maisi.RunAsync(temp.Path, ["serve", "--bundle", bundle.Path, "--data", temp["jobs"], "--urls", "http://127.0.0.1:0", option, value]);
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain(message);
        Directory.Exists(temp["jobs"]).ShouldBeFalse();
    }
}
