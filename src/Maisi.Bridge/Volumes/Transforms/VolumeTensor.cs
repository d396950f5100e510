using static TorchSharp.torch;

namespace Maisi.Bridge.Volumes;

/// <summary>A volume as a tensor [C,X,Y,Z] with its affine: what MONAI's MetaTensor is.</summary>
/// <param name="Data">Values, [C,X,Y,Z].</param>
/// <param name="Affine">Voxel index to RAS+ millimetres.</param>
public sealed record VolumeTensor(Tensor Data, Affine Affine)
{
    /// <summary>Channels.</summary>
    public int Channels => (int)Data.shape[0];

    /// <summary>Size and place.</summary>
    public VolumeGrid Grid => new((int)Data.shape[1], (int)Data.shape[2], (int)Data.shape[3], Affine);

    /// <summary>Voxels along x, y and z.</summary>
    public int[] Size => [(int)Data.shape[1], (int)Data.shape[2], (int)Data.shape[3]];
}

/// <summary>Volumes to tensors and back.</summary>
public static class VolumeTensors
{
    /// <summary>A tensor of the voxels: [C,X,Y,Z], with C = 1 for an ordinary image.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="type">Type of the tensor; null for float32.</param>
    /// <param name="device">Where to put it; null for the CPU.</param>
    public static VolumeTensor ToTensor(this Volume volume, ScalarType? type = null, Device? device = null)
    {
        using var scope = NewDisposeScope();
        long[] shape = [volume.Channels, volume.SizeX, volume.SizeY, volume.SizeZ];
        var data = type is ScalarType.Int64 or ScalarType.Int32 or ScalarType.Byte
            ? tensor(volume.ToArray<int>(), shape).to(type.Value)
            : type is ScalarType.Float64 ? tensor(volume.ToArray<double>(), shape) : tensor(volume.ToFloats(), shape).to(type ?? ScalarType.Float32);
        return new((device is null ? data : data.to(device)).MoveToOuterDisposeScope(), volume.Affine);
    }

    /// <summary>A volume of the values of a tensor [C,X,Y,Z]: float64 and whole-number types stay, others become float32.</summary>
    public static Volume ToVolume(this VolumeTensor tensor)
    {
        using var scope = NewDisposeScope();
        var data = tensor.Data.detach().cpu();
        return data.dtype switch
        {
            ScalarType.Byte => Volume.FromArray<byte>(data.contiguous().data<byte>().ToArray(), tensor.Grid, tensor.Channels),
            ScalarType.Int16 => Volume.FromArray<short>(data.contiguous().data<short>().ToArray(), tensor.Grid, tensor.Channels),
            ScalarType.Int32 => Volume.FromArray<int>(data.contiguous().data<int>().ToArray(), tensor.Grid, tensor.Channels),
            ScalarType.Int64 => Volume.FromArray<long>(data.contiguous().data<long>().ToArray(), tensor.Grid, tensor.Channels),
            ScalarType.Float64 => Volume.FromArray<double>(data.contiguous().data<double>().ToArray(), tensor.Grid, tensor.Channels),
            _ => Volume.FromArray<float>(data.to(ScalarType.Float32).contiguous().data<float>().ToArray(), tensor.Grid, tensor.Channels),
        };
    }
}

/// <summary>A step of preprocessing or augmentation, with MONAI's name, arguments and numbers.</summary>
public interface IVolumeTransform
{
    /// <summary>The result; the input is not changed.</summary>
    VolumeTensor Apply(VolumeTensor input);
}
