namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The methods of lists, dicts, tuples and sets.</summary>
internal static class ContainerMethods
{
    private static readonly Dictionary<string, Func<EvaluationContext, ListValue, CallArguments, object?>> ListMethods = new(StringComparer.Ordinal)
    {
        ["append"] = (c, l, a) => Change(c, 1, () => l.Add(a.Required(0, "object", "append"))),
        ["extend"] = (c, l, a) => Change(c, 0, () => l.AddRange(c.Budget.Collect(PythonTypes.Iterate(a.Required(0, "iterable", "extend"), c)))),
        ["insert"] = (c, l, a) => Change(c, 1, () => l.Insert(Clamp(l, Numbers.ToLong(a.Required(0, "index", "insert"))), a.Required(1, "object", "insert"))),
        ["pop"] = (_, l, a) => Pop(l, a.Optional(0, null, -1L)),
        ["remove"] = (c, l, a) => Remove(c, l, a.Required(0, "value", "remove")),
        ["clear"] = (c, l, _) => Change(c, 0, l.Clear),
        ["reverse"] = (c, l, _) => Change(c, 0, l.Reverse),
        ["sort"] = (c, l, a) => Change(c, 0, () => Sort(c, l, a)),
        ["copy"] = (c, l, _) => c.Budget.Collect(l),
        ["index"] = (c, l, a) => IndexOf(c, l, a),
        ["count"] = (c, l, a) => CountOf(c, l, a),
    };

    private static readonly Dictionary<string, Func<EvaluationContext, DictValue, CallArguments, object?>> DictMethods = new(StringComparer.Ordinal)
    {
        ["get"] = (_, d, a) => d.TryGetValue(a.Required(0, "key", "get"), out var value) ? value : a.Optional(1, "default"),
        ["keys"] = (c, d, _) => c.Budget.Collect(d.Keys),
        ["values"] = (c, d, _) => c.Budget.Collect(d.Values),
        ["items"] = (c, d, _) => c.Budget.Collect(d.Select(p => new TupleValue(p.Key, p.Value))),
        ["copy"] = (c, d, _) => { c.Budget.Take(d.Count); return new DictValue(d); },
        ["update"] = Update,
        ["setdefault"] = (c, d, a) => SetDefault(c, d, a),
        ["pop"] = (c, d, a) => PopKey(c, d, a),
    };

    private static readonly Dictionary<string, Func<EvaluationContext, object, CallArguments, object?>> SequenceMethods = new(StringComparer.Ordinal)
    {
        ["index"] = (c, s, a) => IndexOf(c, PythonTypes.Iterate(s, c), a),
        ["count"] = (c, s, a) => CountOf(c, PythonTypes.Iterate(s, c), a),
        ["union"] = (c, s, a) => new SetValue(c.Budget.Collect(PythonTypes.Iterate(s, c).Concat(a.Positional.SelectMany(o => PythonTypes.Iterate(o, c))))),
        ["intersection"] = (c, s, a) => Operators.Binary("&", Set(s, c), Set(a.Required(0, "other", "intersection"), c), c),
        ["difference"] = (c, s, a) => Operators.Binary("-", Set(s, c), Set(a.Required(0, "other", "difference"), c), c),
        ["issubset"] = (c, s, a) => Set(a.Required(0, "other", "issubset"), c) is var other && Set(s, c).All(other.Contains),
        ["issuperset"] = (c, s, a) => Set(s, c) is var own && Set(a.Required(0, "other", "issuperset"), c).All(own.Contains),
    };

    /// <summary>The names of the methods of lists.</summary>
    public static IEnumerable<string> ListNames => ListMethods.Keys;

    /// <summary>The names of the methods of dicts.</summary>
    public static IEnumerable<string> DictNames => DictMethods.Keys;

    /// <summary><c>dict.fromkeys</c>.</summary>
    public static NativeFunction FromKeys { get; } = new("dict.fromkeys", (c, a) =>
        new DictValue(c.Budget.Collect(PythonTypes.Iterate(a.Required(0, "iterable", "fromkeys"), c)).Select(k => KeyValuePair.Create(k, a.Optional(1, "value")))));

    /// <summary>A method of lists; null when there is none.</summary>
    public static Func<EvaluationContext, ListValue, CallArguments, object?>? OfList(string name) => ListMethods.GetValueOrDefault(name);

    /// <summary>A method of dicts; null when there is none.</summary>
    public static Func<EvaluationContext, DictValue, CallArguments, object?>? OfDict(string name) => DictMethods.GetValueOrDefault(name);

    /// <summary>A method of tuples, sets and ranges; null when there is none.</summary>
    public static Func<EvaluationContext, object, CallArguments, object?>? OfSequence(string name) => SequenceMethods.GetValueOrDefault(name);

