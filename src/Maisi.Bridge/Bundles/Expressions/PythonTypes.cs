using System.Numerics;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The Python names of values, for messages and <c>type()</c>.</summary>
public static class PythonTypes
{
    /// <summary>The Python name of a value's type.</summary>
    public static string NameOf(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or int or BigInteger => "int",
        double or float => "float",
        string => "str",
        ListValue => "list",
        TupleValue => "tuple",
        DictValue => "dict",
        SetValue => "set",
        RangeValue => "range",
        SliceValue => "slice",
        IteratorValue iterator => iterator.Kind,
        TypeValue => "type",
        Callable => "function",
        EllipsisValue => "ellipsis",
        ModuleValue => "module",
        _ => value.GetType().Name,
    };

    /// <summary>Python's truth of a value: empty containers, zero and None are false.</summary>
    public static bool IsTrue(object? value, EvaluationContext context) => value switch
    {
        null => false,
        bool b => b,
        string s => s.Length > 0,
        ListValue list => list.Count > 0,
        TupleValue tuple => tuple.Count > 0,
        DictValue dict => dict.Count > 0,
        SetValue set => set.Count > 0,
        RangeValue range => range.Count > 0,
        _ when Numbers.IsNumber(value) => Numbers.Compare(value, 0L) != 0,
        _ => context.Types.Find(value)?.IsTrue(value) ?? true,
    };

    /// <summary>Reads a value as a sequence; each item costs a step.</summary>
    public static IEnumerable<object?> Iterate(object? value, EvaluationContext context)
    {
        var items = value switch
        {
            string text => text.EnumerateRunes().Select(r => (object?)r.ToString()),
            DictValue dict => dict.Keys,
            ListValue or TupleValue or SetValue or RangeValue or IteratorValue => (IEnumerable<object?>)value,
            _ => context.Types.Find(value)?.Iterate(value!)
                ?? throw new BundleException(BundleErrorKind.TypeError, $"'{NameOf(value)}' object is not iterable"),
        };
        return Counted(items, context.Budget);
    }

    /// <summary>Python's <c>len</c>.</summary>
    public static long Length(object? value, EvaluationContext context) => value switch
    {
        string text => CharacterCount(text),
        ListValue list => list.Count,
        TupleValue tuple => tuple.Count,
        DictValue dict => dict.Count,
        SetValue set => set.Count,
        RangeValue range => range.Count,
        _ => context.Types.Find(value)?.Length(value!)
            ?? throw new BundleException(BundleErrorKind.TypeError, $"object of type '{NameOf(value)}' has no len()"),
    };

    /// <summary>Characters as Python counts them: a surrogate pair is one.</summary>
    public static int CharacterCount(string text) => text.Length - text.Count(char.IsHighSurrogate);

    private static IEnumerable<object?> Counted(IEnumerable<object?> items, EvaluationBudget budget)
    {
        foreach (var item in items)
        {
            budget.Step();
            yield return item;
        }
    }
}
