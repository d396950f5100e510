using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>
/// Names of <c>os</c>, <c>os.path</c>, <c>glob</c> and <c>pathlib</c>: configs join paths, look whether files exist, list folders and make
/// output folders. Nothing here deletes, moves or runs anything.
/// </summary>
internal static class FileModules
{
    // What training configs read of the environment; everything else may hold secrets.
    private static readonly string[] ReadableVariables =
        ["RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "CUDA_VISIBLE_DEVICES", "HOME", "TMPDIR", "USER", "SLURM_JOB_ID", "SLURM_PROCID"];

    /// <summary>Adds the modules.</summary>
    public static void Add(TargetRegistryBuilder builder)
    {
        builder
            .AddFunction("os.path.join", (c, a) => Join(a.Positional.Select((v, i) => Text(v, c, "join")).ToArray()))
            .AddFunction("os.path.exists", (c, a) => c.Files.Full(Name(c, a, "exists")) is var p && (File.Exists(p) || Directory.Exists(p)))
            .AddFunction("os.path.isfile", (c, a) => File.Exists(c.Files.Full(Name(c, a, "isfile"))))
            .AddFunction("os.path.isdir", (c, a) => Directory.Exists(c.Files.Full(Name(c, a, "isdir"))))
            .AddFunction("os.path.basename", (c, a) => PathValue.BaseName(Name(c, a, "basename")))
            .AddFunction("os.path.dirname", (c, a) => PathValue.DirectoryName(Name(c, a, "dirname")))
            .AddFunction("os.path.split", (c, a) => new TupleValue(PathValue.DirectoryName(Name(c, a, "split")), PathValue.BaseName(Name(c, a, "split"))))
            .AddFunction("os.path.splitext", (c, a) => SplitExtension(Name(c, a, "splitext")))
            .AddFunction("os.path.abspath", (c, a) => c.Files.Full(Name(c, a, "abspath")))
            .AddFunction("os.path.realpath", (c, a) => c.Files.Full(Name(c, a, "realpath")))
            .AddFunction("os.path.normpath", (c, a) => PathValue.Normalize(Name(c, a, "normpath")))
            .AddFunction("os.path.expanduser", (c, a) => Name(c, a, "expanduser") is var p && p.StartsWith('~') ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + p[1..] : p)
            .AddFunction("os.path.isabs", (c, a) => Name(c, a, "isabs").StartsWith('/'))
            .AddFunction("os.path.relpath", (c, a) => Path.GetRelativePath(c.Files.Full(Text(a.Optional(1, "start", "."), c, "relpath")), c.Files.Full(Name(c, a, "relpath"))))
            .AddFunction("os.getcwd", (c, _) => c.Files.Full("."))
            .AddFunction("os.cpu_count", (_, _) => (long)Environment.ProcessorCount)
            .AddFunction("os.listdir", (c, a) => c.Budget.Collect(Directory.EnumerateFileSystemEntries(Existing(c, Text(a.Optional(0, "path", "."), c, "listdir"))).Select(Path.GetFileName).Order(StringComparer.Ordinal)))
            .AddFunction("os.makedirs", (c, a) => MakeFolder(c, Name(c, a, "makedirs"), PythonTypes.IsTrue(a.Optional(2, "exist_ok", false), c), parents: true))
            .AddFunction("os.mkdir", (c, a) => MakeFolder(c, Name(c, a, "mkdir"), existOk: false, parents: false))
            .AddValue("os.environ", () => new EnvironmentValue())
            .AddFunction("os.getenv", (_, a) => Variable(StringMethods.Text(a, 0, "getenv")) ?? a.Optional(1, "default"))
            .AddValue("os.sep", () => "/")
            .AddFunction("glob.glob", (c, a) => c.Budget.Collect(GlobPattern.Find(Text(a.Required(0, "pathname", "glob"), c, "glob"), c, PythonTypes.IsTrue(a.Named.GetValueOrDefault("recursive"), c))))
            .AddValue("pathlib.Path", () => PathValue.PathType)
            .AddValue("pathlib.PurePath", () => PathValue.PathType)
            .AddBehaviour(new PathBehaviour())
            .AddBehaviour(new EnvironmentBehaviour());
    }

    /// <summary>An environment variable that configs may read; null when it is not set.</summary>
    public static string? Variable(string name)
    {
        if (!ReadableVariables.Contains(name, StringComparer.Ordinal) && !name.StartsWith("MONAI_", StringComparison.Ordinal) && !name.StartsWith("MAISI_", StringComparison.Ordinal))
        {
            throw new BundleException(BundleErrorKind.PermissionError, $"a bundle may not read the environment variable '{name}'",
                hint: $"it may read MONAI_*, MAISI_* and {string.Join(", ", ReadableVariables)}");
        }
        return Environment.GetEnvironmentVariable(name);
    }

    /// <summary>Makes a folder as <c>Path.mkdir</c> and <c>os.makedirs</c> do.</summary>
    public static object? MakeFolder(EvaluationContext context, string path, bool existOk, bool parents)
    {
        var full = context.Files.Full(path);
        if (Directory.Exists(full) || File.Exists(full))
        {
            return existOk && Directory.Exists(full) ? null
                : throw new BundleException(BundleErrorKind.ValueError, $"the folder '{path}' exists already", hint: "pass exist_ok=True when that is fine");
        }
        if (!parents && !Directory.Exists(Path.GetDirectoryName(full)))
            throw new BundleException(BundleErrorKind.FileNotFoundError, $"the folder above '{path}' does not exist", hint: "pass parents=True to make it");
        context.Files.MakeFolder(path);
        return null;
    }

    /// <summary>A string or a path as text.</summary>
    public static string Text(object? value, EvaluationContext context, string function) => value switch
    {
        string text => text,
        PathValue path => path.Text,
        _ => throw new BundleException(BundleErrorKind.TypeError, $"{function}() needs a path, not {PythonTypes.NameOf(value)}"),
    };

    private static string Name(EvaluationContext context, CallArguments arguments, string function) => Text(arguments.Required(0, "path", function), context, function);

    private static string Existing(EvaluationContext context, string path) => context.Files.Full(path) is var full && Directory.Exists(full)
        ? full
        : throw new BundleException(BundleErrorKind.FileNotFoundError, $"no such folder: '{path}'");

    private static string Join(string[] parts)
    {
        var joined = parts.Length == 0 ? "" : parts[0];
        foreach (var part in parts.Skip(1))
            joined = part.StartsWith('/') ? part : joined.Length == 0 || joined.EndsWith('/') ? joined + part : $"{joined}/{part}";
        return joined;
    }

    private static TupleValue SplitExtension(string path)
    {
        var name = path.LastIndexOf('/') + 1;
        var first = name;
        while (first < path.Length && path[first] == '.')
            first++;
        var dot = path.LastIndexOf('.');
        return dot >= first && dot > name ? new TupleValue(path[..dot], path[dot..]) : new TupleValue(path, "");
    }
}

/// <summary><c>os.environ</c>, reduced to the variables that configs may read.</summary>
internal sealed class EnvironmentValue;

/// <summary>What <c>os.environ</c> can do.</summary>
internal sealed class EnvironmentBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(EnvironmentValue);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => ["get"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        value = name == "get" ? new NativeFunction("os.environ.get", (_, a) => FileModules.Variable(StringMethods.Text(a, 0, "get")) ?? a.Optional(1, "default")) : null;
        return value is not null;
    }

    /// <inheritdoc/>
    public override bool TryIndex(object self, object? index, out object? value)
    {
        var name = index as string ?? throw new BundleException(BundleErrorKind.TypeError, "environment variables are named by strings");
        value = FileModules.Variable(name) ?? throw new BundleException(BundleErrorKind.KeyError, $"the environment variable '{name}' is not set");
        return true;
    }
}
