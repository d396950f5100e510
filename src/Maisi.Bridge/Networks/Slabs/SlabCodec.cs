// Exact decoding in parts: the statistics of a group norm are gathered over all slabs before any slab is normalised, see ScaleCrafter's
// synchronised group norm (He et al., arXiv:2310.07702) for the idea in two dimensions.
using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Decodes and encodes with an autoencoder in bounded memory, and without seams: every layer is computed for the whole volume, slab by
/// slab along X, before the next one begins. The result equals <see cref="AutoencoderKlBase.Decode"/> up to rounding (1e-5 in fp32).
/// </summary>
/// <param name="autoencoder">A network for volumes, in evaluation mode.</param>
public sealed class SlabCodec(AutoencoderKlBase autoencoder)
{
    private readonly Tensor _weight = autoencoder.parameters().First();

    /// <summary>Plans a decode.</summary>
    /// <param name="latent">Extents x, y, z of the latent.</param>
    /// <param name="budget">Bytes of tensors that may be alive at once, beside weights, latent and image.</param>
    /// <exception cref="MaisiException">It cannot be done within the budget; the message says what can.</exception>
    public SlabPlan PlanDecode(long[] latent, long budget) => Plan(autoencoder.DecoderBlocks, autoencoder.Shape.LatentChannels, latent, budget);

    /// <summary>Plans an encode.</summary>
    /// <param name="image">Extents X, Y, Z of the image.</param>
    /// <param name="budget">Bytes of tensors that may be alive at once, beside weights, image and latent.</param>
    /// <exception cref="MaisiException">It cannot be done within the budget; the message says what can.</exception>
    public SlabPlan PlanEncode(long[] image, long budget) => Plan(autoencoder.EncoderBlocks, autoencoder.Shape.InChannels, image, budget);

    /// <summary>Latent [B, latent, x, y, z] to image [B, out, X, Y, Z].</summary>
    /// <param name="latent">The latent, unscaled, on the network's device.</param>
    /// <param name="plan">From <see cref="PlanDecode"/>, for these extents.</param>
    /// <param name="progress">Told after every slab.</param>
    /// <param name="spillFolder">Where the temporary file is made; the system's folder for such files when null.</param>
    /// <param name="cancellation">Checked before every slab.</param>
    public Tensor Decode(Tensor latent, SlabPlan plan, IProgress<WorkProgress>? progress = null, string? spillFolder = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        return Run(autoencoder.PostQuantize(latent), plan, "decode", progress, spillFolder, cancellation).MoveToOuterDisposeScope();
    }

    /// <summary>Latent [1, latent, x, y, z] to the slabs of its image, in order, so that an image of many channels need not be held as a whole.</summary>
    /// <param name="latent">The latent, unscaled, on the network's device.</param>
    /// <param name="plan">From <see cref="PlanDecode"/>, for these extents.</param>
    /// <param name="take">Gets each slab [1, out, x, Y, Z] with its first plane, and may not keep it.</param>
    /// <param name="progress">Told after every slab.</param>
    /// <param name="cancellation">Checked before every slab.</param>
    public void DecodeSlabs(Tensor latent, SlabPlan plan, Action<Tensor, long> take, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var input = autoencoder.PostQuantize(latent);
        Check(input, plan);
        using var runner = new SlabRunner(plan.Layout, Path.GetTempPath(), progress, "decode", cancellation);
        runner.Run(input.to(plan.Layout.Type), take);
    }

    /// <summary>Image [B, in, X, Y, Z] to the distribution of its latent.</summary>
    /// <inheritdoc cref="Decode"/>
    public LatentDistribution Encode(Tensor image, SlabPlan plan, IProgress<WorkProgress>? progress = null, string? spillFolder = null, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var latent = autoencoder.Distribution(Run(image, plan, "encode", progress, spillFolder, cancellation));
        return new LatentDistribution(latent.Mu.MoveToOuterDisposeScope(), latent.Sigma.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Multiplications and additions per second that this machine does in one convolution, less what the layers around it usually take;
    /// for estimates of time. Takes about a tenth of a second.
    /// </summary>
    public static double MeasureSpeed()
    {
        const double share = 0.75;
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var operation = new SlabConvolution(ones([64L, 64, 3, 3, 3]), null) { InChannels = 64, OutChannels = 64 };
        var input = ones([1L, 64, 6, 64, 64]);
        var range = new SlabRange(0, 4, 4);
        operation.Begin();
        try
        {
            operation.Run(input, null, range).Dispose(); // the first call also loads code
            var clock = Stopwatch.StartNew();
            operation.Run(input, null, range).Dispose();
            return share * operation.MultiplyAdds * range.Count * 64 * 64 / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            operation.End();
        }
    }

    private SlabPlan Plan(IEnumerable<nn.Module<Tensor, Tensor>> blocks, long channels, long[] extents, long budget)
    {
        ArgumentNullException.ThrowIfNull(extents);
        if (autoencoder.Shape.SpatialDims != 3)
            throw new NetworkInputException($"slabs are for volumes, but the network has {autoencoder.Shape.SpatialDims} dimensions", "spatial_dims");
        return SlabPlanner.Plan(new SlabLayout(new SlabProgram(blocks, channels), extents, _weight.dtype), _weight.device_type, budget);
    }

    private Tensor Run(Tensor input, SlabPlan plan, string stage, IProgress<WorkProgress>? progress, string? spillFolder, CancellationToken cancellation)
    {
        Check(input, plan);
        var layout = plan.Layout;
        var result = empty([input.shape[0], .. layout.Sizes[^1]], layout.Type, input.device);
        for (var sample = 0L; sample < input.shape[0]; sample++)
        {
            using var inner = NewDisposeScope();
            var whole = input.narrow(0, sample, 1).to(layout.Type);
            var place = result.narrow(0, sample, 1);
            using var runner = new SlabRunner(layout, spillFolder ?? Path.GetTempPath(), progress, stage, cancellation);
            runner.Run(whole, (slab, start) => place.narrow(2, start, slab.shape[2]).copy_(slab));
        }
        return result;
    }

    private static void Check(Tensor input, SlabPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (!input.shape.AsSpan(1).SequenceEqual(plan.Layout.Sizes[0]))
            throw new NetworkInputException($"the plan is for [{string.Join(", ", plan.Layout.Sizes[0])}], but the volume is [{string.Join(", ", input.shape[1..])}]", "plan");
    }
}
