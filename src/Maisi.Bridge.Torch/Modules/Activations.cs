namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.SiLU SiLU(bool inplace = false) => new(inplace);

            public static Modules.ReLU ReLU(bool inplace = false) => new(inplace);

            public static Modules.Sigmoid Sigmoid(bool inplace = false) => new(inplace);

            public static Modules.Tanh Tanh(bool inplace = false) => new(inplace);

            public static Modules.LeakyReLU LeakyReLU(double negative_slope = 0.01, bool inplace = false) => new(negative_slope, inplace);

            public static Modules.ELU ELU(double alpha = 1.0, bool inplace = false) => new(alpha, inplace);

            public static Modules.Softmax Softmax(long dim) => new(dim);

            public static Modules.LogSoftmax LogSoftmax(long dim) => new(dim);

            public static Modules.Identity Identity() => new();

            public static Modules.Flatten Flatten(long start_dim = 1, long end_dim = -1) => new(start_dim, end_dim);

            public static Modules.Dropout Dropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            public static Modules.Dropout2d Dropout2d(double p = 0.5, bool inplace = false) => new(p, inplace);

            public static Modules.Dropout3d Dropout3d(double p = 0.5, bool inplace = false) => new(p, inplace);

            public static Modules.Upsample Upsample(long[]? size = null, double[]? scale_factor = null, UpsampleMode mode = UpsampleMode.Nearest, bool? align_corners = null) => new(size, scale_factor, mode, align_corners);

            public static Modules.PixelShuffle PixelShuffle(long upscale_factor) => new(upscale_factor);

            public static Modules.GELU GELU() => new(Modules.GELU.Approximate.none);

            public static Modules.GELU GELU(Modules.GELU.Approximate approximate) => new(approximate);

            public static Modules.PReLU PReLU(long num_parameters, double init = 0.25, Device? device = null, ScalarType? dtype = null) =>
                new(num_parameters, init, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>x * sigmoid(x).</summary>
    public sealed class SiLU(bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(SiLU))
    {
        public override torch.Tensor forward(torch.Tensor input) => inplace ? input.silu_().alias() : input.silu();
    }

    /// <summary>max(x, 0).</summary>
    public sealed class ReLU(bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(ReLU))
    {
        public override torch.Tensor forward(torch.Tensor input) => inplace ? input.relu_().alias() : input.relu();
    }

    /// <summary>The logistic function.</summary>
    public sealed class Sigmoid(bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Sigmoid))
    {
        public override torch.Tensor forward(torch.Tensor input) => inplace ? input.sigmoid_().alias() : input.sigmoid();
    }

    /// <summary>The hyperbolic tangent.</summary>
    public sealed class Tanh(bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Tanh))
    {
        public override torch.Tensor forward(torch.Tensor input) => inplace ? input.tanh_().alias() : input.tanh();
    }

    /// <summary>x where positive, a small multiple of it elsewhere.</summary>
    public sealed class LeakyReLU(double negative_slope, bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(LeakyReLU))
    {
        public override torch.Tensor forward(torch.Tensor input) => inplace ? input.leaky_relu_(negative_slope).alias() : input.leaky_relu(negative_slope);
    }

    /// <summary>x where positive, alpha * (exp(x) - 1) elsewhere.</summary>
    public sealed class ELU(double alpha, bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(ELU))
    {
        public override torch.Tensor forward(torch.Tensor input) => inplace ? torch.nn.functional.elu(input, alpha, true) : input.elu(alpha);
    }

    /// <summary>Exponentials that add up to one along a dimension.</summary>
    public sealed class Softmax(long dim) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Softmax))
    {
        public override torch.Tensor forward(torch.Tensor input) => input.softmax(dim);
    }

    /// <summary>The logarithm of the softmax.</summary>
    public sealed class LogSoftmax(long dim) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(LogSoftmax))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.log_softmax(input, dim);
    }

    /// <summary>Its input.</summary>
    public sealed class Identity() : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Identity))
    {
        public override torch.Tensor forward(torch.Tensor input) => input.alias();
    }

    /// <summary>Dimensions made one.</summary>
    public sealed class Flatten(long start_dim, long end_dim) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Flatten))
    {
        public override torch.Tensor forward(torch.Tensor input) => input.flatten(start_dim, end_dim);
    }

    /// <summary>Zeroes elements at random while training.</summary>
    public sealed class Dropout(double p, bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Dropout))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.dropout(input, p, training, inplace);
    }

    /// <summary>Zeroes channels at random while training.</summary>
    public sealed class Dropout2d(double p, bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Dropout2d))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.feature_dropout(input, p, training, inplace);
    }

    /// <summary>Zeroes channels at random while training.</summary>
    public sealed class Dropout3d(double p, bool inplace) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Dropout3d))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.feature_dropout(input, p, training, inplace);
    }

    /// <summary>Larger by interpolation.</summary>
    public sealed class Upsample(long[]? size, double[]? scale_factor, torch.UpsampleMode mode, bool? align_corners) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(Upsample))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.interpolate(input, size, scale_factor, (torch.InterpolationMode)mode, align_corners);
    }

    /// <summary>Channels become resolution.</summary>
    public sealed class PixelShuffle(long upscale_factor) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(PixelShuffle))
    {
        public override torch.Tensor forward(torch.Tensor input) => new Call(Ops.pixel_shuffle).T(input).I(upscale_factor).Run();
    }

    /// <summary>x times the normal distribution function of x.</summary>
    public sealed class GELU(GELU.Approximate approximate) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(GELU))
    {
        /// <summary>Exact, or by a tanh.</summary>
        public enum Approximate
        {
            none,
            tanh,
        }

        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.gelu(input, approximate);
    }

    /// <summary>x where positive, a learned multiple of it elsewhere.</summary>
    public sealed class PReLU : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        internal PReLU(long parameters, double init, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(PReLU))
        {
            weight = ModuleInitialization.Parameter([parameters], device, dtype, t => t.fill_(init));
            register_parameter(nameof(weight), weight);
        }

        public Parameter weight { get; }

        public override torch.Tensor forward(torch.Tensor input) => input.prelu(weight);
    }
}
