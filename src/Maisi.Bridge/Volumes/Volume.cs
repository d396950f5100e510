using System.Numerics;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// A medical image: voxels of one type with their place in the patient. Voxels lie as in image files, x fastest ([X,Y,Z] in Fortran
/// order), channels slowest; <see cref="ToArray{T}"/> gives the [C,X,Y,Z] C order of tensors. Shape, spacing and orientation always
/// describe the voxels as they are now.
/// </summary>
public sealed class Volume
{
    private readonly object _voxels; // Memory<T> of the voxel type

    private Volume(object voxels, VoxelType type, VolumeGrid grid, int channels) => (_voxels, Type, Grid, Channels) = (voxels, type, grid, channels);

    /// <summary>How one voxel is stored.</summary>
    public VoxelType Type { get; }

    /// <summary>Size and place of the voxels.</summary>
    public VolumeGrid Grid { get; }

    /// <summary>1 for an ordinary image; 4 for a latent stored as [X,Y,Z,4].</summary>
    public int Channels { get; }

    /// <summary>[X,Y,Z], or [X,Y,Z,C] with more than one channel.</summary>
    public IReadOnlyList<int> Shape => Channels == 1 ? [SizeX, SizeY, SizeZ] : [SizeX, SizeY, SizeZ, Channels];

    /// <summary>Voxels along the first axis.</summary>
    public int SizeX => Grid.SizeX;

    /// <summary>Voxels along the second axis.</summary>
    public int SizeY => Grid.SizeY;

    /// <summary>Voxels along the third axis.</summary>
    public int SizeZ => Grid.SizeZ;

    /// <summary>Voxel index to RAS+ millimetres.</summary>
    public Affine Affine => Grid.Affine;

    /// <summary>Millimetres between voxels along each axis.</summary>
    public IReadOnlyList<double> Spacing => Affine.Spacing;

    /// <summary>Which way each axis points.</summary>
    public AxisCodes Orientation => AxisCodes.Of(Affine);

    /// <summary>Voxels of all channels.</summary>
    public int Count => checked((int)(Grid.Count * Channels));

    /// <summary>Wraps voxels that lie x fastest, channels slowest, without a copy.</summary>
    /// <exception cref="MaisiException">The count of voxels is not X·Y·Z·C.</exception>
    public static Volume Wrap<T>(Memory<T> voxels, VolumeGrid grid, int channels = 1) where T : unmanaged
    {
        if (voxels.Length != grid.Count * channels)
            throw new MaisiException($"{voxels.Length} voxels do not fill {grid} with {channels} channel(s), which has {grid.Count * channels}");
        return new(voxels, VoxelTypes.Of<T>(), grid, channels);
    }

    /// <summary>A volume of zeros.</summary>
    public static Volume Zeros<T>(VolumeGrid grid, int channels = 1) where T : unmanaged => Wrap<T>(new T[checked((int)(grid.Count * channels))], grid, channels);

    /// <summary>Copies voxels in the C order of tensors, [X,Y,Z] or [C,X,Y,Z].</summary>
    /// <exception cref="MaisiException">The count of voxels is not C·X·Y·Z.</exception>
    public static Volume FromArray<T>(ReadOnlySpan<T> voxels, VolumeGrid grid, int channels = 1) where T : unmanaged
    {
        if (voxels.Length != grid.Count * channels)
            throw new MaisiException($"{voxels.Length} voxels do not fill {grid} with {channels} channel(s), which has {grid.Count * channels}");
        var copy = GC.AllocateUninitializedArray<T>(voxels.Length);
        for (var c = 0; c < channels; c++)
            VoxelOrder.Transpose(voxels.Slice(c * (int)grid.Count, (int)grid.Count), copy.AsSpan(c * (int)grid.Count, (int)grid.Count), grid.SizeZ, grid.SizeY, grid.SizeX);
        return Wrap<T>(copy, grid, channels);
    }

    /// <summary>The voxels, x fastest: voxel (x, y, z) of channel c is at x + X·(y + Y·(z + Z·c)).</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is not the voxel type; convert first.</exception>
    public Memory<T> Memory<T>() where T : unmanaged => _voxels is Memory<T> memory ? memory
        : throw new InvalidOperationException($"the voxels are {Type.Name()}, not {typeof(T).Name}; use ConvertTo first");

    /// <inheritdoc cref="Memory{T}"/>
    public Span<T> Voxels<T>() where T : unmanaged => Memory<T>().Span;

