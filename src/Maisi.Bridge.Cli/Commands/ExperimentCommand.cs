using System.CommandLine;
using Maisi.Bridge.Experiments;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi experiment</c>: does adding synthetic cases improve segmentation?</summary>
internal static class ExperimentCommand
{
    public static Command Create()
    {
        var command = new Command("experiment", "Five-fold experiments: real cases against real and synthetic ones.");
        command.Subcommands.Add(Plan());
        command.Subcommands.Add(Schema());
        return command;
    }

    private static Command Plan()
    {
        var (config, root, json) = (ConfigArgument(), RootOption(), CommonOptions.Json());
        var command = new Command("plan", "Checks the data and prints who would be trained and validated on what; trains nothing.") { config, root, json };
        command.SetAction((parse, cancellation) => Task.Run(() =>
        {
            var plan = ExperimentPlanner.Plan(Read(parse, config, root), null, cancellation);
            Console.Out.Write(parse.GetValue(json) ? plan.ToJson() + "\n" : PlanTable.Text(plan));
            return CommandRunner.Ok;
        }, cancellation));
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Prints the JSON schema of an experiment's config.");
        command.SetAction(_ => Console.Out.WriteLine(ExperimentConfig.Schema()));
        return command;
    }

    private static Argument<string> ConfigArgument() => new("config") { Description = "The experiment's JSON, for instance configs/experiment_headneck.json." };

    private static Option<string?> RootOption() => new("--data-root") { Description = "Folder of the datalist's paths, in place of the config's data.root." };

    private static ExperimentConfig Read(ParseResult parse, Argument<string> config, Option<string?> root)
    {
        var read = ExperimentConfig.Read(parse.GetRequiredValue(config));
        if (parse.GetValue(root) is { } folder)
            read.Data.Root = Path.GetFullPath(folder);
        return read;
    }
}
