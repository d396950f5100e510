using System.Globalization;
using Maisi.Bridge.Bundles;
using Maisi.Bridge.Tests.Bundles;

namespace Maisi.Bridge.Benchmarks;

/// <summary>Every hostile bundle of the tests in a process of its own: time, memory beyond a harmless config, and the error that stops it.</summary>
internal sealed class HostileBenchmark : IBenchmark
{
    private const double MostSeconds = 2;
    private const long MostMegabytes = 256;

    public string Name => "hostile";

    public string Description => "time and extra memory of every hostile bundle, each in its own process; exit code 1 above 2 s or 256 MB; --only TEXT --all 1";

    public int Run(BenchmarkOptions options)
    {
        var one = options.Text("case", "");
        if (one.Length > 0)
        {
            Measure(HostileCorpus.Cases[one]);
            return 0;
        }
        var only = options.Text("only", "");
        var rows = HostileCorpus.Cases.Values.Where(c => c.Name.Contains(only, StringComparison.Ordinal)).Select(Child).ToList();
        foreach (var row in options.Number("all", 0) == 1 ? rows : [.. rows.OrderByDescending(r => r.Seconds).Take(12), .. rows.OrderByDescending(r => r.Megabytes).Take(12)])
            Console.WriteLine($"{row.Seconds,7:F2} s cpu {row.Wall,6:F2} s {row.Megabytes,5} MB  {row.Error,-20} {row.Case.Group,-8} {(row.Case.Name.Length > 90 ? row.Case.Name[..90] : row.Case.Name)}");
        foreach (var group in rows.GroupBy(r => r.Case.Group))
        {
            Console.WriteLine($"{group.Key,-9}{group.Count(),4} cases, at most {group.Max(r => r.Seconds):F2} s of processor time, {group.Max(r => r.Wall):F2} s, {group.Max(r => r.Megabytes)} MB");
        }
        var bad = rows.Where(r => r.Seconds > MostSeconds || r.Megabytes > MostMegabytes || !r.IsExpected).ToList();
        Console.WriteLine($"{rows.Count} cases, {bad.Count} above {MostSeconds} s or {MostMegabytes} MB or with another error{string.Concat(bad.Select(r => $"\n  {r.Case.Name}: {r.Error}"))}");
        return bad.Count == 0 ? 0 : 1;
    }

    private sealed record Row(HostileCase Case, double Seconds, double Wall, long Megabytes, string Error, bool IsExpected);

    private static Row Child(HostileCase hostile)
    {
        var run = ChildProcess.Run(Path.ChangeExtension(typeof(HostileBenchmark).Assembly.Location, null), ["hostile", "--case", hostile.Name], Path.GetTempPath(), [("OMP_NUM_THREADS", "1")]);
        var parts = run.Output.Trim().Split('\n')[^1].Split('\t');
        if (run.ExitCode != 0 || parts.Length != 4)
            return new Row(hostile, run.Time.Cpu, run.Time.Wall, 0, $"exit code {run.ExitCode}", false);
        var seconds = double.Parse(parts[0], CultureInfo.InvariantCulture);
        return new Row(hostile, seconds, double.Parse(parts[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture), parts[3],
            hostile.Kind is null || hostile.Kind.ToString() == parts[3]);
    }

    private static void Measure(HostileCase hostile)
    {
        var folder = Directory.CreateTempSubdirectory("maisi-hostile-").FullName;
        try
        {
            // The runtime, the registry and the code of the parser are no cost of the attack.
            var harmless = new HostileCase("harmless", "", null, f => File.WriteAllText(Path.Combine(f, "main.json"), """{"a": "$[i * 2 for i in range(10)]", "b": {"_target_": "builtins.dict", "x": "@a"}}"""), "");
            Outcome(harmless, Directory.CreateDirectory(Path.Combine(folder, "harmless")).FullName);
            var target = Directory.CreateDirectory(Path.Combine(folder, "bundle")).FullName;
            File.WriteAllText(Path.Combine(folder, "secret.json"), "{\"password\": 1}");
            hostile.Write(target);
            GC.Collect();
            File.WriteAllText("/proc/self/clear_refs", "5");
            var before = Resident();
            var error = "";
            var time = Clock.Of(() => error = Outcome(hostile with { Write = static _ => { } }, target));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.Cpu:F3}\t{time.Wall:F3}\t{Math.Max(0, Resident() - before) / 1024}\t{error}"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Outcome(HostileCase hostile, string folder)
    {
        try
        {
            hostile.Resolve(folder);
            return "value";
        }
        catch (BundleException e)
        {
            return e.Kind.ToString();
        }
    }

    // The highest resident memory since it was last reset, in KB.
    private static long Resident() => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
