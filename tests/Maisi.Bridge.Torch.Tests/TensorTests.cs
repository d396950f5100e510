using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

public sealed class TensorTests : TensorTest
{
    [Fact]
    public void Factories_give_shape_dtype_and_values()
    {
        Values(zeros(2, 2)).ShouldBe([0, 0, 0, 0]);
        Values(ones([3], float64)).ShouldBe([1, 1, 1]);
        Values(full([2], 2.5)).ShouldBe([2.5, 2.5]);
        Values(arange(3)).ShouldBe([0, 1, 2]);
        arange(3).dtype.ShouldBe(ScalarType.Int64);
        Values(arange(1, 2, 0.5, float32)).ShouldBe([1, 1.5]);
        Values(linspace(0, 1, 3)).ShouldBe([0, 0.5, 1]);
        Values(eye(2, 3)).ShouldBe([1, 0, 0, 0, 1, 0]);
        Values(tensor(new long[] { 1, 2, 3, 4 }, [2, 2])).ShouldBe([1, 2, 3, 4]);
        Values(tensor(new float[,] { { 1, 2 }, { 3, 4 } })).ShouldBe([1, 2, 3, 4]);
        tensor(3.5).shape.ShouldBeEmpty();
        Values(from_array(new int[,,] { { { 1, 2 } }, { { 3, 4 } } })).ShouldBe([1, 2, 3, 4]);
        Values(zeros_like(ones(2))).ShouldBe([0, 0]);
        Values(tensor(new float[] { 1, 2 }, float64)).ShouldBe([1, 2]);
    }

    [Fact]
    public void Random_numbers_are_those_of_python_torch()
    {
        // torch.manual_seed(0); torch.randn(4)
        manual_seed(0).Dispose();
        Close(randn(4), [1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991]);
        using var generator = new Generator(0);
        Close(randn([4], generator: generator), [1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991]);
        generator.manual_seed(7);
        var first = rand([3], generator: generator);
        generator.manual_seed(7);
        Values(rand([3], generator: generator)).ShouldBe(Values(first));
        Values(randint(0, 5, [100])).ShouldAllBe(v => v >= 0 && v < 5);
        Values(randperm(5)).Order().ShouldBe([0, 1, 2, 3, 4]);
    }

    [Fact]
    public void Operators_compute()
    {
        var x = tensor(new float[] { 1, 2, 3 });
        Values(x + 1).ShouldBe([2, 3, 4]);
        Values(1 - x).ShouldBe([0, -1, -2]);
        Values(2 * x * x).ShouldBe([2, 8, 18]);
        Close(1 / x, [1, 0.5, 1.0 / 3]);
        Values(-x).ShouldBe([-1, -2, -3]);
        Values(x % 2).ShouldBe([1, 0, 1]);
        Values(x > 1.5).ShouldBe([0, 1, 1]);
        Values(x == 2).ShouldBe([0, 1, 0]);
        Values((x > 1) & (x < 3)).ShouldBe([0, 1, 0]);
        Values(x.clamp(1.5, 2.5)).ShouldBe([1.5, 2, 2.5]);
        Values(x.pow(2)).ShouldBe([1, 4, 9]);
        Values(x.div(2, RoundingMode.floor)).ShouldBe([0, 1, 1]);
        // A double operand does not promote a float tensor.
        (x * 2.5).dtype.ShouldBe(ScalarType.Float32);
        (arange(3) * 2.5).dtype.ShouldBe(ScalarType.Float32);
        Values(where(x > 1, x, zeros_like(x))).ShouldBe([0, 2, 3]);
    }

    [Fact]
    public void Indexing_follows_python()
    {
        var x = arange(24).reshape(2, 3, 4);
        x[1, 2, 3].ToInt64().ShouldBe(23);
        Values(x[0, 1]).ShouldBe([4, 5, 6, 7]);
        Values(x[TensorIndex.Ellipsis, 0]).ShouldBe([0, 4, 8, 12, 16, 20]);
        Values(x[TensorIndex.Colon, TensorIndex.Slice(1, null, 2), TensorIndex.Slice(null, 2)]).ShouldBe([4, 5, 16, 17]);
        x[TensorIndex.None, 0].shape.ShouldBe([1, 3, 4]);
        Values(x[.., 0, ^1]).ShouldBe([3, 15]);
        Values(x[1, 1..3, 0]).ShouldBe([16, 20]);
        var rows = tensor(new long[] { 2, 0 });
        Values(x[TensorIndex.Single(0), TensorIndex.Tensor(rows), TensorIndex.Single(1)]).ShouldBe([9, 1]);
        Values(x[x > 20]).ShouldBe([21, 22, 23]);
        var mask = tensor(new[] { true, false });
        Values(x[TensorIndex.Tensor(mask), TensorIndex.Single(0)]).ShouldBe([0, 1, 2, 3]);
        x[0, 0] = zeros(4, int64);
        x[1, TensorIndex.Tensor(rows), TensorIndex.Slice(0, 2)] = full([2], -1, int64);
        Values(x[0, 0]).ShouldBe([0, 0, 0, 0]);
        Values(x[1, 0]).ShouldBe([-1, -1, 14, 15]);
        Values(x[1, 1]).ShouldBe([16, 17, 18, 19]);
    }

