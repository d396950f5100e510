using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Torch.Tests;

/// <summary>Every test runs in a dispose scope, so that it leaves nothing behind.</summary>
public abstract class TensorTest : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>All elements in logical order.</summary>
    protected static double[] Values(Tensor tensor) => tensor.to(float64).data<double>().ToArray();

    protected static void Close(Tensor tensor, double[] expected, double tolerance = 1e-6)
    {
        var found = Values(tensor);
        found.Length.ShouldBe(expected.Length);
        for (var i = 0; i < found.Length; i++)
            found[i].ShouldBe(expected[i], tolerance * Math.Max(1, Math.Abs(expected[i])), $"element {i}");
    }
}
