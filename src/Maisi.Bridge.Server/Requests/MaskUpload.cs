using Maisi.Bridge.Generation;
using Maisi.Bridge.Volumes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Maisi.Bridge.Server;

/// <summary>
/// Reads a form with the parts <c>request</c> (JSON) and <c>mask</c> (a label map). The file goes to the disk as it comes, under a name of
/// the server's own; only its ending is the client's, and only one of files that need no other file. What its header claims is held against
/// the limits before a voxel is read.
/// </summary>
internal sealed class MaskUpload(MaisiServerOptions options, LoadedBundle bundle, DataFolder folder) : IDisposable
{
    private static readonly string[] _endings = [".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha"];

    // Reading a label map takes several times its size; one at a time keeps that bounded.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Reads the form.</summary>
    /// <returns>The JSON, and the file of the label map or null. The file is the caller's to remove.</returns>
    /// <exception cref="RequestProblem">It is no such form, or too large.</exception>
    public async Task<(ReadOnlyMemory<byte> Json, string? Mask)> ReadAsync(HttpRequest request, CancellationToken token)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 70 } boundary)
            throw RequestProblem.Body400("The form has no boundary.");
        if (request.ContentLength > options.MaxUploadBytes + options.MaxJsonBytes)
            throw RequestProblem.TooLarge(options.MaxUploadBytes);
        ReadOnlyMemory<byte>? json = null;
        string? mask = null;
        try
        {
            var parts = new MultipartReader(boundary, request.Body) { HeadersCountLimit = 8, HeadersLengthLimit = 4096 };
            while (await parts.ReadNextSectionAsync(token) is { } part)
            {
                var about = part.GetContentDispositionHeader();
                switch (HeaderUtilities.RemoveQuotes(about?.Name ?? default).Value)
                {
                    case "request" when json is null:
                        json = await JsonBody.ReadAsync(part.Body, options.MaxJsonBytes, token);
                        break;
                    case "mask" when mask is null:
                        mask = folder.Upload(Ending(HeaderUtilities.RemoveQuotes(about!.FileName).Value));
                        await SaveAsync(part.Body, mask, token);
                        break;
                    default:
                        throw RequestProblem.Body400("A form has one part request and at most one part mask, and no others.");
                }
            }
            return (json ?? throw RequestProblem.Body400("The form has no part request."), mask);
        }
        catch (Exception e)
        {
            Remove(mask);
            if (e is InvalidDataException || (e is IOException && e is not BadHttpRequestException && !token.IsCancellationRequested))
                throw RequestProblem.Body400($"The form is damaged: {e.Message}");
            throw;
        }
    }

    /// <summary>Reads the label map and checks it as the run will, so that a client hears at once what is wrong.</summary>
    /// <exception cref="RequestProblem">It cannot be used.</exception>
    public async Task CheckAsync(string mask, GenerationOptions order, CancellationToken token)
    {
        await _one.WaitAsync(token);
        try
        {
            await Task.Run(() => Check(mask, order), token);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Removes an upload that no job has taken.</summary>
    public static void Remove(string? mask)
    {
        if (mask is not null)
            File.Delete(mask);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private void Check(string mask, GenerationOptions order)
    {
        try
        {
            var info = VolumeFile.ReadInfo(mask);
            if (info.Grid.Count * info.Channels > options.MaxVoxels)
                throw RequestProblem.Field("mask", $"has {info.Grid} voxels, more than the {options.MaxVoxels} that this server takes");
            var divisor = ModelBundle.DivisorOf(bundle.Settings);
            var condition = ConditionMask.Read(mask, bundle.Settings, order.Grid, divisor);
            if (condition.Labels.Count > options.MaxVoxels)
                throw RequestProblem.Field("mask", $"becomes {condition.Labels.Grid} voxels, more than the {options.MaxVoxels} that this server takes");
        }
        catch (MaisiException e) when (e is not RequestProblem)
        {
            throw RequestProblem.Field("mask", e.Message);
        }
        catch (Exception e) when (e is OverflowException or OutOfMemoryException or ArgumentException or InvalidDataException)
        {
            throw RequestProblem.Field("mask", "is damaged: what its header says cannot be");
        }
    }

    private static string Ending(string? name) =>
        _endings.FirstOrDefault(e => name?.EndsWith(e, StringComparison.OrdinalIgnoreCase) == true) ?? throw RequestProblem.Field("mask", $"needs a file name that ends with one of {string.Join(", ", _endings)}");

    private async Task SaveAsync(Stream source, string path, CancellationToken token)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true);
        var buffer = new byte[1 << 16];
        for (var total = 0L; await source.ReadAsync(buffer, token) is > 0 and var read;)
        {
            total += read;
            if (total > options.MaxUploadBytes)
                throw RequestProblem.TooLarge(options.MaxUploadBytes);
            await file.WriteAsync(buffer.AsMemory(0, read), token);
        }
    }
}
