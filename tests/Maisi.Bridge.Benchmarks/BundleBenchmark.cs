using System.Globalization;
using System.Text;
using Maisi.Bridge.Bundles;

namespace Maisi.Bridge.Benchmarks;

/// <summary>Resolving a config of 300 keys: a whole process from start to exit, and the parser alone in a warm process, each beside MONAI.</summary>
internal sealed class BundleBenchmark : IBenchmark
{
    private const int Keys = 300;

    private const string Script = """
        import sys, json
        from monai.bundle import ConfigParser
        def resolve():
            parser = ConfigParser()
            parser.read_config("config.json")
            return parser.get_parsed_content("")
        """;

    public string Name => "bundle";

    public string Description => "bundle resolve of a 300-key config beside MONAI's parser; --maisi artifacts/maisi/maisi.dll --monai CHECKOUT --rounds 11 --python /usr/bin/python3";

    public int Run(BenchmarkOptions options)
    {
        var maisi = Path.GetFullPath(options.Text("maisi", "artifacts/maisi/maisi.dll"));
        var monai = options.Text("monai", "");
        var (rounds, python) = (options.Number("rounds", 11), options.Text("python", "/usr/bin/python3"));
        var folder = Directory.CreateTempSubdirectory("maisi-bundle-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "config.json"), Config());
            var (ours, theirs, start) = (new List<Clock>(), new List<Clock>(), new List<Clock>());
            for (var round = 0; round <= rounds; round++)
            {
                var first = round == 0;
                Add(ours, ChildProcess.Run("dotnet", [maisi, "bundle", "resolve", "--config_file", "config.json"], folder), first);
                Add(start, ChildProcess.Run("dotnet", [maisi, "--version"], folder), first);
                if (monai.Length > 0)
                    Add(theirs, ChildProcess.Run(python, ["-c", Script + "\nresolve()"], folder, [("PYTHONPATH", monai)]), first);
            }
            Console.WriteLine($"{Keys} keys, {rounds} rounds in turn, medians: wall, processor time (user and system)");
            Print("maisi bundle resolve", ours);
            Print("maisi --version (start-up alone)", start);
            if (monai.Length > 0)
            {
                Print("MONAI's ConfigParser, whole process", theirs);
                Console.WriteLine($"ratio of processor time {Clock.Median(ours.Select(c => c.Cpu)) / Clock.Median(theirs.Select(c => c.Cpu)):F3}");
                Warm(folder, python, monai, rounds);
            }
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The parsers alone: MONAI's imports and our start-up left out.
    private static void Warm(string folder, string python, string monai, int rounds)
    {
        var script = Script + $$"""

            import time
            times = []
            for _ in range({{rounds}} + 3):
                start = time.process_time(); resolve(); times.append(time.process_time() - start)
            print(*sorted(times[3:]))
            """;
        var output = ChildProcess.Run(python, ["-c", script], folder, [("PYTHONPATH", monai)]).Output.Trim().Split('\n')[^1];
        var theirs = Clock.Median(output.Split(' ').Select(t => double.Parse(t, CultureInfo.InvariantCulture)));
        var registry = TargetRegistryBuilder.Standard();
        void Resolve()
        {
            var parser = new ConfigParser(new ConfigParserOptions { Registry = registry, WorkingDirectory = folder });
            parser.ReadConfig("config.json");
            parser.GetParsedContent();
        }
        for (var i = 0; i < 200; i++)
            Resolve();
        var ours = Clock.Median(Enumerable.Range(0, rounds * 5).Select(_ => Clock.Of(Resolve).Cpu));
        Console.WriteLine($"{"the parsers alone, warm",-38}{ours * 1e3,8:F1} ms, MONAI {theirs * 1e3:F1} ms, ratio {ours / theirs:F3}");
    }

    private static void Add(List<Clock> times, ChildProcess run, bool isWarmUp)
    {
        if (run.ExitCode != 0)
            throw new InvalidOperationException(run.Output);
        if (!isWarmUp)
            times.Add(run.Time);
    }

    private static void Print(string name, List<Clock> times) =>
        Console.WriteLine($"{name,-38}{Clock.Median(times.Select(c => c.Wall)) * 1e3,8:F0} ms{Clock.Median(times.Select(c => c.Cpu)) * 1e3,8:F0} ms");

    /// <summary>References, expressions, comprehensions, macros, components and nested values in equal parts, as bundles mix them.</summary>
    private static string Config()
    {
        var text = new StringBuilder("""{"imports": ["$import math", "$import os", "$from pathlib import Path"], "root": "/data", "base": 4""");
        for (var i = 0; i < Keys - 3; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $", \"k{i}\": ");
            text.Append((i % 6) switch
            {
                0 => $"{i}",
                1 => $"\"$@base * {i} + 1\"",
                2 => $$"""{"size": [{{i}}, {{i + 1}}, {{i + 2}}], "ref": "@base", "path": "$os.path.join(@root, 'case_{{i}}.nii.gz')"}""",
                3 => $"\"$[math.floor(s / 4) for s in @k{i - 1}['size']]\"",
                4 => $$"""{"_target_": "collections.OrderedDict", "a": "@base", "b": "%k{{i - 2}}::size"}""",
                _ => $"\"$str(Path(@root) / f'out_{i}') + '/' + str(@base)\"",
            });
        }
        return text.Append('}').ToString();
    }
}
