using System.Globalization;
using System.Numerics;
using Maisi.Bridge.Python;

namespace Maisi.Bridge.Volumes;

/// <summary>
/// DICOM series and segmentations, through pydicom in a Python worker (<c>maisi_bridge.dicom</c>). Voxels cross in shared memory.
/// Standard: DICOM PS3.3 A.3 (CT), A.51 (segmentation), C.7.6.2 (image plane).
/// </summary>
/// <param name="python">Python with <see cref="Modules"/>.</param>
/// <param name="time">Gives the dates of objects that are written.</param>
public sealed class DicomFiles(IPythonRuntime python, TimeProvider time)
{
    private const string ReadModule = "maisi_bridge.dicom.series";

    /// <summary>What the Python must have (<see cref="PythonOptions.Modules"/>).</summary>
    public static IReadOnlyList<string> Modules { get; } = ["pydicom", "numpy"];

    /// <summary>Size, place and texts of the series in a folder, without its pixels.</summary>
    /// <param name="folder">Folder of the files; folders below it are searched too.</param>
    /// <param name="series">Series instance UID; null when the folder has one series.</param>
    /// <param name="token">Ends the work.</param>
    /// <exception cref="DicomException">No series, several, missing, duplicate or uneven slices, damaged files; or no Python with pydicom.</exception>
    public async Task<DicomSeriesInfo> InspectAsync(string folder, string? series = null, CancellationToken token = default)
    {
        return Info(await PlanAsync(folder, series, null, token));
    }

    /// <summary>Reads the series in a folder; slices in order along their normal.</summary>
    /// <inheritdoc cref="InspectAsync"/>
    /// <param name="folder">Folder of the files; folders below it are searched too.</param>
    /// <param name="series">Series instance UID; null when the folder has one series.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="token">Ends the work.</param>
    public async Task<DicomSeries> ReadAsync(string folder, string? series = null, IProgress<PythonProgress>? progress = null, CancellationToken token = default)
    {
        var plan = await PlanAsync(folder, series, progress, token);
        var info = Info(plan);
        var planned = VoxelTypes.Parse((string)plan["dtype"]!);
        var volume = await LoadAsync(planned) ?? await LoadAsync(VoxelType.Int32)
            ?? throw new DicomException("the values are larger than 32 bits hold", folder);
        return new(volume, info);

        async Task<Volume?> LoadAsync(VoxelType type)
        {
            using var voxels = python.CreateArray(type.Name(), [info.Grid.SizeZ, info.Grid.SizeY, info.Grid.SizeX]);
            var fits = await CallAsync($"{ReadModule}:load", PythonArguments.Of(plan["files"], plan["slopes"], plan["intercepts"], voxels), progress, token);
            return fits is not true ? null : type switch
            {
                VoxelType.Int16 => Volume.Wrap<short>(voxels.Span<short>().ToArray(), info.Grid),
                VoxelType.Int32 => Volume.Wrap<int>(voxels.Span<int>().ToArray(), info.Grid),
                _ => Volume.Wrap<float>(voxels.Span<float>().ToArray(), info.Grid),
            };
        }
    }

    /// <summary>Writes HU as a CT series in LPS order: one file per slice in a new or empty folder; all of them or none.</summary>
    /// <param name="volume">One channel; fractions are rounded.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="description">Texts.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="token">Ends the work.</param>
    /// <exception cref="DicomException">Several channels, NaN, values beyond 16 bits, axes that are not perpendicular, a folder with files in it.</exception>
    public async Task WriteSeriesAsync(
        Volume volume, string folder, DicomDescription? description = null, IProgress<PythonProgress>? progress = null, CancellationToken token = default)
    {
        var straight = volume.Channels == 1 ? volume.Reorient(AxisCodes.LPS) : throw new DicomException("an image of several channels is no CT", folder);
        using var voxels = Share(straight, "int16");
        straight.Apply(new RoundToShort(voxels, folder));
        var arguments = PythonArguments.Of(voxels, straight.Affine.ToRows(), Path.GetFullPath(folder), About(description ?? new()));
        await CallAsync("maisi_bridge.dicom.write:write_series", arguments, progress, token);
    }

    /// <summary>Writes labels as one DICOM segmentation (SEG): a binary segment per label that occurs, with its code and its colour.</summary>
    /// <param name="labels">The label map.</param>
    /// <param name="vocabulary">What the labels mean; all that occur must be in it.</param>
    /// <param name="path">File to write.</param>
    /// <param name="description">Texts.</param>
    /// <param name="source">Folder of the CT series on the same grid, whose patient and study the segmentation joins; null for a study of its own.</param>
    /// <param name="series">Series instance UID within <paramref name="source"/>.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="token">Ends the work.</param>
    /// <exception cref="DicomException">No labels, a label that the vocabulary lacks, or another grid than that of the series.</exception>
    public async Task WriteSegmentationAsync(
        Volume labels, LabelVocabulary vocabulary, string path, DicomDescription? description = null, string? source = null, string? series = null,
        IProgress<PythonProgress>? progress = null, CancellationToken token = default)
    {
        var segments = labels.CountLabels().Keys.Where(label => label != 0).Select(label => Segment(vocabulary, label)).ToList();
        var order = source is null ? AxisCodes.LPS : AxisCodes.Of(Info(await PlanAsync(source, series, progress, token)).Grid.Affine);
        var straight = labels.Reorient(order).ConvertTo<short>();
        using var voxels = Share(straight, "int16");
        straight.Voxels<short>().CopyTo(voxels.Span<short>());
        var arguments = PythonArguments.Of(
            voxels, straight.Affine.ToRows(), Path.GetFullPath(path), segments, About(description ?? new()), source is null ? null : Path.GetFullPath(source), series);
        await CallAsync("maisi_bridge.dicom.segmentation:write_segmentation", arguments, progress, token);
    }

