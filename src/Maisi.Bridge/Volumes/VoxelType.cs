using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>How one voxel is stored.</summary>
public enum VoxelType
{
    UInt8,
    Int8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Float32,
    Float64,
}

/// <summary>Work on the voxels of a volume, whatever their type is.</summary>
/// <typeparam name="TResult">What the work returns.</typeparam>
internal interface IVoxelFunction<out TResult>
{
    /// <summary>Runs on the voxels, x fastest.</summary>
    TResult Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T>;
}

/// <summary>Sizes, names and .NET types of voxel types.</summary>
public static class VoxelTypes
{
    /// <summary>Bytes of one voxel.</summary>
    public static int Size(this VoxelType type) => type switch
    {
        VoxelType.UInt8 or VoxelType.Int8 => 1,
        VoxelType.Int16 or VoxelType.UInt16 => 2,
        VoxelType.Int32 or VoxelType.UInt32 or VoxelType.Float32 => 4,
        _ => 8,
    };

    /// <summary>True for float32 and float64.</summary>
    public static bool IsFloat(this VoxelType type) => type is VoxelType.Float32 or VoxelType.Float64;

    /// <summary>The name that NumPy and PyTorch use: "int16", "float32", ...</summary>
    public static string Name(this VoxelType type) => type.ToString().ToLowerInvariant();

    /// <summary>The type with this NumPy name.</summary>
    /// <exception cref="MaisiException">No voxel type has this name.</exception>
    public static VoxelType Parse(string name) =>
        Enum.TryParse<VoxelType>(name, ignoreCase: true, out var type) && Enum.IsDefined(type) && !char.IsAsciiDigit(name[0])
            ? type
            : throw new MaisiException($"'{name}' is not a voxel type", hint: $"use one of {string.Join(", ", Enum.GetValues<VoxelType>().Select(Name))}");

    /// <summary>The voxel type that stores <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">No voxel type stores it.</exception>
    public static VoxelType Of<T>() where T : unmanaged => Type.GetTypeCode(typeof(T)) switch
    {
        TypeCode.Byte => VoxelType.UInt8,
        TypeCode.SByte => VoxelType.Int8,
        TypeCode.Int16 => VoxelType.Int16,
        TypeCode.UInt16 => VoxelType.UInt16,
        TypeCode.Int32 => VoxelType.Int32,
        TypeCode.UInt32 => VoxelType.UInt32,
        TypeCode.Int64 => VoxelType.Int64,
        TypeCode.UInt64 => VoxelType.UInt64,
        TypeCode.Single => VoxelType.Float32,
        TypeCode.Double => VoxelType.Float64,
        _ => throw new NotSupportedException($"voxels cannot be {typeof(T).Name}"),
    };
}
