using System.CommandLine;
using System.Globalization;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Runtime;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi evaluate fid</c>: how far synthetic images are from real ones, as a network sees them.</summary>
internal static class EvaluateFidCommand
{
    private static readonly string[] Networks = ["radimagenet", "squeezenet", "torchscript", "autoencoder", "segmentation"];

    public static Command Create()
    {
        var synthetic = new Argument<string>("synthetic") { Description = "Synthetic images: a folder, a datalist or a file." };
        var real = new Argument<string>("real") { Description = "Real images." };
        var network = new Option<string>("--network") { Description = "radimagenet, squeezenet or torchscript with --weights; autoencoder with --bundle; segmentation with --definition and --weights.", Required = true };
        network.AcceptOnlyFromAmong(Networks);
        var weights = new Option<string?>("--weights") { Description = "Checkpoint of the network: RadImageNet-ResNet50_notop.pth, torchvision's squeezenet1_1, a TorchScript file (a program: only one that you trust), or that of the definition." };
        var definition = new Option<string?>("--definition") { Description = "JSON file with the _target_ definition of a SegResNet or SegResNetDS." };
        var bundle = new Option<string?>("--bundle", "-b") { Description = "MAISI bundle whose autoencoder is the network." };
        var (preparation, shared, device) = (new PreparationOptions(), new ReportOptions(), CommonOptions.Device());
        var centre = new Option<double?>("--centre") { Description = "Only this share of the slices, from the middle." };
        var every = new Option<int>("--every") { Description = "With --centre: every n-th slice.", DefaultValueFactory = _ => 1 };
        var images = new Option<int?>("--num-images") { Description = "At most so many images of each set, in the order of their names." };
        var cache = new Option<string?>("--cache") { Description = "Folder for features, which are found again by the content of an image, the preparation and the network." };
        var resamples = new Option<int>("--resamples") { Description = "Resamples of the volumes for the interval; 0 for none.", DefaultValueFactory = _ => 200 };
        var seed = new Option<int>("--seed") { Description = "Seed of the resamples.", DefaultValueFactory = _ => 0 };
        var command = new Command("fid", "FID 2.5D over the three planes with intervals, KID, precision, recall, density and coverage.")
        {
            synthetic, real, network, weights, definition, bundle, centre, every, images, cache, resamples, seed, device,
        };
        preparation.AddTo(command);
        shared.AddTo(command);
        command.SetAction((parse, cancellation) =>
        {
            var options = new FidOptions
            {
                Preprocessing = preparation.Read(parse) with { Slices = new SliceChoice(parse.GetValue(centre), parse.GetValue(every)) },
                Cache = parse.GetValue(cache),
                Resamples = parse.GetValue(resamples),
                Seed = parse.GetValue(seed),
            };
            string Needed(Option<string?> option) => parse.GetValue(option)
                ?? throw new MaisiException($"--network {parse.GetValue(network)} needs {option.Name}", option.Name, "see maisi evaluate fid --help");
            var (first, second) = (parse.GetRequiredValue(synthetic), parse.GetRequiredValue(real));
            var (ours, theirs) = (CaseFiles.Find(first, "image", parse.GetValue(images)), CaseFiles.Find(second, "image", parse.GetValue(images)));
            var place = ComputeDevice.Parse(parse.GetValue(device)!);
            using var features = parse.GetRequiredValue(network) switch
            {
                "radimagenet" => FeatureNetworks.RadImageNet(Needed(weights), place),
                "squeezenet" => FeatureNetworks.SqueezeNet(Needed(weights), place),
                "torchscript" => FeatureNetworks.TorchScript(Needed(weights), place),
                "autoencoder" => FeatureNetworks.Autoencoder(Needed(bundle), place),
                _ => FeatureNetworks.Segmentation(Needed(definition), Needed(weights), place),
            };
            var result = new FidEvaluator(features, options).Run(theirs, ours, shared.Progress(parse), cancellation);
            return Task.FromResult(shared.Show(parse, FidReport.Build(result, first, second)));
        });
        return command;
    }
}

/// <summary>Options for making images comparable.</summary>
internal sealed class PreparationOptions
{
    private readonly Option<string?> _spacing = new("--spacing") { Description = "Resample to this spacing in mm, such as 1x1x1." };
    private readonly Option<string?> _size = new("--size") { Description = "Pad with air and crop to this size, such as 512x512x512 (upstream's)." };

    public void AddTo(Command command)
    {
        command.Options.Add(_spacing);
        command.Options.Add(_size);
    }

    public FidPreprocessing Read(ParseResult parse) => new()
    {
        Spacing = Triple(parse.GetValue(_spacing), _spacing.Name),
        Size = Triple(parse.GetValue(_size), _size.Name)?.Select(v => (int)v).ToArray(),
    };

    private static double[]? Triple(string? text, string option)
    {
        if (text is null)
            return null;
        var parts = text.Split('x').Select(p => double.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) ? v : double.NaN).ToArray();
        return parts.Length == 3 && parts.All(p => p > 0) ? parts : throw new MaisiException($"'{text}' is not three positive numbers", option, "write it as 512x512x512");
    }
}
