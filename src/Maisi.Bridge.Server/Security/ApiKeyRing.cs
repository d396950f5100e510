using System.Security.Cryptography;
using System.Text;

namespace Maisi.Bridge.Server;

/// <summary>The clients' keys, of which the server knows hashes alone. Keys are 32 random bytes, so that one round of SHA-256 is enough.</summary>
public sealed class ApiKeyRing
{
    private const int KeyBytes = 32, LongestKey = 256;

    private readonly (string Name, byte[] Hash)[] _keys;

    /// <param name="keys">Names of clients and SHA-256 of their keys, in hexadecimal.</param>
    public ApiKeyRing(IEnumerable<KeyValuePair<string, string>> keys) => _keys = [.. keys.Select(k => (k.Key, Convert.FromHexString(k.Value)))];

    /// <summary>Whether there are any.</summary>
    public bool IsEmpty => _keys.Length == 0;

    /// <summary>A new key and its hash.</summary>
    public static (string Key, string Hash) Create()
    {
        var key = "maisi-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
        return (key, Convert.ToHexStringLower(Hash(key)));
    }

    /// <summary>Reads lines of the form NAME HASH; empty lines and those that begin with # are passed over.</summary>
    /// <exception cref="MaisiException">The file is missing, or a line is none.</exception>
    public static IReadOnlyDictionary<string, string> ReadFile(string path)
    {
        try
        {
            var lines = File.ReadLines(path).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
            return lines.FirstOrDefault(l => l.Length != 2) is { } wrong
                ? throw new MaisiException($"A line has {wrong.Length} words, not a name and a hash.", path, "Write lines as 'maisi serve key NAME' prints them.")
                : lines.ToDictionary(l => l[0], l => l[1], StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MaisiException($"The keys cannot be read: {e.Message}", path, "Write lines as 'maisi serve key NAME' prints them, each name once.", e);
        }
    }

    /// <summary>The client of a key; null when nobody has it. Takes the same time for every key.</summary>
    public string? Find(string key)
    {
        var hash = Hash(key.Length <= LongestKey ? key : "");
        string? found = null;
        foreach (var (name, known) in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, known))
                found = name;
        }
        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
