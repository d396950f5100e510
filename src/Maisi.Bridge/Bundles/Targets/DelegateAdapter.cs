using System.Linq.Expressions;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>Makes a .NET delegate of a callable, so that a lambda of a config can serve as a callback. Each call has its own budget.</summary>
internal static class DelegateAdapter
{
    /// <summary>A delegate of a type that calls the callable.</summary>
    public static Delegate Create(Type type, Callable callable, EvaluationContext context)
    {
        var signature = type.GetMethod("Invoke")!;
        var parameters = signature.GetParameters().Select(p => Expression.Parameter(p.ParameterType)).ToArray();
        Func<object?[], object?> call = arguments =>
            ValueConverter.To(signature.ReturnType == typeof(void) ? typeof(object) : signature.ReturnType,
                callable.Call(context.WithBudget(new EvaluationBudget()), new CallArguments([.. arguments.Select(ValueConverter.From)])), $"the result of {callable.Name}", context);
        var packed = Expression.NewArrayInit(typeof(object), parameters.Select(p => Expression.Convert(p, typeof(object))));
        Expression body = Expression.Invoke(Expression.Constant(call), packed);
        if (signature.ReturnType != typeof(void))
            body = Expression.Convert(body, signature.ReturnType);
        return Expression.Lambda(type, body, parameters).Compile(preferInterpretation: true);
    }
}