    private static Dictionary<string, object?> Segment(LabelVocabulary vocabulary, int label)
    {
        var entry = vocabulary.Find(label)
            ?? throw new DicomException($"label {label} is not in the {vocabulary.Name} vocabulary, so nobody could tell what its segment is", hint: "give the vocabulary of the labels");
        // What has no SNOMED code gets a private one that names vocabulary and label.
        var code = entry.Code ?? new LabelCode($"{vocabulary.Name}-{label}".ToUpperInvariant(), entry.Name);
        return new(StringComparer.Ordinal)
        {
            ["label"] = label,
            ["name"] = entry.Name,
            ["scheme"] = entry.Code is null ? "99MAISIBRIDGE" : "SCT",
            ["code"] = code.Value,
            ["meaning"] = code.Meaning,
            ["side"] = code.Side,
            ["altered"] = code.IsAltered,
            ["region"] = code.Region is { } region ? new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = region.Value, ["meaning"] = region.Meaning } : null,
            ["color"] = new[] { (int)entry.Color.R, entry.Color.G, entry.Color.B },
        };
    }

    private Dictionary<string, object?> About(DicomDescription text)
    {
        var now = time.GetLocalNow();
        return new(StringComparer.Ordinal)
        {
            ["patient_id"] = text.PatientId,
            ["patient_name"] = text.PatientName,
            ["study_description"] = text.Study,
            ["series_description"] = text.Series,
            ["date"] = now.ToString("yyyyMMdd", CultureInfo.InvariantCulture),
            ["time"] = now.ToString("HHmmss", CultureInfo.InvariantCulture),
            ["software"] = ProgramInfo.NameAndVersion,
            ["synthetic"] = text.IsSynthetic,
            ["algorithm"] = text.Algorithm,
            ["algorithm_type"] = text.AlgorithmType,
        };
    }

    private SharedArray Share(Volume volume, string dtype) => python.CreateArray(dtype, [volume.SizeZ, volume.SizeY, volume.SizeX]);

    private async Task<Dictionary<string, object?>> PlanAsync(string folder, string? series, IProgress<PythonProgress>? progress, CancellationToken token) =>
        (Dictionary<string, object?>)(await CallAsync($"{ReadModule}:inspect", PythonArguments.Of(Path.GetFullPath(folder), series), progress, token))!;

    private static DicomSeriesInfo Info(Dictionary<string, object?> plan)
    {
        double[] Numbers(string key) => [.. ((List<object?>)plan[key]!).Select(v => Convert.ToDouble(v, CultureInfo.InvariantCulture))];
        var size = Numbers("size");
        return new(
            (string)plan["uid"]!, (string)plan["modality"]!, (string)plan["description"]!,
            new((int)size[0], (int)size[1], (int)size[2], Affine.FromRows(Numbers("affine"))),
            VoxelTypes.Parse((string)plan["stored"]!), Numbers("slopes")[0], Numbers("intercepts")[0], [.. ((List<object?>)plan["warnings"]!).Cast<string>()]);
    }

    // maisi_bridge.dicom.DicomError carries message, place and advice as lines.
    private async Task<object?> CallAsync(string target, PythonArguments arguments, IProgress<PythonProgress>? progress, CancellationToken token)
    {
        try
        {
            return await python.CallAsync(target, arguments, progress, new() { Pooled = true }, token);
        }
        catch (PythonNotFoundException e)
        {
            throw new DicomException($"DICOM needs Python with pydicom: {e.Message}", e.Where, "apt-get install python3-pydicom, or maisi python setup --extra dicom", e);
        }
        catch (PythonCallException e) when (e.PythonType == "maisi_bridge.dicom.DicomError")
        {
            var (text, hint) = Cut(e.PythonMessage, "\ndo: ");
            var (message, where) = Cut(text, "\nwhere: ");
            throw new DicomException(message, where, hint, e);
        }
    }

    private static (string Text, string? Tail) Cut(string text, string mark) =>
        text.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var at ? (text[..at], text[(at + mark.Length)..]) : (text, null);

    private readonly struct RoundToShort(SharedArray target, string where) : IVoxelFunction<int>
    {
        public int Invoke<T>(Memory<T> voxels) where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var source = voxels.Span;
            var shorts = target.Span<short>();
            for (var i = 0; i < shorts.Length; i++)
            {
                var value = double.CreateTruncating(source[i]);
                if (!(value is > short.MinValue - 0.5 and < short.MaxValue + 0.5))
                    throw new DicomException($"the value {value} is no HU that 16 bits hold", where, "CT values lie between -32768 and 32767; check the scaling of the image");
                shorts[i] = (short)Math.Round(value);
            }
            return shorts.Length;
        }
    }
}
