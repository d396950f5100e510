using System.Text;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>TorchScript. A file of it is a program: load only those that you trust.</summary>
    public static class jit
    {
        /// <summary>Loads a module that torch.jit.save wrote, which takes a tensor and gives a tensor.</summary>
        /// <param name="filename">The file.</param>
        /// <param name="device_type">Where its tensors go.</param>
        /// <param name="device_index">Which of the devices; -1 for the current one.</param>
        /// <exception cref="TorchException">The file is no TorchScript module.</exception>
        public static unsafe ScriptModule<T, TResult> load<T, TResult>(string filename, DeviceType device_type = DeviceType.CPU, long device_index = -1)
        {
            if (typeof(T) != typeof(Tensor) || typeof(TResult) != typeof(Tensor))
                throw new NotSupportedException("a TorchScript module takes one tensor and gives one here");
            fixed (byte* path = Encoding.UTF8.GetBytes(filename + "\0"))
                return new ScriptModule<T, TResult>(Native.Check(Native.mt_script_load(path, (int)device_type, (int)device_index)));
        }

        /// <summary>A loaded TorchScript module.</summary>
        public sealed class ScriptModule<T, TResult> : nn.Module, nn.IModule<T, TResult>
        {
            private nint _handle;

            internal ScriptModule(nint handle)
                : base(nameof(ScriptModule<T, TResult>)) => _handle = handle;

            ~ScriptModule() => Dispose(false);

            /// <summary>Runs its forward method.</summary>
            /// <exception cref="TorchException">It failed, or gave no tensor.</exception>
            public TResult call(T input)
            {
                var tensor = (Tensor)(object)input!;
                var result = Native.Check(Native.mt_script_forward(Handle, tensor.Handle));
                GC.KeepAlive(tensor);
                GC.KeepAlive(this);
                return (TResult)(object)new Tensor(result);
            }

            public override void train(bool train = true)
            {
                base.train(train);
                Native.Check(Native.mt_script_train(Handle, train ? 1 : 0));
                GC.KeepAlive(this);
            }

            protected override void Dispose(bool disposing)
            {
                if (Interlocked.Exchange(ref _handle, 0) is not 0 and var handle)
                    Native.mt_script_free(handle);
                base.Dispose(disposing);
            }

            private nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(ScriptModule<T, TResult>));
        }
    }
}
