namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static Modules.Conv1d Conv1d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size], [stride], [padding], [dilation], [0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv1d Conv1d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size], [stride], ByRule(padding, [kernel_size], [stride], [dilation]), [dilation], [0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size, kernel_size], [stride, stride], [padding, padding], [dilation, dilation], [0, 0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, Numbers(kernel_size), Numbers(stride, 1), Numbers(padding, 0), Numbers(dilation, 1), [0, 0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size, kernel_size], [stride, stride], ByRule(padding, [kernel_size, kernel_size], [stride, stride], [dilation, dilation]), [dilation, dilation], [0, 0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv3d Conv3d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size, kernel_size, kernel_size], [stride, stride, stride], [padding, padding, padding], [dilation, dilation, dilation], [0, 0, 0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv3d Conv3d(long in_channels, long out_channels, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? dilation = null,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, Numbers(kernel_size), Numbers(stride, 1), Numbers(padding, 0), Numbers(dilation, 1), [0, 0, 0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.Conv3d Conv3d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size, kernel_size, kernel_size], [stride, stride, stride], ByRule(padding, [kernel_size, kernel_size, kernel_size], [stride, stride, stride], [dilation, dilation, dilation]), [dilation, dilation, dilation], [0, 0, 0], groups, padding_mode, false),
            bias, device, dtype);

        public static Modules.ConvTranspose1d ConvTranspose1d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size], [stride], [padding], [dilation], [output_padding], groups, padding_mode, true),
            bias, device, dtype);

        public static Modules.ConvTranspose2d ConvTranspose2d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size, kernel_size], [stride, stride], [padding, padding], [dilation, dilation], [output_padding, output_padding], groups, padding_mode, true),
            bias, device, dtype);

        public static Modules.ConvTranspose2d ConvTranspose2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? output_padding = null, (long, long)? dilation = null,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, Numbers(kernel_size), Numbers(stride, 1), Numbers(padding, 0), Numbers(dilation, 1), Numbers(output_padding, 0), groups, padding_mode, true),
            bias, device, dtype);

        public static Modules.ConvTranspose3d ConvTranspose3d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long output_padding = 0, long dilation = 1,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, [kernel_size, kernel_size, kernel_size], [stride, stride, stride], [padding, padding, padding], [dilation, dilation, dilation], [output_padding, output_padding, output_padding], groups, padding_mode, true),
            bias, device, dtype);

        public static Modules.ConvTranspose3d ConvTranspose3d(long in_channels, long out_channels, (long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null, (long, long, long)? output_padding = null, (long, long, long)? dilation = null,
            PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(new(in_channels, out_channels, Numbers(kernel_size), Numbers(stride, 1), Numbers(padding, 0), Numbers(dilation, 1), Numbers(output_padding, 0), groups, padding_mode, true),
            bias, device, dtype);

        private static long[] ByRule(Padding padding, long[] kernel, long[] stride, long[] dilation) =>
            padding == Padding.Same ? Modules.ConvolutionShape.Same(kernel, stride, dilation) : new long[kernel.Length];

        private static long[] Numbers((long, long) values) => [values.Item1, values.Item2];

        private static long[] Numbers((long, long)? values, long otherwise) => values is { } v ? Numbers(v) : [otherwise, otherwise];

        private static long[] Numbers((long, long, long) values) => [values.Item1, values.Item2, values.Item3];

        private static long[] Numbers((long, long, long)? values, long otherwise) => values is { } v ? Numbers(v) : [otherwise, otherwise, otherwise];
    }
}
