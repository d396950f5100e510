using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Maisi.Bridge.Client;
using Maisi.Bridge.Generation;

namespace Maisi.Bridge.Server;

/// <summary>Reads the fields of a JSON object and collects everything that is wrong with them, each with its path; null counts as left out.</summary>
internal sealed class FieldReader(JsonElement root)
{
    private const int MaxText = 4096;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<FieldError> _errors = [];

    /// <summary>A whole number.</summary>
    public int? Int(string name, int low, int high) => Find(name) is { } value ? Int(value, name, low, high) : null;

    /// <summary>A seed: a whole number from 0 to 2^64 - 1.</summary>
    public ulong? Seed(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && (value.TryGetUInt64(out var seed) || Whole(value, 0, 1L << 53, out seed)))
            return seed;
        return Wrong<ulong>(name, "must be a whole number from 0 to 18446744073709551615");
    }

    /// <summary>A number.</summary>
    public double? Number(string name, double low, double high) => Find(name) is { } value ? Number(value, name, low, high) : null;

    /// <summary>A text.</summary>
    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String && Text(value) is { } text)
            return text;
        Wrong<int>(name, $"must be a text of at most {MaxText} characters");
        return null;
    }

    /// <summary>One of some texts.</summary>
    public string? Choice(string name, IReadOnlyList<string> choices)
    {
        if (Text(name) is not { } text || choices.Contains(text, StringComparer.Ordinal))
            return Find(name) is null ? null : Text(name);
        Wrong<int>(name, $"must be one of {string.Join(", ", choices)}");
        return null;
    }

    /// <summary>A list of names.</summary>
    /// <param name="name">The field.</param>
    /// <param name="wrong">What is wrong with a name; null when nothing is.</param>
    /// <param name="most">The longest list.</param>
    public IReadOnlyList<string>? Names(string name, Func<string, string?> wrong, int most)
    {
        if (List(name, most) is not { } items)
            return null;
        var names = new List<string>();
        foreach (var (item, path) in items)
        {
            if (item.ValueKind != JsonValueKind.String || Text(item) is not { } text)
                Wrong<int>(path, "must be a text");
            else if (wrong(text) is { } why)
                Wrong<int>(path, why);
            else
                names.Add(text);
        }
        return names;
    }

    /// <summary>Three whole numbers.</summary>
    public int[]? Three(string name, Func<int, int, string?> wrong)
    {
        if (List(name, 3, 3) is not { } items)
            return null;
        int[] values = [.. items.Select(i => Int(i.Item, i.Path, 1, 1 << 14) ?? 0)];
        for (var axis = 0; axis < values.Length; axis++)
        {
            if (values[axis] > 0 && wrong(axis, values[axis]) is { } why)
                Wrong<int>(items[axis].Path, why);
        }
        return values.Length == 3 ? values : null;
    }

    /// <summary>Three numbers.</summary>
    public double[]? Three(string name, double low, double high) =>
        List(name, 3, 3) is { Count: 3 } items ? [.. items.Select(i => Number(i.Item, i.Path, low, high) ?? low)] : null;

    /// <summary>Pairs of a structure, one of those that are known, and its size.</summary>
    public IReadOnlyList<AnatomySize>? Sizes(string name, IReadOnlyList<string> known)
    {
        if (List(name, 10) is not { } items)
            return null;
        var sizes = new List<AnatomySize>();
        foreach (var (item, path) in items)
        {
            if (item.ValueKind != JsonValueKind.Array || item.GetArrayLength() != 2 || item[0].ValueKind != JsonValueKind.String || Text(item[0]) is not { } organ)
                Wrong<int>(path, "must be a pair of a name and a number");
            else if (!known.Contains(organ))
                Wrong<int>($"{path}[0]", $"must be one of {string.Join(", ", known)}");
            else if (item[1].ValueKind != JsonValueKind.Number || !item[1].TryGetDouble(out var size) || size is not (-1 or (>= 0 and <= 1)))
                Wrong<int>($"{path}[1]", "must be a number from 0 to 1, or -1 for absent");
            else
                sizes.Add(new AnatomySize(organ, size));
        }
        return sizes;
    }

    /// <summary>Says that a field is missing where it is.</summary>
    public T Required<T>(string name, T? value, T otherwise)
        where T : struct => value ?? Missing(name, otherwise);

    /// <inheritdoc cref="Required{T}(string, T?, T)"/>
    public T Required<T>(string name, T? value, T otherwise)
        where T : class => value ?? Missing(name, otherwise);

    /// <summary>Adds what is wrong with a field.</summary>
    public void Refuse(string field, string detail) => _errors.Add(new FieldError(field, detail));

    /// <summary>Ends reading.</summary>
    /// <exception cref="RequestProblem">Something was wrong, or a field is none that is known.</exception>
    public void Finish()
    {
        foreach (var property in root.EnumerateObject().Where(p => !_known.Contains(p.Name)))
            Refuse(Shown(property.Name), $"is no field of this request; those are {string.Join(", ", _known.Order(StringComparer.Ordinal))}");
        if (_errors.Count > 0)
            throw RequestProblem.Fields([.. _errors.Take(20)]);
    }

    private JsonElement? Find(string name)
    {
        _known.Add(name);
        return root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private List<(JsonElement Item, string Path)>? List(string name, int most, int least = 0)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() >= least && value.GetArrayLength() <= most)
            return [.. value.EnumerateArray().Select((item, i) => (item, $"{name}[{i}]"))];
        Wrong<int>(name, least == most ? $"must be a list of {most}" : $"must be a list of at most {most}");
        return null;
    }

    private int? Int(JsonElement value, string path, int low, int high) =>
        value.ValueKind == JsonValueKind.Number && (value.TryGetInt32(out var number) || Whole(value, low, high, out number)) && number >= low && number <= high
            ? number : Wrong<int>(path, $"must be a whole number from {low} to {high}");

    private double? Number(JsonElement value, string path, double low, double high) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= low && number <= high
            ? number : Wrong<double>(path, string.Create(CultureInfo.InvariantCulture, $"must be a number from {low} to {high}"));

    // Some languages write every number as 1.0.
    private static bool Whole<T>(JsonElement value, double low, double high, out T number)
        where T : struct, IBinaryInteger<T>
    {
        var isWhole = value.TryGetDouble(out var real) && real >= low && real <= high && real == Math.Floor(real);
        number = isWhole ? T.CreateChecked(real) : T.Zero;
        return isWhole;
    }

    // A text whose escapes are half of a pair cannot be read at all.
    private static string? Text(JsonElement value)
    {
        try
        {
            return value.GetString() is { Length: <= MaxText } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private T Missing<T>(string name, T otherwise)
    {
        if (!_errors.Exists(e => e.Field.StartsWith(name, StringComparison.Ordinal)))
            Refuse(name, "is required");
        return otherwise;
    }

    private T? Wrong<T>(string path, string detail)
        where T : struct
    {
        Refuse(path, detail);
        return null;
    }

    private static string Shown(string name) => new([.. name.Take(64).Select(c => char.IsControl(c) ? '?' : c)]);
}
