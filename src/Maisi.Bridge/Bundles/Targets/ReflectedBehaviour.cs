using System.Reflection;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// Offers the public properties and methods that a type declares itself, under snake_case names. What it inherits is not offered, so
/// there is no way to <c>GetType</c> or to methods of a base library that write files.
/// </summary>
/// <param name="type">The type.</param>
/// <param name="fallback">Offers further names, as for every network; may be null.</param>
public sealed class ReflectedBehaviour(Type type, TypeBehaviour? fallback = null) : TypeBehaviour
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private readonly Lazy<Dictionary<string, MemberInfo[]>> _members = new(() => Collect(type));

    /// <inheritdoc/>
    public override Type Type => type;

    /// <inheritdoc/>
    public override IEnumerable<string> AttributeNames => _members.Value.Keys.Concat(fallback?.AttributeNames ?? []);

    /// <inheritdoc/>
    public override bool TryGetAttribute(object self, string name, out object? value)
    {
        if (!_members.Value.TryGetValue(name, out var members))
        {
            value = null;
            return fallback is not null && fallback.TryGetAttribute(self, name, out value);
        }
        value = members[0] switch
        {
            PropertyInfo property => ValueConverter.From(property.GetValue(self)),
            FieldInfo field => ValueConverter.From(field.GetValue(self)),
            _ => new NativeFunction($"{type.Name}.{name}", (context, arguments) => Call(self, name, [.. members.OfType<MethodInfo>()], context, arguments)),
        };
        return true;
    }

    /// <inheritdoc/>
    public override bool TryBinary(object self, string op, object? other, bool reflected, out object? result)
    {
        result = null;
        return fallback is not null && fallback.TryBinary(self, op, other, reflected, out result);
    }

    /// <inheritdoc/>
    public override bool TryIndex(object self, object? index, out object? value)
    {
        value = null;
        return fallback is not null && fallback.TryIndex(self, index, out value);
    }

    /// <inheritdoc/>
    public override bool TryCall(object self, EvaluationContext context, CallArguments arguments, out object? result)
    {
        result = null;
        return fallback is not null && fallback.TryCall(self, context, arguments, out result);
    }

    private static object? Call(object self, string name, MethodInfo[] methods, EvaluationContext context, CallArguments arguments)
    {
        // Overloads: the first that binds; the error of the longest is shown when none does.
        BundleException? first = null;
        foreach (var method in methods.OrderByDescending(m => m.GetParameters().Length))
        {
            object?[] bound;
            try
            {
                bound = ArgumentBinder.Bind(method.GetParameters(), name, arguments, context, null);
            }
            catch (BundleException e)
            {
                first ??= e;
                continue;
            }
            return ValueConverter.From(method.Invoke(self, bound));
        }
        throw first!;
    }

    private static Dictionary<string, MemberInfo[]> Collect(Type type) => type.GetMembers(Declared)
        .Where(m => m is PropertyInfo { GetMethod: not null } or FieldInfo or MethodInfo { IsSpecialName: false, IsGenericMethod: false })
        .Where(m => m.Name is not ("Dispose" or "GetHashCode" or "Equals" or "ToString" or "Deconstruct" or "<Clone>$"))
        .GroupBy(m => SnakeCase.From(m.Name), StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
}