    [Fact]
    public void Shapes_change()
    {
        var x = arange(6).reshape(2, 3);
        Values(x.t()).ShouldBe([0, 3, 1, 4, 2, 5]);
        Values(x.permute(1, 0)).ShouldBe([0, 3, 1, 4, 2, 5]);
        Values(x.flip(1)).ShouldBe([2, 1, 0, 5, 4, 3]);
        Values(cat([x, x], 1)).ShouldBe([0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
        stack([x, x]).shape.ShouldBe([2, 2, 3]);
        x.chunk(3, 1).Length.ShouldBe(3);
        x.split(2, 1).Select(s => s.size(1)).ShouldBe([2, 1]);
        x.split([1, 2], 1)[1].shape.ShouldBe([2, 2]);
        Values(x.narrow(1, 1, 2)).ShouldBe([1, 2, 4, 5]);
        Values(x.index_select(1, tensor(new long[] { 2 }))).ShouldBe([2, 5]);
        Values(x.gather(1, tensor(new long[] { 1, 0 }, [2, 1]))).ShouldBe([1, 3]);
        x.unsqueeze(0).expand(4, 2, 3).shape.ShouldBe([4, 2, 3]);
        x.repeat(2, 1).shape.ShouldBe([4, 3]);
        Values(x.roll(1, 1)).ShouldBe([2, 0, 1, 5, 3, 4]);
        meshgrid([arange(2), arange(3)])[1].shape.ShouldBe([2, 3]);
        Values(nn.functional.pad(x.@float(), [1, 0], PaddingModes.Constant, 9)).ShouldBe([9, 0, 1, 2, 9, 3, 4, 5]);
        Values(nn.functional.one_hot(tensor(new long[] { 1, 0 }), 3)).ShouldBe([0, 1, 0, 1, 0, 0]);
    }

    [Fact]
    public void Reductions_compute()
    {
        var x = tensor(new float[] { 1, 2, 3, 4 }, [2, 2]);
        x.sum().ToSingle().ShouldBe(10);
        Values(x.sum(0)).ShouldBe([4, 6]);
        Values(x.mean([1])).ShouldBe([1.5, 3.5]);
        Close(x.std(), [1.2909944]);
        Close(x.var([1], unbiased: false), [0.25, 0.25]);
        Values(x.max(1).indexes).ShouldBe([1, 1]);
        Values(x.amin([0])).ShouldBe([1, 2]);
        x.argmax().ToInt64().ShouldBe(3);
        Values(x.cumsum(1)).ShouldBe([1, 3, 3, 7]);
        Values(x.topk(1).values).ShouldBe([2, 4]);
        x.all().ToBoolean().ShouldBeTrue();
        var (output, inverse, counts) = tensor(new long[] { 3, 1, 3 }).unique(return_counts: true);
        Values(output).ShouldBe([1, 3]);
        Values(counts!).ShouldBe([1, 2]);
        inverse.ShouldBeNull();
        Close(x.norm(), [Math.Sqrt(30)]);
        Close(x.softmax(1), [0.26894143, 0.7310586, 0.26894143, 0.7310586]);
        Close(x.matmul(x), [7, 10, 15, 22]);
        Close(einsum("ij,kj->ik", x, x), [5, 11, 11, 25]);
        Values(x.histc(2, 0, 4)).ShouldBe([1, 3]);
    }

    [Fact]
    public void Data_goes_in_and_out()
    {
        var x = tensor(new float[] { 1, 2, 3, 4 }, [2, 2]);
        x.data<float>()[3].ShouldBe(4);
        x.t().data<float>().ToArray().ShouldBe([1, 3, 2, 4]);
        x.t().data<float>()[1, 0].ShouldBe(2);
        x.bytes.Length.ShouldBe(16);
        x.bytes = new byte[16];
        Values(x).ShouldBe([0, 0, 0, 0]);
        x.data<float>().CopyFrom([5, 6, 7, 8]);
        Values(x).ShouldBe([5, 6, 7, 8]);
        tensor(7L).item<long>().ShouldBe(7);
        tensor(true).item<bool>().ShouldBeTrue();
        Should.Throw<ArgumentException>(() => x.data<double>()).Message.ShouldContain("Float32");
        Should.Throw<InvalidOperationException>(() => x.t().bytes.Length).Message.ShouldContain("contiguous");
    }

    [Fact]
    public void Dtypes_and_devices_convert()
    {
        var x = tensor(new[] { 1.5f, -2.5f });
        Values(x.to(int32)).ShouldBe([1, -2]);
        x.half().dtype.ShouldBe(ScalarType.Float16);
        x.bfloat16().@float().dtype.ShouldBe(ScalarType.Float32);
        x.to(META).device.ToString().ShouldBe("meta");
        zeros([2, 3], device: META).@double().shape.ShouldBe([2, 3]);
        new Device("cuda:1").index.ShouldBe(1);
        Should.Throw<ArgumentException>(() => new Device("gpu")).Message.ShouldContain("cuda");
    }
}
