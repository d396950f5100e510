namespace TorchSharp.Modules;

/// <summary>A convolution over 1 spatial dimension: [N, C, W] to [N, C', W'].</summary>
public sealed class Conv1d : Convolution
{
    internal Conv1d(ConvolutionShape shape, bool bias, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(Conv1d), shape, bias, device, dtype)
    {
    }
}

/// <summary>A convolution over 2 spatial dimensions: [N, C, H, W] to [N, C', H', W'].</summary>
public sealed class Conv2d : Convolution
{
    internal Conv2d(ConvolutionShape shape, bool bias, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(Conv2d), shape, bias, device, dtype)
    {
    }
}

/// <summary>A convolution over 3 spatial dimensions: [N, C, D, H, W] to [N, C', D', H', W'].</summary>
public sealed class Conv3d : Convolution
{
    internal Conv3d(ConvolutionShape shape, bool bias, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(Conv3d), shape, bias, device, dtype)
    {
    }
}

/// <summary>A transposed convolution over 1 spatial dimension: [N, C, W] to [N, C', W'].</summary>
public sealed class ConvTranspose1d : Convolution
{
    internal ConvTranspose1d(ConvolutionShape shape, bool bias, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(ConvTranspose1d), shape, bias, device, dtype)
    {
    }
}

/// <summary>A transposed convolution over 2 spatial dimensions: [N, C, H, W] to [N, C', H', W'].</summary>
public sealed class ConvTranspose2d : Convolution
{
    internal ConvTranspose2d(ConvolutionShape shape, bool bias, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(ConvTranspose2d), shape, bias, device, dtype)
    {
    }
}

/// <summary>A transposed convolution over 3 spatial dimensions: [N, C, D, H, W] to [N, C', D', H', W'].</summary>
public sealed class ConvTranspose3d : Convolution
{
    internal ConvTranspose3d(ConvolutionShape shape, bool bias, torch.Device? device, torch.ScalarType? dtype)
        : base(nameof(ConvTranspose3d), shape, bias, device, dtype)
    {
    }
}
