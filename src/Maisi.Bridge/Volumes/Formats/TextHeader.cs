using System.Globalization;
using System.Text;

namespace Maisi.Bridge.Volumes;

/// <summary>Key-value headers of NRRD and MetaImage: lines of text, then the voxels or the name of the file that has them.</summary>
/// <param name="path">The file, for messages.</param>
internal sealed class TextHeader(string path)
{
    private const int MaxBytes = 1 << 20;

    private readonly Dictionary<string, string> _fields = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>First byte after the header.</summary>
    public long End { get; private set; }

    /// <summary>First line.</summary>
    public string First { get; private set; } = "";

    /// <summary>Every field.</summary>
    public IReadOnlyDictionary<string, string> Fields => _fields;

    /// <summary>Reads lines until <paramref name="isEnd"/> says that this was the last one, or the file ends.</summary>
    /// <exception cref="VolumeFormatException">The header is longer than a megabyte.</exception>
    public static TextHeader Read(string path, char separator, Func<string, bool> isEnd)
    {
        var header = new TextHeader(path);
        using var file = VolumeFile.Open(path);
        var line = new StringBuilder();
        var first = true;
        for (int b; (b = file.ReadByte()) >= 0;)
        {
            header.End++;
            if (header.End > MaxBytes)
                throw new VolumeFormatException("the header does not end", path, "this is not an image of the kind that its name says");
            if (b != '\n')
            {
                line.Append((char)b);
                continue;
            }
            var text = line.ToString().TrimEnd('\r');
            line.Clear();
            if (first)
                header.First = text;
            first = false;
            header.Add(text, separator);
            if (isEnd(text))
                return header;
        }
        header.Add(line.ToString(), separator);
        header.First = first ? line.ToString() : header.First;
        return header;
    }

    /// <summary>A field, or null.</summary>
    public string? Find(string key) => _fields.GetValueOrDefault(key);

    /// <summary>A field that must be there.</summary>
    /// <exception cref="VolumeFormatException">It is not.</exception>
    public string Get(string key) => Find(key) ?? throw new VolumeFormatException($"the header has no '{key}'", path);

    /// <summary>The numbers of a text, whatever separates them.</summary>
    /// <exception cref="VolumeFormatException">Not numbers, or another count.</exception>
    public double[] Numbers(string text, int count)
    {
        var parts = text.Split([' ', ',', '(', ')', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var numbers = parts.Select(p => double.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) ? v : double.NaN).ToArray();
        return numbers.Length == count && numbers.All(double.IsFinite) ? numbers
            : throw new VolumeFormatException($"'{text}' of the header is not {count} numbers", path);
    }

    /// <summary>Sizes of axes: positive whole numbers whose product is a possible count of voxels.</summary>
    /// <exception cref="VolumeFormatException">Another content.</exception>
    public int[] Sizes(string key, int count)
    {
        var numbers = Numbers(Get(key), count);
        return numbers.All(n => n >= 1 && n == Math.Floor(n)) && numbers.Aggregate(1.0, (p, n) => p * n) <= int.MaxValue
            ? [.. numbers.Select(n => (int)n)]
            : throw new VolumeFormatException($"'{key}: {Get(key)}' of the header is not a size", path);
    }

    /// <summary>The file that has the voxels: a name beside the header; never a path that leads elsewhere.</summary>
    /// <exception cref="VolumeFormatException">A path, a list or a pattern, or no such file.</exception>
    public string Beside(string name)
    {
        if (name.Length == 0 || name.IndexOfAny(['/', '\\', '%', ' ', '\0']) >= 0 || name is "LIST" || name.StartsWith("LIST", StringComparison.Ordinal))
            throw new VolumeFormatException($"the voxels are in '{name}'; only one file beside the header is supported", path, "write the image as one file");
        var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name);
        return File.Exists(file) ? file : throw new VolumeFormatException($"the voxels of this header are missing: there is no {name} beside it", path);
    }

    /// <summary>The affine from directions and origin in LPS coordinates.</summary>
    /// <exception cref="VolumeFormatException">The axes do not span space.</exception>
    public Affine FromLps(double[] x, double[] y, double[] z, double[] origin)
    {
        double[] Flip(double[] v) => [-v[0], -v[1], v[2]];
        var affine = Affine.FromColumns(Flip(x), Flip(y), Flip(z), Flip(origin));
        return affine.IsFinite && Math.Abs(affine.Determinant) > 1e-12 ? affine
            : throw new VolumeFormatException("the axes of the header do not span space", path);
    }

    private void Add(string line, char separator)
    {
        var at = line.IndexOf(separator, StringComparison.Ordinal);
        if (at > 0 && !line.StartsWith('#'))
            _fields.TryAdd(line[..at].Trim(), line[(at + 1)..].TrimStart('=').Trim());
    }
}
