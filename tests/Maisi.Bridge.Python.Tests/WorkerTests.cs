using System.Numerics;
using Maisi.Bridge.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Python.Tests;

/// <summary>Calls in worker processes: values, arrays, progress, logging, sessions.</summary>
public sealed class WorkerTests
{
    private static readonly PythonCallOptions Pooled = new() { Pooled = true };

    [SkippableFact]
    public async Task Values_of_every_kind_round_trip()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var big = BigInteger.Pow(3, 100);
        object?[] values =
        [
            null, true, false, 0L, -1L, long.MaxValue, long.MinValue, big, 0.1, 1.0, -0.0, 1e300, double.NaN, double.PositiveInfinity, double.NegativeInfinity,
            "", "Lunge größer 肺 🫁 \n \"quoted\" \0", new byte[] { 0, 1, 255 }, new List<object?>(), new List<object?> { 1L, new List<object?> { "x" } },
            new Dictionary<string, object?> { ["a b"] = 1L, ["$"] = "kind" }, new Dictionary<string, object?> { ["n"] = null },
        ];
        foreach (var value in values)
        {
            var back = await runtime.CallAsync("worker_functions:identity", PythonArguments.Of(value), options: Pooled);
            if (back is Dictionary<object, object?> keyed)
                keyed.ToDictionary(e => (string)e.Key, e => e.Value).ShouldBe((Dictionary<string, object?>)value!, ignoreOrder: true);
            else
                back.ShouldBe(value);
            if (value is long or double or BigInteger)
                back.ShouldBeOfType(value.GetType());
        }
    }

    [SkippableFact]
    public async Task Positional_and_named_arguments_reach_the_function()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var result = (Dictionary<string, object?>)(await runtime.CallAsync("worker_functions:echo", PythonArguments.Of(1, "two").With("three", 3.5)))!;
        ((List<object?>)result["args"]!).ShouldBe([1L, "two"]);
        ((Dictionary<string, object?>)result["kwargs"]!)["three"].ShouldBe(3.5);
    }

    [SkippableFact]
    public async Task Unknown_modules_functions_and_forms_are_explained()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        (await FailureAsync(runtime, "no_such_module:f")).PythonType.ShouldBe("ModuleNotFoundError");
        (await FailureAsync(runtime, "worker_functions:no_such_function")).PythonType.ShouldBe("AttributeError");
        (await FailureAsync(runtime, "worker_functions")).PythonMessage.ShouldContain("module:function");
        (await FailureAsync(runtime, "worker_functions:state")).PythonMessage.ShouldContain("cannot be called");
        (await FailureAsync(runtime, "worker_functions:unsendable")).PythonMessage.ShouldContain("result['deep'][1] is a builtins.object");
        await Should.ThrowAsync<ArgumentException>(() => runtime.CallAsync("worker_functions:identity", PythonArguments.Of(new object())));
    }

    [SkippableFact]
    public async Task Python_errors_arrive_with_traceback_and_cause()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var error = await FailureAsync(runtime, "worker_functions:fail", "bad input ü");
        error.PythonType.ShouldBe("ValueError");
        error.PythonMessage.ShouldBe("bad input ü");
        error.PythonTraceback.ShouldContain("KeyError: 'cause'\n\nThe above exception was the direct cause");
        error.PythonTraceback.ShouldContain("worker_functions.py");
        error.PythonTraceback.ShouldNotContain("maisi_bridge");
        (await FailureAsync(runtime, "worker_functions:fail_without_text")).PythonMessage.ShouldContain("without a readable message");
        (await FailureAsync(runtime, "worker_functions:leave", 3)).PythonType.ShouldBe("SystemExit");
    }

    [SkippableFact]
    public async Task Progress_arrives_in_order()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var seen = new List<PythonProgress>();
        (await runtime.CallAsync("worker_functions:report", PythonArguments.Of(4), new Handler(seen.Add))).ShouldBe(4L);
        seen.Select(p => p.Fraction).ShouldBe([0.25, 0.5, 0.75, 1.0]);
        seen.Select(p => p.Message).ShouldBe(["step 0", "step 1", "step 2", "step 3"]);
        seen[3].Stage.ShouldBe("counting");
        seen[3].Values["loss"].ShouldBe(0.25);
    }

    [SkippableFact]
    public async Task Logging_and_warnings_arrive_with_their_level()
    {
        var records = new RecordedLogs();
        var services = new ServiceCollection();
        services.AddLogging(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(records));
        var executable = (await TestPython.RequireAsync()).Executable;
        services.AddMaisiPython(options =>
        {
            options.Executable = executable;
            options.Paths.Add(TestPython.Functions);
        });
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<IPythonRuntime>().CallAsync("worker_functions:log_everything");
        var python = records.All.Where(r => r.Category.StartsWith("Python.", StringComparison.Ordinal) && r.Category != "Python.output").ToList();
        python.Take(3).ShouldBe(
        [
            ("Python.functions.test", LogLevel.Information, "told"),
            ("Python.functions.test", LogLevel.Warning, "warned 7"),
            ("Python.functions.test", LogLevel.Error, "failed"),
        ]);
        python.ShouldContain(r => r.Category == "Python.py.warnings" && r.Level == LogLevel.Warning && r.Text.Contains("UserWarning: careful", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("float32", PythonArrayKind.Numpy)]
    [InlineData("int16", PythonArrayKind.Numpy)]
    [InlineData("uint8", PythonArrayKind.Torch)]
    [InlineData("float64", PythonArrayKind.Torch)]
    public async Task Arrays_are_shared_both_ways(string dtype, PythonArrayKind kind)
    {
        var module = kind == PythonArrayKind.Torch ? "torch" : "numpy";
        await using var runtime = await TestPython.RuntimeAsync(null, module, "numpy");
        using var array = runtime.CreateArray(dtype, [2, 3, 4], kind);
        for (var i = 0; i < 24; i++)
            Set(array, i, i);
        ((List<object?>)(await runtime.CallAsync("worker_functions:describe_array", PythonArguments.Of(array), options: Pooled))!)
            .ShouldBe([module, kind == PythonArrayKind.Torch ? "torch." + dtype : dtype, new List<object?> { 2L, 3L, 4L }]);
        (await runtime.CallAsync("worker_functions:sum_of", PythonArguments.Of(array), options: Pooled)).ShouldBe(276.0);
        await runtime.CallAsync("worker_functions:double_in_place", PythonArguments.Of(array), options: Pooled);
        Get(array, 23).ShouldBe(46, "Python wrote into the memory of this process");
        using var copy = runtime.CreateArray(dtype, [2, 3, 4], kind, array.Bytes);
        (await runtime.CallAsync("worker_functions:sum_of", PythonArguments.Of(copy), options: Pooled)).ShouldBe(552.0);

        using var made = (SharedArray)(await runtime.CallAsync($"worker_functions:make_{(kind == PythonArrayKind.Torch ? "tensor" : "array")}", PythonArguments.Of(dtype, new[] { 5, 7 }), options: Pooled))!;
        made.DType.ShouldBe(dtype);
        made.Shape.ShouldBe([5L, 7L]);
        made.Kind.ShouldBe(kind);
        Enumerable.Range(0, 35).Select(i => Get(made, i)).ShouldBe(Enumerable.Range(0, 35).Select(i => (double)i));
    }

    [SkippableFact]
    public async Task Empty_and_bfloat16_arrays_cross()
    {
        await using var runtime = await TestPython.RuntimeAsync(null, "torch");
        using var empty = runtime.CreateArray("float32", [0, 4], PythonArrayKind.Torch);
        using var back = (SharedArray)(await runtime.CallAsync("worker_functions:identity", PythonArguments.Of(empty), options: Pooled))!;
        back.Shape.ShouldBe([0L, 4L]);
        using var half = (SharedArray)(await runtime.CallAsync("worker_functions:make_tensor", PythonArguments.Of("bfloat16", new[] { 4 }), options: Pooled))!;
        half.DType.ShouldBe("bfloat16");
        half.Span<ushort>().ToArray().ShouldBe([0x0000, 0x3F80, 0x4000, 0x4040], customMessage: "0, 1, 2, 3");
    }

    [SkippableTheory]
    [InlineData(null)]
    [InlineData("C")]
    [InlineData("POSIX")]
    [InlineData("")]
    public async Task Unicode_and_blanks_in_paths(string? locale)
    {
        using var folder = TestPaths.Temporary();
        var modules = Directory.CreateDirectory(folder["Ordner 肺 with blanks"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(modules, "greeting.py"), "def greet(name):\n    return 'Grüße, ' + name\n");
        await using var runtime = await TestPython.RuntimeAsync(options =>
        {
            options.Paths.Add(modules);
            if (locale is not null)
                options.Environment["LC_ALL"] = options.Environment["LANG"] = options.Environment["LC_CTYPE"] = locale;
        });
        (await runtime.CallAsync("greeting:greet", PythonArguments.Of("肺"))).ShouldBe("Grüße, 肺");
        (await runtime.CallAsync("worker_functions:path_exists", PythonArguments.Of(modules))).ShouldBe(true);
    }

    [SkippableFact]
    public async Task Sessions_keep_state_and_jobs_do_not()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        await using (var session = await runtime.OpenSessionAsync())
        {
            (await session.CallAsync("worker_functions:remember", PythonArguments.Of("a", 1))).ShouldBe(1L);
            (await session.CallAsync("worker_functions:recall", PythonArguments.Of("a"))).ShouldBe(1L);
        }
        (await runtime.CallAsync("worker_functions:remember", PythonArguments.Of("b", 1))).ShouldBe(1L);
        (await FailureAsync(runtime, "worker_functions:recall", "b")).PythonType.ShouldBe("KeyError");
    }

    [SkippableFact]
    public async Task Pooled_calls_share_a_process_and_jobs_have_their_own()
    {
        await using var runtime = await TestPython.RuntimeAsync();
        var first = await runtime.CallAsync("worker_functions:process_id", options: Pooled);
        (await runtime.CallAsync("worker_functions:process_id", options: Pooled)).ShouldBe(first);
        (await runtime.CallAsync("worker_functions:process_id")).ShouldNotBe(first);
    }

    private static async Task<PythonCallException> FailureAsync(PythonRuntime runtime, string target, params object?[] arguments) =>
        await Should.ThrowAsync<PythonCallException>(() => runtime.CallAsync(target, PythonArguments.Of(arguments), options: Pooled));

    private static void Set(SharedArray array, int index, int value)
    {
        switch (array.DType)
        {
            case "float32": array.Span<float>()[index] = value; break;
            case "float64": array.Span<double>()[index] = value; break;
            case "int16": array.Span<short>()[index] = (short)value; break;
            default: array.Span<byte>()[index] = (byte)value; break;
        }
    }

    private static double Get(SharedArray array, int index) => array.DType switch
    {
        "float32" => array.Span<float>()[index],
        "float64" => array.Span<double>()[index],
        "int16" => array.Span<short>()[index],
        _ => array.Span<byte>()[index],
    };
}

/// <summary>A progress handler that runs where it is called.</summary>
internal sealed class Handler(Action<PythonProgress> handle) : IProgress<PythonProgress>
{
    public void Report(PythonProgress value) => handle(value);
}

/// <summary>Keeps log records in order.</summary>
internal sealed class RecordedLogs : ILoggerProvider
{
    private readonly List<(string Category, LogLevel Level, string Text)> records = [];

    public IReadOnlyList<(string Category, LogLevel Level, string Text)> All
    {
        get
        {
            lock (records)
                return [.. records];
        }
    }

    public ILogger CreateLogger(string categoryName) => new Recorder(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Recorder(RecordedLogs owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (owner.records)
                owner.records.Add((category, logLevel, formatter(state, exception)));
        }
    }
}