    /// <summary>One voxel as a number.</summary>
    public double At(int x, int y, int z, int channel = 0)
    {
        if ((uint)x >= (uint)SizeX || (uint)y >= (uint)SizeY || (uint)z >= (uint)SizeZ || (uint)channel >= (uint)Channels)
            throw new ArgumentOutOfRangeException(nameof(x), $"voxel ({x}, {y}, {z}), channel {channel} is outside {Grid}");
        return Apply(new ReadOne(x + SizeX * (y + SizeY * (z + SizeZ * channel))));
    }

    /// <summary>A copy in the C order of tensors: [X,Y,Z], or [C,X,Y,Z] with channels first. Converts as <see cref="ConvertTo{T}"/> does.</summary>
    public T[] ToArray<T>() where T : unmanaged, INumber<T>
    {
        var source = ConvertTo<T>().Voxels<T>();
        var copy = GC.AllocateUninitializedArray<T>(source.Length);
        var plane = (int)Grid.Count;
        for (var c = 0; c < Channels; c++)
            VoxelOrder.Transpose<T>(source.Slice(c * plane, plane), copy.AsSpan(c * plane, plane), SizeX, SizeY, SizeZ);
        return copy;
    }

    /// <summary>The voxels as float32 in the C order of tensors, [X,Y,Z] or [C,X,Y,Z].</summary>
    public float[] ToFloats() => ToArray<float>();

    /// <summary>The same image with voxels of another type: fractions are cut off, values out of range saturate, NaN becomes 0.</summary>
    public Volume ConvertTo<T>() where T : unmanaged, INumber<T> => _voxels is Memory<T> ? this : Wrap(Apply(new Convert<T>()), Grid, Channels);

    /// <inheritdoc cref="ConvertTo{T}"/>
    public Volume ConvertTo(VoxelType type) => type switch
    {
        VoxelType.UInt8 => ConvertTo<byte>(),
        VoxelType.Int8 => ConvertTo<sbyte>(),
        VoxelType.Int16 => ConvertTo<short>(),
        VoxelType.UInt16 => ConvertTo<ushort>(),
        VoxelType.Int32 => ConvertTo<int>(),
        VoxelType.UInt32 => ConvertTo<uint>(),
        VoxelType.Int64 => ConvertTo<long>(),
        VoxelType.UInt64 => ConvertTo<ulong>(),
        VoxelType.Float32 => ConvertTo<float>(),
        _ => ConvertTo<double>(),
    };

    /// <summary>The same voxels (shared, not copied) in another place of the patient.</summary>
    public Volume WithAffine(Affine affine) => new(_voxels, Type, Grid with { Affine = affine }, Channels);

    /// <summary>An independent copy.</summary>
    public Volume Clone() => Apply(new Copy(this));

    /// <summary>Runs work that does not know the voxel type.</summary>
    internal TResult Apply<TResult>(IVoxelFunction<TResult> function) => Type switch
    {
        VoxelType.UInt8 => function.Invoke(Memory<byte>()),
        VoxelType.Int8 => function.Invoke(Memory<sbyte>()),
        VoxelType.Int16 => function.Invoke(Memory<short>()),
        VoxelType.UInt16 => function.Invoke(Memory<ushort>()),
        VoxelType.Int32 => function.Invoke(Memory<int>()),
        VoxelType.UInt32 => function.Invoke(Memory<uint>()),
        VoxelType.Int64 => function.Invoke(Memory<long>()),
        VoxelType.UInt64 => function.Invoke(Memory<ulong>()),
        VoxelType.Float32 => function.Invoke(Memory<float>()),
        _ => function.Invoke(Memory<double>()),
    };

    private readonly struct ReadOne(int index) : IVoxelFunction<double>
    {
        public double Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T> => double.CreateChecked(voxels.Span[index]);
    }

    private readonly struct Copy(Volume volume) : IVoxelFunction<Volume>
    {
        public Volume Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T> => Wrap<T>(voxels.ToArray(), volume.Grid, volume.Channels);
    }

    private readonly struct Convert<TTo> : IVoxelFunction<Memory<TTo>> where TTo : unmanaged, INumber<TTo>
    {
        public Memory<TTo> Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var source = voxels.Span;
            var target = GC.AllocateUninitializedArray<TTo>(source.Length);
            for (var i = 0; i < target.Length; i++)
                target[i] = TTo.CreateSaturating(source[i]);
            return target;
        }
    }
}
