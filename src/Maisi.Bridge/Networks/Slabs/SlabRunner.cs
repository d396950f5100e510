using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Computes a program step after step, each step slab after slab. A norm needs the statistics of its whole input, so they are gathered
/// while that input is made; the result equals the undivided computation up to the order of summation.
/// </summary>
internal sealed class SlabRunner(SlabLayout layout, string spillFolder, IProgress<WorkProgress>? progress, string stage, CancellationToken cancellation) : IDisposable
{
    private readonly PlaneStore?[] _stores = new PlaneStore?[layout.Sizes.Length];
    private readonly ChannelMoments?[] _moments = new ChannelMoments?[layout.Sizes.Length];
    private readonly StageClock _clock = new(stage, 100, progress);
    private double _work;

    /// <summary>Runs everything; <paramref name="take"/> gets the slabs of the result, in order, with their first plane, and may not keep them.</summary>
    public void Run(Tensor input, Action<Tensor, long> take)
    {
        using var mode = no_grad();
        _stores[0] = PlaneStore.Of(input);
        for (var i = 0; i < layout.Program.Steps.Count; i++)
            Run(i, input, i == layout.Program.Steps.Count - 1 ? take : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var store in _stores)
            store?.Dispose();
    }

    private void Run(int index, Tensor like, Action<Tensor, long>? take)
    {
        var step = layout.Program.Steps[index];
        var (input, output) = (_stores[step.Input]!, layout.Sizes[step.Output]);
        var norm = step.Norm?.Fit(_moments[step.Input]!);
        if (take is null)
            _stores[step.Output] = new PlaneStore(output, like.dtype, like.device, layout.Spilled[step.Output] ? spillFolder : null);
        if (step.Side is { } extra)
            _stores[extra.Output] = new PlaneStore(layout.Sizes[extra.Output], like.dtype, like.device, layout.Spilled[extra.Output] ? spillFolder : null);
        _moments[step.Output] = layout.Program.NeedsMoments(step.Output) ? new ChannelMoments(output[0]) : null;
        using var context = step.Attention is null ? null : new Context(step.Attention.Project(input, norm!, layout.Thickness[index], cancellation));
        step.Operation?.Begin();
        Tensor? buffer = null;
        try
        {
            foreach (var range in SlabRange.Of(output[1], layout.Thickness[index]))
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                if (step.Side is { } side)
                    _stores[side.Output]!.Append(side.Operation.Run(input.Take(range.From, range.To, last: false), null, range));
                var result = context is null
                    ? Compute(step, input, norm, range, ref buffer)
                    : step.Attention!.Run(input, norm!, context.Key, context.Value, range);
                _moments[step.Output]?.Add(result);
                if (take is null)
                    _stores[step.Output]!.Append(result);
                else
                    take(result, range.From);
                Release(step, range, layout.Thickness[index]);
                Report(step, range);
            }
        }
        finally
        {
            buffer?.Dispose();
            step.Operation?.End();
        }
        Finish(step);
    }

    private Tensor Compute(SlabStep step, PlaneStore input, FittedNorm? norm, SlabRange range, ref Tensor? buffer)
    {
        var (from, to) = step.Operation!.InputPlanes(range);
        if (buffer?.shape[2] != to - from)
        {
            buffer?.Dispose();
            buffer = null;
            buffer = empty([1, input.Size[0], to - from, input.Size[2], input.Size[3]], layout.Type, _stores[0]!.Device).DetachFromDisposeScope();
        }
        Fill(buffer, input, norm, from, to, step.Operation.RepeatsBorder);
        var residual = step.Residual is { } r ? _stores[r]!.Take(range.From, range.To, last: true) : null;
        if (residual is not null && step.Shortcut is not null)
            residual = step.Shortcut.Run(residual, null, range).Freeing(residual);
        return step.Operation.Run(buffer, residual, range);
    }

    /// <summary>Fills a buffer with normalised planes; what lies outside of the volume becomes zero, or the border again.</summary>
    private static void Fill(Tensor buffer, PlaneStore input, FittedNorm? norm, long from, long to, bool repeatsBorder)
    {
        var end = input.Size[1];
        input.Read(Math.Max(from, 0), Math.Min(to, end), (piece, start) =>
        {
            using var place = buffer.narrow(2, start - from, piece.shape[2]);
            if (norm is null)
                place.copy_(piece);
            else
                norm.Apply(piece, place);
        });
        for (var plane = from; plane < 0; plane++)
            Outside(plane, 0);
        for (var plane = end; plane < to; plane++)
            Outside(plane, end - 1);

        void Outside(long plane, long border)
        {
            using var place = buffer.narrow(2, plane - from, 1);
            using var source = buffer.narrow(2, border - from, 1);
            if (repeatsBorder)
                place.copy_(source);
            else
                place.zero_();
        }
    }

    private void Release(SlabStep step, SlabRange range, long thickness)
    {
        var next = new SlabRange(range.To, Math.Min(range.To + thickness, range.Total), range.Total);
        if (step.ConsumesInput)
            _stores[step.Input]!.ReleaseBelow(range.To == range.Total ? layout.Sizes[step.Input][1] : step.Operation?.InputPlanes(next).From ?? range.To);
        if (step.Residual is { } residual)
            _stores[residual]!.ReleaseBelow(range.To);
    }

    private void Finish(SlabStep step)
    {
        if (step.ConsumesInput && step.Input != 0)
            Drop(step.Input);
        if (step.Residual is { } residual && residual != 0)
            Drop(residual);
    }

    private void Drop(int activation)
    {
        _stores[activation]?.Dispose();
        _stores[activation] = null;
    }

    private void Report(SlabStep step, SlabRange range)
    {
        var size = layout.Sizes[step.Output];
        _work += layout.Work(step) * range.Count / size[1];
        _clock.Report(Math.Min(100, (long)(100 * _work / layout.MultiplyAdds)), step.Name);
    }

    private sealed class Context((Tensor Key, Tensor Value) tensors) : IDisposable
    {
        public Tensor Key { get; } = tensors.Key;

        public Tensor Value { get; } = tensors.Value;

        public void Dispose()
        {
            Key.Dispose();
            Value.Dispose();
        }
    }
}
