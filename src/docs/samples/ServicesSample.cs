using Maisi.Bridge.Generation;
using Microsoft.Extensions.DependencyInjection;

namespace Maisi.Bridge.Samples;

/// <summary>A model in a service collection: loaded once, shared by whoever asks for it. Needs a bundle with weights.</summary>
internal static class ServicesSample
{
    public static void Run(string bundle)
    {
        using var services = new ServiceCollection().AddMaisiModel(bundle).BuildServiceProvider();
        var model = services.GetRequiredService<ModelBundle>();
        Console.WriteLine($"{bundle}: images of {string.Join("x", model.Settings.OutputSize)} voxels, scale factor {model.ScaleFactor:F3}");
    }
}
