using System.Text.Json.Nodes;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

public class SlidingWindowTests
{
    private const double LatentScale = 1.05;

    [Fact]
    public void Blended_decodes_and_encodes_are_those_of_MONAI()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Golden golden = new("sliding_window"), weights = new("vae_maisi");
        using var network = weights.Network<AutoencoderKlMaisi>();
        foreach (var item in golden.Info["cases"]!.AsArray().Take(5))
        {
            var result = SlidingWindow.Run(golden["in/z"], z => network.Decode(z / LatentScale), Options(item!));
            result.ShouldMatch(golden[item!["out"]!.ToString()], golden.Name, $"decode {item["roi_size"]!.ToJsonString()} {item["overlap"]!.ToJsonString()}");
        }
        var latent = SlidingWindow.Run(golden["in/x"], x =>
        {
            var distribution = network.Encode(x);
            return [distribution.Mu, distribution.Sigma];
        }, new SlidingWindowOptions([16, 12, 16], [0.5, 0.5, 0.5]));
        latent[0].ShouldMatch(golden["out/encode/z_mu"], golden.Name, "encode mu");
        latent[1].ShouldMatch(golden["out/encode/z_sigma"], golden.Name, "encode sigma");
        var seen = new List<WindowProgress>();
        var doubled = SlidingWindow.Run(
            golden["in/x"], x => x * 2, new SlidingWindowOptions([12, 12, 12], [0.25, 0.25, 0.25], WindowBlending.Constant, BatchSize: 2, Padding: PaddingModes.Reflect),
            new Sink(seen));
        doubled.ShouldMatch(golden["out/identity_x2"], golden.Name, "2x");
        seen[^1].ShouldBe(new WindowProgress(12, 12));
    }

    [Fact]
    public void Dynamic_inference_slides_when_MONAI_slides()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Golden golden = new("sliding_window"), weights = new("vae_maisi");
        using var network = weights.Network<AutoencoderKlMaisi>();
        foreach (var item in golden.Info["dynamic_infer"]!["cases"]!.AsArray())
        {
            var calls = new List<long[]>();
            var result = DynamicInference.Run(golden["in/z"], z =>
            {
                calls.Add(z.shape);
                return network.Decode(z / LatentScale);
            }, new SlidingWindowOptions(Longs(item!["roi_size"]!), [0.4, 0.4, 0.4]));
            calls.ShouldBe(item["calls"]!.AsArray().Select(c => Longs(c!)));
            if (!(bool)item["direct"]!)
                result.ShouldMatch(golden[item["out"]!.ToString()], golden.Name, $"dynamic {item["roi_size"]!.ToJsonString()}");
        }
    }

    [Fact]
    public void Windows_and_weights_are_those_of_MONAI()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("sliding_window");
        foreach (var item in golden.Info["windows"]!.AsArray())
        {
            long[] image = Longs(item!["image"]!), roi = Longs(item["roi"]!);
            var overlap = Enumerable.Repeat((double)item["overlap"]!, 3).ToArray();
            var interval = SlidingWindow.ScanInterval(image, roi, overlap);
            interval.ShouldBe(Longs(item["scan_interval"]!));
            SlidingWindow.WindowStarts(image, roi, interval).ShouldBe(item["starts"]!.AsArray().Select(s => Longs(s!)));
        }
        var maps = golden.Info["importance_maps"]!.AsArray();
        for (var i = 0; i < maps.Count; i++)
            SlidingWindow.ImportanceMap(Longs(maps[i]!["size"]!), (double)maps[i]!["sigma_scale"]!).ShouldMatch(golden[$"out/importance/{i}"], golden.Name, $"importance {i}", 1e-6);
    }

    [Fact]
    public void Wrong_windows_are_explained_and_cancellation_stops()
    {
        using var scope = NewDisposeScope();
        var x = zeros([1L, 1, 4, 4, 4]);
        Should.Throw<NetworkInputException>(() => SlidingWindow.Run(x, w => w, new SlidingWindowOptions([2, 2, 2], [1, 0, 0]))).Message.ShouldContain("overlap is 1");
        Should.Throw<NetworkInputException>(() => SlidingWindow.Run(x, w => w, new SlidingWindowOptions([2, 0, 2], [0, 0, 0]))).Message.ShouldContain("extent 0");
        Should.Throw<NetworkInputException>(() => SlidingWindow.Run(x, w => w, new SlidingWindowOptions([2, 2], [0, 0]))).Message.ShouldContain("3 axes");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Should.Throw<OperationCanceledException>(() => SlidingWindow.Run(x, w => w, new SlidingWindowOptions([2, 2, 2], [0, 0, 0]), cancel: cancelled.Token));
    }

    private static SlidingWindowOptions Options(JsonNode item) => new(
        Longs(item["roi_size"]!),
        item["overlap"] is JsonArray list ? [.. list.Select(o => (double)o!)] : [.. Enumerable.Repeat((double)item["overlap"]!, 3)],
        item["mode"]!.ToString() == "constant" ? WindowBlending.Constant : WindowBlending.Gaussian,
        (double?)item["sigma_scale"] ?? 0.125);

    private static long[] Longs(JsonNode node) => [.. node.AsArray().Select(e => (long)e!)];

    private sealed class Sink(List<WindowProgress> seen) : IProgress<WindowProgress>
    {
        public void Report(WindowProgress value) => seen.Add(value);
    }
}
