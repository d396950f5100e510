using Maisi.Bridge.Generation;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Generation;

public class StagingFolderTests
{
    [Fact]
    public void Nothing_is_left_when_the_work_fails()
    {
        using var temp = TestPaths.Temporary();
        var target = temp["out"];
        Should.Throw<InvalidOperationException>(() =>
        {
            using var staging = new StagingFolder(target);
            File.WriteAllText(staging.File("a.txt"), "half");
            throw new InvalidOperationException();
        });
        Directory.Exists(target).ShouldBeFalse();
    }

    [Fact]
    public void Published_files_replace_older_ones_and_keep_strangers()
    {
        using var temp = TestPaths.Temporary();
        File.WriteAllText(temp["a.txt"], "old");
        File.WriteAllText(temp["mine.txt"], "mine");
        using (var staging = new StagingFolder(temp.Path))
        {
            File.WriteAllText(staging.File("a.txt"), "new");
            File.WriteAllText(staging.File("sub/b.txt"), "b");
            File.ReadAllText(temp["a.txt"]).ShouldBe("old");
            staging.Publish();
        }
        File.ReadAllText(temp["a.txt"]).ShouldBe("new");
        File.ReadAllText(temp["sub/b.txt"]).ShouldBe("b");
        Directory.EnumerateFileSystemEntries(temp.Path).Select(Path.GetFileName).Order().ShouldBe(["a.txt", "mine.txt", "sub"]);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_an_explained_error()
    {
        using var temp = TestPaths.Temporary();
        File.WriteAllText(temp["file"], "");
        Should.Throw<MaisiException>(() => new StagingFolder(temp["file"])).Message.ShouldContain("cannot be written");
    }
}
