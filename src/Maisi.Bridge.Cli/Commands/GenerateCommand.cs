using System.CommandLine;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi generate</c>: synthetic CT from a label map.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var bundle = new Option<string>("--bundle", "-b") { Description = "Folder of a bundle with weights.", Required = true };
        var mask = new Option<string[]>("--mask", "-m") { Description = "Label map (.nii, .nii.gz) in the bundle's label codes; may be repeated.", AllowMultipleArgumentsPerToken = true };
        var masks = new Option<string?>("--masks") { Description = "List of label maps: a datalist with \"label\" entries, or a text file with one path per line." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for images, label maps, previews and manifest.json.", Required = true };
        var seed = new Option<ulong>("--seed", "-s") { Description = "Seed of the run; equal seeds give equal bytes." };
        var count = new Option<int>("--count", "-n") { Description = "How many images to make of each label map.", DefaultValueFactory = _ => 1 };
        var steps = new Option<int?>("--steps") { Description = "Denoising steps; the bundle's own number when left out." };
        var guidance = new Option<double?>("--guidance") { Description = "Classifier-free guidance scale; the bundle's own when left out." };
        var modality = new Option<int?>("--modality") { Description = "Modality code; must be one that the bundle was trained on." };
        var grid = new Option<GridChoice>("--grid")
        {
            Description = "auto: the mask's grid where its spacing is the bundle's, else the bundle's grid; mask; bundle.",
            DefaultValueFactory = _ => GridChoice.Auto,
        };
        var decode = new Option<string>("--decode") { Description = "exact: in slabs, without seams; sliding-window: upstream's blended windows.", DefaultValueFactory = _ => "exact" };
        decode.AcceptOnlyFromAmong("exact", "sliding-window");
        var memory = new Option<string?>("--memory") { Description = "What decoding may use, for instance 16GB or 900MB; half of the free memory when left out." };
        var resume = new Option<bool>("--resume") { Description = "Keeps the complete samples that lie in the output and makes the others." };
        var shard = new Option<string?>("--shard") { Description = "The share of the run that is made here, for instance 2/8; the others may run elsewhere." };
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("generate", "Generates CT images from a label map.")
        {
            bundle, mask, masks, output, seed, count, steps, guidance, modality, grid, decode, memory, resume, shard, json, quiet,
        };
        command.SetAction((parse, cancellation) =>
        {
            var run = new MaskToImageRun(parse.GetRequiredValue(bundle), Masks(parse.GetValue(mask), parse.GetValue(masks)), parse.GetRequiredValue(output))
            {
                Seed = parse.GetValue(seed),
                Count = parse.GetValue(count),
                Steps = parse.GetValue(steps),
                GuidanceScale = parse.GetValue(guidance),
                Modality = parse.GetValue(modality),
                Grid = parse.GetValue(grid),
                Decode = parse.GetValue(decode) == "exact" ? DecodeMode.Exact : DecodeMode.SlidingWindow,
                Memory = parse.GetValue(memory) is { } amount ? MemorySize.Parse(amount, "--memory") : null,
                Resume = parse.GetValue(resume),
                Shard = parse.GetValue(shard) is { } share ? Shard.Parse(share) : Shard.Whole,
            };
            var manifest = run.Execute(ConsoleProgress.Create(parse.GetValue(quiet)), cancellation);
            var folder = parse.GetRequiredValue(output);
            if (parse.GetValue(json))
            {
                Console.Out.WriteLine(manifest.ToJson());
            }
            else
            {
                foreach (var sample in manifest.Samples.DistinctBy(s => s.Mask.Path))
                {
                    foreach (var change in sample.MaskChanges)
                        Console.Error.WriteLine($"{Path.GetFileName(sample.Mask.Path)}: {change}");
                }
                foreach (var file in manifest.Samples.SelectMany(s => s.Files))
                    Console.Out.WriteLine(Path.Combine(folder, file.Path));
                Console.Out.WriteLine(Path.Combine(folder, run.Shard.NameOf(MaskToImageRun.ManifestName)));
            }
            return Task.FromResult(CommandRunner.Ok);
        });
        return command;
    }

    private static IReadOnlyList<string> Masks(string[]? single, string? list) => [.. single ?? [], .. list is null ? [] : MaskSource.Read(list)];
}
