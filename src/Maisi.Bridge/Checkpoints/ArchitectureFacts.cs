using System.Text.RegularExpressions;

namespace Maisi.Bridge.Checkpoints;

/// <summary>
/// What the keys and shapes of a state dict say about the definition of the network that wrote it, under the definition's argument
/// names. Comparing the facts of a network with those of a checkpoint turns a hundred mismatched keys into the argument that is wrong.
/// </summary>
internal static partial class ArchitectureFacts
{
    /// <summary>The arguments in which network and checkpoint differ, as sentences.</summary>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, IReadOnlyList<long>> network, IReadOnlyDictionary<string, IReadOnlyList<long>> checkpoint)
    {
        Dictionary<string, string> ours = Of(network), theirs = Of(checkpoint);
        return [.. ours.Keys.Union(theirs.Keys, StringComparer.Ordinal)
            .Where(name => ours.GetValueOrDefault(name) != theirs.GetValueOrDefault(name))
            .Select(name => $"{name}: the checkpoint has {theirs.GetValueOrDefault(name, "null")}, the definition says {ours.GetValueOrDefault(name, "null")}")];
    }

    /// <summary>Argument names and values that can be told from keys and shapes.</summary>
    internal static Dictionary<string, string> Of(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal);
        Common(shapes, facts);
        if (shapes.Keys.Any(k => k.StartsWith("down_blocks.", StringComparison.Ordinal)))
            Diffusion(shapes, facts);
        if (shapes.Keys.Any(k => k.StartsWith("encoder.blocks.", StringComparison.Ordinal)))
            Autoencoder(shapes, facts);
        return facts;
    }

    private static void Common(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, Dictionary<string, string> facts)
    {
        if (shapes.Keys.Any(k => k.Contains(".attn.", StringComparison.Ordinal)))
        {
            facts["include_fc"] = Text(shapes.Keys.Any(k => k.Contains(".attn.out_proj.", StringComparison.Ordinal)));
            facts["use_combined_linear"] = Text(shapes.Keys.Any(k => k.Contains(".attn.qkv.", StringComparison.Ordinal)));
        }
    }

    private static void Diffusion(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, Dictionary<string, string> facts)
    {
        if (shapes.TryGetValue("conv_in.conv.weight", out var input))
        {
            facts["spatial_dims"] = Text(input.Count - 2);
            facts["in_channels"] = Text(input[1]);
        }
        if (shapes.TryGetValue("out.2.conv.weight", out var output))
            facts["out_channels"] = Text(output[0]);
        if (shapes.TryGetValue("class_embedding.weight", out var classes))
            facts["num_class_embeds"] = Text(classes[0]);
        foreach (var (layer, argument) in new[] { ("top_region_index_layer", "include_top_region_index_input"), ("bottom_region_index_layer", "include_bottom_region_index_input"), ("spacing_layer", "include_spacing_input") })
            facts[argument] = Text(shapes.ContainsKey(layer + ".0.weight"));
        var levels = Count(shapes.Keys, Level());
        facts["num_channels"] = List(levels, level => Size(shapes, $"down_blocks.{level}.resnets.0.conv1.conv.weight", 0));
        facts["num_res_blocks"] = List(levels, level => Text(Enumerable.Range(0, 100).TakeWhile(i => shapes.ContainsKey($"down_blocks.{level}.resnets.{i}.conv1.conv.weight")).Count()));
        facts["attention_levels"] = List(levels, level => Text(shapes.ContainsKey($"down_blocks.{level}.attentions.0.norm.weight")));
        if (levels > 1)
            facts["resblock_updown"] = Text(shapes.ContainsKey("down_blocks.0.downsampler.conv1.conv.weight"));
        facts["with_conditioning"] = Text(shapes.Keys.Any(k => k.Contains(".transformer_blocks.", StringComparison.Ordinal)));
        if (shapes.Keys.FirstOrDefault(k => k.EndsWith(".attn2.to_k.weight", StringComparison.Ordinal)) is { } cross)
            facts["cross_attention_dim"] = Text(shapes[cross][1]);
        if (shapes.TryGetValue("controlnet_cond_embedding.conv_in.conv.weight", out var condition))
            facts["conditioning_embedding_in_channels"] = Text(condition[1]);
    }

    private static void Autoencoder(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, Dictionary<string, string> facts)
    {
        var maisi = shapes.Keys.Any(k => k.StartsWith("encoder.blocks.0.conv.conv.", StringComparison.Ordinal));
        facts["_target_"] = maisi ? "AutoencoderKlMaisi" : "AutoencoderKL";
        if (shapes.TryGetValue(maisi ? "encoder.blocks.0.conv.conv.weight" : "encoder.blocks.0.conv.weight", out var input))
        {
            facts["spatial_dims"] = Text(input.Count - 2);
            facts["in_channels"] = Text(input[1]);
        }
        if (shapes.TryGetValue("post_quant_conv.conv.weight", out var latent))
            facts["latent_channels"] = Text(latent[0]);
        var blocks = Count(shapes.Keys, EncoderBlock());
        facts["blocks of the encoder (num_res_blocks, attention_levels, with_encoder_nonlocal_attn)"] = Text(blocks);
        facts["num_channels per residual block of the encoder"] = string.Join(", ", Enumerable.Range(0, blocks)
            .Select(i => Size(shapes, $"encoder.blocks.{i}.norm2.weight", 0)).Where(size => size != "?"));
    }

    private static int Count(IEnumerable<string> keys, Regex index) =>
        keys.Select(k => index.Match(k)).Where(m => m.Success).Select(m => int.Parse(m.Groups[1].ValueSpan)).DefaultIfEmpty(-1).Max() + 1;

    private static string List(int count, Func<int, string> item) => $"[{string.Join(", ", Enumerable.Range(0, count).Select(item))}]";

    private static string Size(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, string key, int axis) =>
        shapes.TryGetValue(key, out var shape) && shape.Count > axis ? Text(shape[axis]) : "?";

    private static string Text(bool value) => value ? "true" : "false";

    private static string Text(long value) => value.ToString();

    [GeneratedRegex(@"^down_blocks\.(\d{1,4})\.", RegexOptions.NonBacktracking)]
    private static partial Regex Level();

    [GeneratedRegex(@"^encoder\.blocks\.(\d{1,4})\.", RegexOptions.NonBacktracking)]
    private static partial Regex EncoderBlock();
}
