using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>Reads and writes medical images; the format follows from the file name.</summary>
public static class VolumeFile
{
    private const string Written = ".nii.gz, .nii, .nrrd, .seg.nrrd, .mha or .npy";

    /// <summary>File name endings that can be read, longer ones first.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".seg.nrrd", ".nii.gz", ".nii", ".hdr", ".img", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy"];

    /// <summary>True when the name ends as a readable image's does.</summary>
    public static bool IsVolume(string path) => Ending(path) is not null;

    /// <summary>The file name without folder and image ending: "case_1" for "a/case_1.nii.gz".</summary>
    public static string Stem(string path)
    {
        var name = Path.GetFileName(path);
        return name[..^(Ending(name)?.Length ?? 0)];
    }

    /// <summary>Reads an image.</summary>
    /// <exception cref="VolumeFormatException">Not an image, damaged, or of a kind that is not supported.</exception>
    public static Volume Read(string path) => Ending(path) switch
    {
        ".nrrd" or ".seg.nrrd" or ".nhdr" => NrrdFile.Read(path),
        ".mha" or ".mhd" => MetaImageFile.Read(path),
        ".npy" => NumpyFile.Read(path),
        _ => NiftiFile.Read(path),
    };

    /// <summary>
    /// Like <see cref="Read"/>, but voxels of an uncompressed NIfTI file (uint8, int16, int32, float32; little-endian, not scaled) stay in
    /// the file until they are touched. Writing to them does not change the file.
    /// </summary>
    /// <exception cref="VolumeFormatException">Not an image, damaged, or of a kind that is not supported.</exception>
    public static Volume Map(string path) => Ending(path) == ".nii" ? NiftiFile.Map(path) : Read(path);

    /// <summary>Reads size, place and voxel type without the voxels.</summary>
    /// <exception cref="VolumeFormatException">Not an image, or a damaged header.</exception>
    public static VolumeInfo ReadInfo(string path) => Ending(path) switch
    {
        ".nrrd" or ".seg.nrrd" or ".nhdr" => NrrdFile.ReadInfo(path),
        ".mha" or ".mhd" => MetaImageFile.ReadInfo(path),
        ".npy" => NumpyFile.ReadInfo(path),
        _ => NiftiFile.ReadInfo(path),
    };

    /// <summary>Writes an image; a crash or a full disk leaves no half file.</summary>
    /// <param name="volume">The image.</param>
    /// <param name="path">The file; its ending chooses the format.</param>
    /// <param name="level">For .nii.gz.</param>
    /// <param name="vocabulary">Names and colours for .seg.nrrd.</param>
    /// <exception cref="MaisiException">The ending is none that can be written, or the disk refused.</exception>
    public static void Write(Volume volume, string path, CompressionLevel level = CompressionLevel.Fastest, LabelVocabulary? vocabulary = null)
    {
        switch (Ending(path))
        {
            case ".nii" or ".nii.gz":
                NiftiFile.Write(volume, path, level: level);
                break;
            case ".seg.nrrd":
                NrrdFile.Write(volume, path, vocabulary ?? LabelVocabulary.Load("maisi"));
                break;
            case ".nrrd":
                NrrdFile.Write(volume, path);
                break;
            case ".mha":
                MetaImageFile.Write(volume, path);
                break;
            case ".npy":
                NumpyFile.Write(volume, path);
                break;
            default:
                throw new MaisiException("the ending of the file name is none that can be written", path, $"use {Written}");
        }
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="VolumeFormatException">There is none, or it may not be read.</exception>
    internal static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VolumeFormatException(File.Exists(path) ? "the file cannot be read" : "there is no such file", path, inner: e);
        }
    }

    /// <summary>Bytes of a file; of a link, those of the file that it leads to.</summary>
    internal static long LengthOf(string path)
    {
        using var stream = Open(path);
        return stream.Length;
    }

    private static string? Ending(string path) => Extensions.FirstOrDefault(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase));
}
