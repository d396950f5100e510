using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

public sealed class VolumeKernelTests : TensorTest
{
    public VolumeKernelTests() => manual_seed(3);

    public static TheoryData<int, int, long[]> Shapes() => new()
    {
        { 1, 1, [1, 1, 1] },
        { 4, 8, [2, 2, 2] },
        { 3, 5, [5, 7, 9] },
        { 8, 6, [3, 17, 33] },
        { 16, 32, [6, 10, 100] },
        { 64, 1, [4, 8, 48] },
        { 96, 64, [7, 8, 16] },
    };

    [SkippableTheory]
    [MemberData(nameof(Shapes))]
    public void Convolution_equals_libtorch_s(int input, int output, long[] size)
    {
        RequireKernels();
        var (x, weight, bias, residual) = Convolution(input, output, size);
        long[] one = [1, 1, 1];
        var exact = nn.functional.conv3d(x.to(float64), weight.to(float64), bias.to(float64), one, one) + residual;
        var prepared = VolumeKernels.ConvolutionWeights(weight);
        var result = empty(residual.shape);
        VolumeKernels.Convolve(x, prepared, bias, residual, halo: false, result);
        (result - exact).abs().max().item<double>().ShouldBeLessThan(5e-6);
        VolumeKernels.Convolve(x, prepared, null, null, halo: false, result);
        (result + bias.reshape(1, -1, 1, 1, 1) + residual - exact).abs().max().item<double>().ShouldBeLessThan(5e-6);
        // The result may lie where the residual was.
        VolumeKernels.Convolve(x, prepared, bias, residual, halo: false, residual);
        (residual - exact).abs().max().item<double>().ShouldBeLessThan(5e-6);
    }

    [SkippableTheory]
    [InlineData(1, 1, 1, new long[] { 1, 1, 1 }, true)]
    [InlineData(2, 4, 8, new long[] { 2, 3, 4 }, false)]
    [InlineData(3, 5, 7, new long[] { 5, 7, 9 }, true)]
    [InlineData(2, 19, 33, new long[] { 4, 17, 33 }, false)]
    [InlineData(1, 96, 64, new long[] { 9, 8, 16 }, true)]
    [InlineData(2, 16, 16, new long[] { 32, 20, 48 }, true)]
    public void Gradients_of_a_batch_equal_libtorch_s(int batch, int input, int output, long[] size, bool withBias)
    {
        RequireKernels();
        var (x, weight) = (randn([batch, input, .. size]), randn([output, input, 3, 3, 3]));
        var bias = withBias ? randn([output]) : null;
        var upstream = randn([batch, output, .. size]);
        var own = Gradients(x, weight, bias, upstream, float32, VolumeKernels.Convolution3x3x3);
        long[] one = [1, 1, 1];
        var exact = Gradients(x, weight, bias, upstream, float64, (v, w, b) => nn.functional.conv3d(v, w, b, one, one));
        own.Count.ShouldBe(exact.Count);
        foreach (var (mine, theirs) in own.Zip(exact))
            ((mine - theirs).abs().max() / theirs.abs().max()).item<double>().ShouldBeLessThan(3e-6);
    }

    [SkippableTheory]
    [InlineData(8, 12)]
    [InlineData(80, 64)]
    public void Gradients_do_not_depend_on_the_number_of_threads(int input, int output)
    {
        RequireKernels();
        var before = get_num_threads();
        var (x, weight, upstream) = (randn([3, input, 9, 11, 21]), randn([output, input, 3, 3, 3]), randn([3, output, 9, 11, 21]));
        var runs = new[] { 1, 2, 5 }.Select(threads =>
        {
            set_num_threads(threads);
            return Gradients(x, weight, null, upstream, float32, VolumeKernels.Convolution3x3x3);
        }).ToList();
        set_num_threads(before);
        foreach (var run in runs)
            run.Zip(runs[0]).ShouldAllBe(pair => (pair.First - pair.Second).abs().max().item<float>() == 0);
    }

