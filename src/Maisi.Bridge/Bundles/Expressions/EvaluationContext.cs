namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>What an evaluation sees: names, references, object behaviours and its budget.</summary>
public sealed class EvaluationContext
{
    /// <summary>The names that are neither builtins nor imports: <c>monai</c>, <c>torch</c>, <c>np</c>, <c>numpy</c> and what was imported.</summary>
    public required IReadOnlyDictionary<string, object?> Globals { get; init; }

    /// <summary>The builtin functions and types.</summary>
    public required ModuleValue Builtins { get; init; }

    /// <summary>What expressions may do with objects.</summary>
    public required TypeTable Types { get; init; }

    /// <summary>The value of <c>@id</c>.</summary>
    public Func<string, object?> Reference { get; init; } =
        static id => throw new BundleException(BundleErrorKind.ValueError, $"the reference '@{id}' has no config to refer to");

    /// <summary>Steps and memory left.</summary>
    public EvaluationBudget Budget { get; init; } = new();

    /// <summary>Where <c>print</c> writes.</summary>
    public TextWriter Output { get; init; } = TextWriter.Null;

    /// <summary>Stops long work.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>What expressions may do with files.</summary>
    public BundleFiles Files { get; init; } = new(Environment.CurrentDirectory, []);

    /// <summary>Counts the work of an operation that looks at all of a value, and gives the value back.</summary>
    public object? Charge(object? value)
    {
        Budget.Work(value switch
        {
            null or bool or long or double => 0,
            string text => text.Length,
            ListValue list => list.Count,
            TupleValue tuple => tuple.Count,
            DictValue dict => dict.Count,
            SetValue set => set.Count,
            _ => Types.Find(value)?.Size(value) ?? 0,
        });
        return value;
    }

    /// <summary>The same names with another budget, for callbacks that run after the evaluation.</summary>
    public EvaluationContext WithBudget(EvaluationBudget budget) => Copy(Reference, budget);

    /// <summary>The same names with other references.</summary>
    public EvaluationContext WithReferences(Func<string, object?> reference) => Copy(reference, Budget);

    private EvaluationContext Copy(Func<string, object?> reference, EvaluationBudget budget) => new()
    {
        Globals = Globals,
        Builtins = Builtins,
        Types = Types,
        Output = Output,
        Cancellation = Cancellation,
        Files = Files,
        Reference = reference,
        Budget = budget,
    };
}
