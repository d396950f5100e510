using System.Globalization;
using System.Text.Json.Serialization;
using Maisi.Bridge.Networks;
using Maisi.Bridge.Runtime;
using static TorchSharp.torch;

namespace Maisi.Bridge.Generation;

/// <summary>How a latent becomes an image.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DecodeMode>))]
public enum DecodeMode
{
    /// <summary>Slab by slab, each layer over the whole volume: no seams.</summary>
    Exact,

    /// <summary>Upstream's overlapping windows, blended.</summary>
    SlidingWindow,
}

/// <summary>What was planned for decoding.</summary>
public sealed record DecodeRecord
{
    /// <summary>How latents were decoded.</summary>
    public DecodeMode Mode { get; set; }

    /// <summary>Bytes that the program was allowed to use; null for the sliding window, which is not planned.</summary>
    public long? MemoryBytes { get; set; }

    /// <summary>The most bytes of activations that the plan promises.</summary>
    public long? PlannedPeakBytes { get; set; }

    /// <summary>Bytes of activations that go to a temporary file.</summary>
    public long? SpilledBytes { get; set; }

    /// <summary>Slabs at the image's resolution.</summary>
    public long? Slabs { get; set; }
}

/// <summary>Plans a decode within the memory of the machine, or within what the user allows.</summary>
internal static class DecodePlanning
{
    /// <summary>What the program takes beside tensors: code of libtorch, the .NET heap, oneDNN's primitives.</summary>
    private const long ProgramBytes = 384L << 20;

    /// <summary>Plans to decode a latent, and tells what was planned.</summary>
    /// <param name="autoencoder">The network, loaded.</param>
    /// <param name="latent">Extents x, y, z of the latent.</param>
    /// <param name="options">How to decode, and the bytes that the program may use.</param>
    /// <param name="progress">Told the plan.</param>
    /// <param name="streamed">Whether slabs are used up as they come, so that the decoded volume is never held with all its channels.</param>
    /// <returns>Null for the sliding window, which is not planned.</returns>
    /// <exception cref="MaisiException">It does not fit; the message says what would.</exception>
    public static (SlabPlan? Plan, DecodeRecord Record) Plan(
        AutoencoderKlMaisi autoencoder, long[] latent, GenerationOptions options, IProgress<WorkProgress>? progress, bool streamed = false)
    {
        if (options.Decode == DecodeMode.SlidingWindow)
            return (null, new DecodeRecord { Mode = DecodeMode.SlidingWindow });
        var (plan, memory) = Plan(autoencoder, latent, options.Memory, streamed ? 1 : autoencoder.Shape.OutChannels);
        progress?.Report(new WorkProgress("plan", 1, 1, null, Describe(plan)));
        return (plan, new DecodeRecord { MemoryBytes = memory, PlannedPeakBytes = plan.PeakBytes, SpilledBytes = plan.SpilledBytes, Slabs = plan.Slabs });
    }

    private static (SlabPlan Plan, long Memory) Plan(AutoencoderKlMaisi autoencoder, long[] latent, long? memory, int channels)
    {
        var now = TensorRuntime.Memory(autoencoder.parameters().First().device);
        var allowed = memory ?? Math.Max(0, now.Free) / 2;
        var voxels = latent.Aggregate(1L, (a, b) => a * b * autoencoder.Downsampling);
        // The image as float and as int16, the mask, and what is compared with it; weights and latents are alive already, or small.
        var fixedBytes = ProgramBytes + Math.Max(0, now.Allocated) + (voxels * (4 + 2 + 1 + 1) * channels);
        try
        {
            return (new SlabCodec(autoencoder).PlanDecode(latent, allowed - fixedBytes), allowed);
        }
        catch (MaisiException e) when (e.Where == SlabPlanner.Where)
        {
            throw new MaisiException(
                $"{MemorySize.Text(allowed)} {(memory is null ? "(half of the memory that is free) " : "")}is too little: the program, weights and image take {MemorySize.Text(fixedBytes)}. {e.Message}",
                "--memory", e.Hint, e);
        }
    }

    /// <summary>The plan and how long it may take, in a line; the speed is that of one convolution, timed now.</summary>
    private static string Describe(SlabPlan plan)
    {
        var seconds = plan.MultiplyAdds / SlabCodec.MeasureSpeed();
        var time = seconds < 90 ? $"{Math.Ceiling(seconds):F0} s" : $"{Math.Ceiling(seconds / 60):F0} min";
        return string.Create(CultureInfo.InvariantCulture, $"{plan}, about {time} to decode");
    }
}
