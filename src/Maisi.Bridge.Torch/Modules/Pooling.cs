namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.AvgPool2d AvgPool2d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new([kernel_size, kernel_size], [stride ?? kernel_size, stride ?? kernel_size], [padding ?? 0, padding ?? 0], ceil_mode, count_include_pad, divisor_override);

            public static Modules.AvgPool2d AvgPool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(Numbers(kernel_size), Numbers(stride ?? kernel_size), Numbers(padding, 0), ceil_mode, count_include_pad, divisor_override);

            public static Modules.AvgPool2d AvgPool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(kernel_size, stride ?? kernel_size, padding ?? new long[2], ceil_mode, count_include_pad, divisor_override);

            public static Modules.MaxPool2d MaxPool2d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new([kernel_size, kernel_size], [stride ?? kernel_size, stride ?? kernel_size], [padding ?? 0, padding ?? 0], [dilation ?? 1, dilation ?? 1], ceil_mode);

            public static Modules.MaxPool2d MaxPool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceil_mode = false) =>
                new(Numbers(kernel_size), Numbers(stride ?? kernel_size), Numbers(padding, 0), Numbers(dilation, 1), ceil_mode);

            public static Modules.AdaptiveAvgPool2d AdaptiveAvgPool2d(long output_size) => new([output_size, output_size]);

            public static Modules.AdaptiveAvgPool2d AdaptiveAvgPool2d((long, long) output_size) => new(Numbers(output_size));

            public static Modules.AdaptiveAvgPool2d AdaptiveAvgPool2d(long[] output_size) => new(output_size);

            public static Modules.AvgPool3d AvgPool3d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new([kernel_size, kernel_size, kernel_size], [stride ?? kernel_size, stride ?? kernel_size, stride ?? kernel_size], [padding ?? 0, padding ?? 0, padding ?? 0], ceil_mode, count_include_pad, divisor_override);

            public static Modules.AvgPool3d AvgPool3d((long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(Numbers(kernel_size), Numbers(stride ?? kernel_size), Numbers(padding, 0), ceil_mode, count_include_pad, divisor_override);

            public static Modules.AvgPool3d AvgPool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
                new(kernel_size, stride ?? kernel_size, padding ?? new long[3], ceil_mode, count_include_pad, divisor_override);

            public static Modules.MaxPool3d MaxPool3d(long kernel_size, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                new([kernel_size, kernel_size, kernel_size], [stride ?? kernel_size, stride ?? kernel_size, stride ?? kernel_size], [padding ?? 0, padding ?? 0, padding ?? 0], [dilation ?? 1, dilation ?? 1, dilation ?? 1], ceil_mode);

            public static Modules.MaxPool3d MaxPool3d((long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? dilation = null, bool ceil_mode = false) =>
                new(Numbers(kernel_size), Numbers(stride ?? kernel_size), Numbers(padding, 0), Numbers(dilation, 1), ceil_mode);

            public static Modules.AdaptiveAvgPool3d AdaptiveAvgPool3d(long output_size) => new([output_size, output_size, output_size]);

            public static Modules.AdaptiveAvgPool3d AdaptiveAvgPool3d((long, long, long) output_size) => new(Numbers(output_size));

            public static Modules.AdaptiveAvgPool3d AdaptiveAvgPool3d(long[] output_size) => new(output_size);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Means of windows over 2 dimensions.</summary>
    public sealed class AvgPool2d(long[] kernel, long[] stride, long[] padding, bool ceil_mode, bool count_include_pad, long? divisor)
        : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(AvgPool2d))
    {
        public override torch.Tensor forward(torch.Tensor input) =>
            torch.nn.functional.avg_pool2d(input, kernel, stride, padding, ceil_mode, count_include_pad, divisor);
    }

    /// <summary>Largest values of windows over 2 dimensions.</summary>
    public sealed class MaxPool2d(long[] kernel, long[] stride, long[] padding, long[] dilation, bool ceil_mode)
        : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(MaxPool2d))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.max_pool2d(input, kernel, stride, padding, dilation, ceil_mode);
    }

    /// <summary>Means of windows chosen so that the output has a given size.</summary>
    public sealed class AdaptiveAvgPool2d(long[] output_size) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(AdaptiveAvgPool2d))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.adaptive_avg_pool2d(input, output_size);
    }

    /// <summary>Means of windows over 3 dimensions.</summary>
    public sealed class AvgPool3d(long[] kernel, long[] stride, long[] padding, bool ceil_mode, bool count_include_pad, long? divisor)
        : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(AvgPool3d))
    {
        public override torch.Tensor forward(torch.Tensor input) =>
            torch.nn.functional.avg_pool3d(input, kernel, stride, padding, ceil_mode, count_include_pad, divisor);
    }

    /// <summary>Largest values of windows over 3 dimensions.</summary>
    public sealed class MaxPool3d(long[] kernel, long[] stride, long[] padding, long[] dilation, bool ceil_mode)
        : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(MaxPool3d))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.max_pool3d(input, kernel, stride, padding, dilation, ceil_mode);
    }

    /// <summary>Means of windows chosen so that the output has a given size.</summary>
    public sealed class AdaptiveAvgPool3d(long[] output_size) : torch.nn.Module<torch.Tensor, torch.Tensor>(nameof(AdaptiveAvgPool3d))
    {
        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.adaptive_avg_pool3d(input, output_size);
    }
}
