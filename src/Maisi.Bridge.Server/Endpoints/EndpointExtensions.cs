using Maisi.Bridge.Client;

namespace Maisi.Bridge.Server;

/// <summary>What endpoints have in common.</summary>
internal static class EndpointExtensions
{
    /// <summary>Documents the problems that any endpoint can answer with.</summary>
    public static RouteHandlerBuilder ProducesProblems(this RouteHandlerBuilder builder)
    {
        foreach (var status in new[] { StatusCodes.Status401Unauthorized, StatusCodes.Status422UnprocessableEntity, StatusCodes.Status500InternalServerError })
            builder.Produces<Problem>(status, "application/problem+json");
        return builder;
    }

    /// <summary>Adds where the new thing is.</summary>
    public static IResult With(this IResult result, string location, HttpContext context)
    {
        context.Response.Headers.Location = location;
        return result;
    }
}
