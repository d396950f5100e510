using System.Buffers;
using System.Net.Mime;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Maisi.Bridge.Server;

/// <summary>Reads the JSON object of a request within limits of size and depth; a name that occurs twice is refused.</summary>
internal static class JsonBody
{
    private const int MaxDepth = 8;

    /// <summary>Reads the body of a request.</summary>
    /// <exception cref="RequestProblem">Another media type, no JSON object, or too large.</exception>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request, int limit, CancellationToken token)
    {
        // Nothing else: a form or plain text can be sent by any page of the browser without asking.
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase))
            throw new RequestProblem(StatusCodes.Status415UnsupportedMediaType, "media-type", "The media type is not taken.", "Send the request as application/json.");
        if (request.ContentLength > limit)
            throw RequestProblem.TooLarge(limit);
        return Parse(await ReadAsync(request.Body, limit, token));
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="RequestProblem">It is longer than the limit.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(Stream stream, int limit, CancellationToken token)
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        while (await stream.ReadAsync(bytes.GetMemory(4096), token) is > 0 and var read)
        {
            bytes.Advance(read);
            if (bytes.WrittenCount > limit)
                throw RequestProblem.TooLarge(limit);
        }
        return bytes.WrittenMemory;
    }

    /// <summary>Parses a JSON object.</summary>
    /// <exception cref="RequestProblem">It is none.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw RequestProblem.Body400($"The body is no JSON: {e.Message}");
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document.Dispose();
        throw RequestProblem.Body400("The body is not a JSON object.");
    }
}
