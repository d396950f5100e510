using System.Globalization;
using System.Numerics;

namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>The builtin functions and types that expressions may use.</summary>
internal static class Builtins
{
    /// <summary>Builtins of Python that run code or reach outside, and are refused by name.</summary>
    public static IReadOnlySet<string> Refused { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "eval", "exec", "compile", "open", "input", "globals", "locals", "vars", "dir", "setattr", "delattr", "breakpoint", "exit", "quit", "help", "memoryview", "super", "object",
    };

    /// <summary>A new module with all of them.</summary>
    public static ModuleValue Create()
    {
        var module = new ModuleValue("builtins");
        AddTypes(module);
        AddSequences(module);
        AddNumbers(module);
        AddObjects(module);
        return module;
    }

    private static void AddTypes(ModuleValue module)
    {
        Type(module, "bool", v => v is bool, (c, a) => PythonTypes.IsTrue(a.Optional(0, null), c));
        Type(module, "int", Numbers.IsInteger, ToInt);
        Type(module, "float", v => v is double, ToFloat);
        Type(module, "str", v => v is string, (c, a) => a.Positional.Count == 0 ? "" : Representation.Str(a.Positional[0], c));
        Type(module, "list", v => v is ListValue, (c, a) => a.Positional.Count == 0 ? new ListValue() : c.Budget.Collect(PythonTypes.Iterate(a.Positional[0], c)));
        Type(module, "tuple", v => v is TupleValue, (c, a) => a.Positional.Count == 0 ? new TupleValue() : new TupleValue([.. c.Budget.Collect(PythonTypes.Iterate(a.Positional[0], c))]));
        Type(module, "dict", v => v is DictValue, (c, a) => new DictValue(ContainerMethods.Entries(c, a)));
        Type(module, "set", v => v is SetValue, (c, a) => new SetValue(a.Positional.Count == 0 ? [] : c.Budget.Collect(PythonTypes.Iterate(a.Positional[0], c))));
        Type(module, "frozenset", v => v is SetValue, (c, a) => new SetValue(a.Positional.Count == 0 ? [] : c.Budget.Collect(PythonTypes.Iterate(a.Positional[0], c))));
        Type(module, "range", v => v is RangeValue, (_, a) => Range(a));
        Type(module, "slice", v => v is SliceValue, (_, a) => a.Positional.Count == 1
            ? new SliceValue(null, a.Positional[0], null)
            : new SliceValue(a.Required(0, "start", "slice"), a.Required(1, "stop", "slice"), a.Optional(2, null)));
    }

    private static void Type(ModuleValue module, string name, Func<object?, bool> isInstance, Func<EvaluationContext, CallArguments, object?> construct)
    {
        var type = new TypeValue(name, isInstance, construct);
        module.Add(name, () => type);
    }

