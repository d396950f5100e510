using System.CommandLine;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi generate statistics</c>: what real images look like, for the quality check.</summary>
internal static class GenerateStatisticsCommand
{
    public static Command Create()
    {
        var datalist = new Option<string>("--datalist", "-d") { Description = "Datalist of real CTs: {\"training\": [{\"image\", \"label\"}]}.", Required = true };
        var output = new Option<string>("--output", "-o") { Description = "JSON file to write.", Required = true };
        var bundle = new Option<string?>("--bundle", "-b") { Description = "Bundle whose labels the label maps have; MAISI's organs when left out." };
        var quiet = CommonOptions.Quiet();
        var command = new Command("statistics", "Median HU of organs in your own CTs, as the quality check reads it.") { datalist, output, bundle, quiet };
        command.SetAction((parse, cancellation) =>
        {
            var organs = parse.GetValue(bundle) is { } folder ? StatisticsBuilder.OrgansOf(BundleSettings.Read(folder)) : QualityCheck.MaisiOrgans;
            var file = parse.GetRequiredValue(output);
            var built = new StatisticsBuilder(organs).Build(parse.GetRequiredValue(datalist), ConsoleProgress.Create(parse.GetValue(quiet)), cancellation);
            built.Save(file);
            foreach (var organ in organs.Keys.Where(o => !built.Organs.ContainsKey(o)))
                Console.Error.WriteLine($"{organ}: no case shows it, so it will not be checked");
            Console.Out.WriteLine(file);
            return Task.FromResult(CommandRunner.Ok);
        });
        return command;
    }
}
