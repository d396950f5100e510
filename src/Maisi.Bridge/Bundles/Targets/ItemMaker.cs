using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles;

/// <summary>Evaluates expressions and makes components of one config, natively, or by the Python worker when that is allowed.</summary>
internal sealed class ItemMaker : IItemMaker
{
    private static readonly string[] NonArguments = ["_target_", "_disabled_", "_requires_", "_desc_", "_mode_"];
    private static readonly string[] Modes = ["default", "callable", "debug"];

    private readonly ConfigParserOptions _options;
    private readonly Dictionary<string, object?> _globals = new(StringComparer.Ordinal);
    private readonly List<string> _imports = [];
    private readonly EvaluationBudget _budget = new();
    private readonly EvaluationContext _context;

    /// <param name="options">Registry, output and Python.</param>
    /// <param name="writable">Folders in which expressions may make folders.</param>
    public ItemMaker(ConfigParserOptions options, IReadOnlyList<string> writable)
    {
        _options = options;
        foreach (var (name, module) in StandardImports.Names)
            _globals[name] = options.Registry.Import(module);
        _context = new EvaluationContext
        {
            Globals = _globals,
            Builtins = options.Registry.Builtins,
            Types = options.Registry.Types,
            Output = options.Output,
            Cancellation = options.Cancellation,
            Budget = _budget,
            Files = new BundleFiles(options.WorkingDirectory, writable),
        };
    }

    /// <inheritdoc/>
    public bool AllowMissingReference => _options.AllowMissingReference;

    /// <inheritdoc/>
    public object? Evaluate(ConfigItem item, ReferenceResolver resolver, IReadOnlyList<string> chain)
    {
        var body = item.Node.Text![1..];
        ExpressionNode? parsed;
        try
        {
            if (ImportStatement.IsImport(item.Node.Text!))
                return Import(ImportStatement.Parse(body), body, item);
            if (!_options.EvaluateExpressions)
                return body;
            parsed = ExpressionParser.Parse(body);
        }
        catch (BundleException e) when (_options.Python is null)
        {
            throw new BundleException(e.Kind, $"{e.Message}\n  in: {ExpressionError.Excerpt(body, ExpressionError.PositionOf(e))}", item.Node.Location, item.Id, chain, e.Hint, e);
        }
        catch (BundleException)
        {
            parsed = null;
        }
        if (_options.Python is { } python && (parsed is null || ExpressionAudit.Problems(parsed, _globals, _context).Count > 0
            || References(item, resolver).Values.Any(python.Owns)))
            return Guard(item, chain, body, () => python.Evaluate(body, References(item, resolver), _imports));
        var context = _context.WithReferences(id => resolver.ValueOf(id, item));
        return Guard(item, chain, body, () => new Evaluator(context).Evaluate(parsed!, Scope.Empty));
    }

    /// <inheritdoc/>
    public object? Instantiate(ConfigItem item, DictValue arguments, IReadOnlyList<string> chain)
    {
        if (arguments.TryGetValue("_disabled_", out var disabled) && IsDisabled(disabled))
            return null;
        arguments.TryGetValue("_target_", out var target);
        var mode = arguments.TryGetValue("_mode_", out var given) ? given as string ?? "" : "default";
        var named = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in arguments)
        {
            if (!NonArguments.Contains(key as string))
                named[key as string ?? Representation.Str(key, _context)] = value;
        }
        var path = target as string;
        if (path is not null && !_options.Registry.TryLocate(path, out target))
        {
            if (_options.Python is { } python)
                return Guard(item, chain, null, () => python.Instantiate(path, mode, named));
            throw new BundleException(BundleErrorKind.ModuleNotFoundError, $"cannot locate class or function path: '{path}'", item.Node.Location, item.Id, chain,
                hint: _options.Registry.Suggest(path) ?? "it is not in the registry: register it with AddMaisiBundles().AddTarget, or hand it to Python with --allow-python");
        }
        if (!Modes.Contains(mode.Trim()))
        {
            throw new BundleException(BundleErrorKind.ValueError, $"unsupported _mode_ '{mode}'", item.Node.Location, item.Id, chain,
                hint: Suggestion.For(mode, Modes) ?? "one of default, callable, debug");
        }
        if (target is not Callable callable)
        {
            if (target is ModuleValue { IsRegistered: false } or null)
                throw new BundleException(BundleErrorKind.ModuleNotFoundError, $"cannot locate class or function path: '{path}'", item.Node.Location, item.Id, chain);
            _options.Warn($"{item.Node.Location}: the target '{path ?? item.Id}' is not callable and is used as it is");
            return target;
        }
        var call = new CallArguments([], named);
        switch (mode.Trim())
        {
            case "callable":
                return named.Count == 0 ? callable : new PartialFunction(callable, call);
            case "debug":
                _options.Warn($"{item.Node.Location}: {callable.Name}({string.Join(", ", named.Select(p => $"{p.Key}={Representation.Repr(p.Value, _context)}"))})");
                break;
        }
        return Guard(item, chain, null, () => callable.Call(_context, call), $"failed to make '{path ?? callable.Name}' with {(named.Count == 0 ? "no arguments" : string.Join(", ", named.Keys))}");
    }

    private object? Import(ImportStatement import, string body, ConfigItem item)
    {
        if (import.HasMore)
            _options.Warn($"{item.Node.Location}: only the first name of '{body}' is imported");
        _imports.Add(body);
        object? value;
        if (import.Member is null)
            value = _options.Registry.Import(import.Module);
        else if (!_options.Registry.TryLocate($"{import.Module}.{import.Member}", out value))
            value = new ModuleValue($"{import.Module}.{import.Member}") { IsRegistered = false };
        return _globals[import.Name] = value;
    }

    private static Dictionary<string, object?> References(ConfigItem item, ReferenceResolver resolver) =>
        ConfigId.MatchReferences(item.Node.Text!).Keys.ToDictionary(id => id, id => resolver.ValueOf(id, item), StringComparer.Ordinal);

    // Every failure of an expression or a constructor is a RuntimeError with its cause, as in MONAI.
    private static object? Guard(ConfigItem item, IReadOnlyList<string> chain, string? body, Func<object?> action, string? what = null)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            var cause = e is System.Reflection.TargetInvocationException { InnerException: { } inner } ? inner : e;
            var kind = cause is BundleException bundle ? $"{bundle.Kind}: " : cause is MaisiException ? "" : $"{cause.GetType().Name}: ";
            var where = body is null ? $"\n  {what}" : $"\n  in: {ExpressionError.Excerpt(body, ExpressionError.PositionOf(cause))}";
            throw new BundleException(BundleErrorKind.RuntimeError, $"{kind}{cause.Message}{where}", item.Node.Location, item.Id, [.. chain], (cause as MaisiException)?.Hint, cause);
        }
    }

    private bool IsDisabled(object? value) => value is string text
        ? string.Equals(text.Trim(), "true", StringComparison.OrdinalIgnoreCase)
        : PythonTypes.IsTrue(value, _context);
}
