using System.Collections;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>Converts between Python values and .NET parameters.</summary>
internal static class ValueConverter
{
    /// <summary>A Python value as a .NET type.</summary>
    /// <param name="type">The type of the parameter.</param>
    /// <param name="value">The Python value.</param>
    /// <param name="what">The argument, for messages.</param>
    /// <param name="context">For lambdas that become delegates.</param>
    /// <exception cref="BundleException">TypeError or ValueError when it does not fit.</exception>
    public static object? To(Type type, object? value, string what, EvaluationContext context)
    {
        if (value is null)
        {
            return !type.IsValueType || Nullable.GetUnderlyingType(type) is not null
                ? null
                : throw Mismatch(type, value, what);
        }
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsInstanceOfType(value))
            return value;
        if (type == typeof(bool))
            return value is bool ? value : throw Mismatch(type, value, what);
        if (type == typeof(string))
            return context.Types.Find(value) is { } behaviour && behaviour.ToPlain(value) is string text ? text : throw Mismatch(type, value, what);
        if (type.IsEnum)
            return Enumeration(type, value, what);
        if (type.IsPrimitive)
            return Number(type, value, what);
        if (typeof(Delegate).IsAssignableFrom(type) && value is Callable callable)
            return DelegateAdapter.Create(type, callable, context);
        if (type.IsArray)
            return Array(type.GetElementType()!, value, what, context);
        if (type.IsGenericType && Generic(type, value, what, context) is { } converted)
            return converted;
        throw Mismatch(type, value, what);
    }

    /// <summary>A .NET result as a Python value.</summary>
    public static object? From(object? value) => value switch
    {
        null or string or bool or long or double or ListValue or DictValue or TupleValue or SetValue or Callable => value,
        sbyte or byte or short or ushort or int or uint => Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture),
        ulong big => Numbers.Normalize(big),
        float single => (double)single,
        Enum => SnakeCase.From(value.ToString()!),
        IDictionary dict => new DictValue(dict.Cast<DictionaryEntry>().Select(e => KeyValuePair.Create(From(e.Key), From(e.Value)))),
        System.Runtime.CompilerServices.ITuple tuple => new TupleValue([.. Enumerable.Range(0, tuple.Length).Select(i => From(tuple[i]))]),
        Array array when array.Rank == 1 => new ListValue(array.Cast<object?>().Select(From)),
        IList list => new ListValue(list.Cast<object?>().Select(From)),
        _ => value,
    };

    private static object Enumeration(Type type, object value, string what)
    {
        if (value is string name && Enum.GetNames(type).FirstOrDefault(n => SnakeCase.Matches(name, n)) is { } found)
            return Enum.Parse(type, found);
        var names = Enum.GetNames(type).Select(SnakeCase.From).ToList();
        throw new BundleException(BundleErrorKind.ValueError, $"{what} is {Show(value)}, but must be one of {string.Join(", ", names)}", hint: value is string s ? Suggestion.For(s, names) : null);
    }

    private static object Number(Type type, object value, string what)
    {
        if (value is bool || !Numbers.IsNumber(value))
            throw Mismatch(type, value, what);
        if (type == typeof(double) || type == typeof(float))
            return Convert.ChangeType(Numbers.ToDouble(value), type, System.Globalization.CultureInfo.InvariantCulture);
        if (!Numbers.IsInteger(value))
            throw Mismatch(type, value, what);
        try
        {
            return Convert.ChangeType(Numbers.ToLong(value), type, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            throw new BundleException(BundleErrorKind.OverflowError, $"{what} is {value}, which does not fit {Describe(type)}");
        }
    }

    private static Array Array(Type element, object value, string what, EvaluationContext context)
    {
        var items = Items(value, context) ?? throw Mismatch(element.MakeArrayType(), value, what);
        var array = System.Array.CreateInstance(element, items.Count);
        for (var i = 0; i < items.Count; i++)
            array.SetValue(To(element, items[i], $"{what}[{i}]", context), i);
        return array;
    }

    private static object? Generic(Type type, object value, string what, EvaluationContext context)
    {
        var arguments = type.GetGenericArguments();
        if (arguments.Length == 1)
        {
            var array = arguments[0].MakeArrayType();
            if (type.IsAssignableFrom(array))
                return Array(arguments[0], value, what, context);
            if (type == typeof(List<>).MakeGenericType(arguments))
                return Activator.CreateInstance(type, Array(arguments[0], value, what, context));
        }
        if (arguments.Length == 2 && value is DictValue dict)
        {
            var concrete = typeof(Dictionary<,>).MakeGenericType(arguments);
            if (!type.IsAssignableFrom(concrete))
                return null;
            var result = (IDictionary)Activator.CreateInstance(concrete)!;
            foreach (var (key, item) in dict)
                result[To(arguments[0], key, $"{what} key", context)!] = To(arguments[1], item, $"{what}[{Show(key)}]", context);
            return result;
        }
        if (typeof(System.Runtime.CompilerServices.ITuple).IsAssignableFrom(type) && Items(value, context) is { } items && items.Count == arguments.Length)
            return Activator.CreateInstance(type, [.. items.Select((v, i) => To(arguments[i], v, $"{what}[{i}]", context))]);
        return null;
    }

    private static IReadOnlyList<object?>? Items(object value, EvaluationContext context) =>
        value is ListValue or TupleValue or RangeValue ? [.. PythonTypes.Iterate(value, context)] : null;

    private static BundleException Mismatch(Type type, object? value, string what) =>
        new(BundleErrorKind.TypeError, $"{what} is {Show(value)}, but must be {Describe(type)}");

    /// <summary>A .NET type in Python's words.</summary>
    public static string Describe(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return $"{Describe(inner)} or None";
        if (type == typeof(bool))
            return "a bool";
        if (type == typeof(string))
            return "a string";
        if (type == typeof(double) || type == typeof(float))
            return "a number";
        if (type.IsPrimitive)
            return "a whole number";
        if (type.IsEnum)
            return $"one of {string.Join(", ", Enum.GetNames(type).Select(SnakeCase.From))}";
        if (typeof(Delegate).IsAssignableFrom(type))
            return "a function";
        var element = type.IsArray ? type.GetElementType() : type.IsGenericType && type.GetGenericArguments() is [var only] ? only : null;
        return element is not null ? $"a list ({Describe(element)} each)" : type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) ? "a dict" : $"a {type.Name}";
    }

    private static string Show(object? value) => value switch
    {
        null => "None",
        string text => Representation.Quote(text.Length > 40 ? text[..40] + "..." : text),
        bool or long or double => PythonTypes.NameOf(value) + " " + (value is double d ? Representation.Float(d) : value is bool b ? b ? "True" : "False" : value),
        _ => $"a {PythonTypes.NameOf(value)}",
    };
}
