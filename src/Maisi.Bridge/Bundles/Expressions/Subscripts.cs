namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>Indexing and slicing.</summary>
internal static class Subscripts
{
    /// <summary><c>value[index]</c>.</summary>
    public static object? Get(object? value, object? index, EvaluationContext context)
    {
        switch (value)
        {
            case DictValue dict:
                if (dict.TryGetValue(index, out var found))
                    return found;
                throw new BundleException(BundleErrorKind.KeyError, $"{Representation.Repr(index, context)}: no such key",
                    hint: index is string name && Suggestion.For(name, dict.Keys.OfType<string>()) is { } near ? near
                        : $"there are: {string.Join(", ", dict.Keys.Take(8).Select(k => Representation.Repr(k, context)))}{(dict.Count > 8 ? ", ..." : "")}");
            case ListValue list:
                return Items(list, index, context) is { } many ? new ListValue(many) : list[Position(index, list.Count, "list")];
            case TupleValue tuple:
                return Items(tuple, index, context) is { } some ? new TupleValue([.. some]) : tuple[Position(index, tuple.Count, "tuple")];
            case string text:
                return Text(text, index, context);
            case RangeValue range:
                return index is SliceValue
                    ? new ListValue(Items(context.Budget.Collect(range), index, context)!)
                    : range.Start + Position(index, (int)Math.Min(range.Count, int.MaxValue), "range") * range.Step;
            case ModuleValue { IsRegistered: false } module:
                throw Members.NotRegistered(module);
        }
        if (value is not null && context.Types.Find(value) is { } behaviour && behaviour.TryIndex(value, index, out var result))
            return result;
        throw new BundleException(BundleErrorKind.TypeError, $"'{PythonTypes.NameOf(value)}' object is not subscriptable");
    }

    private static string Text(string text, object? index, EvaluationContext context)
    {
        if (index is not SliceValue && !text.Any(char.IsSurrogate))
            return text[Position(index, text.Length, "string")].ToString();
        var characters = text.EnumerateRunes().Select(r => (object?)r.ToString()).ToList();
        return Items(characters, index, context) is { } some
            ? string.Concat(some)
            : (string)characters[Position(index, characters.Count, "string")]!;
    }

    private static int Position(object? index, int count, string kind)
    {
        if (!Numbers.IsInteger(index))
            throw new BundleException(BundleErrorKind.TypeError, $"{kind} indices must be integers or slices, not {PythonTypes.NameOf(index)}");
        var position = Numbers.ToBig(index);
        if (position.Sign < 0)
            position += count;
        return position.Sign >= 0 && position < count
            ? (int)position
            : throw new BundleException(BundleErrorKind.IndexError, $"{kind} index out of range", hint: $"it has {count} item(s)");
    }

    // The items of a slice; null when the index is not a slice.
    private static List<object?>? Items(IReadOnlyList<object?> items, object? index, EvaluationContext context)
    {
        if (index is not SliceValue slice)
            return null;
        var step = slice.Step is null ? 1 : Numbers.ToLong(slice.Step);
        if (step == 0)
            throw new BundleException(BundleErrorKind.ValueError, "slice step cannot be zero");
        long n = items.Count;
        var start = Bound(slice.Start, n, step, step > 0 ? 0 : n - 1);
        var stop = Bound(slice.Stop, n, step, step > 0 ? n : -1);
        var result = new List<object?>();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step)
        {
            context.Budget.Take(1);
            result.Add(items[(int)i]);
            if (Math.Abs(step) > n)
                break;
        }
        return result;
    }

    private static long Bound(object? value, long n, long step, long fallback)
    {
        if (value is null)
            return fallback;
        if (!Numbers.IsInteger(value))
            throw new BundleException(BundleErrorKind.TypeError, "slice indices must be integers or None");
        var bound = Numbers.ToBig(value);
        if (bound.Sign < 0)
            bound += n;
        var (low, high) = step > 0 ? (0L, n) : (-1L, n - 1);
        return bound < low ? low : bound > high ? high : (long)bound;
    }
}
