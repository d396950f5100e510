using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.TestSupport;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

public class AttentionAndPrecisionTests
{
    [Fact]
    public void Chunked_attention_does_not_depend_on_its_budget()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        Tensor q = randn([2L, 3, 37, 8], generator: generator), k = randn([2L, 3, 29, 8], generator: generator), v = randn([2L, 3, 29, 8], generator: generator);
        var whole = (q.matmul(k.transpose(2, 3)) / Math.Sqrt(8)).softmax(-1).matmul(v);
        foreach (var rows in new[] { 1, 5, 37 })
            ScaledAttention.Chunked(q, k, v, scoreBudget: rows * 2 * 3 * 29 * sizeof(float)).ShouldMatch(whole, "attention", $"{rows} rows at a time", 1e-6);
        ScaledAttention.Attend(q, k, v, upcast: true).ShouldMatch(whole, "attention", "as the networks call it", 1e-5);
    }

    [Fact]
    public void Norms_and_embeddings_stay_in_fp32()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden("unet_rflow");
        using var network = golden.Network<DiffusionModelUNetMaisi>().UsePrecision(Precision.BFloat16);
        var types = network.state_dict().ToDictionary(p => p.Key, p => p.Value.dtype, StringComparer.Ordinal);
        foreach (var key in new[] { "time_embed.0.weight", "class_embedding.weight", "spacing_layer.2.bias", "down_blocks.0.resnets.0.norm1.weight", "out.0.bias", "middle_block.attention.norm.weight" })
            types[key].ShouldBe(ScalarType.Float32, key);
        foreach (var key in new[] { "conv_in.conv.weight", "down_blocks.0.resnets.0.time_emb_proj.weight", "middle_block.attention.attn.to_q.weight", "out.2.conv.bias" })
            types[key].ShouldBe(ScalarType.BFloat16, key);
    }

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.AutocastBFloat16)]
    public void Lower_precision_stays_near_fp32(Precision precision)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Golden golden = new("unet_rflow"), vae = new("vae_maisi");
        using var network = golden.Network<DiffusionModelUNetMaisi>().UsePrecision(precision);
        using var autoencoder = vae.Network<AutoencoderKlMaisi>().UsePrecision(precision);
        using var region = precision.Enter(CPU);
        var type = precision.ActivationType();
        var plain = golden["out/plain"];
        var relative = (network.call(golden["in/x"].to(type), golden["in/timesteps"], DiffusionUNetTests.Conditions(golden, "in/")).to(ScalarType.Float32) - plain).norm() / plain.norm();
        relative.item<float>().ShouldBeLessThan(0.4f); // the tiny network's deepest norms see two voxels per group, which amplifies rounding
        var image = vae["out/decode_z"];
        var error = (autoencoder.Decode(vae["in/z"].to(type)).to(ScalarType.Float32) - image).norm() / image.norm();
        error.item<float>().ShouldBeLessThan(0.05f);
    }

    /// <summary>Half precision on the CPU needs a libtorch that has it (2.4 and later).</summary>
    [SkippableFact]
    public void Autocast_to_half_gives_what_MONAI_gives()
    {
        Skip.If(!TensorRuntime.HasAutocast || Version.Parse(__version__.Split('+', 'a', 'r')[0]) < new Version(2, 4), $"libtorch {__version__} has no half precision on the CPU");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Golden golden = new("vae_maisi_autocast_fp16"), weights = new("vae_maisi");
        using var network = golden.Network<AutoencoderKlMaisi>(golden.Config, weights);
        using var region = Precision.AutocastFloat16.Enter(CPU);
        var latent = network.Encode(golden["in/x"]);
        latent.Mu.dtype.ShouldBe(ScalarType.Float16);
        latent.Mu.ShouldMatch(golden["out/z_mu"], golden.Name, "z_mu", 2e-2);
        network.Decode(golden["in/z"]).ShouldMatch(golden["out/decode_z"], golden.Name, "decode", 2e-2);
    }
}
