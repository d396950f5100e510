namespace TorchSharp;

/// <summary>Which libtorch is loaded, and what it was built with.</summary>
public static unsafe class LibtorchLibrary
{
    /// <summary>The shim between this assembly and libtorch.</summary>
    public static string ShimPath
    {
        get
        {
            _ = Version;
            return NativeLoader.Path;
        }
    }

    /// <summary>
    /// libtorch_cpu.so as it is mapped in this process, with links resolved; whoever shares tensors with this process must use the same file.
    /// Empty where the system does not say.
    /// </summary>
    public static string Path => Mapped("libtorch_cpu.so");

    /// <summary>The version that the shim was compiled against, for example 2.6.0.</summary>
    public static string Version => torch.__version__;

    /// <summary>The file of the BLAS in use; empty when it is part of libtorch or unknown.</summary>
    public static string BlasPath
    {
        get
        {
            foreach (var name in new[] { "libopenblas", "libmkl_core", "libmkl_rt", "libblis", "libblas.so" })
            {
                if (Mapped(name) is { Length: > 0 } found)
                    return found;
            }
            return "";
        }
    }

    /// <summary>Whether oneDNN is there and switched on: without it convolutions are many times slower.</summary>
    public static bool HasOneDnn => Native.mt_has_mkldnn() != 0 && TorchFlags.Get("mkldnn_enabled") != 0;

    /// <summary>Whether the shim was built with CUDA.</summary>
    public static bool HasCuda => Native.mt_has_cuda() != 0;

    /// <summary>cuDNN's version number, 0 without it.</summary>
    public static int CudnnVersion => Native.mt_cuda_cudnn_version();

    /// <summary>libtorch's own description of how it was built.</summary>
    public static string Configuration => Native.Text(Native.mt_config(0));

    /// <summary>libtorch's own description of its threads.</summary>
    public static string ParallelInformation => Native.Text(Native.mt_config(1));

    private static string Mapped(string name)
    {
        _ = Version;
        if (!OperatingSystem.IsLinux())
            return "";
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var start = line.IndexOf('/', StringComparison.Ordinal);
            if (start > 0 && System.IO.Path.GetFileName(line.AsSpan(start)).StartsWith(name, StringComparison.Ordinal))
                return line[start..];
        }
        return "";
    }
}
