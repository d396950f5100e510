using Maisi.Bridge.Bundles.Expressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Maisi.Bridge.Bundles.Parsing;

/// <summary>
/// YAML as MONAI reads it: PyYAML's safe loader (YAML 1.1 scalars) with a check for duplicate keys, which also refuses merge keys
/// (<c>&lt;&lt;</c>). Aliases are copied, within a budget, so that nested aliases cannot fill the memory.
/// </summary>
internal sealed class YamlConfigReader
{
    private const string QuoteHint = "text that starts with '@', '%' or '`', or holds ': ' or ' #', needs quotes in YAML";

    private readonly string _file;
    private readonly Action<string, SourceLocation> _duplicate;
    private readonly Parser _parser;
    private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);
    private readonly NodeBudget _budget = new();
    private int _nodes;

    private YamlConfigReader(string text, string file, Action<string, SourceLocation> duplicate)
    {
        _file = file;
        _duplicate = duplicate;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>Parses one document; an empty document is null, as in PyYAML.</summary>
    public static ConfigNode Parse(string text, string file, Action<string, SourceLocation> duplicate)
    {
        var reader = new YamlConfigReader(text, file, duplicate);
        try
        {
            return reader.Document();
        }
        catch (YamlException e)
        {
            var at = new SourceLocation(file, (int)e.Start.Line, (int)e.Start.Column);
            var kind = e is SyntaxErrorException ? BundleErrorKind.ScannerError : e is AnchorNotFoundException ? BundleErrorKind.ComposerError : BundleErrorKind.ParserError;
            throw new BundleException(kind, Clean(e.Message), at, hint: QuoteHint, inner: e);
        }
        catch (Exception e) when (e is not BundleException)
        {
            throw new BundleException(BundleErrorKind.ParserError, "the YAML is broken after this place", reader.LastPlace, hint: QuoteHint, inner: e);
        }
    }

    // YamlDotNet's scanner leaves some broken texts with an InvalidOperationException or the like instead of its own.
    private SourceLocation LastPlace => _parser.Current is { } current ? Here(current) : new SourceLocation(_file, 1, 1);

    private ConfigNode Document()
    {
        _parser.MoveNext();
        _parser.MoveNext();
        if (_parser.Current is StreamEnd)
            return new ScalarNode(new SourceLocation(_file, 1, 1), null);
        _parser.MoveNext();
        var node = Node(0);
        _parser.MoveNext();
        if (_parser.Current is DocumentEnd && _parser.MoveNext() && _parser.Current is DocumentStart)
            throw new BundleException(BundleErrorKind.ComposerError, "the file holds more than one YAML document", Here(_parser.Current), hint: "keep one document per file");
        return node;
    }

    // On entry the current event starts the node; on exit it is the node's last event.
    private ConfigNode Node(int depth)
    {
        var current = _parser.Current!;
        var location = Here(current);
        if (++_nodes > NodeBudget.DefaultLimit)
            throw new BundleException(BundleErrorKind.MemoryError, $"the document holds more than {NodeBudget.DefaultLimit:N0} values", location, hint: "write long lists as JSON");
        if (depth > ConfigNode.MaxDepth)
            throw new BundleException(BundleErrorKind.RecursionError, $"the document nests deeper than {ConfigNode.MaxDepth} levels", location);
        if (current is AnchorAlias alias)
        {
            return _anchors.TryGetValue(alias.Value.Value, out var named)
                ? named.Copy(_budget)
                : throw new BundleException(BundleErrorKind.ComposerError, $"the alias '*{alias.Value.Value}' names no anchor before it", location);
        }
        ConfigNode node = current switch
        {
            Scalar scalar => new ScalarNode(location, ScalarValue(scalar, location)),
            SequenceStart sequence => List(sequence, location, depth),
            MappingStart mapping => Dict(mapping, location, depth),
            _ => throw new BundleException(BundleErrorKind.ParserError, "a value is expected here", location),
        };
        if (current is NodeEvent { Anchor.IsEmpty: false } anchored)
            _anchors[anchored.Anchor.Value] = node;
        return node;
    }

    private ListNode List(SequenceStart start, SourceLocation location, int depth)
    {
        RefuseTag(start.Tag, "seq", location);
        var list = new ListNode(location, []);
        while (_parser.MoveNext() && _parser.Current is not SequenceEnd)
            list.Items.Add(Node(depth + 1));
        return list;
    }

    private DictNode Dict(MappingStart start, SourceLocation location, int depth)
    {
        RefuseTag(start.Tag, "map", location);
        var dict = new DictNode(location);
        while (_parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            var keyNode = Node(depth + 1);
            if (keyNode is not ScalarNode scalar)
                throw new BundleException(BundleErrorKind.ConstructorError, "a list or a mapping cannot be a key", keyNode.Location);
            var key = scalar.Value ?? NoneKey.Instance;
            _parser.MoveNext();
            var value = Node(depth + 1);
            if (dict.Entries.ContainsKey(key))
                _duplicate(key.ToString()!, keyNode.Location);
            dict.Entries[key] = value;
        }
        return dict;
    }

    private static object? ScalarValue(Scalar scalar, SourceLocation location)
    {
        var tag = scalar.Tag.IsEmpty ? null : scalar.Tag.Value;
        if (tag is null or "?")
        {
            if (scalar.Style != ScalarStyle.Plain)
                return scalar.Value;
            if (scalar.Value is "<<" or "=")
                throw UnknownTag(scalar.Value == "<<" ? "tag:yaml.org,2002:merge" : "tag:yaml.org,2002:value", location, "merge keys are not read by MONAI either: write the keys out, or use a '%' macro");
            return YamlScalars.Resolve(scalar.Value);
        }
        var resolved = YamlScalars.Resolve(scalar.Value);
        return (tag, resolved) switch
        {
            ("!" or "tag:yaml.org,2002:str", _) => scalar.Value,
            ("tag:yaml.org,2002:null", _) => null,
            ("tag:yaml.org,2002:bool", bool) => resolved,
            ("tag:yaml.org,2002:int", long or System.Numerics.BigInteger) => resolved,
            ("tag:yaml.org,2002:float", double) => resolved,
            ("tag:yaml.org,2002:float", long whole) => (double)whole,
            _ => throw UnknownTag(tag, location, "only the plain YAML types are read; a tag never makes an object"),
        };
    }

    private static void RefuseTag(TagName tag, string expected, SourceLocation location)
    {
        if (!tag.IsEmpty && tag.Value != "tag:yaml.org,2002:" + expected)
            throw UnknownTag(tag.Value, location, "only the plain YAML types are read; a tag never makes an object");
    }

    private static BundleException UnknownTag(string tag, SourceLocation location, string hint) =>
        new(BundleErrorKind.ConstructorError, $"could not determine a constructor for the tag '{tag}'", location, hint: hint);

    private SourceLocation Here(ParsingEvent e) => new(_file, (int)e.Start.Line, (int)e.Start.Column);

    private static string Clean(string message)
    {
        // YamlDotNet prefixes its messages with "(Line: 1, Col: 2, Idx: 3) - (...): "; the location is told apart.
        var colon = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
        return colon < 0 ? message : message[(colon + 3)..];
    }
}