    private static void AddSequences(ModuleValue module)
    {
        module.Add("len", (c, a) => PythonTypes.Length(a.Required(0, "obj", "len"), c));
        module.Add("sum", (c, a) => PythonTypes.Iterate(a.Required(0, "iterable", "sum"), c)
            .Aggregate(a.Optional(1, "start", 0L), (total, v) => total is string ? throw new BundleException(BundleErrorKind.TypeError, "sum() can't sum strings") : Operators.Binary("+", total, v, c)));
        module.Add("max", (c, a) => Extreme(c, a, "max", ">"));
        module.Add("min", (c, a) => Extreme(c, a, "min", "<"));
        module.Add("any", (c, a) => PythonTypes.Iterate(a.Required(0, "iterable", "any"), c).Any(v => PythonTypes.IsTrue(v, c)));
        module.Add("all", (c, a) => PythonTypes.Iterate(a.Required(0, "iterable", "all"), c).All(v => PythonTypes.IsTrue(v, c)));
        module.Add("sorted", (c, a) =>
        {
            var list = c.Budget.Collect(PythonTypes.Iterate(a.Required(0, "iterable", "sorted"), c));
            ContainerMethods.Sort(c, list, a);
            return list;
        });
        module.Add("reversed", (c, a) =>
        {
            var list = c.Budget.Collect(PythonTypes.Iterate(a.Required(0, "sequence", "reversed"), c));
            list.Reverse();
            return new IteratorValue("reversed", list);
        });
        module.Add("map", (c, a) => new IteratorValue("map", Zip(c, a.Positional.Skip(1)).Select(v => Evaluator.Invoke(a.Positional[0], new CallArguments([.. v]), c))));
        module.Add("filter", (c, a) => new IteratorValue("filter", PythonTypes.Iterate(a.Required(1, "iterable", "filter"), c)
            .Where(v => PythonTypes.IsTrue(a.Positional[0] is null ? v : Evaluator.Invoke(a.Positional[0], new CallArguments(v), c), c))));
        module.Add("zip", (c, a) => new IteratorValue("zip", Zip(c, a.Positional).Select(v => (object?)new TupleValue([.. v]))));
        module.Add("enumerate", (c, a) =>
        {
            var start = Numbers.ToLong(a.Optional(1, "start", 0L));
            return new IteratorValue("enumerate", PythonTypes.Iterate(a.Required(0, "iterable", "enumerate"), c).Select((v, i) => (object?)new TupleValue(start + i, v)));
        });
        module.Add("iter", (c, a) => new IteratorValue("iterator", PythonTypes.Iterate(a.Required(0, "iterable", "iter"), c)));
        module.Add("next", (_, a) => a.Required(0, "iterator", "next") is not IteratorValue iterator
            ? throw new BundleException(BundleErrorKind.TypeError, $"'{PythonTypes.NameOf(a.Positional[0])}' object is not an iterator")
            : iterator.TryNext(out var item) ? item
            : a.Positional.Count > 1 ? a.Positional[1] : throw new BundleException(BundleErrorKind.StopIteration, "the iterator is at its end"));
    }

    private static void AddNumbers(ModuleValue module)
    {
        module.Add("abs", (c, a) => a.Required(0, "x", "abs") switch
        {
            double d => Math.Abs(d),
            var v when Numbers.IsInteger(v) => Numbers.Normalize(BigInteger.Abs(Numbers.ToBig(v))),
            var v => Evaluator.Invoke(Members.Get(v, "abs", c), new CallArguments(), c),
        });
        module.Add("round", (_, a) => Numbers.Round(a.Required(0, "number", "round"), a.Optional(1, "ndigits")));
        module.Add("pow", (c, a) => a.Positional.Count == 3
            ? PowerModulo(c, Numbers.ToBig(a.Positional[0]), Numbers.ToBig(a.Positional[1]), Numbers.ToBig(a.Positional[2]))
            : Operators.Binary("**", a.Required(0, "base", "pow"), a.Required(1, "exp", "pow"), c));
        module.Add("divmod", (c, a) => new TupleValue(Operators.Binary("//", a.Required(0, "x", "divmod"), a.Required(1, "y", "divmod"), c), Operators.Binary("%", a.Positional[0], a.Positional[1], c)));
        module.Add("ord", (_, a) => a.Optional(0, null) is string s && PythonTypes.CharacterCount(s) == 1 ? (long)char.ConvertToUtf32(s, 0) : throw new BundleException(BundleErrorKind.TypeError, "ord() expected a character"));
        module.Add("chr", (_, a) => Numbers.ToLong(a.Required(0, "i", "chr")) is >= 0 and <= 0x10FFFF and not (>= 0xD800 and <= 0xDFFF) and var code ? char.ConvertFromUtf32((int)code) : throw new BundleException(BundleErrorKind.ValueError, "chr() arg not in range"));
        module.Add("hex", (c, a) => FormatSpecification.Format(Numbers.Normalize(Numbers.ToBig(a.Required(0, "number", "hex"))), "#x", c));
        module.Add("bin", (c, a) => FormatSpecification.Format(Numbers.Normalize(Numbers.ToBig(a.Required(0, "number", "bin"))), "#b", c));
        module.Add("oct", (c, a) => FormatSpecification.Format(Numbers.Normalize(Numbers.ToBig(a.Required(0, "number", "oct"))), "#o", c));
        module.Add("format", (c, a) => FormatSpecification.Format(a.Required(0, "value", "format"), a.Optional(1, null, "") as string ?? "", c));
    }

