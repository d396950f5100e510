using System.Reflection;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>Binds Python arguments to the parameters of a C# constructor or method, with types checked.</summary>
internal static class ArgumentBinder
{
    /// <summary>The values for the parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="function">The name for messages.</param>
    /// <param name="arguments">The Python arguments.</param>
    /// <param name="context">For callbacks made of lambdas.</param>
    /// <param name="services">Gives parameters of service types; may be null.</param>
    /// <exception cref="BundleException">TypeError: an unknown, missing, doubled or ill-typed argument.</exception>
    public static object?[] Bind(ParameterInfo[] parameters, string function, CallArguments arguments, EvaluationContext context, IServiceProvider? services)
    {
        var bindable = parameters.Where(p => !IsService(p)).ToArray();
        if (arguments.Positional.Count > bindable.Length)
            throw new BundleException(BundleErrorKind.TypeError, $"{function}() takes {bindable.Length} argument(s) but {arguments.Positional.Count} were given");
        var given = new Dictionary<ParameterInfo, object?>();
        for (var i = 0; i < arguments.Positional.Count; i++)
            given[bindable[i]] = arguments.Positional[i];
        foreach (var (name, value) in arguments.Named)
        {
            var parameter = bindable.FirstOrDefault(p => SnakeCase.Matches(name, p.Name!))
                ?? throw new BundleException(BundleErrorKind.TypeError, $"{function}() got an unexpected keyword argument '{name}'", hint: Unknown(name, bindable));
            if (!given.TryAdd(parameter, value))
                throw new BundleException(BundleErrorKind.TypeError, $"{function}() got multiple values for argument '{name}'");
        }
        return [.. parameters.Select(p => Value(p, given, function, context, services))];
    }

    /// <summary>True for parameters that come from the service provider and not from the config.</summary>
    public static bool IsService(ParameterInfo parameter) =>
        parameter.ParameterType == typeof(CancellationToken)
        || parameter.ParameterType == typeof(EvaluationContext)
        || parameter.ParameterType == typeof(TimeProvider)
        || parameter.ParameterType.Namespace == "Microsoft.Extensions.Logging"
        || (parameter.ParameterType.IsGenericType && parameter.ParameterType.GetGenericTypeDefinition() == typeof(IProgress<>));

    private static object? Value(ParameterInfo parameter, Dictionary<ParameterInfo, object?> given, string function, EvaluationContext context, IServiceProvider? services)
    {
        if (given.TryGetValue(parameter, out var value))
            return ValueConverter.To(parameter.ParameterType, value, $"{function}(): '{SnakeCase.From(parameter.Name!)}'", context);
        if (parameter.ParameterType == typeof(EvaluationContext))
            return context;
        if (IsService(parameter) && services?.GetService(parameter.ParameterType) is { } service)
            return service;
        if (parameter.HasDefaultValue)
            return parameter.DefaultValue is null && parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : parameter.DefaultValue;
        if (parameter.ParameterType == typeof(TimeProvider))
            return TimeProvider.System;
        throw new BundleException(BundleErrorKind.TypeError, $"{function}() missing required argument: '{SnakeCase.From(parameter.Name!)}'");
    }

    private static string Unknown(string name, ParameterInfo[] parameters)
    {
        var names = parameters.Select(p => SnakeCase.From(p.Name!)).ToList();
        return Suggestion.For(name, names) ?? (names.Count == 0 ? "it takes no arguments" : $"it takes: {string.Join(", ", names)}");
    }
}
