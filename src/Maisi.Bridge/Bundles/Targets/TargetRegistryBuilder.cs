using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>Collects what a registry offers; later entries of the same path replace earlier ones.</summary>
public sealed class TargetRegistryBuilder
{
    private readonly List<TypeBehaviour> _behaviours = [];
    private readonly List<Action<TargetRegistry>> _entries = [];

    /// <summary>Services for constructor parameters that the config does not give, such as loggers.</summary>
    public IServiceProvider? Services { get; init; }

    /// <summary>A registry with the standard modules.</summary>
    public static TargetRegistry Standard() => new TargetRegistryBuilder().AddStandard().Build();

    /// <summary>Adds a target type. Its constructor is bound by name: <c>num_train_timesteps</c> gives <c>numTrainTimesteps</c>.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="path">The Python path, such as "monai.networks.schedulers.ddpm.DDPMScheduler".</param>
    public TargetRegistryBuilder AddTarget<T>(string path) => AddTarget(path, static () => typeof(T));

    /// <summary>Adds a target type that is looked at when first used, so that its libraries are not loaded before.</summary>
    /// <param name="path">The Python path.</param>
    /// <param name="type">Gives the type.</param>
    public TargetRegistryBuilder AddTarget(string path, Func<Type> type)
    {
        _entries.Add(r => r.AddTarget(path, () => new TargetType(path, type(), Services)));
        return this;
    }

    /// <summary>Adds a target made by a function, for arguments that no constructor can bind.</summary>
    /// <param name="path">The Python path.</param>
    /// <param name="make">Makes the callable when first used.</param>
    public TargetRegistryBuilder AddTarget(string path, Func<Callable> make)
    {
        _entries.Add(r => r.AddTarget(path, make));
        return this;
    }

    /// <summary>Adds a function.</summary>
    /// <param name="path">The Python path, such as "scripts.sample.check_input".</param>
    /// <param name="body">What it does.</param>
    public TargetRegistryBuilder AddFunction(string path, Func<EvaluationContext, CallArguments, object?> body)
    {
        var (module, name) = Split(path);
        _entries.Add(r => r.Module(module).Add(name, body));
        return this;
    }

    /// <summary>Adds a value, made when first used.</summary>
    public TargetRegistryBuilder AddValue(string path, Func<object?> make)
    {
        var (module, name) = Split(path);
        _entries.Add(r => r.Module(module).Add(name, make));
        return this;
    }

    /// <summary>Makes a module known, even when it is empty.</summary>
    public TargetRegistryBuilder AddModule(string path)
    {
        _entries.Add(r => r.Module(path));
        return this;
    }

    /// <summary>Adds what expressions may do with objects of a type.</summary>
    public TargetRegistryBuilder AddBehaviour(TypeBehaviour behaviour)
    {
        _behaviours.Add(behaviour);
        return this;
    }

    /// <summary>Makes the registry.</summary>
    public TargetRegistry Build()
    {
        var registry = new TargetRegistry(_behaviours);
        foreach (var entry in _entries)
            entry(registry);
        return registry;
    }

    private static (string Module, string Name) Split(string path)
    {
        var at = path.LastIndexOf('.');
        return at > 0 ? (path[..at], path[(at + 1)..]) : throw new ArgumentException("a path has a module and a name", nameof(path));
    }
}
