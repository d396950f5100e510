using System.Numerics;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Parsing;

/// <summary>A node of a config tree that knows where it was written.</summary>
/// <param name="location">The place in the file.</param>
public abstract class ConfigNode(SourceLocation location)
{
    /// <summary>How deep configs may nest; deeper ones are refused, as Python refuses them by its recursion limit.</summary>
    public const int MaxDepth = 200;

    /// <summary>The place in the file.</summary>
    public SourceLocation Location { get; } = location;

    /// <summary>The text of a string node; null for every other node.</summary>
    public string? Text => this is ScalarNode { Value: string text } ? text : null;

    /// <summary>True for a mapping with a <c>_target_</c> key, which becomes an object.</summary>
    public bool IsComponent => this is DictNode dict && dict.Entries.ContainsKey("_target_");

    /// <summary>True for a text that starts with <c>$</c>.</summary>
    public bool IsExpression => Text is { Length: > 0 } text && text[0] == '$';

    /// <summary>A copy that shares nothing with this node.</summary>
    /// <param name="budget">Counts the nodes, so that copies of copies cannot fill the memory.</param>
    public abstract ConfigNode Copy(NodeBudget budget);

    /// <summary>The plain value: scalars as they are, lists and dicts as <see cref="ListValue"/> and <see cref="DictValue"/>.</summary>
    public abstract object? ToValue();

    /// <summary>A tree of nodes from a plain value, as given by a command-line override.</summary>
    /// <param name="value">A scalar, <see cref="ListValue"/>, <see cref="TupleValue"/>, <see cref="DictValue"/> or any other object.</param>
    /// <param name="location">The location given to every node.</param>
    public static ConfigNode FromValue(object? value, SourceLocation location) => value switch
    {
        DictValue dict => new DictNode(location, dict.Select(p => KeyValuePair.Create(p.Key ?? NoneKey.Instance, FromValue(p.Value, location)))),
        ListValue list => new ListNode(location, list.Select(v => FromValue(v, location))),
        int small => new ScalarNode(location, (long)small),
        _ => new ScalarNode(location, value),
    };

    /// <summary>How the node is called in a message.</summary>
    public string KindName => this switch
    {
        DictNode => "dict",
        ListNode => "list",
        ScalarNode { Value: null } => "null",
        ScalarNode { Value: bool } => "bool",
        ScalarNode { Value: string } => "str",
        ScalarNode { Value: long or BigInteger } => "int",
        ScalarNode { Value: double } => "float",
        _ => "object",
    };
}

/// <summary>A null, boolean, number, string, or an object passed by the caller.</summary>
public sealed class ScalarNode(SourceLocation location, object? value) : ConfigNode(location)
{
    /// <summary>null, bool, long, BigInteger, double, string, or an object passed by the caller.</summary>
    public object? Value { get; } = value;

    /// <inheritdoc/>
    public override ConfigNode Copy(NodeBudget budget)
    {
        budget.Count(this);
        return this;
    }

    /// <inheritdoc/>
    public override object? ToValue() => Value;
}

/// <summary>A list.</summary>
public sealed class ListNode(SourceLocation location, IEnumerable<ConfigNode> items) : ConfigNode(location)
{
    /// <summary>The items in order.</summary>
    public List<ConfigNode> Items { get; } = [.. items];

    /// <inheritdoc/>
    public override ConfigNode Copy(NodeBudget budget)
    {
        budget.Count(this);
        return new ListNode(Location, Items.Select(i => i.Copy(budget)));
    }

    /// <inheritdoc/>
    public override object? ToValue() => new ListValue(Items.Select(i => i.ToValue()));
}

/// <summary>A mapping in the order of the file. Keys are strings in JSON; YAML also has numbers, booleans and null.</summary>
public sealed class DictNode : ConfigNode
{
    /// <param name="location">The place in the file.</param>
    /// <param name="entries">Keys and values; the last one of a duplicate key wins.</param>
    public DictNode(SourceLocation location, IEnumerable<KeyValuePair<object, ConfigNode>>? entries = null)
        : base(location)
    {
        foreach (var (key, value) in entries ?? [])
            Entries[key] = value;
    }

    /// <summary>The entries in order.</summary>
    public OrderedDictionary<object, ConfigNode> Entries { get; } = new(ValueComparer.Instance);

    /// <inheritdoc/>
    public override ConfigNode Copy(NodeBudget budget)
    {
        budget.Count(this);
        var copy = new DictNode(Location);
        foreach (var (key, node) in Entries)
            copy.Entries[key] = node.Copy(budget);
        return copy;
    }

    /// <inheritdoc/>
    public override object? ToValue()
    {
        var value = new DictValue();
        foreach (var (key, node) in Entries)
            value[NoneKey.Unwrap(key)] = node.ToValue();
        return value;
    }
}

/// <summary>Counts nodes that are made by copying, so that macros and YAML aliases of one another cannot fill the memory.</summary>
/// <param name="limit">How many nodes may be made.</param>
public sealed class NodeBudget(int limit = NodeBudget.DefaultLimit)
{
    /// <summary>Far above real bundles (the largest have some thousand nodes), and within tens of MB.</summary>
    public const int DefaultLimit = 250_000;

    /// <summary>How many nodes a file may hold: lists of training cases have some ten thousand, and a million takes 100 MB.</summary>
    public const int FileLimit = 1_000_000;

    private int _used;

    /// <summary>Counts one node and throws when there are too many.</summary>
    public void Count(ConfigNode node)
    {
        if (++_used > limit)
        {
            throw new BundleException(
                BundleErrorKind.MemoryError, $"macros or aliases expand to more than {limit:N0} config nodes", node.Location,
                hint: "a '%' macro and a YAML alias copy what they name: refer with '@id' where the same object is meant");
        }
    }
}
