using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi mask</c>: make masks fit for MAISI, vary them, and list them in a database.</summary>
internal static class MaskCommand
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create() => new("mask", "Prepare, check, vary and list label masks.")
    {
        Prepare(),
        Check(),
        Augment(),
        Clean(),
        RemoveTumours(),
        Measure(),
        Index(),
    };

    private static Argument<FileInfo> Input() => new("mask") { Description = "Label image." };

    private static Option<string> Output() => new("--output", "-o") { Description = "File to write.", Required = true };

    private static Command Prepare()
    {
        var (mask, output) = (Input(), Output());
        var vocabulary = new Option<string>("--vocabulary") { Description = $"What the labels mean: {string.Join(", ", LabelVocabulary.BuiltIn)}, or a JSON file.", DefaultValueFactory = _ => "maisi" };
        var ct = new Option<FileInfo?>("--ct") { Description = "CT of the mask, from which the body (200) is found." };
        var keepGrid = new Option<bool>("--keep-grid") { Description = "Do not resample to a size and spacing that MAISI takes." };
        var json = new Option<bool>("--json") { Description = "Print the report as JSON." };
        var command = new Command("prepare", "Remap labels, add the body, turn to RAS and resample to a valid size; report what was changed.") { mask, output, vocabulary, ct, keepGrid, json };
        command.SetAction(result =>
        {
            var labels = VolumeFile.Read(result.GetRequiredValue(mask).FullName);
            var image = result.GetValue(ct) is { } file ? VolumeFile.Read(file.FullName) : null;
            var prepared = MaskPreparation.Prepare(labels, new() { Vocabulary = LabelVocabulary.Load(result.GetValue(vocabulary)!), Ct = image, FixGrid = !result.GetValue(keepGrid) });
            VolumeFile.Write(prepared.Mask, result.GetRequiredValue(output));
            Report(result.GetValue(json), result.GetRequiredValue(output), prepared.Changes, prepared.Warnings);
        });
        return command;
    }

    private static Command Check()
    {
        var (mask, json) = (Input(), new Option<bool>("--json") { Description = "Print JSON." });
        var command = new Command("check", "Say what keeps a mask from being used as it is; exit code 2 when something does.") { mask, json };
        command.SetAction(result =>
        {
            var problems = MaskPreparation.Check(VolumeFile.Read(result.GetRequiredValue(mask).FullName));
            if (result.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(new { problems }, _json));
            else
                Console.WriteLine(problems.Count == 0 ? "ready for MAISI" : string.Join(Environment.NewLine, problems));
            return problems.Count == 0 ? CommandRunner.Ok : CommandRunner.WrongInput;
        });
        return command;
    }

    private static Command Augment()
    {
        var (mask, output) = (Input(), Output());
        var seed = new Option<ulong>("--seed") { Description = "Seed of the variation.", DefaultValueFactory = _ => 0 };
        var parity = new Option<bool>("--parity") { Description = "Keep the quirks of the original at the border of the picture." };
        var command = new Command("augment", "Move and deform the tumour of a mask inside its organ, or zoom a mask without tumour by up to one percent.") { mask, output, seed, parity };
        command.SetAction(result => Save(VolumeFile.Read(result.GetRequiredValue(mask).FullName).Augment(result.GetValue(seed), result.GetValue(parity)), result.GetRequiredValue(output)));
        return command;
    }

    private static Command Clean()
    {
        var (mask, output) = (Input(), Output());
        var tumour = new Option<int?>("--tumour") { Description = "The tumour that was asked for: 23, 24, 26, 27 or 128." };
        tumour.AcceptOnlyFromAmong("23", "24", "26", "27", "128");
        var command = new Command("clean", "Clean a mask that the mask model made: one body, one piece per organ, holes filled.") { mask, output, tumour };
        command.SetAction(result => Save(VolumeFile.Read(result.GetRequiredValue(mask).FullName).PostProcess(result.GetValue(tumour)), result.GetRequiredValue(output)));
        return command;
    }

    private static Command RemoveTumours()
    {
        var (mask, output) = (Input(), Output());
        var command = new Command("remove-tumours", "Replace tumours and cysts by the organ that they grow in; a bone lesion (128) stays.") { mask, output };
        command.SetAction(result => Save(VolumeFile.Read(result.GetRequiredValue(mask).FullName).RemoveTumours(), result.GetRequiredValue(output)));
        return command;
    }

    private static Command Measure()
    {
        var (mask, json) = (Input(), new Option<bool>("--json") { Description = "Print JSON." });
        var among = new Option<DirectoryInfo?>("--among") { Description = "Folder of masks: also print the place of each size among theirs, 0 smallest to 1 largest." };
        var command = new Command("measure", "Print the sizes of the ten structures that steer the mask model; -1 for one that is absent.") { mask, among, json };
        command.SetAction(result =>
        {
            var others = result.GetValue(among) is { } folder ? Masks(folder).Select(f => AnatomyMeasurement.Millilitres(VolumeFile.Read(f.FullName))).ToArray() : null;
            var rows = AnatomyMeasurement.Measure(VolumeFile.Read(result.GetRequiredValue(mask).FullName), others);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(rows, _json));
                return;
            }
            Console.WriteLine($"{"structure",-24}{"label",6}{"ml",10}{"rank",8}");
            foreach (var r in rows)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.Name,-24}{r.Label,6}{r.Millilitres,10:0.0}{r.Rank,8:0.00}{(r.TouchesBorder ? "  cut by the border" : "")}"));
        });
        return command;
    }

    private static FileInfo[] Masks(DirectoryInfo folder) => folder.Exists
        ? [.. folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(f => VolumeFile.IsVolume(f.FullName) && f.Extension != ".img").OrderBy(f => f.FullName, StringComparer.Ordinal)]
        : throw new MaisiException("there is no such folder", folder.FullName);

    private static Command Index()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = "Folder of masks in MAISI labels." };
        var output = new Option<string?>("--output", "-o") { Description = "JSON file to write; FOLDER.json otherwise." };
        var command = new Command("index", "Build the database of masks from which images are generated.") { folder, output };
        command.SetAction(result =>
        {
            var root = result.GetRequiredValue(folder);
            var files = Masks(root);
            if (files.Length == 0)
                throw new MaisiException("the folder has no masks", root.FullName, $"put files ending in {string.Join(", ", VolumeFile.Extensions)} there");
            var records = new List<MaskRecord>();
            foreach (var file in files)
            {
                Console.Error.WriteLine($"{records.Count + 1}/{files.Length} {file.Name}");
                records.Add(MaskDatabase.Describe(VolumeFile.Read(file.FullName), Path.GetRelativePath(root.FullName, file.FullName)));
            }
            var path = result.GetValue(output) ?? root.FullName.TrimEnd('/') + ".json";
            new MaskDatabase(records).Save(path);
            Console.WriteLine(path);
        });
        return command;
    }

    private static void Report(bool json, string path, IReadOnlyList<string> changes, IReadOnlyList<string> warnings)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { file = path, changes, warnings }, _json));
            return;
        }
        Console.WriteLine(path);
        foreach (var change in changes)
            Console.Error.WriteLine($"changed: {change}");
        foreach (var warning in warnings)
            Console.Error.WriteLine($"warning: {warning}");
    }

    private static void Save(Volume volume, string path)
    {
        VolumeFile.Write(volume, path);
        Console.WriteLine(path);
    }
}
