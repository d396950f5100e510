namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) =>
                new(inputSize, outputSize, hasBias, device, dtype);

            public static Modules.Embedding Embedding(long num_embeddings, long embedding_dims, long? padding_idx = null, Device? device = null,
                ScalarType? dtype = null) => new(num_embeddings, embedding_dims, padding_idx, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>A matrix product over the last dimension, with a bias.</summary>
    public sealed class Linear : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        internal Linear(long inputSize, long outputSize, bool hasBias, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(Linear))
        {
            in_features = inputSize;
            out_features = outputSize;
            var bound = 1 / Math.Sqrt(inputSize);
            weight = ModuleInitialization.Parameter([outputSize, inputSize], device, dtype, t => t.uniform_(-bound, bound));
            register_parameter(nameof(weight), weight);
            if (!hasBias)
                return;
            bias = ModuleInitialization.Parameter([outputSize], device, dtype, t => t.uniform_(-bound, bound));
            register_parameter(nameof(bias), bias);
        }

        public Parameter weight { get; }

        public Parameter? bias { get; }

        public long in_features { get; }

        public long out_features { get; }

        public override torch.Tensor forward(torch.Tensor input) => torch.nn.functional.linear(input, weight, bias);
    }

    /// <summary>Rows of a table by their numbers.</summary>
    public sealed class Embedding : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        private readonly long _padding;

        internal Embedding(long count, long dims, long? padding, torch.Device? device, torch.ScalarType? dtype)
            : base(nameof(Embedding))
        {
            _padding = padding ?? -1;
            weight = ModuleInitialization.Parameter([count, dims], device, dtype, t =>
            {
                t.normal_();
                if (padding is null)
                    return;
                using var row = t.select(0, padding.Value);
                row.zero_();
            });
            register_parameter(nameof(weight), weight);
        }

        public Parameter weight { get; }

        public override torch.Tensor forward(torch.Tensor input) => new Call(Ops.embedding).T(weight).T(input).I(_padding).Run();
    }
}
