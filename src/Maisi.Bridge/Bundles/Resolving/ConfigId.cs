using System.Globalization;
using Maisi.Bridge.Bundles.Expressions;
using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Ids of config items: keys and indices joined by <c>::</c>, with <c>#</c> as the old separator. MONAI rewrites every <c>#</c> of every
/// string to <c>::</c>, even in plain text, and so does this.
/// </summary>
public static class ConfigId
{
    /// <summary>The separator.</summary>
    public const string Separator = "::";

    /// <summary>Longest id.</summary>
    private const int MaxLength = 1000;

    /// <summary>Longest text after relative ids in it were made absolute.</summary>
    private const int MaxExpanded = 1 << 20;

    /// <summary>Replaces the old separator.</summary>
    public static string Normalize(string id) => id.Contains('#') ? id.Replace("#", Separator, StringComparison.Ordinal) : id;

    /// <summary>The id of a child.</summary>
    public static string Child(string parent, object key)
    {
        var name = key as string ?? (key is NoneKey ? "None" : key is bool b ? b ? "True" : "False" : Convert.ToString(key, CultureInfo.InvariantCulture)!);
        if (parent.Length + name.Length > MaxLength)
        {
            throw new BundleException(BundleErrorKind.ValueError, $"an id with more than {MaxLength:N0} characters: '{(parent + Separator + name)[..60]}...'",
                hint: "shorten the keys: every item below repeats them");
        }
        return parent.Length == 0 ? name : $"{parent}{Separator}{name}";
    }

    /// <summary>The keys of an id; one empty key for the empty id.</summary>
    public static string[] Split(string id) => Normalize(id).Split(Separator);

    /// <summary>The id of the parent and the last key.</summary>
    public static (string Parent, string Key) SplitLast(string id)
    {
        var normal = Normalize(id);
        var at = normal.LastIndexOf(Separator, StringComparison.Ordinal);
        return at < 0 ? ("", normal) : (normal[..at], normal[(at + Separator.Length)..]);
    }

    /// <summary>
    /// Splits the text of a macro into a file and an id: <c>x.json::a</c> is file x.json and id a; text without a config suffix in front
    /// of a separator or at the end is an id only.
    /// </summary>
    public static (string Path, string Id) SplitPath(string text)
    {
        var normal = Normalize(text);
        var end = -1;
        // The last place where a suffix is followed by a separator or by the end.
        for (var at = normal.IndexOf('.'); at >= 0; at = normal.IndexOf('.', at + 1))
        {
            foreach (var suffix in Suffixes)
            {
                var after = at + suffix.Length;
                if (string.Compare(normal, at, suffix, 0, suffix.Length, StringComparison.OrdinalIgnoreCase) == 0
                    && (after == normal.Length || string.CompareOrdinal(normal, after, Separator, 0, Separator.Length) == 0))
                    end = after;
            }
        }
        if (end < 0)
            return ("", normal);
        var id = normal[end..];
        return (normal[..end], id.StartsWith(Separator, StringComparison.Ordinal) ? id[Separator.Length..] : "");
    }

    private static readonly string[] Suffixes = [".json", ".yaml", ".yml"];

    /// <summary>
    /// Makes the relative ids in a text absolute: after <c>@</c> or <c>%</c>, n separators mean n-1 levels above the container of the item.
    /// </summary>
    /// <param name="id">The id of the item that holds the text.</param>
    /// <param name="text">The text, also of expressions.</param>
    /// <param name="location">For the error.</param>
    public static string ResolveRelative(string id, string text, SourceLocation? location = null)
    {
        var value = Normalize(text);
        var prefixes = RelativePrefixes(value);
        if (prefixes is null)
            return value;
        var levels = id.Split(Separator);
        foreach (var prefix in prefixes)
        {
            var count = (prefix.Length - 1) / Separator.Length;
            if (count > levels.Length)
            {
                throw new BundleException(BundleErrorKind.ValueError, $"the relative id in `{value}` is out of the range of config content", location, id,
                    hint: $"{count} separators go {count - 1} level(s) above the container of this item, which has {levels.Length - 1} level(s) above it");
            }
            var replacement = prefix[0] + string.Concat(levels.Take(levels.Length - count).Select(l => l + Separator));
            if ((long)value.Split(prefix).Length * replacement.Length + value.Length > MaxExpanded)
                throw new BundleException(BundleErrorKind.MemoryError, "relative ids make the text longer than a million characters", location, id);
            value = value.Replace(prefix, replacement, StringComparison.Ordinal);
        }
        return value;
    }

    // "@::", "%::::" ...: longest first, as MONAI sorts them; null when there are none.
    private static List<string>? RelativePrefixes(string value)
    {
        SortedSet<string>? found = null;
        for (var at = value.IndexOfAny(['@', '%']); at >= 0; at = value.IndexOfAny(['@', '%'], at + 1))
        {
            var end = at + 1;
            while (string.CompareOrdinal(value, end, Separator, 0, Separator.Length) == 0)
                end += Separator.Length;
            if (end > at + 1)
                (found ??= new SortedSet<string>(StringComparer.Ordinal)).Add(value[at..end]);
        }
        return found?.Reverse().ToList();
    }

    /// <summary>The references of a text with how often each is there: any <c>@id</c> of an expression, or a text that is one reference.</summary>
    public static IReadOnlyDictionary<string, int> MatchReferences(string text)
    {
        // Keeps the order of insertion, since nothing is removed; its code for these types is part of the precompiled framework.
        var references = new Dictionary<string, int>(StringComparer.Ordinal);
        if (!text.Contains('@'))
            return references;
        var value = Normalize(text);
        var isExpression = value.StartsWith('$');
        for (var at = value.IndexOf('@'); at >= 0; at = value.IndexOf('@', at))
        {
            var end = Tokenizer.ReferenceEnd(value, at, value.Length);
            if (isExpression || end - at == value.Length)
            {
                var id = value[(at + 1)..end];
                references[id] = references.GetValueOrDefault(id) + 1;
            }
            at = end;
        }
        return references;
    }

    /// <summary>True for the characters of a name: Python's <c>\w</c>.</summary>
    public static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_' || (c > 127 && char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);

    /// <summary>The children of a node with their ids.</summary>
    internal static List<ConfigChild> Children(string id, ConfigNode node)
    {
        var children = new List<ConfigChild>();
        if (node is DictNode dict)
        {
            foreach (var (key, value) in dict.Entries)
                children.Add(new ConfigChild(key, Child(id, key), value));
        }
        else if (node is ListNode list)
        {
            foreach (var item in list.Items)
                children.Add(new ConfigChild((long)children.Count, Child(id, (long)children.Count), item));
        }
        return children;
    }
}

/// <summary>A child of a config node. A class, because generic code of value types is compiled anew in every process.</summary>
/// <param name="Key">Its key, or its index.</param>
/// <param name="Id">Its id.</param>
/// <param name="Node">Its node.</param>
internal sealed record ConfigChild(object Key, string Id, ConfigNode Node);
