using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Calls a network by the name of a method, with inputs under the names of MONAI's parameters. A single result is called
/// <c>output</c>; several carry MONAI's names. Lists are numbered: <c>down_block_additional_residuals/0</c>.
/// </summary>
public static class NetworkRunner
{
    /// <summary>The methods that a network has, with their inputs; optional ones end with a question mark.</summary>
    public static IReadOnlyDictionary<string, string[]> Methods(nn.Module network) => network switch
    {
        AutoencoderKlBase => new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["forward"] = ["x", "noise?"],
            ["encode"] = ["x"],
            ["decode"] = ["z"],
            ["reconstruct"] = ["x"],
            ["encode_stage_2_inputs"] = ["x", "noise?"],
            ["decode_stage_2_outputs"] = ["z"],
        },
        DiffusionUNet => Forward(
            "x", "timesteps", "context?", "class_labels?", "down_block_additional_residuals/?", "mid_block_additional_residual?", "top_region_index_tensor?",
            "bottom_region_index_tensor?", "spacing_tensor?"),
        ControlNet => Forward("x", "timesteps", "controlnet_cond", "conditioning_scale?", "context?", "class_labels?"),
        MultiScalePatchDiscriminator => Forward("i"),
        _ => Forward("x"),
    };

    /// <summary>Calls a method.</summary>
    /// <param name="network">The network.</param>
    /// <param name="method">One of <see cref="Methods"/>.</param>
    /// <param name="inputs">Tensors by name.</param>
    /// <exception cref="NetworkInputException">An unknown method, or an input that is missing or unknown.</exception>
    public static IReadOnlyDictionary<string, Tensor> Run(nn.Module network, string method, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var methods = Methods(network);
        if (!methods.TryGetValue(method, out var names))
            throw new NetworkInputException($"{network.GetType().Name} has no method '{method}'", "--method", $"use {string.Join(", ", methods.Keys)}");
        Check(names, inputs);
        return network switch
        {
            AutoencoderKlBase autoencoder => Autoencoder(autoencoder, method, inputs),
            DiffusionUNet unet => One(unet.call(inputs["x"], inputs["timesteps"], Conditions(inputs))),
            ControlNet control => Control(control, inputs),
            PatchDiscriminator discriminator => Numbered("output", discriminator.call(inputs["x"])),
            MultiScalePatchDiscriminator discriminator => MultiScale(discriminator.call(inputs["i"])),
            SegResNetDS supervised => Supervised(supervised.call(inputs["x"])),
            nn.Module<Tensor, Tensor> plain => One(plain.call(inputs["x"])),
            _ => throw new NetworkInputException($"{network.GetType().Name} cannot be called by name", "--config"),
        };
    }

    private static Dictionary<string, string[]> Forward(params string[] inputs) => new(StringComparer.Ordinal) { ["forward"] = inputs };

    private static void Check(string[] names, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var known = names.Select(n => n.TrimEnd('?')).ToArray();
        var hint = $"inputs: {string.Join(", ", names.Select(n => n.EndsWith('?') ? $"[{n[..^1]}]" : n))}";
        if (names.FirstOrDefault(n => !n.EndsWith('?') && !inputs.ContainsKey(n)) is { } missing)
            throw new NetworkInputException($"the input '{missing}' is missing", "--inputs", hint);
        if (inputs.Keys.FirstOrDefault(i => !known.Contains(i, StringComparer.Ordinal) && !known.Any(k => k.EndsWith('/') && i.StartsWith(k, StringComparison.Ordinal))) is { } unknown)
            throw new NetworkInputException($"the network takes no input '{unknown}'", "--inputs", hint);
    }

    private static Dictionary<string, Tensor> Autoencoder(AutoencoderKlBase network, string method, IReadOnlyDictionary<string, Tensor> inputs)
    {
        switch (method)
        {
            case "forward":
                var output = network.Forward(inputs["x"], inputs.GetValueOrDefault("noise"));
                return new(StringComparer.Ordinal) { ["reconstruction"] = output.Reconstruction, ["z_mu"] = output.Mu, ["z_sigma"] = output.Sigma };
            case "encode":
                var latent = network.Encode(inputs["x"]);
                return new(StringComparer.Ordinal) { ["z_mu"] = latent.Mu, ["z_sigma"] = latent.Sigma };
            case "reconstruct":
                return One(network.Reconstruct(inputs["x"]));
            case "encode_stage_2_inputs":
                return One(network.EncodeStage2Inputs(inputs["x"], inputs.GetValueOrDefault("noise")));
            default:
                return One(network.Decode(inputs["z"]));
        }
    }

    private static UNetConditions Conditions(IReadOnlyDictionary<string, Tensor> inputs) => new()
    {
        Context = inputs.GetValueOrDefault("context"),
        ClassLabels = inputs.GetValueOrDefault("class_labels"),
        DownBlockAdditionalResiduals = inputs.ContainsKey("down_block_additional_residuals/0")
            ? [.. Enumerable.Range(0, inputs.Count).TakeWhile(i => inputs.ContainsKey($"down_block_additional_residuals/{i}")).Select(i => inputs[$"down_block_additional_residuals/{i}"])]
            : null,
        MidBlockAdditionalResidual = inputs.GetValueOrDefault("mid_block_additional_residual"),
        TopRegionIndex = inputs.GetValueOrDefault("top_region_index_tensor"),
        BottomRegionIndex = inputs.GetValueOrDefault("bottom_region_index_tensor"),
        Spacing = inputs.GetValueOrDefault("spacing_tensor"),
    };

    private static Dictionary<string, Tensor> Control(ControlNet network, IReadOnlyDictionary<string, Tensor> inputs)
    {
        var residuals = network.call(inputs["x"], inputs["timesteps"], inputs["controlnet_cond"], new ControlNetConditions
        {
            ConditioningScale = inputs.TryGetValue("conditioning_scale", out var scale) ? scale.to(ScalarType.Float64).item<double>() : 1,
            Context = inputs.GetValueOrDefault("context"),
            ClassLabels = inputs.GetValueOrDefault("class_labels"),
        });
        var results = Numbered("down_block_res_samples", residuals.Down);
        results["mid_block_res_sample"] = residuals.Mid;
        return results;
    }

    private static Dictionary<string, Tensor> MultiScale(MultiScaleOutput output)
    {
        var results = Numbered("out", output.Logits);
        for (var i = 0; i < output.Features.Count; i++)
            foreach (var (name, tensor) in Numbered($"intermediate_features/{i}", output.Features[i]))
                results[name] = tensor;
        return results;
    }

    /// <summary>In eval mode there is one output, in training one per supervised scale.</summary>
    private static Dictionary<string, Tensor> Supervised(IReadOnlyList<Tensor> outputs) => outputs.Count == 1 ? One(outputs[0]) : Numbered("output", outputs);

    private static Dictionary<string, Tensor> One(Tensor output) => new(StringComparer.Ordinal) { ["output"] = output };

    private static Dictionary<string, Tensor> Numbered(string name, IReadOnlyList<Tensor> tensors) =>
        tensors.Select((tensor, i) => (Key: $"{name}/{i}", tensor)).ToDictionary(p => p.Key, p => p.tensor, StringComparer.Ordinal);
}
