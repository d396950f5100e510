using Microsoft.Win32.SafeHandles;

namespace Maisi.Bridge.Checkpoints;

/// <summary>The formats of checkpoint files.</summary>
public enum CheckpointFormat
{
    /// <summary>Header and raw tensors.</summary>
    Safetensors,

    /// <summary>What torch.save writes since PyTorch 1.6.</summary>
    TorchZip,

    /// <summary>What torch.save wrote before.</summary>
    TorchLegacy,
}

/// <summary>
/// An open checkpoint. Opening reads the header or pickle only; tensors stay in the file until they are asked for. Pickles are read
/// without running code: whatever is not a tensor, number, text or plain container is refused by name.
/// </summary>
public sealed class CheckpointFile : IDisposable
{
    private const int MaxDepth = 64;
    private static readonly string[] WeightKeys = ["state_dict", "model_state_dict", "model", "network", "autoencoder", "unet_state_dict", "controlnet_state_dict"];
    private readonly SafeFileHandle _handle;
    private readonly long _length;

    private CheckpointFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        var file = FileRegion.Whole(handle, path);
        _length = file.Length;
        Metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (TorchFileReader.IsZip(file))
        {
            (Format, Root) = (CheckpointFormat.TorchZip, TorchFileReader.ReadZip(file));
        }
        else if (LooksLikePickle(file))
        {
            (Format, Root) = (CheckpointFormat.TorchLegacy, TorchFileReader.ReadLegacy(file));
        }
        else
        {
            var (tensors, metadata) = SafetensorsReader.Read(file);
            var root = new PythonDict();
            foreach (var (name, tensor) in tensors)
                root.Set(name, tensor);
            (Format, Root, Metadata) = (CheckpointFormat.Safetensors, root, metadata);
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>How it is written.</summary>
    public CheckpointFormat Format { get; }

    /// <summary>
    /// The object in the file: null, bool, long, double, <see cref="System.Numerics.BigInteger"/>, string, byte[], a
    /// <see cref="List{T}"/>, <see cref="PythonTuple"/>, <see cref="PythonSet"/>, <see cref="PythonDict"/>, <see cref="PythonName"/>,
    /// <see cref="NumpyArray"/>, or a <see cref="StoredTensor"/>.
    /// </summary>
    public object? Root { get; }

    /// <summary>Text stored beside the tensors (safetensors only).</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a checkpoint of any of the formats, recognised by its first bytes.</summary>
    /// <exception cref="CheckpointException">Missing, damaged, of another format, or holding something that is refused.</exception>
    public static CheckpointFile Open(string path)
    {
        if (!File.Exists(path))
            throw new CheckpointException("the checkpoint does not exist", path);
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path);
            return new CheckpointFile(path, handle);
        }
        catch (Exception e)
        {
            handle?.Dispose();
            if (e is IOException or UnauthorizedAccessException)
                throw new CheckpointException($"the checkpoint cannot be read: {e.Message}", path, inner: e);
            throw;
        }
    }

    /// <summary>The weights: the root if it holds only tensors, otherwise the entry of that name, otherwise the only entry that holds only tensors.</summary>
    /// <param name="key">Entry of the root to take; null to find it.</param>
    /// <exception cref="CheckpointException">No such entry, or more than one to choose from.</exception>
    public IReadOnlyDictionary<string, StoredTensor> StateDict(string? key = null)
    {
        if (Root is not PythonDict root)
            throw new CheckpointException("the checkpoint is not a dictionary", Path, "save a state_dict()");
        if (key is not null)
            return AsStateDict(root[key]) ?? throw new CheckpointException($"the checkpoint has no weights under '{key}'", Path, $"it has: {string.Join(", ", root.Items.Select(i => i.Key))}");
        if (AsStateDict(root) is { } whole)
            return whole;
        var candidates = root.Items.Where(i => AsStateDict(i.Value) is not null).Select(i => i.Key.ToString()!).ToArray();
        if (candidates.Length > 1)
            candidates = [.. candidates.Intersect(WeightKeys, StringComparer.Ordinal)];
        return candidates.Length == 1
            ? AsStateDict(root[candidates[0]])!
            : throw new CheckpointException("the checkpoint does not say which entry holds the weights", Path, $"name one of: {string.Join(", ", root.Items.Select(i => i.Key))}");
    }

    /// <summary>A number beside the weights, such as epoch or scale_factor, which may be stored as a number or as a tensor of one element.</summary>
    /// <returns>The number, or null when there is none of that name.</returns>
    public double? Number(string name) => (Root as PythonDict)?[name] switch
    {
        long integer => integer,
        double real => real,
        StoredTensor { Count: 1 } tensor => One(tensor),
        _ => null,
    };

    /// <summary>Every tensor under its path, container keys and indices joined by a slash.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Flatten()
    {
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        var visits = 0L;
        Walk(Root, "", 0);
        return tensors;

        void Walk(object? value, string path, int depth)
        {
            // A pickle can refer to one object many times; the walk must not grow beyond what the file could hold.
            if (depth > MaxDepth || ++visits > _length)
                throw new CheckpointException("the checkpoint's containers are nested without end", Path, "the file is damaged");
            IEnumerable<(string Key, object? Value)> children = value switch
            {
                PythonDict dict => dict.Items.Select(i => (i.Key.ToString()!, i.Value)),
                List<object?> list => list.Select((item, i) => (i.ToString(), item)),
                PythonTuple tuple => tuple.Items.Select((item, i) => (i.ToString(), item)),
                _ => [],
            };
            if (value is StoredTensor tensor)
                tensors[path] = tensor;
            foreach (var (key, child) in children)
                Walk(child, path.Length == 0 ? key : $"{path}/{key}", depth + 1);
        }
    }

    /// <summary>Closes the file; its tensors can no longer be read.</summary>
    public void Dispose() => _handle.Dispose();

    private static double One(StoredTensor tensor)
    {
        using var value = tensor.ToTensor();
        using var wide = value.to(TorchSharp.torch.ScalarType.Float64);
        return wide.item<double>();
    }

    private static bool LooksLikePickle(FileRegion file)
    {
        Span<byte> start = stackalloc byte[9];
        if (file.Length < start.Length)
            return false;
        file.Read(0, start);
        return start[0] == 0x80 && start[8] != '{'; // PROTO; a safetensors header whose length begins so has its brace at byte 8
    }

    private static Dictionary<string, StoredTensor>? AsStateDict(object? value)
    {
        if (value is not PythonDict { Items.Count: > 0 } dict || dict.Items.Any(i => i is not { Key: string, Value: StoredTensor }))
            return null;
        return dict.Items.ToDictionary(i => (string)i.Key, i => (StoredTensor)i.Value!, StringComparer.Ordinal);
    }
}
