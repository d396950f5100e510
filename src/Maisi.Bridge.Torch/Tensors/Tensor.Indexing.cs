namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Indexing as in Python: numbers, slices, None, Ellipsis and index tensors.</summary>
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        /// <summary>Indexing by tensors, one per leading dimension.</summary>
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor this[long i1]
        {
            get => select(0, i1);
            set
            {
                using var view = select(0, i1);
                view.copy_(value);
            }
        }

        public Tensor this[params long[] indices]
        {
            get => index(Array.ConvertAll(indices, i => TensorIndex.Single(i)));
            set => index_put_(value, Array.ConvertAll(indices, i => TensorIndex.Single(i)));
        }

        public Tensor index(params TensorIndex[] indices)
        {
            var view = ApplyBasicIndices(indices, out var tensors);
            if (tensors is null)
                return view;
            using (view)
                return new Call(Ops.index_Tensor).T(view).Ts(tensors).Run();
        }

        public Tensor index(params Tensor[] indices) => new Call(Ops.index_Tensor).T(this).Ts(indices).Run();

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            using var view = ApplyBasicIndices(indices, out var tensors);
            if (tensors is null)
                view.copy_(value);
            else
                new Call(Ops.index_put_).T(view).Ts(tensors).T(value).RunInPlace(view);
            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var number = new Call(Ops.scalar_tensor).S(value).Dt(dtype).N().Dev(device).Run();
            return index_put_(number, indices);
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => new Call(Ops.index_put_).T(this).Ts(indices).T(value).RunInPlace(this);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate) =>
            new Call(Ops.index_put_).T(this).Ts(indices).T(value).B(accumulate).RunInPlace(this);

        /// <summary>Numbers, slices and None make views; what index tensors remain apply to the view's dimensions in their places.</summary>
        private Tensor ApplyBasicIndices(TensorIndex[] indices, out Tensor?[]? tensors)
        {
            tensors = null;
            var consumed = 0;
            foreach (var index in indices)
                consumed += index.Consumes;
            var rank = (int)Dimensions;
            if (consumed > rank)
                throw new ArgumentException($"{consumed} indices for a tensor of {rank} dimensions");
            var view = this;
            var dim = 0;
            var masked = 0; // a mask of n dimensions is one entry of the list
            foreach (var index in indices)
            {
                if (index.Is(TensorIndex.Kinds.Ellipsis))
                {
                    dim += rank - consumed;
                    continue;
                }
                if (index.Is(TensorIndex.Kinds.Tensor))
                {
                    Array.Resize(ref tensors, dim - masked + 1);
                    tensors[^1] = index.TensorValue;
                    dim += index.Consumes;
                    masked += index.Consumes - 1;
                    continue;
                }
                var next = index.Apply(view, dim);
                if (!ReferenceEquals(view, this))
                    view.Dispose();
                view = next;
                if (!index.Is(TensorIndex.Kinds.Single))
                    dim++;
            }
            return ReferenceEquals(view, this) ? alias() : view;
        }
    }

    /// <summary>One index of a tensor: a number, a slice, None, Ellipsis, or a tensor of indices or truth values.</summary>
    public readonly struct TensorIndex
    {
        public static readonly TensorIndex Ellipsis = new(Kinds.Ellipsis);
        public static readonly TensorIndex None = new(Kinds.None);
        public static readonly TensorIndex Null = new(Kinds.None);
        public static readonly TensorIndex Colon = Slice();
        private readonly Kinds _kind;
        private readonly long? _start;
        private readonly long? _stop;
        private readonly long _step;

        private TensorIndex(Kinds kind, long? start = null, long? stop = null, long step = 1, Tensor? tensor = null)
        {
            _kind = kind;
            _start = start;
            _stop = stop;
            _step = step;
            TensorValue = tensor;
        }

        internal enum Kinds : byte
        {
            None,
            Single,
            Slice,
            Ellipsis,
            Tensor,
        }

        internal Tensor? TensorValue { get; }

        internal int Consumes => _kind switch
        {
            Kinds.Single or Kinds.Slice => 1,
            Kinds.Tensor => TensorValue!.dtype == ScalarType.Bool ? (int)TensorValue.Dimensions : 1,
            _ => 0,
        };

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex((int? Start, int? End) range) => Slice(range.Start, range.End);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => Single(index.IsFromEnd ? -index.Value : index.Value);

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new(Kinds.Slice, start, stop, step ?? 1);

        public static TensorIndex Slice(Range range) => new(Kinds.Slice, Bound(range.Start), range.End is { IsFromEnd: true, Value: 0 } ? null : Bound(range.End));

        public static TensorIndex Single(long? index) => new(Kinds.Single, index);

        public static TensorIndex Tensor(Tensor tensor) => new(Kinds.Tensor, tensor: tensor);

        internal bool Is(Kinds kind) => _kind == kind;

        internal Tensor Apply(Tensor view, int dim) => _kind switch
        {
            Kinds.None => view.unsqueeze(dim),
            Kinds.Single => view.select(dim, _start!.Value),
            _ => new Call(Ops.slice_Tensor).T(view).I(dim).I(_start).I(_stop).I(_step).Run(),
        };

        private static long Bound(Index index) => index.IsFromEnd ? -index.Value : index.Value;
    }
}
