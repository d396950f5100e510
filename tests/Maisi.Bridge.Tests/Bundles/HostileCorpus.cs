using System.Text.Json;
using Maisi.Bridge.Bundles;

namespace Maisi.Bridge.Tests.Bundles;

/// <summary>A bundle that tries to run code, to hang, to fill the memory or to reach outside its folder.</summary>
/// <param name="Name">What it does.</param>
/// <param name="Group">code, bomb, nesting, size or path.</param>
/// <param name="Kind">The error that stops it; null when it may also end in a harmless value.</param>
/// <param name="Write">Writes its files into a folder; the config is main.json or main.yaml.</param>
/// <param name="Id">What is resolved.</param>
public sealed record HostileCase(string Name, string Group, BundleErrorKind? Kind, Action<string> Write, string Id = "a")
{
    /// <summary>Writes the files and resolves the id.</summary>
    /// <exception cref="BundleException">As it should be.</exception>
    public object? Resolve(string folder)
    {
        Write(folder);
        var parser = new ConfigParser(new ConfigParserOptions { Registry = TargetRegistryBuilder.Standard(), WorkingDirectory = folder });
        parser.ReadConfig(File.Exists(Path.Combine(folder, "main.yaml")) ? "main.yaml" : "main.json");
        return parser.GetParsedContent(Id);
    }
}

/// <summary>All hostile cases: the tests run them, and the benchmark <c>hostile</c> measures each in a process of its own.</summary>
public static class HostileCorpus
{
    private const string Imports =
        """ "imports": ["$import os", "$import subprocess", "$import functools", "$import itertools", "$import glob", "$import math", "$import json", "$from pathlib import Path"] """;

    /// <summary>The cases by name.</summary>
    public static IReadOnlyDictionary<string, HostileCase> Cases { get; } = All().ToDictionary(c => c.Name, StringComparer.Ordinal);

    private static IEnumerable<HostileCase> All() =>
    [
        .. HostileExpressions.All().Select(e => Json(e.Text, e.Group, e.Kind, $$"""{ {{Imports}}, "a": {{JsonSerializer.Serialize("$" + e.Text)}} }""")),
        .. Targets(), .. Nested(), .. Large(), .. Paths(), .. Files(),
    ];

    private static IEnumerable<HostileCase> Targets()
    {
        string[] unknown =
        [
            "os.system", "posix.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "builtins.open", "builtins.__import__", "importlib.import_module", "ctypes.CDLL",
            "pickle.loads", "torch.hub.load", "monai.utils.module.optional_import", "System.Diagnostics.Process", "Maisi.Bridge.Bundles.ConfigParser", "../../evil", "",
        ];
        foreach (var target in unknown)
            yield return Json($"_target_ {target}", "code", BundleErrorKind.ModuleNotFoundError, $$"""{"a": {"_target_": "{{target}}", "command": "touch escaped"} }""");
        yield return Json("_mode_ callable of os.system", "code", BundleErrorKind.ModuleNotFoundError, """{"a": {"_target_": "os.system", "_mode_": "callable"}}""");
        yield return Json("code in _disabled_", "code", BundleErrorKind.SyntaxError, """{"a": {"_target_": "builtins.dict", "_disabled_": "$__import__('os').system('touch escaped')"}}""");
        yield return Json("code in _requires_", "code", BundleErrorKind.SyntaxError, """{"a": {"_target_": "builtins.dict", "_requires_": ["$__import__('os').system('touch escaped')"]}}""");
        yield return Json("import of eval", "code", BundleErrorKind.RuntimeError, """{"imports": ["$from builtins import eval as e"], "a": "$e('1')"}""");
        yield return Json("import of os.system", "code", BundleErrorKind.RuntimeError, """{"imports": ["$from os import system"], "a": "$system('touch escaped')"}""");
        yield return Json("statements after an import", "code", null, """{"imports": ["$import os; os.system('touch escaped')"], "a": 1}""");
        yield return Yaml("YAML tag that calls os.system", "code", BundleErrorKind.ConstructorError, "a: !!python/object/apply:os.system ['touch escaped']");
        yield return Yaml("YAML tag that names os.system", "code", BundleErrorKind.ConstructorError, "a: !!python/name:os.system");
        yield return Yaml("YAML merge key", "code", BundleErrorKind.ConstructorError, "b: &b {c: 1}\na:\n  <<: *b");
        yield return Network("a network of a trillion weights", BundleErrorKind.RuntimeError, "\"num_channels\": [65536, 65536, 65536]");
        yield return Network("a network of a billion blocks", BundleErrorKind.RuntimeError, "\"num_res_blocks\": 1000000000");
        yield return Network("a network of a million levels", BundleErrorKind.RuntimeError, "\"num_channels\": \"$[32] * 1000000\"");
        yield return Json("a scheduler of a trillion steps", "bomb", BundleErrorKind.RuntimeError, """{"a": {"_target_": "DDPMScheduler", "num_train_timesteps": 1000000000000}}""");
    }

