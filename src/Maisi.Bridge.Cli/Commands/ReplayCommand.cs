using System.CommandLine;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi replay</c>: makes the samples of a manifest again.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var manifest = new Argument<string>("manifest") { Description = "manifest.json of a run." };
        var output = new Option<string?>("--output", "-o") { Description = "Folder for the files that are made again; not kept when left out." };
        var bundle = new Option<string?>("--bundle", "-b") { Description = "The bundle, where it is no longer where the manifest says." };
        var masks = new Option<string?>("--masks") { Description = "Folder of the label maps, where they are no longer where the manifest says." };
        var sample = new Option<int[]>("--sample") { Description = "Index of a sample to make again; may be repeated. All when left out.", AllowMultipleArgumentsPerToken = true };
        var verify = new Option<bool>("--verify") { Description = "Leave with exit code 1 when a file differs from the recorded one." };
        var quiet = CommonOptions.Quiet();
        var command = new Command("replay", "Makes the samples of a manifest again and compares the bytes.") { manifest, output, bundle, masks, sample, verify, quiet };
        command.SetAction(async (parse, cancellation) =>
        {
            var kept = parse.GetValue(output);
            var folder = kept ?? Directory.CreateTempSubdirectory("maisi-replay-").FullName;
            try
            {
                var replay = new Replay(parse.GetRequiredValue(manifest))
                {
                    Bundle = parse.GetValue(bundle),
                    Masks = parse.GetValue(masks),
                    Samples = parse.GetValue(sample) is { Length: > 0 } chosen ? chosen.ToHashSet() : null,
                };
                var files = await Task.Run(() => replay.Execute(folder, ConsoleProgress.Create(parse.GetValue(quiet)), cancellation), cancellation);
                foreach (var file in files)
                    Console.Out.WriteLine($"{(file.Equal ? "same" : "DIFFERS")}  {file.Path}");
                return parse.GetValue(verify) && files.Any(f => !f.Equal) ? CommandRunner.Defect : CommandRunner.Ok;
            }
            finally
            {
                if (kept is null)
                    Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }
}
