// Formats: torch/serialization.py (PyTorch 2.6), zip archive and the older sequence of pickles.
using System.Numerics;
using static TorchSharp.torch;

namespace Maisi.Bridge.Checkpoints;

/// <summary>Reads the object that <c>torch.save</c> wrote, with tensors left in the file.</summary>
internal static class TorchFileReader
{
    private const long LegacyProtocol = 1001;
    private static readonly BigInteger LegacyMagic = BigInteger.Parse("119547037146038801333356");

    /// <summary>Whether the file begins like a zip archive.</summary>
    public static bool IsZip(FileRegion file)
    {
        Span<byte> start = stackalloc byte[4];
        if (file.Length < start.Length)
            return false;
        file.Read(0, start);
        return start.SequenceEqual("PK\x03\x04"u8) || start.SequenceEqual("PK\x05\x06"u8);
    }

    /// <summary>The object in a zip archive.</summary>
    /// <exception cref="CheckpointException">Damaged, or something that is refused.</exception>
    public static object? ReadZip(FileRegion file)
    {
        var zip = new ZipDirectory(file);
        var pickle = zip.Names.FirstOrDefault(n => n.EndsWith("/data.pkl", StringComparison.Ordinal) || n == "data.pkl")
            ?? throw new CheckpointException("the archive has no data.pkl", file.Path, "it is a zip file, but not a PyTorch checkpoint");
        var prefix = pickle[..^"data.pkl".Length];
        if (zip.Contains(prefix + "constants.pkl"))
            throw new CheckpointException("this is a TorchScript archive, which holds code", file.Path, "save the module's state_dict() instead");
        if (zip.Contains(prefix + "byteorder") && !zip.Open(prefix + "byteorder").ReadAll().AsSpan().SequenceEqual("little"u8))
            throw new CheckpointException("the checkpoint is not little-endian", file.Path, "load and save it again on the machine that wrote it with byte order 'little'");
        return new PickleReader(zip.Open(pickle), 0, id => Storage(id, file.Path, (key, _) => zip.Open($"{prefix}data/{key}"))).Read();
    }

    /// <summary>The object in a file from before PyTorch 1.6.</summary>
    /// <exception cref="CheckpointException">Damaged, or something that is refused.</exception>
    public static object? ReadLegacy(FileRegion file)
    {
        var magic = ReadPickle(file, 0);
        if (magic.Value is not BigInteger number || number != LegacyMagic)
            throw new CheckpointException("the file is neither safetensors nor a PyTorch checkpoint", file.Path, "give a .safetensors, .pt, .pth or .ckpt file");
        var protocol = ReadPickle(file, magic.End);
        if (protocol.Value is not LegacyProtocol)
            throw new CheckpointException($"the checkpoint has format version {protocol.Value}, but only {LegacyProtocol} is known", file.Path);
        var system = ReadPickle(file, protocol.End);
        if (system.Value is PythonDict info && info["little_endian"] is false)
            throw new CheckpointException("the checkpoint is not little-endian", file.Path, "load and save it again with a newer PyTorch");
        // The storages lie after the pickle in an order that follows it, so the pickle is read twice: to learn the sizes, then with places.
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        var first = new PickleReader(file, system.End, id => Storage(id, file.Path, (key, bytes) =>
        {
            sizes[key] = bytes;
            return file with { Length = bytes };
        }));
        first.Read();
        var places = Places(file, first.Position, sizes);
        return new PickleReader(file, system.End, id => Storage(id, file.Path, (key, _) =>
            places.TryGetValue(key, out var place) ? place : throw new CheckpointException($"storage '{key}' is not in the file", file.Path))).Read();
    }

    private static Dictionary<string, FileRegion> Places(FileRegion file, long position, Dictionary<string, long> sizes)
    {
        var keys = ReadPickle(file, position);
        var places = new Dictionary<string, FileRegion>(StringComparer.Ordinal);
        var at = keys.End;
        foreach (var key in keys.Value as List<object?> ?? throw new CheckpointException("the list of storages is damaged", file.Path))
        {
            if (key is not string name || !sizes.TryGetValue(name, out var bytes))
                throw new CheckpointException($"the list of storages names '{key}', which no tensor uses", file.Path);
            at += sizeof(long); // the element count, which the pickle holds too
            places[name] = file.Slice(at, bytes);
            at += bytes;
        }
        return places;
    }

    private static (object? Value, long End) ReadPickle(FileRegion file, long position)
    {
        var reader = new PickleReader(file, position, _ => throw new CheckpointException("the file is neither safetensors nor a PyTorch checkpoint", file.Path));
        var value = reader.Read();
        return (value, reader.Position);
    }

    /// <summary>The storage of a persistent id: ('storage', type, key, location, count[, view]). The location, such as cuda:0, is where it was, not where it goes.</summary>
    private static PickleStorage Storage(object? id, string path, Func<string, long, FileRegion> locate)
    {
        if (id is not PythonTuple { Items: ["storage", PickleStorageType storage, string key, string, long count, ..] } tuple || count < 0)
            throw new CheckpointException("the pickle has a storage that is not described as expected", path, "the file is damaged, or was not written by torch.save");
        if (tuple.Items.Count > 5 && tuple.Items[5] is not null)
            throw new CheckpointException("the checkpoint holds a view of a storage in a form that PyTorch dropped in 2017", path, "load and save it again with a newer PyTorch");
        var type = storage.Name == "UntypedStorage" ? ScalarType.Byte : ElementTypes.FromStorage(storage.Name)
            ?? throw new CheckpointException($"the checkpoint holds a torch.{storage.Name}, which is not supported", path);
        if (count > long.MaxValue / 16)
            throw new CheckpointException($"the pickle has a storage of {count} elements", path, "the file is damaged: get it again");
        var bytes = count * ElementTypes.Size(type);
        var region = locate(key, bytes);
        return bytes <= region.Length
            ? new PickleStorage(type, region)
            : throw new CheckpointException($"storage '{key}' should have {bytes} bytes, but has {region.Length}", path, "the file is damaged: get it again");
    }
}
