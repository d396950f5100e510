using System.Diagnostics;
using System.Globalization;

namespace Maisi.Bridge.Benchmarks;

/// <summary>
/// A Python process with torch that measures when told to, so that C# and Python take turns on the same machine in the same minute.
/// The script defines cases with <c>case("name", setup_and_function)</c>; see the scripts of the benchmarks.
/// </summary>
internal sealed class PythonPeer : IDisposable
{
    private const string Preamble = """
        import sys, time, torch
        cases = {}
        def case(name, function): cases[name] = function
        """;

    private const string Loop = """

        print("ready", torch.__version__, flush=True)
        for line in sys.stdin:
            case_name, case_count = line.split("\t")
            case_function = cases[case_name]
            case_wall, case_cpu = time.perf_counter(), time.process_time()
            for _ in range(int(case_count)): case_function()
            print(time.perf_counter() - case_wall, time.process_time() - case_cpu, flush=True)
        """;

    private readonly Process _process;

    /// <param name="interpreter">Python with torch; it should use the libtorch of this process.</param>
    /// <param name="threads">Threads of each operation.</param>
    /// <param name="script">Python that calls <c>case</c>.</param>
    public PythonPeer(string interpreter, int threads, string script)
    {
        var start = new ProcessStartInfo(interpreter, ["-c", $"{Preamble}\ntorch.set_num_threads({threads})\n{script}\n{Loop}"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        var ready = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{interpreter} could not start the measurement script");
        Version = ready.Split(' ')[1];
    }

    /// <summary>The version of its torch.</summary>
    public string Version { get; }

    /// <summary>A text as a literal of Python.</summary>
    public static string Quote(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    /// <summary>Time of <paramref name="count"/> runs of a case.</summary>
    public Clock Measure(string name, int count)
    {
        _process.StandardInput.WriteLine($"{name}\t{count}");
        _process.StandardInput.Flush();
        var numbers = (_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("Python stopped during the measurement")).Split(' ');
        return new(double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