    private static void AddObjects(ModuleValue module)
    {
        module.Add("repr", (c, a) => Representation.Repr(a.Required(0, "obj", "repr"), c));
        module.Add("callable", (c, a) => a.Required(0, "obj", "callable") is Callable);
        module.Add("isinstance", (c, a) => IsInstance(a.Required(0, "obj", "isinstance"), a.Required(1, "class_or_tuple", "isinstance")));
        module.Add("hasattr", (c, a) => Members.TryGet(a.Required(0, "obj", "hasattr"), Attribute(a, "hasattr"), c, out _));
        module.Add("getattr", (c, a) => Members.TryGet(a.Required(0, "obj", "getattr"), Attribute(a, "getattr"), c, out var value) ? value
            : a.Positional.Count > 2 ? a.Positional[2] : Members.Get(a.Positional[0], Attribute(a, "getattr"), c));
        module.Add("type", (c, a) => a.Positional.Count != 1
            ? throw new BundleException(BundleErrorKind.TypeError, "type() takes one argument: classes are not made here")
            : module.TryGet(PythonTypes.NameOf(a.Required(0, "obj", "type")), out var type) ? type
            : throw new BundleException(BundleErrorKind.TypeError, $"type() of '{PythonTypes.NameOf(a.Positional[0])}' is not available"));
        module.Add("print", (c, a) =>
        {
            var separator = a.Named.GetValueOrDefault("sep") as string ?? " ";
            var text = string.Join(separator, a.Positional.Select(v => Representation.Str(v, c))) + (a.Named.GetValueOrDefault("end") as string ?? "\n");
            c.Budget.Take(text.Length);
            c.Output.Write(text);
            return null;
        });
    }

    private static object PowerModulo(EvaluationContext context, BigInteger value, BigInteger exponent, BigInteger modulus)
    {
        context.Budget.Work((exponent.GetBitLength() + 1) * (modulus.GetBitLength() + 1));
        return modulus.IsZero || exponent.Sign < 0
            ? throw new BundleException(BundleErrorKind.ValueError, "pow() needs an exponent of 0 or more and a third argument other than 0")
            : Numbers.Normalize(BigInteger.ModPow(value, exponent, modulus));
    }

    private static string Attribute(CallArguments arguments, string function)
    {
        var name = StringMethods.Text(arguments, 1, function);
        ExpressionParser.RefuseDunder(name, 0);
        return name;
    }

    private static bool IsInstance(object? value, object? type) => type switch
    {
        TypeValue one => one.IsInstance(value),
        TupleValue many => many.Any(t => IsInstance(value, t)),
        _ => throw new BundleException(BundleErrorKind.TypeError, "isinstance() arg 2 must be a type or a tuple of types"),
    };

    private static IEnumerable<object?[]> Zip(EvaluationContext context, IEnumerable<object?> sources)
    {
        var iterators = sources.Select(s => PythonTypes.Iterate(s, context).GetEnumerator()).ToArray();
        while (iterators.Length > 0 && iterators.All(i => i.MoveNext()))
            yield return [.. iterators.Select(i => i.Current)];
    }

