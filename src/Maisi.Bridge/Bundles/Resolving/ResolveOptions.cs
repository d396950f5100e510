namespace Maisi.Bridge.Bundles;

/// <summary>How values are resolved, as the keyword arguments of MONAI's <c>get_parsed_content</c>.</summary>
public sealed record ResolveOptions
{
    /// <summary>The defaults.</summary>
    public static ResolveOptions Default { get; } = new();

    /// <summary>False: a component is returned as its item and not made.</summary>
    public bool Instantiate { get; init; } = true;

    /// <summary>False: an expression is returned as its item and not evaluated.</summary>
    public bool EvaluateExpressions { get; init; } = true;

    /// <summary>True: <see cref="Default"/> is returned for an id that is not there.</summary>
    public bool HasFallback { get; init; }

    /// <summary>The value for an id that is not there.</summary>
    public object? Fallback { get; init; }
}
