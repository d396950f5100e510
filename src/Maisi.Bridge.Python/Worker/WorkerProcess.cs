using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Maisi.Bridge.Python;

/// <summary>
/// One worker process as its client sees it. It serves one call at a time; a call that fails in any other way than by a Python
/// exception ends the process, so that no later call meets what it left behind.
/// </summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100), DrainTime = TimeSpan.FromMilliseconds(300), CloseTime = TimeSpan.FromSeconds(5);

    private readonly Process process;
    private readonly string mark;
    private readonly PythonOptions options;
    private readonly ILoggerFactory loggers;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly WindowsJob? job;
    private readonly WorkerOutput output;
    private readonly Task draining, reading, exit;
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, ILogger> categories = new(StringComparer.Ordinal);
    private WorkerCall? current;
    private long lastSign, lastId;
    private volatile bool ended, receiving;

    private WorkerProcess(PythonInterpreter interpreter, PythonOptions options, SharedFolder shared, ILoggerFactory loggers, TimeProvider time)
    {
        this.options = options;
        this.loggers = loggers;
        this.time = time;
        logger = loggers.CreateLogger("Maisi.Bridge.Python");
        mark = Guid.NewGuid().ToString("N");
        process = WorkerLauncher.Start(options, mark);
        if (OperatingSystem.IsWindows())
            job = new WindowsJob(process);
        PythonLog.Started(logger, process.Id);
        lastSign = time.GetTimestamp();
        output = new WorkerOutput(process.StandardError, loggers.CreateLogger("Python.output"));
        draining = output.DrainAsync();
        exit = process.WaitForExitAsync();
        reading = Task.Run(ReadAsync);
        Send(new WorkerStart(WorkerProtocol.Version, Environment.ProcessId, interpreter.LibPython, interpreter.Executable, options.Heartbeat, PythonLog.Number(options.LogLevel), shared.Paths).ToLine());
    }

    /// <summary>Whether it can take another call.</summary>
    public bool Usable => !ended && !process.HasExited;

    /// <summary>Calls served so far.</summary>
    public long Calls => lastId;

    /// <summary>Its process id.</summary>
    public int Id => process.Id;

    /// <summary>Starts a process. It is not waited for: the first call queues behind the start of the interpreter.</summary>
    public static WorkerProcess Start(PythonInterpreter interpreter, PythonOptions options, SharedFolder shared, ILoggerFactory loggers, TimeProvider time) =>
        new(interpreter, options, shared, loggers, time);

    /// <summary>Calls a function and waits for its result.</summary>
    public async Task<object?> CallAsync(string target, PythonArguments arguments, PythonCallOptions limits, IProgress<PythonProgress>? progress, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        var call = new WorkerCall(++lastId, target, progress);
        var line = call.ToLine(arguments);
        current = call;
        Send(line);
        try
        {
            return await WatchAsync(call, limits, token);
        }
        finally
        {
            current = null;
        }
    }

    /// <summary>Lets the process end in order, or ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Usable)
        {
            Send(WorkerProtocol.Line(static _ => { }, "shutdown"));
            await Task.WhenAny(exit, Wait(CloseTime));
        }
        Kill(process.HasExited ? null : "it does not end by itself");
        await exit;
        PythonLog.Ended(logger, process.Id, process.ExitCode);
        // A stray that could not be seen may hold the pipes; closing our ends frees the readers.
        await Task.WhenAny(Task.WhenAll(draining, reading), Wait(DrainTime));
        process.Dispose();
    }

    private async Task<object?> WatchAsync(WorkerCall call, PythonCallOptions limits, CancellationToken token)
    {
        var begin = time.GetTimestamp();
        var (lastPrinted, lastEvent) = (output.Count, begin);
        Exception? stopping = null;
        var stopAt = TimeSpan.MaxValue;
        while (true)
        {
            await Task.WhenAny(call.Result, exit, Wait(Tick));
            if (call.Result.IsCompleted)
                return await EndAsync(call, stopping);
            if (exit.IsCompleted)
            {
                await Task.WhenAny(reading, Wait(DrainTime));
                await Task.WhenAny(draining, Wait(DrainTime));
                return call.Result.IsCompleted ? await EndAsync(call, stopping) : throw Died(call.Target, stopping);
            }
            if (output.Count != lastPrinted || call.Sign > lastEvent || receiving)
                (lastPrinted, lastEvent) = (output.Count, time.GetTimestamp());
            if (stopping is null && (stopping = Exceeded(call, limits, begin, lastEvent, token)) is not null)
            {
                Send(WorkerProtocol.Line(w => w.WriteNumber("id", call.Id), "cancel"));
                var frozen = stopping is PythonTimeoutException { Limit: PythonLimit.Heartbeat or PythonLimit.Start };
                stopAt = time.GetElapsedTime(begin) + (frozen ? TimeSpan.Zero : limits.CancelGrace);
            }
            if (time.GetElapsedTime(begin) >= stopAt)
            {
                Kill(stopping!.Message);
                throw stopping;
            }
        }
    }

    // A call that was told to stop, or whose handler failed, reports why, whatever it answered; its process is not used again.
    private async Task<object?> EndAsync(WorkerCall call, Exception? stopping)
    {
        stopping ??= call.Failure;
        if (stopping is null)
            return await call.Result;
        ended = true;
        _ = call.Result.Exception;
        throw stopping;
    }

    private Exception? Exceeded(WorkerCall call, PythonCallOptions limits, long begin, long lastEvent, CancellationToken token)
    {
        PythonTimeoutException Limit(PythonLimit limit, TimeSpan allowed) => new(call.Target, limit, allowed, output.Tail);
        if (token.IsCancellationRequested)
            return new OperationCanceledException($"{call.Target} was cancelled", token);
        if (call.Failure is { } failure)
            return failure;
        if (!started.Task.IsCompleted)
            return time.GetElapsedTime(begin) > options.StartTimeout ? Limit(PythonLimit.Start, options.StartTimeout) : null;
        // While a handler of the caller runs, nobody reads, so silence says nothing about the worker.
        if (!receiving && time.GetElapsedTime(Interlocked.Read(ref lastSign)) > options.HeartbeatTimeout)
            return Limit(PythonLimit.Heartbeat, options.HeartbeatTimeout);
        if (limits.Timeout is { } total && time.GetElapsedTime(begin) > total)
            return Limit(PythonLimit.Total, total);
        return limits.StallTimeout is { } stall && time.GetElapsedTime(lastEvent) > stall ? Limit(PythonLimit.Stall, stall) : null;
    }

    private Exception Died(string target, Exception? stopping)
    {
        Kill(null);
        return stopping ?? new PythonWorkerException($"the Python process ended during {target}", process.ExitCode, output.Tail);
    }

    private void Kill(string? reason)
    {
        ended = true;
        if (reason is not null)
            PythonLog.Killed(logger, process.Id, reason);
        ProcessTree.KillWorker(process, mark);
        if (OperatingSystem.IsWindows())
            job?.Dispose();
    }

    private Task Wait(TimeSpan span) => Task.Delay(span, time);

    private void Send(byte[] line)
    {
        try
        {
            process.StandardInput.BaseStream.Write(line);
            process.StandardInput.BaseStream.Flush();
        }
        catch (IOException)
        {
            // The process has ended; whoever waits for it sees that.
        }
    }

    private async Task ReadAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            receiving = true;
            try
            {
                using var json = JsonDocument.Parse(line);
                Receive(json.RootElement, json.RootElement.GetProperty("type").GetString()!);
            }
            catch (Exception e)
            {
                current?.Fail(new PythonProtocolException($"the worker sent a line that is not understood: {line[..Math.Min(line.Length, 200)]}", e));
            }
            Interlocked.Exchange(ref lastSign, time.GetTimestamp());
            receiving = false;
        }
    }

    private void Receive(JsonElement message, string type)
    {
        switch (type)
        {
            case "hello" when message.GetProperty("protocol").GetInt32() != WorkerProtocol.Version:
                current?.Fail(new PythonProtocolException($"the worker speaks protocol {message.GetProperty("protocol")} and this client {WorkerProtocol.Version}"));
                break;
            case "ready":
                current?.Touch(time.GetTimestamp());
                started.TrySetResult();
                break;
            case "log":
                current?.Touch(time.GetTimestamp());
                Forward(message);
                break;
            case "progress" or "result" or "error":
                current?.Receive(message, type, time.GetTimestamp());
                break;
        }
    }

    private void Forward(JsonElement message)
    {
        var name = message.GetProperty("logger").GetString()!;
        if (!categories.TryGetValue(name, out var category))
            categories[name] = category = loggers.CreateLogger($"Python.{name}");
        var level = PythonLog.Level(message.GetProperty("level").GetInt32());
        var text = message.GetProperty("message").GetString()!;
        PythonLog.Forwarded(category, level, text);
    }
}
