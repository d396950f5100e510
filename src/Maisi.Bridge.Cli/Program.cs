using System.CommandLine;
using Maisi.Bridge.Cli;

var root = new RootCommand("Synthetic medical CT with NVIDIA MAISI, native in .NET.");
foreach (var command in CommandCatalog.For(args))
    root.Subcommands.Add(command);
return await CommandRunner.RunAsync(root, args);
