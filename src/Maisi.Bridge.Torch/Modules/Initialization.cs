namespace TorchSharp;

/// <summary>
/// Building modules without filling their weights, for models whose weights are loaded anyway:
/// drawing the random numbers of a network of 180 million parameters takes seconds.
/// </summary>
public static class ModuleInitialization
{
    [ThreadStatic]
    private static int _skipping;

    /// <summary>Whether modules built on this thread leave their weights as they come from memory.</summary>
    public static bool IsSkipped => _skipping > 0;

    /// <summary>Until the result is disposed, modules built on this thread have uninitialised weights.</summary>
    public static IDisposable Skip() => new Guard();

    /// <summary>A weight for a module that is being built: filled by <paramref name="fill"/>, unless initialisation is skipped or the device is meta.</summary>
    internal static Modules.Parameter Parameter(ReadOnlySpan<long> shape, torch.Device? device, torch.ScalarType? dtype, Action<torch.Tensor> fill)
    {
        var data = torch.empty(shape, dtype, device ?? DefaultDevice.Current);
        if (!IsSkipped && !data.is_meta)
        {
            using var _ = torch.no_grad();
            fill(data);
        }
        return new(data);
    }

    private sealed class Guard : IDisposable
    {
        private bool _disposed;

        public Guard() => _skipping++;

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            _skipping--;
        }
    }
}

/// <summary>The device that modules are built on when none is named.</summary>
public static class DefaultDevice
{
    [ThreadStatic]
    private static torch.Device? _current;

    internal static torch.Device? Current => _current;

    /// <summary>Until the result is disposed, modules built on this thread have their weights on <paramref name="device"/>.</summary>
    public static IDisposable Use(torch.Device device) => new Guard(device);

    private sealed class Guard : IDisposable
    {
        private readonly torch.Device? _previous = _current;

        public Guard(torch.Device device) => _current = device;

        public void Dispose() => _current = _previous;
    }
}

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Filling weights in place; the tensor itself comes back.</summary>
        public static class init
        {
            public enum NonlinearityType
            {
                Linear = 0,
                Conv1D = 1,
                Conv2D = 2,
                Conv3D = 3,
                ConvTranspose1D = 4,
                ConvTranspose2D = 5,
                ConvTranspose3D = 6,
                Sigmoid = 7,
                Tanh = 8,
                ReLU = 9,
                LeakyReLU = 10,
            }

            public enum FanInOut
            {
                FanIn = 0,
                FanOut = 1,
            }

            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0.0) => nonlinearity switch
            {
                NonlinearityType.Tanh => 5.0 / 3.0,
                NonlinearityType.ReLU => Math.Sqrt(2),
                NonlinearityType.LeakyReLU => Math.Sqrt(2 / (1 + param * param)),
                _ => 1,
            };

            public static Tensor ones_(Tensor tensor) => Fill(tensor, t => t.fill_(1));

            public static Tensor zeros_(Tensor tensor) => Fill(tensor, t => t.zero_());

            public static Tensor constant_(Tensor tensor, Scalar val) => Fill(tensor, t => t.fill_(val));

            public static Tensor uniform_(Tensor tensor, double low = 0, double high = 1, Generator? generator = null) =>
                Fill(tensor, t => t.uniform_(low, high, generator));

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) =>
                Fill(tensor, t => t.normal_(mean, std, generator));

            public static Tensor xavier_uniform_(Tensor tensor, double gain = 1.0)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                var bound = gain * Math.Sqrt(6.0 / (fanIn + fanOut));
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor xavier_normal_(Tensor tensor, double gain = 1.0)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                return normal_(tensor, 0, gain * Math.Sqrt(2.0 / (fanIn + fanOut)));
            }

            public static Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn,
                NonlinearityType nonlinearity = NonlinearityType.LeakyReLU)
            {
                var bound = Math.Sqrt(3) * calculate_gain(nonlinearity, a) / Math.Sqrt(Fan(tensor, mode));
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor kaiming_normal_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn,
                NonlinearityType nonlinearity = NonlinearityType.LeakyReLU) =>
                normal_(tensor, 0, calculate_gain(nonlinearity, a) / Math.Sqrt(Fan(tensor, mode)));

            /// <summary>Values that reach one output, and outputs that one value reaches.</summary>
            public static (long fanIn, long fanOut) CalculateFanInAndFanOut(Tensor tensor)
            {
                var shape = tensor.shape;
                if (shape.Length < 2)
                    throw new ArgumentException("fan in and fan out need a tensor of at least two dimensions", nameof(tensor));
                var field = shape.Skip(2).Aggregate(1L, (a, b) => a * b);
                return (shape[1] * field, shape[0] * field);
            }

            private static double Fan(Tensor tensor, FanInOut mode)
            {
                var (fanIn, fanOut) = CalculateFanInAndFanOut(tensor);
                return mode == FanInOut.FanIn ? fanIn : fanOut;
            }

            private static Tensor Fill(Tensor tensor, Func<Tensor, Tensor> fill)
            {
                using var _ = no_grad();
                return fill(tensor);
            }
        }
    }
}
