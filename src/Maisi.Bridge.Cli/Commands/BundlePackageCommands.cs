using System.CommandLine;
using System.Text.Json;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Checkpoints;

namespace Maisi.Bridge.Cli.Commands;

/// <summary>The commands that look at a bundle as a package: metadata, files, weights.</summary>
internal static class BundlePackageCommands
{
    public static IEnumerable<Command> All() => [VerifyMetadata(), VerifyNetInOut(), Info(), Init(), CheckpointExport(), Schema(), Download(), DownloadLargeFiles()];

    private static Command VerifyMetadata() => BundleOptions.Create(
        "verify-metadata", "Check metadata against their JSON schema.", ["meta_file"],
        [
            ("meta_file", "Metadata file, or a list that is merged."), ("filepath", "Local copy of the schema; fetched there when it is missing. Default: a built-in schema."),
            ("hash_val", "Expected hash of the schema file."), ("hash_type", "md5 (default), sha1, sha256, sha512."), ("args_file", "Defaults for these arguments."),
        ],
        async (arguments, cancellation) =>
        {
            using var http = new HttpClient();
            var report = await BundleMetadata.VerifyAsync(
                arguments.TakeList("meta_file"), arguments.TakeText("filepath"), arguments.TakeText("hash_val"), arguments.TakeText("hash_type") ?? "md5", http, cancellation);
            foreach (var problem in report.Problems)
                Console.Out.WriteLine(problem);
            Console.Error.WriteLine(report.Problems.Count == 0 ? $"metadata is verified with no error (schema: {report.Schema})" : $"{report.Problems.Count} problem(s) (schema: {report.Schema})");
            return report.Problems.Count == 0 ? CommandRunner.Ok : CommandRunner.WrongInput;
        });

    private static Command VerifyNetInOut() => BundleOptions.Create(
        "verify-net-in-out", "Run a network once on random input of the shape in the metadata, and compare the output.", ["net_id"],
        [
            ("net_id", "Id of the network."), ("p", "Value of p in shapes such as 2**p (1)."), ("n", "Value of n in shapes such as 16*n (1)."), ("any", "Size for * (1)."),
            ("extra_forward_args", "Further inputs as a dict, for example \"{'timesteps': [10], 'spacing_tensor': [[100, 100, 100]]}\"."),
            ("prefix", "Metadata that describe the network (network_data_format)."), .. BundleOptions.Config,
        ],
        (arguments, _) =>
        {
            var check = new NetworkCheck
            {
                NetId = arguments.RequireText("net_id"), Prefix = arguments.TakeText("prefix") ?? "network_data_format",
                P = arguments.Take("p") as long? ?? 1, N = arguments.Take("n") as long? ?? 1, Any = arguments.Take("any") as long? ?? 1,
                ExtraForwardArguments = arguments.Take("extra_forward_args") as DictValue ?? new DictValue(),
            };
            var options = BundleOptions.ParserOptions(arguments);
            var workflow = new BundleWorkflow(options, arguments.TakeList("config_file"), arguments.TakeList("meta_file"), arguments.Overrides);
            var result = check.Run(workflow.Parser);
            Console.Out.WriteLine($"input {result.Input}, output {result.Output}");
            Console.Error.WriteLine("data shape of network is verified with no error");
            return Task.FromResult(CommandRunner.Ok);
        });

    private static Command Info() => BundleOptions.Create(
        "info", "Show what a bundle says of itself, and which of its files are there.", ["bundle_path"],
        [("bundle_path", "Bundle folder (current folder)."), ("json", "Print JSON.")],
        (arguments, _) =>
        {
            var json = arguments.TakeFlag("json");
            var info = BundleInfo.Read(arguments.TakeText("bundle_path") ?? ".");
            Console.Out.WriteLine(json ? JsonSerializer.Serialize(info, BundleJson.Options) : info.ToText());
            return Task.FromResult(CommandRunner.Ok);
        });

    private static Command Init() => BundleOptions.Create(
        "init", "Make the folder of a new bundle.", ["bundle_dir", "ckpt_file"],
        [("bundle_dir", "Folder to make."), ("ckpt_file", "Weights to copy to models/model.pt."), ("dataset_license", "Also make docs/data_license.txt.")],
        (arguments, _) =>
        {
            var folder = arguments.RequireText("bundle_dir");
            BundleTemplate.Create(folder, arguments.TakeText("ckpt_file"), arguments.TakeFlag("dataset_license"));
            Console.Error.WriteLine($"made {folder}");
            return Task.FromResult(CommandRunner.Ok);
        }, "init_bundle");

