using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>How an item of a config is made.</summary>
public enum ItemSupport
{
    /// <summary>By registered targets and expressions.</summary>
    Native,

    /// <summary>By the Python worker.</summary>
    Python,

    /// <summary>Not at all: it names something that is not registered, and Python is not allowed.</summary>
    Unsupported,
}

/// <summary>One line of an explanation.</summary>
/// <param name="Id">The id of the item.</param>
/// <param name="Support">How it is made.</param>
/// <param name="What">The target or the expression.</param>
/// <param name="Location">Where it is written.</param>
/// <param name="Reason">The names that are not registered, or the .NET type of a native target.</param>
public sealed record ItemExplanation(string Id, ItemSupport Support, string What, SourceLocation Location, string? Reason);

/// <summary>Tells for every component and expression of a config, without evaluating it, whether it runs natively.</summary>
public static class BundleExplainer
{
    /// <summary>Explains every component and expression in the order of the files.</summary>
    /// <param name="parser">The parser with everything read.</param>
    /// <param name="registry">The targets there are.</param>
    /// <param name="pythonAllowed">What is not native goes to Python instead of being unsupported.</param>
    public static IReadOnlyList<ItemExplanation> Explain(ConfigParser parser, TargetRegistry registry, bool pythonAllowed)
    {
        var globals = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, module) in StandardImports.Names)
            globals[name] = registry.Import(module);
        var items = parser.Items.Values.Where(i => i.Kind != ConfigItemKind.Value).ToList();
        foreach (var item in items.Where(i => i.Node.Text is { } text && ImportStatement.IsImport(text)))
        {
            var import = ImportStatement.Parse(item.Node.Text![1..]);
            globals[import.Name] = import.Member is null ? registry.Import(import.Module)
                : registry.TryLocate($"{import.Module}.{import.Member}", out var member) ? member : new ModuleValue($"{import.Module}.{import.Member}") { IsRegistered = false };
        }
        var context = new EvaluationContext { Globals = globals, Builtins = registry.Builtins, Types = registry.Types };
        var missing = pythonAllowed ? ItemSupport.Python : ItemSupport.Unsupported;
        return [.. items.Select(i => i.Kind == ConfigItemKind.Component ? Component(i, registry, missing) : Expression(i, globals, context, missing))
            .OrderBy(e => e.Location.File, StringComparer.Ordinal).ThenBy(e => e.Location.Line).ThenBy(e => e.Location.Column)];
    }

    private static ItemExplanation Component(ConfigItem item, TargetRegistry registry, ItemSupport missing)
    {
        var target = ((Parsing.DictNode)item.Node).Entries["_target_"].Text;
        if (target is null || target.StartsWith('$') || target.StartsWith('@'))
            return new ItemExplanation(item.Id, ItemSupport.Native, target ?? "(callable)", item.Node.Location, "a callable of this config");
        return registry.TryLocate(target, out var found)
            ? new ItemExplanation(item.Id, ItemSupport.Native, target, item.Node.Location, (found as TargetType)?.Type.Name)
            : new ItemExplanation(item.Id, missing, target, item.Node.Location, registry.Suggest(target) ?? "not registered");
    }

    private static ItemExplanation Expression(ConfigItem item, Dictionary<string, object?> globals, EvaluationContext context, ItemSupport missing)
    {
        var text = item.Node.Text!;
        try
        {
            if (ImportStatement.IsImport(text))
            {
                var import = ImportStatement.Parse(text[1..]);
                var known = globals[import.Name] is not ModuleValue { IsRegistered: false };
                // An unknown import alone does no harm: MONAI and this resolver complain when it is used.
                return new ItemExplanation(item.Id, ItemSupport.Native, text, item.Node.Location, known ? null : "not registered; an error only where it is used");
            }
            var problems = ExpressionAudit.Problems(ExpressionParser.Parse(text[1..]), globals, context);
            return problems.Count == 0
                ? new ItemExplanation(item.Id, ItemSupport.Native, text, item.Node.Location, null)
                : new ItemExplanation(item.Id, missing, text, item.Node.Location, $"not registered: {string.Join(", ", problems.Distinct())}");
        }
        catch (BundleException e)
        {
            return new ItemExplanation(item.Id, missing, text, item.Node.Location, e.Message);
        }
    }
}

/// <summary>The modules that every expression of MONAI sees without an import.</summary>
internal static class StandardImports
{
    /// <summary>Name and module.</summary>
    public static (string Name, string Module)[] Names { get; } = [("monai", "monai"), ("torch", "torch"), ("np", "numpy"), ("numpy", "numpy")];
}
