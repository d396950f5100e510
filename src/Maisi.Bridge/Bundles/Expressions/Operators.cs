namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Python's operators on values.</summary>
internal static class Operators
{
    /// <summary><c>-x</c>, <c>+x</c>, <c>~x</c>, <c>not x</c>.</summary>
    public static object? Unary(string op, object? value, EvaluationContext context)
    {
        if (op == "not")
            return !PythonTypes.IsTrue(value, context);
        if (Numbers.IsInteger(value))
            return op switch { "-" => Numbers.Normalize(-Numbers.ToBig(value)), "~" => Numbers.Normalize(-Numbers.ToBig(value) - 1), _ => Numbers.Normalize(Numbers.ToBig(value)) };
        if (value is double or float && op != "~")
            return op == "-" ? -Numbers.ToDouble(value) : Numbers.ToDouble(value);
        if (value is not null && context.Types.Find(value) is { } behaviour && behaviour.TryBinary(value, op == "-" ? "*" : "+", op == "-" ? -1L : 0L, false, out var result))
            return result;
        throw new BundleException(BundleErrorKind.TypeError, $"bad operand type for unary {op}: '{PythonTypes.NameOf(value)}'");
    }

    /// <summary>An arithmetic or bit operator.</summary>
    public static object? Binary(string op, object? a, object? b, EvaluationContext context)
    {
        if (Numbers.IsNumber(a) && Numbers.IsNumber(b))
        {
            return a is bool x && b is bool y && op is "&" or "|" or "^"
                ? Numbers.Arithmetic(op, a, b) is not 0L
                : Numbers.Arithmetic(op, a, b);
        }
        switch (op)
        {
            case "+" when a is string s && b is string t:
                context.Budget.Take(s.Length + t.Length);
                return s + t;
            case "+" when a is ListValue p && b is ListValue q:
                context.Budget.Take(p.Count + q.Count);
                return new ListValue(p.Concat(q));
            case "+" when a is TupleValue p && b is TupleValue q:
                context.Budget.Take(p.Count + q.Count);
                return new TupleValue([.. p, .. q]);
            case "*" when Numbers.IsInteger(b) && Repeat(a, b, context) is { } repeated:
                return repeated;
            case "*" when Numbers.IsInteger(a) && Repeat(b, a, context) is { } repeated:
                return repeated;
            case "%" when a is string format:
                return PercentFormat.Format(format, b, context);
            case "|" when a is DictValue p && b is DictValue q:
                context.Budget.Take(p.Count + q.Count);
                return new DictValue(p.Concat(q));
        }
        if (a is SetValue left && b is SetValue right && SetOperation(op, left, right, context) is { } set)
            return set;
        if (a is not null && context.Types.Find(a) is { } own && own.TryBinary(a, op, b, false, out var result))
            return result;
        if (b is not null && context.Types.Find(b) is { } other && other.TryBinary(b, op, a, true, out result))
            return result;
        throw new BundleException(BundleErrorKind.TypeError, $"unsupported operand type(s) for {op}: '{PythonTypes.NameOf(a)}' and '{PythonTypes.NameOf(b)}'");
    }

    private static object? Repeat(object? value, object? count, EvaluationContext context)
    {
        var n = (int)Math.Clamp(Numbers.ToLong(count), 0, int.MaxValue);
        switch (value)
        {
            case string text:
                context.Budget.Take((long)text.Length * n);
                return string.Concat(Enumerable.Repeat(text, text.Length == 0 ? 0 : n));
            case ListValue list:
                context.Budget.Take((long)list.Count * n);
                return new ListValue(Enumerable.Repeat(list, list.Count == 0 ? 0 : n).SelectMany(l => l));
            case TupleValue tuple:
                context.Budget.Take((long)tuple.Count * n);
                return new TupleValue([.. Enumerable.Repeat(tuple, tuple.Count == 0 ? 0 : n).SelectMany(l => l)]);
            default:
                return null;
        }
    }

    private static SetValue? SetOperation(string op, SetValue a, SetValue b, EvaluationContext context)
    {
        context.Budget.Take(a.Count + b.Count);
        return op switch
        {
            "|" => new SetValue(a.Concat(b)),
            "&" => new SetValue(a.Where(b.Contains)),
            "-" => new SetValue(a.Where(v => !b.Contains(v))),
            "^" => new SetValue(a.Where(v => !b.Contains(v)).Concat(b.Where(v => !a.Contains(v)))),
            _ => null,
        };
    }

    /// <summary>A comparison; objects such as tensors may answer with an object.</summary>
    public static object? Compare(string op, object? a, object? b, EvaluationContext context)
    {
        switch (op)
        {
            case "is" or "is not":
                return IsSame(a, b) == (op == "is");
            case "in" or "not in":
                return Contains(a, b, context) == (op == "in");
        }
        foreach (var (self, other, reflected) in new[] { (a, b, false), (b, a, true) })
        {
            if (self is not null && context.Types.Find(self) is { } behaviour && behaviour.TryBinary(self, op, other, reflected, out var result))
                return result;
        }
        if (op is "==" or "!=")
            return ValueComparer.AreEqual(a, b, context.Budget) == (op == "==");
        return Order(a, b, op, context) is { } order
            && op switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    /// <summary>Negative, 0 or positive; null when NaN is involved.</summary>
    /// <exception cref="BundleException">The values have no order.</exception>
    public static int? Order(object? a, object? b, string op, EvaluationContext context)
    {
        context.Budget.Step();
        if (Numbers.IsNumber(a) && Numbers.IsNumber(b))
            return Numbers.Compare(a, b);
        if (a is string s && b is string t)
            return string.CompareOrdinal(s, t);
        if ((a is ListValue && b is ListValue) || (a is TupleValue && b is TupleValue))
        {
            var (x, y) = ((IReadOnlyList<object?>)a, (IReadOnlyList<object?>)b);
            for (var i = 0; i < Math.Min(x.Count, y.Count); i++)
            {
                if (!ValueComparer.AreEqual(x[i], y[i], context.Budget))
                    return Order(x[i], y[i], op, context);
            }
            return x.Count.CompareTo(y.Count);
        }
        throw new BundleException(BundleErrorKind.TypeError, $"'{op}' not supported between instances of '{PythonTypes.NameOf(a)}' and '{PythonTypes.NameOf(b)}'");
    }

    private static bool IsSame(object? a, object? b) =>
        ReferenceEquals(a, b) || (a is bool p && b is bool q && p == q) || (a is long x && b is long y && x == y) || (a is string s && b is string t && s == t);

    private static bool Contains(object? item, object? container, EvaluationContext context) => container switch
    {
        string text => item is string part
            ? StringMethods.IndexOf(context, text, part) >= 0
            : throw new BundleException(BundleErrorKind.TypeError, $"'in <string>' requires string as left operand, not {PythonTypes.NameOf(item)}"),
        DictValue dict => dict.ContainsKey(item),
        SetValue set => set.Contains(item),
        RangeValue range when Numbers.IsInteger(item) => range.Count > 0 && (Numbers.ToLong(item) - range.Start) % range.Step == 0
            && (Numbers.ToLong(item) - range.Start) / range.Step is var index && index >= 0 && index < range.Count,
        _ => PythonTypes.Iterate(container, context).Any(v => ValueComparer.AreEqual(v, item, context.Budget)),
    };
}
