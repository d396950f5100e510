using System.CommandLine;
using System.Globalization;
using Maisi.Bridge.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi serve</c>: the REST service and its page.</summary>
internal static class ServeCommand
{
    // NIM's own name of the limit of a run, in seconds.
    private const string TimeoutVariable = "GENERATE_IMAGE_TIMEOUT", LongestTimeout = "864000";

    private static readonly Option<string?> _bundle = new("--bundle", "-b") { Description = "Folder of a bundle with weights." };
    private static readonly Option<string> _data = new("--data", "-d") { Description = "Folder for jobs and their results (maisi-jobs).", DefaultValueFactory = _ => "maisi-jobs" };
    private static readonly Option<string[]> _urls = Many("--urls", "Where to listen (http://127.0.0.1:8000); port 0 takes a free one.");
    private static readonly Option<string[]> _devices = Many("--device", "Where samples are made: cpu (the default), cuda or cuda:N; may be repeated, each takes a job at a time.");
    private static readonly Option<string?> _keys = new("--keys") { Description = "File with names of clients and hashes of their keys; without it only this machine may come in." };
    private static readonly Option<bool> _anonymous = new("--allow-anonymous") { Description = "Serves other machines without keys." };
    private static readonly Option<string?> _database = new("--database") { Description = "Database of label maps for pairs; the bundle's when left out." };
    private static readonly Option<string?> _memory = new("--memory") { Description = "What decoding may use, for instance 16GB; half of the free memory when left out." };
    private static readonly Option<string[]> _folders = Many("--local-folder", "Folder in which local_working_dir may lie; may be repeated.");
    private static readonly Option<string[]> _hosts = Many("--upload-host", "Host to which pre_signed_url may lead: NAME, NAME:PORT or *.DOMAIN; may be repeated.");
    private static readonly Option<bool> _private = new("--allow-private-uploads") { Description = "Lets uploads go to private addresses and by http, for an object store of one's own network." };
    private static readonly Option<string[]> _origins = Many("--cors-origin", "Origin of another site whose pages may call the service; may be repeated.");
    private static readonly Option<int> _queue = Count("--queue", 256, "How many jobs may wait.");
    private static readonly Option<int> _samples = Count("--max-samples", 100, "The most samples of a request.");
    private static readonly Option<int?> _timeout = new("--timeout") { Description = $"Seconds that a synchronous run may take ({TimeoutVariable}, or 3600)." };
    private static readonly Option<int> _drain = Count("--drain", 30, "Seconds that a running job gets to end when the server is told to stop.");
    private static readonly Option<string?> _keepBytes = new("--keep") { Description = "How much of results is kept, for instance 50GB (the default); the oldest go first." };
    private static readonly Option<int> _keepDays = Count("--keep-days", 7, "After how many days ended jobs are deleted.");
    private static readonly Option<string?> _minFree = new("--min-free") { Description = "New jobs are refused while the disk has less than this free (1GB)." };
    private static readonly Option<bool> _jsonLog = new("--json-log") { Description = "Writes the log, on stderr, as lines of JSON." };

    public static Command Create()
    {
        var command = new Command("serve", "Serves generation by REST, with NVIDIA MAISI NIM's interface, jobs, and a page with a viewer.")
        {
            _bundle, _data, _urls, _devices, _keys, _anonymous, _database, _memory, _folders, _hosts, _private, _origins, _queue, _samples, _timeout, _drain, _keepBytes, _keepDays, _minFree, _jsonLog,
        };
        command.SetAction(RunAsync);
        command.Subcommands.Add(Key());
        return command;
    }

