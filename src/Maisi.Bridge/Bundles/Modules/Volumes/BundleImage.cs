using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Volumes;
using static TorchSharp.torch;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>An image on its way through the transforms of a bundle: MONAI's MetaTensor.</summary>
/// <param name="Tensor">Values [C,X,Y,Z], always with channels, and their place.</param>
/// <param name="File">Where it was loaded from; null for other images.</param>
/// <param name="Original">Its grid in that file, in RAS or not as it was stored.</param>
internal sealed record BundleImage(VolumeTensor Tensor, string? File = null, VolumeGrid? Original = null)
{
    /// <summary>Takes what a transform is given: an image, or a tensor [C,X,Y,Z] without a place.</summary>
    public static BundleImage Of(object? value, string transform) => value switch
    {
        BundleImage image => image,
        Tensor { shape.Length: 4 } tensor => new(new VolumeTensor(tensor, Affine.Identity)),
        _ => throw new BundleException(BundleErrorKind.TypeError, $"{transform} takes an image or a tensor [C,X,Y,Z], not a {PythonTypes.NameOf(value)}", hint: "load it with LoadImage first"),
    };

    /// <summary>LoadImage: a file as float32 with its affine.</summary>
    public static BundleImage Load(object? value, TransformArguments arguments)
    {
        var name = value as string ?? (value is null ? null : arguments.Context.Types.Find(value)?.ToPlain(value) as string)
            ?? throw new BundleException(BundleErrorKind.TypeError, $"LoadImage takes a file name, not a {PythonTypes.NameOf(value)}");
        var path = arguments.Context.Files.Full(name);
        var volume = VolumeFile.Read(path);
        return new(volume.ToTensor(), path, volume.Grid);
    }

    /// <summary>The image after a transform.</summary>
    public BundleImage Apply(IVolumeTransform transform) => this with { Tensor = transform.Apply(Tensor) };

    /// <summary>SaveImage: writes DIR/STEM/STEM_POSTFIX.EXT, with resample on the grid of the file that it came from.</summary>
    public BundleImage Save(TransformArguments a)
    {
        var stem = File is null ? "0" : VolumeFile.Stem(File);
        var postfix = a.Text("output_postfix") ?? "trans";
        var folder = Path.Combine(a.Context.Files.Full(a.Text("output_dir") ?? "."), a.Flag("separate_folder", true) ? stem : "");
        a.Context.Files.MakeFolder(folder);
        var volume = Tensor.ToVolume();
        if (a.Flag("resample") && Original is not null && !volume.Grid.Matches(Original))
            volume = volume.Resample(Original, a.Sampling(otherwise: "nearest"));
        VolumeFile.Write(volume, Path.Combine(folder, stem + (postfix.Length > 0 ? "_" + postfix : "") + (a.Text("output_ext") ?? ".nii.gz")));
        return this;
    }
}

/// <summary>What expressions may do with images: their shape, affine and tensor.</summary>
internal sealed class BundleImageBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(BundleImage);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => ["shape", "affine", "pixdim", "ndim", "as_tensor"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var image = ((BundleImage)self).Tensor;
        value = name switch
        {
            "shape" => new TupleValue([.. image.Data.shape.Select(n => (object?)n)]),
            "affine" => tensor(image.Affine.ToRows(), [4, 4]),
            "pixdim" => new ListValue(image.Affine.Spacing.Select(s => (object?)s)),
            "ndim" => image.Data.dim(),
            "as_tensor" => new NativeFunction(name, (_, _) => image.Data),
            _ => null,
        };
        return value is not null;
    }

    /// <inheritdoc/>
    public override long? Length(object self) => ((BundleImage)self).Tensor.Channels;
}
