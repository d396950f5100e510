using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// The arguments of a bundle command as MONAI takes them: <c>--key value</c>, <c>--key=value</c>, a bare <c>--flag</c>, positional values
/// for the first parameters, and an <c>args_file</c> with defaults. What is no option of the command overrides the config.
/// </summary>
public sealed class BundleArguments
{
    private const string ArgsFile = "args_file";

    private readonly DictValue _values = new();

    /// <summary>Reads command-line tokens.</summary>
    /// <param name="tokens">What stands after the command.</param>
    /// <param name="positional">The names of the positional parameters in order.</param>
    /// <param name="workingDirectory">Where <c>args_file</c> is looked for.</param>
    /// <exception cref="BundleException">Too many positional values, or a broken <c>args_file</c>.</exception>
    public static BundleArguments Parse(IReadOnlyList<string> tokens, IReadOnlyList<string> positional, string workingDirectory)
    {
        var given = new List<KeyValuePair<string, object?>>();
        var free = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (!IsFlag(token))
            {
                if (free == positional.Count)
                    throw new BundleException(BundleErrorKind.ValueError, $"unexpected argument '{token}'", hint: "values belong behind a --key; put a list in quotes: --config_file \"['a.json','b.json']\"");
                given.Add(KeyValuePair.Create(positional[free++], CommandLiteral.Parse(token)));
                continue;
            }
            var name = token.TrimStart('-');
            var equals = name.IndexOf('=', StringComparison.Ordinal);
            if (equals >= 0)
                given.Add(KeyValuePair.Create(Key(name[..equals]), CommandLiteral.Parse(name[(equals + 1)..])));
            else if (i + 1 < tokens.Count && !IsFlag(tokens[i + 1]))
                given.Add(KeyValuePair.Create(Key(name), CommandLiteral.Parse(tokens[++i])));
            else
                given.Add(KeyValuePair.Create(Key(name), (object?)true));
        }
        var arguments = new BundleArguments();
        if (given.FindLast(p => p.Key == ArgsFile).Value is string file)
            arguments.AddFile(file, workingDirectory);
        foreach (var (key, value) in given)
        {
            if (key != ArgsFile)
                Merge(arguments._values, key, value);
        }
        return arguments;
    }

    /// <summary>Takes an option out; null when it is not given.</summary>
    public object? Take(string name)
    {
        if (!_values.TryGetValue(name, out var value))
            return null;
        _values.Remove(name);
        return value;
    }

    /// <summary>Takes an option out as text; null when it is not given.</summary>
    /// <exception cref="BundleException">It is not a text.</exception>
    public string? TakeText(string name) => Take(name) switch
    {
        null => null,
        string text => text,
        // 0.4.5 stays text, but a version such as 1.0 is read as a number.
        double number => Representation.Float(number),
        long number => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        var other => throw new BundleException(BundleErrorKind.ValueError, $"--{name} needs a text, not a {PythonTypes.NameOf(other)}", hint: $"write --{name} VALUE"),
    };

    /// <summary>Takes an option that must be given.</summary>
    public string RequireText(string name) => TakeText(name)
        ?? throw new BundleException(BundleErrorKind.ValueError, $"--{name} is missing", hint: $"give --{name} VALUE, or put it into the args_file");

    /// <summary>Takes a flag out.</summary>
    public bool TakeFlag(string name) => Take(name) is true or "true" or 1L;

    /// <summary>Takes an option out that is one name or a list of names; empty when it is not given.</summary>
    public IReadOnlyList<string> TakeList(string name) => Take(name) switch
    {
        null => [],
        string text => [text],
        IEnumerable<object?> list => [.. list.Select(v => v as string ?? throw new BundleException(BundleErrorKind.ValueError, $"--{name} needs file names"))],
        var other => throw new BundleException(BundleErrorKind.ValueError, $"--{name} needs a file name, not a {PythonTypes.NameOf(other)}"),
    };

    /// <summary>What is left: overrides of the config by id.</summary>
    public IEnumerable<KeyValuePair<string, object?>> Overrides => _values.Select(p => KeyValuePair.Create((string)p.Key!, p.Value));

    /// <summary>Every argument, for the summary that is printed first.</summary>
    public IEnumerable<KeyValuePair<string, object?>> All => Overrides;

    private static bool IsFlag(string token) => token.StartsWith("--", StringComparison.Ordinal) || (token.Length > 1 && token[0] == '-' && char.IsAsciiLetter(token[1]));

    private static string Key(string name) => name.Replace('-', '_');

    private void AddFile(string file, string workingDirectory)
    {
        if (new ConfigFile(workingDirectory, static _ => { }).Load(file) is not DictNode { } dict)
            throw new BundleException(BundleErrorKind.ValueError, $"the args_file '{file}' is not a dict");
        foreach (var (key, node) in dict.Entries)
            _values[ConfigId.Child("", key)] = node.ToValue();
    }

    // As update_kwargs of monai/bundle/scripts.py: None changes nothing, dicts merge, '+key' extends.
    private static void Merge(DictValue into, string key, object? value)
    {
        if (value is null)
            return;
        if (value is DictValue given && into.TryGetValue(key, out var current) && current is DictValue existing)
        {
            foreach (var (k, v) in given)
                Merge(existing, k as string ?? ConfigId.Child("", NoneKey.Wrap(k)), v);
            return;
        }
        if (!key.StartsWith('+'))
        {
            into[key] = value;
            return;
        }
        var id = key[1..];
        into.TryGetValue(id, out var target);
        switch (target, value)
        {
            case (null, _):
                into[id] = value;
                break;
            case (DictValue a, DictValue b):
                foreach (var (k, v) in b)
                    a[k] = v;
                break;
            case (ListValue a, ListValue b):
                a.AddRange(b);
                break;
            default:
                throw new BundleException(BundleErrorKind.ValueError, $"config must be dict or list for key `{key}`, but got {PythonTypes.NameOf(value)}");
        }
    }
}
