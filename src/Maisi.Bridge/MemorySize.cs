using System.Globalization;
using System.Text.RegularExpressions;

namespace Maisi.Bridge;

/// <summary>Amounts of memory as people write them.</summary>
public static partial class MemorySize
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>Bytes of "16GB", "900 MB", "1.5gb" or a plain number of bytes; a unit is 1024 of the one before.</summary>
    /// <exception cref="MaisiException">The text is none of these, or not above 0.</exception>
    public static long Parse(string text, string where)
    {
        ArgumentNullException.ThrowIfNull(text);
        var match = Pattern().Match(text.Trim());
        if (match.Success && double.TryParse(match.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            var unit = Array.FindIndex(Units, u => u[0] == char.ToUpperInvariant(match.Groups[2].Length == 0 ? 'B' : match.Groups[2].Value[0]));
            var bytes = number * Math.Pow(1024, unit);
            if (bytes is >= 1 and < long.MaxValue)
                return (long)bytes;
        }
        throw new MaisiException($"'{text}' is no amount of memory.", where, "Write a number above 0 and a unit, for instance 16GB or 900MB; a number alone means bytes.");
    }

    /// <summary>An amount in the unit that keeps it short, for instance "1.4 GB".</summary>
    public static string Text(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1000 && unit < Units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 || value >= 100 ? Math.Ceiling(value) : value):0.#} {Units[unit]}");
    }

    [GeneratedRegex(@"^([0-9]+(?:\.[0-9]+)?)\s*(B|[KMGT]i?B?)?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Pattern();
}
