using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Training;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>How far decoding in slabs, and in upstream's windows, is from decoding in one piece: MAISI's real decoder with random weights.</summary>
public sealed class SeamTests(ITestOutputHelper output)
{
    [Fact]
    public void Slabs_have_no_seams_and_windows_have()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(5);
        using var decoder = NetworkFactory.Create<AutoencoderKlMaisi>(BundleSettings.Read(Path.Combine(TestPaths.Root, "bundles", "maisi_ct_rflow")).AutoencoderDef);
        decoder.eval();
        var (slabs, windows) = Compare("MAISI's decoder, random weights, latent 8³, windows 6³", decoder, PhiloxNoise.Normal([1, 4, 8, 8, 8], 3), 6);
        slabs.ShouldBeLessThan(1e-5);
        windows.ShouldBeGreaterThan(0.01);
    }

    [Fact]
    public void The_same_for_trained_weights_and_the_latent_of_a_head()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var path = Path.Combine(TestPaths.Root, "bundles", "maisi_headneck_small");
        using var model = ModelBundle.Load(path, BundleSettings.Read(path));
        var (_, hounsfield) = new HeadPhantom(1).Render([64, 64, 64], [3, 3, 3]);
        var image = tensor(hounsfield, [1, 1, 64, 64, 64]).add(1000).div(2000).clamp(0, 1);
        var (slabs, windows) = Compare("maisi_headneck_small, latent of a drawn head 16³, windows 12³", model.Autoencoder, model.Autoencoder.Encode(image).Mu, 12);
        slabs.ShouldBeLessThan(1e-5);
        windows.ShouldBeGreaterThan(100 * slabs);
    }

    /// <summary>The largest differences as shares of the image's range.</summary>
    private (double Slabs, double Windows) Compare(string what, AutoencoderKlMaisi decoder, Tensor latent, int window)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var whole = decoder.Decode(latent);
        var range = (whole.max() - whole.min()).ToDouble();
        var codec = new SlabCodec(decoder);
        var slabs = Difference(codec.Decode(latent, codec.PlanDecode(latent.shape[2..], 64L << 20)));
        var windows = Difference(SlidingWindow.Run(latent, decoder.Decode, new SlidingWindowOptions([window, window, window], [0.6666, 0.6666, 0.6666])));
        output.WriteLine(FormattableString.Invariant($"{what}: slabs {slabs:e2}, windows {windows:e2} of the image's range"));
        return (slabs, windows);

        double Difference(Tensor image) => (image - whole).abs().max().ToDouble() / range;
    }
}
