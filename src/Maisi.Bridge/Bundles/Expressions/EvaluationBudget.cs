namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>
/// What the expressions of one request may use: steps bound the time, cells bound the memory. A cell is an item of a list or a character
/// of a string, so the largest value is some tens of MB.
/// </summary>
/// <param name="steps">How many operations may run.</param>
/// <param name="cells">How many items and characters may be made.</param>
public sealed class EvaluationBudget(long steps = 500_000, long cells = 2_000_000)
{
    /// <summary>How deep calls of lambdas and nested evaluations may go.</summary>
    public const int MaxDepth = 100;

    private const int ItemsPerStep = 64;

    private long _stepsUsed;
    private long _work;
    private long _cellsUsed;
    private int _depth;

    /// <summary>Counts one operation.</summary>
    public void Step()
    {
        if (++_stepsUsed + (_work / ItemsPerStep) > steps)
            throw TooLong();
    }

    /// <summary>Counts the work of an operation on a large value: a step for every 64 items, characters or comparisons.</summary>
    /// <param name="size">Items, characters or comparisons.</param>
    public void Work(long size)
    {
        _work += size;
        if (size < 0 || _stepsUsed + (_work / ItemsPerStep) > steps)
            throw TooLong();
    }

    /// <summary>Counts memory before it is taken.</summary>
    /// <param name="count">Items or characters.</param>
    public void Take(long count)
    {
        _cellsUsed += count;
        if (_cellsUsed > cells || count < 0)
            throw new BundleException(BundleErrorKind.MemoryError, $"the expression makes more than {cells:N0} items or characters", hint: "configs compute sizes and paths; put real work into a registered target");
    }

    /// <summary>Enters a call; dispose to leave.</summary>
    public void Enter()
    {
        if (++_depth > MaxDepth)
        {
            _depth = 0;
            throw new BundleException(BundleErrorKind.RecursionError, $"calls nest deeper than {MaxDepth} levels");
        }
    }

    /// <summary>Leaves a call.</summary>
    public void Leave() => _depth--;

    /// <summary>Copies a sequence while counting each item.</summary>
    public ListValue Collect(IEnumerable<object?> items)
    {
        var list = new ListValue();
        foreach (var item in items)
        {
            Step();
            Take(1);
            // Equal strings in sets and as keys are hashed and compared in full.
            if (item is string text)
                Work(text.Length);
            list.Add(item);
        }
        return list;
    }

    private BundleException TooLong() =>
        new(BundleErrorKind.TimeoutError, $"the expression needs more than {steps:N0} steps", hint: "configs compute sizes and paths; put real work into a registered target");
}
