using System.Security.Cryptography;

namespace Maisi.Bridge.Bundles;

/// <summary>Hashes of files, under the names that MONAI uses.</summary>
public static class FileHash
{
    private static readonly string[] Known = ["md5", "sha1", "sha256", "sha512"];

    /// <summary>The hash in lower-case hexadecimal digits.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">md5, sha1, sha256 or sha512. The first two only detect damage; the model zoo still publishes them.</param>
    /// <exception cref="BundleException">ValueError: another type.</exception>
    public static string OfFile(string path, string type)
    {
        var name = type.ToLowerInvariant();
        if (!Known.Contains(name, StringComparer.Ordinal))
            throw new BundleException(BundleErrorKind.ValueError, $"unknown hash type '{type}'", hint: $"one of {string.Join(", ", Known)}");
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(CryptographicOperations.HashData(new HashAlgorithmName(name.ToUpperInvariant()), stream));
    }
}
