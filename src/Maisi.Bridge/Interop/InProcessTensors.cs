using System.Diagnostics;
using Maisi.Bridge.Python;
using Microsoft.Extensions.Logging;
using Python.Runtime;
using TorchSharp;

namespace Maisi.Bridge.Interop;

/// <summary>
/// Tensors shared with Python in this process: a tensor of ours is a <c>torch.Tensor</c> there and back, the same object with the same
/// memory, device and gradients; it lives until both sides have let go. Possible only where Python's torch loads the very libtorch file
/// that the binding has loaded; two libtorch in one process would fail in ways that look like anything else.
/// </summary>
public sealed partial class InProcessTensors : IDisposable
{
    private readonly InProcessPython python;
    private readonly PyObject bridge;

    private InProcessTensors(PythonInterpreter interpreter)
    {
        python = InProcessPython.Start(interpreter);
        bridge = python.Run(() => Py.Import("maisi_bridge.tensors"));
    }

    /// <summary>Starts Python in this process when that is safe.</summary>
    /// <returns>Null when it is not: use a worker, which copies. The reason is logged, on one line.</returns>
    public static InProcessTensors? TryStart(PythonInterpreter interpreter, ILogger logger)
    {
        if (Refusal(interpreter, LoadedLibtorch()) is not { } reason)
            return new InProcessTensors(interpreter);
        Refused(logger, reason);
        return null;
    }

    /// <summary>Why an interpreter cannot share tensors with this process; null when it can.</summary>
    /// <param name="interpreter">The interpreter.</param>
    /// <param name="loaded">The libtorch that the binding has loaded, with links resolved.</param>
    public static string? Refusal(PythonInterpreter interpreter, string loaded)
    {
        if (interpreter.Torch is not { } its)
            return $"{interpreter.Executable} has no torch";
        if (its.LibTorch is null)
            return $"the libtorch of {interpreter.Executable}'s torch {its.Version} was not found";
        return its.LibTorch == loaded ? null
            : $"this process has loaded libtorch {torch.__version__} from {loaded}, and Python's torch {its.Version} would load {its.LibTorch}; "
                + "two libtorch cannot live in one process";
    }

    /// <summary>The file of the libtorch that the binding has loaded, with links resolved.</summary>
    public static string LoadedLibtorch()
    {
        _ = torch.__version__; // loads it
        using var process = Process.GetCurrentProcess();
        var file = process.Modules.Cast<ProcessModule>().First(m => m.ModuleName.Contains("torch_cpu", StringComparison.Ordinal)).FileName;
        return File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file;
    }

    /// <summary>Runs code on Python's thread, under Python's lock; the other members are for use in there.</summary>
    public T Run<T>(Func<T> body) => python.Run(body);

    /// <summary>The tensor as a <c>torch.Tensor</c>. Either side may let go first.</summary>
    public PyObject ToPython(torch.Tensor tensor)
    {
        using var address = ((long)tensor.Handle).ToPython();
        var result = bridge.InvokeMethod("wrap", address);
        GC.KeepAlive(tensor);
        return result;
    }

    /// <summary>A <c>torch.Tensor</c> as a tensor of ours. Either side may let go first.</summary>
    public torch.Tensor ToManaged(PyObject tensor)
    {
        using var address = bridge.InvokeMethod("address", tensor);
        return TensorSharing.Borrow((nint)address.As<long>());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        python.Run(bridge.Dispose);
        python.Dispose();
    }

    [LoggerMessage(5010, LogLevel.Information, "Python tensors are copied through a worker: {Reason}")]
    private static partial void Refused(ILogger logger, string reason);
}
