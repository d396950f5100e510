namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Network operations without state.</summary>
        public static partial class functional
        {
            public static Tensor silu(Tensor x, bool inplace = false) => inplace ? x.silu_().alias() : x.silu();

            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_().alias() : x.relu();

            public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01, bool inplace = false) =>
                inplace ? input.leaky_relu_(negative_slope).alias() : input.leaky_relu(negative_slope);

            public static Tensor elu(Tensor x, double alpha, bool inplace = false) =>
                inplace ? new Call(Ops.elu_).T(x).F(alpha).RunInPlace(x).alias() : x.elu(alpha);

            public static Tensor gelu(Tensor x) => x.gelu();

            public static Tensor gelu(Tensor x, Modules.GELU.Approximate approximate, bool inplace = false) =>
                new Call(Ops.gelu).T(x).Str(approximate.ToString()).Run();

            public static Tensor sigmoid(Tensor x) => x.sigmoid();

            public static Tensor tanh(Tensor x, bool inplace = false) => inplace ? x.tanh_().alias() : x.tanh();

            public static Tensor softplus(Tensor x, double beta = 1.0, double threshold = 20) => x.softplus(beta, threshold);

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

            public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) => new Call(Ops.log_softmax_int).T(input).I(dim).Dt(dtype).Run();

            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) => new Call(Ops.linear).T(input).T(weights).T(bias).Run();

            public static Tensor conv1d(Tensor input, Tensor weight, Tensor? bias = null, long? stride = null, long? padding = null, long? dilation = null, long groups = 1) =>
                new Call(Ops.conv1d).T(input).T(weight).T(bias).I(stride ?? 1).I(padding ?? 0).I(dilation ?? 1).I(groups).Run();

            public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                new Call(Ops.conv2d).T(input).T(weight).T(bias).L(strides ?? [1]).L(padding ?? [0]).L(dilation ?? [1]).I(groups).Run();

            public static Tensor conv3d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                new Call(Ops.conv3d).T(input).T(weight).T(bias).L(strides ?? [1]).L(padding ?? [0]).L(dilation ?? [1]).I(groups).Run();

            public static Tensor conv_transpose3d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null,
                long[]? output_padding = null, long[]? dilation = null, long groups = 1) =>
                new Call(Ops.conv_transpose3d_input).T(input).T(weight).T(bias).L(strides ?? [1]).L(padding ?? [0]).L(output_padding ?? [0]).I(groups)
                    .L(dilation ?? [1]).Run();

            public static Tensor group_norm(Tensor input, long num_groups, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                new Call(Ops.group_norm).T(input).I(num_groups).T(weight).T(bias).F(eps).Run();

            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                new Call(Ops.layer_norm).T(input).L(normalized_shape).T(weight).T(bias).F(eps).Run();

            public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null,
                bool training = false, double momentum = 0.1, double eps = 1e-5) =>
                new Call(Ops.batch_norm).T(input).T(weight).T(bias).T(running_mean).T(running_var).B(training).F(momentum).F(eps).B(true).Run();

            public static Tensor instance_norm(Tensor input, Tensor? running_mean = null, Tensor? running_var = null, Tensor? weight = null,
                Tensor? bias = null, bool use_input_stats = true, double momentum = 0.1, double eps = 1e-5) =>
                new Call(Ops.instance_norm).T(input).T(weight).T(bias).T(running_mean).T(running_var).B(use_input_stats).F(momentum).F(eps).B(true).Run();

            /// <summary>Divides by the p-norm along a dimension.</summary>
            public static Tensor normalize(Tensor input, double p = 2.0, long dim = 1L, double eps = 1e-12)
            {
                using var scope = NewDisposeScope();
                var norm = linalg.vector_norm(input, p, [dim], keepdim: true).clamp_min(eps);
                return (input / norm).MoveToOuterDisposeScope();
            }

            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => inplace
                ? new Call(Ops.dropout_).T(input).F(p).B(training).RunInPlace(input).alias()
                : new Call(Ops.dropout).T(input).F(p).B(training).Run();

            public static Tensor feature_dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => inplace
                ? new Call(Ops.feature_dropout_).T(input).F(p).B(training).RunInPlace(input).alias()
                : new Call(Ops.feature_dropout).T(input).F(p).B(training).Run();

            public static Tensor one_hot(Tensor x, long num_classes = -1) => new Call(Ops.one_hot).T(x).I(num_classes).Run();

            public static Tensor embedding(Tensor x, Tensor weight) => new Call(Ops.embedding).T(weight).T(x).Run();

            public static Tensor avg_pool2d(Tensor input, long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false,
                bool count_include_pad = true, long? divisor_override = null) =>
                new Call(Ops.avg_pool2d).T(input).L(kernel_size).L(stride ?? kernel_size).L(padding ?? [0]).B(ceil_mode).B(count_include_pad).I(divisor_override).Run();

            public static Tensor avg_pool3d(Tensor input, long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false,
                bool count_include_pad = true, long? divisor_override = null) =>
                new Call(Ops.avg_pool3d).T(input).L(kernel_size).L(stride ?? kernel_size).L(padding ?? [0]).B(ceil_mode).B(count_include_pad).I(divisor_override).Run();

            public static Tensor max_pool2d(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null,
                bool ceil_mode = false) =>
                new Call(Ops.max_pool2d).T(input).L(kernel_size).L(strides ?? kernel_size).L(padding ?? [0]).L(dilation ?? [1]).B(ceil_mode).Run();

            public static Tensor max_pool3d(Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null,
                bool ceil_mode = false) =>
                new Call(Ops.max_pool3d).T(input).L(kernel_size).L(strides ?? kernel_size).L(padding ?? [0]).L(dilation ?? [1]).B(ceil_mode).Run();

            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => new Call(Ops.adaptive_avg_pool2d).T(input).L(output_size).Run();

            public static Tensor adaptive_avg_pool3d(Tensor input, long[] output_size) => new Call(Ops.adaptive_avg_pool3d).T(input).L(output_size).Run();

            public static Tensor adaptive_avg_pool3d(Tensor input, long output_size) => adaptive_avg_pool3d(input, [output_size, output_size, output_size]);

            /// <summary>softmax(q kᵀ / √d) v; exact on every libtorch, by the fused kernel from 2.0 on.</summary>
            /// <param name="query">[..., L, E].</param>
            /// <param name="key">[..., S, E].</param>
            /// <param name="value">[..., S, V].</param>
            /// <param name="attn_mask">Truth values (true takes part) or numbers to add, broadcast to [..., L, S].</param>
            /// <param name="p">Dropout probability.</param>
            /// <param name="is_casual">Whether position i sees only positions up to i.</param>
            public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0.0, bool is_casual = false)
            {
                if (Ops.scaled_dot_product_attention.Exists)
                    return new Call(Ops.scaled_dot_product_attention).T(query).T(key).T(value).T(attn_mask).F(p).B(is_casual).Run();
                using var scope = NewDisposeScope();
                var scores = (query * (1 / Math.Sqrt(query.shape[^1]))).matmul(key.transpose(-2, -1));
                if (is_casual)
                    scores = scores.masked_fill(ones([query.size(-2), key.size(-2)], ScalarType.Bool, query.device).tril().logical_not(), double.NegativeInfinity);
                else if (attn_mask is not null)
                    scores = attn_mask.dtype == ScalarType.Bool ? scores.masked_fill(attn_mask.logical_not(), double.NegativeInfinity) : scores + attn_mask;
                return dropout(scores.softmax(-1), p).matmul(value).MoveToOuterDisposeScope();
            }
        }
    }
}
