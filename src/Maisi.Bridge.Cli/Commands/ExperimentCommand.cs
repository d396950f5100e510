using System.CommandLine;
using System.Globalization;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi experiment</c>: does adding synthetic cases improve segmentation?</summary>
internal static class ExperimentCommand
{
    public static Command Create()
    {
        var command = new Command("experiment", "Five-fold experiments: real cases against real and synthetic ones.");
        command.Subcommands.Add(Plan());
        command.Subcommands.Add(Run());
        command.Subcommands.Add(Status());
        command.Subcommands.Add(Report());
        command.Subcommands.Add(Compare());
        command.Subcommands.Add(Schema());
        return command;
    }

    private static Command Plan()
    {
        var (config, root, json) = (ConfigArgument(), RootOption(), CommonOptions.Json());
        var command = new Command("plan", "Checks the data and prints who would be trained and validated on what; trains nothing.") { config, root, json };
        command.SetAction((parse, cancellation) => Task.Run(() =>
        {
            var read = Read(parse, config, root);
            if (read.Synthetic?.Bundle is not null && read.Arms.Any(a => a is ArmKind.RealSynthetic or ArmKind.Synthetic))
                Console.Error.WriteLine($"{read.Synthetic.Count} synthetic cases will be made when the experiment runs; the plan is without them.");
            var plan = ExperimentPlanner.Plan(read, null, cancellation);
            Console.Out.Write(parse.GetValue(json) ? plan.ToJson() + "\n" : PlanTable.Text(plan));
            return CommandRunner.Ok;
        }, cancellation));
        return command;
    }

    private static Command Run()
    {
        var (config, root, output, json, quiet) = (ConfigArgument(), RootOption(), Output(), CommonOptions.Json(), CommonOptions.Quiet());
        var command = new Command("run", "Runs an experiment, or goes on with it where it was stopped.") { config, root, output, json, quiet };
        command.SetAction((parse, cancellation) => Task.Run(async () =>
        {
            var folder = parse.GetRequiredValue(output);
            var runner = new ExperimentRunner(Read(parse, config, root), folder);
            var results = await runner.RunAsync(ConsoleProgress.Create(parse.GetValue(quiet)), cancellation);
            Console.Out.Write(parse.GetValue(json) ? results.ToJson() + "\n" : $"{results.Table()}report: {Path.Combine(folder, "report.html")}\n");
            return CommandRunner.Ok;
        }, cancellation));
        return command;
    }

    private static Command Status()
    {
        var (folder, json) = (FolderArgument("folder", "The experiment's folder."), CommonOptions.Json());
        var command = new Command("status", "Prints which trainings are done, begun and waiting.") { folder, json };
        command.SetAction(parse =>
        {
            var status = ExperimentRunner.Status(parse.GetRequiredValue(folder));
            if (parse.GetValue(json))
            {
                Console.Out.WriteLine(status.ToJson());
                return;
            }
            foreach (var unit in status.Units)
                Console.Out.WriteLine($"{unit.Name,-36} {unit.State.ToString().ToLowerInvariant(),-8} {unit.Dice?.ToString("F3", CultureInfo.InvariantCulture)}".TrimEnd());
            Console.Out.WriteLine(status.Finished ? "finished" : status.LastError is { } error ? $"stopped: {error}" : "not finished");
        });
        return command;
    }

    private static Command Report()
    {
        var folder = FolderArgument("folder", "The experiment's folder.");
        var command = new Command("report", "Computes statistics, tables and pictures of a finished experiment again and prints the table.") { folder };
        command.SetAction(parse => Console.Out.Write(ExperimentRunner.Report(parse.GetRequiredValue(folder)).Table()));
        return command;
    }

    private static Command Compare()
    {
        var (first, second) = (FolderArgument("first", "An experiment's folder, or its results.json."), FolderArgument("second", "Another one on the same test set, or the same."));
        var (firstArm, secondArm) = (new Option<string?>("--first-arm") { Description = "Arm of the first; its last one when left out." }, new Option<string?>("--second-arm") { Description = "Arm of the second; its last one when left out." });
        var json = CommonOptions.Json();
        var command = new Command("compare", "Compares arms of any two experiments case by case on their common test set.") { first, second, firstArm, secondArm, json };
        command.SetAction(parse => Console.Out.Write(ResultComparison.Run(
            ExperimentResults.Read(parse.GetRequiredValue(first)), parse.GetValue(firstArm), ExperimentResults.Read(parse.GetRequiredValue(second)), parse.GetValue(secondArm))
            is var comparison && parse.GetValue(json) ? comparison.ToJson() + "\n" : comparison.Table()));
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Prints the JSON schema of an experiment's config.");
        command.SetAction(_ => Console.Out.WriteLine(ExperimentConfig.Schema()));
        return command;
    }

    private static Argument<string> ConfigArgument() => new("config") { Description = "The experiment's JSON, for instance configs/experiment_headneck.json." };

    private static Argument<string> FolderArgument(string name, string description) => new(name) { Description = description };

    private static Option<string> Output() => new("--output", "-o") { Description = "Folder of the experiment; what is done in it already is kept.", Required = true };

    private static Option<string?> RootOption() => new("--data-root") { Description = "Folder of the data, in place of the config's data.root (or, where that is no datalist, of data.path)." };

    private static ExperimentConfig Read(ParseResult parse, Argument<string> config, Option<string?> root)
    {
        var read = ExperimentConfig.Read(parse.GetRequiredValue(config));
        if (parse.GetValue(root) is not { } folder)
            return read;
        var full = Path.GetFullPath(folder);
        return read with { Data = read.Data.Layout == DataLayout.Datalist ? read.Data with { Root = full } : read.Data with { Path = full } };
    }
}
