namespace Maisi.Bridge.Bundles.Parsing;

/// <summary>Reads config files by their suffix: .json, .yaml and .yml.</summary>
/// <param name="workingDirectory">Where relative names start.</param>
/// <param name="warn">Receives warnings such as duplicate keys; an error instead when <paramref name="failOnDuplicate"/> is set.</param>
/// <param name="failOnDuplicate">MONAI_FAIL_ON_DUPLICATE_CONFIG=1: a key that is there twice is an error.</param>
public sealed class ConfigFile(string workingDirectory, Action<string> warn, bool failOnDuplicate = false)
{
    /// <summary>Configs are some kB; lists of training cases some MB.</summary>
    public const long MaxBytes = 32L << 20;

    /// <summary>True when the name ends in a suffix of a config file.</summary>
    public static bool HasConfigSuffix(string path) => IsJson(path) || IsYaml(path);

    /// <summary>Reads one file; every node keeps its line and column.</summary>
    /// <param name="path">The file, relative to the working directory or absolute.</param>
    /// <exception cref="BundleException">Unknown suffix (ValueError), no such file (FileNotFoundError), or a syntax error with its place.</exception>
    public ConfigNode Load(string path)
    {
        if (!HasConfigSuffix(path))
        {
            throw new BundleException(BundleErrorKind.ValueError, $"unknown file input: \"{path}\"",
                hint: "a config file ends in .json, .yaml or .yml");
        }
        var full = Path.GetFullPath(path, workingDirectory);
        if (!File.Exists(full))
            throw new BundleException(BundleErrorKind.FileNotFoundError, $"no such file: '{path}'", hint: $"looked for {full}");
        if (new FileInfo(full).Length > MaxBytes)
            throw new BundleException(BundleErrorKind.MemoryError, $"'{path}' is larger than {MaxBytes >> 20} MB, which no config file is");
        string text;
        try
        {
            text = File.ReadAllText(full, new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        }
        catch (Exception e) when (e is System.Text.DecoderFallbackException or IOException or UnauthorizedAccessException)
        {
            throw new BundleException(BundleErrorKind.ValueError, $"cannot read '{path}' as UTF-8 text: {e.Message}", inner: e);
        }
        return Parse(text, path);
    }

    /// <summary>Parses text that is already in memory.</summary>
    /// <param name="text">The document.</param>
    /// <param name="name">A file name: its suffix decides the format, and messages show it.</param>
    public ConfigNode Parse(string text, string name) =>
        IsJson(name) ? JsonConfigReader.Parse(text, name, OnDuplicate) : YamlConfigReader.Parse(text, name, OnDuplicate);

    private void OnDuplicate(string key, SourceLocation location)
    {
        if (failOnDuplicate)
        {
            throw new BundleException(BundleErrorKind.ValueError, $"duplicate key: `{key}`", location,
                hint: "remove one of the two, or unset MONAI_FAIL_ON_DUPLICATE_CONFIG to let the last one win");
        }
        warn($"{location}: duplicate key `{key}`: the last one wins");
    }

    private static bool IsJson(string path) => path.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    private static bool IsYaml(string path) =>
        path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);
}
