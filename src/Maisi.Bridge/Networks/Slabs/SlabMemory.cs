using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>Follows a layout slab by slab, as <see cref="SlabRunner"/> runs it, and adds up the bytes that are alive.</summary>
internal sealed class SlabMemory
{
    private readonly SlabLayout _layout;
    private readonly DeviceType _device;
    private readonly SimulatedStore?[] _stores;

    private SlabMemory(SlabLayout layout, DeviceType device)
    {
        (_layout, _device) = (layout, device);
        _stores = new SimulatedStore?[layout.Sizes.Length];
    }

    /// <summary>The most bytes that are alive at once beside the input, and the activations alive then.</summary>
    public long Peak { get; private set; }

    /// <summary>Activations with bytes in memory at the peak.</summary>
    public IReadOnlyList<int> AliveAtPeak { get; private set; } = [];

    /// <summary>Follows a layout; the last step's output goes to the caller slab by slab and is not counted beyond one slab.</summary>
    public static SlabMemory Follow(SlabLayout layout, DeviceType device)
    {
        var memory = new SlabMemory(layout, device);
        for (var i = 0; i < layout.Program.Steps.Count; i++)
            memory.Follow(i);
        return memory;
    }

    private void Follow(int index)
    {
        var step = _layout.Program.Steps[index];
        var last = index == _layout.Program.Steps.Count - 1;
        var thickness = _layout.Thickness[index];
        var (input, output) = (_layout.Sizes[step.Input], _layout.Sizes[step.Output]);
        var kernels = Runtime.TensorRuntime.HasVolumeKernels(_layout.Type, _device);
        _stores[step.Output] = Store(step.Output, last);
        if (step.Side is { } extra)
            _stores[extra.Output] = Store(extra.Output, false);
        foreach (var range in SlabRange.Of(output[1], thickness))
        {
            var outBytes = range.Count * _layout.PlaneBytes(step.Output);
            long bytes;
            var (from, to) = step.Operation?.InputPlanes(range) ?? (range.From, range.To);
            var buffer = (to - from) * _layout.PlaneBytes(step.Input);
            if (step.Operation is null)
            {
                bytes = SlabAttention.Transient(input, thickness, _layout.Type) + outBytes;
            }
            else
            {
                long[] inSlab = [input[0], to - from, input[2], input[3]], outSlab = [output[0], range.Count, output[2], output[3]];
                bytes = buffer + outBytes + step.Operation.Transient(inSlab, outSlab, _layout.Type) + ChannelMoments.Transient(outBytes, kernels);
                if (step.Norm is not null)
                    bytes += FittedNorm.Transient(buffer, kernels);
            }
            bytes += Pieces(step, range);
            Note(bytes, step);
            _stores[step.Output]!.Append(range.Count);
            if (step.Side is { } side)
                _stores[side.Output]!.Append(range.Count);
            var next = new SlabRange(range.To, Math.Min(range.To + thickness, range.Total), range.Total);
            // A tail is copied before its slab goes.
            if (step.ConsumesInput)
                Note(buffer + _stores[step.Input]?.ReleaseBelow(range.To == range.Total ? input[1] : step.Operation?.InputPlanes(next).From ?? range.To) ?? 0, step);
            if (step.Residual is { } residual)
                Note(buffer + _stores[residual]?.ReleaseBelow(range.To) ?? 0, step);
        }
        if (step.ConsumesInput)
            _stores[step.Input] = null;
        if (step.Residual is { } used)
            _stores[used] = null;
    }

    /// <summary>Bytes of the copies that reading takes: the residual, the raw planes of a side output, a plane from the file.</summary>
    private long Pieces(SlabStep step, SlabRange range)
    {
        var bytes = 0L;
        if (step.Residual is { } residual)
        {
            var slab = range.Count * _layout.PlaneBytes(residual);
            bytes += slab + (step.Shortcut is null ? 0 : (2 * slab) + (2 * range.Count * _layout.PlaneBytes(step.Output)));
        }
        if (step.Side is { } side)
            bytes += (3 * range.Count * _layout.PlaneBytes(step.Input)) + (3 * range.Count * _layout.PlaneBytes(side.Output));
        foreach (var activation in new[] { step.Input, step.Output, step.Residual ?? -1, step.Side?.Output ?? -1 })
        {
            if (activation >= 0 && _layout.Spilled[activation])
                bytes += _device == DeviceType.CUDA ? range.Count * _layout.PlaneBytes(activation) : 2 * _layout.PlaneBytes(activation);
        }
        return bytes;
    }

    private SimulatedStore? Store(int activation, bool result) =>
        new(result || _layout.Spilled[activation] ? 0 : _layout.PlaneBytes(activation));

    private void Note(long transient, SlabStep step)
    {
        var alive = transient + _stores.Sum(s => s?.Bytes ?? 0);
        if (alive <= Peak)
            return;
        Peak = alive;
        AliveAtPeak = [.. Enumerable.Range(0, _stores.Length).Where(i => _stores[i] is { Bytes: > 0 } || i == step.Output)];
    }

    /// <summary>The planes that a <see cref="PlaneStore"/> would hold.</summary>
    private sealed class SimulatedStore(long planeBytes)
    {
        private readonly List<(long Start, long End)> _slabs = [];
        private long _planes;

        public long Bytes => _slabs.Sum(s => s.End - s.Start) * planeBytes;

        public void Append(long count)
        {
            if (planeBytes > 0)
                _slabs.Add((_planes, _planes + count));
            _planes += count;
        }

        /// <summary>Gives up planes; says how many bytes of tails were copied.</summary>
        public long ReleaseBelow(long plane)
        {
            var copied = 0L;
            for (var i = 0; i < _slabs.Count; i++)
            {
                var kept = PlaneStore.Kept(_slabs[i].Start, _slabs[i].End, plane);
                if (kept != _slabs[i] && kept.Start < kept.End)
                    copied += (_slabs[i].End - kept.Start) * planeBytes;
                _slabs[i] = kept;
            }
            _slabs.RemoveAll(s => s.Start == s.End);
            return copied;
        }
    }
}
