using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>
/// Gradient checkpointing: a function's activations are not kept for the backward pass but computed again in it,
/// which trades one more forward pass for the memory of everything inside.
/// </summary>
public static unsafe class Checkpointing
{
    private static Exception? _error;

    /// <summary>
    /// <paramref name="function"/> applied to <paramref name="inputs"/>. Values and gradients are those of the plain call: the recomputation
    /// runs with the same random numbers, autocast state and grad mode, whatever thread the backward pass is on.
    /// </summary>
    /// <param name="function">Must give the same result each time. Parameters it uses get their gradients too.</param>
    /// <param name="inputs">Tensors; those that need gradients get them.</param>
    public static torch.Tensor Run(Func<torch.Tensor[], torch.Tensor> function, params torch.Tensor[] inputs)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (!torch.is_grad_enabled())
            return function(inputs);
        var region = new Region(function, inputs);
        torch.Tensor output;
        using (torch.no_grad())
            output = function(inputs);
        // The graph needs one input with requires_grad, or it ends here and the parameters inside get nothing.
        using var anchor = torch.empty([0], requires_grad: true);
        var handles = stackalloc nint[inputs.Length + 1];
        for (var i = 0; i < inputs.Length; i++)
            handles[i] = inputs[i].Handle;
        handles[inputs.Length] = anchor.Handle;
        var outputHandle = output.Handle;
        nint wrapped;
        var context = GCHandle.Alloc(region);
        var status = Native.mt_custom_node(&Backward, &Release, (void*)GCHandle.ToIntPtr(context), handles, inputs.Length + 1, &outputHandle, 1, &wrapped);
        GC.KeepAlive(inputs);
        output.Dispose();
        Native.Check(status);
        return new torch.Tensor(wrapped);
    }

    /// <summary>The exception of the last recomputation that failed, once.</summary>
    internal static Exception? TakeError() => Interlocked.Exchange(ref _error, null);

    [UnmanagedCallersOnly]
    private static void Release(void* context)
    {
        var handle = GCHandle.FromIntPtr((nint)context);
        ((Region)handle.Target!).Dispose();
        handle.Free();
    }

    [UnmanagedCallersOnly]
    private static int Backward(void* context, nint* gradOutputs, int outputCount, nint* gradInputs, int inputCount)
    {
        try
        {
            ((Region)GCHandle.FromIntPtr((nint)context).Target!).Backward(gradOutputs[0], new Span<nint>(gradInputs, inputCount));
            return 0;
        }
        catch (Exception error)
        {
            // Crossing native frames with an exception would end the process, so it waits for the caller of backward.
            _error = error;
            return 1;
        }
    }

    /// <summary>What the recomputation needs: the function, its inputs, and the state that decides its result.</summary>
    private sealed class Region : IDisposable
    {
        private readonly Func<torch.Tensor[], torch.Tensor> _function;
        private readonly torch.Tensor[] _inputs;
        private readonly torch.Tensor _randomState;
        private readonly AutocastState _autocast = AutocastState.Current;

        public Region(Func<torch.Tensor[], torch.Tensor> function, torch.Tensor[] inputs)
        {
            _function = function;
            _inputs = Array.ConvertAll(inputs, i => TensorSharing.Retain(i).DetachFromDisposeScope());
            _randomState = torch.get_rng_state().DetachFromDisposeScope();
        }

        public void Backward(nint gradOutput, Span<nint> gradInputs)
        {
            if (gradOutput == 0)
                return;
            // CUDA runs this on autograd's own threads, whose scope and grad mode are not the caller's.
            using var suspension = DisposeScope.Suspend();
            using var scope = torch.NewDisposeScope();
            using var grad = torch.enable_grad();
            using var autocast = _autocast.Enter();
            var stateNow = torch.get_rng_state();
            torch.set_rng_state(_randomState);
            try
            {
                var inputs = Array.ConvertAll(_inputs, i => i.is_floating_point() ? i.detach().requires_grad_(i.requires_grad) : i.detach());
                var output = _function(inputs);
                nint outputHandle = output.Handle, gradHandle = gradOutput;
                Native.Check(Native.mt_backward(&outputHandle, &gradHandle, 1, 0, 0, null, 0));
                for (var i = 0; i < inputs.Length; i++)
                {
                    nint result;
                    Native.Check(Native.mt_grad_get(inputs[i].Handle, &result));
                    gradInputs[i] = result;
                }
                GC.KeepAlive(output);
            }
            finally
            {
                torch.set_rng_state(stateNow);
            }
        }

        public void Dispose()
        {
            foreach (var input in _inputs)
                input.Dispose();
            _randomState.Dispose();
        }
    }
}