    private static object? Extreme(EvaluationContext context, CallArguments arguments, string name, string op)
    {
        var items = arguments.Positional.Count > 1 ? arguments.Positional : PythonTypes.Iterate(arguments.Required(0, "iterable", name), context);
        var key = arguments.Named.GetValueOrDefault("key");
        (object? Key, object? Value)? best = null;
        foreach (var item in items)
        {
            var measure = key is null ? item : Evaluator.Invoke(key, new CallArguments(item), context);
            if (best is null || Operators.Compare(op, measure, best.Value.Key, context) is true)
                best = (measure, item);
        }
        return best is { } found ? found.Value
            : arguments.Named.TryGetValue("default", out var fallback) ? fallback
            : throw new BundleException(BundleErrorKind.ValueError, $"{name}() arg is an empty sequence");
    }

    private static RangeValue Range(CallArguments arguments)
    {
        arguments.Check("range", 1, 3);
        var numbers = arguments.Positional.Select(Numbers.ToLong).ToArray();
        var step = numbers.Length == 3 ? numbers[2] : 1;
        return step == 0
            ? throw new BundleException(BundleErrorKind.ValueError, "range() arg 3 must not be zero")
            : numbers.Length == 1 ? new RangeValue(0, numbers[0], 1) : new RangeValue(numbers[0], numbers[1], step);
    }

    private static object? ToInt(EvaluationContext context, CallArguments arguments)
    {
        switch (arguments.Optional(0, null, 0L))
        {
            case double d:
                return Numbers.Normalize(Numbers.ToInteger(d));
            case string text:
                context.Budget.Work(64L * text.Length);
                return Parse(text, Numbers.ToLong(arguments.Optional(1, "base", 10L)));
            case var value when Numbers.IsInteger(value):
                return Numbers.Normalize(Numbers.ToBig(value));
            case var value:
                return Members.TryGet(value, "item", context, out var item)
                    ? ToInt(context, new CallArguments(Evaluator.Invoke(item, new CallArguments(), context)))
                    : throw new BundleException(BundleErrorKind.TypeError, $"int() argument must be a string or a real number, not '{PythonTypes.NameOf(value)}'");
        }
    }

    private static object Parse(string text, long radix)
    {
        var body = text.Trim().Replace("_", "", StringComparison.Ordinal);
        var negative = body.StartsWith('-');
        body = body.TrimStart('+', '-').ToLowerInvariant();
        if (radix is 16 or 8 or 2 && body.Length > 2 && body[0] == '0' && body[1] == (radix == 16 ? 'x' : radix == 8 ? 'o' : 'b'))
            body = body[2..];
        var value = BigInteger.Zero;
        foreach (var c in body)
        {
            var digit = c is >= '0' and <= '9' ? c - '0' : c is >= 'a' and <= 'z' ? c - 'a' + 10 : int.MaxValue;
            if (digit >= radix)
                throw new BundleException(BundleErrorKind.ValueError, $"invalid literal for int() with base {radix}: {Representation.Quote(text)}");
            value = Numbers.ToBig(Numbers.Normalize(value * radix + digit));
        }
        return body.Length == 0
            ? throw new BundleException(BundleErrorKind.ValueError, $"invalid literal for int() with base {radix}: {Representation.Quote(text)}")
            : Numbers.Normalize(negative ? -value : value);
    }

    private static object? ToFloat(EvaluationContext context, CallArguments arguments)
    {
        switch (arguments.Optional(0, null, 0.0))
        {
            case string text:
                var body = text.Trim().Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
                return body.TrimStart('+', '-') switch
                {
                    "inf" or "infinity" => body[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity,
                    "nan" => double.NaN,
                    _ => double.TryParse(body, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d
                        : throw new BundleException(BundleErrorKind.ValueError, $"could not convert string to float: {Representation.Quote(text)}"),
                };
            case var value when Numbers.IsNumber(value):
                return Numbers.ToDouble(value);
            case var value:
                return Members.TryGet(value, "item", context, out var item)
                    ? ToFloat(context, new CallArguments(Evaluator.Invoke(item, new CallArguments(), context)))
                    : throw new BundleException(BundleErrorKind.TypeError, $"float() argument must be a string or a real number, not '{PythonTypes.NameOf(value)}'");
        }
    }
}
