using TorchSharp;

namespace Maisi.Bridge.Networks;

/// <summary>Chooses slabs and spilled activations so that a run stays within a budget.</summary>
internal static class SlabPlanner
{
    /// <summary>What a refusal names as its place.</summary>
    public const string Where = "memory budget";

    /// <summary>Slabs larger than this gain nothing: they no longer fit into any cache.</summary>
    private const long LargestSlab = 128L << 20;

    private const long SmallestSlab = 1L << 10;

    /// <summary>The fastest layout that fits: everything in memory, in slabs as thick as possible; only if that does not fit, the largest activations spilled.</summary>
    /// <param name="layout">A fresh layout of the program and volume.</param>
    /// <param name="device">The device that computes.</param>
    /// <param name="budget">Bytes of tensors beside weights, input and result.</param>
    /// <exception cref="MaisiException">Nothing fits; the message says what would.</exception>
    public static SlabPlan Plan(SlabLayout layout, DeviceType device, long budget)
    {
        foreach (var mayspill in new[] { false, true })
        {
            for (var slab = LargestSlab; slab >= SmallestSlab; slab /= 4)
            {
                Array.Clear(layout.Spilled);
                layout.CutTo(slab);
                var memory = SlabMemory.Follow(layout, device);
                while (Promised(memory) > budget && mayspill && Spill(layout, memory))
                    memory = SlabMemory.Follow(layout, device);
                if (Promised(memory) <= budget)
                    return new SlabPlan(layout, Promised(memory));
            }
        }
        var least = Promised(SlabMemory.Follow(layout, device));
        throw new MaisiException(
            $"The volume needs at least {MemorySize.Text(least)} for activations, but the memory allowed leaves {MemorySize.Text(Math.Max(0, budget))}.", Where,
            $"Allow {MemorySize.Text(least - budget)} more, or make the volume smaller.");
    }

    /// <summary>What is promised: a sixteenth more than what is known, for what libtorch's operators take for themselves.</summary>
    private static long Promised(SlabMemory memory) => memory.Peak + (memory.Peak / 16) + (1L << 20);

    /// <summary>Spills the largest activation that is in memory at the peak; false when there is none left.</summary>
    private static bool Spill(SlabLayout layout, SlabMemory memory)
    {
        var candidates = memory.AliveAtPeak.Where(a => !layout.Spilled[a] && a != 0 && a != layout.Program.Steps[^1].Output).ToList();
        if (candidates.Count == 0)
            return false;
        layout.Spilled[candidates.MaxBy(layout.Bytes)] = true;
        return true;
    }
}
