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
}
