namespace Maisi.Bridge.Python;

/// <summary>Python for the rest of the program: functions called in worker processes, where nothing can hang or crash the caller.</summary>
public interface IPythonRuntime : IAsyncDisposable
{
    /// <summary>The interpreter that workers host; found on first use.</summary>
    /// <exception cref="PythonNotFoundException">None serves.</exception>
    Task<PythonInterpreter> InterpreterAsync(CancellationToken token = default);

    /// <summary>An array that reaches a worker without a copy.</summary>
    /// <param name="dtype">The element type by its name in numpy and torch.</param>
    /// <param name="shape">Elements along each axis.</param>
    /// <param name="kind">What it becomes in Python.</param>
    SharedArray CreateArray(string dtype, IReadOnlyList<long> shape, PythonArrayKind kind = PythonArrayKind.Numpy);

    /// <summary>An array that reaches a worker without a copy, filled at once: for large data faster than to create it and write into it.</summary>
    /// <param name="dtype">The element type by its name in numpy and torch.</param>
    /// <param name="shape">Elements along each axis.</param>
    /// <param name="kind">What it becomes in Python.</param>
    /// <param name="content">Every element, row-major, in the machine's byte order.</param>
    SharedArray CreateArray(string dtype, IReadOnlyList<long> shape, PythonArrayKind kind, ReadOnlySpan<byte> content);

    /// <summary>Calls <c>module:function</c> or <c>module:Class.method</c>, in a process of its own unless the options say pooled.</summary>
    /// <param name="target">The function; its module must be importable (see <see cref="PythonOptions.Paths"/>).</param>
    /// <param name="arguments">
    /// null, bool, numbers, text, bytes, dictionaries, sequences, <see cref="SharedArray"/>; the result is of the same kinds, and the
    /// caller disposes arrays in it.
    /// </param>
    /// <param name="progress">Told what the function passes to <c>maisi_bridge.progress</c>; an exception in it ends the call.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="token">Interrupts the function, then kills its process.</param>
    /// <exception cref="PythonCallException">The function raised.</exception>
    /// <exception cref="PythonWorkerException">The process ended.</exception>
    /// <exception cref="PythonTimeoutException">A limit was exceeded.</exception>
    Task<object?> CallAsync(
        string target, PythonArguments? arguments = null, IProgress<PythonProgress>? progress = null, PythonCallOptions? options = null, CancellationToken token = default);

    /// <summary>A worker for several calls that share state: objects that one call leaves are there for the next.</summary>
    Task<PythonSession> OpenSessionAsync(CancellationToken token = default);
}
