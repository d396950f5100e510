using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi volume</c>: look at and convert medical images.</summary>
internal static class VolumeCommand
{
    private static readonly JsonSerializerOptions _json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static Command Create() => new("volume", "Look at and convert medical images (NIfTI, NRRD, MetaImage, NumPy, DICOM).")
    {
        Info(),
        VolumeConvertCommand.Create(),
        Resample(),
        Preview(),
        Stats(),
    };

    private static Argument<FileInfo> Input() => new("file") { Description = "Image file, or folder of a DICOM series." };

    private static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true };

    private static Command Info()
    {
        var (file, json) = (Input(), new Option<bool>("--json") { Description = "Print JSON." });
        var command = new Command("info", "Print size, spacing, orientation and voxel type without reading the voxels.") { file, json };
        command.SetAction(async (result, token) =>
        {
            var info = await DicomAccess.ReadInfoAsync(result.GetRequiredValue(file).FullName, token);
            var codes = AxisCodes.Of(info.Grid.Affine).ToString();
            int[] size = [info.Grid.SizeX, info.Grid.SizeY, info.Grid.SizeZ];
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    info.Format,
                    Size = size,
                    info.Channels,
                    info.Grid.Affine.Spacing,
                    Orientation = codes,
                    Type = info.Type.Name(),
                    StoredType = info.StoredType.Name(),
                    info.Slope,
                    info.Intercept,
                    info.BigEndian,
                    Affine = info.Grid.Affine.ToRows().Chunk(4),
                    info.AffineSource,
                    info.Description,
                }, _json));
                return;
            }
            var spacing = string.Join(" × ", info.Grid.Affine.Spacing.Select(s => s.ToString("0.####", CultureInfo.InvariantCulture)));
            Console.WriteLine($"""
                format       {info.Format}{(info.BigEndian ? ", big-endian" : "")}
                size         {string.Join(" × ", size)}{(info.Channels > 1 ? $", {info.Channels} channels" : "")}
                spacing      {spacing} mm
                orientation  {codes} (from {info.AffineSource})
                type         {info.StoredType.Name()}{(info.IsScaled ? $", scaled by {info.Slope} + {info.Intercept} to {info.Type.Name()}" : "")}
                affine       {info.Grid.Affine}
                """);
        });
        return command;
    }

    private static Command Resample()
    {
        var (file, output) = (Input(), Output("File to write."));
        var spacing = new Option<double[]>("--spacing") { Description = "New spacing in mm: one number or three.", AllowMultipleArgumentsPerToken = true };
        var size = new Option<int[]>("--size") { Description = "Voxels of the result: centre crop or pad when --spacing is given too, else the same extent in as many voxels.", AllowMultipleArgumentsPerToken = true };
        var like = new Option<FileInfo?>("--like") { Description = "Take size and place from this image." };
        var labels = new Option<bool>("--labels") { Description = "Nearest voxel instead of linear interpolation." };
        var padding = new Option<double>("--padding") { Description = "Value outside the image." };
        var command = new Command("resample", "Sample an image on another grid, in RAS order.") { file, output, spacing, size, like, labels, padding };
        command.SetAction(async (result, token) =>
        {
            var volume = (await DicomAccess.ReadAsync(result.GetRequiredValue(file).FullName, null, token)).Reorient(AxisCodes.RAS);
            var mode = result.GetValue(labels) ? Interpolation.Nearest : Interpolation.Trilinear;
            var (mm, voxels) = (result.GetValue(spacing) ?? [], result.GetValue(size) ?? []);
            if (result.GetValue(like) is { } other)
                volume = volume.Resample((await DicomAccess.ReadInfoAsync(other.FullName, token)).Grid, mode, result.GetValue(padding));
            else if (mm.Length is not (0 or 1 or 3) || voxels.Length is not (0 or 3) || mm.Length + voxels.Length == 0)
                throw new MaisiException("the new grid is not clear", hint: "give --spacing with one or three numbers, --size with three, or --like IMAGE");
            else if (mm.Length == 0)
                volume = volume.Resample(volume.Grid.WithSize(voxels[0], voxels[1], voxels[2]), mode);
            else
                volume = volume.ResampleToSpacing(mm[0], mm[mm.Length / 2], mm[^1], mode);
            if (mm.Length > 0 && voxels.Length == 3)
                volume = volume.CropOrPad(voxels[0], voxels[1], voxels[2], result.GetValue(padding));
            Save(volume, result.GetRequiredValue(output));
        });
        return command;
    }

    private static Command Preview()
    {
        var (file, output) = (Input(), Output("PNG file to write."));
        var mask = new Option<FileInfo?>("--mask") { Description = "Labels drawn over the image; another grid is resampled." };
        var window = new Option<string?>("--window") { Description = $"low,high or one of {string.Join(", ", IntensityWindow.Presets.Keys)}." };
        var vocabulary = new Option<string?>("--vocabulary") { Description = $"Names and colours of the labels: {string.Join(", ", LabelVocabulary.BuiltIn)}, or a JSON file." };
        var at = new Option<double[]>("--at") { Description = "Point in mm (RAS) through which the planes go.", AllowMultipleArgumentsPerToken = true };
        var kind = new Option<PreviewKind>("--kind") { Description = "planes, mosaic (axial slices) or projection (highest values).", DefaultValueFactory = _ => PreviewKind.Planes };
        var command = new Command("preview", "Draw axial, coronal and sagittal planes as a PNG in radiological convention.") { file, output, mask, vocabulary, window, at, kind };
        command.SetAction(async (result, token) =>
        {
            var image = await DicomAccess.ReadAsync(result.GetRequiredValue(file).FullName, null, token);
            var labels = result.GetValue(mask) is { } m ? VolumeFile.Read(m.FullName) : null;
            if (labels is not null && !labels.Grid.Matches(image.Grid, 1e-2))
                labels = labels.Resample(image.Grid, Interpolation.Nearest, outside: 0);
            var center = result.GetValue(at) ?? [];
            if (center.Length is not (0 or 3))
                throw new MaisiException("--at takes three numbers in mm");
            var names = result.GetValue(vocabulary) is { } v ? LabelVocabulary.Load(v) : null;
            var sheet = PreviewSheet.Draw(image, new()
            {
                Kind = result.GetValue(kind),
                Labels = labels,
                Naming = names is null ? label => ($"label {label}", LabelColors.For(label)) : names.Describe,
                Hidden = names?.Name == "maisi" ? new HashSet<int> { LabelVocabulary.Body } : new HashSet<int>(),
                Window = result.GetValue(window) is { } text ? IntensityWindow.Parse(text) : null,
                Center = center.Length == 3 ? (center[0], center[1], center[2]) : null,
                Caption = Path.GetFileName(result.GetRequiredValue(file).Name),
            });
            PngFile.Write(sheet, result.GetRequiredValue(output));
            Console.WriteLine(result.GetRequiredValue(output));
        });
        return command;
    }

    private static Command Stats()
    {
        var (file, json) = (Input(), new Option<bool>("--json") { Description = "Print JSON." });
        var mask = new Option<FileInfo?>("--mask") { Description = "Labels: statistics for each of them too." };
        var vocabulary = new Option<string?>("--vocabulary") { Description = $"Names of the labels: {string.Join(", ", LabelVocabulary.BuiltIn)}, or a JSON file." };
        var command = new Command("stats", "Print statistics of the values (HU), as a whole and per label.") { file, mask, vocabulary, json };
        command.SetAction(async (result, token) =>
        {
            var image = await DicomAccess.ReadAsync(result.GetRequiredValue(file).FullName, null, token);
            var labels = result.GetValue(mask) is { } m ? VolumeFile.Read(m.FullName) : null;
            if (labels is not null && !labels.Grid.Matches(image.Grid, 1e-2))
                labels = labels.Resample(image.Grid, Interpolation.Nearest, outside: 0);
            var names = result.GetValue(vocabulary) is { } v ? LabelVocabulary.Load(v) : null;
            var rows = VolumeStatistics.Compute(image, labels);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(rows, _json));
                return;
            }
            Console.WriteLine($"{"label",-28}{"ml",10}{"mean",10}{"sd",10}{"min",10}{"median",10}{"max",10}");
            foreach (var r in rows)
            {
                var name = r.Label is not { } id ? "all" : names?.Describe(id).Name ?? id.ToString(CultureInfo.InvariantCulture);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-28}{r.Millilitres,10:0.0}{r.Mean,10:0.0}{r.Deviation,10:0.0}{r.Minimum,10:0.#}{r.Median,10:0.#}{r.Maximum,10:0.#}"));
            }
        });
        return command;
    }

    private static void Save(Volume volume, string path)
    {
        VolumeFile.Write(volume, path);
        Console.WriteLine(path);
    }
}
