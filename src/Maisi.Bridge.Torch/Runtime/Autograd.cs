namespace TorchSharp;

public static partial class torch
{
    /// <summary>Gradients of recorded graphs.</summary>
    public static unsafe class autograd
    {
        /// <summary>Gradients of <paramref name="outputs"/> with respect to <paramref name="inputs"/>, without touching their grad.</summary>
        /// <returns>One tensor per input; an unused input gives null where <paramref name="allow_unused"/>.</returns>
        public static IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false,
            bool create_graph = false, bool allow_unused = false)
        {
            var results = new nint[inputs.Count];
            fixed (nint* y = Handles(outputs), x = Handles(inputs), g = Handles(grad_outputs), r = results)
            {
                Native.Check(Native.mt_autograd_grad(y, g, outputs.Count, x, inputs.Count, retain_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, r));
            }
            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            return Array.ConvertAll(results, h => h == 0 ? null! : new Tensor(h));
        }

        /// <summary>Accumulates gradients in the leaves, or in <paramref name="inputs"/> alone.</summary>
        public static void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false,
            IList<Tensor>? inputs = null)
        {
            fixed (nint* y = Handles(tensors), g = Handles(grad_tensors), x = Handles(inputs))
            {
                var status = Native.mt_backward(y, g, tensors.Count, (retain_graph ?? create_graph) ? 1 : 0, create_graph ? 1 : 0, x, inputs?.Count ?? 0);
                GC.KeepAlive(tensors);
                GC.KeepAlive(grad_tensors);
                GC.KeepAlive(inputs);
                CheckBackward(status);
            }
        }

        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false,
            IList<Tensor>? inputs = null)
        {
            if (grad_tensors is not null || inputs is not null)
            {
                backward([tensor], grad_tensors, retain_graph, create_graph, inputs);
                return;
            }
            var handle = tensor.Handle;
            var status = Native.mt_backward(&handle, null, 1, (retain_graph ?? create_graph) ? 1 : 0, create_graph ? 1 : 0, null, 0);
            GC.KeepAlive(tensor);
            CheckBackward(status);
        }

        // A managed backward function that throws leaves its exception behind; it says more than libtorch's words about it.
        private static void CheckBackward(int status)
        {
            var managed = Checkpointing.TakeError();
            if (status == 0)
                return;
            var error = TorchException.Last();
            throw managed is null ? error : new TorchException(managed.Message, managed);
        }

        private static nint[]? Handles(IList<Tensor>? tensors)
        {
            if (tensors is null)
                return null;
            var handles = new nint[tensors.Count];
            for (var i = 0; i < handles.Length; i++)
                handles[i] = tensors[i]?.Handle ?? 0;
            return handles;
        }
    }
}
