using TorchSharp;

// The default generator and the thread count belong to the process, so tests must not run beside each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Maisi.Bridge.Torch.Tests;

/// <summary>Run as a program the test assembly loads the tensor library and says how that went; see <see cref="ErrorTests"/>.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is not ["load"])
            return 2;
        try
        {
            using var _ = torch.no_grad();
            Console.WriteLine(LibtorchLibrary.Version);
            return 0;
        }
        catch (LibtorchLoadException e)
        {
            Console.WriteLine($"{e.Failure}: {e.Message}");
            return 1;
        }
    }
}
