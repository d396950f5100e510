using System.Globalization;
using Maisi.Bridge.Runtime;
using TorchSharp;

namespace Maisi.Bridge.Benchmarks;

/// <summary>Lets C# and Python take turns (A B A B ...) and prints medians and their ratio; below one means that C# is faster.</summary>
internal sealed class Comparison : IDisposable
{
    private readonly PythonPeer _python;
    private readonly int _rounds;

    public Comparison(BenchmarkOptions options, string script)
    {
        var threads = options.Number("threads", 1);
        _rounds = options.Number("rounds", 11);
        torch.set_num_threads(threads);
        _python = new PythonPeer(options.Text("python", "/usr/bin/python3"), threads, script);
        var info = TensorRuntime.Info();
        Console.WriteLine($"C#: {info.Binding} {info.Version} ({info.Path}); Python: torch {_python.Version}; {threads} thread(s), {_rounds} rounds, medians");
        Console.WriteLine($"{"",-28}{"C# wall",12}{"Python wall",14}{"ratio",8}{"C# CPU",12}{"Python CPU",14}{"ratio",8}");
    }

    /// <summary>Measures one case, which the Python script must know by the same name.</summary>
    /// <param name="name">The case.</param>
    /// <param name="work">What C# does.</param>
    /// <param name="repeat">Runs per turn: enough for a turn to take milliseconds.</param>
    /// <param name="warmUp">Whether both run once before anything is measured.</param>
    public double Case(string name, Action work, int repeat, bool warmUp = true)
    {
        var cs = new List<Clock>();
        var py = new List<Clock>();
        void Repeat()
        {
            for (var i = 0; i < repeat; i++)
                work();
        }
        if (warmUp)
        {
            Repeat();
            _ = _python.Measure(name, repeat);
        }
        for (var round = 0; round < _rounds; round++)
        {
            cs.Add(Clock.Of(Repeat) / repeat);
            py.Add(_python.Measure(name, repeat) / repeat);
        }
        var (csWall, pyWall) = (Clock.Median(cs.Select(c => c.Wall)), Clock.Median(py.Select(c => c.Wall)));
        var (csCpu, pyCpu) = (Clock.Median(cs.Select(c => c.Cpu)), Clock.Median(py.Select(c => c.Cpu)));
        Console.WriteLine($"{name,-28}{Time(csWall),12}{Time(pyWall),14}{csWall / pyWall,8:F2}{Time(csCpu),12}{Time(pyCpu),14}{csCpu / pyCpu,8:F2}");
        return csCpu / pyCpu;
    }

    public void Dispose() => _python.Dispose();

    private static string Time(double seconds) => seconds switch
    {
        < 1e-3 => (seconds * 1e6).ToString("F2", CultureInfo.InvariantCulture) + " us",
        < 1 => (seconds * 1e3).ToString("F1", CultureInfo.InvariantCulture) + " ms",
        _ => seconds.ToString("F2", CultureInfo.InvariantCulture) + " s",
    };
}
