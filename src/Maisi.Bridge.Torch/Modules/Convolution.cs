namespace TorchSharp.Modules;

/// <summary>What all convolutions share: weight, bias, strides and padding.</summary>
public abstract class Convolution : torch.nn.Module<torch.Tensor, torch.Tensor>
{
    private readonly Op _op;
    private readonly long[] _stride;
    private readonly long[] _padding;
    private readonly long[] _dilation;
    private readonly long[] _outputPadding;
    private readonly bool _transposed;
    private readonly string? _borderMode;
    private readonly long[] _border;

    private protected Convolution(string name, ConvolutionShape shape, bool hasBias, torch.Device? device, torch.ScalarType? dtype)
        : base(name)
    {
        var rank = shape.Kernel.Length;
        if (shape.InChannels % shape.Groups != 0 || shape.OutChannels % shape.Groups != 0)
            throw new ArgumentException($"{name}: {shape.InChannels} input and {shape.OutChannels} output channels are not divisible by {shape.Groups} groups");
        in_channels = shape.InChannels;
        out_channels = shape.OutChannels;
        kernel_size = shape.Kernel;
        groups = shape.Groups;
        _stride = shape.Stride;
        _dilation = shape.Dilation;
        _outputPadding = shape.OutputPadding;
        _transposed = shape.Transposed;
        _padding = shape.Padding;
        _border = [];
        // Other borders than zeros are laid around the input first; the convolution then pads nothing.
        _borderMode = shape.Mode switch
        {
            PaddingModes.Zeros => null,
            PaddingModes.Reflect => "reflect",
            PaddingModes.Replicate => "replicate",
            PaddingModes.Circular => "circular",
            _ => throw new ArgumentException($"{name}: padding mode {shape.Mode} is none of zeros, reflect, replicate, circular"),
        };
        if (_borderMode is not null)
        {
            if (_transposed)
                throw new ArgumentException($"{name}: a transposed convolution pads with zeros only");
            _border = [.. _padding.Reverse().SelectMany(p => new[] { p, p })];
            _padding = new long[rank];
        }
        _op = (rank, _transposed) switch
        {
            (1, false) => Ops.conv1d,
            (2, false) => Ops.conv2d,
            (3, false) => Ops.conv3d,
            (1, true) => Ops.conv_transpose1d,
            (2, true) => Ops.conv_transpose2d_input,
            _ => Ops.conv_transpose3d_input,
        };
        long[] weightShape = _transposed
            ? [shape.InChannels, shape.OutChannels / shape.Groups, .. shape.Kernel]
            : [shape.OutChannels, shape.InChannels / shape.Groups, .. shape.Kernel];
        var bound = 1 / Math.Sqrt(weightShape[1] * shape.Kernel.Aggregate(1L, (a, b) => a * b));
        weight = ModuleInitialization.Parameter(weightShape, device, dtype, t => t.uniform_(-bound, bound));
        register_parameter(nameof(weight), weight);
        if (hasBias)
        {
            bias = ModuleInitialization.Parameter([shape.OutChannels], device, dtype, t => t.uniform_(-bound, bound));
            register_parameter(nameof(bias), bias);
        }
    }

    public Parameter weight { get; }

    public Parameter? bias { get; }

    public long in_channels { get; }

    public long out_channels { get; }

    public long[] kernel_size { get; }

    public long groups { get; }

    public override torch.Tensor forward(torch.Tensor input)
    {
        if (_borderMode is null)
            return Convolve(input);
        using var padded = new Call(Ops.pad).T(input).L(_border).Str(_borderMode).Run();
        return Convolve(padded);
    }

    private torch.Tensor Convolve(torch.Tensor input) => _transposed
        ? new Call(_op).T(input).T(weight).T(bias).L(_stride).L(_padding).L(_outputPadding).I(groups).L(_dilation).Run()
        : new Call(_op).T(input).T(weight).T(bias).L(_stride).L(_padding).L(_dilation).I(groups).Run();
}

/// <summary>The numbers of a convolution, one per spatial dimension.</summary>
internal sealed record ConvolutionShape(
    long InChannels, long OutChannels, long[] Kernel, long[] Stride, long[] Padding, long[] Dilation, long[] OutputPadding, long Groups,
    PaddingModes Mode, bool Transposed)
{
    /// <summary>Padding that keeps the size at stride 1.</summary>
    public static long[] Same(long[] kernel, long[] stride, long[] dilation)
    {
        if (stride.Any(s => s != 1))
            throw new ArgumentException("padding 'same' needs stride 1");
        var total = kernel.Zip(dilation, (k, d) => d * (k - 1)).ToArray();
        return total.All(t => t % 2 == 0)
            ? [.. total.Select(t => t / 2)]
            : throw new ArgumentException("padding 'same' needs odd kernels");
    }
}