    /// <summary>Sorts in place with <c>key</c> and <c>reverse</c>; equal items keep their order.</summary>
    public static void Sort(EvaluationContext context, ListValue list, CallArguments arguments)
    {
        var key = arguments.Optional(1, "key");
        var reverse = PythonTypes.IsTrue(arguments.Optional(2, "reverse", false), context);
        var keyed = list.Select(v => (Key: key is null ? v : Evaluator.Invoke(key, new CallArguments(v), context), Value: v)).ToList();
        var comparer = Comparer<object?>.Create((a, b) => Operators.Order(a, b, "<", context) ?? 0);
        var sorted = reverse ? keyed.OrderByDescending(p => p.Key, comparer) : keyed.OrderBy(p => p.Key, comparer);
        var values = sorted.Select(p => p.Value).ToList();
        list.Clear();
        list.AddRange(values);
    }

    private static SetValue Set(object? value, EvaluationContext context) => value as SetValue ?? new SetValue(context.Budget.Collect(PythonTypes.Iterate(value, context)));

    private static object? Change(EvaluationContext context, int cells, Action change)
    {
        context.Budget.Take(cells);
        change();
        return null;
    }

    private static int Clamp(ListValue list, long index) => (int)Math.Clamp(index < 0 ? index + list.Count : index, 0, list.Count);

    private static object? Pop(ListValue list, object? index)
    {
        if (list.Count == 0)
            throw new BundleException(BundleErrorKind.IndexError, "pop from empty list");
        var position = Numbers.ToLong(index) is var i && i < 0 ? i + list.Count : i;
        if (position < 0 || position >= list.Count)
            throw new BundleException(BundleErrorKind.IndexError, "pop index out of range");
        var value = list[(int)position];
        list.RemoveAt((int)position);
        return value;
    }

    private static object? Remove(EvaluationContext context, ListValue list, object? value)
    {
        var index = list.FindIndex(v => ValueComparer.AreEqual(v, value, context.Budget));
        if (index < 0)
            throw new BundleException(BundleErrorKind.ValueError, "list.remove(x): x not in list");
        list.RemoveAt(index);
        return null;
    }

    private static long IndexOf(EvaluationContext context, IEnumerable<object?> items, CallArguments arguments)
    {
        var wanted = arguments.Required(0, "value", "index");
        long index = 0;
        foreach (var item in items)
        {
            if (ValueComparer.AreEqual(item, wanted, context.Budget))
                return index;
            index++;
        }
        throw new BundleException(BundleErrorKind.ValueError, "the value is not in the sequence");
    }

    private static long CountOf(EvaluationContext context, IEnumerable<object?> items, CallArguments arguments)
    {
        var wanted = arguments.Required(0, "value", "count");
        return items.LongCount(v => ValueComparer.AreEqual(v, wanted, context.Budget));
    }

    private static object? Update(EvaluationContext context, DictValue dict, CallArguments arguments)
    {
        foreach (var (key, value) in Entries(context, arguments))
            dict[key] = value;
        return null;
    }

    /// <summary>The entries that <c>dict(...)</c> and <c>update(...)</c> get: a dict or pairs, then keywords.</summary>
    public static IEnumerable<KeyValuePair<object?, object?>> Entries(EvaluationContext context, CallArguments arguments)
    {
        var source = arguments.Optional(0, null);
        if (source is DictValue dict)
        {
            context.Budget.Take(dict.Count);
            foreach (var entry in dict.ToList())
                yield return entry;
        }
        else if (source is not null)
        {
            foreach (var item in PythonTypes.Iterate(source, context))
            {
                var pair = context.Budget.Collect(PythonTypes.Iterate(item, context).Take(3));
                if (pair.Count != 2)
                    throw new BundleException(BundleErrorKind.ValueError, "dictionary update sequence elements must have length 2");
                yield return KeyValuePair.Create(pair[0], pair[1]);
            }
        }
        foreach (var (key, value) in arguments.Named)
            yield return KeyValuePair.Create((object?)key, value);
    }

    private static object? SetDefault(EvaluationContext context, DictValue dict, CallArguments arguments)
    {
        var key = arguments.Required(0, "key", "setdefault");
        if (dict.TryGetValue(key, out var value))
            return value;
        context.Budget.Take(1);
        return dict[key] = arguments.Optional(1, "default");
    }

    private static object? PopKey(EvaluationContext context, DictValue dict, CallArguments arguments)
    {
        var key = arguments.Required(0, "key", "pop");
        if (!dict.TryGetValue(key, out var value))
        {
            return arguments.Positional.Count > 1
                ? arguments.Positional[1]
                : throw new BundleException(BundleErrorKind.KeyError, $"{Representation.Repr(key, context)}: no such key");
        }
        dict.Remove(key);
        return value;
    }
}