    private static Command CheckpointExport() => BundleOptions.Create(
        "ckpt-export", "Load weights into a network, strictly, and write its state dict as .safetensors or .pt.", ["net_id"],
        [
            ("net_id", "Id of the network (network_def); without config_file the weights are only converted."), ("filepath", "File to write; its ending chooses the format."),
            ("ckpt_file", "Weights to read: .pt or .safetensors."), ("key_in_ckpt", "Entry of the checkpoint that holds the weights."), .. BundleOptions.Config,
        ],
        (arguments, _) =>
        {
            var (target, source, key) = (arguments.RequireText("filepath"), arguments.RequireText("ckpt_file"), arguments.TakeText("key_in_ckpt"));
            var net = arguments.TakeText("net_id") ?? "network_def";
            var options = BundleOptions.ParserOptions(arguments);
            var files = arguments.TakeList("config_file");
            var parser = files.Count == 0 ? null : new BundleWorkflow(options, files, arguments.TakeList("meta_file"), arguments.Overrides).Parser;
            var count = CheckpointExporter.Export(source, key is { Length: > 0 } ? key : null, target, parser, net);
            Console.Error.WriteLine($"exported {count} tensors to {target}");
            return Task.FromResult(CommandRunner.Ok);
        });

    private static Command Schema() => BundleOptions.Create(
        "schema", "Print a JSON schema of every registered target, for editors.", [], [],
        (_, _) =>
        {
            Console.Out.WriteLine(TargetSchema.Create(TargetRegistryBuilder.Standard()));
            return Task.FromResult(CommandRunner.Ok);
        });

    private static Command Download() => BundleOptions.Create(
        "download", "Fetch a bundle: from a repository with Hugging Face's interface, or the large files of a bundle folder.", ["name"],
        [
            ("repo", "Repository owner/name, such as nvidia/NV-Generate-CT."), ("version", "Branch, tag or commit (main)."), ("bundle_dir", "Folder for the files (the name)."),
            ("bundle_path", "A bundle folder with large_files.yml: fetch what it lists."), ("url", "Host with Hugging Face's interface, or base URL for the files of bundle_path."),
            ("list", "Only show what would be fetched."),
        ],
        async (arguments, cancellation) =>
        {
            var (name, repository, folder, path) = (arguments.TakeText("name"), arguments.TakeText("repo"), arguments.TakeText("bundle_dir"), arguments.TakeText("bundle_path"));
            var (url, list) = (arguments.TakeText("url"), arguments.TakeFlag("list"));
            if (path is not null)
                return await FetchAsync(LargeFiles.Read(path, null, BaseUrl(url)), list, cancellation);
            repository ??= name ?? throw new BundleException(BundleErrorKind.ValueError, "nothing to fetch", hint: "give --repo owner/name, or --bundle_path DIR with a large_files.yml");
            using var http = new HttpClient();
            var hub = new HubRepository(http, BaseUrl(url ?? "https://huggingface.co/")!);
            return await FetchAsync(await hub.FilesAsync(repository, arguments.TakeText("version") ?? "main", folder ?? repository.Split('/')[^1], cancellation), list, cancellation);
        });

    private static Command DownloadLargeFiles() => BundleOptions.Create(
        "download-large-files", "Fetch what the large_files.yml of a bundle lists.", ["bundle_path", "large_file_name"],
        [("bundle_path", "Bundle folder (current folder)."), ("large_file_name", "The list (large_files.yml).")],
        (arguments, cancellation) => FetchAsync(LargeFiles.Read(arguments.TakeText("bundle_path") ?? ".", arguments.TakeText("large_file_name"), null), list: false, cancellation));

    private static Uri? BaseUrl(string? url) => url is null ? null
        : Uri.TryCreate(url.EndsWith('/') ? url : url + "/", UriKind.Absolute, out var parsed) ? parsed
        : throw new BundleException(BundleErrorKind.ValueError, $"'{url}' is not a URL");

    private static async Task<int> FetchAsync(IReadOnlyList<FileRequest> files, bool list, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var downloader = new FileDownloader(http);
        foreach (var file in files)
        {
            if (list)
            {
                Console.Out.WriteLine($"{file.Url}\t{file.Path}\t{file.Size?.ToString() ?? "?"}\t{(string.IsNullOrEmpty(file.Hash) ? "no hash" : file.HashType)}");
                continue;
            }
            if (string.IsNullOrEmpty(file.Hash))
                Console.Error.WriteLine($"warning: no hash is known for {Path.GetFileName(file.Path)}");
            var fetched = await downloader.DownloadAsync(file, new Progress(), cancellation);
            Console.Error.WriteLine($"{(fetched ? "fetched" : "is there:")} {file.Path}");
        }
        return CommandRunner.Ok;
    }

    /// <summary>A line per tenth of a file.</summary>
    private sealed class Progress : IProgress<DownloadProgress>
    {
        private long _shown = -1;

        public void Report(DownloadProgress value)
        {
            var tenth = value.Total is > 0 and var total ? value.Received * 10 / total : value.Received >> 28;
            if (tenth == _shown)
                return;
            _shown = tenth;
            Console.Error.WriteLine($"  {Path.GetFileName(value.File)}: {value.Received >> 20} of {(value.Total is { } all ? (all >> 20).ToString() : "?")} MB");
        }
    }
}
