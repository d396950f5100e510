using System.Globalization;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>A config tree addressed by ids: reading, setting, merging of files.</summary>
internal sealed class ConfigTree
{
    private const char MergePrefix = '+';

    /// <summary>The key under which the metadata stand.</summary>
    public const string MetaKey = "_meta_";

    /// <summary>The whole config.</summary>
    public ConfigNode Root { get; private set; } = new DictNode(SourceLocation.Caller);

    /// <summary>Counts up with every change, so that resolved values can be dropped.</summary>
    public int Version { get; private set; }

    /// <summary>The node of an id.</summary>
    /// <exception cref="BundleException">KeyError with the nearest key, IndexError, or ValueError when the path runs through a scalar.</exception>
    public ConfigNode Get(string id, SourceLocation? location = null)
    {
        var node = Root;
        if (id.Length == 0)
            return node;
        foreach (var key in ConfigId.Split(id))
        {
            node = node switch
            {
                DictNode dict => Lookup(dict, key, location),
                ListNode list => list.Items[Index(list, key, location)],
                _ => throw new BundleException(BundleErrorKind.ValueError, $"config must be dict or list for key `{key}`, but got {node.KindName}", location ?? node.Location, id),
            };
        }
        return node;
    }

    /// <summary>The node of an id; null when there is none.</summary>
    public ConfigNode? Find(string id)
    {
        try
        {
            return Get(id);
        }
        catch (BundleException)
        {
            return null;
        }
    }

    /// <summary>Sets the node of an id; its parent must exist.</summary>
    public void Set(string id, ConfigNode node)
    {
        Version++;
        if (id.Length == 0)
        {
            Root = node;
            return;
        }
        var (parentId, key) = ConfigId.SplitLast(id);
        var parent = Get(parentId, node.Location);
        switch (parent)
        {
            case DictNode dict:
                dict.Entries[key] = node;
                break;
            case ListNode list:
                list.Items[Index(list, key, node.Location, "list assignment index out of range")] = node;
                break;
            default:
                throw new BundleException(BundleErrorKind.TypeError, $"cannot set '{key}' of a {parent.KindName}", node.Location, id,
                    hint: $"'{parentId}' is not a dict or a list");
        }
    }

    /// <summary>Merges a file into the tree: each top-level key replaces, a key with <c>+</c> merges dicts and joins lists.</summary>
    public void Merge(DictNode file)
    {
        foreach (var (key, node) in file.Entries)
        {
            var name = key as string ?? ConfigId.Child("", key);
            if (!name.StartsWith(MergePrefix))
            {
                Set(name, node);
                continue;
            }
            var id = name[1..];
            var target = Find(id);
            switch (target, node)
            {
                case (null, _):
                    Set(id, node);
                    break;
                case (DictNode into, DictNode from):
                    foreach (var (k, v) in from.Entries)
                        into.Entries[k] = v;
                    Version++;
                    break;
                case (ListNode into, ListNode from):
                    into.Items.AddRange(from.Items);
                    Version++;
                    break;
                default:
                    throw new BundleException(BundleErrorKind.ValueError, $"config must be dict or list for key `{name}`, but got {node.KindName}", node.Location, id,
                        hint: $"'+' merges into a {target.KindName} written at {target.Location}; both must be dicts or both lists");
            }
        }
    }

    /// <summary>Resolves relative ids and macros in place, children first.</summary>
    /// <param name="macro">Gives the node of a macro text (without <c>%</c>).</param>
    public void ResolveMacros(Func<string, string, ConfigNode, ConfigNode> macro)
    {
        Version++;
        Root = ResolveMacros(Root, "", macro);
    }

    private static ConfigNode ResolveMacros(ConfigNode node, string id, Func<string, string, ConfigNode, ConfigNode> macro)
    {
        switch (node)
        {
            case DictNode dict:
                for (var i = 0; i < dict.Entries.Count; i++)
                {
                    var (key, value) = dict.Entries.GetAt(i);
                    dict.Entries.SetAt(i, ResolveMacros(value, ConfigId.Child(id, key), macro));
                }
                return dict;
            case ListNode list:
                for (var i = 0; i < list.Items.Count; i++)
                    list.Items[i] = ResolveMacros(list.Items[i], ConfigId.Child(id, i), macro);
                return list;
            case ScalarNode { Value: string text }:
                var resolved = ConfigId.ResolveRelative(id, text, node.Location);
                if (resolved.StartsWith('%'))
                    return macro(resolved[1..], id, node);
                return resolved == text ? node : new ScalarNode(node.Location, resolved);
            default:
                return node;
        }
    }

    private static ConfigNode Lookup(DictNode dict, string key, SourceLocation? location)
    {
        // MONAI looks keys up without the blanks around them.
        if (dict.Entries.TryGetValue(key.Trim(), out var node))
            return node;
        var known = dict.Entries.Keys.Select(k => ConfigId.Child("", k)).ToList();
        throw new BundleException(BundleErrorKind.KeyError, $"query key: {key}", location ?? dict.Location, hint: Suggestion.For(key, known)
            ?? (known.Count == 0 ? "the dict there is empty" : $"there are: {string.Join(", ", known.Take(8))}{(known.Count > 8 ? ", ..." : "")}"));
    }

    private static int Index(ListNode list, string key, SourceLocation? location, string message = "list index out of range")
    {
        if (!int.TryParse(key.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
            throw new BundleException(BundleErrorKind.KeyError, $"query key: {key}", location ?? list.Location, hint: "the item there is a list: use an index");
        if (index < 0)
            index += list.Items.Count;
        return index >= 0 && index < list.Items.Count
            ? index
            : throw new BundleException(BundleErrorKind.IndexError, message, location ?? list.Location, hint: $"the list has {list.Items.Count} item(s)");
    }
}
