namespace Maisi.Bridge.Bundles.Expressions;

/// <summary>An error at a position of an expression, before the file and the id are known.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Position">Where, from 0.</param>
/// <param name="Hint">What to do.</param>
internal sealed record ExpressionError(BundleErrorKind Kind, string Message, int Position, string? Hint)
{
    private const string PositionKey = "expression position";

    /// <summary>The exception; the position travels in its data until the config item is known.</summary>
    public BundleException ToException()
    {
        var exception = new BundleException(Kind, Message, hint: Hint);
        exception.Data[PositionKey] = Position;
        return exception;
    }

    /// <summary>Notes the position of the innermost node that failed.</summary>
    /// <returns>Always false: an exception filter that passes the exception on.</returns>
    public static bool Mark(Exception exception, int position)
    {
        if (!exception.Data.Contains(PositionKey))
            exception.Data[PositionKey] = position;
        return false;
    }

    /// <summary>The position noted; null when there is none.</summary>
    public static int? PositionOf(Exception exception) => exception.Data[PositionKey] as int?;

    /// <summary>The expression with a caret under the position, cut to one line.</summary>
    public static string Excerpt(string expression, int? position)
    {
        const int before = 60, after = 40;
        var at = Math.Clamp(position ?? 0, 0, expression.Length);
        var from = Math.Max(0, at - before);
        var to = Math.Min(expression.Length, at + after);
        var line = (from > 0 ? "..." : "") + expression[from..to].ReplaceLineEndings(" ") + (to < expression.Length ? "..." : "");
        return position is null ? "$" + line : $"${line}\n         {new string(' ', at - from + (from > 0 ? 3 : 0) + 1)}^";
    }
}