    private static Command Key()
    {
        var name = new Argument<string>("name") { Description = "Name of the client." };
        var command = new Command("key", "Prints a new key on stderr and its line for the file of --keys on stdout.") { name };
        command.SetAction(parse =>
        {
            var client = parse.GetRequiredValue(name);
            if (client.Length == 0 || client.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) || client[0] == '#')
                throw new MaisiException($"'{client}' is no name of a client.", "name", "Take one without spaces.");
            var (key, hash) = ApiKeyRing.Create();
            Console.Error.WriteLine($"key of {client}, shown only here: {key}");
            Console.Out.WriteLine($"{client} {hash}");
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string[] urls = parse.GetValue(_urls) is { Length: > 0 } given ? given : ["http://127.0.0.1:8000"];
        await using var app = MaisiServer.Build(options => Configure(options, parse), urls, logging => Log(logging, parse.GetValue(_jsonLog)));
        var bundle = MaisiServer.Ready(app.Services);
        try
        {
            await app.StartAsync(cancellation);
        }
        catch (IOException e)
        {
            throw new MaisiException($"The server cannot listen: {e.Message}", string.Join(", ", urls), "Give another address by --urls.", e);
        }
        foreach (var url in app.Urls)
            Console.Out.WriteLine($"listening on {url}");
        _ = bundle.ContinueWith(_ => app.Lifetime.StopApplication(), cancellation, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _ = bundle.ContinueWith(_ => Console.Out.WriteLine("ready"), cancellation, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        await app.WaitForShutdownAsync(cancellation);
        if (bundle.IsFaulted)
            await bundle;
        return CommandRunner.Ok;
    }

    private static void Configure(MaisiServerOptions options, ParseResult parse)
    {
        options.Bundle = parse.GetValue(_bundle) ?? ShippedBundle.Find("maisi_headneck_small") ?? "";
        options.DataFolder = parse.GetRequiredValue(_data);
        options.MaskDatabase = parse.GetValue(_database) is { } database ? Path.GetFullPath(database) : null;
        options.Memory = parse.GetValue(_memory) is { } memory ? MemorySize.Parse(memory, "--memory") : null;
        (options.QueueLimit, options.MaxSamples) = (parse.GetValue(_queue), parse.GetValue(_samples));
        options.RunTimeout = TimeSpan.FromSeconds(parse.GetValue(_timeout) ?? Timeout());
        options.DrainTimeout = TimeSpan.FromSeconds(parse.GetValue(_drain));
        options.RetentionAge = TimeSpan.FromDays(parse.GetValue(_keepDays));
        if (parse.GetValue(_keepBytes) is { } keep)
            options.RetentionBytes = MemorySize.Parse(keep, "--keep");
        if (parse.GetValue(_minFree) is { } free)
            options.MinFreeBytes = MemorySize.Parse(free, "--min-free");
        (options.AllowAnonymous, options.AllowPrivateUploads) = (parse.GetValue(_anonymous), parse.GetValue(_private));
        Add(options.Devices, _devices);
        Add(options.LocalFolders, _folders);
        Add(options.UploadHosts, _hosts);
        Add(options.CorsOrigins, _origins);
        if (parse.GetValue(_keys) is { } keys)
        {
            foreach (var (name, hash) in ApiKeyRing.ReadFile(keys))
                options.ApiKeys[name] = hash;
        }

        void Add(IList<string> list, Option<string[]> option)
        {
            foreach (var value in parse.GetValue(option) ?? [])
                list.Add(value);
        }
    }

    private static int Timeout()
    {
        var text = Environment.GetEnvironmentVariable(TimeoutVariable);
        return string.IsNullOrEmpty(text) ? 3600 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 864000 ? seconds
            : throw new MaisiException($"'{text}' is no number of seconds.", TimeoutVariable, $"Give 1 to {LongestTimeout}.");
    }

    private static void Log(ILoggingBuilder logging, bool asJson)
    {
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning);
        logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (asJson)
            logging.AddJsonConsole(json => (json.IncludeScopes, json.UseUtcTimestamp, json.TimestampFormat) = (true, true, "O"));
        else
            logging.AddSimpleConsole(simple => (simple.SingleLine, simple.TimestampFormat, simple.UseUtcTimestamp) = (true, "HH:mm:ss ", true));
    }

    private static Option<string[]> Many(string name, string description) => new(name) { Description = description, AllowMultipleArgumentsPerToken = true };

    private static Option<int> Count(string name, int otherwise, string description)
    {
        var option = new Option<int>(name) { Description = $"{description} ({otherwise})", DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError($"{name} must be 1 or more.");
        });
        return option;
    }
}
