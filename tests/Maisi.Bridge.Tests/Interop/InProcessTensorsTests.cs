using System.Runtime.InteropServices;
using Maisi.Bridge.Interop;
using Maisi.Bridge.Python;
using Microsoft.Extensions.Logging.Abstractions;
using Python.Runtime;
using TorchSharp;

namespace Maisi.Bridge.Tests.Interop;

/// <summary>Python's interpreter in the test process, where its torch loads the libtorch of the binding.</summary>
public sealed class InProcessTensorsFixture : IDisposable
{
    private readonly Lazy<(InProcessTensors? Shared, string? Reason)> started = new(Start);

    internal InProcessTensors Require()
    {
        Skip.If(started.Value.Shared is null, started.Value.Reason);
        return started.Value.Shared!;
    }

    public void Dispose()
    {
        if (started.IsValueCreated)
            started.Value.Shared?.Dispose();
    }

    private static (InProcessTensors? Shared, string? Reason) Start()
    {
        try
        {
            var python = PythonLocator.FindAsync(PythonSearch.Current(), ["torch"]).GetAwaiter().GetResult().Interpreter;
            return (InProcessTensors.TryStart(python, NullLogger.Instance), InProcessTensors.Refusal(python, InProcessTensors.LoadedLibtorch()));
        }
        catch (Exception e) when (e is PythonNotFoundException or LibtorchLoadException)
        {
            return (null, e.Message);
        }
    }
}

public sealed class InProcessTensorsTests(InProcessTensorsFixture fixture) : IClassFixture<InProcessTensorsFixture>
{
    [SkippableFact]
    public void The_same_memory_is_seen_from_both_sides()
    {
        var shared = fixture.Require();
        using var ours = torch.arange(6, torch.float32).reshape(2, 3);
        shared.Run(() =>
        {
            using var theirs = shared.ToPython(ours);
            using var scope = Py.CreateScope();
            scope.Set("t", theirs);
            scope.Eval<double>("t.sum().item()").ShouldBe(15);
            scope.Eval<string>("str(t.dtype) + str(tuple(t.shape))").ShouldBe("torch.float32(2, 3)");
            scope.Exec("t[1, 2] = 50");
            Floats(ours)[5].ShouldBe(50);
            Floats(ours)[0] = 7;
            scope.Eval<double>("t[0, 0].item()").ShouldBe(7);
            return true;
        });
    }

    [SkippableFact]
    public void A_tensor_comes_back_as_the_same_object()
    {
        var shared = fixture.Require();
        using var ours = torch.ones(4);
        shared.Run(() =>
        {
            using var theirs = shared.ToPython(ours);
            using var back = shared.ToManaged(theirs);
            back.Handle.ShouldBe(ours.Handle);
            return true;
        });
    }

    [SkippableFact]
    public void Either_side_may_let_go_first()
    {
        var shared = fixture.Require();
        shared.Run(() =>
        {
            using var scope = Py.CreateScope();
            var ours = torch.full([1000], 3f);
            scope.Set("t", shared.ToPython(ours));
            ours.Dispose();
            Collect();
            scope.Eval<double>("t.sum().item()").ShouldBe(3000);

            scope.Exec("import torch\nu = torch.full((1000,), 2.0)");
            using var theirs = scope.Get("u");
            using var taken = shared.ToManaged(theirs);
            theirs.Dispose();
            scope.Exec("del u");
            Collect();
            Floats(taken).ToArray().Sum().ShouldBe(2000);
            return true;
        });
    }

    [SkippableFact]
    public void References_return_to_where_they_were()
    {
        var shared = fixture.Require();
        using var ours = torch.ones(3);
        var before = TensorSharing.UseCount(ours);
        shared.Run(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                using var theirs = shared.ToPython(ours);
                using var back = shared.ToManaged(theirs);
            }
            using var gc = Py.Import("gc");
            gc.InvokeMethod("collect").Dispose();
            return true;
        });
        // The Python object that belongs to a tensor stays with it, so the count ends where it was.
        TensorSharing.UseCount(ours).ShouldBe(before);
    }

    [SkippableFact]
    public void Views_types_and_gradients_are_kept()
    {
        var shared = fixture.Require();
        using var ours = torch.arange(6, torch.float32).reshape(2, 3);
        using var turned = ours.t();
        using var half = torch.ones([2], torch.bfloat16);
        using var weight = torch.ones([3], torch.float32).requires_grad_();
        shared.Run(() =>
        {
            using var scope = Py.CreateScope();
            scope.Set("turned", shared.ToPython(turned));
            scope.Set("half", shared.ToPython(half));
            scope.Set("weight", shared.ToPython(weight));
            scope.Eval<string>("str(turned.stride())").ShouldBe("(1, 3)");
            scope.Eval<string>("str(half.dtype)").ShouldBe("torch.bfloat16");
            scope.Exec("(weight * weight * 5).sum().backward()");
            Floats(weight.grad!).ToArray().ShouldBe([10f, 10f, 10f]);
            scope.Exec("del turned, half, weight");
            return true;
        });
    }

    [SkippableFact]
    public void Another_libtorch_is_refused_with_the_reason()
    {
        var python = new PythonInterpreter(
            "test", "/venv/bin/python", new Version(3, 12, 1), "/lib/libpython3.12.so", "/venv", "/usr", [], new Dictionary<string, string>(), null);
        InProcessTensors.Refusal(python, "/lib/libtorch_cpu.so").ShouldBe("/venv/bin/python has no torch");
        var other = python with { Torch = new PythonTorch("2.6.0+cpu", null, "/venv/torch/lib/libtorch_cpu.so") };
        fixture.Require();
        var logger = new LastLog();
        InProcessTensors.TryStart(other, logger).ShouldBeNull();
        logger.Lines.Count.ShouldBe(1);
        logger.Lines[0].ShouldContain("torch 2.6.0+cpu would load /venv/torch/lib/libtorch_cpu.so");
        logger.Lines[0].ShouldContain("two libtorch cannot live in one process");
    }

    private static Span<float> Floats(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private sealed class LastLog : Microsoft.Extensions.Logging.ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(
            Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
