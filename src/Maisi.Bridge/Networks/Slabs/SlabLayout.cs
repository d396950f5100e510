using Maisi.Bridge.Checkpoints;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>How a program is run on a volume: planes per slab for each step, and which activations are spilled.</summary>
internal sealed class SlabLayout
{
    /// <param name="program">The passes.</param>
    /// <param name="extents">X, Y, Z of the input.</param>
    /// <param name="type">Element type of the activations.</param>
    public SlabLayout(SlabProgram program, long[] extents, ScalarType type)
    {
        (Program, Type) = (program, type);
        Sizes = new long[program.Channels.Count][];
        Sizes[0] = [program.Channels[0], .. extents];
        foreach (var step in program.Steps)
        {
            long[] output = step.Operation is null ? Sizes[step.Input][1..] : step.Operation.OutputExtents(Sizes[step.Input][1..]);
            Sizes[step.Output] = [program.Channels[step.Output], .. output];
            if (step.Side is { } side)
                Sizes[side.Output] = [program.Channels[side.Output], .. output];
        }
        Spilled = new bool[Sizes.Length];
        Thickness = [.. program.Steps.Select(s => Sizes[s.Output][1])];
    }

    public SlabProgram Program { get; }

    public ScalarType Type { get; }

    /// <summary>C, X, Y, Z of every activation.</summary>
    public long[][] Sizes { get; }

    /// <summary>Planes per slab of every step's output; even, unless the slab is the whole volume.</summary>
    public long[] Thickness { get; }

    /// <summary>Whether an activation lies outside of the device's memory.</summary>
    public bool[] Spilled { get; }

    /// <summary>Bytes of one plane of an activation.</summary>
    public long PlaneBytes(int activation) => Sizes[activation][0] * Sizes[activation][2] * Sizes[activation][3] * ElementTypes.Size(Type);

    /// <summary>Bytes of an activation.</summary>
    public long Bytes(int activation) => PlaneBytes(activation) * Sizes[activation][1];

    /// <summary>Multiplications and additions of all steps.</summary>
    public double MultiplyAdds => Program.Steps.Sum(Work);

    /// <summary>Multiplications and additions of one step.</summary>
    public double Work(SlabStep step)
    {
        var voxels = (double)Sizes[step.Output][1] * Sizes[step.Output][2] * Sizes[step.Output][3];
        return voxels * (step.Operation?.MultiplyAdds ?? 2 * Sizes[step.Input][0] * voxels);
    }

    /// <summary>
    /// Slabs of at most about <paramref name="bytes"/> of input and output for each step. Steps of one resolution share their thickness, so
    /// that what one of them makes is cut as the next one reads it.
    /// </summary>
    public void CutTo(long bytes)
    {
        var steps = Program.Steps;
        foreach (var level in steps.Select((s, i) => (Step: s, Index: i)).GroupBy(s => Sizes[s.Step.Output][1]))
        {
            var perPlane = level.Max(s => PlaneBytes(s.Step.Output) + (PlaneBytes(s.Step.Input) * Sizes[s.Step.Input][1] / Sizes[s.Step.Output][1]));
            var planes = Math.Min(Math.Max(2, bytes / perPlane / 2 * 2), level.Key);
            foreach (var (_, index) in level)
                Thickness[index] = planes;
        }
    }
}
