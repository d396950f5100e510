using System.CommandLine;
using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Cli.Tests;

public class NetworkCommandTests
{
    [Fact]
    public async Task Encode_and_decode_run_from_files()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        var golden = Prepare(folder, "vae_maisi");
        SafetensorsFile.Save(folder["x.safetensors"], [KeyValuePair.Create("x", golden["in/x"])]);
        SafetensorsFile.Save(folder["z.safetensors"], [KeyValuePair.Create("z", golden["in/z"])]);

        (await Run(folder, "x.safetensors", "encode")).ShouldBe(CommandRunner.Ok);
        var latent = SafetensorsFile.Load(folder["out.safetensors"]);
        Difference(latent["z_mu"], golden["out/z_mu"]).ShouldBeLessThan(1e-4);
        Difference(latent["z_sigma"], golden["out/z_sigma"]).ShouldBeLessThan(1e-4);

        (await Run(folder, "z.safetensors", "decode")).ShouldBe(CommandRunner.Ok);
        Difference(SafetensorsFile.Load(folder["out.safetensors"])["output"], golden["out/decode_z"]).ShouldBeLessThan(1e-4);
    }

    [Fact]
    public async Task Forward_takes_MONAIs_parameter_names()
    {
        using var scope = NewDisposeScope();
        using var folder = TestPaths.Temporary();
        var golden = Prepare(folder, "unet_rflow");
        string[] names = ["x", "timesteps", "class_labels", "spacing_tensor"];
        SafetensorsFile.Save(folder["in.safetensors"], names.Select(n => KeyValuePair.Create(n, golden["in/" + n])));
        (await Run(folder, "in.safetensors", "forward")).ShouldBe(CommandRunner.Ok);
        Difference(SafetensorsFile.Load(folder["out.safetensors"])["output"], golden["out/plain"]).ShouldBeLessThan(1e-4);

        SafetensorsFile.Save(folder["in.safetensors"], names.Skip(1).Select(n => KeyValuePair.Create(n, golden["in/" + n])));
        (await Run(folder, "in.safetensors", "forward")).ShouldBe(CommandRunner.WrongInput);
        (await Run(folder, "in.safetensors", "decode")).ShouldBe(CommandRunner.WrongInput);
    }

    [Fact]
    public async Task Summary_needs_no_weights()
    {
        var definition = TestPaths.Fixture("approvals", "diffusion_unet_rflow.json");
        (await CommandRunner.RunAsync(Root(), ["network", "summary", "--config", definition, "--shape", "1,4,32,32,32", "--json"])).ShouldBe(CommandRunner.Ok);
        (await CommandRunner.RunAsync(Root(), ["network", "summary", "--config", definition, "--shape", "1,4"])).ShouldBe(CommandRunner.WrongInput);
    }

    private static Dictionary<string, Tensor> Prepare(TemporaryFolder folder, string name)
    {
        var golden = SafetensorsFile.Load(TestPaths.Golden(name + ".safetensors"));
        File.WriteAllText(folder["net.json"], JsonNode.Parse(File.ReadAllText(TestPaths.Golden(name + ".json")))!["config"]!.ToJsonString());
        SafetensorsFile.Save(folder["w.safetensors"], golden.Where(p => p.Key.StartsWith("w/", StringComparison.Ordinal)).Select(p => KeyValuePair.Create(p.Key[2..], p.Value)));
        return golden;
    }

    private static Task<int> Run(TemporaryFolder folder, string inputs, string method) => CommandRunner.RunAsync(Root(),
    [
        "network", "run", "--config", folder["net.json"], "--weights", folder["w.safetensors"], "--inputs", folder[inputs], "--output", folder["out.safetensors"], "--method", method,
    ]);

    private static RootCommand Root()
    {
        var root = new RootCommand();
        foreach (var command in CommandCatalog.All())
            root.Add(command);
        return root;
    }

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
