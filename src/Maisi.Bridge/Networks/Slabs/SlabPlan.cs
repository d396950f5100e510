namespace Maisi.Bridge.Networks;

/// <summary>How a volume will be computed in slabs, and what that takes; made before the run by <see cref="SlabCodec"/>.</summary>
public sealed record SlabPlan
{
    internal SlabPlan(SlabLayout layout, long peak)
    {
        Layout = layout;
        PeakBytes = peak;
        SpilledBytes = Enumerable.Range(0, layout.Sizes.Length).Where(i => layout.Spilled[i]).Sum(layout.Bytes);
        SlabPlanes = layout.Thickness[^1];
        Slabs = (layout.Sizes[^1][1] + SlabPlanes - 1) / SlabPlanes;
        MultiplyAdds = layout.MultiplyAdds;
    }

    /// <summary>The most bytes of tensors that will be alive at once, beside weights, input and result.</summary>
    public long PeakBytes { get; }

    /// <summary>Bytes that will be written to the temporary file (CPU) or to the host's memory (CUDA).</summary>
    public long SpilledBytes { get; }

    /// <summary>Planes per slab at the result's resolution.</summary>
    public long SlabPlanes { get; }

    /// <summary>Slabs at the result's resolution.</summary>
    public long Slabs { get; }

    /// <summary>Multiplications and additions.</summary>
    public double MultiplyAdds { get; }

    internal SlabLayout Layout { get; }

    /// <summary>The plan in a line.</summary>
    public override string ToString() =>
        $"{Slabs} slab{(Slabs == 1 ? "" : "s")} of {SlabPlanes} planes, at most {MemorySize.Text(PeakBytes)} of activations"
        + (SpilledBytes > 0 ? $", {MemorySize.Text(SpilledBytes)} written to a temporary file on the way" : "");
}
