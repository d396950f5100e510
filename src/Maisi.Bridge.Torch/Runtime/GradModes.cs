namespace TorchSharp;

public static partial class torch
{
    /// <summary>No graph is recorded on this thread until the result is disposed.</summary>
    public static IDisposable no_grad() => new GradModeGuard(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradModeGuard(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradModeGuard(mode);

    /// <summary>Like <see cref="no_grad"/>, and the tensors made can never take part in a graph.</summary>
    public static IDisposable inference_mode(bool mode = true) => new InferenceModeGuard(mode);

    public static bool is_grad_enabled() => Native.mt_grad_mode(-1) != 0;

    public static bool is_inference_mode_enabled() => Native.mt_inference_mode_enabled() != 0;

    /// <summary>Sets the mode of this thread and restores it.</summary>
    private sealed class GradModeGuard(bool on) : IDisposable
    {
        private readonly int _previous = Native.mt_grad_mode(on ? 1 : 0);

        public void Dispose() => _ = Native.mt_grad_mode(_previous);
    }

    private sealed class InferenceModeGuard(bool on) : IDisposable
    {
        private nint _guard = Native.Check(Native.mt_inference_enter(on ? 1 : 0));

        public void Dispose()
        {
            var guard = Interlocked.Exchange(ref _guard, 0);
            if (guard != 0)
                Native.mt_inference_exit(guard);
        }
    }
}
