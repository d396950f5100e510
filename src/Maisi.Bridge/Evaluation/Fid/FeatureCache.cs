using Maisi.Bridge.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Maisi.Bridge.Evaluation;

/// <summary>Features of volumes in files, one per volume: what was computed once is not computed again, and memory holds one volume at a time.</summary>
internal sealed class FeatureCache : IDisposable
{
    private readonly string _folder;
    private readonly bool _temporary;

    /// <param name="folder">Where they stay; null for a folder that goes with this object.</param>
    public FeatureCache(string? folder)
    {
        _temporary = folder is null;
        _folder = folder ?? Directory.CreateTempSubdirectory("maisi-features-").FullName;
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"the folder of cached features cannot be made: {e.Message}", folder, "give another --cache", e);
        }
    }

    /// <summary>The features of an image, from the cache or the network; false when they were in the cache.</summary>
    public (string File, bool Computed) Get(string image, FeatureNetwork network, FidPreprocessing preprocessing)
    {
        var file = Path.Combine(_folder, preprocessing.Key(image, network) + ".safetensors");
        if (File.Exists(file) && IsWhole(file))
            return (file, false);
        using var scope = NewDisposeScope();
        var rows = network.Extract(preprocessing.Load(image), preprocessing.Slices);
        SafetensorsFile.Save(file, rows.Select(r => KeyValuePair.Create(r.Key.ToString(), r.Value)), new Dictionary<string, string> { ["image"] = Path.GetFileName(image), ["network"] = network.Name });
        return (file, true);
    }

    /// <summary>The rows of a plane, [slices, D] float32.</summary>
    public static Tensor Rows(string file, SlicePlane plane)
    {
        using var checkpoint = CheckpointFile.Open(file);
        return checkpoint.Flatten()[plane.ToString()].ToTensor();
    }

    public void Dispose()
    {
        if (_temporary)
            Directory.Delete(_folder, recursive: true);
    }

    // A file that something else damaged is computed again.
    private static bool IsWhole(string file)
    {
        try
        {
            using var checkpoint = CheckpointFile.Open(file);
            var tensors = checkpoint.Flatten();
            return Enum.GetValues<SlicePlane>().All(p => tensors.ContainsKey(p.ToString()));
        }
        catch (CheckpointException)
        {
            return false;
        }
    }
}
