using System.Text.Json.Nodes;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Checkpoints;
using Maisi.Bridge.Networks;
using Maisi.Bridge.TestSupport;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Networks;

/// <summary>One runnable sample per model: build it from a bundle's configuration, load weights, call it.</summary>
public class NetworkFromBundleTests
{
    [Fact]
    public void Autoencoder_from_a_bundle_decodes()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var folder = TestPaths.Temporary();
        using var golden = new Golden("vae_maisi");
        var (config, weights) = Bundle(folder, golden, "autoencoder_def");

        using var autoencoder = AutoencoderKlMaisi.FromBundle(config, weights: weights);
        var image = autoencoder.Decode(golden["in/z"]);

        image.ShouldMatch(golden["out/decode_z"], golden.Name, "decode from a bundle");
    }

    [Fact]
    public void UNet_and_ControlNet_from_a_bundle_predict()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using TemporaryFolder unetFolder = TestPaths.Temporary(), controlFolder = TestPaths.Temporary();
        using Golden golden = new("unet_rflow"), controlGolden = new("controlnet_rflow");
        var (unetConfig, unetWeights) = Bundle(unetFolder, golden, "diffusion_unet_def");
        var (controlConfig, controlWeights) = Bundle(controlFolder, controlGolden, "controlnet_def");

        using var unet = DiffusionModelUNetMaisi.FromBundle(unetConfig, weights: unetWeights);
        using var control = ControlNetMaisi.FromBundle(controlConfig, weights: controlWeights);
        Tensor latent = golden["in/x"], timestep = golden["in/timesteps"], planes = Golden.BitPlanes(controlGolden["in/label"]);
        var residuals = control.call(latent, timestep, planes, new ControlNetConditions { ClassLabels = golden["in/class_labels"] });
        var velocity = unet.call(latent, timestep, new UNetConditions
        {
            ClassLabels = golden["in/class_labels"],
            Spacing = golden["in/spacing_tensor"],
            DownBlockAdditionalResiduals = residuals.Down,
            MidBlockAdditionalResidual = residuals.Mid,
        });

        velocity.ShouldMatch(golden["out/with_controlnet"], golden.Name, "step from a bundle");
        Should.Throw<BundleException>(() => AutoencoderKlMaisi.FromBundle(unetConfig, "diffusion_unet_def")).Message.ShouldContain("is not of type AutoencoderKlMaisi");
    }

    private static (string Config, string Weights) Bundle(TemporaryFolder folder, Golden golden, string id)
    {
        var definition = golden.Config.DeepClone().AsObject();
        definition["spatial_dims"] = "@spatial_dims";
        File.WriteAllText(folder["inference.json"], new JsonObject { ["spatial_dims"] = 3, [id] = definition }.ToJsonString());
        SafetensorsFile.Save(folder["weights.safetensors"], golden.Weights().Select(w => KeyValuePair.Create(w.Key, w.Value.ToTensor())));
        return (folder["inference.json"], folder["weights.safetensors"]);
    }
}
