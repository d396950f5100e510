using Maisi.Bridge.Bundles;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Hostile bundles: nothing executes, nothing is written, each ends in its error. The benchmark <c>hostile</c> measures time and memory.</summary>
public sealed class HostileConfigTests
{
    // Far above what any case needs; a bomb passes it by orders of magnitude. Work is bounded by the budget of steps, not by a clock.
    private const long MostAllocated = 2L << 30;

    public static TheoryData<string> Names() => [.. HostileCorpus.Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Case_ends_in_its_error(string name)
    {
        var hostile = HostileCorpus.Cases[name];
        using var outer = TestPaths.Temporary();
        File.WriteAllText(outer["secret.json"], "{\"password\": 1}");
        var folder = Directory.CreateDirectory(outer["bundle"]).FullName;
        var before = GC.GetAllocatedBytesForCurrentThread();
        BundleException? error = null;
        try
        {
            hostile.Resolve(folder);
        }
        catch (BundleException e)
        {
            error = e;
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(MostAllocated);
        if (hostile.Kind is { } kind)
        {
            error.ShouldNotBeNull();
            error.Kind.ShouldBe(kind, error.Message);
            error.Message.Length.ShouldBeLessThan(4_000);
            error.Message.ShouldNotContain("password\": 1");
        }
        Directory.EnumerateFileSystemEntries(outer.Path).Select(Path.GetFileName).Order().ShouldBe(["bundle", "secret.json"]);
        string[] written = ["b.json", "evil.pt", "folder", "link.json", "main.json", "main.yaml"];
        Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Except(written).ShouldBeEmpty();
        (Directory.Exists("/tmp/maisi-outside") || Directory.Exists("/var/tmp/maisi-outside")).ShouldBeFalse();
    }
}
