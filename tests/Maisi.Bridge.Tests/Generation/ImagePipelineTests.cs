using System.Text.Json.Nodes;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Schedulers;
using Maisi.Bridge.Tests.Support;
using Maisi.Bridge.TestSupport;
using Maisi.Bridge.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Tests.Generation;

/// <summary>From noise and a label map to an image: what NV-Generate's sampler computes with MONAI 1.5.0's networks.</summary>
public class ImagePipelineTests
{
    [Theory]
    [InlineData("pipeline_image_rflow", "rflow", 0)]
    [InlineData("pipeline_image_rflow", "rflow", 1)]
    [InlineData("pipeline_image_rflow", "rflow", 2)]
    [InlineData("pipeline_image_ddpm", "ddpm", 0)]
    public void Latent_and_image_equal_upstreams(string fixture, string variant, int index)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(fixture);
        var info = golden.Info["cases"]!.AsArray()[index]!.AsObject();
        var (autoencoder, unet, controlNet, _, _) = TinyMaisi.ImageNetworks(golden, variant);
        var scheduler = SchedulerFactory.Create(golden.Info["noise_scheduler"]!.AsObject());
        var label = golden["in/label"];
        var noises = golden.Sequence($"in/{index}/noise");
        var modality = info["modality"]!.GetValue<int>();
        var takesClass = unet.Shape.ClassEmbeds is not null;

        var latent = new LatentDiffusionSampler(unet, controlNet, scheduler).Sample(
            new ImageConditions
            {
                Mask = label,
                UnconditionalMask = WithoutTumours(label),
                Spacing = [.. Numbers(info["spacing_x100"])!.Select(s => s / 100.0)],
                Modality = takesClass ? modality : null,
                TopRegion = Numbers(info["top_region_x100"]),
                BottomRegion = Numbers(info["bottom_region_x100"]),
            },
            noises[0], step => noises[step + 1], info["num_inference_steps"]!.GetValue<int>(), info["cfg_guidance_scale"]!.GetValue<double>());
        latent.ShouldMatch(golden[$"out/{index}/latent"], fixture, $"latent {index}");

        var range = modality <= 7 ? IntensityRange.CT : IntensityRange.MR;
        var windows = new SlidingWindowOptions([.. info["roi"]!.AsArray().Select(n => n!.GetValue<long>())], [.. Enumerable.Repeat(info["overlap"]!.GetValue<double>(), 3)]);
        var image = ImageDecoder.Decode(autoencoder, latent, golden.Info["scale_factor"]!.GetValue<double>(), range, label, windows);
        if (info["image"]!.ToString() != "whole")
            image = image.select(4, 30);
        image.div(2000).ShouldMatch(golden[$"out/{index}/image"].div(2000), fixture, $"image {index} / 2000");
    }

    /// <summary>The same through the class that every pipeline uses, which also removes tumours for guidance and finds body regions.</summary>
    [Theory]
    [InlineData("pipeline_image_rflow", "rflow", 0)]
    [InlineData("pipeline_image_rflow", "rflow", 2)]
    [InlineData("pipeline_image_ddpm", "ddpm", 0)]
    public void Image_synthesis_equals_upstreams(string fixture, string variant, int index)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(fixture);
        var info = golden.Info["cases"]!.AsArray()[index]!.AsObject();
        var noises = golden.Sequence($"in/{index}/noise");
        var spacing = Numbers(info["spacing_x100"])!.Select(s => s / 100.0).ToArray();
        var label = golden["in/label"];
        var grid = new VolumeGrid((int)label.shape[2], (int)label.shape[3], (int)label.shape[4], Affine.Diagonal(spacing[0], spacing[1], spacing[2]));
        var mask = Volume.FromArray<byte>(label.data<byte>().ToArray(), grid);
        var guidance = info["cfg_guidance_scale"]!.GetValue<double>();
        var image = new ImageSynthesis(TinyMaisi.ImageNetworks(golden, variant)).Sample(new ImageRequest
        {
            Grid = grid,
            Mask = mask,
            UnconditionalMask = guidance > 0 ? mask.RemoveTumours() : null,
            Modality = info["modality"]!.GetValue<int>(),
            Regions = info["top_region_x100"] is null ? null : (Numbers(info["top_region_x100"])!.IndexOf(100), Numbers(info["bottom_region_x100"])!.IndexOf(100)),
            Steps = info["num_inference_steps"]!.GetValue<int>(),
            Guidance = guidance,
            Seed = 0,
            Windows = new SlidingWindowOptions([.. info["roi"]!.AsArray().Select(n => n!.GetValue<long>())], [.. Enumerable.Repeat(info["overlap"]!.GetValue<double>(), 3)]),
            Noise = draw => noises[draw],
        }).Image;
        image.div(2000).ShouldMatch(golden[$"out/{index}/image"].div(2000), fixture, $"synthesis {index} / 2000");
    }

    private static float[]? Numbers(JsonNode? node) => node?.AsArray().SelectMany(n => n is JsonArray row ? row.ToArray() : [n]).Select(n => n!.GetValue<float>()).ToArray();

    private static Tensor WithoutTumours(Tensor label)
    {
        var shape = label.shape;
        var grid = new VolumeGrid((int)shape[2], (int)shape[3], (int)shape[4], Affine.Identity);
        var without = Volume.FromArray<byte>(label.data<byte>().ToArray(), grid).RemoveTumours();
        return tensor(without.ToArray<byte>(), shape);
    }
}
