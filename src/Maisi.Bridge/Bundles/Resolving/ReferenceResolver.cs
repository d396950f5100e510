using System.Runtime.CompilerServices;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Resolves config items lazily and once: references first, then the item itself. The order and the caching are those of MONAI's
/// <c>ReferenceResolver</c> (monai/bundle/reference_resolver.py).
/// </summary>
internal sealed class ReferenceResolver
{
    private const int MaxChain = 200;
    private const int MaxCharacters = 16 << 20;
    private const int MaxVisits = 1_000_000;

    private readonly Dictionary<string, ConfigItem> _items = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object?> _resolved = new(StringComparer.Ordinal);
    private readonly List<ConfigItem> _imports = [];
    private readonly List<string> _path = [];
    private readonly HashSet<string> _waiting = new(StringComparer.Ordinal);
    private readonly IItemMaker _maker;
    private long _characters;
    private int _visits;

    /// <param name="root">The config after macros are resolved.</param>
    /// <param name="maker">Evaluates expressions and makes components.</param>
    public ReferenceResolver(ConfigNode root, IItemMaker maker)
    {
        _maker = maker;
        Add("", root);
    }

    /// <summary>True once anything is resolved.</summary>
    public bool HasResolved => _resolved.Count > 0;

    /// <summary>The items by id.</summary>
    public IReadOnlyDictionary<string, ConfigItem> Items => _items;

    /// <summary>Forgets the value of one item, so that it is made again.</summary>
    public void Remove(string id) => _resolved.Remove(ConfigId.Normalize(id));

    /// <summary>The value of an item.</summary>
    public object? Resolve(string id, ResolveOptions options)
    {
        _path.Clear();
        _waiting.Clear();
        return ResolveOne(ConfigId.Normalize(id), options);
    }

    // Children before their parents, as MONAI adds them; the first item of an id stays.
    private void Add(string id, ConfigNode node)
    {
        foreach (var (_, childId, child) in ConfigId.Children(id, node))
            Add(childId, child);
        _characters += id.Length;
        if (_characters > MaxCharacters)
            throw new BundleException(BundleErrorKind.MemoryError, $"the ids of the config have more than {MaxCharacters:N0} characters in all", node.Location, hint: "shorten the keys, or nest less");
        var item = new ConfigItem(id, node);
        if (_items.TryAdd(id, item) && item.Kind == ConfigItemKind.Expression && ImportStatement.IsImport(node.Text!))
            _imports.Add(item);
    }

    private object? ResolveOne(string id, ResolveOptions options)
    {
        if (_resolved.TryGetValue(id, out var done))
            return done;
        if (!_items.TryGetValue(id.Trim(), out var item))
        {
            if (options.HasFallback)
                return options.Fallback;
            throw new BundleException(BundleErrorKind.KeyError, $"id='{id}' is not found in the config", hint: Nearest(id));
        }
        if (_path.Count >= MaxChain || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new BundleException(BundleErrorKind.RecursionError, $"a chain of more than {MaxChain} references", item.Node.Location, id, _path);
        _path.Add(id);
        _waiting.Add(id);
        foreach (var import in _imports)
        {
            if (!_resolved.ContainsKey(import.Id))
                _resolved[import.Id] = options.EvaluateExpressions ? _maker.Evaluate(import, this, _path) : import;
        }
        foreach (var (reference, from) in References(item))
        {
            if (_waiting.Contains(reference))
            {
                throw new BundleException(BundleErrorKind.ValueError, $"detected circular references '{reference}' for id='{id}' in the config content", from.Location, id,
                    [.. _path, reference], hint: reference.Length == 0 ? "a bare '@' refers to the whole config" : "an item cannot need itself: break the circle at one of these ids");
            }
            if (_resolved.ContainsKey(reference))
                continue;
            if (!_items.ContainsKey(reference.Trim()))
            {
                if (_maker.AllowMissingReference)
                    continue;
                throw new BundleException(BundleErrorKind.ValueError, $"the referring item `@{reference}` is not defined in the config content", from.Location, id, _path, hint: Nearest(reference));
            }
            ResolveOne(reference, options);
            _waiting.Remove(reference);
        }
        var value = Make(item, options);
        _resolved[id] = value;
        _path.RemoveAt(_path.Count - 1);
        return value;
    }

