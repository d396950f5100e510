using System.Text.Json.Nodes;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Checkpoints;

public class StateDictLoaderTests
{
    [Theory]
    [InlineData("old_unet_selfattn.pt")]
    [InlineData("old_unet_crossattn.pt")]
    [InlineData("old_controlnet.pt")]
    [InlineData("old_autoencoderkl.pt")]
    public void Keys_of_MONAI_Generative_are_migrated_like_load_old_state_dict(string name)
    {
        using var scope = NewDisposeScope();
        var item = JsonNode.Parse(File.ReadAllText(TestPaths.Golden("pt_cases.json")))!.AsArray().Single(c => c!["file"]!.ToString() == name)!;
        using var network = NetworkFactory.Create(item["config"]!.AsObject());
        var report = StateDictLoader.Load(network, TestPaths.Golden("pt", name));
        report.Notes.ShouldContain(n => n.Contains("MONAI Generative checkpoint were renamed"));
        using var expected = CheckpointFile.Open(TestPaths.Golden("pt", name + ".expect.safetensors"));
        var own = network.state_dict();
        own.Count.ShouldBe(expected.StateDict().Count);
        foreach (var (key, tensor) in expected.StateDict())
            own[key].ShouldMatch(tensor.ToTensor(), name, key, tolerance: 0);
    }

    [Fact]
    public void Unused_projections_of_MONAI_1_4_are_ignored_with_a_note()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("unet_ddpm"); // include_fc is false
        using var network = golden.Network<DiffusionModelUNetMaisi>();
        using var folder = TestPaths.Temporary();
        var weights = network.state_dict();
        SafetensorsFile.Save(folder["w.safetensors"], weights
            .Append(KeyValuePair.Create("middle_block.attention.attn.out_proj.weight", zeros(8, 8)))
            .Append(KeyValuePair.Create("middle_block.attention.attn.out_proj.bias", zeros(8))));
        StateDictLoader.Load(network, folder["w.safetensors"]).Notes.ShouldHaveSingleItem().ShouldContain("2 attention projections were ignored");
    }

    [Fact]
    public void A_mismatch_names_the_argument_that_differs()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("unet_rflow");
        var config = golden.Config.DeepClone().AsObject();
        config.Remove("num_class_embeds");
        config["num_res_blocks"] = 1;
        using var network = NetworkFactory.Create(config);
        var before = network.get_parameter("conv_in.conv.weight")!.clone();
        var error = Should.Throw<CheckpointException>(() => StateDictLoader.Load(network, golden.Weights(), "unet.pt"));
        error.Message.ShouldContain("num_class_embeds: the checkpoint has 128, the definition says null");
        error.Message.ShouldContain("num_res_blocks: the checkpoint has [2, 2, 2, 2], the definition says [1, 1, 1, 1]");
        error.Message.ShouldContain("that the network does not have:");
        error.Message.Split('\n').Length.ShouldBeLessThan(40);
        network.get_parameter("conv_in.conv.weight")!.ShouldMatch(before, golden.Name, "nothing was loaded", tolerance: 0);
    }

    [Fact]
    public void A_wrong_shape_shows_both()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("vae_maisi");
        var config = golden.Config.DeepClone().AsObject();
        config["latent_channels"] = 3;
        using var network = NetworkFactory.Create(config);
        var error = Should.Throw<CheckpointException>(() => StateDictLoader.Load(network, golden.Weights()));
        error.Message.ShouldContain("latent_channels: the checkpoint has 4, the definition says 3");
        error.Message.ShouldContain("decoder.blocks.0.conv.conv.weight: checkpoint [12, 4, 3, 3, 3], network [12, 3, 3, 3, 3]");
    }

    [Fact]
    public void Data_parallel_prefixes_are_dropped_and_types_converted()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("vae_maisi");
        using var network = golden.Network<AutoencoderKlMaisi>();
        using var folder = TestPaths.Temporary();
        SafetensorsFile.Save(folder["w.safetensors"], network.state_dict().Select(p => KeyValuePair.Create("module." + p.Key, p.Value.to(ScalarType.Float64))));
        using var fresh = NetworkFactory.Create(golden.Config);
        StateDictLoader.Load(fresh, folder["w.safetensors"]).Notes.ShouldHaveSingleItem().ShouldContain("module.");
        foreach (var (key, tensor) in fresh.state_dict())
            tensor.ShouldMatch(network.state_dict()[key], golden.Name, key, tolerance: 0);
    }
}
