using System.CommandLine;
using Maisi.Bridge.Generation;
using Maisi.Bridge.Training;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi quickstart</c>: a first synthetic CT without any data, of a label map that the bundle makes, or else the program draws.</summary>
internal static class QuickstartCommand
{
    private const string Shipped = "maisi_headneck_small";
    private const int TrainingHeads = 16;
    private const ulong NewHead = 1000;

    public static Command Create()
    {
        var output = new Option<string>("--output", "-o") { Description = "Folder for everything that is made.", DefaultValueFactory = _ => "maisi-quickstart" };
        var seed = new Option<ulong>("--seed", "-s") { Description = "Seed of the generated image." };
        var quiet = CommonOptions.Quiet();
        var command = new Command("quickstart", "Makes a first synthetic CT, without any data.") { output, seed, quiet };
        command.SetAction((parse, cancellation) =>
        {
            var folder = Path.GetFullPath(parse.GetRequiredValue(output));
            var progress = ConsoleProgress.Create(parse.GetValue(quiet));
            Directory.CreateDirectory(folder);
            var bundle = ShippedBundle.Find(Shipped) ?? Trained(Path.Combine(folder, "bundle"), progress, cancellation);
            var settings = BundleSettings.Read(bundle);
            var makesMasks = settings.MaskGenerationDiffusionDef is not null;
            var options = new GenerationOptions
            {
                Kind = makesMasks ? PipelineKind.Paired : PipelineKind.FromMask,
                SynthesizeMask = makesMasks,
                Seed = parse.GetValue(seed),
            };
            var run = new SynthesisRun(bundle, options, folder) { Masks = makesMasks ? [] : [Drawn(Path.Combine(folder, "head_label.nii.gz"), settings)] };
            var manifest = run.Execute(progress, cancellation);
            Console.Error.WriteLine($"A synthetic image of a {(makesMasks ? "synthetic" : "drawn")} label map by the bundle {Path.GetFileName(bundle)}. Not for diagnosis. The pictures:");
            foreach (var file in manifest.Samples[0].Files)
                Console.Out.WriteLine(Path.Combine(folder, file.Path));
            return Task.FromResult(CommandRunner.Ok);
        });
        return command;
    }

    /// <summary>A tiny bundle that is trained here, for a copy of the program without the shipped one.</summary>
    private static string Trained(string bundle, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (File.Exists(Path.Combine(bundle, "configs", "inference.json")))
        {
            Console.Error.WriteLine($"Using the bundle that an earlier quickstart trained: {bundle}");
            return bundle;
        }
        Console.Error.WriteLine($"No bundle with weights is at hand, so a tiny one is trained now, on {TrainingHeads} heads that the program draws (some minutes).");
        var config = TrainingConfig.Parse(EmbeddedConfig(), "train_phantom.json");
        var cases = Enumerable.Range(1, TrainingHeads).Select(i => Draw((ulong)i, config.Data)).ToList();
        new TrainingRun(config, bundle, resume: true).Execute(cases, [], progress, cancellation);
        return bundle;
    }

    private static TrainingCase Draw(ulong number, DataOptions data)
    {
        var (labels, hounsfield) = new HeadPhantom(number).Render(data.Size, data.Spacing);
        var (low, high) = (data.Intensity[0], data.Intensity[1]);
        return new TrainingCase($"head {number}", [.. hounsfield.Select(h => (float)Math.Clamp((h - low) / (high - low), 0, 1))], labels);
    }

    private static string Drawn(string path, BundleSettings settings)
    {
        var (size, spacing) = (settings.OutputSize, settings.Spacing);
        var (labels, _) = new HeadPhantom(NewHead).Render(size, spacing);
        var affine = Affine.Diagonal(spacing[0], spacing[1], spacing[2]);
        VolumeFile.Write(Volume.FromArray<byte>(labels, new VolumeGrid(size[0], size[1], size[2], affine)), path);
        return path;
    }

    private static string EmbeddedConfig()
    {
        using var stream = typeof(QuickstartCommand).Assembly.GetManifestResourceStream("train_phantom.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
