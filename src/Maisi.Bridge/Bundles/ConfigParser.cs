using Maisi.Bridge.Bundles.Parsing;

namespace Maisi.Bridge.Bundles;

/// <summary>
/// A MONAI bundle config: files merged, overrides set, macros and references resolved, components made. The behaviour is that of
/// <c>monai.bundle.ConfigParser</c> of MONAI 1.5 (monai/bundle/config_parser.py), without evaluating any Python.
/// </summary>
public sealed class ConfigParser
{
    private readonly ConfigParserOptions _options;
    private readonly ConfigFile _files;
    private readonly ConfigTree _tree = new();
    private readonly List<string> _folders;
    private ReferenceResolver? _resolver;
    private int _resolvedVersion = -1;

    /// <param name="options">How to read and resolve.</param>
    public ConfigParser(ConfigParserOptions options)
    {
        _options = options;
        _files = new ConfigFile(options.WorkingDirectory, options.Warn, options.FailOnDuplicate);
        _folders = [.. options.AllowedFolders.Select(f => Path.GetFullPath(f, options.WorkingDirectory))];
        var root = new DictNode(SourceLocation.Caller);
        root.Entries[ConfigTree.MetaKey] = new DictNode(SourceLocation.Caller);
        _tree.Set("", root);
    }

    /// <summary>The whole config tree.</summary>
    public ConfigNode Root => _tree.Root;

    /// <summary>The folder of the bundle: above <c>configs</c> when the first file lies there, else its own folder.</summary>
    public string BundleRoot { get; private set; } = "";

    /// <summary>The items of the parsed config by id.</summary>
    public IReadOnlyDictionary<string, ConfigItem> Items => Resolver().Items;

    /// <summary>Reads files in order; later ones replace or, with <c>+key</c>, merge.</summary>
    /// <param name="files">JSON or YAML files.</param>
    public void ReadConfig(params IEnumerable<string> files)
    {
        var merged = new ConfigTree();
        merged.Set("", new DictNode(SourceLocation.Caller));
        foreach (var file in files)
        {
            Allow(file);
            merged.Merge(LoadDict(file));
        }
        ReadConfig((DictNode)merged.Root);
    }

    /// <summary>Takes a config that is already a tree; the metadata read before stay.</summary>
    public void ReadConfig(DictNode config)
    {
        var root = new DictNode(SourceLocation.Caller);
        root.Entries[ConfigTree.MetaKey] = _tree.Find(ConfigTree.MetaKey) ?? new DictNode(SourceLocation.Caller);
        foreach (var (key, node) in config.Entries)
            root.Entries[key] = node;
        RenameDeprecated(root);
        _tree.Set("", root);
    }

    /// <summary>Replaces the whole config, without metadata.</summary>
    public void SetConfig(ConfigNode config) => _tree.Set("", config);

    /// <summary>Reads metadata files into <c>_meta_</c>.</summary>
    public void ReadMeta(params IEnumerable<string> files)
    {
        var merged = new ConfigTree();
        merged.Set("", new DictNode(SourceLocation.Caller));
        foreach (var file in files)
            merged.Merge(LoadDict(file));
        RenameDeprecated((DictNode)merged.Root);
        _tree.Set(ConfigTree.MetaKey, merged.Root);
    }

    /// <summary>Sets values by id; the parent of each must exist. A text may be a reference, an expression or a macro.</summary>
    public void Update(IEnumerable<KeyValuePair<string, object?>> pairs)
    {
        foreach (var (id, value) in pairs)
            _tree.Set(id, ConfigNode.FromValue(value, SourceLocation.Caller));
    }

    /// <summary>The unresolved node of an id.</summary>
    public ConfigNode Get(string id = "") => _tree.Get(id);

    /// <summary>True when the id is there.</summary>
    public bool Contains(string id) => _tree.Find(id) is not null;

    /// <summary>Resolves relative ids and macros, and forgets resolved values.</summary>
    public void Parse()
    {
        var budget = new NodeBudget();
        _tree.ResolveMacros((text, id, node) => Macro(text, id, node, budget));
        _resolver = new ReferenceResolver(_tree.Root, new ItemMaker(_options, WritableFolders));
        _resolvedVersion = _tree.Version;
    }

    /// <summary>The value of an id, resolved when first asked for.</summary>
    /// <param name="id">The id; empty for the whole config.</param>
    /// <param name="options">How to resolve.</param>
    public object? GetParsedContent(string id = "", ResolveOptions? options = null)
    {
        // As MONAI: a config of which nothing is resolved yet is parsed again, so macros of macros have had two passes after Parse().
        if (_resolver is null || !_resolver.HasResolved || _resolvedVersion != _tree.Version)
            Parse();
        return _resolver!.Resolve(id, options ?? ResolveOptions.Default);
    }

    /// <summary>Forgets the value of an id, so that the next request makes it again; what it refers to stays.</summary>
    public void Forget(string id) => _resolver?.Remove(id);

    private IReadOnlyList<string> WritableFolders => [.. _folders, Path.GetFullPath(_options.WorkingDirectory)];

    private ReferenceResolver Resolver()
    {
        if (_resolver is null || _resolvedVersion != _tree.Version)
            Parse();
        return _resolver!;
    }

    private void Allow(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file, _options.WorkingDirectory))!;
        var root = Path.GetFileName(folder) == "configs" ? Path.GetDirectoryName(folder)! : folder;
        if (BundleRoot.Length == 0)
            BundleRoot = root;
        _folders.Add(root);
    }

    private DictNode LoadDict(string file) => _files.Load(file) switch
    {
        DictNode dict => dict,
        var other => throw new BundleException(BundleErrorKind.ValueError, $"a config must be a dict, but '{file}' holds a {other.KindName}", other.Location),
    };

    private ConfigNode Macro(string text, string id, ConfigNode node, NodeBudget budget)
    {
        var (path, target) = ConfigId.SplitPath(text);
        if (path.Length == 0)
            return _tree.Get(target, node.Location).Copy(budget);
        if (!node.Location.IsCaller)
            RequireInside(path, id, node.Location);
        var other = new ConfigTree();
        try
        {
            other.Set("", _files.Load(path));
        }
        catch (BundleException e) when (e.Location is null)
        {
            throw new BundleException(e.Kind, e.Message, node.Location, id, hint: e.Hint, inner: e);
        }
        return other.Get(target, target.Length == 0 ? null : node.Location).Copy(budget);
    }

    // A bundle is untrusted: its macros read only in its own folder. What the user types on the command line reads anywhere.
    private void RequireInside(string path, string id, SourceLocation location)
    {
        var full = Path.GetFullPath(path, _options.WorkingDirectory);
        var folders = _folders.Count == 0 ? [Path.GetFullPath(_options.WorkingDirectory)] : _folders;
        if (!folders.Any(f => PathPolicy.IsInside(full, f)))
        {
            throw new BundleException(BundleErrorKind.PermissionError, $"the macro '%{path}' reads outside the bundle", location, id,
                hint: $"a bundle reads only below {folders[0]}; allow another folder with --allow-path, or give the value on the command line");
        }
    }

    private void RenameDeprecated(DictNode root)
    {
        const string old = "optional_packages_version", current = "required_packages_version";
        if (!root.Entries.Remove(old, out var node))
            return;
        _options.Warn($"{node.Location}: '{old}' is deprecated, read as '{current}'");
        root.Entries[current] = node;
    }
}
