using System.IO.Compression;

namespace Maisi.Bridge.Volumes;

/// <summary>Reads and writes medical images; the format follows from the file name.</summary>
public static class VolumeFile
{
    /// <summary>File name endings that can be read.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".nii.gz", ".nii", ".hdr", ".img"];

    /// <summary>True when the name ends as a readable image's does.</summary>
    public static bool IsVolume(string path) => Extensions.Any(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    /// <summary>The file name without folder and image ending: "case_1" for "a/case_1.nii.gz".</summary>
    public static string Stem(string path)
    {
        var name = Path.GetFileName(path);
        var ending = Extensions.FirstOrDefault(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));
        return ending is null ? name : name[..^ending.Length];
    }

    /// <summary>Reads an image.</summary>
    /// <exception cref="VolumeFormatException">Not an image, damaged, or of a kind that is not supported.</exception>
    public static Volume Read(string path) => NiftiFile.Read(path);

    /// <summary>Reads size, place and voxel type without the voxels.</summary>
    /// <exception cref="VolumeFormatException">Not an image, or a damaged header.</exception>
    public static VolumeInfo ReadInfo(string path) => NiftiFile.ReadInfo(path);

    /// <summary>Writes an image; a crash or a full disk leaves no half file.</summary>
    /// <exception cref="MaisiException">The ending is none that can be written, or the disk refused.</exception>
    public static void Write(Volume volume, string path, CompressionLevel level = CompressionLevel.Fastest)
    {
        if (!path.EndsWith(".nii", StringComparison.OrdinalIgnoreCase) && !path.EndsWith(".nii.gz", StringComparison.OrdinalIgnoreCase))
            throw new MaisiException("the ending of the file name is none that can be written", path, "use .nii.gz or .nii");
        NiftiFile.Write(volume, path, level: level);
    }
}
