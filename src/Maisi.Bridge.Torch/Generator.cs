namespace TorchSharp;

public static partial class torch
{
    /// <summary>Seeds every default generator and gives the CPU's.</summary>
    public static Generator manual_seed(long seed)
    {
        Native.Check(Native.mt_manual_seed((ulong)seed));
        return Generator.Default;
    }

    /// <summary>The state of the default CPU generator.</summary>
    public static Tensor get_rng_state()
    {
        using var generator = Generator.Default;
        return generator.get_state();
    }

    /// <summary>Sets the state of the default CPU generator.</summary>
    public static void set_rng_state(Tensor new_state)
    {
        using var generator = Generator.Default;
        generator.set_state(new_state);
    }

    /// <summary>A source of random numbers with its own state.</summary>
    public sealed class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null)
            : this(Native.Check(Native.mt_generator_new((int)(device ?? torch.CPU).type, (device ?? torch.CPU).index, seed)), device ?? torch.CPU)
        {
        }

        private Generator(nint handle, Device device)
        {
            _handle = handle;
            this.device = device;
        }

        ~Generator() => Free();

        /// <summary>The default CPU generator; the wrapper is yours, the generator is shared.</summary>
        public static Generator Default => DefaultOf(torch.CPU);

        public Device device { get; }

        internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Generator));

        /// <summary>The default generator of a device.</summary>
        public static Generator DefaultOf(Device device)
        {
            ArgumentNullException.ThrowIfNull(device);
            return new(Native.Check(Native.mt_generator_default((int)device.type, device.index)), device);
        }

        public Generator manual_seed(long seed)
        {
            Native.Check(Native.mt_generator_set_seed(Handle, (ulong)seed));
            GC.KeepAlive(this);
            return this;
        }

        public long initial_seed()
        {
            var seed = (long)Native.mt_generator_seed(Handle);
            GC.KeepAlive(this);
            return seed;
        }

        /// <summary>The whole state, a byte tensor on the CPU.</summary>
        public Tensor get_state()
        {
            var state = new Tensor(Native.Check(Native.mt_generator_state(Handle)));
            GC.KeepAlive(this);
            return state;
        }

        public void set_state(Tensor value)
        {
            Native.Check(Native.mt_generator_set_state(Handle, value.Handle));
            GC.KeepAlive(this);
            GC.KeepAlive(value);
        }

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0)
                Native.mt_generator_free(handle);
        }
    }
}
