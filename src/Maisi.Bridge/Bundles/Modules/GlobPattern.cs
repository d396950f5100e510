using System.IO.Enumeration;
using Maisi.Bridge.Bundles.Expressions;

namespace Maisi.Bridge.Bundles.Modules;

/// <summary>Python's <c>glob</c>: *, ? and ** when recursive; the result is sorted, which Python leaves open.</summary>
internal static class GlobPattern
{
    private const int MaxEntries = 100_000;
    private const int WorkPerEntry = 1024;

    /// <summary>The names that match.</summary>
    /// <param name="pattern">The pattern, relative to the working directory or absolute.</param>
    /// <param name="context">Files and budget.</param>
    /// <param name="recursive">True: ** stands for any folders.</param>
    public static IEnumerable<object?> Find(string pattern, EvaluationContext context, bool recursive)
    {
        var parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var seen = 0;
        return Walk(pattern.StartsWith('/') ? "/" : "", parts, 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

        IEnumerable<string> Walk(string folder, string[] rest, int at)
        {
            if (at == rest.Length)
            {
                yield return folder;
                yield break;
            }
            var part = rest[at];
            if (part == "**" && recursive)
            {
                foreach (var deeper in Walk(folder, rest, at + 1))
                    yield return deeper;
                foreach (var child in Entries(folder).Where(c => Directory.Exists(c.Full) && !c.Name.StartsWith('.')))
                {
                    foreach (var deeper in Walk(Join(folder, child.Name), rest, at))
                        yield return deeper;
                }
                yield break;
            }
            foreach (var child in Entries(folder).Where(c => Matches(part, c.Name)))
            {
                foreach (var deeper in Walk(Join(folder, child.Name), rest, at + 1))
                    yield return deeper;
            }
        }

        IEnumerable<(string Name, string Full)> Entries(string folder)
        {
            var full = context.Files.Full(folder.Length == 0 ? "." : folder);
            if (!Directory.Exists(full))
                yield break;
            foreach (var entry in Directory.EnumerateFileSystemEntries(full))
            {
                context.Budget.Work(WorkPerEntry);
                if (++seen > MaxEntries)
                    throw new BundleException(BundleErrorKind.TimeoutError, $"the pattern '{pattern}' looks at more than {MaxEntries:N0} files");
                yield return (Path.GetFileName(entry), entry);
            }
        }
    }

    private static string Join(string folder, string name) => folder.Length == 0 || folder.EndsWith('/') ? folder + name : $"{folder}/{name}";

    private static bool Matches(string pattern, string name) =>
        (pattern.StartsWith('.') || !name.StartsWith('.')) && FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);
}
