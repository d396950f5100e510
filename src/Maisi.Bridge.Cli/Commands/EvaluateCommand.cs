using System.CommandLine;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Runtime;
using Maisi.Bridge.Volumes;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi evaluate</c>: what synthetic data is worth, as tables.</summary>
internal static class EvaluateCommand
{
    public static Command Create() => new("evaluate", "Score segmentations and images, measure FID, consistency with masks, look for memorised cases, and prepare real cases for all that.")
    {
        Segmentation(),
        Image(),
        EvaluateFidCommand.Create(),
        Consistency(),
        EvaluateMemorisationCommand.Create(),
        EvaluatePrepareCommand.Create(),
    };

    private static Command Segmentation()
    {
        var prediction = new Argument<string>("predictions") { Description = "Predicted label maps: a folder, a datalist (its labels) or a file." };
        var truth = new Argument<string>("truth") { Description = "True label maps, paired by name." };
        var scores = new ScoreOptions();
        var shared = new ReportOptions();
        var command = new Command("segmentation", "Dice, IoU, Hausdorff and surface distances, surface Dice, volume error and lesions, per class and case.") { prediction, truth };
        scores.AddTo(command);
        shared.AddTo(command);
        command.SetAction((parse, cancellation) =>
        {
            var (first, second) = (parse.GetRequiredValue(prediction), parse.GetRequiredValue(truth));
            var options = scores.Read(parse);
            var pairs = CaseFiles.Pair(CaseFiles.Find(first, "label"), CaseFiles.Find(second, "label"));
            var cases = SegmentationEvaluator.Run(pairs, scores.Labels(parse), options, shared.Progress(parse), cancellation);
            RequireClasses(cases, first);
            var report = SegmentationReport.Build("segmentation", "Segmentation", cases, options, scores.Naming(parse), [new("predictions", first), new("truth", second)]);
            return Task.FromResult(shared.Show(parse, report));
        });
        return command;
    }

    private static Command Consistency()
    {
        var images = new Argument<string>("images") { Description = "Generated images: a folder, a datalist or a file." };
        var masks = new Argument<string>("masks") { Description = "The label maps that they were given, paired by name." };
        var network = new Option<string>("--network") { Description = "JSON file with network_def, weights and labels of a segmentation network, trained on real cases.", Required = true };
        var device = CommonOptions.Device();
        var scores = new ScoreOptions();
        var shared = new ReportOptions();
        var command = new Command("consistency", "How well generated images show the mask that they were given: a segmentation network is applied to them.") { images, masks, network, device };
        scores.AddTo(command);
        shared.AddTo(command);
        command.SetAction((parse, cancellation) =>
        {
            var (first, second) = (parse.GetRequiredValue(images), parse.GetRequiredValue(masks));
            var options = scores.Read(parse);
            var pairs = CaseFiles.Pair(CaseFiles.Find(first, "image"), CaseFiles.Find(second, "label"));
            using var segmentation = SegmentationNetwork.Load(parse.GetRequiredValue(network), ComputeDevice.Parse(parse.GetValue(device)!));
            var cases = ConsistencyEvaluator.Run(segmentation, pairs, scores.Labels(parse), options, shared.Progress(parse), cancellation);
            var report = SegmentationReport.Build("consistency", $"Consistency of images with their masks, by {segmentation.Name}", cases, options, scores.Naming(parse),
                [new("images", first), new("masks", second), new("network", $"{segmentation.Name}, weights {segmentation.Fingerprint[..16]}")], ConsistencyEvaluator.Notes);
            return Task.FromResult(shared.Show(parse, report));
        });
        return command;
    }

    private static Command Image()
    {
        var images = new Argument<string>("images") { Description = "Images: a folder, a datalist or a file." };
        var against = new Option<string?>("--against") { Description = "Counterparts, paired by name, for PSNR, SSIM, MS-SSIM and MAE." };
        var labels = new Option<string?>("--labels") { Description = "Label maps of the images, paired by name, for numbers per structure." };
        var real = new Option<string?>("--real") { Description = "Real images to compare the values with." };
        var realLabels = new Option<string?>("--real-labels") { Description = "Label maps of the real images." };
        var vocabulary = ScoreOptions.VocabularyOption();
        var range = new Option<double[]>("--range") { Description = "Smallest and largest value that count.", Arity = new(2, 2), AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [-1000, 1000] };
        var window = new Option<int>("--window") { Description = "Window of SSIM in voxels.", DefaultValueFactory = _ => 11 };
        var shared = new ReportOptions();
        var command = new Command("image", "PSNR, SSIM and MAE against counterparts; values per structure against real images.") { images, against, labels, real, realLabels, vocabulary, range, window };
        shared.AddTo(command);
        command.SetAction((parse, cancellation) =>
        {
            var source = parse.GetRequiredValue(images);
            var files = CaseFiles.Find(source, "image");
            var (low, high) = (parse.GetRequiredValue(range)[0], parse.GetRequiredValue(range)[1]);
            var options = new ImageOptions { Low = low, High = high, Similarity = new() { Window = parse.GetValue(window) } };
            IReadOnlyList<string> Labels(Option<string?> option, IReadOnlyList<string> of)
            {
                if (parse.GetValue(option) is not { } folder)
                    return [];
                var maps = CaseFiles.Pair(of, CaseFiles.Find(folder, "label")).ToDictionary(p => p.First, p => p.Second);
                return [.. of.Select(f => maps[f])];
            }
            var maps = Labels(labels, files);
            var progress = shared.Progress(parse);
            var pairs = parse.GetValue(against) is { } reference ? CaseFiles.Pair(files, CaseFiles.Find(reference, "image")) : [];
            var mapOf = files.Zip(maps).ToDictionary(p => p.First, p => p.Second);
            var scored = ImageEvaluator.Pairs(pairs, [.. pairs.Where(_ => maps.Count > 0).Select(p => mapOf[p.First])], options, progress, cancellation);
            var values = ImageEvaluator.Values(files, maps, options, progress, cancellation);
            var realFiles = parse.GetValue(real) is { } realSource ? CaseFiles.Find(realSource, "image") : null;
            var realValues = realFiles is null ? null : ImageEvaluator.Values(realFiles, Labels(realLabels, realFiles), options, progress, cancellation);
            var facts = new[] { ("images", source), ("counterparts", parse.GetValue(against)), ("real images", parse.GetValue(real)) }.Where(f => f.Item2 is not null).Select(f => new KeyValuePair<string, string>(f.Item1, f.Item2!));
            var report = ImageReport.Build(scored, values, realValues, options, ScoreOptions.NamingOf(parse.GetValue(vocabulary)!), facts);
            return Task.FromResult(shared.Show(parse, report));
        });
        return command;
    }

    private static void RequireClasses(IReadOnlyList<CaseScores> cases, string where)
    {
        if (cases[0].Classes.Count == 0)
            throw new MaisiException("no label but 0 occurs in any of the maps", where, "name the classes with --labels, or check that these are label maps");
    }
}
