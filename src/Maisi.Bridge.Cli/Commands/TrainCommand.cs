using System.CommandLine;
using System.Globalization;
using Maisi.Bridge.Training;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi train</c>: autoencoder, diffusion UNet and ControlNet from a datalist, into a bundle.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config", "-c") { Description = "Training config, for instance configs/train_headneck_small.json.", Required = true };
        var datalist = new Option<string>("--datalist", "-d") { Description = "JSON with a list \"training\" of {\"image\", \"label\"}.", Required = true };
        var root = new Option<string?>("--data-root") { Description = "Folder of the datalist's paths; the datalist's own folder when left out." };
        var output = new Option<string>("--output", "-o") { Description = "The bundle folder to make; must not exist.", Required = true };
        var resume = new Option<bool>("--resume") { Description = "Goes on with the unfinished training of this output; the result is that of an uninterrupted run." };
        var json = CommonOptions.Json();
        var quiet = CommonOptions.Quiet();
        var command = new Command("train", "Trains the three networks of a small bundle, or one network by a bundle's train config.") { config, datalist, root, output, resume, json, quiet };
        // Off the main thread, or signals that stop the program would be heard only when the work is done.
        command.SetAction((parse, cancellation) => Task.Run(() =>
        {
            var settings = TrainingConfig.Read(parse.GetRequiredValue(config));
            var list = Datalist.Read(parse.GetRequiredValue(datalist), parse.GetValue(root));
            var run = new TrainingRun(settings, parse.GetRequiredValue(output), parse.GetValue(resume));
            var report = Execute(run, list, ConsoleProgress.Create(parse.GetValue(quiet)), cancellation);
            if (parse.GetValue(json))
            {
                Console.Out.WriteLine(report.ToJson());
                return CommandRunner.Ok;
            }
            foreach (var stage in report.Stages)
            {
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{stage.Name}: {stage.Iterations} steps, {stage.Seconds:F0} s, loss {stage.Losses[0]:F4} -> {stage.Losses[^1]:F4}"));
            }
            Console.Out.WriteLine($"bundle: {parse.GetRequiredValue(output)}");
            return CommandRunner.Ok;
        }, cancellation));
        foreach (var stage in TrainStageCommands.All())
            command.Subcommands.Add(stage);
        return command;
    }

    private static TrainingReport Execute(TrainingRun run, Datalist list, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            return run.Execute(list, progress, cancellation);
        }
        catch (OperationCanceledException) when (Directory.Exists(run.StateFolder))
        {
            Console.Error.WriteLine($"What was trained is kept in {run.StateFolder}; the same command with --resume goes on from there.");
            throw;
        }
    }
}
