using System.Reflection;
using System.Runtime.CompilerServices;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// A class that takes its many arguments as one record: each keyword argument sets the property of its name, and what the record
/// requires must be given.
/// </summary>
/// <param name="path">The Python path.</param>
/// <param name="settings">The record, with a constructor without parameters.</param>
/// <param name="make">Makes the object.</param>
public sealed class SettingsTarget(string path, Type settings, Func<object, EvaluationContext, object> make) : Callable
{
    /// <inheritdoc/>
    public override string Name => path;

    /// <summary>The record of the arguments.</summary>
    public Type Settings => settings;

    /// <inheritdoc/>
    public override object? Call(EvaluationContext context, CallArguments arguments)
    {
        if (arguments.Positional.Count > 0)
            throw new BundleException(BundleErrorKind.TypeError, $"{path}() takes keyword arguments only");
        var properties = settings.GetProperties().Where(p => p.CanWrite).ToDictionary(p => SnakeCase.From(p.Name), StringComparer.Ordinal);
        var record = RuntimeHelpers.GetUninitializedObject(settings);
        settings.GetConstructor(Type.EmptyTypes)!.Invoke(record, null);
        foreach (var (name, value) in arguments.Named)
        {
            if (!properties.TryGetValue(name, out var property))
            {
                throw new BundleException(BundleErrorKind.TypeError, $"{path}() got an unexpected keyword argument '{name}'",
                    hint: Suggestion.For(name, properties.Keys) ?? $"it takes: {string.Join(", ", properties.Keys)}");
            }
            property.SetValue(record, ValueConverter.To(property.PropertyType, value, $"{path}(): '{name}'", context));
        }
        var missing = properties.Where(p => p.Value.GetCustomAttribute<RequiredMemberAttribute>() is not null && !arguments.Named.ContainsKey(p.Key)).Select(p => p.Key).ToList();
        return missing.Count == 0 ? make(record, context)
            : throw new BundleException(BundleErrorKind.TypeError, $"{path}() missing required argument(s): {string.Join(", ", missing)}");
    }
}
