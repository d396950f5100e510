using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>A storage that a pickle mentions: its element type and its bytes in the file.</summary>
internal sealed record PickleStorage(ScalarType Type, FileRegion Region)
{
    /// <summary>A tensor over the storage.</summary>
    public StoredTensor View(long offset, long[] shape, long[] strides) => new(Region, Type, shape, strides, offset);
}
