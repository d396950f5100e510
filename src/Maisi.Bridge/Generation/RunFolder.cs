using System.Text.Json;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Generation;

/// <summary>
/// The output folder of a run. A sample is complete when its record, the last of its files to appear, lies there and its files have the
/// recorded hashes; a record also says from what the sample was made, so that a resumed run keeps only what it would make itself.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private readonly string _path;
    private readonly string _partial;
    private readonly bool _made;
    private readonly FileStream _lock;

    /// <summary>Takes the folder for a share of a run; what a killed run of the same share left half-made is removed.</summary>
    /// <exception cref="MaisiException">Another process is writing the same share, or the folder cannot be written.</exception>
    public RunFolder(string path, Shard shard)
    {
        _path = Path.GetFullPath(path);
        _partial = Path.Combine(_path, shard.NameOf(".partial"));
        var file = Path.Combine(_partial, "lock");
        _made = !Directory.Exists(_path);
        try
        {
            if (File.Exists(file))
                new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            if (Directory.Exists(_partial))
                Directory.Delete(_partial, recursive: true);
            Directory.CreateDirectory(_partial);
            _lock = new FileStream(file, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MaisiException($"The output folder cannot be used: {e.Message}", _path, "Choose another --output, or wait for the run that is writing here.", e);
        }
    }

    /// <summary>A staging folder for one sample.</summary>
    public StagingFolder Stage(string stem) => new(_path, Path.Combine(_partial, stem));

    /// <summary>The record of a complete sample that was made from the same things; null when there is none.</summary>
    public SampleRecord? Complete(string stem, string origin)
    {
        var file = Path.Combine(_path, RecordName(stem));
        if (!File.Exists(file))
            return null;
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(file), ManifestJson.Default.SampleRecord);
            return record is not null && record.Origin == origin && record.Files.All(Unchanged) ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Moves a sample to its place, its record last. An old record goes first: it would vouch for the new files.</summary>
    public void Publish(StagingFolder staging, string stem, SampleRecord record)
    {
        File.Delete(Path.Combine(_path, RecordName(stem)));
        staging.Publish();
        Write(RecordName(stem), JsonSerializer.Serialize(record, ManifestJson.Default.SampleRecord));
    }

    /// <summary>Writes a file of the run at once.</summary>
    public void Write(string name, string text) => Place(name, file => File.WriteAllText(file, text));

    // What a killed run leaves half-written lies where the next one removes it.
    private void Place(string name, Action<string> write)
    {
        var file = Path.Combine(_partial, name);
        write(file);
        File.Move(file, Path.Combine(_path, name), overwrite: true);
    }

    /// <summary>One picture of the previews of all samples, those that an earlier run left included.</summary>
    public void WriteContactSheet(string name, IEnumerable<SampleRecord> samples)
    {
        var pictures = samples.Select(s => (Caption: $"{s.Index}  seed {s.Seed}", File: s.File(SampleWriter.OverlayEnd) ?? s.File(SampleWriter.PreviewEnd)!))
            .Select(p => (p.Caption, PngReader.Read(Path.Combine(_path, p.File.Path)))).ToList();
        if (pictures.Count > 0)
            Place(name, file => PngFile.Write(ContactSheet.Draw(pictures), file));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lock.Dispose();
        Directory.Delete(_partial, recursive: true);
        if (_made && !Directory.EnumerateFileSystemEntries(_path).Any())
            Directory.Delete(_path);
    }

    private static string RecordName(string stem) => stem + ".json";

    private bool Unchanged(HashedFile file)
    {
        var full = Path.Combine(_path, file.Path);
        return File.Exists(full) && HashedFile.Of(full).Sha256 == file.Sha256;
    }
}
