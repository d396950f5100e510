using Maisi.Bridge;
using Maisi.Bridge.Samples;

// dotnet run --project src/docs/samples -- NAME [BUNDLE]
var samples = new Dictionary<string, Action<string>>(StringComparer.Ordinal)
{
    ["autoencoder"] = AutoencoderSample.Run,
    ["diffusion-unet"] = DiffusionUNetSample.Run,
    ["controlnet"] = ControlNetSample.Run,
    ["discriminator"] = _ => DiscriminatorSample.Run(),
    ["segresnet"] = _ => SegResNetSample.Run(),
    ["services"] = ServicesSample.Run,
    ["mount"] = bundle => MountSample.Build(bundle).RunAsync().Wait(),
};
if (args.Length == 0 || !samples.TryGetValue(args[0], out var sample))
{
    Console.Error.WriteLine($"usage: dotnet run --project src/docs/samples -- NAME [BUNDLE]\n  names: {string.Join(", ", samples.Keys)}");
    return 2;
}
try
{
    sample(args.Length > 1 ? args[1] : Path.Combine("bundles", "maisi_ct_rflow"));
    return 0;
}
catch (MaisiException e)
{
    Console.Error.WriteLine($"{e.Message}\n  where: {e.Where}\n  do: {e.Hint}");
    return 2;
}