    private static HostileCase Network(string name, BundleErrorKind kind, string argument)
    {
        var arguments = new List<string> { """ "_target_": "DiffusionModelUNetMaisi", "spatial_dims": 3, "in_channels": 4, "out_channels": 4, "attention_levels": [false, false, false], "num_head_channels": [32, 32, 32] """ };
        foreach (var (key, value) in new[] { ("num_channels", "[32, 32, 32]"), ("num_res_blocks", "1") })
            arguments.Add(argument.Contains($"\"{key}\"", StringComparison.Ordinal) ? argument : $"\"{key}\": {value}");
        return Json(name, "bomb", kind, $$"""{"a": { {{string.Join(", ", arguments)}} } }""");
    }

    private static IEnumerable<HostileCase> Nested()
    {
        string Many(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
        foreach (var (name, text) in new[]
        {
            ("9,000 brackets", Many("(", 9_000) + "1" + Many(")", 9_000)), ("15,000 signs", Many("-", 15_000) + "1"), ("4,000 nots", Many("not ", 4_000) + "1"),
            ("2,000 lambdas", Many("lambda: ", 2_000) + "1"), ("5,000 f-strings", Many("f'{", 5_000)), ("a number of 15,000 digits", Many("1", 15_000)),
        })
        {
            yield return Json(name, "nesting", BundleErrorKind.SyntaxError, $$"""{"a": "${{text}}"}""");
        }
        yield return Json("an expression of 10 MB", "nesting", BundleErrorKind.SyntaxError, () => $$"""{"a": "${{Many("1+", 5_000_000)}}1"}""");
        yield return Json("9,000 sums", "nesting", null, $$"""{"a": "${{Many("1+", 9_000)}}1"}""");
        yield return Json("100,000 JSON dicts", "nesting", BundleErrorKind.RecursionError, Many("{\"a\":", 100_000));
        yield return Json("100,000 JSON lists", "nesting", BundleErrorKind.RecursionError, Many("[", 100_000));
        yield return Yaml("50,000 YAML lists", "nesting", BundleErrorKind.RecursionError, Many("[", 50_000));
        yield return Yaml("50,000 YAML dicts", "nesting", BundleErrorKind.RecursionError, Many("{a: ", 50_000));
        yield return Yaml("50,000 YAML dashes", "nesting", BundleErrorKind.RecursionError, Many("- ", 50_000));
        yield return Json("5,000 references", "nesting", BundleErrorKind.RecursionError,
            "{\"a\": \"@r0\", " + string.Concat(Enumerable.Range(0, 5_000).Select(i => $"\"r{i}\": \"@r{i + 1}\", ")) + "\"r5000\": 1}");
        yield return Json("lists of references that double", "nesting", null,
            "{\"d0\": 1" + string.Concat(Enumerable.Range(1, 60).Select(i => $", \"d{i}\": [\"@d{i - 1}\", \"@d{i - 1}\"]")) + ", \"a\": \"@d60\"}");
        yield return Json("a circle of references", "nesting", BundleErrorKind.ValueError, """{"a": "@b", "b": "$@c + 1", "c": ["@a"]}""");
        yield return Json("a macro of its own container", "nesting", null, """{"a": {"b": "%a", "c": "%a"}, "d": ["%d", "%"]}""");
        yield return Case("macros of files that name each other", "nesting", null, f =>
        {
            File.WriteAllText(Path.Combine(f, "main.json"), """{"a": "%b.json::a"}""");
            File.WriteAllText(Path.Combine(f, "b.json"), """{"a": "%main.json::a"}""");
        });
        yield return Json("components above many values", "nesting", BundleErrorKind.TimeoutError,
            "{\"a\": " + Many("{\"_target_\": \"builtins.dict\", \"x\": ", 60) + "[" + Many("0,", 80_000) + "0]" + Many("}", 60) + "}");
    }

    private static IEnumerable<HostileCase> Large()
    {
        string Many(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
        yield return Json("a key of 10 MB", "size", BundleErrorKind.ValueError, () => "{\"" + Many("k", 10_000_000) + "\": 1, \"a\": 1}");
        yield return Json("long keys nested", "size", BundleErrorKind.ValueError, () => Many("{\"" + Many("k", 10_000) + "\":", 150) + "1" + Many("}", 150));
        yield return Json("long keys above many values", "size", BundleErrorKind.MemoryError, () => "{\"" + Many("k", 900) + "\": [" + Many("0,", 100_000) + "0], \"a\": 1}");
        yield return Json("five million values", "size", BundleErrorKind.MemoryError, () => "{\"a\": [" + Many("0,", 5_000_000) + "0]}");
        yield return Json("a whole number of a million digits", "size", BundleErrorKind.JSONDecodeError, () => "{\"a\": " + Many("9", 1_000_000) + "}");
        yield return Json("a file of 40 MB", "size", BundleErrorKind.MemoryError, () => "{\"a\": \"" + Many("x", 40_000_000) + "\"}");
        yield return Yaml("a million YAML values", "size", BundleErrorKind.MemoryError, () => "a: [" + Many("0,", 1_000_000) + "0]");
        yield return Yaml("a YAML number of a million digits", "size", null, () => "a: " + Many("9", 1_000_000));
        yield return Yaml("YAML aliases of aliases", "size", BundleErrorKind.MemoryError, () =>
            "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + string.Concat(Enumerable.Range(1, 11).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n")));
        yield return Json("macros of macros", "size", BundleErrorKind.MemoryError, () =>
            "{\"m0\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]" + string.Concat(Enumerable.Range(1, 11).Select(i => $", \"m{i}\": [{string.Join(", ", Enumerable.Repeat($"\"%m{i - 1}\"", 10))}]")) + ", \"a\": \"%m11\"}");
        yield return Json("relative ids that grow", "size", BundleErrorKind.MemoryError, () => "{\"" + Many("k", 900) + "\": {\"b\": \"" + Many("@::", 100_000) + "\"}, \"a\": 1}");
        yield return Json("a misspelt reference among 100,000 keys", "size", BundleErrorKind.ValueError, () =>
            "{" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"\"some_rather_long_key_of_a_config_{i:D6}\": 1, ")) + "\"a\": \"@some_rather_long_key_of_a_config_99999x\"}");
    }

    private static IEnumerable<HostileCase> Paths()
    {
        string[] outside = ["../secret.json", "/proc/self/root/etc/secret.json", "x/../../secret.json", "link.json", "folder/secret.json", "~/../secret.json", "file:/etc/secret.json"];
        foreach (var path in outside)
        {
            yield return Case($"%{path}", "path", path is "~/../secret.json" or "file:/etc/secret.json" ? BundleErrorKind.FileNotFoundError : BundleErrorKind.PermissionError, f =>
            {
                var secret = Path.Combine(Path.GetDirectoryName(f)!, "secret.json");
                File.CreateSymbolicLink(Path.Combine(f, "link.json"), secret);
                Directory.CreateSymbolicLink(Path.Combine(f, "folder"), Path.GetDirectoryName(f)!);
                File.WriteAllText(Path.Combine(f, "main.json"), $$"""{"a": "%{{path}}::password"}""");
            });
        }
        yield return Json("%/proc/self/environ", "path", BundleErrorKind.KeyError, """{"a": "%/proc/self/environ"}""");
        yield return Json("%https://evil/x.json", "path", BundleErrorKind.FileNotFoundError, """{"a": "%https://evil.invalid/x.json::a"}""");
        yield return Case("a folder behind a link", "path", BundleErrorKind.RuntimeError, f =>
        {
            Directory.CreateSymbolicLink(Path.Combine(f, "folder"), "/var/tmp");
            File.WriteAllText(Path.Combine(f, "main.json"), """{"imports": ["$import os"], "a": "$os.makedirs('folder/maisi-outside')"}""");
        });
    }

    private static IEnumerable<HostileCase> Files()
    {
        // cos\nsystem\n(S'touch escaped'\ntR. : what pickle runs as os.system('touch escaped').
        yield return Pickle("a pickle that calls os.system", "cos\nsystem\n(S'touch escaped'\ntR."u8.ToArray());
        yield return Pickle("a pickle that calls eval", "c__builtin__\neval\n(S'1'\ntR."u8.ToArray());
        yield return Pickle("a pickle of lists that double", [0x80, 2, .. "]q\0"u8, .. Enumerable.Range(0, 60).SelectMany(i => new byte[] { (byte)']', (byte)'q', (byte)(i + 1), (byte)'h', (byte)i, (byte)'a', (byte)'h', (byte)i, (byte)'a' }), (byte)'.']);
        yield return Pickle("a pickle nested 100,000 times", [0x80, 2, .. Enumerable.Repeat((byte)']', 100_000), .. Enumerable.Repeat((byte)'a', 99_999), (byte)'.']);
        yield return Pickle("a pickle that claims 2 GB", [0x80, 2, (byte)'X', 0xFF, 0xFF, 0xFF, 0x7F, (byte)'x', (byte)'.']);
    }

    private static HostileCase Pickle(string name, byte[] content) => Case(name, "file", BundleErrorKind.RuntimeError, f =>
    {
        File.WriteAllBytes(Path.Combine(f, "evil.pt"), content);
        File.WriteAllText(Path.Combine(f, "main.json"), """{"a": "$torch.load('evil.pt')"}""");
    });

    private static HostileCase Json(string name, string group, BundleErrorKind? kind, string text) => Json(name, group, kind, () => text);

    private static HostileCase Json(string name, string group, BundleErrorKind? kind, Func<string> text) => Case(name, group, kind, f => File.WriteAllText(Path.Combine(f, "main.json"), text()));

    private static HostileCase Yaml(string name, string group, BundleErrorKind? kind, string text) => Yaml(name, group, kind, () => text);

    private static HostileCase Yaml(string name, string group, BundleErrorKind? kind, Func<string> text) => Case(name, group, kind, f => File.WriteAllText(Path.Combine(f, "main.yaml"), text()));

    private static HostileCase Case(string name, string group, BundleErrorKind? kind, Action<string> write) => new(name.Length > 100 ? name[..100] : name, group, kind, write);
}