    private object? Make(ConfigItem item, ResolveOptions options)
    {
        switch (item.Kind)
        {
            case ConfigItemKind.Expression:
                return options.EvaluateExpressions ? _maker.Evaluate(item, this, _path) : item;
            case ConfigItemKind.Component when !options.Instantiate:
                return item;
            case ConfigItemKind.Component:
                return _maker.Instantiate(item, (DictValue)Build(item.Node, item.Id)!, _path);
            default:
                return Build(item.Node, item.Id);
        }
    }

    /// <summary>The value of a reference, which is resolved already.</summary>
    public object? ValueOf(string id, ConfigItem user) => _resolved.TryGetValue(id, out var value)
        ? value
        : throw new BundleException(BundleErrorKind.KeyError, $"cannot find expected ID '{id}' in the references", user.Node.Location, user.Id, _path);

    // The references of an item in MONAI's order: nested components and expressions are references to themselves.
    private OrderedDictionary<string, ConfigNode> References(ConfigItem item)
    {
        var found = new OrderedDictionary<string, ConfigNode>(StringComparer.Ordinal);
        Collect(item.Node, item.Id, found);
        return found;
    }

    private void Collect(ConfigNode node, string id, OrderedDictionary<string, ConfigNode> found)
    {
        // Every component looks through all that is below it, as in MONAI: many levels above many values take quadratic time.
        if (++_visits > MaxVisits)
            throw new BundleException(BundleErrorKind.TimeoutError, "components nest too deep above too many values", node.Location, id);
        if (node.Text is { } text)
        {
            foreach (var reference in ConfigId.MatchReferences(text).Keys)
                found.TryAdd(reference, node);
            return;
        }
        foreach (var (_, childId, child) in ConfigId.Children(id, node))
        {
            if (child.IsComponent || child.IsExpression)
                found.TryAdd(childId, child);
            Collect(child, childId, found);
        }
    }

    // The value of a node with references put in. Components that gave null (disabled ones) are left out of lists and dicts.
    private object? Build(ConfigNode node, string id)
    {
        switch (node)
        {
            case DictNode dict:
                var entries = new DictValue();
                foreach (var (key, childId, child) in ConfigId.Children(id, dict))
                {
                    if (TryBuildChild(child, childId, out var value))
                        entries[NoneKey.Unwrap(key)] = value;
                }
                return entries;
            case ListNode list:
                var items = new ListValue();
                foreach (var (_, childId, child) in ConfigId.Children(id, list))
                {
                    if (TryBuildChild(child, childId, out var value))
                        items.Add(value);
                }
                return items;
            case ScalarNode { Value: string text } when text.StartsWith('@') && ConfigId.MatchReferences(text) is { Count: > 0 } references:
                return _resolved.TryGetValue(references.Keys.First(), out var referred) ? referred : text;
            default:
                return node.ToValue();
        }
    }

    private bool TryBuildChild(ConfigNode child, string id, out object? value)
    {
        if (!child.IsComponent && !child.IsExpression)
        {
            value = Build(child, id);
            return true;
        }
        value = _resolved[id];
        return value is not null || !child.IsComponent;
    }

    private string? Nearest(string id) => Suggestion.For(id, _items.Keys);
}

/// <summary>Makes the values of items; the resolver decides when.</summary>
internal interface IItemMaker
{
    /// <summary>True: a missing reference is left as it is.</summary>
    bool AllowMissingReference { get; }

    /// <summary>Evaluates an expression or an import.</summary>
    object? Evaluate(ConfigItem item, ReferenceResolver resolver, IReadOnlyList<string> chain);

    /// <summary>Makes a component from its resolved arguments.</summary>
    object? Instantiate(ConfigItem item, DictValue arguments, IReadOnlyList<string> chain);
}
