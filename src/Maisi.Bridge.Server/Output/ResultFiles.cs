using System.Text;
using System.Text.Json;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Server;

/// <summary>The files of a run as clients get them: in the formats that were asked for, and with a manifest that names nothing of the server.</summary>
internal sealed class ResultFiles(LoadedBundle bundle, DataFolder folder, Lazy<DicomFiles> dicom)
{
    private const string Native = ".nii.gz", ManifestRole = "manifest";

    /// <summary>Converts what is to be converted and lists everything.</summary>
    /// <exception cref="MaisiException">A conversion failed.</exception>
    public IReadOnlyList<JobFile> Collect(JobRecord record, RunManifest manifest, CancellationToken token)
    {
        var run = folder.Run(record.Id);
        var files = new List<JobFile>();
        foreach (var file in manifest.Samples.SelectMany(s => s.Files))
        {
            var role = Role(file.Path);
            files.Add(new JobFile(file.Path, new FileInfo(Path.Combine(run, file.Path)).Length, file.Sha256, role));
            var extension = role == "image" ? record.ImageExtension : role == "label" ? record.LabelExtension : Native;
            if (extension != Native)
                files.AddRange(Convert(run, file.Path, extension, role, record.Options, token).Select(name => Hashed(run, name, role)));
        }
        if (File.Exists(Path.Combine(run, "contact_sheet.png")))
            files.Add(Hashed(run, "contact_sheet.png", "contact-sheet"));
        AtomicFile.Write(Path.Combine(run, SynthesisRun.ManifestName), stream => stream.Write(Encoding.UTF8.GetBytes(Public(manifest).ToJson())));
        files.Add(Hashed(run, SynthesisRun.ManifestName, ManifestRole) with { Sha256 = null });
        return files;
    }

    /// <summary>The files of the archive: images and labels in the formats that were asked for, and the manifest.</summary>
    public static IReadOnlyList<JobFile> Asked(JobRecord record) =>
        [.. record.Files.Where(f => f.Role switch { "image" => Has(f, record.ImageExtension), "label" => Has(f, record.LabelExtension), _ => f.Role == ManifestRole })];

    private static bool Has(JobFile file, string extension) => file.Name.EndsWith(extension, StringComparison.Ordinal);

    private List<string> Convert(string run, string name, string extension, string role, GenerationOptions options, CancellationToken token)
    {
        var stem = VolumeFile.Stem(name);
        var volume = VolumeFile.Read(Path.Combine(run, name));
        if (extension != ".dcm")
        {
            VolumeFile.Write(volume, Path.Combine(run, stem + extension));
            return [stem + extension];
        }
        var about = new DicomDescription { IsSynthetic = true, Series = stem, PatientId = stem };
        if (role == "label")
        {
            dicom.Value.WriteSegmentationAsync(volume, Vocabulary(run, options), Path.Combine(run, stem + extension), about, token: token).GetAwaiter().GetResult();
            return [stem + extension];
        }
        var series = Path.Combine(run, stem);
        if (Directory.Exists(series))
            Directory.Delete(series, recursive: true);
        dicom.Value.WriteSeriesAsync(volume, series, about, token: token).GetAwaiter().GetResult();
        return [.. Directory.EnumerateFiles(series).Select(f => $"{stem}/{Path.GetFileName(f)}").Order(StringComparer.Ordinal)];
    }

    // Synthesised maps of a bundle that names no labels have MAISI's; a bundle's own are written out, which a segmentation must name.
    private LabelVocabulary Vocabulary(string run, GenerationOptions options)
    {
        if (bundle.Settings.HasMaisiLabels || (options.UsesMaskModel && bundle.Settings.LabelDict.Count == 0))
            return LabelVocabulary.Load("maisi");
        var path = Path.Combine(run, ".vocabulary.json");
        AtomicFile.Write(path, stream =>
        {
            using var json = new Utf8JsonWriter(stream);
            json.WriteStartObject();
            json.WriteString("name", bundle.Name);
            json.WriteStartArray("labels");
            foreach (var (name, id) in bundle.Settings.LabelDict)
            {
                json.WriteStartObject();
                json.WriteNumber("id", id);
                json.WriteString("name", name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
        return LabelVocabulary.Load(path);
    }

    private RunManifest Public(RunManifest manifest)
    {
        static HashedFile Named(HashedFile file) => file with { Path = Path.GetFileName(file.Path) };
        return manifest with
        {
            BundlePath = null,
            Inputs = [.. manifest.Inputs.Select(Named)],
            Options = manifest.Options with { MaskDatabase = null, MaskFolder = null, Statistics = null },
            Samples = [.. manifest.Samples.Select(s => s.Mask is null ? s : s with { Mask = Named(s.Mask) })],
        };
    }

    private static JobFile Hashed(string run, string name, string role)
    {
        var path = Path.Combine(run, name);
        return new JobFile(name, new FileInfo(path).Length, HashedFile.Of(path).Sha256, role);
    }

    private static string Role(string name) =>
        name.EndsWith("_image.nii.gz", StringComparison.Ordinal) ? "image" : name.EndsWith("_label.nii.gz", StringComparison.Ordinal) ? "label"
        : name.EndsWith("_overlay.png", StringComparison.Ordinal) ? "overlay" : "preview";
}
