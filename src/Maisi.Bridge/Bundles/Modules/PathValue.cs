using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>A <c>pathlib.Path</c>.</summary>
/// <param name="Text">The path with forward slashes.</param>
internal sealed record PathValue(string Text)
{
    /// <summary>The type <c>Path</c>.</summary>
    public static TypeValue PathType { get; } = new("Path", v => v is PathValue, (c, a) =>
        a.Positional.Select(v => Of(FileModules.Text(v, c, "Path"))).Aggregate(new PathValue("."), (left, right) => left / right));

    /// <summary>A path of a text: doubled and trailing slashes and "." are dropped, ".." stays, as in pathlib.</summary>
    public static PathValue Of(string text)
    {
        var parts = text.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".");
        var joined = string.Join('/', parts);
        return new PathValue(text.StartsWith('/') ? "/" + joined : joined.Length == 0 ? "." : joined);
    }

    /// <summary>A path below this one.</summary>
    public static PathValue operator /(PathValue left, PathValue right) =>
        right.Text.StartsWith('/') ? right : left.Text == "." ? right : right.Text == "." ? left : new PathValue($"{left.Text.TrimEnd('/')}/{right.Text}");

    /// <summary>The last part.</summary>
    public string Name => Text is "." or "/" ? "" : BaseName(Text);

    /// <summary>The path without its last part.</summary>
    public PathValue Parent => Of(DirectoryName(Text) is { Length: > 0 } folder ? folder : Text.StartsWith('/') ? "/" : ".");

    /// <summary>The last suffix with its dot.</summary>
    public string Suffix => Name.LastIndexOf('.') is > 0 and var at && at < Name.Length - 1 ? Name[at..] : "";

    /// <summary>The name without its last suffix.</summary>
    public string Stem => Name[..^Suffix.Length];

    /// <summary>The part after the last slash.</summary>
    public static string BaseName(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>The part before the last slash.</summary>
    public static string DirectoryName(string path)
    {
        var head = path[..(path.LastIndexOf('/') + 1)];
        return head.All(c => c == '/') ? head : head.TrimEnd('/');
    }

    /// <summary>Without ".", doubled slashes, and ".." where a part stands before it.</summary>
    public static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != "."))
        {
            if (part == ".." && parts.Count > 0 && parts[^1] != "..")
                parts.RemoveAt(parts.Count - 1);
            else if (part != ".." || !path.StartsWith('/'))
                parts.Add(part);
        }
        var joined = string.Join('/', parts);
        return path.StartsWith('/') ? "/" + joined : joined.Length == 0 ? "." : joined;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>What expressions may do with paths.</summary>
internal sealed class PathBehaviour : TypeBehaviour
{
    /// <inheritdoc/>
    public override Type Type => typeof(PathValue);

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames =>
        ["name", "stem", "suffix", "parent", "parts", "exists", "is_file", "is_dir", "is_absolute", "mkdir", "absolute", "resolve", "joinpath", "with_suffix", "with_name", "as_posix", "glob", "iterdir"];

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        var path = (PathValue)self;
        value = name switch
        {
            "name" => path.Name,
            "stem" => path.Stem,
            "suffix" => path.Suffix,
            "parent" => path.Parent,
            "parts" => new TupleValue([.. (path.Text.StartsWith('/') ? new[] { "/" } : []).Concat(path.Text.Split('/', StringSplitOptions.RemoveEmptyEntries))]),
            "exists" => Method(name, (c, _) => File.Exists(c.Files.Full(path.Text)) || Directory.Exists(c.Files.Full(path.Text))),
            "is_file" => Method(name, (c, _) => File.Exists(c.Files.Full(path.Text))),
            "is_dir" => Method(name, (c, _) => Directory.Exists(c.Files.Full(path.Text))),
            "is_absolute" => Method(name, (_, _) => path.Text.StartsWith('/')),
            "mkdir" => Method(name, (c, a) => FileModules.MakeFolder(c, path.Text, PythonTypes.IsTrue(a.Optional(2, "exist_ok", false), c), PythonTypes.IsTrue(a.Optional(1, "parents", false), c))),
            "absolute" or "resolve" => Method(name, (c, _) => PathValue.Of(c.Files.Full(path.Text))),
            "joinpath" => Method(name, (c, a) => a.Positional.Aggregate(path, (p, v) => p / PathValue.Of(FileModules.Text(v, c, name)))),
            "with_suffix" => Method(name, (_, a) => path.Parent / PathValue.Of(path.Stem + StringMethods.Text(a, 0, name))),
            "with_name" => Method(name, (_, a) => path.Parent / PathValue.Of(StringMethods.Text(a, 0, name))),
            "as_posix" => Method(name, (_, _) => path.Text),
            "glob" => Method(name, (c, a) => c.Budget.Collect(GlobPattern.Find($"{path.Text}/{StringMethods.Text(a, 0, name)}", c, recursive: true).Select(p => (object?)PathValue.Of((string)p!)))),
            "iterdir" => Method(name, (c, _) => c.Budget.Collect(GlobPattern.Find($"{path.Text}/*", c, recursive: false).Select(p => (object?)PathValue.Of((string)p!)))),
            _ => null,
        };
        return value is not null;
    }

    /// <inheritdoc/>
    public override bool TryBinary(object self, string op, object? other, bool reflected, out object? result)
    {
        var path = (PathValue)self;
        var right = other as PathValue ?? (other is string text ? PathValue.Of(text) : null);
        result = (op, other) switch
        {
            ("/", _) when right is not null => reflected ? right / path : path / right,
            ("==", PathValue p) => path == p,
            ("!=", PathValue p) => path != p,
            ("<", PathValue p) => string.CompareOrdinal(path.Text, p.Text) < 0 != reflected,
            _ => null,
        };
        return result is not null;
    }

    /// <inheritdoc/>
    public override string Repr(object self) => ((PathValue)self).Text;

    /// <inheritdoc/>
    public override object? ToPlain(object self) => ((PathValue)self).Text;

    private static NativeFunction Method(string name, Func<EvaluationContext, CallArguments, object?> body) => new($"Path.{name}", body);
}
