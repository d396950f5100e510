namespace TorchSharp;

/// <summary>The order of a tensor's elements in memory; libtorch's numbers.</summary>
public enum MemoryFormat
{
    Contiguous = 0,
    Preserve = 1,

    /// <summary>N, H, W, C for 2D images.</summary>
    ChannelsLast = 2,

    /// <summary>N, D, H, W, C for volumes.</summary>
    ChannelsLast3d = 3,
}

/// <summary>Conversion between memory formats; shape and values stay.</summary>
public static class MemoryFormats
{
    /// <summary>The tensor in another memory format; itself when it is in it already.</summary>
    public static torch.Tensor To(torch.Tensor tensor, MemoryFormat format) => new Call(Ops.contiguous).T(tensor).I((long)format).Run();

    /// <summary>Converts the parameters and buffers that have as many dimensions as the format needs.</summary>
    public static void Convert(torch.nn.Module module, MemoryFormat format)
    {
        ArgumentNullException.ThrowIfNull(module);
        var dimensions = format switch
        {
            MemoryFormat.ChannelsLast => 4,
            MemoryFormat.ChannelsLast3d => 5,
            _ => 0,
        };
        using var scope = DisposeScope.Suspend();
        using var _ = torch.no_grad();
        foreach (var tensor in module.parameters().Concat(module.buffers()))
        {
            if (dimensions != 0 && tensor.Dimensions != dimensions)
                continue;
            var requiresGrad = tensor.requires_grad;
            using var detached = tensor.detach();
            using var converted = To(detached, format);
            tensor.Rebind(converted);
            tensor.requires_grad = requiresGrad;
        }
    }
}
