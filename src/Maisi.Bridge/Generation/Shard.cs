using System.Globalization;

namespace Maisi.Bridge.Generation;

/// <summary>A share of a run's samples: those whose index leaves <see cref="Index"/> − 1 when divided by <see cref="Count"/>.</summary>
/// <param name="Index">From 1 to <paramref name="Count"/>.</param>
/// <param name="Count">How many processes share the run.</param>
public sealed record Shard(int Index, int Count)
{
    /// <summary>The whole run.</summary>
    public static Shard Whole { get; } = new(1, 1);

    /// <summary>Parses "2/8".</summary>
    /// <exception cref="MaisiException">Something else.</exception>
    public static Shard Parse(string text)
    {
        var parts = text.Split('/');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && index >= 1 && index <= count
            ? new Shard(index, count)
            : throw new MaisiException($"'{text}' is no share of a run.", "--shard", "Give i/n, for instance 2/8: the second of eight.");
    }

    /// <summary>Whether a sample belongs to this share.</summary>
    public bool Has(int sample) => sample % Count == Index - 1;

    /// <summary>A file name of this share: the name itself for a whole run, "manifest_2of8.json" otherwise.</summary>
    public string NameOf(string file) =>
        Count == 1 ? file : $"{Path.GetFileNameWithoutExtension(file)}_{Index}of{Count}{Path.GetExtension(file)}";
}
