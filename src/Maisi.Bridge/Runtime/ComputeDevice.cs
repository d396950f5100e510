using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Runtime;

/// <summary>Where tensors lie and networks run, by the names that PyTorch gives devices.</summary>
public static class ComputeDevice
{
    /// <summary>The device of a name.</summary>
    /// <param name="name">cpu, cuda (the first GPU) or cuda:N.</param>
    /// <param name="where">The option that names it, for errors.</param>
    /// <exception cref="MaisiException">Another name, or no such GPU here.</exception>
    public static Device Parse(string name, string where = "--device")
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == "cpu")
            return torch.CPU;
        var index = name == "cuda" ? 0 : name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;
        if (index < 0)
            throw new MaisiException($"There is no device '{name}'.", where, "Give cpu, cuda or cuda:N.");
        if (!cuda.is_available())
            throw new MaisiException($"'{name}' was asked for, but no CUDA device is available.", where, "Give cpu, or take a libtorch with CUDA on a machine with a GPU.");
        return index < cuda.device_count() ? new Device(DeviceType.CUDA, index)
            : throw new MaisiException($"'{name}' was asked for, but there are {cuda.device_count()} CUDA devices here.", where, "They are counted from 0.");
    }
}
