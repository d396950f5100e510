namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>
/// A Python module or package with the names that are registered. Members are made when first asked for, so that a config that never
/// touches torch never loads it.
/// </summary>
/// <param name="path">The dotted path.</param>
public sealed class ModuleValue(string path)
{
    private readonly Dictionary<string, Lazy<object?>> _members = new(StringComparer.Ordinal);

    /// <summary>The dotted path.</summary>
    public string Path => path;

    /// <summary>False for an import that is not registered: any use of it is an error.</summary>
    public bool IsRegistered { get; init; } = true;

    /// <summary>The names of the members.</summary>
    public IEnumerable<string> Names => _members.Keys;

    /// <summary>Adds or replaces a member.</summary>
    public void Add(string name, Func<object?> make) => _members[name] = new Lazy<object?>(make);

    /// <summary>Adds a function.</summary>
    public void Add(string name, Func<EvaluationContext, CallArguments, object?> body)
    {
        var function = new NativeFunction(path.Length == 0 ? name : $"{path}.{name}", body);
        _members[name] = new Lazy<object?>(function);
    }

    /// <summary>Reads a member; false when there is none.</summary>
    public bool TryGet(string name, out object? value)
    {
        var found = _members.TryGetValue(name, out var member);
        value = found ? member!.Value : null;
        return found;
    }

    /// <summary>The submodule of a name, made when it is not there.</summary>
    public ModuleValue Submodule(string name)
    {
        if (TryGet(name, out var existing) && existing is ModuleValue module)
            return module;
        var made = new ModuleValue(path.Length == 0 ? name : $"{path}.{name}");
        Add(name, () => made);
        return made;
    }
}
