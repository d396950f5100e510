using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>From noise and sizes of organs to a label map: what NV-Generate's sampler computes with MONAI 1.5.0's networks.</summary>
public sealed class MaskSynthesisTests
{
    [Fact]
    public void Labels_equal_upstreams_however_they_are_decoded()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("pipeline_mask");
        var networks = TinyMaisi.MaskNetworks(golden);
        var noises = golden.Sequence("in/noise");
        var condition = golden.Info["anatomy_size"]!.AsArray().Select(n => n!.GetValue<double>()).ToArray();
        var synthesis = new MaskSynthesis(networks, MaskSynthesis.CodesOf(null));
        var latent = synthesis.Denoise(condition, noises[0], step => noises[step + 1], 4);
        var expected = golden["out/labels_before_post_process"].data<byte>().ToArray();

        var plan = new SlabCodec(networks.Autoencoder).PlanDecode([8, 8, 8], 8 << 20);
        var windows = new SlidingWindowOptions([48, 48, 48], [0.6666, 0.6666, 0.6666]);
        foreach (var labels in new[] { Decode(null, null), Decode(null, plan), Decode(windows, null) })
        {
            labels.ToArray<byte>().ShouldBe(expected);
            labels.Spacing.ShouldBe([1.5, 1.5, 1.5]);
        }
        expected.Distinct().Count().ShouldBeGreaterThan(3);
        AnatomySizeConditions.TargetTumour(condition).ShouldBe(golden.Info["target_tumor_label_for_post_process"]!.GetValue<int>());

        Volume Decode(SlidingWindowOptions? w, SlabPlan? p) => synthesis.Decode(latent, [1.5, 1.5, 1.5], w, p);
    }

    [Fact]
    public void Label_codes_of_classes_are_read_from_a_bundles_file()
    {
        var codes = MaskSynthesis.ReadCodes(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow", "configs", "label_dict_124_to_132.json"));
        codes.Where(c => c.Key != 0).ShouldAllBe(c => MaskSynthesis.CodesOf(null)[c.Key] == c.Value);
        codes[124].ShouldBe(200);
        using var folder = TestPaths.Temporary();
        File.WriteAllText(folder["codes.json"], """{"liver": 1}""");
        Should.Throw<MaisiException>(() => MaskSynthesis.ReadCodes(folder["codes.json"])).Message.ShouldContain("cannot be read");
    }
}
