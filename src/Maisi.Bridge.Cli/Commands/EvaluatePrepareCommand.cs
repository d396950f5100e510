using System.CommandLine;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Training;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi evaluate prepare</c>: real cases on a bundle's grid, and what its autoencoder makes of them.</summary>
internal static class EvaluatePrepareCommand
{
    public static Command Create()
    {
        var bundle = new Argument<string>("bundle") { Description = "The bundle folder." };
        var datalist = new Option<string>("--datalist", "-d") { Description = "JSON with lists \"training\" and \"validation\" of {\"image\", \"label\"}.", Required = true };
        var root = new Option<string?>("--data-root") { Description = "Folder of the datalist's paths; the datalist's own folder when left out." };
        var part = new Option<string>("--part") { Description = "Which list: training or validation.", DefaultValueFactory = _ => "validation" };
        part.AcceptOnlyFromAmong("training", "validation");
        var reconstruct = new Option<bool>("--reconstruct") { Description = "Also writes what the bundle's autoencoder makes of them." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for images/, labels/, reconstructed/ and datalist.json.", Required = true };
        var quiet = CommonOptions.Quiet();
        var command = new Command("prepare", "Brings real cases to a bundle's grid, so that generated images can be compared with them.") { bundle, datalist, root, part, reconstruct, output, quiet };
        command.SetAction((parse, cancellation) =>
        {
            var folder = parse.GetRequiredValue(bundle);
            var settings = BundleSettings.Read(folder);
            var list = Datalist.Read(parse.GetRequiredValue(datalist), parse.GetValue(root));
            var entries = parse.GetRequiredValue(part) == "training" ? list.Training : list.Validation;
            if (entries.Count == 0)
                throw new MaisiException($"The datalist has no list \"{parse.GetRequiredValue(part)}\".", parse.GetRequiredValue(datalist), "Choose the other one with --part.");
            using var model = parse.GetValue(reconstruct) ? ModelBundle.Load(folder, settings) : null;
            var names = new CaseExport(settings).Write(entries, parse.GetRequiredValue(output), model?.Autoencoder, ConsoleProgress.Create(parse.GetValue(quiet)), cancellation);
            Console.Error.WriteLine($"{names.Count} cases on {string.Join("×", settings.OutputSize)} voxels of {string.Join("×", settings.Spacing)} mm.");
            Console.Out.WriteLine(Path.Combine(parse.GetRequiredValue(output), "datalist.json"));
            return Task.FromResult(CommandRunner.Ok);
        });
        return command;
    }
}
