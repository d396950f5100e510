using System.Reflection;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>A .NET type under a Python path: a call makes an object, its arguments bound to the constructor by name.</summary>
/// <param name="path">The Python path.</param>
/// <param name="type">The type.</param>
/// <param name="services">Gives parameters that the config does not; may be null.</param>
public sealed class TargetType(string path, Type type, IServiceProvider? services) : Callable
{
    private readonly ConstructorInfo _constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).FirstOrDefault()
        ?? throw new ArgumentException($"{type} has no public constructor", nameof(type));

    /// <inheritdoc/>
    public override string Name => path;

    /// <summary>The .NET type.</summary>
    public Type Type => type;

    /// <summary>The parameters, under their Python names.</summary>
    public IEnumerable<(string Name, ParameterInfo Parameter)> Parameters =>
        _constructor.GetParameters().Where(p => !ArgumentBinder.IsService(p)).Select(p => (SnakeCase.From(p.Name!), p));

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments) =>
        _constructor.Invoke(ArgumentBinder.Bind(_constructor.GetParameters(), path, arguments, context, services));
}
