using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Maisi.Bridge.Networks;

/// <summary>
/// Reads the arguments of a MONAI <c>_target_</c> definition into a record. Reading is strict: an argument that the record does not
/// know, a missing one, or one of another type is an error that names it, because a silently ignored argument is another network.
/// </summary>
internal static class DefinitionReader
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.Strict,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        RespectNullableAnnotations = true,
    };

    /// <summary>Reads <paramref name="definition"/>; keys like <c>_target_</c> that begin and end with an underscore are MONAI's own.</summary>
    /// <exception cref="DefinitionException">Unknown, missing or mistyped arguments.</exception>
    public static T Read<T>(JsonObject definition)
        where T : class
    {
        var target = definition["_target_"]?.ToString() ?? typeof(T).Name;
        var info = Options.GetTypeInfo(typeof(T));
        var arguments = new JsonObject();
        foreach (var (name, value) in definition)
        {
            if (IsMonaiKey(name))
                continue;
            if (info.Properties.All(p => p.Name != name))
                throw new DefinitionException($"{ShortName(target)} has no argument '{name}'", target, Suggest(name, info.Properties));
            arguments[name] = value?.DeepClone();
        }
        var missing = info.Properties.Where(p => p.IsRequired && !arguments.ContainsKey(p.Name)).Select(p => p.Name).ToArray();
        if (missing.Length > 0)
            throw new DefinitionException($"{ShortName(target)} needs {string.Join(", ", missing)}", target, "add the missing arguments to the definition");
        try
        {
            return arguments.Deserialize<T>(Options)!;
        }
        catch (JsonException e)
        {
            var argument = e.Path is { Length: > 2 } path ? path[2..] : "?";
            var value = definition[argument.Split('[', '.')[0]];
            throw new DefinitionException($"{ShortName(target)}: argument '{argument}' cannot be {value?.ToJsonString() ?? "null"}", target, e.InnerException?.Message, e);
        }
    }

    private static bool IsMonaiKey(string name) => name.Length > 1 && name[0] == '_' && name[^1] == '_';

    private static string ShortName(string target) => target[(target.LastIndexOf('.') + 1)..];

    private static string Suggest(string name, IList<JsonPropertyInfo> known)
    {
        var near = known.Select(p => p.Name).MinBy(k => Distance(name, k));
        return near is not null && Distance(name, near) <= Math.Max(2, name.Length / 3)
            ? $"did you mean '{near}'?"
            : $"known arguments: {string.Join(", ", known.Select(p => p.Name))}";
    }

    /// <summary>Levenshtein distance, with one row of memory.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
