using System.Text.Json.Nodes;
using NJsonSchema;

namespace Maisi.Bridge.Bundles;

/// <summary>Checks the metadata of a bundle against a JSON schema.</summary>
public static class BundleMetadata
{
    private const string Embedded = "Maisi.Bridge.Bundles.Packages.metadata.schema.json";

    /// <summary>Where the schema came from, and what is wrong.</summary>
    /// <param name="Schema">A file, a URL, or "built-in".</param>
    /// <param name="Problems">One line each: path and what is expected; empty when the metadata are valid.</param>
    public sealed record Report(string Schema, IReadOnlyList<string> Problems);

    /// <summary>
    /// Verifies metadata files, merged in order. The schema is the file <paramref name="schemaFile"/> when it exists; else it is fetched
    /// from the URL that the metadata name, and kept in that file; else the built-in one, written from MONAI's bundle specification.
    /// </summary>
    /// <param name="metaFiles">The metadata files.</param>
    /// <param name="schemaFile">A local copy of the schema, or where to keep it; null: the built-in one.</param>
    /// <param name="hash">The expected hash of the schema file; null: not checked.</param>
    /// <param name="hashType">md5, sha1, sha256 or sha512.</param>
    /// <param name="http">For fetching; null: only local schemas.</param>
    /// <param name="cancellation">Cancels the download.</param>
    /// <exception cref="BundleException">A file is missing or broken, the hash differs, or the URL cannot be read.</exception>
    public static async Task<Report> VerifyAsync(
        IReadOnlyList<string> metaFiles, string? schemaFile, string? hash, string hashType, HttpClient? http, CancellationToken cancellation)
    {
        var metadata = Merge(metaFiles);
        string source, text;
        if (schemaFile is not null && (File.Exists(schemaFile) || http is not null))
        {
            if (!File.Exists(schemaFile))
                await FetchAsync(metadata, schemaFile, http!, cancellation).ConfigureAwait(false);
            (source, text) = (schemaFile, await File.ReadAllTextAsync(schemaFile, cancellation).ConfigureAwait(false));
            if (hash is not null && FileHash.OfFile(schemaFile, hashType) is var found && !found.Equals(hash, StringComparison.OrdinalIgnoreCase))
                throw new BundleException(BundleErrorKind.ValueError, $"the {hashType} of '{schemaFile}' is {found}, not {hash}", hint: "delete the file and fetch it again");
        }
        else
        {
            using var stream = new StreamReader(typeof(BundleMetadata).Assembly.GetManifestResourceStream(Embedded)!);
            (source, text) = ("built-in", await stream.ReadToEndAsync(cancellation).ConfigureAwait(false));
        }
        JsonSchema schema;
        try
        {
            schema = await JsonSchema.FromJsonAsync(text, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new BundleException(BundleErrorKind.ValueError, $"'{source}' is not a JSON schema: {e.Message.Split('\n')[0]}", inner: e);
        }
        return new Report(source, [.. schema.Validate(metadata.ToJsonString()).SelectMany(Flatten).Distinct(StringComparer.Ordinal)]);
    }

    private static JsonObject Merge(IReadOnlyList<string> files)
    {
        if (files.Count == 0)
            throw new BundleException(BundleErrorKind.ValueError, "--meta_file is missing", hint: "give the metadata file, for example configs/metadata.json");
        var tree = new ConfigTree();
        tree.Set("", new Parsing.DictNode(SourceLocation.Caller));
        var reader = new Parsing.ConfigFile(Environment.CurrentDirectory, static _ => { });
        foreach (var file in files)
        {
            if (reader.Load(file) is not Parsing.DictNode dict)
                throw new BundleException(BundleErrorKind.ValueError, $"the metadata '{file}' are not a dict");
            tree.Merge(dict);
        }
        return JsonNode.Parse(Modules.JsonText.Write(tree.Root.ToValue(), new Expressions.TypeTable([])))!.AsObject();
    }

    private static async Task FetchAsync(JsonObject metadata, string file, HttpClient http, CancellationToken cancellation)
    {
        var url = metadata["schema"]?.GetValue<string>()
            ?? throw new BundleException(BundleErrorKind.ValueError, "the metadata have no 'schema' field with the URL of the schema", hint: "give a local schema with --filepath");
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder)
            Directory.CreateDirectory(folder);
        await new FileDownloader(http).DownloadAsync(new FileRequest(new Uri(url), file), null, cancellation).ConfigureAwait(false);
    }

    private static IEnumerable<string> Flatten(NJsonSchema.Validation.ValidationError error) => error is NJsonSchema.Validation.ChildSchemaValidationError child
        ? child.Errors.SelectMany(e => e.Value).SelectMany(Flatten)
        : [$"{error.Path?.TrimStart('#', '/') ?? ""}: {error.Kind}"];
}
