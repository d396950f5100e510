using System.Runtime.CompilerServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>
    /// A libtorch tensor. Disposing gives its memory back at once; a tensor made inside a <see cref="DisposeScope"/> is disposed with it,
    /// and a forgotten one when the garbage collector finds it.
    /// </summary>
    public partial class Tensor : IDisposable
    {
        private const int MetaLength = 12;
        private const int MaxDimensions = 64;
        private nint _handle;

        /// <summary>Takes over an owned handle and puts the tensor in the thread's current scope.</summary>
        internal Tensor(nint handle)
        {
            if (handle == 0)
            {
                GC.SuppressFinalize(this);
                return;
            }
            _handle = handle;
            NativeMemoryBudget.OnTensorMade();
            DisposeScope.Current?.Add(this);
        }

        ~Tensor() => Free();

        /// <summary>The TensorImpl pointer; valid while this object lives. To share it with another owner see <see cref="TensorSharing"/>.</summary>
        /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
        public nint Handle
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Tensor), "The tensor was disposed, perhaps with the DisposeScope it was made in.");
        }

        /// <summary>Whether the tensor was disposed.</summary>
        public bool IsInvalid => _handle == 0;

        /// <summary>The sizes of the dimensions.</summary>
        public unsafe long[] shape
        {
            get
            {
                var meta = stackalloc long[MetaLength];
                var sizes = stackalloc long[MaxDimensions];
                Native.Check(Native.mt_tensor_meta(Handle, meta, sizes, null, MaxDimensions));
                GC.KeepAlive(this);
                return new ReadOnlySpan<long>(sizes, (int)meta[6]).ToArray();
            }
        }

        public ScalarType dtype => (ScalarType)Meta(0);

        public unsafe Device device
        {
            get
            {
                var meta = stackalloc long[MetaLength];
                Native.Check(Native.mt_tensor_meta(Handle, meta, null, null, 0));
                GC.KeepAlive(this);
                return meta[1] == 0 ? torch.CPU : new Device((DeviceType)meta[1], (int)meta[2]);
            }
        }

        public DeviceType device_type => (DeviceType)Meta(1);

        public int device_index => (int)Meta(2);

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_leaf => Meta(5) != 0;

        public long Dimensions => Meta(6);

        public int ndim => (int)Meta(6);

        public long NumberOfElements => Meta(7);

        public long ElementSize => Meta(8);

        public bool requires_grad
        {
            get => Meta(4) != 0;
            set
            {
                Native.Check(Native.mt_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        /// <summary>The accumulated gradient; null when there is none. Every read makes a new wrapper of the same gradient.</summary>
        public unsafe Tensor? grad
        {
            get
            {
                nint grad;
                Native.Check(Native.mt_grad_get(Handle, &grad));
                GC.KeepAlive(this);
                return grad == 0 ? null : new Tensor(grad);
            }
            set
            {
                Native.Check(Native.mt_grad_set(Handle, value?.Handle ?? 0));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        internal DisposeScope? Scope { get; set; }

        internal int ScopeIndex { get; set; }

        public static Tensor UnsafeCreateTensor(nint handle) => new(handle);

        public long dim() => Dimensions;

        public long numel() => NumberOfElements;

        public long element_size() => ElementSize;

        public long size(int dim) => shape[dim < 0 ? dim + (int)Dimensions : dim];

        public long[] size() => shape;

        public unsafe long[] stride()
        {
            var meta = stackalloc long[MetaLength];
            var strides = stackalloc long[MaxDimensions];
            Native.Check(Native.mt_tensor_meta(Handle, meta, null, strides, MaxDimensions));
            GC.KeepAlive(this);
            return new ReadOnlySpan<long>(strides, (int)meta[6]).ToArray();
        }

        public long stride(int dim) => stride()[dim < 0 ? dim + (int)Dimensions : dim];

        public long storage_offset() => Meta(10);

        public bool is_contiguous() => Meta(11) != 0;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        public bool is_integral() => torch.is_integral(dtype);

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public void backward() => autograd.backward(this);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        /// <summary>Keeps the gradient of a tensor that is not a leaf.</summary>
        public void retain_grad() => new Call(Ops.retain_grad).T(this).RunVoid();

        /// <summary>Hands the tensor to the scope around its own, or out of all scopes.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            if (Scope is { } scope)
                MoveToScope(scope.Outer);
            return this;
        }

        /// <summary>Hands the tensor to another tensor's scope.</summary>
        public Tensor MoveToOtherDisposeScope(Tensor other)
        {
            MoveToScope(other.Scope);
            return this;
        }

        /// <summary>Hands the tensor to <paramref name="other"/>, or out of all scopes.</summary>
        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            MoveToScope(other);
            return this;
        }

        /// <summary>Takes the tensor out of all scopes: the caller disposes it.</summary>
        public Tensor DetachFromDisposeScope()
        {
            MoveToScope(null);
            return this;
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        public override string ToString() => IsInvalid ? "[disposed]" : $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";

        internal void MoveToScope(DisposeScope? target)
        {
            if (ReferenceEquals(Scope, target))
                return;
            Scope?.Remove(this);
            target?.Add(this);
        }

        /// <summary>Puts another native tensor behind this object; everybody who holds the object sees it.</summary>
        internal void Rebind(Tensor source)
        {
            var old = Handle;
            _handle = source.Release();
            Native.mt_tensor_free(old);
        }

        /// <summary>Gives the handle away: this object is as good as disposed.</summary>
        internal nint Release()
        {
            Scope?.Remove(this);
            GC.SuppressFinalize(this);
            var handle = Handle;
            _handle = 0;
            return handle;
        }

        protected virtual void Dispose(bool disposing)
        {
            if (disposing)
                Scope?.Remove(this);
            Free();
        }

        private void Free()
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0)
                Native.mt_tensor_free(handle);
        }

        private unsafe long Meta(int field)
        {
            var meta = stackalloc long[MetaLength];
            Native.Check(Native.mt_tensor_meta(Handle, meta, null, null, 0));
            GC.KeepAlive(this);
            return meta[field];
        }
    }
}
