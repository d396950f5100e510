using System.CommandLine;
using System.Text.Json;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Modules;

namespace Maisi.Bridge.Cli.Commands;

/// <summary><c>maisi bundle</c>: read, check and run MONAI bundles.</summary>
internal static class BundleCommand
{
    public static Command Create()
    {
        var command = new Command("bundle", "Read, check and run MONAI bundles; options as in 'python -m monai.bundle'.") { Run(), Resolve(), Explain() };
        foreach (var other in BundlePackageCommands.All())
            command.Subcommands.Add(other);
        return command;
    }

    private static Command Run() => BundleOptions.Create(
        "run", "Run a bundle: initialize, run, finalize. Any other --id value overrides the config.", ["run_id", "init_id", "final_id"],
        [("run_id", "What to run (run)."), ("init_id", "What to run before (initialize)."), ("final_id", "What to run after (finalize)."), .. BundleOptions.Config],
        (arguments, cancellation) =>
        {
            Summarize("run", arguments);
            var (run, init, final) = (arguments.TakeText("run_id") ?? "run", arguments.TakeText("init_id") ?? "initialize", arguments.TakeText("final_id") ?? "finalize");
            RefuseTracking(arguments);
            Workflow(arguments, BundleOptions.ParserOptions(arguments) with { Cancellation = cancellation }).Run(run, init, final, cancellation);
            return Task.FromResult(CommandRunner.Ok);
        });

    private static Command Resolve() => BundleOptions.Create(
        "resolve", "Print the resolved value of an id as JSON; the whole config without --id.", ["id"],
        [("id", "The id, such as latent_shape or train::dataloader."), ("indent", "Blanks per level (2); 0 for one line."), .. BundleOptions.Config],
        (arguments, _) =>
        {
            var id = arguments.TakeText("id") ?? "";
            var indent = arguments.Take("indent") as long? ?? 2;
            var options = BundleOptions.ParserOptions(arguments);
            var value = Workflow(arguments, options).Parser.GetParsedContent(id);
            if (id.Length == 0 && value is DictValue whole)
                whole.Remove("_meta_");
            Console.Out.WriteLine(JsonText.Write(value, options.Registry.Types, indent > 0 ? (int)Math.Min(indent, 16) : null, Unknown));
            return Task.FromResult(CommandRunner.Ok);
        });

    private static Command Explain() => BundleOptions.Create(
        "explain", "List every component and expression: native, delegated to Python, or unsupported, with its place.", [],
        [("json", "Print JSON."), ("all", "Also list what is native."), .. BundleOptions.Config],
        (arguments, _) =>
        {
            var (json, all, python) = (arguments.TakeFlag("json"), arguments.TakeFlag("all"), arguments.TakeFlag("allow_python"));
            var options = BundleOptions.ParserOptions(arguments);
            var items = BundleExplainer.Explain(Workflow(arguments, options).Parser, options.Registry, python);
            if (json)
                Console.Out.WriteLine(JsonSerializer.Serialize(items.Select(i => new { i.Id, Support = i.Support.ToString(), i.What, Location = i.Location.ToString(), i.Reason }), BundleJson.Options));
            else
            {
                foreach (var item in items.Where(i => all || i.Support != ItemSupport.Native))
                    Console.Out.WriteLine($"{item.Support,-11} {item.Location}  {item.Id}  {item.What}{(item.Reason is null ? "" : $"  ({item.Reason})")}");
                Console.Out.WriteLine(string.Join(", ", Enum.GetValues<ItemSupport>().Select(s => $"{items.Count(i => i.Support == s)} {s.ToString().ToLowerInvariant()}")));
            }
            return Task.FromResult(items.Any(i => i.Support == ItemSupport.Unsupported) ? CommandRunner.WrongInput : CommandRunner.Ok);
        });

    private static BundleWorkflow Workflow(BundleArguments arguments, ConfigParserOptions options) =>
        new(options, arguments.TakeList("config_file"), arguments.TakeList("meta_file"), arguments.Overrides);

    private static void RefuseTracking(BundleArguments arguments)
    {
        if (arguments.Take("tracking") is not null)
            throw new BundleException(BundleErrorKind.ValueError, "--tracking is not supported", hint: "experiment tracking through MLflow needs 'python -m monai.bundle'");
        if (arguments.Take("logging_file") is not null)
            Console.Error.WriteLine("warning: --logging_file configures Python's logging and is ignored");
    }

    private static void Summarize(string tag, BundleArguments arguments)
    {
        Console.Error.WriteLine($"--- input summary of maisi bundle {tag} ---");
        foreach (var (key, value) in arguments.All)
            Console.Error.WriteLine($"> {key}: {value switch { string text => text, null => "None", _ => JsonText.Write(value, new TypeTable([]), unknown: v => v.ToString()) }}");
        Console.Error.WriteLine("---");
    }

    private static DictValue Unknown(object value) => new([KeyValuePair.Create<object?, object?>("__object__", value is ModuleValue module ? module.Path : value is Callable callable ? callable.Name : PythonTypes.NameOf(value))]);
}

/// <summary>How these commands write JSON.</summary>
internal static class BundleJson
{
    public static JsonSerializerOptions Options { get; } = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}
