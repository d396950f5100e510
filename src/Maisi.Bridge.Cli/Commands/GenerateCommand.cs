using System.CommandLine;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi generate</c>: synthetic images and label maps.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var command = FromMask("generate", "Generates CT images from a label map; subcommands make pairs, label maps or images alone.");
        command.Subcommands.Add(Paired());
        command.Subcommands.Add(FromMask("from-mask", "An image of each label map that is given."));
        command.Subcommands.Add(Mask());
        command.Subcommands.Add(Image());
        command.Subcommands.Add(GenerateStatisticsCommand.Create());
        return command;
    }

    private static Command FromMask(string name, string description)
    {
        var mask = new Option<string[]>("--mask", "-m") { Description = "Label map (.nii, .nii.gz) in the bundle's label codes; may be repeated.", AllowMultipleArgumentsPerToken = true };
        var masks = new Option<string?>("--masks") { Description = "List of label maps: a datalist with \"label\" entries, or a text file with one path per line." };
        var grid = new Option<GridChoice>("--grid")
        {
            Description = "auto: the mask's grid where its spacing is the bundle's, else the bundle's grid; mask; bundle.",
            DefaultValueFactory = _ => GridChoice.Auto,
        };
        var (run, image, check) = (new RunArguments(), new ImageArguments(), new CheckArguments());
        var regions = RegionOption("Body regions that the network is told, for bundles that take them; asked of the label map when left out.");
        var command = run.AddTo(new Command(name, description) { mask, masks, grid, regions });
        image.AddTo(command);
        check.AddTo(command);
        command.SetAction((parse, cancellation) => run.Execute(
            parse,
            check.Apply(parse, image.Apply(parse, run.Options(parse, PipelineKind.FromMask))) with { Grid = parse.GetValue(grid), BodyRegions = parse.GetValue(regions) ?? [] },
            [.. parse.GetValue(mask) ?? [], .. parse.GetValue(masks) is { } list ? MaskSource.Read(list) : []], cancellation));
        return command;
    }

    private static Command Paired()
    {
        var anatomy = new Option<string[]>("--anatomy") { Description = "Structure that the label map must show, for instance \"lung tumor\"; may be repeated.", AllowMultipleArgumentsPerToken = true };
        var regions = RegionOption("Body region that the label map must show; may be repeated.");
        var database = new Option<string?>("--database") { Description = "Database of label maps ('maisi mask index'); the bundle's when left out." };
        var folder = new Option<string?>("--database-folder") { Description = "Folder of the database's label maps." };
        var compact = new Option<bool?>("--compact-labels") { Description = "Saved label maps number the wanted structures from 1 and drop the rest, as upstream's do." };
        var (run, image, check, grid, sizes) = (new RunArguments(), new ImageArguments(), new CheckArguments(), new GridArguments(), new SizeArguments(canSynthesize: true));
        var command = run.AddTo(new Command("paired", "A label map, out of a database or synthesised, and its CT image.") { anatomy, regions, database, folder, compact });
        image.AddTo(command);
        check.AddTo(command);
        grid.AddTo(command);
        sizes.AddTo(command);
        command.SetAction((parse, cancellation) =>
        {
            var options = check.Apply(parse, image.Apply(parse, run.Options(parse, PipelineKind.Paired)));
            return run.Execute(parse, sizes.Apply(parse, grid.Apply(parse, options)) with
            {
                Anatomy = parse.GetValue(anatomy) ?? [],
                BodyRegions = parse.GetValue(regions) ?? [],
                MaskDatabase = parse.GetValue(database),
                MaskFolder = parse.GetValue(folder),
                CompactLabels = parse.GetValue(compact),
            }, [], cancellation);
        });
        return command;
    }

    private static Command Mask()
    {
        var (run, grid, sizes) = (new RunArguments(), new GridArguments(), new SizeArguments(canSynthesize: false));
        var command = run.AddTo(new Command("mask", "A synthesised label map alone."));
        grid.AddTo(command);
        sizes.AddTo(command);
        command.SetAction((parse, cancellation) => run.Execute(parse, sizes.Apply(parse, grid.Apply(parse, run.Options(parse, PipelineKind.Mask))), [], cancellation));
        return command;
    }

    private static Command Image()
    {
        var regions = RegionOption("Body regions that the network is told; for bundles that take them.");
        var (run, image, grid) = (new RunArguments(), new ImageArguments(), new GridArguments());
        var command = run.AddTo(new Command("image", "An image alone: CT, MR or brain MR, by the bundle.") { regions });
        image.AddTo(command);
        grid.AddTo(command);
        command.SetAction((parse, cancellation) => run.Execute(
            parse, grid.Apply(parse, image.Apply(parse, run.Options(parse, PipelineKind.Image))) with { BodyRegions = parse.GetValue(regions) ?? [] }, [], cancellation));
        return command;
    }

    private static Option<string[]> RegionOption(string description) =>
        new("--body-region") { Description = $"{description} One of head, chest, thorax, abdomen, pelvis, lower.", AllowMultipleArgumentsPerToken = true };
}
