using Maisi.Bridge.Client;

namespace Maisi.Bridge.Server;

/// <summary>A request that is refused: its status and what to answer (RFC 9457).</summary>
/// <param name="status">HTTP status.</param>
/// <param name="kind">The kind, last part of the problem's URN.</param>
/// <param name="title">The kind in words.</param>
/// <param name="detail">What is wrong.</param>
/// <param name="hint">What to do.</param>
/// <param name="errors">The fields at fault.</param>
internal sealed class RequestProblem(int status, string kind, string title, string? detail = null, string? hint = null, IReadOnlyList<FieldError>? errors = null)
    : MaisiException(detail ?? title, hint: hint)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>Seconds after which to try again; null where that would not help.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>What to answer.</summary>
    public Problem Body { get; } = new() { Type = $"urn:maisi:problem:{kind}", Title = title, Status = status, Detail = detail, Hint = hint, Errors = errors };

    /// <summary>Fields that do not fit.</summary>
    public static RequestProblem Fields(IReadOnlyList<FieldError> errors) => new(
        StatusCodes.Status422UnprocessableEntity, "invalid-request", "The request has fields that do not fit.",
        errors.Count == 1 ? $"{errors[0].Field}: {errors[0].Detail}" : $"{errors.Count} fields do not fit.", errors: errors);

    /// <summary>One field that does not fit.</summary>
    public static RequestProblem Field(string field, string detail) => Fields([new FieldError(field, detail)]);

    /// <summary>A body that is none.</summary>
    public static RequestProblem Body400(string detail) => new(StatusCodes.Status400BadRequest, "malformed-request", "The request cannot be read.", detail);

    /// <summary>A body that is too large.</summary>
    public static RequestProblem TooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, "too-large", "The request is too large.", $"At most {MemorySize.Text(limit)} are taken.");

    /// <summary>No such thing, or one of another client.</summary>
    public static RequestProblem NotFound(string what) => new(StatusCodes.Status404NotFound, "not-found", "There is no such thing.", what);
}
