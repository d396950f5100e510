namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Makes a parameter of a tensor, which gives its data away.</summary>
            public static Modules.Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>A tensor that a module learns. It belongs to no <see cref="DisposeScope"/>: its module disposes it.</summary>
    public class Parameter : torch.Tensor
    {
        /// <param name="data">A tensor, which will become empty.</param>
        /// <param name="requires_grad">Whether it is trained.</param>
        public Parameter(torch.Tensor data, bool requires_grad = true)
            : base(data.Release())
        {
            DetachFromDisposeScope();
            this.requires_grad = requires_grad;
        }
    }
}
