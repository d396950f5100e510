namespace Maisi.Bridge.Bundles;

/// <summary>The kinds of bundle errors, under the names of the Python exceptions that MONAI raises in the same place.</summary>
public enum BundleErrorKind
{
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NameError,
    SyntaxError,
    ZeroDivisionError,
    OverflowError,
    RuntimeError,
    RecursionError,
    MemoryError,
    TimeoutError,
    FileNotFoundError,
    PermissionError,
    ModuleNotFoundError,
    ImportError,
    JSONDecodeError,
    ScannerError,
    ParserError,
    ComposerError,
    ConstructorError,
    StopIteration,
}

/// <summary>
/// An error of a bundle: what is wrong, the place as <c>file:line:column</c>, the id, and the chain of references that led there.
/// </summary>
public sealed class BundleException : MaisiException
{
    /// <param name="kind">The kind, named as in Python.</param>
    /// <param name="message">What is wrong, in one sentence.</param>
    /// <param name="location">The place in the file; null when there is none, as for a missing file.</param>
    /// <param name="id">The id of the config item at fault.</param>
    /// <param name="chain">The ids from the one that was asked for to the one at fault.</param>
    /// <param name="hint">What to do about it.</param>
    /// <param name="inner">The cause; an evaluation error keeps the failing operation here, as MONAI does.</param>
    public BundleException(
        BundleErrorKind kind,
        string message,
        SourceLocation? location = null,
        string? id = null,
        IReadOnlyList<string>? chain = null,
        string? hint = null,
        Exception? inner = null)
        : base(message, Describe(location, id, chain), hint, inner)
    {
        Kind = kind;
        Location = location;
        Id = id;
        Chain = chain is null ? [] : [.. chain];
    }

    /// <summary>The kind, named as in Python.</summary>
    public BundleErrorKind Kind { get; }

    /// <summary>The place in the file, when there is one.</summary>
    public SourceLocation? Location { get; }

    /// <summary>The id of the config item at fault.</summary>
    public string? Id { get; }

    /// <summary>The ids from the one that was asked for to the one at fault.</summary>
    public IReadOnlyList<string> Chain { get; }

    private static string? Describe(SourceLocation? location, string? id, IReadOnlyList<string>? chain)
    {
        var parts = new List<string>();
        if (location is { } at)
            parts.Add(at.ToString());
        if (!string.IsNullOrEmpty(id))
            parts.Add($"id '{id}'");
        if (chain is { Count: > 1 })
            parts.Add("reached through " + string.Join(" -> ", Shorten(chain)));
        return parts.Count == 0 ? null : string.Join(", ", parts);
    }

    private static IEnumerable<string> Shorten(IReadOnlyList<string> chain)
    {
        const int shown = 8;
        var named = chain.Select(c => c.Length == 0 ? "(whole config)" : c);
        return chain.Count <= shown ? named : [.. named.Take(shown / 2), "...", .. named.TakeLast(shown / 2)];
    }
}
