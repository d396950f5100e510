using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Maisi.Bridge.TestSupport;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>Generators of configs, as text that a failing test can show.</summary>
internal static class ConfigGenerators
{
    private static readonly string[] References = ["@a", "@b", "@c::0", "@::a", "@::::b", "@", "%a", "%b::0", "%::c", "%x.json::a", "#", "::", "$", "$@a + 1", "$@b[0]", "$len(@c)"];

    private static readonly string[] Pieces =
    [
        "@a", "@b", "@c", "+", "-", "*", "**", "//", "%", "(", ")", "[", "]", "{", "}", ",", ":", ".", "lambda x: x", " for x in ", " if ", " else ", " and ", " or ", " not ", " in ", " is ",
        "'", "\"", "f'{@a:>5}'", "f'", "{@a!r}", "\\", "\n", "1", "0", "-1", "1e3", "1e400", "0x1f", "0o7", "10**9", "None", "True", "False", "...", "x", "y", "math.pi", "math.floor(2.5)",
        "np.prod([1, 2])", "str", "int('5')", ".split(',')", ".append(1)", ".get('k')", ".format(1)", ".__class__", "range(3)", "sorted(", "map(", "sum(", "print(", "json.dumps(", "<<", ">>",
        "~", "^", "|", "&", "==", "!=", "<=", "\u00E9", "\U0001D7D9", "\0",
    ];

    private static readonly string[] Keys = ["k0", "k1", "k2", "_target_", "_disabled_", "_requires_", "_mode_", "_desc_", "+k0", "a::b", "@a", "%a", "", "imports"];

    private static readonly string[] Targets = ["builtins.dict", "builtins.list", "math.pi", "math.floor", "collections.OrderedDict", "$@a", "@b", "monai.none", "DDPMScheduler", "callable", "%a"];

    /// <summary>An expression without its <c>$</c>: up to 14 pieces in a row.</summary>
    public static Gen<string> Expression { get; } = Gen.Choose(1, 14).SelectMany(n => Gen.ArrayOf(Gen.Elements(Pieces), n)).Select(string.Concat);

    /// <summary>A whole config as JSON.</summary>
    public static Gen<string> Config { get; } = Gen.ArrayOf(Value(3), 4).Select(v => $$"""{"a": {{v[0]}}, "b": {{v[1]}}, "c": {{v[2]}}, "imports": [{{v[3]}}, "$import math"]}""");

    /// <summary>A recorded config with some random damage; the name ends in its format.</summary>
    public static Gen<(string Text, string Name)> Damaged { get; } = Gen.Elements(Recorded()).SelectMany(
        sample => Gen.ArrayOf(Edit(), 3).Select(edits => (edits.Aggregate(sample.Text, (text, edit) => edit(text)), sample.Name)));

    private static Gen<string> Value(int depth)
    {
        var scalar = Gen.Frequency(
            (2, Gen.Choose(-5, 5).Select(i => $"{i}")),
            (1, Gen.Elements("null", "true", "false", "0.5", "-1e3", "NaN", "\"text\"")),
            (3, Gen.Elements(References).Select(Quote)),
            (4, Gen.Choose(1, 5).SelectMany(n => Gen.ArrayOf(Gen.Elements(Pieces), n)).Select(p => Quote("$" + string.Concat(p)))),
            (1, Gen.Elements("$import math", "$from os import path", "$import x as y").Select(Quote)));
        if (depth == 0)
            return scalar;
        var items = Gen.Choose(0, 3).SelectMany(n => Gen.ArrayOf(Value(depth - 1), n));
        var entries = Gen.Choose(0, 3).SelectMany(n => Gen.ArrayOf(Gen.Elements(Keys).Zip(Value(depth - 1), (k, v) => $"{Quote(k)}: {v}"), n));
        return Gen.Frequency(
            (5, scalar),
            (1, items.Select(i => $"[{string.Join(", ", i)}]")),
            (1, entries.Select(e => $"{{{string.Join(", ", e)}}}")),
            (1, Gen.Elements(Targets).Zip(Value(depth - 1), (t, v) => $$"""{"_target_": {{Quote(t)}}, "x": {{v}}}""")));
    }

    private static Gen<Func<string, string>> Edit() => Gen.OneOf<Func<string, string>>(
        At((text, at, length) => text.Remove(at, length)),
        At((text, at, length) => text.Insert(at, text.Substring(at, length))),
        Gen.Elements(Pieces).SelectMany(piece => At((text, at, _) => text.Insert(at, piece))),
        Gen.Choose(1, 126).SelectMany(c => At((text, at, length) => text.Remove(at, Math.Min(length, 1)).Insert(at, $"{(char)c}"))));

    private static Gen<Func<string, string>> At(Func<string, int, int, string> edit) => Gen.Choose(0, 9_999).Zip(Gen.Choose(1, 12), (Func<int, int, Func<string, string>>)((place, length) => text =>
    {
        var at = (int)((long)text.Length * place / 10_000);
        return edit(text, at, Math.Min(length, text.Length - at));
    }));

    private static (string Text, string Name)[] Recorded() => [.. JsonNode.Parse(File.ReadAllText(TestPaths.Golden("config_cases.json")))!["cases"]!.AsArray()
        .Select(c => c!["config"] is { } config ? (config.ToJsonString(), "f.json") : (c["yaml"]?.GetValue<string>() ?? "", "f.yaml")).Where(s => s.Item1.Length > 0)];

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
