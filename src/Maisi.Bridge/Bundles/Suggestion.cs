namespace Maisi.Bridge.Bundles;

/// <summary>"Did you mean": the nearest of the known names.</summary>
public static class Suggestion
{
    // Comparing takes the product of the lengths: a config with a hundred thousand long keys must not take minutes to be refused.
    private const int LongestName = 128;
    private const int MostNames = 5_000;

    /// <summary>A hint such as "did you mean 'keys'?", or null when nothing is near.</summary>
    /// <param name="name">The unknown name.</param>
    /// <param name="known">The names there are.</param>
    public static string? For(string name, IEnumerable<string> known) =>
        Nearest(name, known) is { } near ? $"did you mean '{near}'?" : null;

    /// <summary>The nearest name by edits, swaps counted as one; null when none is within a third of the length.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        if (name.Length > LongestName)
            return null;
        var limit = Math.Clamp(name.Length / 3, 1, 3);
        string? best = null;
        foreach (var candidate in known.Take(MostNames))
        {
            if (candidate.Length == 0 || Math.Abs(candidate.Length - name.Length) > limit)
                continue;
            var distance = string.Equals(candidate, name, StringComparison.OrdinalIgnoreCase) ? 0 : Distance(name, candidate);
            if (distance > limit)
                continue;
            (best, limit) = (candidate, distance - 1);
            if (limit < 0)
                break;
        }
        return best;
    }

    // Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
    private static int Distance(string a, string b)
    {
        var previous2 = new int[b.Length + 1];
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var current = new int[b.Length + 1];
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1] + 1, previous[j] + 1), previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    current[j] = Math.Min(current[j], previous2[j - 2] + 1);
            }
            (previous2, previous) = (previous, current);
        }
        return previous[b.Length];
    }
}
