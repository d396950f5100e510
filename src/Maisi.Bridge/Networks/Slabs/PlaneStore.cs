using Maisi.Bridge.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Networks;

/// <summary>
/// One activation [1, C, X, Y, Z] as slabs along X: appended in order, read in ranges of planes, and given up from the front. Spilled
/// stores keep nothing on the device: on CUDA the slabs lie in the host's memory, on the CPU every plane lies in a file.
/// </summary>
internal sealed class PlaneStore : IDisposable
{
    private readonly List<Slab> _slabs = [];
    private readonly SpillFile? _file;
    private readonly Device _device;
    private readonly ScalarType _type;
    private readonly bool _host;
    private readonly bool _borrowed;

    /// <param name="size">C, X, Y, Z.</param>
    /// <param name="type">Element type.</param>
    /// <param name="device">Where pieces are wanted.</param>
    /// <param name="spillFolder">Null keeps the slabs on the device.</param>
    public PlaneStore(long[] size, ScalarType type, Device device, string? spillFolder)
    {
        (Size, _type, _device) = (size, type, device);
        _host = spillFolder is not null && device.type == DeviceType.CUDA;
        if (spillFolder is not null && !_host)
            _file = new SpillFile(spillFolder);
    }

    private PlaneStore(Tensor whole)
        : this(whole.shape[1..], whole.dtype, whole.device, null)
    {
        _borrowed = true;
        _slabs.Add(new Slab(0, whole.shape[2], whole));
        Planes = whole.shape[2];
    }

    /// <summary>C, X, Y, Z.</summary>
    public long[] Size { get; }

    /// <summary>Where pieces are given.</summary>
    public Device Device => _device;

    /// <summary>Planes appended so far.</summary>
    public long Planes { get; private set; }

    /// <summary>A store around a volume [1, C, X, Y, Z] that somebody else owns.</summary>
    public static PlaneStore Of(Tensor whole) => new(whole);

    /// <summary>The planes of a slab that stay when everything below <paramref name="plane"/> is given up: short tails are copied, so that the slab can go.</summary>
    public static (long Start, long End) Kept(long start, long end, long plane) =>
        plane >= end ? (end, end) : plane > start && 2 * (end - plane) <= end - start ? (plane, end) : (start, end);

    /// <summary>Adds the next planes; the slab [1, C, x, Y, Z] belongs to the store from now on.</summary>
    public void Append(Tensor slab)
    {
        var count = slab.shape[2];
        if (_file is not null)
        {
            for (var i = 0L; i < count; i++)
            {
                using var scope = NewDisposeScope();
                var plane = slab.narrow(2, i, 1).contiguous(); // planes lie one after the other in the file: a range of them is one piece
                _file.Write((Planes + i) * PlaneBytes, plane.bytes);
            }
            slab.Dispose();
        }
        else
        {
            var kept = _host ? slab.cpu().Freeing(slab) : slab;
            _slabs.Add(new Slab(Planes, Planes + count, kept.DetachFromDisposeScope()));
        }
        Planes += count;
    }

    /// <summary>Gives the planes [from, to) as pieces on the device, in order; a piece lives until the call that takes it returns.</summary>
    /// <param name="from">First plane.</param>
    /// <param name="to">One behind the last.</param>
    /// <param name="take">Gets the piece [1, C, x, Y, Z] and its first plane.</param>
    public void Read(long from, long to, Action<Tensor, long> take)
    {
        if (_file is not null)
        {
            using var plane = empty([1, Size[0], 1, Size[2], Size[3]], _type);
            for (var i = from; i < to; i++)
            {
                _file.Read(i * PlaneBytes, plane.bytes);
                take(plane, i);
            }
            return;
        }
        foreach (var slab in _slabs.Where(s => s.Start < to && s.End > from))
        {
            using var scope = NewDisposeScope();
            var start = Math.Max(from, slab.Start);
            var piece = slab.Tensor.narrow(2, start - slab.Start, Math.Min(to, slab.End) - start);
            take(_host ? piece.to(_device) : piece, start);
        }
    }

    /// <summary>The planes [from, to) as a tensor of the caller's own; the slab itself, without a copy, where it has just these planes and may go.</summary>
    public Tensor Take(long from, long to, bool last)
    {
        var at = _slabs.FindIndex(s => s.Start == from && s.End == to);
        if (last && at >= 0 && !_host && !_borrowed)
        {
            var slab = _slabs[at].Tensor;
            _slabs.RemoveAt(at);
            return slab;
        }
        var result = empty([1, Size[0], to - from, Size[2], Size[3]], _type, _device);
        Read(from, to, (piece, start) =>
        {
            using var place = result.narrow(2, start - from, piece.shape[2]);
            place.copy_(piece);
        });
        return result;
    }

    /// <summary>Planes below <paramref name="plane"/> will not be read again.</summary>
    public void ReleaseBelow(long plane)
    {
        if (_borrowed)
            return;
        for (var i = 0; i < _slabs.Count; i++)
        {
            var slab = _slabs[i];
            var (start, end) = Kept(slab.Start, slab.End, plane);
            if (start == slab.Start)
                continue;
            using var scope = NewDisposeScope();
            var tail = start < end ? slab.Tensor.narrow(2, start - slab.Start, end - start).clone().DetachFromDisposeScope() : null;
            slab.Tensor.Dispose();
            _slabs[i] = new Slab(start, end, tail!);
        }
        _slabs.RemoveAll(s => s.Start == s.End);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_borrowed)
            _slabs.ForEach(s => s.Tensor.Dispose());
        _slabs.Clear();
        _file?.Dispose();
    }

    private long PlaneBytes => Size[0] * Size[2] * Size[3] * ElementTypes.Size(_type);

    private sealed record Slab(long Start, long End, Tensor Tensor);
}
