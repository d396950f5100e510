using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>What a config item becomes.</summary>
public enum ConfigItemKind
{
    /// <summary>A plain value.</summary>
    Value,

    /// <summary>A <c>$</c> expression (ConfigExpression in MONAI).</summary>
    Expression,

    /// <summary>A dict with <c>_target_</c> (ConfigComponent in MONAI).</summary>
    Component,
}

/// <summary>An item of a parsed config.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Node">Its node.</param>
public sealed record ConfigItem(string Id, ConfigNode Node)
{
    /// <summary>What it becomes.</summary>
    public ConfigItemKind Kind { get; } = Node.IsComponent ? ConfigItemKind.Component : Node.IsExpression ? ConfigItemKind.Expression : ConfigItemKind.Value;
}
