using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

/// <summary>Runs alone, because it counts the bytes of every live tensor in the process.</summary>
[Collection(nameof(MemoryTests))]
public class SlabCodecTests
{
    private const double Tolerance = 1e-5;
    private const int DefaultCount = 12;

    /// <summary>MAISI_FUZZ sets the number of random networks.</summary>
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("MAISI_FUZZ"), out var count) ? count : DefaultCount;

    [Theory]
    [InlineData("vae_maisi")]
    [InlineData("vae_maisi_attn")]
    [InlineData("vae_maisi_attn_fc")]
    [InlineData("vae_maisi_mask")]
    [InlineData("autoencoderkl_3d")]
    [InlineData("autoencoderkl_3d_convtranspose")]
    public void Slabs_compute_what_MONAI_computes(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(name);
        using var network = golden.Network<AutoencoderKlBase>();
        var codec = new SlabCodec(network);
        var (z, x) = (golden["in/z"], golden.TryGet("in/x") ?? Golden.BitPlanes(golden["in/label"]));
        foreach (var slab in new[] { 1L, 1 << 30 })
        {
            codec.Decode(z, Cut(codec.PlanDecode(z.shape[2..], long.MaxValue), slab)).ShouldMatch(golden["out/decode_z"], name, $"decode in slabs of {slab} bytes");
            var latent = codec.Encode(x, Cut(codec.PlanEncode(x.shape[2..], long.MaxValue), slab));
            latent.Mu.ShouldMatch(golden["out/z_mu"], name, $"z_mu in slabs of {slab} bytes");
            latent.Sigma.ShouldMatch(golden["out/z_sigma"], name, $"z_sigma in slabs of {slab} bytes");
        }
    }

    [Fact]
    public void Random_networks_equal_the_undivided_computation_within_the_memory_that_was_planned()
    {
        var random = new Random(7);
        for (var i = 0; i < Count; i++)
        {
            using var scope = NewDisposeScope();
            using var mode = no_grad();
            manual_seed(i);
            using var network = RandomNetwork(random);
            var codec = new SlabCodec(network);
            var latent = randn([1L, 3, .. Extents(random, 2, 8)]);
            var image = randn([1L, 2, .. Extents(random, 8, 27)]);
            var decoded = network.Decode(latent);
            var encoded = network.Encode(image);
            foreach (var budget in new[] { long.MaxValue, 0 })
            {
                var plan = Plan(b => codec.PlanDecode(latent.shape[2..], b), budget);
                var (result, peak) = Measured(() => codec.Decode(latent, plan));
                Close(result, decoded, $"network {i}, decode, {plan}");
                peak.ShouldBeLessThanOrEqualTo(plan.PeakBytes + Allowance(latent, result), $"network {i}, decode, {plan}");

                plan = Plan(b => codec.PlanEncode(image.shape[2..], b), budget);
                LatentDistribution? distribution = null;
                (result, peak) = Measured(() => (distribution = codec.Encode(image, plan)).Mu);
                Close(result, encoded.Mu, $"network {i}, encode, {plan}");
                Close(distribution!.Sigma, encoded.Sigma, $"network {i}, encode, {plan}");
                peak.ShouldBeLessThanOrEqualTo(plan.PeakBytes + Allowance(result, result), $"network {i}, encode, {plan}");
            }
        }
    }

    [Fact]
    public void The_thickness_of_slabs_and_where_activations_lie_change_nothing_but_rounding()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        manual_seed(5);
        using var network = new AutoencoderKlMaisi(Config([16, 32], 8));
        var codec = new SlabCodec(network);
        var latent = randn([1L, 3, 6, 5, 4]);
        var whole = codec.Decode(latent, codec.PlanDecode([6, 5, 4], long.MaxValue));
        foreach (var slab in new[] { 1L, 40_000, 100_000 })
        {
            var plan = Cut(codec.PlanDecode([6, 5, 4], long.MaxValue), slab);
            Array.Fill(plan.Layout.Spilled, true);
            Difference(codec.Decode(latent, plan), whole).ShouldBeLessThan(Tolerance);
        }
    }

    [Fact]
    public void A_batch_is_decoded_sample_by_sample()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("vae_maisi");
        using var network = golden.Network<AutoencoderKlMaisi>();
        var codec = new SlabCodec(network);
        var z = golden["in/z"];
        var both = codec.Decode(cat([z, z * 0.5], 0), codec.PlanDecode(z.shape[2..], long.MaxValue));
        using var mode = no_grad();
        Close(both, network.Decode(cat([z, z * 0.5], 0)), "batch of two");
    }

    [Fact]
    public void Too_little_memory_is_refused_with_what_would_do()
    {
        using var network = new AutoencoderKlMaisi(Config([16, 32], 8));
        var codec = new SlabCodec(network);
        var error = Should.Throw<MaisiException>(() => codec.PlanDecode([16, 16, 16], 1 << 20));
        error.Message.ShouldContain("needs at least");
        error.Message.ShouldContain("leaves 1 MB");
        error.Hint!.ShouldStartWith("Allow ");
        var least = Plan(b => codec.PlanDecode([16, 16, 16], b), 0);
        least.SpilledBytes.ShouldBeGreaterThan(0);
        Should.Throw<MaisiException>(() => codec.PlanDecode([16, 16, 16], least.PeakBytes / 2));
        codec.PlanDecode([16, 16, 16], long.MaxValue).SpilledBytes.ShouldBe(0);
        Should.Throw<NetworkInputException>(() => codec.Decode(zeros([1L, 3, 4, 4, 4]), least)).Message.ShouldContain("the plan is for [3, 16, 16, 16]");
    }

    [Fact]
    public void Neither_the_end_nor_cancellation_nor_a_missing_folder_leaves_files_or_tensors()
    {
        using var mode = no_grad();
        using var network = new AutoencoderKlMaisi(Config([16, 32], 8));
        var codec = new SlabCodec(network);
        using var latent = randn([1L, 3, 6, 5, 4]);
        using var temp = TestPaths.Temporary();
        var plan = Cut(codec.PlanDecode([6, 5, 4], long.MaxValue), 1);
        Array.Fill(plan.Layout.Spilled, true);
        var before = TensorRuntime.Memory(CPU).Allocated;
        var seen = new List<string>();
        using var cancel = new CancellationTokenSource();
        var progress = new Sink(p =>
        {
            seen.AddRange(Directory.GetFileSystemEntries(temp.Path));
            if (p.Done >= 50)
                cancel.Cancel();
        });
        Should.Throw<OperationCanceledException>(() => codec.Decode(latent, plan, progress, temp.Path, cancel.Token));
        codec.Decode(latent, plan, null, temp.Path).Dispose();
        seen.ShouldBeEmpty();
        Directory.GetFileSystemEntries(temp.Path).ShouldBeEmpty();
        var missing = Should.Throw<MaisiException>(() => codec.Decode(latent, plan, null, Path.Combine(temp.Path, "missing")));
        missing.Message.ShouldContain("temporary file");
        TensorRuntime.Memory(CPU).Allocated.ShouldBeLessThanOrEqualTo(before);
    }

    /// <summary>The seam metric: slabs differ from the undivided decode by rounding, blended windows by four orders of magnitude more.</summary>
    [Fact]
    public void Slabs_have_no_seams_where_windows_have()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        manual_seed(11);
        using var network = new AutoencoderKlMaisi(Config([16, 32], 8));
        var latent = randn([1L, 3, 16, 16, 16]);
        var whole = network.Decode(latent);
        var codec = new SlabCodec(network);
        var slabs = codec.Decode(latent, Cut(codec.PlanDecode([16, 16, 16], long.MaxValue), 1));
        var windows = DynamicInference.Run(latent, network.Decode, new SlidingWindowOptions([8, 8, 8], [0.6666, 0.6666, 0.6666]));
        Difference(slabs, whole).ShouldBeLessThan(Tolerance);
        Difference(windows, whole).ShouldBeGreaterThan(1e3 * Tolerance);
    }

    [Theory]
    [InlineData("16GB", 16L << 30)]
    [InlineData("900 mb", 900L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("2048", 2048)]
    [InlineData("4K", 4096)]
    public void Amounts_of_memory_are_read(string text, long bytes) => MemorySize.Parse(text, "--memory").ShouldBe(bytes);

    [Theory]
    [InlineData("")]
    [InlineData("much")]
    [InlineData("0GB")]
    [InlineData("-3GB")]
    [InlineData("1e3")]
    [InlineData("99999999999TB")]
    public void Other_texts_are_refused(string text) => Should.Throw<MaisiException>(() => MemorySize.Parse(text, "--memory")).Where.ShouldBe("--memory");

    private static AutoencoderKlMaisiConfig Config(int[] channels, int groups) => new()
    {
        SpatialDims = 3,
        InChannels = 2,
        OutChannels = 2,
        LatentChannels = 3,
        NumChannels = channels,
        NumResBlocks = Enumerable.Repeat(1, channels.Length).ToArray(),
        AttentionLevels = [.. channels.Select(_ => false)],
        NormNumGroups = groups,
    };

    private static AutoencoderKlBase RandomNetwork(Random random)
    {
        int[] widths = [8, 16, 24, 32];
        int[] channels = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => widths[random.Next(4)])];
        int[] blocks = [.. channels.Select(_ => random.Next(1, 3))];
        bool[] attention = [.. channels.Select((_, i) => i == channels.Length - 1 && random.Next(3) == 0)];
        var (fc, combined, transposed, nonlocal, groups) = (random.Next(2) == 0, random.Next(2) == 0, random.Next(3) == 0, random.Next(3) == 0, random.Next(2) == 0 ? 4 : 8);
        AutoencoderKlBase network = random.Next(2) == 0
            ? new AutoencoderKlMaisi(Config(channels, groups) with
            {
                NumResBlocks = blocks,
                AttentionLevels = attention,
                IncludeFc = fc,
                UseCombinedLinear = combined,
                UseConvtranspose = transposed,
                WithDecoderNonlocalAttn = nonlocal,
                WithEncoderNonlocalAttn = nonlocal,
            })
            : new AutoencoderKL(new AutoencoderKlConfig
            {
                SpatialDims = 3,
                InChannels = 2,
                OutChannels = 2,
                LatentChannels = 3,
                Channels = channels,
                NumResBlocks = blocks,
                AttentionLevels = attention,
                NormNumGroups = groups,
                IncludeFc = fc,
                UseCombinedLinear = combined,
                UseConvtranspose = transposed,
                WithDecoderNonlocalAttn = nonlocal,
                WithEncoderNonlocalAttn = nonlocal,
            });
        foreach (var (name, parameter) in network.named_parameters().Where(p => p.name.Contains("norm", StringComparison.Ordinal)))
            parameter.uniform_(0.5, 1.5);
        network.eval();
        return network;
    }

    private static long[] Extents(Random random, int from, int to) => [random.Next(from, to), random.Next(from, to), random.Next(from, to)];

    /// <summary>A plan for a budget; for 0 the most frugal one there is.</summary>
    private static SlabPlan Plan(Func<long, SlabPlan> plan, long budget)
    {
        if (budget > 0)
            return plan(budget);
        var (low, high) = (0L, plan(long.MaxValue).PeakBytes);
        while (high - low > 4096)
        {
            var middle = (low + high) / 2;
            try
            {
                high = Math.Min(middle, plan(middle).PeakBytes);
            }
            catch (MaisiException)
            {
                low = middle;
            }
        }
        return plan(high);
    }

    private static SlabPlan Cut(SlabPlan plan, long bytes)
    {
        plan.Layout.CutTo(bytes);
        return plan;
    }

    private static (Tensor Result, long Peak) Measured(Func<Tensor> work)
    {
        TensorRuntime.Memory(CPU, resetPeak: true);
        var before = TensorRuntime.Memory(CPU).Allocated;
        var result = work();
        return (result, TensorRuntime.Memory(CPU).Peak - before);
    }

    /// <summary>What a plan leaves out: the latent and its copies behind the pointwise convolutions, the result, and rounding of the allocator.</summary>
    private static long Allowance(Tensor latent, Tensor result) => (16 * 8 * latent.numel()) + (4 * result.numel()) + (64 << 10);

    private static void Close(Tensor actual, Tensor expected, string what)
    {
        actual.shape.ShouldBe(expected.shape, what);
        Difference(actual, expected).ShouldBeLessThan(Tolerance, what);
    }

    /// <summary>The largest difference, relative to the largest value where that is above 1.</summary>
    private static double Difference(Tensor actual, Tensor expected) =>
        (actual - expected).abs().max().item<float>() / Math.Max(1.0, expected.abs().max().item<float>());

    private sealed class Sink(Action<WorkProgress> heard) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => heard(value);
    }
}
