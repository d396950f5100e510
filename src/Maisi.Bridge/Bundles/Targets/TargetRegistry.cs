using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// The closed world that configs can name: Python-style modules with functions, values and target types. Nothing outside it is ever
/// loaded or run.
/// </summary>
public sealed class TargetRegistry
{
    private readonly Dictionary<string, ModuleValue> _roots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _shortNames = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<Callable>> _targets = new(StringComparer.Ordinal);

    internal TargetRegistry(IReadOnlyList<TypeBehaviour> behaviours)
    {
        Types = new TypeTable(behaviours);
        Builtins = Expressions.Builtins.Create();
        _roots["builtins"] = Builtins;
    }

    /// <summary>What expressions may do with objects.</summary>
    public TypeTable Types { get; }

    /// <summary>The builtin functions and types.</summary>
    public ModuleValue Builtins { get; }

    /// <summary>The paths of all target types, in order.</summary>
    public IEnumerable<string> TargetPaths => _targets.Keys.Order(StringComparer.Ordinal);

    /// <summary>The top-level modules.</summary>
    public IEnumerable<string> Roots => _roots.Keys;

    /// <summary>A module by its dotted path, made when it is not there.</summary>
    internal ModuleValue Module(string path)
    {
        var parts = path.Split('.');
        if (!_roots.TryGetValue(parts[0], out var module))
            _roots[parts[0]] = module = new ModuleValue(parts[0]);
        foreach (var part in parts.Skip(1))
            module = module.Submodule(part);
        return module;
    }

    /// <summary>Adds a target under its full path and under the packages above it, which MONAI re-exports.</summary>
    internal void AddTarget(string path, Func<Callable> make)
    {
        var lazy = new Lazy<Callable>(make);
        _targets[path] = () => lazy.Value;
        var parts = path.Split('.');
        var name = parts[^1];
        // monai.networks.schedulers.ddpm.DDPMScheduler is also monai.networks.schedulers.DDPMScheduler, but not monai.DDPMScheduler.
        var shortest = parts[0] == "monai" && parts.Length > 4 ? parts.Length - 2 : parts.Length - 1;
        for (var depth = parts.Length - 1; depth >= shortest; depth--)
            Module(string.Join('.', parts.Take(depth))).Add(name, () => lazy.Value);
        if (parts[0] != "monai")
            return;
        if (!_shortNames.TryGetValue(name, out var paths))
            _shortNames[name] = paths = [];
        paths.Add(path);
    }

    /// <summary>What a <c>_target_</c> names: a full path, or the name of a MONAI class alone.</summary>
    /// <param name="target">The text of <c>_target_</c>.</param>
    /// <param name="value">A callable, a module or a value.</param>
    public bool TryLocate(string target, out object? value)
    {
        if (_shortNames.TryGetValue(target, out var paths))
        {
            value = _targets[paths[0]]();
            return true;
        }
        var parts = target.Split('.');
        value = null;
        if (!_roots.TryGetValue(parts[0], out var module))
        {
            // A bare name is a builtin, as for pydoc.locate.
            return parts.Length == 1 && Builtins.TryGet(target, out value);
        }
        value = module;
        for (var i = 1; i < parts.Length; i++)
        {
            if (value is not ModuleValue at || !at.TryGet(parts[i], out value))
            {
                // Attributes of values, as in math.pi.real.
                return false;
            }
        }
        return true;
    }

    /// <summary>A module for an import; an empty unregistered one when it is not known, whose use is an error.</summary>
    public ModuleValue Import(string path) =>
        TryLocate(path, out var value) && value is ModuleValue module ? module : new ModuleValue(path) { IsRegistered = false };

    /// <summary>The names nearest to an unknown target.</summary>
    public string? Suggest(string target)
    {
        var name = target[(target.LastIndexOf('.') + 1)..];
        return target.Contains('.') && _shortNames.TryGetValue(name, out var paths)
            ? $"did you mean '{paths[0]}'?"
            : Suggestion.For(target, TargetPaths) ?? Suggestion.For(name, _shortNames.Keys);
    }

    /// <summary>The target types with their paths.</summary>
    internal IEnumerable<(string Path, Callable Target)> Targets() => TargetPaths.Select(p => (p, _targets[p]()));
}