    [SkippableFact]
    public void Only_asked_for_gradients_are_computed_and_gradients_can_be_differentiated()
    {
        RequireKernels();
        var (x, weight) = (randn([1, 4, 5, 6, 7]), randn([3, 4, 3, 3, 3]));
        x.requires_grad = true;
        VolumeKernels.Convolution3x3x3(x, weight, null).sum().backward();
        x.grad!.shape.ShouldBe(x.shape);
        weight.grad.ShouldBeNull();
        // d/dw of the squared gradient by x, against the same on libtorch's convolution.
        weight.requires_grad = true;
        long[] one = [1, 1, 1];
        var penalties = new Func<Tensor>[] { () => VolumeKernels.Convolution3x3x3(x, weight, null), () => nn.functional.conv3d(x, weight, null, one, one) }.Select(y =>
        {
            var slope = autograd.grad([y().pow(2).sum()], [x], retain_graph: true, create_graph: true)[0];
            return autograd.grad([slope.pow(2).sum()], [weight])[0];
        }).ToList();
        ((penalties[0] - penalties[1]).abs().max() / penalties[1].abs().max()).item<float>().ShouldBeLessThan(1e-5f);
        Should.Throw<TorchException>(() => VolumeKernels.Convolution3x3x3(x, randn([3, 5, 3, 3, 3]), null)).Message.ShouldContain("channels");
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public void Slabs_and_threads_change_no_bit(int threads)
    {
        RequireKernels();
        var before = get_num_threads();
        var (x, weight, bias, _) = Convolution(12, 20, [9, 11, 21]);
        var prepared = VolumeKernels.ConvolutionWeights(weight);
        var whole = empty([1, 20, 9, 11, 21]);
        VolumeKernels.Convolve(x, prepared, bias, null, halo: false, whole);
        set_num_threads(threads);
        var padded = nn.functional.pad(x, [0L, 0, 0, 0, 1, 1]);
        var parts = empty([1, 20, 9, 11, 21]);
        foreach (var (start, count) in new[] { (0, 4), (4, 2), (6, 3) })
            VolumeKernels.Convolve(padded.narrow(2, start, count + 2), prepared, bias, null, halo: true, parts.narrow(2, start, count));
        set_num_threads(before);
        (parts - whole).abs().max().item<float>().ShouldBe(0);
    }

    [SkippableFact]
    public void Sums_and_norms_are_those_of_every_channel()
    {
        RequireKernels();
        var x = randn([1, 6, 5, 7, 9]) * 3 + 100;
        var sums = new double[12];
        VolumeKernels.AddChannelSums(x.narrow(2, 0, 2), sums);
        VolumeKernels.AddChannelSums(x.narrow(2, 2, 3), sums);
        var wide = x.to(float64);
        Close(wide.sum([0L, 2, 3, 4]), [.. Enumerable.Range(0, 6).Select(c => sums[2 * c])], 1e-12);
        Close(wide.pow(2).sum([0L, 2, 3, 4]), [.. Enumerable.Range(0, 6).Select(c => sums[(2 * c) + 1])], 1e-12);

        var values = tensor(new[] { float.NaN, float.PositiveInfinity, -200, 200, -90, 0, 1e-20f, 5, -1 }, [1, 1, 1, 1, 9]);
        VolumeKernels.ChannelAffine(values, [1], [0], silu: true, values);
        var found = values.data<float>().ToArray();
        float.IsNaN(found[0]).ShouldBeTrue();
        found[1].ShouldBe(float.PositiveInfinity);
        found.AsSpan(2).ToArray().Zip([0, 200, 0, 0, 1e-20f, 4.966535f, -0.26894143f]).ShouldAllBe(p => Math.Abs(p.First - p.Second) < 1e-6);

        var (scale, shift) = (new float[] { 1, -2, 0.5f, 3, 0, 1e-3f }, new float[] { 0, 1, -50, -300, 4, 0 });
        var result = empty_like(x);
        VolumeKernels.ChannelAffine(x, scale, shift, silu: true, result);
        var y = wide * tensor(scale, [1, 6, 1, 1, 1]) + tensor(shift, [1, 6, 1, 1, 1]);
        ((result - y.silu()) / (1 + y.abs())).abs().max().item<double>().ShouldBeLessThan(2e-6);
    }

    [SkippableFact]
    public void What_does_not_fit_is_refused()
    {
        RequireKernels();
        var (x, weight, bias, residual) = Convolution(4, 8, [4, 4, 4]);
        var prepared = VolumeKernels.ConvolutionWeights(weight);
        Should.Throw<TorchException>(() => VolumeKernels.ConvolutionWeights(randn([8, 4, 1, 1, 1]))).Message.ShouldContain("[out, in, 3, 3, 3]");
        Should.Throw<TorchException>(() => VolumeKernels.Convolve(x.to(float64), prepared, bias, null, false, residual)).Message.ShouldContain("float32");
        Should.Throw<TorchException>(() => VolumeKernels.Convolve(x, prepared, bias, null, false, empty([1, 12, 4, 4, 4]))).Message.ShouldContain("other channels");
        Should.Throw<TorchException>(() => VolumeKernels.Convolve(x.transpose(2, 4), prepared, bias, null, false, residual)).Message.ShouldContain("dense channels");
        Should.Throw<TorchException>(() => VolumeKernels.ChannelAffine(x, new float[4], new float[4], false, residual)).Message.ShouldContain("another shape");
    }

    private static (Tensor X, Tensor Weight, Tensor Bias, Tensor Residual) Convolution(int input, int output, long[] size) =>
        (randn([1, input, .. size]), randn([output, input, 3, 3, 3]) / Math.Sqrt(27 * input), randn(output), randn([1, output, .. size]));

    private static void RequireKernels() => Skip.IfNot(VolumeKernels.IsSupported, "this processor has no AVX2 or no FMA");

    private static List<Tensor> Gradients(Tensor x, Tensor weight, Tensor? bias, Tensor upstream, ScalarType type, Func<Tensor, Tensor, Tensor?, Tensor> convolve)
    {
        var leaves = new[] { x, weight, bias }.OfType<Tensor>().Select(t => t.to(type, copy: true)).ToList();
        leaves.ForEach(t => t.requires_grad = true);
        var result = convolve(leaves[0], leaves[1], leaves.ElementAtOrDefault(2));
        (result * upstream.to(type)).sum().backward();
        return [result, .. leaves.Select(t => t.grad!)];
    }
}
