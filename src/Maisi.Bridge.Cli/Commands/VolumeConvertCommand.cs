using System.CommandLine;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi volume convert</c>: between formats, and to and from DICOM.</summary>
internal static class VolumeConvertCommand
{
    private const string Series = "dicom", Segmentation = "dicom-seg";

    private static readonly Argument<FileInfo> _file = new("file") { Description = "Image file, or folder of a DICOM series." };
    private static readonly Argument<string?> _result = new("result") { Description = "The same as --output.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> _output = new("--output", "-o") { Description = "File to write, its ending chooses the format; with --format dicom a new folder." };
    private static readonly Option<string?> _format = new("--format") { Description = "dicom: a CT series; dicom-seg: labels as one DICOM segmentation." };
    private static readonly Option<string?> _orientation = new("--orientation") { Description = "Axis codes of the result, for example RAS." };
    private static readonly Option<string?> _type = new("--type") { Description = "Voxel type of the result, for example int16; fractions are cut off and values saturate." };
    private static readonly Option<string?> _series = new("--series") { Description = "Series instance UID, for a folder with several series." };
    private static readonly Option<string?> _vocabulary = new("--vocabulary") { Description = $"What the labels mean, for .seg.nrrd and dicom-seg: {string.Join(", ", LabelVocabulary.BuiltIn)}, or a JSON file (maisi)." };
    private static readonly Option<DirectoryInfo?> _source = new("--source") { Description = "Folder of the CT series whose study a dicom-seg joins; the labels must be on its grid." };
    private static readonly Option<string?> _patientId = new("--patient-id") { Description = "Patient ID of DICOM objects (MAISI)." };
    private static readonly Option<string?> _patientName = new("--patient-name") { Description = "Patient name of DICOM objects, Family^Given (MAISI^BRIDGE)." };
    private static readonly Option<string?> _description = new("--description") { Description = "Series description of DICOM objects." };
    private static readonly Option<bool> _synthetic = new("--synthetic") { Description = "Mark DICOM objects as synthetic data." };

    public static Command Create()
    {
        _format.AcceptOnlyFromAmong(Series, Segmentation);
        var command = new Command("convert", "Change format, orientation or voxel type; no voxel is interpolated.")
        {
            _file, _result, _output, _format, _orientation, _type, _series, _vocabulary, _source, _patientId, _patientName, _description, _synthetic,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult options, CancellationToken token)
    {
        var output = options.GetValue(_output) ?? options.GetValue(_result) ?? throw new MaisiException("there is no output", hint: "give a file name with -o");
        var format = options.GetValue(_format);
        // --series names one in the folder that is read; with --source it names the one of the CT.
        var volume = await DicomAccess.ReadAsync(options.GetRequiredValue(_file).FullName, options.GetValue(_source) is null ? options.GetValue(_series) : null, token);
        if (options.GetValue(_orientation) is { } codes)
            volume = volume.Reorient(AxisCodes.Parse(codes));
        if (options.GetValue(_type) is { } name)
            volume = volume.ConvertTo(VoxelTypes.Parse(name));
        if (format is null)
        {
            VolumeFile.Write(volume, output, vocabulary: options.GetValue(_vocabulary) is { } v ? LabelVocabulary.Load(v) : null);
        }
        else
        {
            await DicomAccess.UseAsync(async dicom =>
            {
                if (format == Series)
                    await dicom.WriteSeriesAsync(volume, output, Describe(options), token: token);
                else
                    await dicom.WriteSegmentationAsync(volume, LabelVocabulary.Load(options.GetValue(_vocabulary) ?? "maisi"), output, Describe(options),
                        options.GetValue(_source)?.FullName, options.GetValue(_series), token: token);
                return true;
            });
        }
        Console.WriteLine(output);
    }

    private static DicomDescription Describe(ParseResult options)
    {
        var otherwise = new DicomDescription();
        return new()
        {
            PatientId = options.GetValue(_patientId) ?? otherwise.PatientId,
            PatientName = options.GetValue(_patientName) ?? otherwise.PatientName,
            Series = options.GetValue(_description) ?? VolumeFile.Stem(options.GetRequiredValue(_file).Name),
            IsSynthetic = options.GetValue(_synthetic),
        };
    }
}
