using System.CommandLine;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi quickstart</c>: a first synthetic CT without any data: draws heads, trains a tiny bundle on them, generates.</summary>
internal static class QuickstartCommand
{
    private const int TrainingHeads = 16;
    private const ulong NewHead = 1000;

    public static Command Create()
    {
        var output = new Option<string>("--output", "-o") { Description = "Folder for everything that is made.", DefaultValueFactory = _ => "maisi-quickstart" };
        var seed = new Option<ulong>("--seed", "-s") { Description = "Seed of the generated image." };
        var quiet = CommonOptions.Quiet();
        var command = new Command("quickstart", "Makes a first synthetic CT, without data, in a few minutes.") { output, seed, quiet };
        command.SetAction((parse, cancellation) =>
        {
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            var progress = ConsoleProgress.Create(parse.GetValue(quiet));
            var config = TrainingConfig.Parse(EmbeddedConfig(), "train_phantom.json");
            var bundle = Path.Combine(folder, "bundle");
            Directory.CreateDirectory(folder);
            if (File.Exists(Path.Combine(bundle, "configs", "inference.json")))
            {
                Console.Error.WriteLine($"Using the bundle that an earlier quickstart trained: {bundle}");
            }
            else
            {
                Console.Error.WriteLine($"No bundle with weights is at hand, so a tiny one is trained now, on {TrainingHeads} heads that the program draws (about two minutes).");
                var cases = Enumerable.Range(1, TrainingHeads).Select(i => Draw((ulong)i, config.Data)).ToList();
                new TrainingRun(config, bundle, resume: true).Execute(cases, [], progress, cancellation);
            }
            var mask = Path.Combine(folder, "head_label.nii.gz");
            WriteMask(mask, config.Data);
            var run = new MaskToImageRun(bundle, [mask], folder) { Seed = parse.GetValue(seed) };
            var manifest = run.Execute(progress, cancellation);
            Console.Error.WriteLine("Made from a drawn label map by a model of drawn heads: it shows that everything works, not what MAISI can do.");
            foreach (var file in manifest.Samples[0].Files)
                Console.Out.WriteLine(Path.Combine(folder, file.Path));
            return Task.FromResult(CommandRunner.Ok);
        });
        return command;
    }

    private static TrainingCase Draw(ulong number, DataOptions data)
    {
        var (labels, hounsfield) = new HeadPhantom(number).Render(data.Size, data.Spacing);
        var (low, high) = (data.Intensity[0], data.Intensity[1]);
        return new TrainingCase($"head {number}", [.. hounsfield.Select(h => (float)Math.Clamp((h - low) / (high - low), 0, 1))], labels);
    }

    private static void WriteMask(string path, DataOptions data)
    {
        var (labels, _) = new HeadPhantom(NewHead).Render(data.Size, data.Spacing);
        var affine = Affine.Diagonal(data.Spacing[0], data.Spacing[1], data.Spacing[2]);
        VolumeFile.Write(Volume.FromArray<byte>(labels, new VolumeGrid(data.Size[0], data.Size[1], data.Size[2], affine)), path);
    }

    private static string EmbeddedConfig()
    {
        using var stream = typeof(QuickstartCommand).Assembly.GetManifestResourceStream("train_phantom.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
