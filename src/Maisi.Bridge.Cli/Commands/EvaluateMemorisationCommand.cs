using System.CommandLine;
using Maisi.Bridge.Evaluation;
using Maisi.Bridge.Runtime;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi evaluate memorisation</c>: are synthetic cases copies of training cases?</summary>
internal static class EvaluateMemorisationCommand
{
    public static Command Create()
    {
        var synthetic = new Argument<string>("synthetic") { Description = "Synthetic images: a folder, a datalist or a file." };
        var training = new Argument<string>("training") { Description = "The images that the generator was trained on." };
        var validation = new Option<string?>("--validation") { Description = "Real images that it never saw, for calibration; otherwise the training images calibrate, each against the others." };
        var bundle = new Option<string?>("--bundle", "-b") { Description = "The generator's bundle, to compare in its latent space too." };
        var threshold = new Option<double>("--threshold") { Description = "Membership score from which a case is a copy.", DefaultValueFactory = _ => 4 };
        var pairs = new Option<int>("--pairs") { Description = "Closest pairs to draw.", DefaultValueFactory = _ => 6 };
        var strict = new Option<bool>("--strict") { Description = "Exit with code 3 when there is a copy." };
        var (preparation, shared, device) = (new PreparationOptions(), new ReportOptions(), CommonOptions.Device());
        var command = new Command("memorisation", "Nearest training case of each synthetic case, calibrated on real cases, with a verdict and pictures.")
        {
            synthetic, training, validation, bundle, threshold, pairs, strict, device,
        };
        preparation.AddTo(command);
        shared.AddTo(command);
        command.SetAction((parse, cancellation) =>
        {
            var (made, known, unseen) = (parse.GetRequiredValue(synthetic), parse.GetRequiredValue(training), parse.GetValue(validation));
            var options = new MemorisationOptions { Preprocessing = preparation.Read(parse), Threshold = parse.GetValue(threshold) };
            using var audit = MemorisationAudit.Create(options, parse.GetValue(bundle), ComputeDevice.Parse(parse.GetValue(device)!));
            var result = audit.Run(CaseFiles.Find(made, "image"), CaseFiles.Find(known, "image"), unseen is null ? [] : CaseFiles.Find(unseen, "image"), shared.Progress(parse), cancellation);
            var facts = new[] { ("synthetic", made), ("training", $"{known}: {result.TrainingCases} cases"), ("validation", unseen), ("latent space", parse.GetValue(bundle)) };
            var report = MemorisationReport.Build(result, facts.Where(f => f.Item2 is not null).Select(f => new KeyValuePair<string, string>(f.Item1, f.Item2!)), parse.GetValue(pairs));
            var code = shared.Show(parse, report);
            return Task.FromResult(parse.GetValue(strict) && result.Copies > 0 ? 3 : code);
        });
        return command;
    }
}
