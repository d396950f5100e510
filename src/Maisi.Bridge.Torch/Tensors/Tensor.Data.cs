using System.Runtime.CompilerServices;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>
        /// The elements as raw bytes, without a copy; CPU and contiguous only, at most 2 GiB. The span is valid while the tensor lives.
        /// Use <c>MemoryMarshal.Cast&lt;byte, float&gt;(tensor.bytes)</c> for typed access that also compiles against TorchSharp.
        /// </summary>
        /// <exception cref="InvalidOperationException">The tensor is not contiguous or not on the CPU.</exception>
        public unsafe Span<byte> bytes
        {
            get
            {
                var length = checked((int)(NumberOfElements * ElementSize));
                return length == 0 ? [] : new Span<byte>(DataPointer(), length);
            }
            set
            {
                var target = bytes;
                if (value.Length != target.Length)
                    throw new ArgumentException($"the tensor has {target.Length} bytes, not {value.Length}", nameof(value));
                value.CopyTo(target);
            }
        }

        /// <summary>Typed access to the elements of a CPU tensor, in logical order.</summary>
        /// <exception cref="ArgumentException"><typeparamref name="T"/> is not the dtype.</exception>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            CheckElementType<T>();
            if (device_type != DeviceType.CPU)
                throw new InvalidOperationException($"Reading data needs a CPU tensor, this one is on {device}. Use .cpu().");
            return new TensorAccessor<T>(this);
        }

        /// <summary>The only element.</summary>
        /// <exception cref="ArgumentException">There are more elements, or of another type.</exception>
        public T item<T>()
            where T : unmanaged
        {
            CheckElementType<T>();
            var value = ToScalar();
            if (typeof(T) == typeof(float))
                return As(value.ToSingle());
            if (typeof(T) == typeof(double))
                return As(value.ToDouble());
            if (typeof(T) == typeof(long))
                return As(value.ToInt64());
            if (typeof(T) == typeof(int))
                return As((int)value.ToInt64());
            if (typeof(T) == typeof(bool))
                return As(value.ToBoolean());
            if (typeof(T) == typeof(byte))
                return As((byte)value.ToInt64());
            if (typeof(T) == typeof(sbyte))
                return As((sbyte)value.ToInt64());
            if (typeof(T) == typeof(short))
                return As((short)value.ToInt64());
            if (typeof(T) == typeof(Half))
                return As((Half)value.ToDouble());
            return As(value.ToComplex());

            static T As<TValue>(TValue value) => Unsafe.As<TValue, T>(ref value);
        }

        public Scalar ToScalar() => new Call(Ops.local_scalar_dense).T(this).RunScalar();

        public bool is_nonzero() => ToScalar().ToBoolean();

        internal unsafe void* DataPointer()
        {
            if (device_type != DeviceType.CPU)
                throw new InvalidOperationException($"Reading data needs a CPU tensor, this one is on {device}. Use .cpu().");
            if (!is_contiguous())
                throw new InvalidOperationException("Reading bytes needs a contiguous tensor. Use .contiguous().");
            return DataPointerUnchecked();
        }

        internal unsafe void* DataPointerUnchecked()
        {
            var data = Native.mt_tensor_data(Handle);
            if (data is null && NumberOfElements > 0)
                throw TorchException.Last();
            return data;
        }

        private void CheckElementType<T>()
            where T : unmanaged
        {
            // 16-bit floats may be read as raw bits too.
            var type = dtype;
            if (type == ScalarType.BFloat16 ? typeof(T) == typeof(ushort) || typeof(T) == typeof(short) : ToScalarType(typeof(T)) == type)
                return;
            throw new ArgumentException($"the tensor holds {type}, which is not {typeof(T).Name}; use .to({typeof(T).Name}) first");
        }
    }
}
